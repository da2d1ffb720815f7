"""Bundles: JSON files that name a runtime, and eggs by their hashes.

A bundle is called ``name-version-build.bundle``; its document does not repeat that.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from attrs import frozen

from hatcher.artefacts.paths import existing_file
from hatcher.artefacts.python_tags import python_tag_of
from hatcher.artefacts.texts import read_text
from hatcher.errors import InvalidBundle

_FILENAME = re.compile(r"(?P<name>[.\w]+)-(?P<version>[^-]+)-(?P<build>\d+)\.bundle\Z")


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
        A file called ``name-version-build.bundle``.

    Returns
    -------
    BundleFile

    Raises
    ------
    InvalidBundle
        The file is missing, unreadable, not called so, no JSON, or names no runtime.
    """
    file = existing_file(path, InvalidBundle, ".bundle", "a bundle")
    called = _FILENAME.match(file.name)
    if called is None:
        raise InvalidBundle(
            f"'{file.name}' is not called as a bundle must be: name-version-build.bundle, for "
            "example tools-1.0.0-1.bundle. Rename it."
        )
    content = read_bundle_document(file)
    return BundleFile(file, called["name"], called["version"], int(called["build"]), content)


def read_bundle_document(file: Path) -> BundleDocument:
    """Read what is in a bundle, whatever it is called.

    Raises
    ------
    InvalidBundle
        It is no JSON, or names no runtime.
    """
    try:
        document = json.loads(read_text(file, InvalidBundle))
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(f"'{file}' is no JSON: {error}.") from error
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
    runtime = document.get("runtime") if isinstance(document, dict) else None
    if not isinstance(runtime, dict):
        raise InvalidBundle(f"{what} is no bundle: its document names no runtime.")
    missing = [
        key
        for key in ("implementation", "platform", "version")
        if not isinstance(runtime.get(key), str)
    ]
    if missing:
        raise InvalidBundle(f"{what} is no bundle: its runtime has no {', '.join(missing)}.")
    python_tag = python_tag_of(runtime["implementation"], runtime["version"])
    return BundleDocument(runtime["platform"], python_tag, document)
