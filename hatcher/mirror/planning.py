"""What would have to be done, so that one place has what another one has.

It is told and not done: what a plan says can be done with `export` and `import_`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hatcher.core.organization import Organization
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.ends.states import Held, Place, State, names_of, state_of_folder, state_of_place
from hatcher.mirror.exporting import check_kinds
from hatcher.mirror.layout import Kind
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import select
from hatcher.transfer.batch import Crew, Tally, checked_concurrency
from hatcher.transport.value import Value

Action: TypeAlias = Literal["copy", "update", "delete", "conflict", "skip"]

_ACTIONS: tuple[Action, ...] = ("copy", "update", "delete", "conflict", "skip")

#: What a plan is about when nobody says, by the version of the API.
_USUAL: dict[int, tuple[Kind, ...]] = {0: ("eggs",), 1: ("eggs", "runtimes", "bundles")}


class Step(Value):
    """What would become of one artefact.

    Parameters
    ----------
    action : {'copy', 'update', 'delete', 'conflict', 'skip'}
        ``copy``: the target lacks it; ``update``: the target has another one; ``delete``: the
        source lacks it; ``skip``: both have the same, by sha256; ``conflict``: nobody can say.
    path : str
        Where it stands below the place, such as ``rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``.
    size : int, optional
        Bytes of what would move; None where nobody says.
    reason : str, optional
        Of a conflict.
    """

    __match_args__ = ("action", "path", "size", "reason")
    __slots__ = __match_args__

    action: Action
    path: str
    size: int | None
    reason: str | None

    def __init__(
        self, action: Action, path: str, size: int | None = None, reason: str | None = None
    ) -> None:
        super().__init__(action, path, size, reason)


class Plan(Value):
    """What would have to be done, so that a target has what a source has; pure data.

    True when there is anything to do, or to look into.

    Parameters
    ----------
    source, target : str
        For people.
    steps : tuple of Step
        One for each artefact that is asked for, sorted by path.
    problems : tuple of Problem
        What could not be read, at either end. When it is something of the source, nothing is to be
        deleted.
    """

    __match_args__ = ("source", "target", "steps", "problems")
    __slots__ = __match_args__

    source: str
    target: str
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]

    def __init__(
        self, source: str, target: str, steps: tuple[Step, ...], problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(source, target, steps, problems)

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

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            ``source``, ``target``, ``steps`` (each with ``action``, ``path``, ``size`` and
            ``reason``) and ``problems`` (each with ``place`` and ``error``).
        """
        return {
            "source": self.source,
            "target": self.target,
            "steps": [
                {name: getattr(step, name) for name in Step.__match_args__} for step in self.steps
            ],
            "problems": [
                {"place": problem.place, "error": str(problem.error)} for problem in self.problems
            ],
        }

    def __bool__(self) -> bool:
        return bool(self.problems) or any(step.action != "skip" for step in self.steps)

    def __str__(self) -> str:
        counts = Counter(step.action for step in self.steps)
        number = len(self.steps)
        parts = [f"{counts[action]} {action}" for action in _ACTIONS if counts[action]]
        summary = f"{number} artefact{'' if number == 1 else 's'}"
        lines = [f"{summary}: {', '.join(parts)}" if parts else summary]
        for step in self.steps:
            if step.action != "skip":
                because = f": {step.reason}" if step.reason else ""
                lines.append(f"{step.action} {step.path}{because}")
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])


def plan(
    source: Place | str | os.PathLike[str],
    target: Place | str | os.PathLike[str],
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    prune: bool = False,
    concurrency: int | None = None,
) -> Plan:
    """Compare two places, and say what would have to be done; changes nothing.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of each server, and likewise for runtimes and bundles. What an index
    says no hash of, as for bundles, is asked for one by one, where both ends have it.

    What counts is the sha256, of bundles that of their documents; neither names nor times alone.
    Eggs that are disabled stand in no index, and so are taken for missing.

    Parameters
    ----------
    source, target : Organization, Repository, SinglePlatformRepository, str or path-like
        Two places of the same kind, on one server or on two; or one of them, and the folder of an
        export, in which that place is looked for.
    kinds : iterable of {'eggs', 'runtimes', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags : iterable of str, optional
        By default all.
    prune : bool, default False
        Delete what the target has and the source lacks. Nothing is to be deleted when the source
        could not be read whole.
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
        One of them could not be read at all.
    """
    places = [end for end in (source, target) if isinstance(end, _PLACES)]
    if not places:
        raise InvalidArgumentError(
            "Two folders cannot be compared. Give a place on a server for one of them, such as a "
            "repository."
        )
    if len({type(place) for place in places}) > 1:
        raise InvalidArgumentError(
            f"{places[0]!r} and {places[1]!r} cannot be compared. Give two organizations, two "
            "repositories or two platforms."
        )
    version = places[0]._session.api_version
    selection = select(_USUAL[version] if kinds is None else kinds, None, platforms, python_tags)
    for place in places:
        check_kinds(selection, place._session.api_version)
    number = checked_concurrency(concurrency)

    def state_of(end: Place | str | os.PathLike[str]) -> State:
        if isinstance(end, _PLACES):
            return state_of_place(end, selection, concurrency)
        return state_of_folder(end, names_of(places[0]), version, selection)

    wanted, there = state_of(source), state_of(target)
    both = [path for path in wanted.held if path in there.held]

    def interrupt() -> None:
        for place in places:
            place._session.interrupt()

    steps = _compared(both, wanted, there, Crew(number, None, interrupt))
    steps += [_lacking(path, wanted.held[path]) for path in wanted.held.keys() - both]
    if prune and not wanted.problems:
        steps += [Step("delete", path, there.held[path].size) for path in there.held.keys() - both]
    return Plan(
        _shown(source),
        _shown(target),
        tuple(sorted(steps, key=lambda step: step.path)),
        (*wanted.problems, *there.problems),
    )


_PLACES = (Organization, Repository, SinglePlatformRepository)


def _compared(both: list[str], wanted: State, there: State, crew: Crew) -> list[Step]:
    steps: list[Step] = []

    def compare(path: str, _: Tally) -> None:
        source, target = wanted.held[path], there.held[path]
        try:
            action: Action = "skip" if _is_same(source, target) else "update"
            steps.append(Step(action, path, source.size))
        except (HatcherException, OSError) as error:
            steps.append(Step("conflict", path, source.size, str(error)))

    crew.each(both, compare)
    return steps


def _lacking(path: str, held: Held) -> Step:
    if held.wrong is not None:
        return Step("conflict", path, held.size, str(held.wrong))
    return Step("copy", path, held.size)


def _is_same(source: Held, target: Held) -> bool:
    return source.sha256() == target.sha256()


def _shown(end: Place | str | os.PathLike[str]) -> str:
    if isinstance(end, _PLACES):
        return f"{'/'.join(names_of(end))} on {end._session.server}"
    return str(Path(end))
