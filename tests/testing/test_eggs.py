"""Eggs made for tests are real: the library of the format and our own reader accept them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email import message_from_string
from importlib import metadata
from pathlib import Path

import pytest
from okonomiyaki.file_formats import EggMetadata

from hatcher.artefacts.egg import read_egg
from hatcher.testing import UnsuitableDistributionError, build_egg, write_egg

Files = dict[str, str | None]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


#: A distribution of one module as pip installs it.
INFO = "fresh-1.0.dist-info"
RECORD = f"fresh.py,,\n{INFO}/METADATA,,\n"
INSTALLED = {
    "fresh.py": "",
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: fresh\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
    f"{INFO}/RECORD": RECORD,
}
EDITABLE = '{"url": "file:///src", "dir_info": {"editable": true}}'


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], None]:
    """Install it with other files; None for those that it is to lack."""

    def install(files: Files) -> None:
        for name, text in (INSTALLED | files).items():
            if text is not None:
                path = tmp_path / "site" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))

    return install


class TestBuildEgg:
    def test_an_installed_distribution_becomes_an_egg(self, tmp_path):
        version = metadata.version("attrs")

        egg = build_egg("attrs", tmp_path, build=3, platform="rh8-x86_64", python_tag="cp311")

        assert egg == tmp_path / f"attrs-{version}-3.egg"
        told = EggMetadata.from_egg(str(egg))
        assert (told.name, str(told.version)) == ("attrs", f"{version}-3")
        assert (str(told.platform), told.python_tag) == ("rh8_x86_64", "cp311")
        assert told.pkg_info.name == "attrs"
        read = read_egg(egg)
        assert (read.name, read.full_version, read.python_tag) == ("attrs", f"{version}-3", "cp311")

    def test_the_modules_are_the_installed_ones(self, tmp_path):
        egg = build_egg("attrs", tmp_path)

        module = metadata.distribution("attrs").locate_file("attr/_make.py")
        with zipfile.ZipFile(egg) as archive:
            assert archive.testzip() is None
            assert archive.read("attr/_make.py") == Path(str(module)).read_bytes()
            names = archive.namelist()
        assert not [name for name in names if name.endswith(".pyc") or ".dist-info" in name]

    def test_the_egg_can_be_imported_from(self, tmp_path):
        egg = build_egg("attrs", tmp_path)

        code = f"import sys; sys.path.insert(0, {str(egg)!r}); import attr; print(attr.__file__)"
        command = [sys.executable, "-I", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)

        assert done.stdout.startswith(str(egg))

    def test_the_same_input_gives_the_same_bytes(self, tmp_path):
        egg = build_egg("pluggy", tmp_path)
        first, told = sha256(egg), EggMetadata.from_egg(str(egg))

        assert (told.platform, told.python_tag, told.abi_tag) == (None, None, None)
        assert sha256(build_egg("pluggy", tmp_path)) == first
        assert sha256(build_egg("pluggy", tmp_path, build=2)) != first

    def test_requirements_are_those_that_apply_here(self, tmp_path):
        # jsonschema requires attrs and, only for an extra, isoduration.
        packages = read_egg(build_egg("jsonschema", tmp_path)).packages

        assert "attrs" in packages
        assert "isoduration" not in packages

    def test_another_name_and_version_and_other_requirements(self, tmp_path):
        packages = ["numpy 1.26.4-1", "attrs"]
        egg = build_egg("pluggy", tmp_path, name="My_Egg", version="9.9", packages=packages)

        assert egg.name == "My_Egg-9.9-1.egg"
        assert read_egg(egg).packages == tuple(packages)
        told = EggMetadata.from_egg(str(egg))
        assert (told.egg_basename, told.pkg_info.name) == ("My_Egg", "My_Egg")
        assert told.pkg_info.version == "9.9"

    def test_entry_points_come_along(self, tmp_path):
        with zipfile.ZipFile(build_egg("pytest", tmp_path)) as archive:
            assert b"[console_scripts]" in archive.read("EGG-INFO/entry_points.txt")

    def test_a_pkg_info_too_new_for_the_library_is_stated_as_the_newest_it_reads(
        self, tmp_path, install
    ):
        newer = "Metadata-Version: 2.5\nName: fresh\nVersion: 1.0\nImport-Name: x\n"
        install({f"{INFO}/METADATA": newer})
        with zipfile.ZipFile(build_egg("fresh", tmp_path)) as archive:
            written = message_from_string(archive.read("EGG-INFO/PKG-INFO").decode())
        assert written["Metadata-Version"] == "2.4"

    @pytest.mark.parametrize(
        "distribution", ["certifi", "idna", "packaging", "httpx", "python-dateutil", "click"]
    )
    def test_others_are_readable_too(self, tmp_path, distribution):
        egg = read_egg(build_egg(distribution, tmp_path))

        assert (egg.version, egg.build) == (metadata.version(distribution), 1)

    def test_one_that_is_not_installed(self, tmp_path):
        for name in ("no-such-thing-at-all", "", "attrs==26.1.0"):
            with pytest.raises(UnsuitableDistributionError) as caught:
                build_egg(name, tmp_path)
            assert repr(name) in caught.value.what and "pip list" in caught.value.advice

    @pytest.mark.parametrize(
        ("files", "says"),
        [
            *(
                ({f"{INFO}/{name}": None}, "--force-reinstall")
                for name in ("METADATA", "RECORD", "WHEEL")
            ),
            *(
                ({f"{INFO}/RECORD": f"{RECORD}{outside},,\n"}, outside)
                for outside in (
                    "../../../share/man/man1/fresh.1",
                    "../../../bin/other",
                    "../../../etc/fresh",
                    "/etc/fresh.conf",
                    "fresh/../../elsewhere.py",
                )
            ),
            # Compiled, although its tags say otherwise.
            ({"fresh.so": "", f"{INFO}/RECORD": f"{RECORD}fresh.so,,\n"}, "fresh.so"),
            ({"fresh.py": None}, "fresh.py is missing"),
            ({f"{INFO}/direct_url.json": EDITABLE}, "editable"),
            ({f"{INFO}/RECORD": "fresh.pth,,\n"}, "editable"),
        ],
    )
    def test_what_cannot_become_an_egg(self, tmp_path, install, files, says):
        install(files)
        with pytest.raises(UnsuitableDistributionError) as caught:
            build_egg("fresh", tmp_path)
        assert says in f"{caught.value.what} {caught.value.advice}"

    @pytest.mark.parametrize("suffix", ["", ".exe", "-script.py", "3", "-3.11", "3.11.exe"])
    def test_its_scripts_are_made_anew(self, tmp_path, install, suffix):
        scripts = {
            f"{INFO}/entry_points.txt": "[console_scripts]\nrun=fresh:run\n",
            f"{INFO}/RECORD": f"{RECORD}../../../bin/run{suffix},,\n",
        }
        install(scripts)
        with zipfile.ZipFile(build_egg("fresh", tmp_path)) as egg:
            assert not [name for name in egg.namelist() if "bin" in name]

    def test_one_with_compiled_files(self, tmp_path):
        with pytest.raises(UnsuitableDistributionError, match="pure Python"):
            build_egg("argon2-cffi-bindings", tmp_path)
        assert not list(tmp_path.iterdir())


class TestWriteEgg:
    def test_it_says_what_it_was_told_to(self, tmp_path):
        suits = {"platform": "win-x86_64", "python_tag": "cp38"}
        files = {"spam/data.txt": b"lovely"}
        egg = write_egg(tmp_path, "Spam", "2.1", 7, packages=["eggs 1.0"], files=files, **suits)

        read = read_egg(egg)
        assert egg.name == "Spam-2.1-7.egg"
        assert (read.name, read.full_version, read.packages) == ("Spam", "2.1-7", ("eggs 1.0",))
        assert (read.platform, read.python_tag) == ("win_x86_64", "cp38")
        with zipfile.ZipFile(egg) as archive:
            assert archive.read("spam/data.txt") == b"lovely"
            assert archive.testzip() is None

    @pytest.mark.parametrize("size", [1, 1 << 20, (5 << 20) + 3])
    def test_the_payload_has_the_size_asked_for(self, tmp_path, size):
        egg = write_egg(tmp_path, payload_bytes=size)

        with zipfile.ZipFile(egg) as archive:
            member = archive.getinfo("spam/payload.bin")
            assert archive.testzip() is None
        assert member.file_size == member.compress_size == size
        assert size < egg.stat().st_size < size + 2000

    def test_the_seed_makes_the_bytes(self, tmp_path):
        first = sha256(write_egg(tmp_path, payload_bytes=1000))

        assert sha256(write_egg(tmp_path, payload_bytes=1000)) == first
        assert sha256(write_egg(tmp_path, payload_bytes=1000, seed=1)) != first

    @pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
    @pytest.mark.usefixtures("unmeasured")
    def test_a_large_one_needs_little_memory(self, tmp_path):
        # Peak memory over that of the same process after a small egg; 200 MB would show.
        # (What getrusage says begins with the memory of the parent, and would hide them.)
        code = (
            "import re, sys\n"
            "from hatcher.testing import write_egg\n"
            "def peak():\n"
            "    status = open('/proc/self/status').read()\n"
            "    return 1024 * int(re.search(r'VmHWM:\\s+(\\d+)', status)[1])\n"
            "write_egg(sys.argv[1], payload_bytes=1)\n"
            "before = peak()\n"
            "write_egg(sys.argv[1], payload_bytes=200_000_000)\n"
            "print(peak() - before)\n"
        )
        command = [sys.executable, "-c", code, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)

        assert int(done.stdout) < 20_000_000

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"python_tag": "py3"}, "no Python tag"),
            ({"python_tag": "snake"}, "no Python tag"),
            ({"platform": "linux"}, "no platform"),
            ({"name": "a-b"}, "No egg can be named"),
            ({"name": ""}, "No egg can be named"),
            ({"version": "1-2"}, "No egg can be named"),
            ({"build": -1}, "No egg can be named"),
            ({"payload_bytes": -1}, "payload_bytes must be 0 or more"),
            # okonomiyaki writes this combination, but fails to read it.
            ({"platform": "osx-arm64", "python_tag": "cp38"}, "not read"),
        ],
    )
    def test_what_no_egg_can_be(self, tmp_path, wrong, message):
        with pytest.raises(ValueError, match=message):
            write_egg(tmp_path, **wrong)
        assert not list(tmp_path.iterdir())

    def test_a_folder_that_is_none(self, tmp_path):
        with pytest.raises(NotADirectoryError, match="Create it"):
            write_egg(tmp_path / "nowhere")
