"""What an egg says of itself, and what is refused as no egg."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from hatcher.artefacts import egg as eggs
from hatcher.artefacts.egg import read_egg
from hatcher.errors import InvalidEgg
from hatcher.testing.eggs import build_egg

from .archives import DEPEND, SPEC, archive


def written(path: Path, content: str, member: str = DEPEND) -> Path:
    path.write_bytes(archive(content, member))
    return path


def test_a_real_egg_is_read(tmp_path):
    path = build_egg("attrs", tmp_path, build=3, platform="rh8-x86_64", python_tag="cp311")
    egg = read_egg(path)
    assert egg.filename == path.name
    assert (egg.name, egg.build, egg.python_tag) == ("attrs", 3, "cp311")
    assert egg.full_version == f"{egg.version}-3"
    assert egg.platform == "rh8_x86_64"
    assert egg.path == path


@pytest.mark.parametrize("python_tag", ["py3", "py2.py3", "cp311", None])
def test_any_python_tag_is_kept(tmp_path, python_tag):
    spec = SPEC.replace("'cp311'", repr(python_tag))
    egg = read_egg(written(tmp_path / "Spam-1.0-2.egg", spec))
    assert egg.python_tag == python_tag
    assert egg.packages == ("eggs 2.0-1",)


def test_the_file_name_may_differ_in_case_alone(tmp_path):
    assert read_egg(written(tmp_path / "spam-1.0-2.egg", SPEC)).name == "Spam"
    for name in ("ham-1.0-2.egg", "Spam-1.1-2.egg", "Spam-1.0-3.egg"):
        with pytest.raises(InvalidEgg, match=r"'Spam-1\.0-2\.egg'\. Rename"):
            read_egg(written(tmp_path / name, SPEC))


def test_what_is_no_egg_is_refused_with_the_reason(tmp_path):
    whole = build_egg("attrs", tmp_path)
    cut = tmp_path / "cut-1.0-1.egg"
    cut.write_bytes(whole.read_bytes()[:1000])
    nothing = tmp_path / "empty-1.0-1.egg"
    nothing.touch()
    folder = tmp_path / "folder-1.0-1.egg"
    folder.mkdir()
    wheel = shutil.copy(whole, tmp_path / "attrs-1.0-py3-none-any.whl")
    nameless = shutil.copy(whole, tmp_path / "attrs.egg")
    of_setuptools = [
        shutil.copy(whole, tmp_path / f"attrs-1.0-py{end}.egg")
        for end in ("2.7", "3", "3.11", "3.8-linux-x86_64", "3.8-macosx-10.9-x86_64")
    ]
    cases = {
        **{
            path: f"setuptools egg, not .* Repack it as one: edm repack-egg {path.name}"
            for path in of_setuptools
        },
        tmp_path / "missing-1.0-1.egg": "There is no file",
        tmp_path / "missing-1.0-py2.7.egg": "There is no file",
        folder: "is a directory",
        wheel: r"does not end in '\.egg'",
        nameless: "name-version-build.egg",
        cut: "not a zip file",
        nothing: "not a zip file",
        written(tmp_path / "plain-1.0-1.egg", "", "EGG-INFO/PKG-INFO"): (
            "edm repack-egg plain-1.0-1.egg"
        ),
        written(tmp_path / "odd-1.0-1.egg", "name ="): "not valid",
        written(tmp_path / "old-1.0-1.egg", "name = 'old'"): "not valid",
    }
    for path, reason in cases.items():
        with pytest.raises(InvalidEgg, match=reason) as caught:
            read_egg(path)
        assert Path(path).name in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_is_no_ordinary_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe-1.0-1.egg")
    with pytest.raises(InvalidEgg, match="ordinary"):
        read_egg(tmp_path / "pipe-1.0-1.egg")
    with pytest.raises(InvalidEgg, match="no file"):
        read_egg(tmp_path / "pipe-1.0-1.egg" / "x-1.0-1.egg")
    with pytest.raises(InvalidEgg, match="no file"):
        read_egg(tmp_path / "nul\0-1.0-1.egg")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    path = build_egg("attrs", tmp_path)
    # Tests may run as root, who may read everything.
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InvalidEgg, match="permissions"):
        read_egg(path)


# -- descriptions in the usual words are read without okonomiyaki, to the same result ---------


def told(**changes: object) -> str:
    """A description in the words of build tools, with some values changed."""
    values = {
        "metadata_version": "1.4",
        "name": "Spam",
        "version": "1.0",
        "build": 2,
        "arch": "amd64",
        "platform": "linux2",
        "osdist": "RedHat_8",
        "python": "3.11",
        "python_tag": "cp311",
        "abi_tag": "cp311",
        "platform_tag": "linux_x86_64",
        "platform_abi": "gnu",
        **changes,
    }
    packages = values.pop("packages", ())
    lines = [f"{key} = {value!r}" for key, value in values.items()]
    return "\n".join([*lines, "packages = [", *(f"  {each!r}," for each in packages), "]", ""])


PLATFORMS = [
    (system, osdist, arch, tag)
    for system, tags in {
        "linux2": ["linux_x86_64", "linux_i686", "any", None],
        "win32": ["win_amd64", "win32", None],
        "darwin": ["macosx_10_6_x86_64", "macosx_12_0_arm64", None],
    }.items()
    for osdist in (None, *(f"RedHat_{number}" for number in range(3, 10 if len(tags) > 3 else 4)))
    for arch in ("amd64", "x86", "arm64", None)
    for tag in tags
]


@pytest.mark.parametrize(
    "text",
    [
        told(),
        told(packages=["numpy", "MKL 2017.0.3", "qt 6.5-2", "zlib 1.2.11-0"]),
        told(platform=None, osdist=None, arch=None, platform_tag=None, platform_abi=None),
        told(python_tag="py2.py3", python=None),
        told(python="2.7.10+1"),
        told(name="Sp\u00e4m", build=0),
        told(name='"double"', version="it's"),
        told(metadata_version="1.3"),
        told(metadata_version="1.5"),
        told(packages=["numpy-1.8.0", "a  b", "zlib 1.2-03", "x y-z 1", "x 1-2-3"]),
        told(packages=["with-hyphen"]),
        told(build="2"),
        told(build=True),
        told(name=None),
        told(python_tag=7),
        told().replace("build = 2", "build = 02"),
        told().replace("build = 2", "build = 1 + 1"),
        told().replace("build = 2", "build = 0x2"),
        told().replace("\n", "\r\n"),
        told().replace("name = 'Spam'", "name = 'S\\x70am'"),
        told().replace("name = 'Spam'", "name='Spam'  # the name"),
        told().replace("platform_abi = 'gnu'\n", ""),
        told().replace("]", ""),
        told().replace("'Spam'", "'Ham'\nname = 'Spam'"),
        told() + "print('hello')\n",
        told().encode("latin-1").replace(b"Spam", b"Sp\xe4m").decode("latin-1"),
    ],
)
def test_what_is_read_fast_is_what_okonomiyaki_reads(tmp_path, text):
    compare(tmp_path, text)


def test_so_are_all_platforms(tmp_path):
    read = [
        compare(
            tmp_path,
            told(platform=system, osdist=osdist, arch=arch, platform_tag=tag, python=python),
        )
        for system, osdist, arch, tag in PLATFORMS
        for python in (None, "3.11")
    ]
    assert sum(found is not None for found in read) > 20


def compare(tmp_path: Path, text: str) -> eggs.EggFile | None:
    """Read it both ways; return what was read fast, if it could be."""
    fast = eggs._read_plain(tmp_path / "Spam-1.0-2.egg", text.encode())
    try:
        thorough = eggs._read_any(tmp_path / "Spam-1.0-2.egg", text.encode())
    except ValueError:
        assert fast is None
    else:
        assert fast in (None, thorough)
    return fast


@pytest.mark.parametrize("platform", ["rh8-x86_64", "rh7-x86_64", "win-x86_64", "osx-x86_64", None])
def test_the_eggs_of_build_tools_are_read_fast(tmp_path, platform):
    path = build_egg("attrs", tmp_path, platform=platform, python_tag="cp311")
    with zipfile.ZipFile(path) as archive:
        text = archive.read(eggs._LOCATION)
    fast = eggs._read_plain(path, text)
    assert fast is not None
    assert fast == eggs._read_any(path, text)
