"""What is to become of each artefact, as data."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from attrs import frozen

from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.transport.value import Value

Action: TypeAlias = Literal["copy", "update", "delete", "conflict", "skip"]

ACTIONS: tuple[Action, ...] = get_args(Action)


@frozen
class Step:
    """What is to become of one artefact.

    Parameters
    ----------
    action : {'copy', 'update', 'delete', 'conflict', 'skip'}
        ``copy``: the target lacks it; ``update``: the target has another one; ``delete``: the
        source lacks it; ``skip``: both have the same, by sha256; ``conflict``: nobody can say,
        or do it.
    path : str
        Where it stands below the place, such as ``rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``.
    size : int, optional
        Bytes of what moves, or goes; None where nobody says.
    sha256 : str, optional
        What the source has; of bundles and apps, the sha256 of the document.
    replaces : str, optional
        Likewise what the target has, of what is updated, deleted or skipped.
    reason : str, optional
        Of a conflict.
    """

    action: Action
    path: str
    size: int | None = None
    sha256: str | None = None
    replaces: str | None = None
    reason: str | None = None


class Steps(Value):
    """The data of a plan, which `hatcher.mirror.Plan` fills in and explains."""

    __match_args__ = (
        "source",
        "target",
        "steps",
        "problems",
        "selection",
        "prune",
        "max_deletes",
    )
    __slots__ = __match_args__

    source: str
    target: str
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    selection: Selection
    prune: bool
    max_deletes: int

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
