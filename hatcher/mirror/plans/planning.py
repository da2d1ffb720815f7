"""What has to be done, so that one place has what another one has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.ends.base import End
from hatcher.mirror.ends.choosing import EndLike, pair_of
from hatcher.mirror.plans.pairs import missing_repository, states_of, too_many
from hatcher.mirror.plans.plan import Plan
from hatcher.mirror.plans.steps import Action, Step
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import usual_selection
from hatcher.mirror.states import Held, State
from hatcher.transfer.batch import Crew, Tally, checked_concurrency

#: What may be deleted when nobody says: this part of what the target has, and at least so much.
_PART, _AT_LEAST = 10, 10


def plan(
    source: EndLike,
    target: EndLike,
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
        How many questions or files at once, 16 by default.

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
    12 artefacts: 2 copy, 10 skip; 5,403,211 bytes to move
    at most 10 may be deleted
    copy rh8-x86_64/eggs/cp311/numpy-1.26.4-1.egg (5,400,102 bytes)
    copy rh8-x86_64/eggs/cp311/six-1.16.0-1.egg (3,109 bytes)
    """
    ends = pair_of(source, target)
    versions = [end.version for end in ends]
    selection = usual_selection(min(versions), kinds, platforms, python_tags, names)
    if max_deletes is not None and (type(max_deletes) is not int or max_deletes < 0):
        raise InvalidArgumentError(
            f"max_deletes is {max_deletes!r}; give the most that may be deleted, from 0, or "
            "nothing for a tenth."
        )
    number = checked_concurrency(concurrency)
    wanted, there = states_of(ends, selection, concurrency)
    comparing = _Comparing(ends, wanted, there, prune=prune and not wanted.problems)
    comparing.look(Crew(number, None))
    steps = sorted(comparing.steps(), key=lambda step: step.path)
    most = max(_AT_LEAST, len(there.held) // _PART) if max_deletes is None else max_deletes
    problems = [*wanted.problems, *there.problems, *_missing(ends[1], there, steps)]
    deletes = sum(step.action == "delete" for step in steps)
    if deletes > most:
        problems.append(too_many(str(ends[1]), deletes, most))
    return Plan(
        str(ends[0]),
        str(ends[1]),
        tuple(steps),
        tuple(problems),
        selection,
        prune,
        most,
        ends,
    )


class _Comparing:
    """Makes steps of what two ends have."""

    def __init__(self, ends: tuple[End, End], wanted: State, there: State, *, prune: bool) -> None:
        self._source, self._target = ends
        self._wanted = wanted
        self._there = there
        self._repositories: set[str] | None = None
        if len(self._source.names or ()) == 1 and wanted.selection.repositories is not None:
            self._repositories = {name for _, name in wanted.selection.repositories}
        #: Each artefact of the source, with the path that the target has it under.
        self._pairs = [(path, there.path_of(path)) for path in wanted.held]
        #: What an end has, though its listing leaves it out.
        self._unlisted: dict[tuple[End, str], Held] = {}
        self._surplus: list[str] = []
        if prune:
            known = {path for _, path in self._pairs}
            self._surplus = [
                path for path in there.held if path not in known and self._could_have(path)
            ]
        self._errors: dict[str, Exception] = {}

    def _could_have(self, path: str) -> bool:
        """Whether the source has said that it lacks something that the target has."""
        location = self._target.location(path)
        return self._wanted.selection.takes(location) and (
            self._repositories is None or location.repository in self._repositories
        )

    def look(self, crew: Crew) -> None:
        """Find out the hashes that nobody has said, and what a listing has left out."""
        questions: list[tuple[End, str, str, Held]] = []
        for path, other in self._pairs:
            held = self._wanted.held[path]
            if held.wrong is None and held.sha256 is None:
                questions.append((self._source, path, path, held))
            if other is not None and (held.wrong is None or held.sha256 is not None):
                target = self._there.held[other]
                if target.wrong is None and target.sha256 is None:
                    questions.append((self._target, path, other, target))
        questions += [
            (self._target, path, path, self._there.held[path])
            for path in self._surplus
            if self._there.held[path].sha256 is None and self._there.held[path].wrong is None
        ]

        def identify(question: tuple[End, str, str, Held], tally: Tally) -> None:
            end, step, path, held = question
            try:
                end.identify(path, held, tally)
                if end is self._source:
                    end.check(path, held)
            except (HatcherException, OSError) as error:
                if tally.is_stopped:
                    return
                self._errors[step] = error

        def find(question: tuple[End, State, str], tally: Tally) -> None:
            end, state, path = question
            try:
                found = end.find(path, state)
                if found is not None:
                    end.identify(path, found, tally)
                    self._unlisted[end, path] = found
            except HatcherException as error:
                self._errors[path] = error

        crew.each(questions, identify)
        lacking = [path for path, other in self._pairs if other is None]
        crew.each(
            [
                *((self._target, self._there, path) for path in lacking),
                *((self._source, self._wanted, path) for path in self._surplus),
            ],
            find,
        )

    def steps(self) -> Iterator[Step]:
        """Give what is to be done about each artefact."""
        errors = self._errors
        for path, other in self._pairs:
            held = self._wanted.held[path]
            target = self._unlisted.get((self._target, path))
            if other is not None:
                target = self._there.held[other]
            error = errors.get(path)
            if held.wrong is not None and not _is_same(held, target):
                error = error or held.wrong
            if error is not None:
                yield Step("conflict", path, held.size, held.sha256, reason=str(error))
            elif target is None:
                yield Step("copy", path, held.size, held.sha256)
            else:
                yield self._compared(path, held, target)
        for path in self._surplus:
            target = self._there.held[path]
            error = errors.get(path)
            if target.sha256 is None:
                error = error or target.wrong
            if error is not None:
                yield Step("conflict", path, target.size, reason=str(error))
            elif (self._source, path) in self._unlisted:
                yield self._compared(path, self._unlisted[self._source, path], target)
            elif self._target.kind(path) == "apps" and not self._target.may_delete_apps:
                yield Step(
                    "conflict",
                    path,
                    target.size,
                    replaces=target.sha256,
                    reason="The source lacks it, and Brood has no way to delete an app.",
                )
            else:
                yield Step("delete", path, target.size, replaces=target.sha256)

    def _compared(self, path: str, source: Held, target: Held) -> Step:
        if target.wrong is not None and target.sha256 is None:
            return Step("conflict", path, source.size, source.sha256, reason=str(target.wrong))
        action: Action = "skip" if source.sha256 == target.sha256 else "update"
        return Step(action, path, source.size, source.sha256, target.sha256)


def _is_same(source: Held, target: Held | None) -> bool:
    """Whether it is known that nothing has to move: an archive lists what it does not carry."""
    return target is not None and source.sha256 == target.sha256 is not None


def _missing(target: End, there: State, steps: list[Step]) -> list[Problem]:
    """Say which repositories there would have to be."""
    if there.repositories is None:
        return []
    wanted = {target.location(step.path).place for step in steps if step.action == "copy"}
    return [missing_repository(place) for place in sorted(wanted - set(there.repositories))]
