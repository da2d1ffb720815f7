"""How two places, folders, archives or manifests differ, as data; nothing is to be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

from attrs import asdict, frozen

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.places import Problem, documents_of, lines_of
from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.folder import Folder
from hatcher.mirror.layout import KINDS, Kind, Location, name_and_version, order_of, parse
from hatcher.mirror.listed import Listed
from hatcher.mirror.listing import SideLike, organizations_in, pair_of, side_of
from hatcher.mirror.plans import Pair, look, pairs_of
from hatcher.mirror.records import Held, Options, State
from hatcher.mirror.selection import Selection, usual_selection
from hatcher.mirror.server import Server
from hatcher.mirror.sides import Side, read_both, read_state, settle
from hatcher.tables import first_lines, html_table
from hatcher.transfer.batch import checked_concurrency
from hatcher.transfer.progress import Progress

Condition: TypeAlias = Literal["added", "removed", "changed", "unknown"]

CONDITIONS: tuple[Condition, ...] = get_args(Condition)


@frozen
class Change:
    """An artefact that two sides do not both have, or not with the same content.

    Parameters
    ----------
    change : {'added', 'removed', 'changed', 'unknown'}
        ``added``: only B has it; ``removed``: only A has it; ``changed``: both have it, with
        another sha256; ``unknown``: nobody can say.
    path : str
        Where it stands below the place, such as ``rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``.
    kind : {'eggs', 'runtimes', 'apps', 'bundles'}
    platform : str
    python_tag : str or None
    name, version : str
        Of a runtime, its implementation and version; of an app, its id and version.
    a_size, b_size : int or None
        In bytes; None where one side has none, or does not say.
    a_sha256, b_sha256 : str or None
        Of bundles and apps, those of the documents.
    reason : str or None
        Why nobody can say.
    """

    change: Condition
    path: str
    kind: Kind
    platform: str
    python_tag: str | None
    name: str
    version: str
    a_size: int | None = None
    b_size: int | None = None
    a_sha256: str | None = None
    b_sha256: str | None = None
    reason: str | None = None

    @property
    def where(self) -> str:
        """The folder of the path, such as ``rh8-x86_64/eggs/cp311``."""
        return self.path.rpartition("/")[0]


@frozen(repr=False)
class Diff:
    """How two sides differ; pure data.

    True when they differ, and when not all of them could be compared: false is a proof that they
    have the same.

    Parameters
    ----------
    a, b : str
        The sides, for people.
    changes : tuple of Change
        Sorted by folder, name and version, as versions are ordered.
    same : int
        How many artefacts both have, with the same sha256.
    problems : tuple of Problem
        What could not be read, at either side. What stands there is ``unknown``, and neither
        ``added`` nor ``removed``.
    """

    a: str
    b: str
    changes: tuple[Change, ...]
    same: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def added(self) -> tuple[Change, ...]:
        """What only B has."""
        return self._those("added")

    @property
    def removed(self) -> tuple[Change, ...]:
        """What only A has."""
        return self._those("removed")

    @property
    def changed(self) -> tuple[Change, ...]:
        """What both have, with different content."""
        return self._those("changed")

    @property
    def unknown(self) -> tuple[Change, ...]:
        """What nobody can say of whether, or how, it differs."""
        return self._those("unknown")

    def _those(self, condition: Condition) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.change == condition)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each artefact that differs.

        Returns
        -------
        list of dict
            With the names of the parameters of `Change`.
        """
        return [asdict(change) for change in self.changes]

    def by_name(self) -> list[dict[str, Any]]:
        """Return a row for each name, with the versions that differ side by side.

        Returns
        -------
        list of dict
            ``where``, ``name``, and four lists of versions: ``removed``, which only A has;
            ``added``, which only B has; ``changed``, which both have, with different content;
            ``unknown``.
        """
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for change in self.changes:
            row = rows.setdefault(
                (change.where, change.name),
                {"where": change.where, "name": change.name} | {name: [] for name in CONDITIONS},
            )
            row[change.change].append(change.version)
        return list(rows.values())

    def document(self) -> dict[str, Any]:
        """Return it as what JSON can hold.

        Returns
        -------
        dict
            ``a``, ``b``, ``same``, ``changes`` (see `rows`) and ``problems`` (each with ``place``
            and ``error``).
        """
        said = {"a": self.a, "b": self.b, "same": self.same, "changes": self.rows()}
        return {**said, "problems": documents_of(self.problems)}

    def __bool__(self) -> bool:
        return bool(self.changes or self.problems)

    def __repr__(self) -> str:
        return f"<Diff of {self.a} and {self.b}: {self.summary()}>"

    def __str__(self) -> str:
        lines = []
        for row in self.by_name():
            said = (f"{name} {', '.join(row[name])}" for name in CONDITIONS if row[name])
            lines.append(f"{row['where']} {row['name']}: {'; '.join(said)}")
        return "\n".join([self.summary(), *first_lines(lines), *lines_of(self.problems)])

    def summary(self) -> str:
        """Return the line that counts.

        Returns
        -------
        str
            Such as ``2 added, 1 changed, 40 the same``.
        """
        counts = Counter(change.change for change in self.changes)
        parts = [f"{counts[name]:,} {name}" for name in CONDITIONS if counts[name]]
        return ", ".join([*parts, f"{self.same:,} the same"])

    def _repr_html_(self) -> str:
        from html import escape

        rows = self.by_name()
        cells = (
            [row["where"], row["name"], *(", ".join(row[name]) for name in CONDITIONS)]
            for row in rows
        )
        table = html_table(("", "name", *CONDITIONS), cells, len(rows)) if rows else ""
        said = "".join(f"<p>{escape(line)}</p>" for line in lines_of(self.problems))
        return (
            f"<p>{escape(self.a)} and {escape(self.b)}: {escape(self.summary())}</p>{table}{said}"
        )


def diff(
    a: SideLike,
    b: SideLike,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | None = None,
) -> Diff:
    """Say how two places, folders, archives or manifests differ, by SHA-256; changes nothing.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of each server, and likewise for runtimes, apps and bundles. What an
    index says no hash of, as for apps and bundles, is asked for one by one; the files of a folder
    are read.

    What could not be read is told among the problems, and never counts as added or removed. Eggs
    that are disabled stand in no index, and so are taken for missing.

    Parameters
    ----------
    a, b : Organization, Repository, SinglePlatformRepository, Folder, Manifest, str or path-like
        Two places of the same kind, on one server or on two, in folders, archives or manifests.
        A path is that of the folder of an export, of an archive, or of a manifest (``.json``). A
        folder without a place is that of the other side; two of them are compared as a whole.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    concurrency : int, optional
        How many questions or files at once at most, 64 by default.
    progress : Progress, optional
        Is told of the bytes that are hashed.

    Returns
    -------
    Diff

    Raises
    ------
    InvalidArgumentError
        The two cannot be compared, or another argument cannot be used.
    ArtefactError
        A file is neither an archive nor a manifest.
    HatcherException
        There is no such place, or one could not be read at all.

    Examples
    --------
    >>> print(mirror.diff(dev, prod))
    1 added, 1 removed, 40 the same
    rh8-x86_64/eggs/cp311 numpy: added 1.26.4-1; removed 1.26.3-1
    """
    options = Options(checked_concurrency(concurrency), progress)
    sides = side_of(a), side_of(b)
    is_whole = sides[0].names is None and sides[1].names is None
    if not is_whole:
        sides = pair_of(*sides)
    changes: list[Change] = []
    problems: dict[str, Problem] = {}
    same = 0
    for below, pair in _organizations(sides) if is_whole else [("", sides)]:
        version = min(side.version for side in pair)
        selection = usual_selection(version, kinds, platforms, python_tags, names)
        comparing = _Comparing(below, pair, selection, options)
        changes += comparing.changes()
        same += comparing.same
        problems |= {str(problem): problem for problem in comparing.problems}
    ordered = sorted(changes, key=lambda change: order_of(change.path))
    return Diff(str(sides[0]), str(sides[1]), tuple(ordered), same, tuple(problems.values()))


def _organizations(sides: tuple[Side, Side]) -> list[tuple[str, tuple[Side, Side]]]:
    """Return each organization in one of two folders, or manifests of folders."""
    found: set[tuple[int, str]] = set()
    for side in sides:
        if isinstance(side, Folder):
            there = {(one.version, (one.names or ("",))[0]) for one in organizations_in(side)}
            if not there:
                raise InvalidArgumentError(f"There is no export in {side}. Check the path.")
        else:
            assert isinstance(side, Listed)
            paths = map(parse, side.manifest.artefacts)
            there = {(location.api_version, location.organization) for location in paths}
        found |= there
    return [
        (
            f"v{version}/{name}/",
            (sides[0].beside((name,), version), sides[1].beside((name,), version)),
        )
        for version, name in sorted(found)
    ]


class _Comparing:
    """The comparison of two sides.

    Attributes
    ----------
    same : int
        How many artefacts both have.
    problems : list of Problem
    """

    def __init__(
        self, below: str, sides: tuple[Side, Side], selection: Selection, options: Options
    ) -> None:
        self._below, self._sides, self._options = below, sides, options
        # Servers come last: of a folder that is not there, or no manifest, none need hear.
        is_turned = isinstance(sides[0], Server)
        first, second = read_both(
            sides[::-1] if is_turned else sides, lambda side: self._state(side, selection)
        )
        states = self._states = settle(sides, (second, first) if is_turned else (first, second))
        self.same = 0
        self.problems: list[Problem] = [*states[0].problems, *states[1].problems]

    def _state(self, side: Side, selection: Selection) -> State:
        """Read what a side has; one of two folders may lack an organization as a whole."""
        if self._below and isinstance(side, Folder) and not (side.root / side.prefix).is_dir():
            return State({}, [], selection)
        return read_state(side, selection, self._options.concurrency)

    def changes(self) -> list[Change]:
        """Return what differs."""
        pairs = pairs_of(self._states)
        look(pairs, self._sides, self._states, self._options, check=False)
        changes = [change for change in map(self._change, pairs) if change is not None]
        self.same = len(pairs) - len(changes)
        return changes

    def _change(self, pair: Pair) -> Change | None:
        """Return how two sides differ in an artefact; None where they do not."""
        held = [one for one in (pair.wanted, pair.there) if one is not None]
        error = pair.error or next((one.wrong for one in held if one.sha256 is None), None)
        problem = None if error is None else Problem(f"{self._below}{pair.path}", error)
        if problem is None and len(held) == 2 and held[0].sha256 == held[1].sha256:
            return None
        if problem is None and len(held) == 1:
            problem = self._doubt(0 if pair.wanted is None else 1, pair.path)
        condition: Condition = "changed"
        if problem is not None:
            condition = "unknown"
            self.problems.append(problem)
        elif len(held) == 1:
            condition = "added" if pair.wanted is None else "removed"
        return self._as_change(condition, pair, problem)

    def _as_change(self, condition: Condition, pair: Pair, problem: Problem | None) -> Change:
        location = self._sides[0].location(pair.path)
        a, b = pair.wanted or _NOTHING, pair.there or _NOTHING
        return Change(
            condition,
            f"{self._below}{pair.path}",
            location.kind,
            location.platform,
            location.python_tag,
            *name_and_version(location.kind, location.filename),
            a.size,
            b.size,
            a.sha256,
            b.sha256,
            None if problem is None else str(problem.error),
        )

    def _doubt(self, number: int, path: str) -> Problem | None:
        """Say why it is not certain that a side lacks something that it does not show."""
        side, state = self._sides[number], self._states[number]
        location = side.location(path)
        for problem in state.problems:
            if _covers(problem, location):
                return problem
        if isinstance(side, Folder):
            return None
        if isinstance(side, Server) and location.place not in (state.repositories or ()):
            if not side.may_hide_repositories:
                return None
            said = "There is no such repository, or you may not see it."
            return Problem(f"{location.place} on {side.session.server}", HatcherException(said))
        if state.selection.takes(location):
            return None
        what = f"{location.kind} for {location.python_tag} on {location.platform}"
        return Problem(
            str(side),
            HatcherException(
                f"It does not say whether there are {what}: nobody has asked for them. Compare "
                "with the place itself, or ask for what is meant."
            ),
        )


_NOTHING = Held(None, None)


def _covers(problem: Problem, location: Location) -> bool:
    """Whether what could not be read is where something belongs."""
    place, _, kind = problem.place.rpartition(" ")
    if kind not in KINDS:
        place, kind = problem.place, location.kind
    parts = place.split("/")
    names = (location.organization, location.repository, usual_platform(location.platform))
    return (
        kind == location.kind
        and (*parts[:2], *map(usual_platform, parts[2:])) == (names[: len(parts)])
    )
