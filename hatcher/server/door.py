"""The door: what every request must be, before anything else looks at it, and what it is called."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hatcher.characters import all_show
from hatcher.server.refusals import Refusal, bad_request, forbidden

_READING = ("GET", "HEAD", "OPTIONS")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Door:
    """An application that lets only sound requests through to another one, each under a name.

    Parameters
    ----------
    app : callable
        The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, and pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = scope["request_id"] = request_id(scope["headers"])

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"x-request-id", name.encode())]
                message = {**message, "headers": headers}
            await send(message)

        try:
            _check_text("path", scope["raw_path"])
            _check_text("query", scope["query_string"].replace(b"+", b" "))
            _check_origin(Request(scope))
            await self._app(scope, receive, send_named)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send_named)
        except ClientDisconnect:
            pass  # Nobody is there to be answered.


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return what a request is called: as it says itself, if that can stand in a log, or anew."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return secrets.token_hex(8)


def _check_text(what: str, sent: bytes) -> None:
    """Refuse what is no text, or text that no name can have: some databases take no NUL."""
    try:
        text = unquote_to_bytes(sent).decode()
    except UnicodeDecodeError as error:
        raise bad_request(f"The {what} is not percent-encoded UTF-8.") from error
    if not all_show(text):
        raise bad_request(f"The {what} has characters that do not show. Send it without them.")


def _check_origin(request: Request) -> None:
    """Refuse what the page of another site lets a browser send, with what the browser knows."""
    if request.method in _READING:
        return
    site, origin = (request.headers.get(name) for name in ("sec-fetch-site", "origin"))
    if site is not None:
        own = site in ("none", "same-origin")
    else:
        # Before the server may stand a proxy that speaks https: only the host is compared.
        own = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if not own:
        raise forbidden("The request comes from the page of another site. Send it from elsewhere.")
