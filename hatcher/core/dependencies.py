"""Which eggs require which, as the `packages` of an index tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict

from hatcher.artefacts.names import split_filename
from hatcher.artefacts.python_tags import tag_of
from hatcher.artefacts.versions import egg_key, upstream_of
from hatcher.errors import NoMatchError
from hatcher.suggestions import alike, question

State: TypeAlias = Literal["found", "missing", "cycle", "repeated", "unknown"]

#: What is said of an egg beside its name.
_SAID: Mapping[State, str] = {
    "found": "",
    "missing": ": not in this index",
    "cycle": ": see above, a cycle",
    "repeated": ": see above",
    "unknown": ": the index does not say what it requires",
}

#: Versions that are named where there is none as it was asked for.
_NAMED = 10

#: Levels of a drawn tree; of what is deeper, the outer ones are left out.
_LEVELS = 40


class Dependency(TypedDict):
    """A line of a `DependencyTree`: an egg, and how it is connected with the one that it is below.

    Its ``depth`` is 0 for the egg that was asked for. Its ``requirement`` is what is said in the
    index, such as ``MKL 2023.2``. Its ``state`` is ``found``; ``missing``: the index has no such
    egg; ``cycle``: it stands further up in its branch; ``repeated``: what is below it is told
    where it stands first; or ``unknown``: the index does not say what it requires.
    """

    depth: int
    name: str
    version: str | None
    python_tag: str | None
    filename: str | None
    requirement: str | None
    state: State


class DependencyTree(list[Dependency]):
    """What an egg requires, or what requires it: the lines of a tree, from the top down.

    Attributes
    ----------
    unknown : tuple of str
        The file names of eggs of which the index does not say what they require.

    Examples
    --------
    >>> print(platform.dependents_of('mkl', 'cp311'))
    mkl 2023.2-1
    └── numpy 1.26.4-1 (MKL 2023.2)
        └── scipy 1.11.4-1 (numpy 1.26.4)
    """

    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        drawn: list[str] = []
        going_on: set[int] = set()
        for line in reversed(self):
            depth = line["depth"]
            outer = range(max(1, depth - _LEVELS), depth)
            begin = "".join("│   " if level in going_on else "    " for level in outer)
            if depth:
                begin += "├── " if depth in going_on else "└── "
            drawn.append(begin + _told(line))
            going_on = {level for level in going_on if level < depth} | {depth}
        return "\n".join(reversed(drawn))

    def _repr_html_(self) -> str:
        # Imported here, for notebooks.
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


def _told(line: Dependency) -> str:
    """Return a line without what connects it."""
    requirement = line["requirement"]
    told = " ".join(filter(None, (line["name"], line["version"])))
    if line["state"] == "missing":
        return (requirement or told) + _SAID["missing"]
    if requirement and requirement.lower() != line["name"].lower():
        told += f" ({requirement})"
    return told + _SAID[line["state"]]


class _Egg(NamedTuple):
    """An egg of an index, or what there is no egg of; `packages` is None where it does not say."""

    name: str
    version: str | None = None
    filename: str | None = None
    python_tag: str | None = None
    packages: tuple[str, ...] | None = ()
    is_there: bool = True


#: An egg, and what connects it with the one that it is below.
_Link: TypeAlias = tuple[_Egg, str | None]


class Dependencies:
    """The eggs of an index, and what they require.

    Parameters
    ----------
    index : mapping of str to EggIndexEntry
        By file names.
    """

    def __init__(self, index: Mapping[str, Any]) -> None:
        self._eggs: defaultdict[str, list[_Egg]] = defaultdict(list)
        self._requiring: defaultdict[str, list[tuple[_Egg, str]]] = defaultdict(list)
        self._unknown: list[str] = []
        for filename in sorted(index, key=egg_key):
            egg = _egg(filename, index[filename])
            self._eggs[egg.name.lower()].append(egg)
            if egg.packages is None:
                self._unknown.append(filename)
            for requirement in egg.packages or ():
                self._requiring[_split(requirement)[0].lower()].append((egg, requirement))

    def requirements_of(self, name: str, version: str | None) -> DependencyTree:
        """Return what the newest egg of a name and version requires, and what that requires."""
        eggs = self._called(name, version or "")
        if not eggs:
            raise self._no_match(name, version)
        tree = DependencyTree(_walk(eggs[-1], self._required_by))
        tree.unknown = tuple(line["filename"] or "" for line in tree if line["state"] == "unknown")
        return tree

    def dependents_of(self, name: str, version: str | None) -> DependencyTree:
        """Return what requires eggs of a name and version, and what requires that."""
        eggs = self._called(name, version or "")
        top = eggs[0] if len(eggs) == 1 else _Egg(name, version, is_there=bool(eggs))
        direct = [
            (egg, requirement)
            for egg, requirement in self._requiring.get(name.lower(), ())
            if version is None
            or any(_suits(requirement, each) for each in eggs or [top])
            or _is_of(_Egg(name, _split(requirement)[1]), version)
        ]
        if not eggs and not direct:
            raise self._no_match(name, version)
        tree = DependencyTree(
            _walk(top, lambda egg: direct if egg is top else self._requiring_an(egg))
        )
        tree.unknown = tuple(self._unknown)
        return tree

    def _called(self, name: str, version: str) -> list[_Egg]:
        """Return the eggs of a name and version, the newest last."""
        return [egg for egg in self._eggs.get(name.lower(), ()) if _is_of(egg, version)]

    def _required_by(self, egg: _Egg) -> Sequence[_Link] | None:
        """Return what an egg requires, each the newest that will do; None where nobody knows."""
        if egg.packages is None:
            return None
        links: list[_Link] = []
        for requirement in egg.packages:
            name, version = _split(requirement)
            found = self._called(name, version) or [_Egg(name, version or None, is_there=False)]
            links.append((found[-1], requirement))
        return links

    def _requiring_an(self, egg: _Egg) -> Sequence[_Link]:
        requiring = self._requiring.get(egg.name.lower(), ())
        return [
            (other, requirement) for other, requirement in requiring if _suits(requirement, egg)
        ]

    def _no_match(self, name: str, version: str | None) -> NoMatchError:
        """Return the error for what the index knows nothing of."""
        if version is not None and (versions := [egg.version for egg in self._called(name, "")]):
            told = ", ".join(map(str, versions[-_NAMED:]))
            return NoMatchError(f"The index has no '{name}' {version}.", advice=f"It has: {told}.")
        meant = question(alike(name, {*self._eggs, *self._requiring}))
        said = f"The index has no egg called '{name}', and none that requires it."
        return NoMatchError(said, advice=meant or "Check the name and the python tag.")


def _egg(filename: str, entry: Mapping[str, Any]) -> _Egg:
    """Read an entry of an index."""
    packages = entry.get("packages")
    told = None
    if isinstance(packages, list) and all(isinstance(each, str) for each in packages):
        told = tuple(each for each in packages if each.strip())
    return _Egg(*split_filename(filename), filename, tag_of(entry), told)


def _split(requirement: str) -> tuple[str, str]:
    """Return the name and the version that are required; an empty one is any."""
    name, *version = requirement.split(maxsplit=1)
    return name, "".join(version).strip()


def _suits(requirement: str, egg: _Egg) -> bool:
    return _is_of(egg, _split(requirement)[1])


def _is_of(egg: _Egg, version: str) -> bool:
    """Whether an egg is of a version, of which the build, or all of it, need not be given."""
    full = egg.version or ""
    return version in {"", full, upstream_of(full)}


def _walk(top: _Egg, below: Callable[[_Egg], Sequence[_Link] | None]) -> Iterator[Dependency]:
    """Give the lines of a tree: what is below an egg where it comes first, and nowhere else."""
    todo: list[tuple[int, _Egg, str | None]] = [(0, top, None)]
    branch: list[_Egg] = []
    expanded: dict[_Egg, int] = {}
    while todo:
        depth, egg, requirement = todo.pop()
        del branch[depth:]
        branch.append(egg)
        links = below(egg)
        state: State = "found" if egg.is_there else "missing"
        if links is None:
            state = "unknown"
        elif links and egg in expanded:
            first = expanded[egg]
            state = "cycle" if first < depth and branch[first] is egg else "repeated"
        elif links:
            expanded[egg] = depth
            todo += [(depth + 1, *link) for link in reversed(links)]
        yield {
            "depth": depth,
            "name": egg.name,
            "version": egg.version,
            "python_tag": egg.python_tag,
            "filename": egg.filename,
            "requirement": requirement,
            "state": state,
        }
