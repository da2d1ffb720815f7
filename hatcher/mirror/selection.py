"""What of it: the kinds, repositories, platforms and python tags that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from hatcher.artefacts.python_tags import python_tag_of
from hatcher.errors import InvalidArgumentError
from hatcher.mirror.layout import KINDS, Kind

#: The tags of implementations: CPython, IronPython, PyPy, Jython.
_PYTHON_TAG = re.compile(r"(?:cp|ip|pp|jy)\d+\Z", re.ASCII)

#: A tag of any implementation, in its parts.
_PARTS = re.compile(r"[a-z]+(?P<major>\d)(?P<minor>\d*)\Z", re.ASCII)


class Selection(NamedTuple):
    """What is asked for; None is everything.

    Attributes
    ----------
    kinds : tuple of str
    repositories : tuple of (str, str) or None
        Organization and repository.
    platforms, python_tags : tuple of str or None
    """

    kinds: tuple[Kind, ...]
    repositories: tuple[tuple[str, str], ...] | None
    platforms: tuple[str, ...] | None
    python_tags: tuple[str, ...] | None = None

    def takes_runtime(self, implementation: str | None, version: str) -> bool:
        """Whether a runtime is one of those that are asked for."""
        if self.python_tags is None:
            return True
        return python_tag_of(implementation or "", version) in self.python_tags

    def takes_egg(self, python_tag: str | None) -> bool:
        """Whether an egg is one of those that are asked for: an index of these tags shows it."""
        if self.python_tags is None or python_tag is None:
            return True
        parts = python_tag.split(".")
        return any(_suits(part, tag) for part in parts for tag in self.python_tags)


def _suits(part: str, tag: str) -> bool:
    """Whether an implementation can use an egg: ``py3`` and ``py38`` suit ``cp311``."""
    generic, own = _PARTS.match(part), _PARTS.match(tag)
    if part == tag or not (part.startswith("py") and generic and own):
        return part == tag
    minor = int(generic["minor"] or 0)
    return generic["major"] == own["major"] and minor <= int(own["minor"] or 0)


def select(
    kinds: Iterable[str],
    repositories: Iterable[str] | None,
    platforms: Iterable[str] | None,
    python_tags: Iterable[str] | None = None,
) -> Selection:
    """Check what is asked for.

    Parameters
    ----------
    kinds : iterable of str
    repositories : iterable of str or None
        Such as ``acme/dev``.
    platforms, python_tags : iterable of str or None
        None, and nothing at all, mean every one.

    Raises
    ------
    InvalidArgumentError
        Something of it cannot be.
    """
    chosen = _each_once(kinds, "kinds") or ()
    for kind in chosen:
        if kind not in KINDS:
            raise InvalidArgumentError(f"There is no kind '{kind}'. Choose of: {', '.join(KINDS)}.")
    tags = _each_once(python_tags, "python_tags")
    for tag in tags or ():
        if not _PYTHON_TAG.match(tag):
            raise InvalidArgumentError(
                f"'{tag}' is no python tag of an implementation. Give one such as cp311: they "
                "begin with cp, ip, pp or jy."
            )
    names = _each_once(repositories, "repositories")
    return Selection(
        tuple(kind for kind in KINDS if kind in chosen),
        None if names is None else tuple(map(_pair, names)),
        _each_once(platforms, "platforms"),
        tags,
    )


def _pair(name: str) -> tuple[str, str]:
    organization, slash, repository = name.partition("/")
    if not (organization and slash and repository) or "/" in repository:
        raise InvalidArgumentError(
            f"'{name}' is no repository. Give its organization too: organization/repository."
        )
    return organization, repository


def _each_once(names: Iterable[str] | None, what: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str):
        raise InvalidArgumentError(f"{what} takes a list of names; put the one into a list.")
    return tuple(dict.fromkeys(names)) or None
