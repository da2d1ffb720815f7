"""Connections: what a client may send, and how long it may take, before anybody answers it.

uvicorn sets no limit to a head, to the time that a head or a body takes, nor to the number of
connections, and it writes a warning for every request that is none.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import httptools
from starlette.requests import ClientDisconnect
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from hatcher.server.door import request_id
from hatcher.server.refusals import Refusal, bad_request, unavailable

#: The largest head of a request, in bytes, and the most lines in it.
MAX_HEAD = 64 << 10
MAX_HEADER_LINES = 100
#: How long a head may take, in seconds, and how long a body may bring nothing.
HEAD_TIME = 10.0
BODY_TIME = 60.0
#: How long a client may take nothing of its answer, in seconds.
ANSWER_TIME = 300.0
#: How long an unused connection is kept, in seconds: longer than clients keep theirs, so
#: that they do not send into one that is just being closed.
KEEP_ALIVE = 75.0
#: How many bytes of a body are still read, and dropped, once its request is answered: many
#: clients read no answer before they have sent all.
MAX_LATE = 16 << 20
#: How many requests may wait on one connection for the answer to the one before.
_MAX_PIPELINE = 100
#: What a process needs descriptors for besides connections.
_RESERVED = 256
#: The most connections at once; each may need a descriptor for a file, too.
_MAX_CONNECTIONS = 2000

logger = logging.getLogger(__name__)


def raise_descriptor_limit() -> None:
    """Let this process open as many files as it is allowed to, as far as that is of use."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _MAX_CONNECTIONS + _RESERVED
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Return how many connections this process may have, by its limit of descriptors."""
    try:
        import resource
    except ImportError:
        return _MAX_CONNECTIONS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(16, min(_MAX_CONNECTIONS, (soft - _RESERVED) // 2))


class Connection(HttpToolsProtocol):
    """A connection of uvicorn's, with limits."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most = most_connections()
        #: When its head began, while one arrives; the first is awaited from the start.
        self._head_since: float | None = self.loop.time()
        #: When anything last moved.
        self._touched = self.loop.time()
        self._in_body = False
        self._refused = False
        self._head = 0  # bytes of the head, as far as it has been read
        self._unread = 0  # bytes since a head was whole, or something of a body came
        self._unsent = 0
        self._late = 0  # bytes of the body since its request was answered

    # What asyncio calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of one that waits when there are too many."""
        super().connection_made(transport)
        if len(self.connections) <= self._most:
            return
        others = cast("set[Connection]", self.connections) - {self}
        waiting = [other for other in others if other.waits]
        if waiting:
            oldest = min(waiting, key=lambda other: other._touched)
            self.connections.discard(oldest)
            oldest.transport.abort()
        else:
            self.refuse(unavailable("The server has too many connections. Try again in a moment."))

    def data_received(self, data: bytes) -> None:
        """Read what has arrived."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        self._touched = self.loop.time()
        self._unread += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # What it would change to is not spoken here; the request is one like any other.
            self.cycle.keep_alive = False
            self._refused = True
        except httptools.HttpParserError as error:
            cause = error.__context__
            malformed = bad_request("This is no HTTP request.")
            self.refuse(cause if isinstance(cause, Refusal) else malformed)
        else:
            if self._unread > MAX_HEAD:
                self.refuse(_too_large())

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep a connection that its client has half closed, until the answer is sent."""
        if self._in_body or self.waits:
            return False
        self.cycle.keep_alive = False
        return True

    # What the parser calls

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a line of the head, or one that follows a body in chunks."""
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4)
        if len(self.headers) > MAX_HEADER_LINES:
            raise _too_large()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._head = self._late = 0
        if self._head_since is None:
            self._head_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Let the application answer: the head is whole."""
        self._unread = 0
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            raise bad_request("This server speaks HTTP/1.1.")
        if len(self.pipeline) >= _MAX_PIPELINE:
            raise bad_request("Too many requests at once. Wait for the answers.")
        super().on_headers_complete()
        self._head_since = None
        self._in_body = True
        cycle = self.cycle
        send = cycle.send

        async def send_while_connected(message: Any) -> None:
            await send(message)
            if cycle.disconnected and message.get("more_body"):
                raise ClientDisconnect

        # uvicorn drops what nobody takes any more, for which a file would be read to its end.
        cycle.send = send_while_connected  # type: ignore[method-assign]

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; of one that is answered already, not without an end."""
        self._unread = 0
        if self.waits:
            self._late += len(body)
            if self._late > MAX_LATE:
                self._refused = True
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._unread = 0
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._touched = self.loop.time()
        super().on_response_complete()

    # Limits

    @property
    def waits(self) -> bool:
        """Whether nothing would be lost but what a client has yet to send."""
        return self.cycle is None or self.cycle.response_complete

    def look(self) -> None:
        """Close the connection when it has taken too long; called every second."""
        now = self.loop.time()
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent or (self._in_body and self.flow.read_paused):
            self._unsent, self._touched = unsent, now
        quiet = now - self._touched
        if self.transport.is_closing() or unsent:
            if quiet > (HEAD_TIME if self.transport.is_closing() else ANSWER_TIME):
                self.transport.abort()
        elif self._head_since is not None:
            if now - self._head_since > HEAD_TIME:
                self._give_up("The head of the request did not arrive in time.")
        elif self._in_body:
            if quiet > BODY_TIME:
                self._give_up("The body of the request did not arrive in time.")
        elif self.waits and quiet > KEEP_ALIVE:
            self.transport.close()

    def refuse(self, refusal: Refusal) -> None:
        """Answer a request that never reaches the application, and close the connection."""
        scope: dict[str, Any] = dict(self.scope) if self._in_body else {}
        name: str = scope.get("request_id") or request_id(scope.get("headers", ()))
        logger.debug("%s: request %s: %s", self.client, name, refusal.message)
        self._refused = True
        cycle = self.cycle
        if not self.waits and not self._in_body:
            # The request before this one is whole, and is answered first.
            cycle.keep_alive = False
            return
        # What has an answer already, or a part of one, gets no other.
        begun = self._in_body and (cycle.response_started or self.pipeline)
        if not begun:
            response = refusal.response()
            own = [(b"x-request-id", name.encode()), (b"connection", b"close")]
            headers = [*self.server_state.default_headers, *response.raw_headers, *own]
            head = STATUS_LINE[refusal.status] + b"".join(b"%b: %b\r\n" % line for line in headers)
            self.transport.write(b"%b\r\n%b" % (head, bytes(response.body)))
        if not self.waits:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def _give_up(self, message: str) -> None:
        if self._in_body or self._unread or self._head:
            self.refuse(Refusal(408, f"{message} Send it again."))
        else:
            self.transport.close()  # nothing was asked

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD:
            raise _too_large()

    def _unsupported_upgrade_warning(self) -> None:
        pass


def _too_large() -> Refusal:
    return Refusal(
        431,
        f"The head of the request is larger than {MAX_HEAD >> 10} KiB or has more than "
        f"{MAX_HEADER_LINES} lines. Send less of it.",
    )
