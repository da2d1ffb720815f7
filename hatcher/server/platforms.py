"""The platforms and python tags that Brood knows.

The tables are okonomiyaki's, written down so that a start needs no import of it; a test
compares them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hatcher.artefacts.platforms import usual_platform
from hatcher.server.refusals import bad_request

PLATFORMS = (
    "osx-arm64",
    "osx-x86",
    "osx-x86_64",
    "rh3-x86",
    "rh3-x86_64",
    "rh5-x86",
    "rh5-x86_64",
    "rh6-x86",
    "rh6-x86_64",
    "rh7-x86",
    "rh7-x86_64",
    "rh8-arm64",
    "rh8-x86",
    "rh8-x86_64",
    "sol-x86",
    "sol-x86_64",
    "win-arm64",
    "win-x86",
    "win-x86_64",
)

#: The tags of real implementations.
PYTHON_TAGS = (
    *(f"cp2{minor}" for minor in range(5, 8)),
    *(f"cp3{minor}" for minor in range(3, 15)),
    "pp27",
    *(f"pp3{minor}" for minor in range(6, 12)),
)

#: The tags that any implementation of the language version can use.
GENERIC_PYTHON_TAGS = (
    "py2",
    *(f"py2{minor}" for minor in range(5, 8)),
    "py3",
    *(f"py3{minor}" for minor in range(3, 15)),
    "py2.py3",
)

#: What stands in a URL for an artefact that has no tag.
NO_TAG = "none"

_TAG = re.compile(r"(?P<implementation>[a-z]+)(?P<major>\d)(?P<minor>\d*)\Z", re.ASCII)


def canonical_platform(name: str) -> str:
    """Return the one name of a platform.

    Parameters
    ----------
    name : str
        Any of its names: ``rh5-x86_64``, ``rh5_x86_64``, ``rh5-64``.

    Raises
    ------
    Refusal
        400: there is no such platform.
    """
    platform = usual_platform(name)
    if platform not in PLATFORMS:
        raise bad_request(
            f"'{name}' is no platform that this server knows. Choose one of: "
            f"{', '.join(PLATFORMS)}."
        )
    return platform


def canonical_tag(tag: str) -> str:
    """Return a python tag in lower case.

    Raises
    ------
    Refusal
        400: it is none.
    """
    lowered = tag.lower()
    if lowered != NO_TAG and not all(_TAG.match(part) for part in lowered.split(".")):
        raise bad_request(
            f"'{tag}' is no python tag. Give one such as 'cp38', 'pp27', 'py3' or 'py2.py3', "
            f"or '{NO_TAG}' for artefacts that have none."
        )
    return lowered


def usable_tags(tag: str) -> list[str]:
    """Return the tags of everything that a runtime of one tag can use.

    They come as PEP 425 orders them, the most specific first: for ``cp38`` its own,
    ``py38``, ``py3``, ``py37`` down to ``py30``, and at last those without a tag.

    Parameters
    ----------
    tag : str
        A canonical tag of a runtime; or of a set, such as ``py2.py3``.
    """
    usable: dict[str, None] = {tag: None}
    for part in () if tag == NO_TAG else tag.split("."):
        usable.update(dict.fromkeys(_usable(part)))
    usable[NO_TAG] = None
    return list(usable)


def _usable(tag: str) -> Iterator[str]:
    match = _TAG.match(tag)
    if match is None:
        return
    yield tag
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
