"""The channel over Python's own HTTP client: one request at a time on a connection.

`http.client` writes requests and parses the heads of answers. This module adds what it lacks:
connections are kept and shared, every wait and everything held in memory is limited, an answer that
comes before the whole request is out ends the sending, and a truncated answer is never taken for a
whole one.
"""

from __future__ import annotations

import logging
import os
import re
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse
from io import BytesIO
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

from hatcher import cancel
from hatcher.transport.channel import (
    Channel,
    ChannelError,
    Headers,
    Incoming,
    Kind,
    Outgoing,
    check,
)
from hatcher.transport.pool import Pool, shut_down
from hatcher.transport.proxies import Proxy
from hatcher.transport.secret import Redactor, bare
from hatcher.transport.timeouts import Timeouts, deadline, left
from hatcher.transport.urls import Origin, certified_name, host_field, tunnel_target

logger = logging.getLogger("hatcher")

#: Bytes that the head of an answer may have, with the interim answers before it; as may trailers.
MAX_HEAD = 64 * 1024

#: Bytes that are received ahead of the parser, and sent together.
_BLOCK = 64 * 1024
_LARGE_BLOCK = 256 * 1024

#: Seconds after which received bytes are returned even if the buffer has room for more.
_FILL_SECONDS = 0.03

#: Seconds to wait for the answer of a server that stopped reading the body.
_REJECTION_TIMEOUT = 5.0

#: Requests that may be under way before anybody waits for their answers.
_BEGUN = 16

#: How a connection may end that nobody looked after; the request, which is safe, is sent anew.
_ENDED = frozenset({"no response", "incomplete", "lost"})

_VERSION = b"HTTP/"
_HEAD_END = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\n")
_NEXT_LINE_END = re.compile(rb"\n[^\n]*\n")
_INTERIM = re.compile(rb"HTTP/1\.\d +1(?!01)\d\d\b")
_STATUS = re.compile(rb"HTTP/1\.\d +[1-9]\d\d\b")
_CHUNK = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*|\r)?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")

_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

#: Not select() where there is another: it takes no descriptor above 1023.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

_Route: TypeAlias = tuple[Origin, Proxy | None]


class HTTPChannel:
    """Sends requests over connections that it keeps.

    Parameters
    ----------
    timeouts : Timeouts
    ssl_context : callable
        Returns how certificates are verified; called for the first https request.
    proxy_for : callable
        Given an origin, returns the proxy that leads to it, or None.
    redact : Redactor, optional
        Hears of secrets that httpx adds to requests, which carries them through other proxies.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        ssl_context: Callable[[], ssl.SSLContext],
        proxy_for: Callable[[Origin], Proxy | None] = lambda origin: None,
        redact: Redactor | None = None,
    ) -> None:
        self._timeouts = timeouts
        self._ssl_context = ssl_context
        self._proxy_for = proxy_for
        self._redact = redact or Redactor()
        self._httpx: Channel | None = None
        self._routes: dict[Origin, _Route] = {}
        self._pool = Pool(timeouts.pool, partial(Connection.open, timeouts, ssl_context))
        #: A permit for each request that may be begun at a time: the others always find connections.
        self._begun = deque([None] * _BEGUN)

    def exchange(self, outgoing: Outgoing) -> Incoming:
        """Send a request and return its answer, whatever its status."""
        begun = None if outgoing.begun is None else outgoing.begun.take(outgoing)
        if begun is None:
            check(outgoing)
            route = self._route_to(outgoing.origin)
            if route[1] is not None and route[1].scheme != "http":
                return self._by_httpx().exchange(outgoing)
        connection = begun or self._pool.take(route)
        forget = cancel.watch(connection.abort)
        try:
            all_sent = begun is not None or connection.send(outgoing, connection.head(outgoing))
            response = connection.response(outgoing.method)
            proxy = connection.route[1]
            if response.status == 407 and proxy is not None and outgoing.origin[0] == "http":
                raise ChannelError("proxy", f"{proxy}: it answered 407")
        except BaseException as error:
            forget()
            self._pool.give_back(connection, reusable=False)
            if begun is None or not isinstance(error, ChannelError) or error.kind not in _ENDED:
                raise
        else:
            give_back = partial(
                self._give_back, connection, forget, all_sent and not response.will_close
            )
            return HTTPAnswer(connection, response, give_back)
        return self.exchange(outgoing)

    def _give_back(
        self, connection: Connection, forget: Callable[[], bool], may_stay: bool, has_ended: bool
    ) -> None:
        # Not one that is being cancelled: its next user has nothing to do with that.
        is_free = forget() and has_ended and may_stay
        self._pool.give_back(connection, reusable=is_free)

    def begin(self, outgoing: Outgoing) -> Begun | None:
        """Send a request without a body in a thread, for an `exchange` that is to come.

        None where too many are under way, or it goes through a proxy.
        """
        check(outgoing)
        route = self._route_to(outgoing.origin)
        if route[1] is not None:
            return None
        if route[0][0] == "https":
            self._ssl_context()  # once, and not in two threads at the same time
        with suppress(IndexError):
            self._begun.pop()
            connect = partial(self._pool.take, route)
            return Begun(outgoing, connect, self._pool.give_back, self._begun)
        return None

    def _route_to(self, origin: Origin) -> _Route:
        route = self._routes.get(origin)
        if route is None:
            route = self._routes[origin] = origin, self._proxy_for(origin)
        return route

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
        if self._httpx is not None:
            self._httpx.close()

    def _by_httpx(self) -> Channel:
        """Return the channel for proxies that do not speak HTTP in the clear."""
        if self._httpx is None:
            # Imported here: httpx takes its time, and few have such a proxy.
            from hatcher.transport.httpx_channel import HttpxChannel, build_client

            client = build_client("", self._timeouts, self._ssl_context, None)
            self._httpx = HttpxChannel(client, self._redact, owned=True)
        return self._httpx


class Begun:
    """A request that a thread sends, and whose answer nobody waits for yet.

    Parameters
    ----------
    outgoing : Outgoing
    connect : callable
        Returns a connection.
    give_back : callable
        Is given the connection when it is not used.
    permits : deque
        Where the permit to begin is returned.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        connect: Callable[[], Connection],
        give_back: Callable[..., object],
        permits: deque[None],
    ) -> None:
        self._key = _key_of(outgoing)
        self._since = time.monotonic()
        self._permits = permits
        self._is_taken = False
        # What the thread shares with finalizers, which must not wait for a lock.
        self._sent: SimpleQueue[Connection | None] = SimpleQueue()
        self._is_over: deque[None] = deque()
        self._drop = partial(_drop, self._sent, give_back)
        work = partial(_begin, outgoing, connect, self._sent, self._is_over, self._drop)
        Thread(target=copy_context().run, args=[work], name="hatcher-begin", daemon=True).start()

    def take(self, outgoing: Outgoing) -> Connection | None:
        """Return the connection that the answer to a request comes over, if this is that request.

        Nobody waits for longer than it has been under way: another connection may be quicker.
        """
        if not self._is_taken and _key_of(outgoing) == self._key:
            with suppress(Empty):
                connection = cancel.got(self._sent, time.monotonic() - self._since)
                self._is_taken = True
                self._permits.append(None)
                return connection
        self.close()
        return None

    def close(self) -> None:
        """End it, unless its connection was taken."""
        if not self._is_taken:
            self._is_taken = True
            self._permits.append(None)
            self._is_over.append(None)
            self._drop()

    __del__ = close


def _begin(
    outgoing: Outgoing,
    connect: Callable[[], Connection],
    sent: SimpleQueue[Connection | None],
    is_over: deque[None],
    drop: Callable[[], object],
) -> None:
    """Send a request; whatever goes wrong here will be met, and told, by who sends it anew."""
    connection = None
    try:
        connection = connect()
        if not is_over:
            connection.send(outgoing, connection.head(outgoing))
    except (Exception, cancel.Cancelled) as error:
        logger.debug("a request was not begun: %s", type(error).__name__)
        if connection is not None:
            connection.abort()
    sent.put(connection)
    if is_over:
        drop()


def _drop(sent: SimpleQueue[Connection | None], give_back: Callable[..., object]) -> None:
    """Close the connection of a request that nobody waits for, if it is there."""
    with suppress(Empty):
        connection = sent.get_nowait()
        if connection is not None:
            give_back(connection, reusable=False)


def _key_of(outgoing: Outgoing) -> tuple[object, ...]:
    """Return what an answer depends on."""
    return (*outgoing[:4], *outgoing.credentials.items())


class _Head(bytearray):
    """The head of a request, which holds secrets; `http.client` takes it for the socket."""

    sendall = bytearray.extend

    def __repr__(self) -> str:
        return f"<{len(self)} bytes of a request>"


class _Received(bytes):
    """The head of an answer; `http.client` takes it for the socket."""

    def makefile(self, mode: str) -> BytesIO:
        """Return what the parser reads."""
        return BytesIO(self)


class _Response(HTTPResponse):
    """The head of an answer, which has arrived whole and is unambiguous about where the body ends."""

    def __init__(self, head: bytes, method: str) -> None:
        super().__init__(_Received(head), method=method)  # type: ignore[arg-type]
        self.begin()
        self.close()  # the body does not come through it
        headers = self.headers
        if self.status == 101:
            raise ChannelError("protocol", "an unexpected protocol upgrade")
        odd = headers.defects or headers.get_unixfrom() or headers.get_payload()
        no_text = b"\0" in head or head.count(b"\r") != head.count(b"\r\n")
        if odd or no_text or not _STATUS.match(head):
            raise ChannelError("protocol", "a malformed header line")
        fields: dict[str, str] = {}
        for name, value in headers.raw_items():
            key = name.lower()
            text = (_FOLD.sub(" ", value) if "\n" in value else value).strip(" \t")
            fields[key] = f"{fields[key]}, {text}" if key in fields else text
        self.fields = Headers(fields)
        coding, length = fields.get("transfer-encoding"), fields.get("content-length")
        if coding is not None and (coding.lower(), self.chunked, length) != ("chunked", True, None):
            raise ChannelError("protocol", "a head that does not say where the body ends")
        if length is not None and self.fields.content_length is None:
            raise ChannelError("protocol", "an invalid Content-Length")


def _connector(timeouts: Timeouts, route: _Route) -> HTTPConnection:
    """Return what connects to an origin, or to its proxy, which it asks for a tunnel to https."""
    (scheme, host, port), proxy = route
    if proxy is None:
        return HTTPConnection(host, port, timeouts.connect)
    http = HTTPConnection(proxy.host, proxy.port, timeouts.connect)
    if scheme == "https":
        http.response_class = partial(_tunnel_answer, timeouts, route)  # type: ignore[assignment]
        target = tunnel_target(route[0])
        secrets = {field: secret.reveal() for field, secret in proxy.headers().items()}
        # With its brackets: Python 3.11 adds none.
        http.set_tunnel(target.rpartition(":")[0], port, {"Host": target, **secrets})
    return http


def _tunnel_answer(
    timeouts: Timeouts, route: _Route, sock: socket.socket, **options: Any
) -> HTTPResponse:
    """Return a proxy's answer to CONNECT, whose head has the same limits as any."""
    connection = Connection(sock, timeouts, route)
    try:
        head = connection.final_head(timeouts.connect)
    except ChannelError as error:
        raise HTTPException(error.reason or "it closed the connection") from None
    if connection.data:
        raise BadStatusLine("more than a head")
    return HTTPResponse(_Received(head), **options)  # type: ignore[arg-type]


def _refusal(error: Exception) -> str:
    """Return why a proxy made no connection, without anything that it may echo."""
    if answered := re.match(r"Tunnel connection failed: (\d+)", str(error)):
        return f"it answered {answered[1]}"
    return "its answer is not valid HTTP" if isinstance(error, BadStatusLine) else str(error)


class Connection:
    """A connection to one origin, straight or through a proxy.

    Attributes
    ----------
    route : tuple of (Origin, Proxy or None)
    sock : socket.socket
    data : bytearray
        What has been received and not taken yet.
    is_aborted : bool
        Whether `abort` was called.
    permits : SimpleQueue
        Where the permit to use it goes back to.
    """

    permits: SimpleQueue[None]

    def __init__(self, sock: socket.socket, timeouts: Timeouts, route: _Route) -> None:
        self.sock = sock
        self.timeouts = timeouts
        self.route = route
        self.is_aborted = False
        self.data = bytearray()
        #: The kind of error if the other side ends the connection now, and whether it has.
        self._end: Kind = "no response"
        self._has_ended = False
        self._room = MAX_HEAD
        self._until: float | None = None
        self._early: bytes | None = None
        self._process = os.getpid()

    # -- connecting -----------------------------------------------------------------

    @classmethod
    def open(
        cls, timeouts: Timeouts, ssl_context: Callable[[], ssl.SSLContext], route: _Route
    ) -> Connection:
        """Connect to an origin."""
        (scheme, host, _), proxy = route
        context = ssl_context() if scheme == "https" else None
        http = _connector(timeouts, route)
        stands = False
        forget = cancel.watch(lambda: shut_down(http.sock))
        try:
            http.connect()
            stands = True
            if context is not None:
                # The handshake comes later; ends that TLS did not announce are errors.
                name = certified_name(host)
                http.sock = context.wrap_socket(http.sock, False, False, False, name)
                http.sock.do_handshake()
            if forget():
                return cls(http.sock, timeouts, route)
            raise ChannelError("cancelled")
        except (OSError, UnicodeError, HTTPException) as error:
            http.close()
            bare(error)
            if not forget():
                raise ChannelError("cancelled") from error
            if proxy is not None and not stands:
                raise ChannelError("proxy", f"{proxy}: {_refusal(error)}") from error
            if isinstance(error, TimeoutError):
                through = f"through the proxy {proxy}" if proxy is not None else ""
                raise ChannelError("connect timeout", through) from error
            is_tls = isinstance(error, ssl.SSLError)
            raise ChannelError("TLS" if is_tls else "not connected", str(error)) from error
        except BaseException as error:
            forget()
            http.close()
            raise bare(error) from None

    # -- receiving ------------------------------------------------------------------

    def expect(self, end: Kind, seconds: float | None) -> None:
        """Set the limits for all that comes next, and the kind of error if it does not come."""
        self._end = "incomplete" if self.data else end
        self._room, self._until = MAX_HEAD, deadline(seconds)

    def through(self, mark: re.Pattern[bytes]) -> bytes:
        """Receive and return everything up to the end of a mark."""
        while not self.data or (found := self._find(mark)) is None:
            self.sock.settimeout(left(self._until))
            self._fill()
            if self._has_ended:
                raise ChannelError(self._end)
        return found

    def take(self, size: int) -> bytes:
        """Return that many of the received bytes."""
        taken = bytes(self.data[:size])
        del self.data[:size]
        return taken

    def _fill(self) -> None:
        """Receive more."""
        block = self.sock.recv(_BLOCK)
        self.data += block
        if block:
            self._end = "incomplete"
        self._has_ended = not block

    def _find(self, mark: re.Pattern[bytes]) -> bytes | None:
        """Return everything up to the end of a mark, if it has been received already."""
        if mark is _HEAD_END and not self.data.startswith(_VERSION[: len(self.data)]):
            raise ChannelError("protocol", "it does not begin with HTTP")
        found = mark.search(self.data)
        size = found.end() if found else len(self.data)
        if size > self._room:
            raise ChannelError("protocol", f"a head of more than {MAX_HEAD:,} bytes")
        if found is None:
            return None
        self._room -= size
        return self.take(size)

    def final_head(self, seconds: float | None) -> bytes:
        """Receive and return the head of the answer; interim answers are skipped."""
        self.expect("no response", seconds)
        while _INTERIM.match(head := self.through(_HEAD_END)):
            pass
        return head

    def response(self, method: str) -> _Response:
        """Return the answer, once its head has arrived."""
        try:
            return _Response(self._early or self.final_head(self.timeouts.read), method)
        except (OSError, HTTPException, ChannelError) as error:
            raise self.error(error) from error

    # -- sending --------------------------------------------------------------------

    def head(self, outgoing: Outgoing) -> _Head:
        """Return the head of a request. Frames below this one hold secrets, and must not outlive it."""
        target, secrets = outgoing.target, outgoing.credentials
        proxy = self.route[1]
        if proxy is not None and outgoing.origin[0] == "http":  # below TLS it sees nothing
            target, secrets = outgoing.url, {**secrets, **proxy.headers()}
        http = HTTPConnection("")  # which connects nothing
        http.sock = head = _Head()
        try:
            http.putrequest(outgoing.method, target, skip_host=True, skip_accept_encoding=True)
            http.putheader("Host", host_field(outgoing.origin))
            for name, value in outgoing.headers.items():
                http.putheader(name, value)
            if outgoing.content_length is not None:
                http.putheader("Content-Length", str(outgoing.content_length))
            for name, secret in secrets.items():
                http.putheader(name, secret.reveal())
            http.endheaders()
        except BaseException as error:
            raise bare(error) from None
        return head

    def send(self, outgoing: Outgoing, pending: _Head) -> bool:
        """Send the head, which is pending, and the body; return whether all of it was taken."""
        self._early, self._has_sent = None, False
        size = 0
        for block in outgoing.body or ():
            size += len(block)
            if len(pending) + len(block) <= _BLOCK:
                pending += block
                continue
            if not (self._push(pending) and self._push(block)):
                return False
            pending = _Head()
        if size != (outgoing.content_length or 0):
            raise ValueError(
                f"The body of {outgoing.method} has {size} bytes, not {outgoing.content_length}."
            )
        return self._push(pending)

    def _push(self, data: bytes | bytearray | memoryview) -> bool:
        """Send bytes; return whether all of them went out before an answer came."""
        try:
            return self._send_all(memoryview(data))
        except (OSError, ChannelError) as error:
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                # The server may have said why, and then ended the connection.
                with suppress(OSError, ChannelError):
                    self._early = self.final_head(_REJECTION_TIMEOUT)
                    return False
            raise self.error(error) from error

    def _send_all(self, rest: memoryview) -> bool:
        until = deadline(self.timeouts.write)
        if self.sock.gettimeout() != 0:  # `is_usable` has mostly done it
            self.sock.settimeout(0)
        while rest:
            if self._has_sent and self._is_answered():
                return False
            try:
                rest = rest[self.sock.send(rest[:_LARGE_BLOCK]) :]
                self._has_sent, until = True, deadline(self.timeouts.write)
            except _WOULD_BLOCK:
                # Until the server takes more, or sends something; its end would be that for ever.
                events = selectors.EVENT_WRITE
                if not self._has_ended:
                    events |= selectors.EVENT_READ
                with _Selector() as selector:
                    selector.register(self.sock, events)
                    if not selector.select(left(until)):
                        raise TimeoutError from None
        return True

    def _is_answered(self) -> bool:
        """Whether the final answer has come early; does not wait for it."""
        self.expect("no response", None)
        self.sock.settimeout(0)
        with suppress(*_WOULD_BLOCK):
            self._fill()
        while self._early is None and (head := self._find(_HEAD_END)) is not None:
            self._early = None if _INTERIM.match(head) else head
        return self._early is not None

    # -- keeping and closing --------------------------------------------------------

    def is_usable(self) -> bool:
        """Whether it can take another request: it is open, and nothing follows the last answer."""
        self.sock.settimeout(0)
        try:
            self._fill()
        except _WOULD_BLOCK:  # nothing, or a session ticket or the like
            return not self.data
        except OSError:
            pass
        return False

    def error(self, error: Exception) -> ChannelError:
        """Return an exception as a channel error, or that the connection was cancelled."""
        bare(error)
        if self.is_aborted:
            return ChannelError("cancelled")
        match error:
            case ChannelError():
                return ChannelError(error.kind, error.reason)
            case TimeoutError():
                return ChannelError("timeout")
            case ssl.SSLEOFError():
                return ChannelError(self._end)
            case HTTPException():
                return ChannelError("protocol", str(error)[:200])
            case _:
                return ChannelError("lost", str(error))

    def abort(self) -> None:
        """Shut it down while another thread uses it."""
        self.is_aborted = True
        if self._process == os.getpid():  # after a fork, it is the parent's
            shut_down(self.sock)

    def close(self) -> None:
        """Close it."""
        self.sock.close()


class HTTPAnswer(Incoming):
    """An answer whose body is read from its connection, straight into buffers.

    When it is closed, `give_back` is told whether the whole answer was read.
    """

    def __init__(
        self, connection: Connection, response: _Response, give_back: Callable[[bool], object]
    ) -> None:
        self.status_code = response.status
        self.headers = response.fields
        self._connection = connection
        self._give_back = give_back
        self._is_closed = False
        self._failure: Exception | None = None
        #: Bytes that are still to come, of a chunk where there are chunks; None: until the end.
        self._remaining = response.length
        self._chunk_mark: re.Pattern[bytes] | None = None
        if response.chunked and response.length is None:
            self._remaining, self._chunk_mark = 0, _LINE_END

    def read(self, limit: int) -> bytes:
        size = len(self._connection.data)
        if self._chunk_mark is None and self._remaining == size and size <= limit:  # nearly always
            self._remaining = 0
            return self._connection.take(size)
        return super().read(limit)

    def readinto(self, buffer: bytearray | memoryview, *, is_file: bool = True) -> int:
        timeouts, view = self._connection.timeouts, memoryview(buffer)
        return self._receive(view, timeouts.stall if is_file else timeouts.read)

    def _receive(self, view: memoryview, timeout: float | None) -> int:
        connection = self._connection
        try:
            if self._chunk_mark is not None and self._remaining == 0:
                self._begin_chunk(self._chunk_mark, timeout)
            if self._remaining == 0 or not view:
                return 0
            size = self._fill(view[: self._remaining], timeout)
            if not size and (self._remaining or connection.is_aborted):
                raise ChannelError("incomplete", f"{self._remaining or 0:,} bytes are missing")
        except (OSError, ChannelError) as error:
            raise connection.error(error) from error
        if self._remaining is not None:
            self._remaining -= size
        elif not size:
            self._remaining = 0
        return size

    def _begin_chunk(self, mark: re.Pattern[bytes], timeout: float | None) -> None:
        """Read the length of the next chunk; after the last one, read the trailers."""
        connection = self._connection
        connection.expect("incomplete", timeout)
        size = _CHUNK.fullmatch(connection.through(mark))
        if size is None:
            raise ChannelError("protocol", "a chunk without a length")
        self._remaining, self._chunk_mark = int(size[1], 16), _NEXT_LINE_END
        if self._remaining == 0:
            while connection.through(_LINE_END).rstrip(b"\r\n"):
                pass  # fields that come too late to say anything
            self._chunk_mark = None

    def _fill(self, view: memoryview, timeout: float | None) -> int:
        """Receive until the buffer is full, or some time has passed: TLS gives 16 KiB at a time."""
        connection, filled = self._connection, 0
        if connection.data:
            filled = min(len(view), len(connection.data))
            view[:filled] = connection.take(filled)
            return filled
        if self._failure is not None:
            raise self._failure
        connection.expect("incomplete", None)
        connection.sock.settimeout(timeout)
        until = time.monotonic() + _FILL_SECONDS
        try:
            while filled < len(view):
                size = connection.sock.recv_into(view[filled:])
                filled += size
                if not size or time.monotonic() > until:
                    break
        except OSError as error:
            if not filled:
                raise
            # For the next call: the system reports it only once.
            self._failure = bare(error)
        return filled

    def close(self) -> None:
        """Return the connection to the pool, or close it if more is to come."""
        self._finish(has_ended=self._remaining == 0 and self._chunk_mark is None)

    def _finish(self, *, has_ended: bool) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._give_back(has_ended)

    def __del__(self) -> None:
        # An answer that nobody closed returns the permit, without waiting for a lock. The connection
        # is not used again: the collector finalizes the socket of a cycle together with its answer.
        self._finish(has_ended=False)
