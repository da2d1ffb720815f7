"""What of it: the kinds, repositories, platforms, python tags and names that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from hatcher.artefacts.names import split_runtime
from hatcher.artefacts.platforms import usual_platform
from hatcher.artefacts.python_tags import python_tag_of, rank
from hatcher.errors import InvalidArgumentError, UnsupportedAPIVersionError
from hatcher.mirror.layout import KINDS, Kind, Location

#: What can be exported with each version of the API.
EXPORTABLE: dict[int, tuple[Kind, ...]] = {0: ("eggs",), 1: KINDS}

#: The tags of implementations, such as CPython, IronPython, PyPy, Jython; and of their ABIs.
_PYTHON_TAG = re.compile(r"(?!py\d)[a-z]+\d\w*\Z", re.ASCII)


class Selection(NamedTuple):
    """What is asked for; None is everything.

    Attributes
    ----------
    kinds : tuple of str
    repositories : tuple of (str, str) or None
        Organization and repository.
    platforms, python_tags : tuple of str or None
    names : tuple of str or None
        Of eggs and bundles, implementations of runtimes, ids of apps; or shell patterns of
        these. Capital letters do not count.
    egg_tags : tuple of str or None
        Of what was read: the python tags whose indices of eggs were. None where there are no
        indices.
    """

    kinds: tuple[Kind, ...]
    repositories: tuple[tuple[str, str], ...] | None
    platforms: tuple[str, ...] | None
    python_tags: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    egg_tags: tuple[str, ...] | None = None

    def document(self, *fields: str) -> dict[str, list[str] | None]:
        """Return some of it as what JSON can hold."""
        values = {field: getattr(self, field) for field in fields}
        return {field: None if value is None else list(value) for field, value in values.items()}

    def takes(self, location: Location) -> bool:
        """Whether what stands at a place in the layout is asked for, as far as its path tells."""
        return (
            location.kind in self.kinds
            and self.takes_platform(location.platform)
            and self.takes_file(location.kind, location.python_tag, location.filename)
        )

    def takes_file(self, kind: Kind, python_tag: str | None, filename: str) -> bool:
        """Whether a file of that kind is asked for, on whatever platform."""
        if kind == "runtimes":
            return self.takes_runtime(*split_runtime(filename))
        takes_tag = self.takes_egg if kind == "eggs" else self.takes_tag
        # Of what a download has left half done, this is not the name of the artefact.
        return takes_tag(python_tag) and self.takes_name(filename.rsplit("-", 2)[0])

    def takes_name(self, name: str) -> bool:
        """Whether something of that name is asked for."""
        return self.names is None or bool(_pattern(self.names).match(name.casefold()))

    def takes_platform(self, platform: str) -> bool:
        """Whether a platform is one of those that are asked for, whatever it is called."""
        return self.platforms is None or usual_platform(platform) in map(
            usual_platform, self.platforms
        )

    def takes_runtime(self, implementation: str | None, version: str) -> bool:
        """Whether a runtime is one of those that are asked for."""
        if not self.takes_name(implementation or ""):
            return False
        if self.python_tags is None:
            return True
        return python_tag_of(implementation or "", version) in self.python_tags

    def takes_tag(self, python_tag: str | None) -> bool:
        """Whether apps and bundles of that tag are asked for."""
        return self.python_tags is None or python_tag is None or python_tag in self.python_tags

    def takes_egg(self, python_tag: str | None) -> bool:
        """Whether an egg is one of those that are asked for: an index of these tags shows it."""
        tags = self.python_tags if self.egg_tags is None else self.egg_tags
        if tags is None or python_tag is None:
            return True
        return any(rank(python_tag, tag) is not None for tag in tags)


@lru_cache(maxsize=8)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{translate(name.casefold())})" for name in names))


def select(
    kinds: Iterable[str],
    repositories: Iterable[str] | None,
    platforms: Iterable[str] | None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    egg_tags: Iterable[str] | None = None,
) -> Selection:
    """Check what is asked for.

    Parameters
    ----------
    kinds : iterable of str
    repositories : iterable of str or None
        Such as ``acme/dev``.
    platforms, python_tags : iterable of str or None
        None, and nothing at all, mean every one.
    names : iterable of str or None
        Names or shell patterns; likewise.
    egg_tags : iterable of str or None
        Of a manifest.

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
                f"'{tag}' is no python tag of an implementation. Give one such as cp311, pp310 or "
                "cp27m."
            )
    pairs = _each_once(repositories, "repositories")
    named = _each_once(names, "names")
    if named is not None and not all(isinstance(name, str) and name for name in named):
        raise InvalidArgumentError("One of the names is empty. Give names or patterns of them.")
    return Selection(
        tuple(kind for kind in KINDS if kind in chosen),
        None if pairs is None else tuple(map(_pair, pairs)),
        _each_once(platforms, "platforms"),
        tags,
        named,
        None if egg_tags is None else tuple(egg_tags),
    )


def usual_selection(
    version: int,
    kinds: Iterable[str] | None,
    platforms: Iterable[str] | None,
    python_tags: Iterable[str] | None,
    names: Iterable[str] | None,
    repositories: Iterable[str] | None = None,
) -> Selection:
    """Check what is asked for of a place; by default all that a version of the API gives away.

    Parameters
    ----------
    version : int
    kinds, platforms, python_tags, names, repositories
        As for `select`; None for the kinds that there are.

    Raises
    ------
    InvalidArgumentError
        Something of it cannot be.
    UnsupportedAPIVersionError
        A kind cannot be had with that version.
    """
    there = EXPORTABLE[version]
    asked = there if kinds is None else kinds
    selection = select(asked, repositories, platforms, python_tags, names)
    for kind in selection.kinds:
        if kind not in there:
            raise UnsupportedAPIVersionError(
                f"With API version {version}, {kind} cannot be exported. Make the client with "
                "api_version=1, or leave them out."
            )
    return selection


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
