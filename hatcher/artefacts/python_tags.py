"""PEP 425 python tags of Python implementations."""

from __future__ import annotations

import re

_VERSION = re.compile(r"(?P<major>\d+)\.(?P<minor>\d+)")
_PREFIXES = {"cpython": "cp", "python": "cp", "pypy": "pp", "jython": "jy", "ironpython": "ip"}


def python_tag_of(implementation: str, version: str) -> str | None:
    """Return the tag of an implementation: ``cp311`` for CPython 3.11.9.

    Parameters
    ----------
    implementation : str
        Its name, such as ``cpython``.
    version : str
        The version of the language, or one that begins with it.

    Returns
    -------
    str or None
        None when it is no implementation of Python, or the version cannot be read.
    """
    prefix = _PREFIXES.get(implementation.lower())
    match = _VERSION.match(version)
    return f"{prefix}{match['major']}{match['minor']}" if prefix and match else None
