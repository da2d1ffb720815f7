"""Machines that lack something: a home, a folder of the user's own, locks, and what disks may say."""

from __future__ import annotations

import errno
import logging
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, SinglePlatformRepository
from hatcher.errors import HatcherException, InvalidArgumentError, NoSpaceError
from hatcher.files.atomic import replacing
from hatcher.files.folders import NoHomeError, expanded, user_folder
from hatcher.files.locks import locked
from hatcher.files.partial import Partial
from hatcher.files.space import check_space
from hatcher.testing import BroodServer, write_bundle, write_egg, write_runtime
from hatcher.transfer.hashing import file_sha256

from .conftest import stock

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Machines of another kind.")

PLATFORM = "rh8-x86_64"
KINDS = ("CACHE", "CONFIG")


@pytest.fixture
def platform(brood_server: BroodServer) -> SinglePlatformRepository:
    return stock(brood_server)


@pytest.fixture
def eggs(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "eggs"
    folder.mkdir()
    return [
        write_egg(folder, f"Egg{n}", "1.0", platform=PLATFORM, payload_bytes=9000, seed=n)
        for n in range(3)
    ]


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No passwd entry and no HOME."""

    def unknown(_: object) -> None:
        raise KeyError("getpwuid(): uid not found")

    for name in ("getpwuid", "getpwnam"):
        monkeypatch.setattr(f"pwd.{name}", unknown)
    for name in [name for name in os.environ if name.startswith(("XDG_", "HATCHER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.chdir(tmp_path)


# -- no home -------------------------------------------------------------------------------


def test_without_a_home_no_folder_is_the_users(homeless):
    for kind in ("cache", "config"):
        with pytest.raises(NoHomeError):
            user_folder(kind)
    for path in ("~/x", "~", "~nobody-of-that-name/x"):
        with pytest.raises(NoHomeError):
            expanded(path)
    assert expanded("x") == Path.cwd() / "x"


def test_a_variable_names_a_folder_all_the_same(homeless, monkeypatch):
    monkeypatch.setenv("HATCHER_X", "/somewhere")
    assert user_folder("cache", "HATCHER_X") == Path("/somewhere")
    for nowhere in ("", " "):
        monkeypatch.setenv("HATCHER_X", nowhere)
        assert user_folder("cache", "HATCHER_X") is None
    monkeypatch.setenv("XDG_CONFIG_HOME", "/there")
    assert user_folder("config") == Path("/there/hatcher")


def test_without_a_home_all_is_transferred(homeless, brood_server, check_transfers):
    check_transfers(1)  # no cache of artefacts
    assert not Path("~").exists()
    with pytest.raises(InvalidArgumentError):
        BroodClient.from_url(brood_server.url, api_version=1, cache="~/x")


@pytest.fixture
def check_transfers(
    brood_server: BroodServer,
    platform: SinglePlatformRepository,
    eggs: list[Path],
    destination: Path,
    caplog: pytest.LogCaptureFixture,
) -> Callable[[int], None]:
    """Uploads, lists, downloads and mirrors, with no more warnings than so many."""

    def check(most: int) -> None:
        platform = brood_server.client().organization("acme").repository("dev").platform(PLATFORM)
        assert platform.upload_eggs(eggs)
        platform.upload_egg(eggs[0], verify=True)
        assert len(platform.egg_index("cp311")) == len(eggs)
        assert platform.download_eggs("cp311", destination)
        assert {path.name for path in destination.iterdir()} == {path.name for path in eggs}
        assert all((destination / path.name).read_bytes() == path.read_bytes() for path in eggs)
        folder = destination.parent / "mirror"
        folder.mkdir()
        report = mirror.plan(platform, folder, python_tags=["cp311"]).apply(cache=mirror.Cache())
        report.raise_for_failures()
        assert sorted(path.name for path in folder.rglob("*.egg")) == [path.name for path in eggs]
        assert not list(destination.parent.rglob("*partial"))
        told = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
        assert len(told) <= most, told

    return check


#: The command line under a user that no passwd knows; the files stay within reach.
_HOMELESS = """
import os, sys
os.setreuid(54321, 0)
from hatcher.cli import main
sys.exit(main())
"""


def homeless_cli(
    folder: Path, *command: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _HOMELESS, *command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="It takes root.")
def test_the_command_line_without_a_home(brood_server, platform):
    with tempfile.TemporaryDirectory() as folder:  # not one of pytest's, which are root's alone
        Path(folder).chmod(0o755)
        (work := Path(folder, "work")).mkdir()
        work.chmod(0o777)
        egg = write_egg(Path(folder), "Egg0", "1.0", platform=PLATFORM)
        check_commands(brood_server, egg, work)


def check_commands(brood_server: BroodServer, egg: Path, work: Path) -> None:
    asker = {
        "HATCHER_URL": brood_server.url,
        "HATCHER_USERNAME": brood_server.admin_email,
        "HATCHER_PASSWORD": brood_server.admin_password,
    }
    place = ("acme", "dev", PLATFORM)
    done = homeless_cli(work, "eggs", "upload", *place, str(egg), **asker)
    assert done.returncode == 0, done.stderr
    done = homeless_cli(work, "eggs", "download", *place, "cp311", "Egg0", "1.0-1", **asker)
    assert done.returncode == 0, done.stderr
    for command in (["config", "list"], ["cache", "show"], ["eggs", "list", *place, "cp311"]):
        done = homeless_cli(work, *command, **asker)
        assert (done.returncode, done.stderr.count("\n") <= 1) == (0, True), done.stderr
    # What cannot be is one clear error.
    for command in (
        ["config", "set", "url", "https://brood.example.com", "--profile", "work"],
        ["config", "path"],
        ["mirror", "plan", "~/backup", "acme/dev"],
    ):
        done = homeless_cli(work, *command, **asker)
        assert done.returncode in (1, 2) and "home directory" in done.stderr, done.stderr
        assert "fault of its own" not in done.stderr
    assert [path.name for path in work.iterdir()] == ["Egg0-1.0-1.egg"]


# -- no folders ----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["a file", "below a file", "a device", "proc", "a dangling link"])
def test_folders_that_cannot_be_made(check_transfers, monkeypatch, tmp_path, way):
    file = tmp_path / "file"
    file.write_text("in the way")
    link = tmp_path / "link"
    link.symlink_to("/proc/nowhere/at/all")
    nowhere = {
        "a file": file,
        "below a file": file / "x",
        "a device": Path(os.devnull),
        "proc": Path("/proc/hatcher"),
        "a dangling link": link,
    }[way]
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(nowhere))
    check_transfers(2)  # of the mirror's caches; never of each file


# -- file systems that lack something ------------------------------------------------------

LOCKLESS = [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL]


@pytest.fixture(params=[None, *sorted(set(LOCKLESS))], ids=str)
def lockless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without locks, or a file system that gives a reason."""
    if request.param is None:
        monkeypatch.setattr("hatcher.files.locks.fcntl", None)
        return

    def flock(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr("fcntl.flock", flock)


def test_without_locks_nothing_stays_behind(lockless, tmp_path):
    target = tmp_path / "spam"
    first, second = Partial.claim(target), Partial.claim(target)
    assert len(list(tmp_path.iterdir())) == 2
    for partial, content in ((first, b"first"), (second, b"second")):
        partial.write(content)
        assert not partial.is_findable
    first.publish(target)
    second.discard()
    Partial.sweep(target)
    assert [path.name for path in tmp_path.iterdir()] == ["spam"]
    assert target.read_bytes() == b"first"


def test_without_locks_what_is_there_is_not_touched(lockless, tmp_path):
    left = tmp_path / "spam.0.hatcher-partial"
    left.write_bytes(b"of another machine")
    Partial.claim(tmp_path / "spam").discard()
    Partial.sweep(tmp_path / "spam")
    assert left.read_bytes() == b"of another machine"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_locks_all_is_transferred(check_transfers, lockless, monkeypatch, tmp_path):
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(tmp_path / "cache"))
    check_transfers(9)
    assert mirror.Cache().usage().files == 3


def test_without_locks_the_work_goes_on(lockless, tmp_path):
    with locked(tmp_path / "lock") as is_mine:
        assert is_mine


class Disk(tuple[int, int, int]):
    """What is said of a disk."""

    total, used, free = (property(lambda self, n=n: self[n]) for n in range(3))


def test_a_disk_of_0_blocks_is_one_that_nobody_knows(monkeypatch, tmp_path):
    said = Disk((0, 0, 0))
    monkeypatch.setattr("shutil.disk_usage", lambda _: said)
    check_space(tmp_path / "spam", 10**15)
    file = tmp_path / "file"
    file.write_bytes(b"content")
    cache = mirror.Cache(tmp_path / "cache")
    assert cache.add(file, file_sha256(file)) is not None
    said = Disk((10**9, 10**9, 0))
    with pytest.raises(NoSpaceError):
        check_space(tmp_path / "spam", 1)
    file.write_bytes(b"another")
    assert cache.add(file, file_sha256(file)) is None


def refusing(monkeypatch: pytest.MonkeyPatch, name: str, code: int, times: int = 9**9) -> list[Any]:
    """Let a function of `os` fail so often; return what it was called with then."""
    real, calls = getattr(os, name), []

    def refuse(*args: Any, **options: Any) -> Any:
        if len(calls) < times:
            calls.append(args)
            raise OSError(code, os.strerror(code))
        return real(*args, **options)

    monkeypatch.setattr(f"os.{name}", refuse)
    return calls


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="There is no such way here.")
@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_disk_that_wants_the_systems_cache(monkeypatch, tmp_path, code):
    partial = Partial.claim(tmp_path / "spam")
    block = os.urandom(1 << 20)
    calls = refusing(monkeypatch, "write", code, times=1)
    partial.write(block)
    partial.write(block)
    assert len(calls) == 1
    partial.publish(tmp_path / "spam")
    assert (tmp_path / "spam").read_bytes() == block * 2


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
@pytest.mark.parametrize(
    "name", ["fsync", "setxattr", "getxattr", "removexattr", "posix_fadvise", "link", "utime"]
)
def test_what_disks_need_not_have(monkeypatch, tmp_path, name, code):
    if not hasattr(os, name):
        pytest.skip("The system has none.")
    refusing(monkeypatch, name, code)
    content = os.urandom(9 << 20)
    with replacing(tmp_path / "spam") as partial:
        partial.remember("ab" * 32, None)
        partial.recall()
        for start in range(0, len(content), 100_000):
            partial.write(content[start : start + 100_000])
    assert (tmp_path / "spam").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["spam"]
    cache = mirror.Cache(tmp_path / "cache")
    sha256 = file_sha256(tmp_path / "spam")
    assert cache.add(tmp_path / "spam", sha256, own=True)
    assert cache.get(sha256)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("fsync", code) for code in (errno.EIO, errno.ENOSPC, errno.EDQUOT)),
        *(("replace", code) for code in (errno.EBUSY, errno.ETXTBSY, errno.EACCES, errno.EPERM)),
    ],
)
def test_what_does_not_reach_the_disk_is_an_error(monkeypatch, tmp_path, name, code):
    (tmp_path / "spam").write_bytes(b"old")
    refusing(monkeypatch, name, code)
    with pytest.raises(HatcherException), replacing(tmp_path / "spam") as partial:
        partial.write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["spam"]
    assert (tmp_path / "spam").read_bytes() == b"old"


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ETXTBSY, errno.EACCES, errno.EPERM])
def test_a_disk_that_renames_nothing_that_is_open(monkeypatch, tmp_path, code):
    calls = refusing(monkeypatch, "replace", code, times=1)
    with replacing(tmp_path / "spam") as partial:
        partial.write(b"new")
    assert len(calls) == 1 and (tmp_path / "spam").read_bytes() == b"new"


def test_a_disk_that_gives_files_to_somebody_else(monkeypatch, tmp_path):
    """As those that squash root do: what one has made is one's own all the same."""
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    for _ in range(2):
        partial = Partial.claim(tmp_path / "spam")
        partial.write(b"content")
        partial.publish(tmp_path / "spam")
        assert [path.name for path in tmp_path.iterdir()] == ["spam"]


# -- modes ---------------------------------------------------------------------------------


@pytest.fixture(params=[0o002, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_new_files_get_the_users_umask(
    umask, platform, brood_server, eggs, destination, monkeypatch, tmp_path
):
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(tmp_path / "cache"))
    platform.upload_eggs(eggs)
    runtime, bundle = write_runtime(tmp_path), write_bundle(tmp_path)
    platform.upload_runtimes([runtime])
    platform.upload_bundles([bundle])
    platform.download_eggs("cp311", destination)
    platform.download_egg("cp311", "Egg0", "1.0-1", destination, filename="alone.egg")
    platform.download_bundles(destination)
    (listed,) = platform.bundles
    (destination / "saved").mkdir()
    listed.save(destination / "saved")
    mirror.plan(platform, destination, python_tags=["cp311"]).apply(cache=mirror.Cache())
    mirror.pack(platform, destination / "all.zip", python_tags=["cp311"])
    mirror.manifest(platform, python_tags=["cp311"]).write(destination / "state.json")
    files = [path for path in destination.rglob("*") if path.is_file()]
    assert len(files) >= 12
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files}
    assert set(modes.values()) == {oct(0o666 & ~umask)}, modes
    own = (tmp_path / "cache").rglob("*")
    private = [path for path in own if path.is_file() and path.name != "CACHEDIR.TAG"]
    assert private
    assert not any(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private)


# -- what survives a power failure ---------------------------------------------------------


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is brought to the disk, and what is renamed, in their order."""
    calls: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def named(descriptor: int) -> str:
        return os.path.realpath(f"/proc/self/fd/{descriptor}")

    def record_fsync(descriptor: int) -> None:
        fsync(descriptor)
        calls.append(("fsync", named(descriptor)))

    def record_replace(source: Any, target: Any) -> None:
        replace(source, target)
        calls.append(("replace", f"{os.fspath(source)} {os.fspath(target)}"))

    monkeypatch.setattr("os.fsync", record_fsync)
    monkeypatch.setattr("os.replace", record_replace)
    return calls


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Files are told apart by it.")
@pytest.mark.parametrize("way", ["download", "iter_download", "batch", "bundle", "file"])
def test_a_file_is_on_the_disk_before_its_name_is(
    platform, eggs, destination, calls, tmp_path, way
):
    platform.upload_eggs(eggs, journal=False)
    platform.upload_bundles([write_bundle(tmp_path)])
    node = platform.egg("cp311", "Egg0", "1.0-1")
    calls.clear()
    if way == "download":
        node.download(destination)
    elif way == "iter_download":
        list(node.iter_download(destination)[1])
    elif way == "batch":
        platform.download_eggs("cp311", destination)
    elif way == "bundle":
        next(iter(platform.bundles)).save(destination)
    else:
        with replacing(destination / "file") as file:
            file.write(b"content")
    here = [call for call in calls if str(destination) in call[1]]
    renames = [names.split(" ") for what, names in here if what == "replace"]
    assert len(renames) == (3 if way == "batch" else 1)
    for source, target in renames:
        renamed = here.index(("replace", f"{source} {target}"))
        assert here.index(("fsync", source)) < renamed
        # The name itself is there once the folder is; of a batch, once for all.
        assert ("fsync", str(destination)) in here[renamed + 1 :]
    assert here.count(("fsync", str(destination))) == 1


@pytest.mark.parametrize("name", ["ü" * 120, "日" * 80, "a" + "日" * 80, "😀" * 60, "a" * 240])
def test_names_of_many_bytes(name, tmp_path):
    with pytest.raises(HatcherException), replacing(tmp_path / f"{name * 2}.egg") as partial:
        partial.write(b"content")  # no disk has such a name
    assert list(tmp_path.iterdir()) == []
    with replacing(tmp_path / f"{name}.egg") as partial:
        assert len(os.fsencode(Path(partial.path).name)) <= 255
        partial.write(b"content")
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.egg"]
