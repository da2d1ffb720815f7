"""How much a plan may take away, so that a slip takes away little."""

from __future__ import annotations

from hatcher.errors import InvalidArgumentError

#: What may go when nobody says: this part of what there is, and at least so much.
_PART, _AT_LEAST = 10, 10


def most_deletes(there: int, given: int | None, gone: str = "deleted") -> int:
    """Return the most that may be taken away of so much that is there.

    Raises
    ------
    InvalidArgumentError
        What was given is no number from 0.
    """
    if given is None:
        return max(_AT_LEAST, there // _PART)
    if type(given) is not int or given < 0:
        raise InvalidArgumentError(
            f"max_deletes is {given!r}; give the most that may be {gone}, from 0, or nothing for a "
            "tenth."
        )
    return given
