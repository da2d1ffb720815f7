"""The order of names and versions, as the field orders them: 1.10.0-10 follows 1.9.0-2."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeAlias

from hatcher.artefacts.names import split_filename

#: What sorts; parts of one kind stand at the same place.
Key: TypeAlias = tuple[Any, ...]

_RELEASE = re.compile(r"\d{1,18}(?:\.\d{1,18})*", re.ASCII)

#: 2013b and 1.1.1k are releases.
_PRERELEASE = re.compile(r"\d(?:a|b|c|rc)\d|\.dev\d", re.ASCII)


def egg_key(filename: str) -> Key:
    """Return what sorts eggs by their file names.

    Parameters
    ----------
    filename : str
        Such as ``numpy-1.26.4-1.egg``; the case of the name does not count.
    """
    name, version = split_filename(filename.lower())
    return name, built_key(version), filename


def built_key(version: str) -> Key:
    """Return what sorts versions with a build number, such as ``1.3.0-1``.

    Parameters
    ----------
    version : str
        One that cannot be read comes after all that can.
    """
    return _version_key("EnpkgVersion", version)


def runtime_key(version: str) -> Key:
    """Return what sorts versions of runtimes, such as ``3.8.17+1``.

    Parameters
    ----------
    version : str
        One that cannot be read comes after all that can.
    """
    return _version_key("PEP440Version", version)


@cache  # a list of many eggs has few versions
def _version_key(kind: str, version: str) -> Key:
    # Imported here, for lists only.
    from okonomiyaki import versions
    from okonomiyaki.errors import OkonomiyakiError

    try:
        return 0, getattr(versions, kind).from_string(version)
    except (OkonomiyakiError, ValueError):
        return 1, version


def upstream_of(version: str) -> str:
    """Return a version without its build: ``1.3.0`` of ``1.3.0-1``, ``3.8.17`` of ``3.8.17+1``."""
    upstream, dash, _ = version.rpartition("-")
    return upstream if dash else version.partition("+")[0]


def release_of(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: 1, 3 and 0 of ``1.3.0rc1-1``."""
    match = _RELEASE.match(version)
    return tuple(map(int, match[0].split("."))) if match else ()


def is_prerelease(version: str) -> bool:
    """Whether a version comes before a release, as ``2.0rc1-1`` and ``2.0.dev3-1`` do."""
    return _PRERELEASE.search(upstream_of(version)) is not None
