"""Putting credentials on requests; and getting session tokens, and renewing them."""

from __future__ import annotations

from collections.abc import Iterator

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
from hatcher.transport.faults import error_for
from hatcher.transport.request import RequestInfo
from hatcher.transport.retry import unsent
from hatcher.transport.secret import Redactor, Secret
from hatcher.transport.urls import showable

#: What a server without session tokens answers.
_UNKNOWN = (404, 405)

#: Bytes that the answer to an exchange may have.
_MAX_REPLY = 1 << 20


class Authenticator:
    """Puts credentials on requests; exchanges for session tokens go through a channel."""

    def __init__(
        self, auth: BroodAuth | CallableAuth, channel: Channel, redactor: Redactor
    ) -> None:
        self._auth = auth
        self._channel = channel
        self._redactor = redactor

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

            yield self._noted(signed(auth, outgoing)), True
            return
        if not isinstance(auth, BroodClientAuth):
            yield self._with(outgoing, auth.header), True
            return
        with auth.lock:
            is_new = auth.is_stale
            if is_new:
                self._exchange(auth, outgoing.operation)
            refused = auth.header
        yield self._with(outgoing, refused), is_new
        with auth.lock:
            # Another thread may have renewed it in the meantime.
            if auth.header is refused:
                self._exchange(auth, outgoing.operation)
        yield self._with(outgoing, auth.header), True

    def close(self) -> None:
        """Close the connections that exchanges have of their own."""
        self._channel.close()

    def _with(self, outgoing: Outgoing, header: Secret | None) -> Outgoing:
        assert header is not None
        return self._noted(outgoing._replace(credentials={"Authorization": header}))

    def _noted(self, outgoing: Outgoing) -> Outgoing:
        for secret in outgoing.credentials.values():
            self._redactor.learn(secret)
        return outgoing

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
                )
                reply = self._reply(self._with(outgoing, auth.credentials.header))
                if reply.status_code not in _UNKNOWN:
                    break
            auth.remember(_token_in(reply, outgoing.url, self._redactor))
        except ChannelError as error:
            info = outgoing._replace(operation=operation).info(self._redactor)
            raise unsent(error_for(info, error)) from error
        except HatcherException as error:
            unsent(error)
            raise

    def _reply(self, outgoing: Outgoing) -> answers.Answer:
        incoming = self._channel.exchange(outgoing)
        try:
            return answers.Answer(incoming.status_code, incoming.headers, incoming.read(_MAX_REPLY))
        finally:
            incoming.close()


def _token_in(reply: answers.Answer, url: str, redact: Redactor) -> str:
    """Return the session token in the reply to an exchange."""
    info = RequestInfo("log_in", "POST", showable(url), redact=redact)
    if 300 <= reply.status_code < 400:
        where = redact(showable(reply.headers.get("Location", "nowhere")))[:200]
        raise RedirectError(
            f"Could not log in: POST {info.url} was redirected to {where}, where credentials do not "
            "follow. If the server has moved, give its new URL to BroodClientAuth.",
            method="POST",
            url=info.url,
        )
    if not 200 <= reply.status_code < 300:
        advice = (
            "This server gives out no session tokens: pass the user name and password, or "
            "BroodBearerTokenAuth(token), as auth itself."
            if reply.status_code in _UNKNOWN
            else ""
        )
        raise answers.http_error(
            info, reply.status_code, reply.headers, reply.content, advice=advice
        )
    document = answers.parse_json(info, reply.headers, reply.content, parsing.loads)
    token = document.get("token") if isinstance(document, dict) else None
    if not is_token(token):
        # It is checked like a user's, since it becomes a line of the next request.
        what = "no session token" if token is None else "an invalid session token"
        raise InvalidJSONError(
            f"Could not log in: the answer of {info.url} contains {what}. Check that the URL given to "
            "BroodClientAuth is that of a Brood server.",
            method="POST",
            url=info.url,
        )
    return token
