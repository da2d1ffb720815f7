"""What an egg says of itself, and what is refused as no egg."""

import shutil
import zipfile
from pathlib import Path

import pytest

from hatcher.artefacts.egg import read_egg
from hatcher.errors import InvalidEgg
from hatcher.testing.eggs import build_egg

#: What stands in the metadata of an egg for every Python 3, which okonomiyaki cannot write.
SPEC = """\
metadata_version = '1.4'
name = 'Spam'
version = '1.0'
build = 2

arch = 'amd64'
platform = 'linux2'
osdist = 'RedHat_8'
python = None

python_tag = {python_tag!r}
abi_tag = None
platform_tag = 'linux_x86_64'
platform_abi = 'gnu'

packages = [
  'eggs 2.0-1',
]
"""


def written(path: Path, *members: tuple[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as egg:
        for name, text in members:
            egg.writestr(name, text)
    return path


def test_a_real_egg_is_read(tmp_path: Path) -> None:
    path = build_egg("attrs", tmp_path, build=3, platform="rh8-x86_64", python_tag="cp311")
    egg = read_egg(path)
    assert egg.filename == path.name
    assert (egg.name, egg.build, egg.python_tag) == ("attrs", 3, "cp311")
    assert egg.full_version == f"{egg.version}-3"
    assert egg.platform == "rh8_x86_64"
    assert egg.path == path


@pytest.mark.parametrize("python_tag", ["py3", "py2.py3", "cp311", None])
def test_any_python_tag_is_kept(tmp_path: Path, python_tag: str | None) -> None:
    spec = SPEC.format(python_tag=python_tag)
    egg = read_egg(written(tmp_path / "Spam-1.0-2.egg", ("EGG-INFO/spec/depend", spec)))
    assert egg.python_tag == python_tag
    assert egg.packages == ("eggs 2.0-1",)


def test_the_file_name_may_differ_in_case_alone(tmp_path: Path) -> None:
    spec = SPEC.format(python_tag="py3")
    assert (
        read_egg(written(tmp_path / "spam-1.0-2.egg", ("EGG-INFO/spec/depend", spec))).name
        == "Spam"
    )
    for name in ("ham-1.0-2.egg", "Spam-1.1-2.egg", "Spam-1.0-3.egg"):
        with pytest.raises(InvalidEgg, match=r"'Spam-1\.0-2\.egg'\. Rename"):
            read_egg(written(tmp_path / name, ("EGG-INFO/spec/depend", spec)))


def test_what_is_no_egg_is_refused_with_the_reason(tmp_path: Path) -> None:
    whole = build_egg("attrs", tmp_path)
    cut = tmp_path / "cut-1.0-1.egg"
    cut.write_bytes(whole.read_bytes()[:1000])
    nothing = tmp_path / "empty-1.0-1.egg"
    nothing.touch()
    folder = tmp_path / "folder-1.0-1.egg"
    folder.mkdir()
    wheel = shutil.copy(whole, tmp_path / "attrs-1.0-py3-none-any.whl")
    nameless = shutil.copy(whole, tmp_path / "attrs.egg")
    cases = {
        tmp_path / "missing-1.0-1.egg": "There is no file",
        folder: "is a directory",
        wheel: r"does not end in '\.egg'",
        nameless: "name-version-build.egg",
        cut: "not a zip file",
        nothing: "not a zip file",
        written(tmp_path / "plain-1.0-1.egg", ("EGG-INFO/PKG-INFO", "")): "setuptools egg",
        written(tmp_path / "odd-1.0-1.egg", ("EGG-INFO/spec/depend", "name =")): "not valid",
        written(tmp_path / "old-1.0-1.egg", ("EGG-INFO/spec/depend", "name = 'old'")): "not valid",
    }
    for path, reason in cases.items():
        with pytest.raises(InvalidEgg, match=reason) as caught:
            read_egg(path)
        assert Path(path).name in str(caught.value)


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build_egg("attrs", tmp_path)
    # Tests may run as root, who may read everything.
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InvalidEgg, match="permissions"):
        read_egg(path)
