"""Enthought eggs: what one says of itself.

An egg is a zip file called ``name-version-build.egg`` that describes itself in
``EGG-INFO/spec/depend``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from hatcher.artefacts.archives import read_description
from hatcher.artefacts.depend import DESCRIPTIONS, LOCATION, read_depend
from hatcher.artefacts.paths import existing_file
from hatcher.errors import InvalidEgg

_FILENAME = re.compile(r"(?P<name>[.\w]+)-(?P<version>[^-]+)-(?P<build>[0-9]+)\.egg\Z")


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
    called = _FILENAME.match(normalize("NFC", file.name))
    if called is None:
        raise InvalidEgg(
            f"'{file.name}' is not called as an egg must be: name-version-build.egg, "
            "for example nose-1.3.0-1.egg. Rename it, or build it again."
        )
    egg = _read_metadata(file)
    # Names are compared as indices do; the version and build must be the same.
    if (egg.name.lower(), egg.version, egg.build) != (
        called["name"].lower(),
        called["version"],
        int(called["build"]),
    ):
        raise InvalidEgg(
            f"'{file.name}' says inside ({LOCATION}) that it is '{egg.filename}'. "
            "Rename it to that, or build it again."
        )
    return egg


def _read_metadata(file: Path) -> EggFile:
    text = read_description(file, DESCRIPTIONS, InvalidEgg)
    if text is None:
        raise InvalidEgg(
            f"'{file}' holds no {LOCATION}: it is a setuptools egg or another zip "
            "file, not an Enthought egg. Repack it as one."
        )
    try:
        found = read_depend(file, text)
    except ValueError as error:
        raise InvalidEgg(
            f"The metadata in '{file}' ({LOCATION}) is not valid: {error}. Build the egg again."
        ) from error
    return EggFile(file, normalize("NFC", found.name), *found[1:])
