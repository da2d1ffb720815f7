"""What accepts connections for the things that misbehave, and how they end them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

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

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
