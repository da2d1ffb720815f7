"""What planning and applying both do with two ends, and say of them."""

from __future__ import annotations

from collections.abc import Iterable

from hatcher.errors import BroodHTTPError, HatcherException
from hatcher.mirror.ends.base import End, read_state, settle
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.mirror.states import State


def states_of(
    ends: tuple[End, End],
    selection: Selection,
    concurrency: int | None,
    seen: Iterable[str] = (),
) -> tuple[State, State]:
    """Read what the two ends have; `seen` are folders that there was something in.

    Raises
    ------
    HatcherException
        One of them could not be read at all, or there is no such source, or no such organization
        for the target.
    """
    wanted = read_state(ends[0], selection, concurrency)
    there = ends[1].state(selection, concurrency)
    if isinstance(there.missing, BroodHTTPError) and there.repositories is None:
        raise _missing_organization(there.missing, ends[1])
    settle(ends, (wanted, there), seen)
    return wanted, there


def _missing_organization(error: BroodHTTPError, target: End) -> BroodHTTPError:
    """Return the one error for all that would go to an organization that is not there."""
    missing = getattr(error, "missing", None)
    if missing is not None and missing.question:
        return error
    assert target.names is not None
    return type(error)(
        f"find the organization '{target.names[0]}' of the target",
        method=error.method,
        url=error.url,
        response=error.response,
        error=error.error,
        advice="A mirror creates no organizations: ask an administrator of the server for it.",
    )


def too_many(target: str, deletes: int, most: int) -> Problem:
    """Return what is to be said when more would be deleted than may be."""
    return Problem(
        target,
        HatcherException(
            f"{deletes:,} artefacts would be deleted, and at most {most:,} may be: nothing is. "
            f"Check the source; if it is right, plan again with max_deletes={deletes}."
        ),
    )


def missing_repository(place: str) -> Problem:
    """Return what is to be said of a repository that is not there."""
    return Problem(
        place,
        HatcherException(
            "There is no such repository on the server, or you may not see it. Create it, or "
            "apply the plan with create_missing=True."
        ),
    )
