"""What the things that misbehave are made of: they accept connections, read, spoil and end them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Self
from urllib.parse import urlsplit

from attrs import frozen

BLOCK = 65536

#: With this, a close sends a reset: the other side sees "connection reset by peer".
_LINGER_NOT = struct.pack("ii", 1, 0)

#: Not select() where there is another: it takes no descriptor above 1023. And none that has a
#: descriptor of its own.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

#: Linux's SIOCOUTQNSD: how many bytes wait in a socket, not yet sent.
_NOT_SENT = 0x894B


class Listener(ABC):
    """Accepts connections on a free loopback port, each served in a thread of its own."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._connections = 0
        self._accepting = True
        self._start()

    @property
    def url(self) -> str:
        """Where it listens (`str`), such as ``http://127.0.0.1:43123``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def connections(self) -> int:
        """How many connections were made to it so far (`int`)."""
        with self._lock:
            return self._connections

    def has_news(self) -> bool:
        """Look whether something has come that nobody has read yet: a connection, or on one.

        Returns
        -------
        bool
        """
        with self._lock:
            sides = [side for side in self._open if side.fileno() >= 0]
        if self._accepting:
            sides.append(self._listening)
        try:
            return bool(readable(*sides, timeout=0))
        except (OSError, ValueError):
            return True  # one of them has just been closed

    def refuse(self) -> None:
        """Drop every connection and refuse new ones, as a machine does whose server is down."""
        if self._accepting:
            self._stop()
            # Bound without listening: it refuses, and nobody else can take the port.
            self._listening = socket.socket()
            self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listening.bind(("127.0.0.1", self._port))

    def accept_again(self) -> None:
        """Take connections again after `refuse`, on the same port."""
        if not self._accepting:
            self._listening.listen()
            self._accepting = True
            self._start()

    def close(self) -> None:
        """Stop listening, and drop every connection."""
        if self._accepting:
            self._stop()
        self._listening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _start(self) -> None:
        self._acceptor = threading.Thread(target=self._accept, args=(self._listening,), daemon=True)
        self._acceptor.start()

    def _stop(self) -> None:
        self._accepting = False
        # Closing alone does not wake a thread that waits in accept().
        shutdown(self._listening, socket.SHUT_RDWR)
        self._listening.close()
        self._acceptor.join(timeout=5)
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            shutdown(connection, socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                if not self._accepting:
                    return
                raise
            with self._lock:
                self._connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        try:
            # The other side may go away at any moment; that is what these things are about.
            with contextlib.suppress(ConnectionError):
                self._serve(connection)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    @abstractmethod
    def _serve(self, connection: socket.socket) -> None:
        """Serve one connection until it ends."""


def shutdown(side: socket.socket, how: int) -> None:
    """End a connection in an orderly way, if it is still there."""
    # Whoever is on the other end may be gone already, which is no fault of its own.
    with contextlib.suppress(OSError):
        side.shutdown(how)


def readable(*sides: socket.socket, timeout: float | None = None) -> list[socket.socket]:
    """Wait until something can be received, or an end be seen; return where.

    Parameters
    ----------
    *sides : socket.socket
    timeout : float, optional
        Seconds to wait at most; by default, as long as it takes.
    """
    with _Selector() as selector:
        for side in sides:
            selector.register(side, selectors.EVENT_READ)
        ready = {key.fd for key, _ in selector.select(timeout)}
    return [side for side in sides if side.fileno() in ready]


def reset_on_close(side: socket.socket) -> None:
    """Let what was sent arrive; the close of the socket is then a reset."""
    # A reset throws away what is still under way.
    _let_arrive(side)
    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)


def _let_arrive(side: socket.socket) -> None:
    if sys.platform != "linux":
        time.sleep(0.05)
        return
    import fcntl

    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        waiting = fcntl.ioctl(side.fileno(), _NOT_SENT, b"\0" * 4)
        if not int.from_bytes(waiting, sys.byteorder):
            return
        time.sleep(0.001)


def host_and_port(url: str) -> tuple[str, int]:
    """Return where the server is that things that misbehave stand before.

    Raises
    ------
    ValueError
        The URL is none of a server without encryption.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None or parts.port is None:
        raise ValueError(f"A URL such as http://127.0.0.1:8080 is needed, not {url}.")
    return parts.hostname, parts.port


# --- what passes over a connection ----------------------------------------------------------------


class Struck(Exception):  # noqa: N818 - what a fault does is no error
    """A fault has happened: nothing more passes."""


def spoiled(blocks: Iterable[bytes], at: int, *, flip: bool = False) -> Iterator[bytes]:
    """Yield what passes until a fault happens after so many bytes; a flip inverts the next one.

    Raises
    ------
    Struck
        There is more, which does not pass.
    """
    for block in blocks:
        if not 0 <= at < len(block):
            yield block
        elif flip:
            yield block[:at] + bytes([block[at] ^ 0xFF]) + block[at + 1 :]
        else:
            yield block[:at]
            raise Struck
        at -= len(block)


@frozen
class Head:
    """The head of a request or of an answer."""

    raw: bytes

    @cached_property
    def line(self) -> str:
        """The first line."""
        return self.raw.split(b"\r\n", 1)[0].decode("latin-1")

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers, by their names in lower case."""
        lines = (line.partition(":") for line in self.raw.decode("latin-1").split("\r\n")[1:])
        return {name.lower(): value.strip() for name, colon, value in lines if colon}

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.line.split(" ", 2)[1])

    @property
    def content_length(self) -> int | None:
        """How many bytes follow, if the head says so."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None

    @property
    def ends_the_connection(self) -> bool:
        """Whether nothing comes after this answer."""
        if self.headers.get("connection", "").lower() == "close" or "HTTP/1.0" in self.line:
            return True
        framed = self.status in (204, 304) or "transfer-encoding" in self.headers
        return not framed and self.content_length is None


class End:
    """One end of a connection: a socket, and what of it was received but not used."""

    def __init__(self, end: socket.socket) -> None:
        # A head and its body are two sends; without this the second may wait for the first.
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = end
        self.buffered = b""

    def receive(self, limit: int = BLOCK) -> bytes:
        """Receive up to so many bytes; none when the other side has ended."""
        data = self.buffered or self.socket.recv(BLOCK)
        self.buffered = data[limit:]
        return data[:limit]

    def blocks(self, count: int) -> Iterator[bytes]:
        """Yield so many bytes, or as many as come."""
        while count and (data := self.receive(count)):
            count -= len(data)
            yield data

    def until(self, mark: bytes) -> bytes | None:
        """Receive up to a mark; return None when the other side ends before."""
        while mark not in self.buffered:
            data = self.socket.recv(BLOCK)
            if not data:
                return None
            self.buffered += data
        found, _, self.buffered = self.buffered.partition(mark)
        return found + mark

    def head(self) -> Head | None:
        """Receive a head; return None when there is no end of one."""
        raw = self.until(b"\r\n\r\n")
        return None if raw is None else Head(raw)

    def drain(self) -> None:
        """Receive until the other side ends, for nothing."""
        while self.receive():
            pass

    def is_readable(self) -> bool:
        """Whether something can be received at once."""
        return bool(self.buffered or readable(self.socket, timeout=0))

    def is_readable_before(self, other: End) -> bool:
        """Wait for either end; return whether there is something at this one."""
        return self.socket in readable(self.socket, other.socket)
