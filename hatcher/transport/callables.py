"""Having a callable of the user's own put credentials on a request."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from hatcher.errors import InvalidArgumentError
from hatcher.transport.auth import CallableAuth, is_requests_auth
from hatcher.transport.channel import MutableHeaders, Outgoing
from hatcher.transport.retry import call_of_user
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


def signed(auth: CallableAuth, outgoing: Outgoing) -> tuple[dict[str, str], dict[str, Secret]]:
    """Return the headers that a callable leaves as they were, and those that it sets.

    What it sets may be secret, whatever it is called. It may do nothing else.
    """
    of_requests = is_requests_auth(auth)
    request: Any = (
        _prepared(outgoing)
        if of_requests
        else AuthRequest(outgoing.method, outgoing.url, outgoing.headers)
    )
    before, body = request.headers.copy(), getattr(request, "body", None)
    returned = call_of_user(auth, request)
    if of_requests and isinstance(returned, type(request)):
        request = returned
    if fault := _fault(request, returned, outgoing, body):
        raise InvalidArgumentError(
            f"The {type(auth).__name__} that was given as auth {fault} Nothing was sent."
        )
    kept: dict[str, str] = {}
    added: dict[str, Secret] = {}
    for name, value in request.headers.items():
        if before.get(name) == value:
            kept[name] = value
        else:
            added[name] = Secret(value.decode("latin-1") if isinstance(value, bytes) else value)
    return kept, added


def _fault(request: Any, returned: object, outgoing: Outgoing, body: object) -> str:
    """Return what a callable has done wrong, and what to do; empty if nothing."""
    if returned is not None and returned is not request:
        return (
            f"returned a {type(returned).__name__}. It must change request.headers, and return "
            "None or the request."
        )
    if any(getattr(request, "hooks", {}).values()):
        return (
            "needs the answers, which hatcher does not pass to auth objects of requests. Give an "
            "httpx.Auth, such as httpx.DigestAuth(user name, password)."
        )
    is_same = (request.method, request.url) == (outgoing.method, outgoing.url)
    if not is_same or getattr(request, "body", None) is not body:
        return "changed more of the request than its headers, which hatcher cannot send."
    if not isinstance(request.headers, Mapping):
        return (
            f"replaced request.headers with a {type(request.headers).__name__}. It must set "
            "single headers."
        )
    return ""


def _prepared(outgoing: Outgoing) -> Any:
    """Return a request as requests has it, quoted as it will be sent."""
    requests = sys.modules["requests"]
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url = outgoing.method, outgoing.url
    prepared.headers = requests.structures.CaseInsensitiveDict(outgoing.headers)
    prepared.body = outgoing.body[0] if isinstance(outgoing.body, tuple) else outgoing.body
    return prepared
