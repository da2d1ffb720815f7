"""Answers that say no: raised anywhere below a handler, sent as ``{"error": …}``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.responses import JSONResponse

from hatcher.characters import shown

#: The longest message, in characters: what a client sent comes back in part at most.
_LONGEST = 500


class Refusal(Exception):  # noqa: N818 - a refusal is no fault of the server
    """The request is answered with an error status.

    Parameters
    ----------
    status : int
        The HTTP status, 400 or above.
    message : str
        What the client is told: what is wrong, and what to do.
    headers : mapping of str to str, optional
        Headers that the answer carries besides.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Return the answer to send."""
        message = shown(self.message[: _LONGEST + 1])
        if len(message) > _LONGEST:
            # What to do about it stands at the end.
            message = f"{message[: _LONGEST // 2]} ... {shown(self.message[-_LONGEST // 2 :])}"
        headers = {"Cache-Control": "no-store", **self.headers}
        return JSONResponse({"error": message}, self.status, headers)


#: The request itself is wrong.
bad_request = partial(Refusal, 400)
#: It is visible, but not allowed.
forbidden = partial(Refusal, 403)
#: There is no such thing, or none that the account may see.
not_found = partial(Refusal, 404)
#: Something else stands there already.
conflict = partial(Refusal, 409)


def unauthenticated(message: str) -> Refusal:
    """Return a 401 with both ways to authenticate."""
    return Refusal(
        401, message, {"WWW-Authenticate": 'Basic realm="Brood", charset="UTF-8", Bearer'}
    )


def unavailable(message: str) -> Refusal:
    """Return a 503: it may well work in a moment."""
    return Refusal(503, message, {"Retry-After": "1"})
