"""Enthought eggs: what one says of itself.

An egg is a zip file called ``name-version-build.egg`` that describes itself in
``EGG-INFO/spec/depend``, as Python assignments.

okonomiyaki reads these in any form and version, and takes 0.1 s to import and 0.2 ms for each
egg. Nearly all eggs are of version 1.4, in the words in which build tools write it; those
are read here, to the same result. Whatever is not plainly so is left to okonomiyaki, which
also says what is wrong with it. (Its list of corrections for single eggs, by their sha256,
is of eggs that were built before there was a version 1.4.)
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from unicodedata import normalize

from hatcher.artefacts.archives import read_description
from hatcher.artefacts.checks import check_build, check_name, check_names
from hatcher.artefacts.local_files import existing_file, parts_of, refusing
from hatcher.artefacts.python_tags import NO_TAG, check_tag
from hatcher.characters import shown
from hatcher.errors import InvalidEgg

#: Where it stands in the egg.
_LOCATION = "EGG-INFO/spec/depend"

#: What readers of eggs unpack: this one the first, okonomiyaki's EggMetadata all.
_DESCRIPTIONS = (_LOCATION, "EGG-INFO/spec/summary", "EGG-INFO/PKG-INFO")

#: What setuptools calls its eggs: ``name-1.0-py2.7.egg``, ``name-1.0-py3.8-linux-x86_64.egg``.
_OF_SETUPTOOLS = re.compile(r"[^-]+-[^-]+-py[0-9]+(\.[0-9]+)?(-.+)?\.egg")

#: Bytes of one that Python's own parser is given, which takes some hundred times as much memory.
_LONGEST_IN_ANY_WORDS = 128 << 10


class EggFile(NamedTuple):
    """What an egg says of itself.

    Attributes
    ----------
    path : pathlib.Path
        The egg.
    name : str
        Its name as it stands in the file name, case preserved.
    version : str
        The upstream version, such as ``1.3.0``.
    build : int
        The build number.
    python_tag : str or None
        The PEP 425 python tag; None when the egg runs under any Python or none.
    platform : str or None
        The platform as Enthought names it, such as ``rh5_x86_64``; None when it
        is for any.
    platform_abi : str or None
        The platform's ABI, such as ``gnu`` or ``msvc2015``.
    packages : tuple of str
        The eggs that this one needs, such as ``MKL 2017.0.3``.
    """

    path: Path
    name: str
    version: str
    build: int
    python_tag: str | None
    platform: str | None
    platform_abi: str | None
    packages: tuple[str, ...]

    @property
    def full_version(self) -> str:
        """The version and the build number, such as ``1.3.0-1``."""
        return f"{self.version}-{self.build}"

    @property
    def filename(self) -> str:
        """The name of the file that such an egg has."""
        return f"{self.name}-{self.full_version}.egg"


def read_egg(path: str | os.PathLike[str]) -> EggFile:
    """Read what an egg says of itself, and check it on the way.

    Parameters
    ----------
    path : str or path-like
        A file called ``name-version-build.egg``.

    Returns
    -------
    EggFile

    Raises
    ------
    InvalidEgg
        The file is missing, is not called as an egg must be, is no zip file, or
        holds no valid ``EGG-INFO/spec/depend``; or its file name contradicts what
        stands there.
    """
    file = existing_file(path, InvalidEgg, ".egg", "an egg")
    if _OF_SETUPTOOLS.fullmatch(file.name):
        raise InvalidEgg(
            f"'{file}' is a setuptools egg, not an Enthought egg. Repack it as one: "
            f"edm repack-egg {file.name}"
        )
    name, version, build = parts_of(file, InvalidEgg, "an egg", "nose-1.3.0-1")
    text = read_description(file, _DESCRIPTIONS, InvalidEgg)
    if text is None:
        raise InvalidEgg(
            f"'{file}' holds no {_LOCATION}: it is a setuptools egg or another zip "
            f"file, not an Enthought egg. Repack it as one: edm repack-egg {file.name}"
        )
    problem = f"The metadata in '{file}' ({_LOCATION}) is not valid"
    with refusing(InvalidEgg, problem, "Build the egg again."):
        egg = _read_plain(file, text) or _read_any(file, text)
        check_names(name=egg.name, version=egg.version)
        check_names(platform=egg.platform, ABI=egg.platform_abi or None)
        check_build(egg.build)
        check_tag(egg.python_tag or NO_TAG)
        for package in egg.packages:
            check_name("a requirement", package)
    egg = egg._replace(name=normalize("NFC", egg.name))
    # Names are compared as indices do; the version and build must be the same.
    if (egg.name.lower(), egg.version, egg.build) != (name.lower(), version, int(build)):
        raise InvalidEgg(
            f"'{file.name}' says inside ({_LOCATION}) that it is '{egg.filename}'. "
            "Rename it to that, or build it again."
        )
    return egg


# -- in the usual words ------------------------------------------------------------------------

_TEXT = r"'([^'\\\x00-\x1f\x7f]*)'"
_PACKAGE = r"'([!-&(-,.-[\]-~]+(?: [!-&(-,.-[\]-~]+(?:-[1-9][0-9]{0,8})?)?)'"
_USUAL = re.compile(
    "\n+".join(
        (
            r"metadata_version = '1\.4'",
            f"name = {_TEXT}",
            f"version = {_TEXT}",
            "build = (0|[1-9][0-9]{0,8})",
            *(
                f"{key} = (?:{_TEXT}|None)"
                for key in (
                    *("arch", "platform", "osdist", "python", "python_tag"),
                    *("abi_tag", "platform_tag", "platform_abi"),
                )
            ),
            rf"packages = \[((?:\n *{_PACKAGE},)*)\n?\]",
        )
    )
    + "\n*"
)
_PYTHON = re.compile(r"[0-9]\.[0-9]{1,2}")

#: Platforms by what `platform`, `osdist` and `arch` say, with how `platform_tag` begins.
_PLATFORMS: dict[tuple[str | None, ...], tuple[str, str]] = {
    **{
        ("linux2", f"RedHat_{release}", arch): (f"rh{release}_{name}", "linux_")
        for release in (5, 6, 7, 8)
        for arch, name in (("amd64", "x86_64"), ("x86", "x86"))
    },
    ("win32", None, "amd64"): ("win_x86_64", "win_"),
    ("win32", None, "x86"): ("win_x86", "win32"),
    ("darwin", None, "amd64"): ("osx_x86_64", "macosx_"),
}


def _read_plain(file: Path, text: bytes) -> EggFile | None:
    """Read it if it is of version 1.4 and in the usual words; return None if not."""
    match = _USUAL.fullmatch(text.decode(errors="replace"))
    if match is None or "\ufffd" in match[0]:
        return None
    name, version, build, *told = match.groups()[:11]
    arch, system, osdist, python, python_tag, _, platform_tag, platform_abi = told
    platform = None
    if system is not None or osdist is not None:
        platform, beginning = _PLATFORMS.get((system, osdist, arch), (None, ""))
        if (
            platform is None
            or not (platform_tag or "").startswith(beginning)
            or (python is not None and not _PYTHON.fullmatch(python))
        ):
            return None
    packages = tuple(found[1] for found in re.finditer(_PACKAGE, match[12]))
    return EggFile(file, name, version, int(build), python_tag, platform, platform_abi, packages)


# -- in any words ------------------------------------------------------------------------------


def _read_any(file: Path, text: bytes) -> EggFile:
    if len(text) > _LONGEST_IN_ANY_WORDS:
        raise ValueError(f"it has more than {_LONGEST_IN_ANY_WORDS} bytes")
    # EggMetadata, the public reader, refuses the tags `py3` and `py2.py3`, which real eggs
    # bear; this one keeps any tag.
    from okonomiyaki.file_formats import _blacklist
    from okonomiyaki.file_formats._egg_info import LegacySpecDepend
    from okonomiyaki.utils import compute_sha256

    path = os.fspath(file)
    corrected = _blacklist.may_be_in_platform_blacklist(
        path
    ) or _blacklist.may_be_in_python_tag_blacklist(path)
    sha256 = compute_sha256(path) if corrected else None
    try:
        # It opens no file: this is all that it reads.
        spec = LegacySpecDepend._from_egg(SimpleNamespace(read=lambda _: text), sha256)
    except Exception as error:  # whatever Python's parser and okonomiyaki make of hostile text
        raise ValueError(shown(f"{error or type(error).__name__}"[:300])) from error
    return EggFile(
        file,
        spec.name,
        spec.version,
        spec.build,
        spec.python_tag or None,
        None if spec._epd_platform is None else str(spec._epd_platform),
        spec.platform_abi,
        tuple(str(package) for package in spec.packages),
    )
