"""Plans of mirroring: what would have to be done, as data that can be kept."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from hatcher.core.limits import most_deletes
from hatcher.core.places import Problem, documents_of, lines_of, problems_in
from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.applying import apply, missing_repository, states_of, too_many
from hatcher.mirror.listing import SideLike, pair_of
from hatcher.mirror.records import (
    ACTIONS,
    Action,
    Held,
    MirrorReport,
    Options,
    States,
    Step,
)
from hatcher.mirror.selection import Selection, select, usual_selection
from hatcher.mirror.sides import Side, looked_up
from hatcher.sizes import human_size
from hatcher.tables import first_lines, html_table
from hatcher.transfer.batch import ByteCounter, checked_concurrency
from hatcher.transfer.progress import Progress

if TYPE_CHECKING:
    from hatcher.mirror.cache import Cache

_FORMAT, _VERSION = "hatcher plan", 1


@frozen(repr=False)
class Plan:
    """What is to be done, so that a target has what a source has; pure data.

    True when there is anything to do, or to look into.

    Parameters
    ----------
    source, target : str
        For people.
    steps : tuple of Step
        One for each artefact that is asked for, sorted by path.
    problems : tuple of Problem
        What could not be read, at either side, and what stands in the way. When it is something of
        the source that could not be read, nothing is to be deleted.
    selection : Selection
        What was asked for: ``kinds``, ``platforms``, ``python_tags``, ``names``.
    prune : bool
        Whether the target is to lose what the source lacks.
    max_deletes : int
        The most that may be deleted; when there is more of it, nothing is.
    ends : tuple of Side, optional
        The source and the target themselves, to apply it; not part of the data.
    """

    source: str
    target: str
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    selection: Selection
    prune: bool = False
    max_deletes: int = 0
    _ends: tuple[Side, Side] | None = field(default=None, eq=False, repr=False)

    def those(self, action: Action) -> tuple[Step, ...]:
        """Return the steps of one kind.

        Parameters
        ----------
        action : {'copy', 'update', 'delete', 'conflict', 'skip'}

        Returns
        -------
        tuple of Step
        """
        return tuple(step for step in self.steps if step.action == action)

    @property
    def bytes(self) -> int:
        """The bytes of all that moves, as far as they are known (`int`)."""
        return sum(step.size or 0 for step in self.steps if step.action in ("copy", "update"))

    def apply(
        self,
        *,
        progress: Progress | None = None,
        concurrency: int | None = None,
        cache: Cache | None = None,
        create_missing: bool = False,
        dry_run: bool = False,
        journal: str | os.PathLike[str] | bool | None = None,
    ) -> MirrorReport:
        """Do what the plan says, as far as it still holds.

        Both sides are read again, as by `plan`. What the target has got meanwhile is not sent;
        what the source has newer goes as it is now; what the target has otherwise than the plan
        says is neither replaced nor deleted, and fails. To a server the eggs go disabled, and one
        ``POST /data/{organization}/{repository}/{platform}/eggs/re-index`` for each platform shows
        them together; those that replace a visible one go after all others, and are shown at once.
        Then bundles and apps go, and at the end comes what is to be deleted; not on a platform
        where something has failed. From a server to a server each file goes through one temporary
        file; what is wanted at several places is fetched once.

        Parameters
        ----------
        progress : Progress, optional
            Is told of the bytes, from the calling thread.
        concurrency : int, optional
            How many files to move at once at most, 64 by default. From a server to a server, when
            it is more than 1, as many go out while these come in.
        cache : Cache, optional
            Has what moves taken from there, and put there.
        create_missing : bool, default False
            Create repositories that are missing on the target's server. Organizations are not
            created.
        dry_run : bool, default False
            Write nothing, and say of each artefact what would become of it.
        journal : str, path-like or bool, optional
            Has no effect: the server is asked what it has from a call that was interrupted.

        Returns
        -------
        MirrorReport
            What became of each artefact that there was anything to do about, by its path below
            the place; and which places could not be read or written at all.

        Raises
        ------
        InvalidArgumentError
            An argument cannot be used, nothing can be written to the target, or the plan was read
            from a document without its source and target.
        HatcherException
            The source or target could not be read at all, or the target's organization is missing.

        Notes
        -----
        Ctrl-C ends the call within about a second with a `BatchInterrupted`, which has the report
        so far. The same call, or a new plan, goes on where it was.

        Examples
        --------
        >>> plan = mirror.plan(source, target, prune=True)
        >>> plan.apply(create_missing=True).raise_for_failures()
        """
        options = {"progress": progress, "dry_run": dry_run, "create_missing": create_missing}
        return self._apply(None, concurrency, cache=cache, **options)

    def _apply(
        self, states: States | None, concurrency: int | None = None, **options: Any
    ) -> MirrorReport:
        """Do as `apply`; `states` are what was just read of both sides, if anything was."""
        if self._ends is None:
            raise InvalidArgumentError(
                "This plan does not know its source and target. Read it with "
                "Plan.from_document(document, source, target)."
            )
        chosen = Options(checked_concurrency(concurrency), **options)
        most = self.max_deletes if self.prune else None
        return apply(self.steps, self.selection, most, self._ends, chosen, states)

    # -- as data -----------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            ``format``, ``version``, ``source``, ``target``, ``selection``, ``prune``,
            ``max_deletes``, ``bytes``, ``steps`` (each with ``action``, ``path``, ``size``,
            ``sha256``, ``replaces`` and ``reason``) and ``problems`` (each with ``place`` and
            ``error``).
        """
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "source": self.source,
            "target": self.target,
            "selection": self.selection.document("kinds", "platforms", "python_tags", "names"),
            "prune": self.prune,
            "max_deletes": self.max_deletes,
            "bytes": self.bytes,
            "steps": [
                {name: getattr(step, name) for name in Step.__match_args__} for step in self.steps
            ],
            "problems": documents_of(self.problems),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: SideLike, target: SideLike) -> Plan:
        """Return a plan that was kept, to apply it.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        source, target
            The ends, as for `plan`; they must be those that the plan was made of.

        Returns
        -------
        Plan

        Raises
        ------
        InvalidArgumentError
            It is no plan, is of another version, or of other ends.
        """
        if not isinstance(document, Mapping) or document.get("format") != _FORMAT:
            raise InvalidArgumentError("This is no plan of hatcher. Give what Plan.document says.")
        if document.get("version") != _VERSION:
            raise InvalidArgumentError(
                f"The plan is of version {document.get('version')!r}, and this hatcher knows "
                f"version {_VERSION}. Plan again."
            )
        sides = pair_of(source, target)
        for what, side in zip(("source", "target"), sides, strict=True):
            if document.get(what) != str(side):
                raise InvalidArgumentError(
                    f"The {what} of the plan is {document.get(what)}, not {side}. Give the source "
                    "and target that it was made of, or plan again."
                )
        try:
            steps = tuple(map(_step, document["steps"]))
            problems = problems_in(document["problems"])
            selection = select(repositories=None, **document["selection"])
            prune, max_deletes = document["prune"], document["max_deletes"]
            if not isinstance(prune, bool) or type(max_deletes) is not int:
                raise TypeError("prune or max_deletes is none")
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"The plan is damaged: {type(error).__name__}: {error}. Plan again."
            ) from error
        names = (str(sides[0]), str(sides[1]))
        return cls(*names, steps, problems, selection, prune, max_deletes, sides)

    def __bool__(self) -> bool:
        return bool(self.problems) or any(step.action != "skip" for step in self.steps)

    def __str__(self) -> str:
        lines = [self._summary()]
        if self.prune and self:
            lines.append(f"at most {self.max_deletes:,} may be deleted")
        return "\n".join(
            [*lines, *first_lines([*map(str, self._changes)]), *lines_of(self.problems)]
        )

    def __repr__(self) -> str:
        return f"<Plan from {self.source} to {self.target}: {self._summary()}>"

    @property
    def _changes(self) -> list[Step]:
        """What is not skipped; first what somebody has to look into."""
        changes = [step for step in self.steps if step.action != "skip"]
        return sorted(changes, key=lambda step: step.action != "conflict")

    def _summary(self) -> str:
        counts = Counter(step.action for step in self.steps)
        number = len(self.steps)
        parts = [f"{counts[action]} {action}" for action in ACTIONS if counts[action]]
        summary = f"{number} artefact{'' if number == 1 else 's'}"
        if parts:
            summary += f": {', '.join(parts)}"
        if counts["copy"] or counts["update"]:
            summary += f"; {human_size(self.bytes)} to move"
        return summary

    def _repr_html_(self) -> str:
        from html import escape

        changes = self._changes
        rows = ((step.action, step.path, step.size, step.reason) for step in changes)
        headings = ("action", "", "size", "reason")
        table = html_table(headings, rows, len(changes)) if changes else ""
        said = "".join(f"<p>{escape(line)}</p>" for line in lines_of(self.problems))
        ends = f"{escape(self.source)} to {escape(self.target)}"
        return f"<p>{ends}: {escape(self._summary())}</p>{table}{said}"


def _step(document: Mapping[str, Any]) -> Step:
    """Return a step of a document."""
    step = Step(**document)
    texts = [text for text in (step.sha256, step.replaces, step.reason) if text is not None]
    if step.action not in ACTIONS or not all(isinstance(text, str) for text in (step.path, *texts)):
        raise ValueError(f"{step.action!r} is no action, or {step.path!r} no path")
    if step.size is not None and (type(step.size) is not int or step.size < 0):
        raise ValueError(f"{step.size!r} is no size")
    return step


def plan(
    source: SideLike,
    target: SideLike,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    prune: bool = False,
    max_deletes: int | None = None,
    concurrency: int | None = None,
) -> Plan:
    """Compare two places, and say what has to be done; changes nothing.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of each server, and likewise for runtimes, apps and bundles. What an
    index says no hash of, as for apps and bundles, is asked for one by one.

    What counts is the sha256, of bundles and apps that of their documents; neither names nor times
    alone. Eggs that are disabled stand in no index, and so are taken for missing.

    Parameters
    ----------
    source, target : Organization, Repository, SinglePlatformRepository, str, path-like, ...
        Two places of the same kind, on one server or on two; or one of them, and the folder of an
        export, in which that place is looked for. A `Folder` says which place in it is meant. The
        source may be an archive that `pack` has written, and the target a `Manifest`, to compare
        with.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags : iterable of str, optional
        By default all: those that the servers list, the next five versions of each Python 3, and
        those that are seen at either end.
    names : iterable of str, optional
        Names of eggs and bundles, implementations of runtimes, ids of apps, or shell patterns
        of these such as ``numpy*``; capital letters do not count. By default all.
    prune : bool, default False
        Delete what the target has and the source lacks. Nothing is to be deleted when the source
        could not be read whole, or its server refuses a platform or python tag that the target
        has; nor where the source could not have it: in repositories that its organization lacks,
        and on platforms that a folder has no folder of, unless they are asked for. Apps cannot be
        deleted.
    max_deletes : int, optional
        The most that may be deleted; when there is more of it, nothing is, and the plan says so.
        By default a tenth of what the target has, but at least 10.
    concurrency : int, optional
        How many questions or files at once at most, 64 by default.

    Returns
    -------
    Plan

    Raises
    ------
    InvalidArgumentError
        The two cannot be compared, or another argument cannot be used.
    HatcherException
        One of them could not be read at all, or there is no such source, or no such organization
        for the target.

    Examples
    --------
    >>> plan = mirror.plan(dev, prod, platforms=['rh8-x86_64'], prune=True)
    >>> print(plan)
    12 artefacts: 2 copy, 10 skip; 5.40 MB to move
    at most 10 may be deleted
    copy rh8-x86_64/eggs/cp311/numpy-1.26.4-1.egg (5.40 MB)
    copy rh8-x86_64/eggs/cp311/six-1.16.0-1.egg (3.11 kB)
    """
    asked: dict[str, Any] = {"kinds": kinds, "platforms": platforms, "python_tags": python_tags}
    asked |= {"names": names, "max_deletes": max_deletes, "concurrency": concurrency}
    return planned(source, target, prune=prune, **asked)[0]


def planned(
    source: SideLike,
    target: SideLike,
    *,
    prune: bool = False,
    max_deletes: int | None = None,
    concurrency: int | None = None,
    **asked: Iterable[str] | None,
) -> tuple[Plan, States]:
    """Return what `plan` does, and what it has read of both sides."""
    sides = pair_of(source, target)
    version = min(side.version for side in sides)
    selection = usual_selection(version, **asked)
    most_deletes(0, max_deletes)
    options = Options(checked_concurrency(concurrency))
    states = states_of(sides, selection, options)
    wanted, there = states
    may_delete = _may_lack(sides, states) if prune and not wanted.problems else lambda path: False
    pairs = [pair for pair in pairs_of(states) if pair.wanted or may_delete(pair.path)]
    look(pairs, sides, states, options)
    steps = sorted((_step_of(pair, sides[1]) for pair in pairs), key=lambda step: step.path)
    most = most_deletes(len(there.held), max_deletes)
    problems = [*wanted.problems, *there.problems]
    if there.repositories is not None:
        new = {sides[1].location(step.path).place for step in steps if step.action == "copy"}
        problems += map(missing_repository, sorted(new - set(there.repositories)))
    deletes = sum(step.action == "delete" for step in steps)
    if deletes > most:
        problems.append(too_many(sides[1], deletes, most))
    here, to = map(str, sides)
    made = Plan(here, to, tuple(steps), tuple(problems), selection, prune, most, sides)
    return made, states


@define(eq=False)
class Pair:
    """What the source and the target have of one artefact.

    Parameters
    ----------
    path : str
    where : str
        The path that the target has it under.
    wanted, there : Held or None
        What the source and the target have.
    error : Exception, optional
        Why nobody can say.
    """

    path: str
    where: str
    wanted: Held | None
    there: Held | None
    error: Exception | None = None

    @property
    def is_unclear(self) -> bool:
        """Whether the listings leave something out."""
        wanted, there = self.wanted, self.there
        return wanted is None or there is None or wanted.is_unknown or there.is_unknown


def pairs_of(states: States) -> list[Pair]:
    """Return all that two sides have, each artefact once."""
    wanted, there = states
    pairs: list[Pair] = []
    known: set[str | None] = set()
    for path, held in wanted.held.items():
        where = there.path_of(path)
        known.add(where)
        pairs.append(Pair(path, where or path, held, None if where is None else there.held[where]))
    others = (path for path in there.held if path not in known)
    return pairs + [Pair(path, path, None, there.held[path]) for path in others]


def _may_lack(sides: tuple[Side, Side], states: States) -> Callable[[str], bool]:
    """Return what says whether the source could have something: it was asked for there."""
    selection = states[0].selection
    repositories: set[str] | None = None
    if len(sides[0].names or ()) == 1 and selection.repositories is not None:
        repositories = {name for _, name in selection.repositories}

    def may_lack(path: str) -> bool:
        location = sides[1].location(path)
        is_said = repositories is None or location.repository in repositories
        return is_said and selection.takes(location)

    return may_lack


def look(
    pairs: list[Pair],
    sides: tuple[Side, Side],
    states: States,
    options: Options,
    *,
    check: bool = True,
) -> None:
    """Find out the hashes that nobody has said, and what a listing has left out.

    With `check`, what the source has must also be what was once put there.
    """

    def look_at(pair: Pair, counter: ByteCounter) -> None:
        try:
            is_unknown = pair.wanted is not None and pair.wanted.is_unknown
            pair.wanted = looked_up(sides[0], states[0], pair.path, pair.wanted, counter)
            if check and is_unknown and pair.wanted is not None:
                sides[0].check(pair.path, pair.wanted)
            is_compared = pair.wanted is None or pair.wanted.sha256 is not None
            if is_compared or pair.there is None:
                pair.there = looked_up(sides[1], states[1], pair.where, pair.there, counter)
        except (HatcherException, OSError) as error:
            if not counter.is_stopped:
                pair.error = error

    unclear = [pair for pair in pairs if pair.is_unclear]
    total = sum(
        held.size or 0
        for pair in unclear
        for held in (pair.wanted, pair.there)
        if held is not None and held.is_unknown
    )
    options.each(unclear, look_at, "hashing" if total else None, total)


def _step_of(pair: Pair, target: Side) -> Step:
    """Return what is to be done about an artefact."""
    wanted, there, error = pair.wanted, pair.there, pair.error
    sha256 = None if wanted is None else wanted.sha256
    replaces = None if there is None else there.sha256
    # An archive lists what it does not carry: nothing of that has to move.
    if wanted is not None and (sha256 is None or sha256 != replaces):
        error = error or wanted.wrong
    if there is not None and replaces is None:
        error = error or there.wrong
    reason = None if error is None else str(error)
    action: Action = "skip" if sha256 == replaces else "update"
    if error is not None:
        action, replaces = "conflict", None
    elif there is None:
        action = "copy"
    elif wanted is None and target.kind(pair.path) == "apps" and not target.may_delete_apps:
        action = "conflict"
        reason = "The source lacks it, and Brood has no way to delete an app."
    elif wanted is None:
        action = "delete"
    shown = wanted or there
    assert shown is not None
    return Step(action, pair.path, shown.size, sha256, replaces, reason)
