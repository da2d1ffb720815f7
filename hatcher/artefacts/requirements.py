"""What is asked for: a name or a pattern of names, and comparisons of its version."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import translate
from functools import cached_property
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from hatcher.artefacts.versions import built_key, is_prerelease, release_of, upstream_of
from hatcher.characters import all_show, shown
from hatcher.errors import InvalidArgumentError
from hatcher.transport.value import Value

#: Where the name ends.
_NAME = re.compile(r"(?:[^<>=!~\s,]|[!~](?!=))+")
_WILDCARD = re.compile(r"[*?[]")
_COMPARISON = re.compile(r"(?P<sign>[<>=!~]+)\s*(?P<version>.*)", re.DOTALL)
_VERSION = re.compile(r"\d[^\W_]*(?:[._+!][^\W_]+)*(?:-\d+)?", re.ASCII)
_PREFIX = re.compile(r"(?P<prefix>\d+(?:\.\d+)*)\.\*", re.ASCII)

_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}

#: Characters of what is asked for, at most; of what an error shows of it.
_LONGEST, _SHOWN = 1000, 100

_FORM = "Give a name or a pattern, and comparisons such as 'numpy>=1.26,<2'"


class Comparison(Value):
    """One comparison of a version.

    Parameters
    ----------
    sign : str
        ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` or ``~=``.
    version : str
        Behind ``==`` and ``!=`` it may end in ``.*``. One with a build number, such as
        ``1.3.0-1``, is compared with that, and others without.
    """

    __match_args__ = ("sign", "version")

    sign: str
    version: str

    def __init__(self, sign: str, version: str) -> None:
        super().__init__(sign, version)

    def takes(self, full_version: str) -> bool:
        """Whether a full version, such as ``1.3.0-1``, is as it says."""
        if self._prefix is not None:
            release = release_of(full_version)[: len(self._prefix)]
            release += (0,) * (len(self._prefix) - len(release))
            if self.sign != "~=":
                return (release == self._prefix) is (self.sign == "==")
            if release != self._prefix:
                return False
        has_build = "-" in self.version or ("+" in self.version and "-" not in full_version)
        version = full_version if has_build else upstream_of(full_version)
        compare: Callable[[Any, Any], Any] = _SIGNS.get(self.sign, _SIGNS[">="])
        return bool(compare(built_key(version), built_key(self.version)))

    @cached_property
    def _prefix(self) -> tuple[int, ...] | None:
        """The numbers that a version must begin with; None for any."""
        if self.sign == "~=":
            return release_of(self.version)[:-1]
        match = _PREFIX.fullmatch(self.version)
        return release_of(match["prefix"]) if match else None


class Requirement:
    """What is asked for.

    Parameters
    ----------
    text : str
        A name or a shell pattern of names, whose capital letters do not count, and comma-separated
        comparisons: ``numpy``, ``num*``, ``numpy>=1.26,<2``.

    Attributes
    ----------
    name : str
        The name, or the pattern.
    comparisons : tuple of Comparison

    Raises
    ------
    InvalidArgumentError
        It cannot be read.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidArgumentError(f"{_FORM}, and not a {type(text).__name__}.")
        told = shown(text[:_SHOWN])
        if len(text) > _LONGEST:
            raise InvalidArgumentError(f"'{told}…' is too long to be a name. {_FORM}.")
        if not all_show(text):
            raise InvalidArgumentError(f"'{told}' has characters that do not show. {_FORM}.")
        match = _NAME.match(text.strip())
        if match is None:
            raise InvalidArgumentError(f"'{told}' begins with no name. {_FORM}.")
        self.name = match[0]
        rest = text.strip()[match.end() :].strip()
        self.comparisons = tuple(_compared(part.strip(), told) for part in rest.split(",") if rest)
        self._matches = re.compile(translate(self.name.casefold())).match

    @property
    def is_pattern(self) -> bool:
        """Whether several names may be meant."""
        return is_pattern(self.name)

    @property
    def literal_beginning(self) -> str:
        """What all such names begin with, in small letters; maybe nothing."""
        return _WILDCARD.split(self.name.casefold(), maxsplit=1)[0]

    def takes_name(self, name: str) -> bool:
        """Whether something of that name is asked for."""
        return self._matches(name.casefold()) is not None

    def takes_version(self, full_version: str) -> bool:
        """Whether a full version is asked for; a pre-release only where one is compared with."""
        if is_prerelease(full_version) and not self.names_prereleases:
            return False
        return all(comparison.takes(full_version) for comparison in self.comparisons)

    @property
    def names_prereleases(self) -> bool:
        """Whether pre-releases are asked for, too."""
        return any(is_prerelease(comparison.version) for comparison in self.comparisons)

    def __str__(self) -> str:
        return self.name + ",".join(f"{one.sign}{one.version}" for one in self.comparisons)


def is_pattern(name: str) -> bool:
    """Whether a name is a shell pattern, which may stand for several."""
    return _WILDCARD.search(name) is not None


def _compared(part: str, told: str) -> Comparison:
    """Read a comparison."""
    match = _COMPARISON.fullmatch(part)
    if match is None:
        what = f"'{part[:_SHOWN]}' is no comparison" if part else "A comparison is empty"
        raise InvalidArgumentError(f"{what} in '{told}'. {_FORM}.")
    sign, version = match["sign"], match["version"]
    if sign not in {*_SIGNS, "~="}:
        raise InvalidArgumentError(
            f"'{sign}' in '{told}' compares nothing. Use ==, !=, <, <=, >, >= or ~=."
        )
    if sign in {"==", "!="} and _PREFIX.fullmatch(version):
        return Comparison(sign, version)
    if not _VERSION.fullmatch(version):
        more = " Only == and != take one that ends in '.*'." if version.endswith(".*") else ""
        what = f"'{version[:_SHOWN]}' is no version" if version else "A version is missing"
        raise InvalidArgumentError(
            f"{what} behind '{sign}' in '{told}'. Give one such as 1.26, or 1.26.4-1 with its "
            f"build number.{more}"
        )
    if sign == "~=" and len(release_of(version)) < 2:
        raise InvalidArgumentError(
            f"'~={version}' in '{told}' says too little. Give two numbers, such as ~=1.26, or "
            f"compare with >=."
        )
    return Comparison(sign, version)
