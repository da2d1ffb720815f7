"""The channel over Python's own HTTP client: one request at a time on a connection.

`http.client` writes requests and reads answers. What it leaves open is seen to here: connections
are kept and shared, every wait and all that is held in memory has a limit, an answer that comes
before the whole request is out ends the sending, and what is cut off is not taken for whole.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse
from io import BytesIO
from queue import SimpleQueue
from typing import Any, TypeAlias, cast

from hatcher.transport import cancel
from hatcher.transport.buffers import new_buffer
from hatcher.transport.channel import (
    Channel,
    Headers,
    Incoming,
    Kind,
    Outgoing,
    Trouble,
    bare,
    check,
)
from hatcher.transport.pool import Pool
from hatcher.transport.proxies import Origin, Proxy
from hatcher.transport.timeouts import Timeouts, deadline, left
from hatcher.transport.urls import certified_name, host_field, tunnel_target

#: Bytes that the head of an answer may have, with the interim answers before it; and trailers.
MAX_HEAD = 64 * 1024

#: Bytes that are received ahead of the parser, and sent together.
_BLOCK = 64 * 1024
_LARGE_BLOCK = 256 * 1024

#: Seconds after which received bytes are handed out, though there is room for more.
_AT_LEAST_EVERY = 0.1

#: Seconds to look for the answer of a server that takes no more of a body.
_LAST_WORDS = 5.0

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
    through_httpx : callable, optional
        Makes the channel for a proxy that `http.client` does not speak with.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        ssl_context: Callable[[], ssl.SSLContext],
        proxy_for: Callable[[Origin], Proxy | None] = lambda origin: None,
        through_httpx: Callable[[], Channel] | None = None,
    ) -> None:
        self._proxy_for = proxy_for
        self._through_httpx = through_httpx
        self._httpx: Channel | None = None
        self._routes: dict[Origin, _Route] = {}
        self._pool = Pool(timeouts.pool, partial(Connection.open, timeouts, ssl_context))

    def exchange(self, outgoing: Outgoing) -> Incoming:
        """Send a request and return its answer, whatever its status.

        Raises
        ------
        Trouble
        """
        check(outgoing)
        route = self._routes.get(outgoing.origin)
        if route is None:
            route = outgoing.origin, self._proxy_for(outgoing.origin)
            self._routes[outgoing.origin] = route
        if route[1] is not None and route[1].scheme != "http":
            return self._by_httpx().exchange(outgoing)
        connection = self._pool.take(route)
        forget = cancel.watch(connection.abort)
        try:
            all_sent = connection.send(outgoing)
            response = connection.response()
            if response.status == 407 and route[1] is not None and route[0][0] == "http":
                raise Trouble("no proxy", f"{route[1]}: it answered 407")
        except BaseException:
            forget()
            self._pool.give_back(connection, reusable=False)
            raise

        def give_back(has_ended: bool) -> None:
            # Not one that is being cancelled: who takes it next has nothing to do with that.
            is_free = forget() and has_ended and all_sent and not response.will_close
            self._pool.give_back(connection, reusable=is_free)

        return HTTPAnswer(connection, response, give_back)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
        if self._httpx is not None:
            self._httpx.close()

    def _by_httpx(self) -> Channel:
        if self._httpx is None:
            assert self._through_httpx is not None
            self._httpx = self._through_httpx()
        return self._httpx


class _Reader:
    """What has come over a connection: heads and lines are whole, come in time, and have limits.

    Attributes
    ----------
    data : bytearray
        What nobody has asked for yet.
    has_ended : bool
        Whether nothing more comes.
    end : str
        What it is when nothing more comes now.
    """

    end: Kind

    def __init__(self, sock: socket.socket) -> None:
        self.data = bytearray()
        self.has_ended = False
        self._sock = sock
        self._room = MAX_HEAD
        self._until: float | None = None

    def expect(self, end: Kind, seconds: float | None) -> None:
        """Limit what comes next, all of it together."""
        self.end = "ended early" if self.data else end
        self._room, self._until = MAX_HEAD, deadline(seconds)

    def fill(self) -> None:
        """Receive more."""
        block = self._sock.recv(_BLOCK)
        self.data += block
        if block:
            self.end = "ended early"
        self.has_ended = not block

    def through(self, mark: re.Pattern[bytes]) -> bytes:
        """Return what comes up to a mark, and the mark."""
        while not self.data or (found := self.find(mark)) is None:
            self._sock.settimeout(left(self._until))
            self.fill()
            if self.has_ended:
                raise Trouble(self.end)
        return found

    def find(self, mark: re.Pattern[bytes]) -> bytes | None:
        """Return the same if all of it has come."""
        if mark is _HEAD_END and not self.data.startswith(_VERSION[: len(self.data)]):
            raise Trouble("no HTTP", "it begins with something else")
        found = mark.search(self.data)
        size = found.end() if found else len(self.data)
        if size > self._room:
            raise Trouble("no HTTP", f"a head of more than {MAX_HEAD:,} bytes")
        if found is None:
            return None
        self._room -= size
        return self.take(size)

    def take(self, size: int) -> bytes:
        """Return so many bytes of what has come."""
        taken = bytes(self.data[:size])
        del self.data[:size]
        return taken


class _Gathered(bytearray):
    """What `http.client` takes for a socket while it writes a head, which holds secrets."""

    sendall = bytearray.extend

    def __repr__(self) -> str:
        return f"<{len(self)} bytes of a request>"


class _Response(HTTPResponse):
    """The head of an answer, which has arrived whole and says only once where the body ends."""

    fields: Headers

    def __init__(self, head: bytes, sock: object, *arguments: Any, **options: Any) -> None:
        self._head = head
        super().__init__(self, *arguments, **options)  # type: ignore[arg-type]

    def makefile(self, mode: str) -> BytesIO:
        """Return what is parsed."""
        return BytesIO(self._head)

    def begin(self) -> None:
        super().begin()
        self.close()  # the body does not come through it
        headers = self.headers
        if self.status == 101:
            raise Trouble("no HTTP", "a change to another protocol, which was not asked for")
        odd = headers.defects or headers.get_unixfrom() or headers.get_payload()
        no_text = b"\0" in self._head or self._head.count(b"\r") != self._head.count(b"\r\n")
        if odd or no_text or not _STATUS.match(self._head):
            raise Trouble("no HTTP", "a head with a malformed line")
        fields: dict[str, str] = {}
        for name, value in headers.raw_items():
            key = name.lower()
            text = (_FOLD.sub(" ", value) if "\n" in value else value).strip(" \t")
            fields[key] = f"{fields[key]}, {text}" if key in fields else text
        self.fields = Headers(fields)
        coding, length = fields.get("transfer-encoding"), fields.get("content-length")
        if coding is not None and (coding.lower(), self.chunked, length) != ("chunked", True, None):
            raise Trouble("no HTTP", "a head that does not say where the body ends")
        if length is not None and self.fields.content_length is None:
            raise Trouble("no HTTP", "a length that is no number")


def _tunnel_answer(sock: socket.socket, **options: Any) -> HTTPResponse:
    """Return a proxy's answer to CONNECT, whose head has the same limits as any."""
    reader = _Reader(sock)
    reader.expect("no answer", sock.gettimeout())
    try:
        head = reader.through(_HEAD_END)
    except Trouble as trouble:
        raise HTTPException(trouble.reason or "it closed the connection") from None
    return _Response(head, sock, **options)


def _refusal(error: Exception) -> str:
    """Return why a proxy made no connection, without what it may echo."""
    if answered := re.match(r"Tunnel connection failed: (\d+)", str(error)):
        return f"it answered {answered[1]}"
    return "it gave no valid HTTP" if isinstance(error, BadStatusLine) else str(error)


class Connection:
    """A connection to one origin, straight or through a proxy.

    Attributes
    ----------
    route : tuple of (Origin, Proxy or None)
    sock : socket.socket
    reader : _Reader
    is_aborted : bool
        Whether `abort` was called.
    permits : SimpleQueue
        Where the permit to use it goes back to.
    """

    permits: SimpleQueue[None]

    def __init__(self, http: HTTPConnection, timeouts: Timeouts, route: _Route) -> None:
        self.sock: socket.socket = http.sock
        self.reader = _Reader(self.sock)
        self.timeouts = timeouts
        self.route = route
        self.is_aborted = False
        self._http = http
        self._early: bytes | None = None
        self._process = os.getpid()

    @classmethod
    def open(
        cls, timeouts: Timeouts, ssl_context: Callable[[], ssl.SSLContext], route: _Route
    ) -> Connection:
        """Connect to an origin.

        Raises
        ------
        Trouble
        """
        (scheme, host, port), proxy = route
        context = ssl_context() if scheme == "https" else None
        first = (host, port) if proxy is None else (proxy.host, proxy.port)
        http = HTTPConnection(*first, timeout=timeouts.connect)
        if proxy is not None and context is not None:
            target = tunnel_target(route[0])
            http.response_class = _tunnel_answer  # type: ignore[assignment]
            # With its brackets: Python 3.11 adds none.
            name = target.rpartition(":")[0]
            http.set_tunnel(name, port, {"Host": target, **proxy.headers()})
        stands = False
        forget = cancel.watch(lambda: _shut_down(http.sock))
        try:
            http.connect()
            stands = True
            if context is not None:
                # Without shaking hands yet, and with errors for ends that nobody has announced.
                name = certified_name(host)
                http.sock = context.wrap_socket(http.sock, False, False, False, name)
                http.sock.do_handshake()
            if forget():
                return cls(http, timeouts, route)
            raise Trouble("interrupted")
        except (OSError, UnicodeError, HTTPException) as error:
            http.close()
            bare(error)
            if not forget():
                raise Trouble("interrupted") from error
            if proxy is not None and not stands:
                raise Trouble("no proxy", f"{proxy}: {_refusal(error)}") from error
            if isinstance(error, TimeoutError):
                through = f"through the proxy {proxy}" if proxy is not None else ""
                raise Trouble("no connection in time", through) from error
            is_tls = isinstance(error, ssl.SSLError)
            raise Trouble("not safe" if is_tls else "not connected", str(error)) from error
        except BaseException as error:
            forget()
            http.close()
            raise bare(error) from None

    def send(self, outgoing: Outgoing) -> bool:
        """Send a request; return whether the server took all of it before it answered.

        Raises
        ------
        Trouble
        """
        self._early, self._has_sent = None, False
        together, size = self._head(outgoing), 0
        for block in outgoing.body or ():
            size += len(block)
            if len(together) + len(block) <= _BLOCK:
                together += block
                continue
            if not (self._push(together) and self._push(block)):
                return False
            together = _Gathered()
        if size != (outgoing.content_length or 0):
            raise ValueError(
                f"The body of {outgoing.method} has {size} bytes, not {outgoing.content_length}."
            )
        return self._push(together)

    def _head(self, outgoing: Outgoing) -> _Gathered:
        """Return the head. Frames below this one hold secrets, and must not outlive it."""
        http, proxy, target = self._http, self.route[1], outgoing.target
        if outgoing.origin[0] == "https":
            proxy = None  # it sees nothing of the request
        if proxy is not None:
            target = outgoing.url
        head: Any = _Gathered()
        http.sock = head
        try:
            http.putrequest(outgoing.method, target, skip_host=True, skip_accept_encoding=True)
            http.putheader("Host", host_field(outgoing.origin))
            for name, value in outgoing.headers.items():
                http.putheader(name, value)
            if outgoing.content_length is not None:
                http.putheader("Content-Length", str(outgoing.content_length))
            for name, secret in outgoing.credentials.items():
                http.putheader(name, secret.reveal())
            if proxy is not None and proxy.authorization is not None:
                http.putheader("Proxy-Authorization", proxy.authorization.reveal())
            http.endheaders()
        except BaseException as error:
            raise bare(error) from None
        finally:
            http.sock = None  # which it would close after some answers
        return cast("_Gathered", head)

    def _push(self, data: bytes | bytearray | memoryview) -> bool:
        """Send bytes; return whether all of them went out before an answer came."""
        try:
            return self._send_all(memoryview(data))
        except (OSError, Trouble) as error:
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                # The server may have said why, and then ended the connection.
                with suppress(OSError, Trouble):
                    self._early = self._final_head(_LAST_WORDS)
                    return False
            raise self.trouble(error) from error

    def _send_all(self, rest: memoryview) -> bool:
        until = deadline(self.timeouts.write)
        if self.sock.gettimeout() != 0:  # which `is_usable` has mostly seen to
            self.sock.settimeout(0)
        while rest:
            if self._has_sent and self._is_answered():
                return False
            try:
                rest = rest[self.sock.send(rest[:_LARGE_BLOCK]) :]
                self._has_sent, until = True, deadline(self.timeouts.write)
            except _WOULD_BLOCK:
                self._wait_to_send(until)
        return True

    def _is_answered(self) -> bool:
        """Whether the answer comes early; interim ones are passed over, and nothing is waited for."""
        self.reader.expect("no answer", None)
        self.sock.settimeout(0)
        with suppress(*_WOULD_BLOCK):
            self.reader.fill()
        while self._early is None and (head := self.reader.find(_HEAD_END)) is not None:
            self._early = None if _INTERIM.match(head) else head
        return self._early is not None

    def _wait_to_send(self, until: float | None) -> None:
        """Wait until the server takes more, or says something."""
        ending = self.reader.has_ended  # which would be something for ever
        events = selectors.EVENT_WRITE if ending else selectors.EVENT_WRITE | selectors.EVENT_READ
        with _Selector() as selector:
            selector.register(self.sock, events)
            if not selector.select(left(until)):
                raise TimeoutError

    def _final_head(self, seconds: float | None) -> bytes:
        """Return the head of the answer when all of it has come; interim ones are passed over."""
        self.reader.expect("no answer", seconds)
        while _INTERIM.match(head := self.reader.through(_HEAD_END)):
            pass
        return head

    def response(self) -> _Response:
        """Return the answer, when its head is there.

        Raises
        ------
        Trouble
        """
        http = self._http
        try:
            head = self._early or self._final_head(self.timeouts.read)
            http.response_class = partial(_Response, head)  # type: ignore[assignment]
            return http.getresponse()  # type: ignore[return-value]
        except (OSError, HTTPException, Trouble) as error:
            raise self.trouble(error) from error

    def is_usable(self) -> bool:
        """Whether it can take another request: nothing has come since the last answer."""
        self.sock.settimeout(0)
        try:
            self.reader.fill()
        except _WOULD_BLOCK:  # nothing, or a session ticket or the like
            return not self.reader.data
        except OSError:
            pass
        return False

    def trouble(self, error: Exception) -> Trouble:
        """Return what happened: that somebody cancelled it, or what an exception tells."""
        bare(error)
        if self.is_aborted:
            return Trouble("interrupted")
        match error:
            case Trouble():
                return Trouble(error.kind, error.reason)
            case TimeoutError():
                return Trouble("silence")
            case ssl.SSLEOFError():
                return Trouble(self.reader.end)
            case HTTPException():
                return Trouble("no HTTP", str(error)[:200])
            case _:
                return Trouble("lost", str(error))

    def abort(self) -> None:
        """End it under the hands of the thread that uses it."""
        self.is_aborted = True
        if self._process == os.getpid():  # after a fork, it is the parent's
            _shut_down(self.sock)

    def close(self) -> None:
        """Close it."""
        self.sock.close()


def _shut_down(sock: socket.socket | None) -> None:
    """Have nothing more come over a socket, nor go."""
    with suppress(OSError):  # it may have ended already
        if sock is not None:
            # Not that of SSLSocket, which would have the thread go on without TLS.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class HTTPAnswer:
    """An answer whose body is read from its connection, straight into buffers.

    Parameters
    ----------
    connection : Connection
    response : _Response
    give_back : callable
        Given whether all of the answer has come.
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
        """Return the rest of the body, which may have so many bytes.

        Raises
        ------
        Trouble
        """
        if (self._remaining or 0) > limit:
            raise Trouble("too large", f"{self._remaining:,} bytes")
        reader, content = self._connection.reader, bytearray()
        if self._chunk_mark is None and len(reader.data) == self._remaining:  # nearly always
            self._remaining = 0
            return reader.take(len(reader.data))
        block = new_buffer(min(self._remaining or _BLOCK // 2, _LARGE_BLOCK))
        while size := self._receive(block, self._connection.timeouts.read):
            content += block[:size]
            if len(content) > limit:
                raise Trouble("too large", f"more than {limit:,} bytes")
        return bytes(content)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive into a buffer; return the number of bytes, 0 at the end.

        Raises
        ------
        Trouble
        """
        return self._receive(memoryview(buffer), self._connection.timeouts.stall)

    def _receive(self, view: memoryview, patience: float | None) -> int:
        connection = self._connection
        try:
            if self._chunk_mark is not None and self._remaining == 0:
                self._begin_chunk(patience)
            if self._remaining == 0 or not view:
                return 0
            size = self._fill(view[: self._remaining], patience)
            if not size and (self._remaining or connection.is_aborted):
                raise Trouble("ended early", f"{self._remaining or 0:,} bytes are missing")
        except (OSError, Trouble) as error:
            raise connection.trouble(error) from error
        if self._remaining is not None:
            self._remaining -= size
        elif not size:
            self._remaining = 0
        return size

    def _begin_chunk(self, patience: float | None) -> None:
        """Read how long the next chunk is; after the last one, read what follows it."""
        reader = self._connection.reader
        reader.expect("ended early", patience)
        assert self._chunk_mark is not None
        size = _CHUNK.fullmatch(reader.through(self._chunk_mark))
        if size is None:
            raise Trouble("no HTTP", "a chunk without its length")
        self._remaining, self._chunk_mark = int(size[1], 16), _NEXT_LINE_END
        if self._remaining == 0:
            while reader.through(_LINE_END).rstrip(b"\r\n"):
                pass  # fields that come too late to say anything
            self._chunk_mark = None

    def _fill(self, view: memoryview, patience: float | None) -> int:
        """Receive until a buffer is full, or some time has passed: TLS gives 16 KiB at a time."""
        sock, reader, filled = self._connection.sock, self._connection.reader, 0
        if reader.data:
            filled = min(len(view), len(reader.data))
            view[:filled] = reader.take(filled)
            return filled
        if self._failure is not None:
            raise self._failure
        reader.expect("ended early", None)
        sock.settimeout(patience)
        until = time.monotonic() + _AT_LEAST_EVERY
        try:
            while filled < len(view):
                size = sock.recv_into(view[filled:])
                filled += size
                if not size or time.monotonic() > until:
                    break
        except OSError as error:
            if not filled:
                raise
            # For the next call, which the system would not tell once more.
            self._failure = bare(error)
        return filled

    def close(self) -> None:
        """Give the connection back, or end it when there is more to come."""
        self._end(has_ended=self._remaining == 0 and self._chunk_mark is None)

    def _end(self, *, has_ended: bool) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._give_back(has_ended)

    def __del__(self) -> None:
        # An answer that nobody closed gives up its connection, without waiting for a lock. Nobody
        # can use it again: the collector finalizes the socket of a cycle together with its answer.
        self._end(has_ended=False)
