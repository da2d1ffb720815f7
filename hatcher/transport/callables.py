"""Having a callable of the user's own put credentials on a request."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, NoReturn

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
    """Return a request with what a callable puts into its headers, and nothing else it does."""
    of_requests = is_requests_auth(auth)
    request: Any = (
        _prepared(outgoing)
        if of_requests
        else AuthRequest(outgoing.method, outgoing.url, outgoing.headers)
    )
    body = getattr(request, "body", None)
    try:
        returned = auth(request)
    except HatcherException as error:
        final(error)  # it is no failure of the request
        raise
    if of_requests and isinstance(returned, type(request)):
        request = returned
    elif returned is not None and returned is not request:
        _refuse(
            auth,
            f"returned a {type(returned).__name__}",
            "It must change request.headers, and return None or the request.",
        )
    if any(getattr(request, "hooks", {}).values()):
        _refuse(
            auth,
            "needs the answers, which hatcher does not pass to auth objects of requests",
            "Give an httpx.Auth, such as httpx.DigestAuth(user name, password).",
        )
    is_same = (request.method, request.url) == (outgoing.method, outgoing.url)
    if not is_same or getattr(request, "body", None) is not body:
        _refuse(auth, "changed more of the request than its headers, which hatcher cannot send")
    if not isinstance(request.headers, Mapping):
        replaced = f"replaced request.headers with a {type(request.headers).__name__}"
        _refuse(auth, replaced, "It must set single headers.")
    return _with_headers(outgoing, request.headers)


def _refuse(auth: CallableAuth, what: str, advice: str = "") -> NoReturn:
    sentences = f"The {type(auth).__name__} that was given as auth {what}. {advice}".strip()
    raise InvalidArgumentError(f"{sentences} Nothing was sent.")


def _with_headers(outgoing: Outgoing, given: Mapping[str, Any]) -> Outgoing:
    """Return a request with other headers; what differs may be secret, whatever it is called."""
    before = MutableHeaders(outgoing.headers)
    headers: dict[str, str] = {}
    credentials: dict[str, Secret] = {}
    for name, value in given.items():
        if before.get(name) == value:
            headers[name] = value
        else:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            credentials[name] = Secret(text)
    return outgoing._replace(headers=headers, credentials=credentials)


def _prepared(outgoing: Outgoing) -> Any:
    """Return a request as requests has it, quoted as it will be sent."""
    requests = sys.modules["requests"]
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url = outgoing.method, outgoing.url
    prepared.headers = requests.structures.CaseInsensitiveDict(outgoing.headers)
    prepared.body = outgoing.body[0] if isinstance(outgoing.body, tuple) else outgoing.body
    return prepared
