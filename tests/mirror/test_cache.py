"""Artefacts kept by their sha256: right every time, bounded, the owner's alone, and never needed."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hatcher import mirror
from hatcher.errors import HatcherException, InvalidArgumentError, InvalidDestinationError
from hatcher.mirror.cache import _copy, _is_linked

if sys.platform == "linux":
    import resource


def make(folder: Path, name: str, size: int = 400) -> tuple[Path, str]:
    """A file of that size, and its sha256."""
    content = hashlib.sha256(name.encode()).digest() * (size // 32 + 1)
    path = folder / name
    path.write_bytes(content[:size])
    return path, hashlib.sha256(content[:size]).hexdigest()


def used(path: Path, *, seconds_ago: int) -> None:
    when = time.time() - seconds_ago
    os.utime(path, (when, when))


def damage(path: Path) -> None:
    """Change one bit of a file, as a disk does it: neither size nor time tell."""
    status = path.stat()
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    path.chmod(0o400)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the cache is; not there yet."""
    return tmp_path / "caches" / "hatcher"


@pytest.fixture
def cache(folder: Path) -> mirror.Cache:
    return mirror.Cache(folder)


def test_kept_by_what_is_in_it(folder, tmp_path):
    cache = mirror.Cache(folder)
    assert not folder.exists(), "Making one touches nothing."
    path, sha256 = make(tmp_path, "nose-1.3.0-1.egg")
    assert cache.get(sha256) is None
    assert not cache.usage().files
    assert not folder.exists(), "Neither does looking."

    kept = cache.add(path, sha256)
    assert kept == folder / "artefacts" / sha256[:2] / sha256[2:]
    path.write_bytes(b"the user goes on with it")
    again = mirror.Cache(folder)
    assert again.get(sha256.upper()) == kept
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == sha256
    other, _ = make(tmp_path, "nose-1.3.0-1.egg")
    assert again.add(other, sha256) == kept
    assert str(again.usage()) == "1 artefact of 400 B"
    assert (folder / "artefacts" / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597")
    with pytest.raises(InvalidArgumentError, match="sha256"):
        cache.get("../../etc/passwd")


@pytest.mark.skipif(os.name != "posix", reason="Other systems have other permissions.")
@pytest.mark.parametrize(
    ("mode", "is_used"),
    [(0o750, True), (0o755, True), (0o770, False), (0o720, False), (0o702, False), (0o777, False)],
)
def test_others_may_look_and_not_write(folder, tmp_path, mode, is_used):
    path, sha256 = make(tmp_path, "spam")
    kept = mirror.Cache(folder).add(path, sha256)
    own = [found.stat().st_mode & 0o777 for found in (kept, kept.parent, folder / "artefacts")]
    assert own == [0o400, 0o700, 0o700]
    (folder / "artefacts").chmod(mode)
    cache = mirror.Cache(folder)
    assert cache.get(sha256) == (kept if is_used else None)
    assert cache.copy(sha256, tmp_path / "copy") is is_used
    assert (cache.add(path, sha256) is not None) is is_used


def test_what_is_the_callers_own_is_not_copied(cache, folder, tmp_path):
    path, sha256 = make(tmp_path, "download")
    used(path, seconds_ago=5000)
    kept = cache.add(path, sha256, own=True)
    assert kept.samefile(path)
    assert time.time() - kept.stat().st_mtime < 100, "It was used now, whenever it was made."
    path.unlink()
    assert cache.get(sha256) == kept
    assert list(cache.folder.glob(".*")) == []


def test_bytes_that_rot_are_never_handed_out(cache, tmp_path, caplog):
    path, sha256 = make(tmp_path, "spam", 3 << 20)
    target = tmp_path / "target"
    target.write_bytes(b"before")

    damage(cache.add(path, sha256))
    assert not cache.copy(sha256, target)
    assert target.read_bytes() == b"before"
    assert cache.usage().files == 0

    damage(cache.add(path, sha256))
    with cache.lend(sha256) as lent:
        assert lent is None
    assert cache.usage().files == 0
    assert "is damaged (it has another sha256): it is removed" in caplog.text

    kept = cache.add(path, sha256)
    kept.chmod(0o600)
    os.truncate(kept, 100)
    assert cache.add(path, sha256) == kept, "One of another size is replaced."
    assert cache.copy(sha256, target)
    assert target.read_bytes() == path.read_bytes()
    assert target.stat().st_mode & 0o200, "A copy is the user's."
    assert [found.name for found in tmp_path.glob("target*")] == ["target"]


def test_what_is_something_else_is_not_kept(cache, folder, tmp_path, caplog):
    path, _ = make(tmp_path, "spam")
    wanted = "ab" * 32
    assert cache.add(path, wanted) is None
    assert f"and not {wanted}" in caplog.text
    assert cache.add(tmp_path / "gone", wanted) is None
    assert "cannot keep 'gone'" in caplog.text
    assert [found.name for found in cache.folder.iterdir()] == ["CACHEDIR.TAG", "ab"] or not list(
        cache.folder.glob(".*")
    )
    assert cache.usage().files == 0


def test_what_was_used_longest_ago_goes_first(folder, tmp_path):
    cache = mirror.Cache(folder, limit=1600)
    files = [make(tmp_path, name) for name in "abcd"]
    for age, (path, sha256) in enumerate(reversed(files)):
        used(cache.add(path, sha256), seconds_ago=100 + age)
    assert cache.get(files[0][1]), "Used now, so it is no longer the oldest."
    assert cache.add(*make(tmp_path, "e"))
    # A part of the limit is made free at once.
    assert [cache.get(sha256) is not None for _, sha256 in files] == [True, False, False, True]
    assert cache.usage().size == 1200

    assert cache.add(*make(tmp_path, "large", 1601)) is None
    assert cache.usage().size == 1200, "Nothing is removed for what cannot be kept."
    assert cache.add(*make(tmp_path, "whole", 1600))
    assert cache.usage().size == 1600


def test_what_is_in_use_is_not_removed(folder, tmp_path):
    """By any process: the lock is the system's."""
    cache = mirror.Cache(folder, limit=1000)
    old, new = make(tmp_path, "old"), make(tmp_path, "new")
    used(cache.add(*old), seconds_ago=100)
    with mirror.Cache(folder).lend(old[1]) as lent:
        used(lent, seconds_ago=100)
        cache.add(*new)
        cache.add(*make(tmp_path, "more"))
        assert lent.exists()
        assert cache.get(new[1]) is None
        assert len(cache.clear().removed) == 1
        assert lent.exists()
    assert cache.clear().removed == (old[1],)
    assert cache.usage() == mirror.CacheReport(0, 0)


def test_verify_prune_clear(cache, folder, tmp_path):
    files = {name: make(tmp_path, name) for name in "abcde"}
    kept = {name: cache.add(*file) for name, file in files.items()}
    for age, path in enumerate(kept.values()):
        used(path, seconds_ago=1000 - age)
    damage(kept["b"])
    stranger = cache.folder / "notes.txt"
    stranger.write_text("not ours")
    given_up, at_work = cache.folder / ".spam.partial", cache.folder / ".eggs.partial"
    for path in (given_up, at_work):
        path.write_bytes(b"half")
    used(given_up, seconds_ago=4000)

    told: list[tuple[int, int, str]] = []
    report = cache.verify(progress=lambda *now: told.append(now))
    assert told[-1] == (2000, 2000, "hashing")
    assert not report
    assert report.damaged == report.removed == (files["b"][1],)
    assert (report.files, report.size, report.freed) == (4, 1600, 400)
    assert str(report) == ("4 artefacts of 1.60 kB; 1 damaged; 1 of 400 B removed")
    assert cache.verify()
    assert not given_up.exists()
    assert at_work.exists()

    would = cache.prune(900, dry_run=True)
    assert cache.usage().files == 4
    assert cache.prune(900) == would
    assert would.removed == (files["a"][1], files["c"][1]), "Hashing all is no use of them."
    assert (would.files, would.size) == (2, 800)
    assert cache.prune().removed == ()
    assert cache.clear(dry_run=True).files == 0
    assert cache.usage().files == 2
    assert set(cache.clear().removed) == {files["d"][1], files["e"][1]}
    assert stranger.read_text() == "not ours"


@pytest.mark.skipif(os.name != "posix", reason="Links need no permission there.")
def test_links_are_not_followed(cache, folder, tmp_path):
    path, sha256 = make(tmp_path, "spam")
    kept = cache.add(path, sha256)
    kept.unlink()
    kept.symlink_to(path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ("0" * 62)).write_bytes(b"somebody's")
    (cache.folder / "00").symlink_to(elsewhere)

    assert mirror.Cache(folder).get(sha256) is None
    assert cache.verify().damaged == (sha256,)
    assert path.exists()
    cache.clear()
    assert (elsewhere / ("0" * 62)).exists()


def test_a_cache_that_cannot_be_used(folder, tmp_path, caplog):
    """It is said once, and everything goes on without it; who asks about it is told."""
    path, sha256 = make(tmp_path, "spam")
    folder.parent.mkdir()
    folder.write_bytes(b"a file in the way")
    cache = mirror.Cache(folder)
    with caplog.at_level(logging.WARNING, "hatcher"):
        for _ in range(3):
            assert cache.add(path, sha256) is None
            assert cache.get(sha256) is None
            assert not cache.copy(sha256, tmp_path / "target")
    assert len(caplog.records) == 1
    folder.unlink()

    if os.name == "posix":
        (folder / "artefacts").mkdir(parents=True)
        (folder / "artefacts").chmod(0o775)
        cache = mirror.Cache(folder)
        assert cache.add(path, sha256) is None
        assert "others may write" in caplog.text
        for ask in (cache.usage, cache.verify, cache.prune, cache.clear):
            with pytest.raises(HatcherException, match="others"):
                ask()


def test_a_disk_that_is_full(cache, folder, tmp_path, monkeypatch, caplog):
    """Nothing is left half done, and the rest of the disk is left to others."""
    path, sha256 = make(tmp_path, "spam", 3 << 20)
    if sys.platform == "linux":
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
        try:
            assert cache.add(path, sha256) is None
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert "File too large" in caplog.text
        assert list(cache.folder.glob(".*")) == []
    nearly = shutil.disk_usage(tmp_path)._replace(total=100 << 30, free=1 << 30)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: nearly)
        assert mirror.Cache(folder).add(path, sha256) is None
        assert "nearly full" in caplog.text
        assert cache.add(path, sha256, own=True), "Another name takes no room."
    assert cache.get(sha256)


def test_a_target_that_cannot_be_written_is_no_fault_of_the_cache(cache, tmp_path):
    path, sha256 = make(tmp_path, "spam")
    cache.add(path, sha256)

    def gone(*_: object) -> None:
        raise BrokenPipeError("nobody looks at the bar")

    with pytest.raises(InvalidDestinationError):
        cache.copy(sha256, tmp_path / "missing" / "target")
    with pytest.raises(BrokenPipeError):
        cache.get(sha256, progress=gone)
    assert cache.get(sha256)


def test_where_it_is(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(folder))
    assert mirror.Cache().folder == folder / "artefacts"
    assert mirror.Cache().limit == 10 * 1024**3
    monkeypatch.setenv("HATCHER_CACHE_DIR", "")
    nowhere = mirror.Cache()
    path, sha256 = make(tmp_path, "spam")
    assert (nowhere.folder, nowhere.add(path, sha256), nowhere.get(sha256)) == (None, None, None)
    assert nowhere.verify() == nowhere.clear() == mirror.CacheReport(0, 0)
    monkeypatch.chdir(tmp_path)
    assert mirror.Cache("here").folder == tmp_path / "here" / "artefacts"
    for limit in (-1, 1.5, True, "10 GB"):
        with pytest.raises(InvalidArgumentError, match="bytes"):
            mirror.Cache(folder, limit)
        with pytest.raises(InvalidArgumentError, match="bytes"):
            mirror.Cache(folder).prune(limit)


#: Adds and reads what others do, in a cache that has room for a part of it only.
_WORKER = """
import hashlib, random, sys
from pathlib import Path
from hatcher.mirror import Cache
folder, own, seed = sys.argv[1:]
cache, dice = Cache(folder, limit=20_000), random.Random(seed)
for step in range(300):
    content = bytes([dice.randrange(40)]) * 1000
    sha256 = hashlib.sha256(content).hexdigest()
    with cache.lend(sha256) as path:
        if path is not None:
            assert path.read_bytes() == content
            continue
    path = Path(own, str(step))
    path.write_bytes(content)
    kept = cache.add(path, sha256, own=bool(step % 2))
    assert kept is not None
    path.unlink()
"""


def test_what_another_process_was_quicker_with_stays(folder, tmp_path):
    """Somebody may have been lent it, and holds a lock on that very file."""
    path, sha256 = make(tmp_path, "spam", 1000)
    kept = mirror.Cache(folder).add(path, sha256)
    assert kept is not None
    before = kept.stat()
    _copy(path, kept.parents[1], kept, sha256)
    assert _is_linked(path, kept)
    assert (kept.stat().st_ino, kept.stat().st_mode) == (before.st_ino, before.st_mode)
    assert list(kept.parents[1].glob(".*")) == []


@pytest.mark.skipif(os.name != "posix", reason="Nobody can be killed there.")
def test_killed_while_something_is_kept(folder, tmp_path):
    """What has a name is whole; what has none yet is swept some time."""
    path, sha256 = make(tmp_path, "large", 32 << 20)
    code = "from hatcher.mirror import Cache; import sys; print('go', flush=True)\n"
    code += "while True: Cache(sys.argv[1]).add(*sys.argv[2:]); Cache(sys.argv[1]).clear()"
    for seconds in (0.01, 0.03, 0.05):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(folder), str(path), sha256],
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout.readline() == b"go\n"
            time.sleep(seconds)
            process.kill()
            assert process.wait(timeout=60) == -signal.SIGKILL
    cache = mirror.Cache(folder)
    assert cache.verify()
    for partial in cache.folder.glob(".*.partial"):
        used(partial, seconds_ago=4000)
    assert cache.add(path, sha256)
    cache.usage()
    assert list(cache.folder.glob(".*")) == []
    assert cache.get(sha256)


def test_threads_and_processes_at_once(folder, tmp_path, caplog):
    workers = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        arguments = [str(folder), str(tmp_path / str(number)), str(number)]
        workers.append(
            subprocess.Popen(
                [sys.executable, "-c", _WORKER, *arguments], stderr=subprocess.PIPE, text=True
            )
        )
    cache = mirror.Cache(folder, limit=20_000)
    files = [make(tmp_path, f"t{number}", 1000) for number in range(40)]
    wrong: list[str] = []

    def work(mine: list[tuple[Path, str]]) -> None:
        for path, sha256 in mine * 5:
            with cache.lend(sha256) as lent:
                if lent is not None and lent.read_bytes() != path.read_bytes():
                    wrong.append(sha256)
            cache.add(path, sha256)

    threads = [threading.Thread(target=work, args=(files[n:],)) for n in range(0, 40, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        _, said = worker.communicate(timeout=60)
        assert (worker.returncode, said) == (0, "")
    assert not wrong
    assert not caplog.records
    # Each of the three may pass the limit by its share.
    assert 0 < cache.usage().size <= 20_000 * (1 + 3 / 16)
    assert cache.verify()
    assert list(cache.folder.glob(".*")) == []
