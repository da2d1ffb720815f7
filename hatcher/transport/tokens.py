"""Putting credentials on requests; and getting session tokens, and renewing them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from hatcher.cancel import holding
from hatcher.errors import HatcherException, InvalidArgumentError, InvalidJSONError, RedirectError
from hatcher.transport import answers, parsing
from hatcher.transport.auth import (
    EXCHANGE_PATHS,
    BroodAuth,
    BroodClientAuth,
    CallableAuth,
    is_requests_auth,
    is_token,
)
from hatcher.transport.channel import USER_AGENT, Channel, ChannelError, MutableHeaders, Outgoing
from hatcher.transport.faults import error_for, failure
from hatcher.transport.retry import call_of_user, unsent
from hatcher.transport.secret import Redactor, Secret
from hatcher.transport.urls import showable

#: What a server without session tokens answers.
_UNKNOWN = (404, 405)

#: Bytes that the answer to an exchange may have.
_MAX_REPLY = 1 << 20

_NO_TOKENS = (
    "This server gives out no session tokens: pass the user name and password, or "
    "BroodBearerTokenAuth(token), as auth itself."
)


class Authenticator:
    """Puts credentials on requests; exchanges for session tokens go through a channel."""

    def __init__(self, auth: BroodAuth | CallableAuth, channel: Channel, redact: Redactor) -> None:
        self._auth = auth
        self._channel = channel
        self._redact = redact

    @property
    def exchanges(self) -> bool:
        """Whether it sends something itself, and may have to wait for it."""
        return isinstance(self._auth, BroodClientAuth)

    def attempts(self, outgoing: Outgoing) -> Iterator[tuple[Outgoing, bool]]:
        """Yield a request with credentials, and with others for when those are refused.

        With each comes whether a 401 is final; if not, go on after one. Raises HatcherException when
        no session token is to be had, and whatever a user's callable raises.
        """
        auth = self._auth
        if not isinstance(auth, BroodAuth):
            headers, credentials = signed(auth, outgoing)
            yield self._with(outgoing._replace(headers=headers), credentials), True
            return
        if not isinstance(auth, BroodClientAuth):
            yield self._authorized(outgoing, auth.header), True
            return
        with holding(auth.lock):
            is_new = auth.is_stale and not auth._recall()
            if is_new:
                self._exchange(auth, outgoing.operation)
            refused = auth.header
        yield self._authorized(outgoing, refused), is_new
        with holding(auth.lock):
            # Another thread may have renewed it in the meantime.
            if auth.header is refused:
                auth._forget()
                self._exchange(auth, outgoing.operation)
        yield self._authorized(outgoing, auth.header), True

    def at_hand(self, outgoing: Outgoing, *, is_admitted: bool) -> Outgoing | None:
        """Return a request with credentials that the server has accepted; None without any."""
        auth = self._auth
        if isinstance(auth, BroodClientAuth):
            with holding(auth.lock):
                if auth.is_stale and not auth._recall():
                    return None
                return self._authorized(outgoing, auth.header)
        if isinstance(auth, BroodAuth) and is_admitted:
            return self._authorized(outgoing, auth.header)
        return None

    def forget(self) -> None:
        """Have no session token kept that the server does not accept."""
        if isinstance(self._auth, BroodClientAuth):
            self._auth._forget()

    def close(self) -> None:
        """Close the connections that exchanges have of their own."""
        self._channel.close()

    def _authorized(self, outgoing: Outgoing, header: Secret | None) -> Outgoing:
        assert header is not None
        return self._with(outgoing, {"Authorization": header})

    def _with(self, outgoing: Outgoing, credentials: Mapping[str, Secret]) -> Outgoing:
        for secret in credentials.values():
            self._redact.learn(secret)
        return outgoing._replace(credentials=credentials)

    def _exchange(self, auth: BroodClientAuth, operation: str) -> None:
        """Get a token for an operation, of which nothing has been sent if that fails."""
        try:
            for path in EXCHANGE_PATHS:
                outgoing = Outgoing(
                    "POST",
                    auth.server.origin,
                    auth.server.prefix + path,
                    {"User-Agent": USER_AGENT, "Accept": "application/json"},
                    content_length=0,
                    redact=self._redact,
                )
                outgoing = self._authorized(outgoing, auth.credentials.header)
                wanted = outgoing._replace(operation=operation)
                try:
                    incoming = self._channel.exchange(outgoing)
                except ChannelError as error:
                    raise error_for(wanted, error) from error
                reply = answers.receive(wanted, incoming, _MAX_REPLY)
                if reply.status_code not in _UNKNOWN:
                    break
            auth.remember(_token_in(reply, outgoing._replace(operation="log_in")))
        except HatcherException as error:
            unsent(error)
            raise


def _token_in(reply: answers.Answer, outgoing: Outgoing) -> str:
    """Return the session token in the reply to an exchange."""
    if 300 <= reply.status_code < 400:
        where = outgoing.redact(showable(reply.headers.get("Location", "nowhere")))[:200]
        raise failure(
            RedirectError,
            outgoing,
            f"POST {outgoing.shown_url} was redirected to {where}, where credentials do not "
            "follow. If the server has moved, give its new URL to BroodClientAuth.",
        )
    if not 200 <= reply.status_code < 300:
        advice = _NO_TOKENS if reply.status_code in _UNKNOWN else ""
        raise answers.http_error(outgoing, *reply, advice=advice)
    document = answers.parse_json(outgoing, parsing.loads, *reply[1:])
    token = document.get("token") if isinstance(document, dict) else None
    if not is_token(token):
        # It is checked like a user's, since it becomes a line of the next request.
        what = "no session token" if token is None else "an invalid session token"
        raise failure(
            InvalidJSONError,
            outgoing,
            f"the answer of {outgoing.shown_url} contains {what}. Check that the URL given to "
            "BroodClientAuth is that of a Brood server.",
        )
    return token


# -- callables of the user's own ---------------------------------------------------------


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
