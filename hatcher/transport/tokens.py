"""Putting credentials on requests; and getting session tokens, and renewing them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hatcher.errors import HatcherException, InvalidJSONError, RedirectError
from hatcher.transport import answers, parsing
from hatcher.transport.auth import (
    EXCHANGE_PATHS,
    BroodAuth,
    BroodClientAuth,
    CallableAuth,
    is_token,
)
from hatcher.transport.channel import USER_AGENT, Channel, ChannelError, Outgoing
from hatcher.transport.faults import error_for, failure
from hatcher.transport.retry import unsent
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
            # Imported here, for those who have one.
            from hatcher.transport.callables import signed

            headers, credentials = signed(auth, outgoing)
            yield self._with(outgoing._replace(headers=headers), credentials), True
            return
        if not isinstance(auth, BroodClientAuth):
            yield self._authorized(outgoing, auth.header), True
            return
        with auth.lock:
            is_new = auth.is_stale
            if is_new:
                self._exchange(auth, outgoing.operation)
            refused = auth.header
        yield self._authorized(outgoing, refused), is_new
        with auth.lock:
            # Another thread may have renewed it in the meantime.
            if auth.header is refused:
                self._exchange(auth, outgoing.operation)
        yield self._authorized(outgoing, auth.header), True

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
