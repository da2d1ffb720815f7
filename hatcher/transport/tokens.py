"""Getting session tokens, and using them."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from hatcher.errors import HatcherException, InvalidJSONError
from hatcher.transport import answers
from hatcher.transport.agent import USER_AGENT
from hatcher.transport.auth import EXCHANGE_PATHS, BroodClientAuth
from hatcher.transport.channel import Channel, Headers, Incoming, Outgoing, Trouble
from hatcher.transport.faults import error_for
from hatcher.transport.request import Request
from hatcher.transport.retry import unsent
from hatcher.transport.secret import Secret

#: What a server answers where it gives out no session tokens.
_UNKNOWN = (404, 405)

#: What an exchange is in errors, which name the operation that it is for.
_EXCHANGE = Request("v1_create_session_token", "POST", EXCHANGE_PATHS[0], "safe")


class Reply(NamedTuple):
    """What came back for an exchange."""

    status_code: int
    headers: Headers
    content: bytes


def exchanging(auth: BroodClientAuth) -> Generator[Outgoing, Reply, None]:
    """Exchange credentials for a session token, and let `auth` remember it.

    Yields
    ------
    Outgoing
        A request to send; the reply to it is to be sent in.

    Raises
    ------
    BroodHTTPError, InvalidJSONError
        There is no token to be had.
    """
    for path in EXCHANGE_PATHS:
        outgoing = Outgoing(
            "POST",
            auth.server.origin,
            auth.server.prefix + path,
            {"User-Agent": USER_AGENT, "Accept": "application/json"},
            content_length=0,
            authorization=Secret(auth.credentials.authorization()),
        )
        reply = yield outgoing
        if reply.status_code not in _UNKNOWN:
            break
    auth.remember(_token_in(reply, outgoing.url))


class Exchanger:
    """Sends requests with a session token, and gets a new one when it must.

    Parameters
    ----------
    auth : BroodClientAuth
    channel : Channel
        What carries the requests.
    elsewhere : Channel
        What carries the exchanges; the same one, unless they verify certificates in
        another way.
    """

    def __init__(self, auth: BroodClientAuth, channel: Channel, elsewhere: Channel) -> None:
        self._auth = auth
        self._channel = channel
        self._elsewhere = elsewhere

    def send(self, outgoing: Outgoing, operation: str) -> Incoming:
        """Send a request of an operation; after a 401 once again, with a new token.

        Raises
        ------
        Trouble
        BroodHTTPError, InvalidJSONError
            There is no token to be had.
        """
        auth, renewed = self._auth, False
        with auth.lock:
            if auth.is_stale:
                self._exchange(operation)
                renewed = True
            sent = Secret(auth.authorization())
        incoming = self._channel.exchange(outgoing._replace(authorization=sent))
        if incoming.status_code != 401 or renewed:
            return incoming
        incoming.close()
        with auth.lock:
            # Another thread may have renewed it in the meantime.
            if auth.authorization() == sent.reveal():
                self._exchange(operation)
            sent = Secret(auth.authorization())
        return self._channel.exchange(outgoing._replace(authorization=sent))

    def close(self) -> None:
        """Close the connections that exchanges have of their own."""
        self._elsewhere.close()

    def _exchange(self, operation: str) -> None:
        """Get a token. When that fails, nothing of what it is for has been sent."""
        asked = _EXCHANGE._replace(operation=operation)
        steps = exchanging(self._auth)
        outgoing = next(steps)
        while True:
            try:
                reply = self._reply(outgoing)
            except Trouble as trouble:
                raise unsent(error_for(asked, outgoing.url, trouble)) from trouble
            try:
                outgoing = steps.send(reply)
            except StopIteration:
                return
            except HatcherException as error:
                unsent(error)
                raise

    def _reply(self, outgoing: Outgoing) -> Reply:
        incoming = self._elsewhere.exchange(outgoing)
        try:
            return Reply(incoming.status_code, incoming.headers, incoming.read(answers.MAX_CONTENT))
        finally:
            incoming.close()


def _token_in(reply: Reply, url: str) -> str:
    asked = "log in", "POST", url
    if not 200 <= reply.status_code < 300:
        advice = (
            "This server gives out no session tokens: pass the user name and password, or "
            "BroodBearerTokenAuth(token), as auth itself."
            if reply.status_code in _UNKNOWN
            else ""
        )
        raise answers.http_error(
            asked, reply.status_code, reply.headers, reply.content, advice=advice
        )
    document = answers.parse_json(asked, reply.headers, reply.content)
    token = document.get("token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token:
        raise InvalidJSONError(
            f"Could not {asked[0]}: the answer of {url} holds no session token.",
            method=asked[1],
            url=url,
        )
    return token
