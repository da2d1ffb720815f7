"""Bundles: JSON files that name a runtime, and eggs by their hashes.

A bundle is called ``name-version-build.bundle``, or as EDM does ``name-version-build.json``; its
document does not repeat that.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import frozen

from hatcher.artefacts.checks import check_build, check_document, check_name, read_json
from hatcher.artefacts.local_files import (
    check_suffix,
    existing_file,
    parts_of,
    read_text,
    refusing,
)
from hatcher.artefacts.python_tags import python_tag_of
from hatcher.characters import shown
from hatcher.errors import InvalidBundle

#: How the name of a bundle ends; what EDM writes ends in ``.json``.
SUFFIXES = (".bundle", ".json")

#: How zip files begin.
_ZIP = b"PK\x03\x04"

#: What else a document may say, and what that is called.
_TYPES: dict[str, tuple[Any, str]] = {
    "metadata_version": (str | float | int, "text"),
    "requirements": (list | tuple, "list"),
    "repositories": (list | tuple | dict, "list"),
    "modifiers": (list | dict, "list"),
}


@frozen
class BundleDocument:
    """What is in a bundle.

    Attributes
    ----------
    platform : str
        The platform of its runtime, as it is written.
    python_tag : str or None
        The PEP 425 tag of its runtime, such as ``cp38``; None when that is no Python.
    document : dict
        All of it.
    """

    platform: str
    python_tag: str | None
    document: dict[str, Any]


@frozen
class BundleFile:
    """A bundle: its name, and what is in it.

    Attributes
    ----------
    path : pathlib.Path
    name : str
    version : str
        The version without the build number.
    build : int
    content : BundleDocument
    """

    path: Path
    name: str
    version: str
    build: int
    content: BundleDocument

    @property
    def full_version(self) -> str:
        """The version and the build number, such as ``1.0.0-1``."""
        return f"{self.version}-{self.build}"


def read_bundle(path: str | os.PathLike[str]) -> BundleFile:
    """Read a bundle.

    Parameters
    ----------
    path : str or path-like
        A file called ``name-version-build.bundle``, or ``.json``.

    Returns
    -------
    BundleFile

    Raises
    ------
    InvalidBundle
        The file is missing, unreadable, not called so, no JSON, or names no runtime.
    """
    file = existing_file(path, InvalidBundle, "", "a bundle")
    _refuse_archive(file)
    check_suffix(file, InvalidBundle, SUFFIXES, "a bundle")
    parts = parts_of(file, InvalidBundle, "a bundle", "tools-1.0.0-1")
    with refusing(InvalidBundle, f"'{shown(file.name)}' is no bundle", "Rename it."):
        address = check_bundle_name(*parts)
    return BundleFile(file, *address, read_bundle_document(file))


def _refuse_archive(file: Path) -> None:
    """Refuse what EDM calls a data bundle: a zip file of a bundle with what belongs to it."""
    with suppress(OSError), file.open("rb") as opened:
        if opened.read(len(_ZIP)) != _ZIP:
            return
        raise InvalidBundle(
            f"'{file}' is a zip file, such as EDM's data bundles, with more in it than a bundle. "
            "Servers take a bundle's document alone: unpack the JSON file in it, call that "
            "name-version-build.json, and give it instead."
        )


def check_bundle_name(name: str, version: str, build: object) -> tuple[str, str, int]:
    """Return what a bundle is called, if a file and a URL can be called so.

    Raises
    ------
    ValueError
    """
    check_name("the name of a bundle", name)
    if "-" in check_name("a version", version):
        raise ValueError(f"a version cannot be '{version}': it has a hyphen")
    return name, version, check_build(build)


def read_bundle_document(file: Path) -> BundleDocument:
    """Read what is in a bundle, whatever it is called.

    Raises
    ------
    InvalidBundle
        It is no JSON, or names no runtime.
    """
    with refusing(InvalidBundle, f"'{file}' is no JSON", "Make the bundle anew."):
        document = read_json(read_text(file, InvalidBundle))
    return bundle_document(document, f"'{file}'")


def bundle_document(document: Any, what: str) -> BundleDocument:
    """Return what is in a bundle, given its JSON.

    Parameters
    ----------
    document : object
    what : str
        What it is, for the message.

    Raises
    ------
    InvalidBundle
        It names no runtime.
    """
    with refusing(InvalidBundle, f"{what} is no bundle", "Make it anew."):
        check_document(document)
        if not isinstance(document, dict) or not isinstance(document.get("runtime"), dict):
            raise ValueError("its document names no runtime")
        for key, (type_, called) in _TYPES.items():
            if not isinstance(document.get(key), type_ | None):
                raise ValueError(f"'{key}' is not a {called}")
        runtime = document["runtime"]
        _check_texts("its runtime", runtime, "implementation", "platform", "version")
        for number, required in enumerate(document.get("requirements") or (), 1):
            _check_texts(f"its requirement {number}", required, "name", "version")
    python_tag = python_tag_of(runtime["implementation"], runtime["version"])
    return BundleDocument(runtime["platform"], python_tag, document)


def _check_texts(which: str, named: object, *keys: str) -> None:
    """Check what is said of something that a bundle names: these keys, and two optional ones."""
    texts = named if isinstance(named, dict) else {}
    missing = [key for key in keys if not isinstance(texts.get(key), str) or not texts[key]]
    if missing:
        raise ValueError(f"{which} has no {', '.join(missing)}")
    for key in (*keys, "sha256", "repository"):
        if texts.get(key) is not None:
            check_name(f"{which}: {key}", texts[key], without="" if key == "repository" else "/\\")
