"""The channel over Python's own HTTP client: one request at a time on a connection.

`http.client` writes requests and reads answers. What it leaves open is seen to here: connections
are kept and shared, every wait and all that is held in memory has a limit, an answer that comes
before the whole request is out ends the sending, and what is cut off is not taken for whole.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from io import BufferedReader, BytesIO
from queue import SimpleQueue
from typing import Any, TypeAlias, cast

from hatcher.transport import cancel
from hatcher.transport.channel import Channel, Headers, Kind, Outgoing, Trouble, bare, check
from hatcher.transport.pool import Pool
from hatcher.transport.proxies import Origin, Proxy
from hatcher.transport.timeouts import Timeouts
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

_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d\b")
_HEAD = re.compile(rb"HTTP/(?:[^\n]+\n)+?\r?\n")
_NO_TEXT = re.compile(rb"\r(?!\n)|\0")
_LENGTH = re.compile(r"\d{1,19} *", re.ASCII)
_FOLD = re.compile(r"\r?\n[ \t]+")


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

    def exchange(self, outgoing: Outgoing) -> Any:
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
        reusable = all_sent and not response.will_close
        return HTTPAnswer(connection, response, partial(self._take_back, forget, reusable))

    def _take_back(
        self, forget: Callable[[], object], reusable: bool, connection: Connection, has_ended: bool
    ) -> None:
        forget()
        self._pool.give_back(
            connection, reusable=reusable and has_ended and not connection.is_aborted
        )

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


class _Reader(BufferedReader):
    """What `http.client` parses: its lines are whole, come in time, and are not too many."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.makefile("rb", buffering=0), _BLOCK)
        self._sock = sock
        self.early: bytes | None = None
        #: What it is when the connection ends now.
        self.end: Kind = "no answer"
        self._room = MAX_HEAD
        self._until: float | None = None

    def expect(self, end: Kind, seconds: float | None, *, in_all: bool) -> None:
        """Limit what comes next, by single waits or by all of them."""
        self.end, self._room = end, MAX_HEAD
        self._until = time.monotonic() + seconds if in_all and seconds is not None else None
        self._sock.settimeout(seconds)

    def head(self) -> bytes:
        """Return the next head, to the empty line at its end."""
        if whole := _HEAD.match(self.peek()):  # nearly always
            return self._counted(self.read(whole.end()))
        lines = [self.readline()]
        while lines[-1].rstrip(b"\r\n"):
            lines.append(self.readline())
        return b"".join(lines)

    def readline(self, size: int | None = -1) -> bytes:
        """Return a line with its end. The parser asks for them in heads, and between chunks."""
        line = b""
        while not line.endswith(b"\n"):
            if self._until is not None:
                seconds = self._until - time.monotonic()
                self._sock.settimeout(max(seconds, 1e-6))
            block = self.peek()
            if not block:
                raise Trouble(self.end)
            line += self._counted(super().readline(len(block)))
        return line

    def _counted(self, data: bytes) -> bytes:
        self.end = "ended early"
        self._room -= len(data)
        if self._room < 0:
            raise Trouble("no HTTP", f"a head of more than {MAX_HEAD:,} bytes")
        return data

    def read1(self, size: int = -1) -> bytes:
        """Return what is there, and wait only for the first of it."""
        self._room = MAX_HEAD
        return super().read1(size)

    def makefile(self, mode: str) -> _Reader:
        """Return itself: to `http.client`, it is the socket of every answer of a connection."""
        return self

    def close(self) -> None:
        """Stay open, for the next answer."""


class _Gathered(bytearray):
    """What `http.client` takes for a socket while it writes a head, which holds secrets."""

    sendall = bytearray.extend

    def __repr__(self) -> str:
        return f"<{len(self)} bytes of a request>"


class _Response(HTTPResponse):
    """An answer whose head has arrived whole, and says only once where its body ends."""

    fp: Any
    fields: Headers

    def begin(self) -> None:
        reader: _Reader = self.fp
        head = reader.early or reader.head()
        while _INTERIM.match(head):
            head = reader.head()
        self.fp = BytesIO(head)
        super().begin()
        self.fp = reader
        if self.status == 101:
            raise Trouble("no HTTP", "a change to another protocol, which was not asked for")
        if _NO_TEXT.search(head) or self.headers.defects:
            raise Trouble("no HTTP", "a head with a malformed line")
        self.fields = Headers()
        for name, value in self.headers.items():
            key, text = name.lower(), _FOLD.sub(" ", value) if "\n" in value else value
            known = self.fields.get(key)
            self.fields[key] = text if known is None else f"{known}, {text}"
        coding = self.fields.get("transfer-encoding")
        length = self.fields.get("content-length")
        if coding is not None and (coding.strip().lower() != "chunked" or length is not None):
            raise Trouble("no HTTP", "a head that does not say where the body ends")
        if length is not None and not _LENGTH.fullmatch(length):
            raise Trouble("no HTTP", "a length that is no number")


def _tunnel_answer(sock: socket.socket, **options: Any) -> HTTPResponse:
    """Return a proxy's answer to CONNECT, whose head has the same limits as any."""
    reader = _Reader(sock)
    reader.expect("no answer", sock.gettimeout(), in_all=True)
    try:
        head = reader.head()
    except Trouble as trouble:
        raise HTTPException(trouble.reason or "it closed the connection") from None
    response = HTTPResponse(sock, **options)
    response.fp.close()
    response.fp = BytesIO(head)  # type: ignore[assignment]
    return response


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
        self.reader = reader = _Reader(self.sock)
        self.timeouts = timeouts
        self.route = route
        self.is_aborted = False
        self._http = http

        make: Any = lambda _, **options: _Response(cast("Any", reader), **options)  # noqa: E731
        http.response_class = make

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
        try:
            http.connect()
            stands = True
            if context is not None:
                http.sock = context.wrap_socket(
                    http.sock, server_hostname=certified_name(host), suppress_ragged_eofs=False
                )
        except (OSError, UnicodeError, HTTPException) as error:
            http.close()
            bare(error)
            if proxy is not None and not stands:
                raise Trouble("no proxy", f"{proxy}: {_refusal(error)}") from error
            if isinstance(error, TimeoutError):
                through = f"through the proxy {proxy}" if proxy is not None else ""
                raise Trouble("no connection in time", through) from error
            is_tls = isinstance(error, ssl.SSLError)
            raise Trouble("not safe" if is_tls else "not connected", str(error)) from error
        except BaseException as error:
            http.close()
            raise bare(error) from None
        return cls(http, timeouts, route)

    def send(self, outgoing: Outgoing) -> bool:
        """Send a request; return whether the server took all of it before it answered.

        Raises
        ------
        Trouble
        """
        self.reader.early, self._has_sent = None, False
        try:
            return self._send(outgoing)
        except (OSError, HTTPException, Trouble) as error:
            raise self.trouble(error) from error

    def _send(self, outgoing: Outgoing) -> bool:
        """Send small parts together, the head with the first of them."""
        together, size = self._head(outgoing), 0
        for block in outgoing.body or ():
            size += len(block)
            if len(together) + len(block) <= _BLOCK:
                together += block
                continue
            if (together and not self._push(together)) or not self._push(block):
                return False
            together = _Gathered()
        if size != (outgoing.content_length or 0):
            raise ValueError(
                f"The body of {outgoing.method} has {size} bytes, not {outgoing.content_length}."
            )
        return not together or self._push(together)

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
            http.sock = self.sock
        return cast("_Gathered", head)

    def _push(self, data: bytes | bytearray | memoryview) -> bool:
        """Send bytes; return whether the server let all of them pass without an answer."""
        if self._has_sent and self._is_answered():
            return False
        self._has_sent = True
        self.sock.settimeout(self.timeouts.write)
        rest = memoryview(data)
        try:
            # Not sendall, which has to be done with all of it within one timeout.
            while rest:
                rest = rest[self.sock.send(rest) :]
        except TimeoutError:
            raise
        except OSError:
            if not self._is_answered(_LAST_WORDS):
                raise
            return False
        return True

    def _is_answered(self, seconds: float = 0.0) -> bool:
        """Whether the answer comes early; interim ones are passed over."""
        self.sock.settimeout(seconds)
        try:
            while self.reader.peek():
                self.reader.expect("ended early", self.timeouts.read, in_all=True)
                head = self.reader.head()
                if not _INTERIM.match(head):
                    self.reader.early = head
                    return True
                self.sock.settimeout(0)
        except (ssl.SSLWantReadError, ssl.SSLEOFError):
            return False
        except OSError:
            if not seconds:
                raise
        return False

    def response(self) -> _Response:
        """Return the answer, when its head is there.

        Raises
        ------
        Trouble
        """
        self.reader.expect("no answer", self.timeouts.read, in_all=True)
        try:
            return self._http.getresponse()  # type: ignore[return-value]
        except (OSError, HTTPException, Trouble) as error:
            raise self.trouble(error) from error

    def is_usable(self) -> bool:
        """Whether it can take another request: nothing has come since the last answer."""
        self.sock.settimeout(0)
        try:
            return self.reader.read(1) is None
        except ssl.SSLWantReadError:  # a session ticket, or the like
            return True
        except OSError:
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
            case IncompleteRead() if isinstance(error.__context__, ValueError):
                return Trouble("no HTTP", "a chunk without its length")
            case IncompleteRead() | ssl.SSLEOFError():
                return Trouble(self.reader.end)
            case HTTPException():
                return Trouble("no HTTP", str(error)[:200])
            case _:
                return Trouble("lost", str(error))

    def abort(self) -> None:
        """End it under the hands of the thread that uses it."""
        self.is_aborted = True
        with suppress(OSError):  # it may have ended already
            # Not that of SSLSocket, which would have the thread go on without TLS.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        self._http.close()
        self.reader.raw.close()
        self.sock.close()


class HTTPAnswer:
    """An answer whose body is read from its connection.

    A body of known length goes from the socket straight to whoever reads it, any other through
    `http.client`, which knows where it ends.

    Parameters
    ----------
    connection : Connection
    response : http.client.HTTPResponse
    give_back : callable
        Given the connection, and whether all of the answer has come.
    """

    def __init__(
        self,
        connection: Connection,
        response: _Response,
        give_back: Callable[[Connection, bool], object],
    ) -> None:
        self.status_code = response.status
        self.headers = response.fields
        self._connection = connection
        self._response = response
        self._give_back = give_back
        self._is_ahead = True
        self._is_closed = False
        self._failure: Exception | None = None
        #: Bytes that are still to come; None when only http.client knows.
        self._remaining = None if response.chunked else response.length
        self._has_ended = self._remaining == 0

    def read(self, limit: int) -> bytes:
        """Return the rest of the body, which may have so many bytes.

        Raises
        ------
        Trouble
        """
        if (self._remaining or 0) > limit:
            raise Trouble("too large", f"{self._remaining:,} bytes")
        patience = self._connection.timeouts.read
        first = self._read1(_LARGE_BLOCK, patience)
        if self._has_ended:  # nearly always
            return first
        content = bytearray(first)
        while block := self._read1(_LARGE_BLOCK, patience):
            content += block
            if len(content) > limit:
                raise Trouble("too large", f"more than {limit:,} bytes")
        return bytes(content)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive into a buffer; return the number of bytes, 0 at the end.

        Raises
        ------
        Trouble
        """
        view = memoryview(buffer)
        if self._has_ended or not view:
            return 0
        patience = self._connection.timeouts.stall
        if self._remaining is None or self._is_ahead:
            block = self._read1(len(view), patience)
            view[: len(block)] = block
            return len(block)
        size = self._receive_into(view[: self._remaining], patience)
        self._count(size)
        return size

    def _read1(self, size: int, patience: float | None) -> bytes:
        """Return some of the body, nothing at its end."""
        if self._has_ended:
            return b""
        connection = self._connection
        connection.reader.expect("ended early", patience, in_all=False)
        try:
            if self._remaining is not None:
                block = connection.reader.read1(min(size, self._remaining))
                # Less than was asked for: nothing is left that was received ahead.
                self._is_ahead = len(block) == size
            else:
                block = self._response.read1(size)
                if self._response.chunked and (self._response.chunk_left or 0) < 0:
                    raise Trouble("no HTTP", "a chunk of less than no bytes")
            if not block and connection.is_aborted:
                raise Trouble("interrupted")
        except (OSError, HTTPException, Trouble) as error:
            raise connection.trouble(error) from error
        self._count(len(block))
        return block

    def _receive_into(self, view: memoryview, patience: float | None) -> int:
        """Receive until a buffer is full, or some time has passed: TLS gives 16 KiB at a time."""
        sock, filled = self._connection.sock, 0
        if self._failure is not None:
            raise self._connection.trouble(self._failure) from self._failure
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
                raise self._connection.trouble(error) from error
            # For the next call, which the system would not tell once more.
            self._failure = error
        return filled

    def _count(self, size: int) -> None:
        """Note that so many bytes came, 0 for the end."""
        if self._remaining is not None:
            if not size:
                missing = Trouble("ended early", f"{self._remaining:,} bytes are missing")
                raise self._connection.trouble(missing)
            self._remaining -= size
        self._has_ended = self._remaining == 0 or not size

    def close(self) -> None:
        """Give the connection back, or end it when there is more to come."""
        if self._is_closed:
            return
        self._is_closed = True
        self._response.close()
        self._give_back(self._connection, self._has_ended)

    def __del__(self) -> None:
        # An answer that nobody closed gives up its connection. No lock is waited for on the way.
        self.close()
