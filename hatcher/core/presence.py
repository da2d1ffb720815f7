"""Creating what may be there already, and deleting what may be gone: `exist_ok`, `missing_ok`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hatcher.core.node import Node
from hatcher.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
)
from hatcher.transport.request import Request

T = TypeVar("T")


def create(
    send: Callable[[Request], T],
    request: Request,
    is_there: Callable[[], bool] | None,
    difference: Callable[[], str] = str,
) -> T | None:
    """Have something created.

    Parameters
    ----------
    send : callable
        Sends the request.
    request : Request
    is_there : callable or None
        Looks whether the server has it; None when that is an error.
    difference : callable, optional
        Says in what the one that is there differs from the one that was asked for.

    Returns
    -------
    object or None
        What `send` returned; None when it is there already.

    Raises
    ------
    ConflictError
        It is there, which is an error, or it is not as was asked for.
    """
    try:
        return send(request)
    except (BadRequestError, ConflictError) as error:
        # It may be refused for another reason, too.
        if is_there is None or not _proven(is_there):
            raise
        differs = difference()
        if not differs:
            return None
        raise ConflictError(
            request.action,
            method=error.method,
            url=error.url,
            response=error.response,
            error=error.error,
            advice=differs,
        ) from error


def delete(
    node: Node, operation: str, is_gone: Callable[[], bool] | None, **arguments: Any
) -> None:
    """Have something deleted.

    Parameters
    ----------
    node : Node
    operation : str
    is_gone : callable or None
        Shows that what it was in is there, and it is not: a 404 may also mean that the caller may
        not see it, or that another name is wrong. None when a missing one is an error.
    **arguments
        Of the request.

    Raises
    ------
    NotFoundError
        It is not there, which is an error, or nobody can say so.
    """
    try:
        node._send(operation, **arguments)
    except NotFoundError:
        if is_gone is None or not _proven(is_gone):
            raise


def _proven(look: Callable[[], bool]) -> bool:
    # Imported here, for those to whom nothing is missing.
    from hatcher.core.places import HIDDEN

    try:
        return look()
    except HIDDEN:
        return False


def differing(what: str, there: object, asked: object) -> str:
    """Say that something is there with another setting; nothing when it is the same."""
    if there == asked:
        return ""
    return f"It has the {what} {there!r}, not {asked!r}: ask for that, or delete it first."
