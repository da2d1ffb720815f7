"""Having a callable of the user's own put credentials on a request."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.transport.auth import CallableAuth, is_requests_auth
from hatcher.transport.channel import MutableHeaders, Outgoing
from hatcher.transport.retry import final
from hatcher.transport.secret import Secret
from hatcher.transport.urls import showable


class AuthRequest:
    """What a callable that was given as `auth` sees of a request, and what it may change of it.

    Attributes
    ----------
    method : str
        Such as ``GET``.
    url : str
        The whole URL, as it is sent.
    headers : MutableHeaders
        What the callable puts into them is sent.
    """

    __slots__ = ("headers", "method", "url")

    def __init__(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        self.method = method
        self.url = url
        self.headers: MutableMapping[str, str] = MutableHeaders(headers)

    def __repr__(self) -> str:
        return f"<AuthRequest {self.method} {showable(self.url)}>"


def signed(auth: CallableAuth, outgoing: Outgoing) -> Outgoing:
    """Return a request with what a callable puts into its headers.

    What the callable raises is let through.

    Raises
    ------
    InvalidArgumentError
        It did something else than that.
    """
    of_requests = is_requests_auth(auth)
    request: Any = (
        _prepared(outgoing)
        if of_requests
        else AuthRequest(outgoing.method, outgoing.url, outgoing.headers)
    )
    body = request.body if of_requests else None
    try:
        returned = auth(request)
    except HatcherException as error:
        final(error)  # it is no failure of the request
        raise
    name = type(auth).__name__
    if returned is not None and returned is not request:
        if not of_requests or not isinstance(returned, type(request)):
            raise InvalidArgumentError(
                f"The {name} that was given as auth returned a {type(returned).__name__}. Have it "
                "change request.headers, and return None or the request. Nothing was sent."
            )
        request = returned
    if of_requests and any(request.hooks.values()):
        raise InvalidArgumentError(
            f"A {name} waits for answers, which hatcher hands to no auth of requests. Give an "
            "httpx.Auth, such as httpx.DigestAuth(user name, password). Nothing was sent."
        )
    is_same = (request.method, request.url) == (outgoing.method, outgoing.url)
    if not is_same or (of_requests and request.body is not body):
        raise InvalidArgumentError(
            f"The {name} that was given as auth changed more of the request than its headers, "
            "which hatcher does not send. Nothing was sent."
        )
    if not isinstance(request.headers, Mapping):
        raise InvalidArgumentError(
            f"The {name} that was given as auth replaced request.headers by a "
            f"{type(request.headers).__name__}. Have it set single headers. Nothing was sent."
        )
    before = MutableHeaders(outgoing.headers)
    return outgoing._replace(
        headers={
            name: value for name, value in request.headers.items() if before.get(name) == value
        },
        # What it has set may be secret, whatever it is called.
        credentials={
            name: Secret(value.decode("latin-1") if isinstance(value, bytes) else value)
            for name, value in request.headers.items()
            if before.get(name) != value
        },
    )


def _prepared(outgoing: Outgoing) -> Any:
    """Return a request as requests knows it. Nothing is quoted anew: it is as it will be sent."""
    requests = sys.modules["requests"]
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url = outgoing.method, outgoing.url
    prepared.headers = requests.structures.CaseInsensitiveDict(outgoing.headers)
    prepared.body = outgoing.body[0] if isinstance(outgoing.body, tuple) else outgoing.body
    return prepared
