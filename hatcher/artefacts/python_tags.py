"""PEP 425 python tags: what one may be, and which artefacts a runtime of one can use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from hatcher.characters import shown

#: What stands in a URL for an artefact that has no tag.
NO_TAG = "none"

_LONGEST = 64

_VERSION = re.compile(r"(?P<major>[2-9])\.(?P<minor>[0-9]{1,3})(?![0-9])")
_PREFIXES = {"cpython": "cp", "python": "cp", "pypy": "pp", "jython": "jy", "ironpython": "ip"}

#: What is safe in a URL and a file name, and shows which implementation and version it is.
#: No tag is of a Python before 2, which none of these files was ever made for.
_PART = re.compile(r"(?!(cp|pp|jy|ip|py)[01])[a-z][a-z_]*[0-9][a-z0-9_]*", re.ASCII | re.IGNORECASE)
_LANGUAGE = re.compile(
    r"(?P<implementation>[a-z][a-z_]*)(?P<major>[0-9])(?P<minor>[0-9]{0,3})(?![0-9])"
)


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


def check_tag(tag: object) -> str:
    """Return a python tag, or several joined by dots (``py2.py3``), or ``none``.

    Raises
    ------
    ValueError
    """
    if isinstance(tag, str) and (
        tag.lower() == NO_TAG
        or (len(tag) <= _LONGEST and all(map(_PART.fullmatch, tag.split("."))))
    ):
        return tag
    told = shown(tag[:_LONGEST]) if isinstance(tag, str) else type(tag).__name__
    raise ValueError(
        f"'{told}' is no python tag. Give one such as 'cp38', 'pp27', 'py3' or 'py2.py3', "
        f"or '{NO_TAG}' for artefacts that have none"
    )


def language_of(tag: str) -> str | None:
    """Return the version of Python that a tag names: ``3.11`` for ``cp311`` and ``cp311d``."""
    match = _LANGUAGE.match(tag.lower())
    return f"{match['major']}.{match['minor']}" if match and match["minor"] else None


def usable_tags(tag: str) -> list[str]:
    """Return the tags of everything that a runtime of one tag can use.

    They come as PEP 425 orders them, the most specific first: for ``cp38`` its own,
    ``py38``, ``py3``, ``py37`` down to ``py30``, and at last those without a tag.

    Parameters
    ----------
    tag : str
        A tag of a runtime, in lower case; or of a set, such as ``py2.py3``.
    """
    usable: dict[str, None] = {tag: None}
    for part in () if tag == NO_TAG else tag.split("."):
        usable.update(dict.fromkeys(_usable(part)))
    usable[NO_TAG] = None
    return list(usable)


def _usable(tag: str) -> Iterator[str]:
    yield tag
    match = _LANGUAGE.match(tag)
    if match is None:
        return  # of a version that no Python has
    major, minor = match["major"], match["minor"]
    if minor:
        yield f"py{major}{minor}"
    if minor or match["implementation"] != "py":
        yield f"py{major}"
    for older in range(int(minor or 0) - 1, -1, -1):
        yield f"py{major}{older}"


def preference(egg_tag: str, usable: list[str]) -> int | None:
    """Return how well an egg suits a runtime: 0 is best, None not at all.

    Parameters
    ----------
    egg_tag : str
        The egg's tag; several joined by dots (``py2.py3``) suit where one of them does.
    usable : list of str
        What the runtime can use, of `usable_tags`.
    """
    ranks = [usable.index(part) for part in (egg_tag, *egg_tag.split(".")) if part in usable]
    return min(ranks, default=None)


@lru_cache(maxsize=4096)
def rank(egg_tag: str, tag: str) -> int | None:
    """Return how well an egg suits a Python, as `preference` does."""
    return preference(egg_tag, usable_tags(tag))


def tag_of(entry: Mapping[str, Any]) -> str | None:
    """Return an egg's own tag, of an index's entry; older ones say the version of Python."""
    if "python_tag" in entry:
        tag = entry["python_tag"]
        # What is no text is no tag either, and will not be found.
        return tag if tag is None else str(tag)
    python = entry.get("python")
    return f"cp{python.replace('.', '')}" if isinstance(python, str) else None
