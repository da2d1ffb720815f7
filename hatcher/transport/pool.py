"""Connections that are kept for the next request, and shared by threads."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from hatcher import cancel
from hatcher.transport.channel import ChannelError
from hatcher.transport.retry import turns

if TYPE_CHECKING:
    from hatcher.transport.http_channel import Connection

#: Connections in use at a time.
MAX_CONNECTIONS = 64

#: What a socket is set to, to reset its connection when it is closed: on, and no second.
_AT_ONCE = struct.pack("ii", 1, 0)

#: Seconds that an unused connection is kept; servers and gateways close them, too.
KEPT_FOR = 30.0

#: Seconds that a connection takes at least which is better opened before it is needed.
_FAR = 0.02

#: Seconds after which another one is needed, where many are.
_EVERY = 0.001

_ALL = float("inf")


class Pool:
    """Lends connections, kept ones first.

    It has no locks: connections come back from finalizers, which must not wait for one. What
    threads share are single operations on a `deque` or a `SimpleQueue`.

    Parameters
    ----------
    timeout : float or None
        Seconds to wait for a free connection.
    connect : callable
        Given a route, returns a connection.
    """

    def __init__(self, timeout: float | None, connect: Callable[[Any], Connection]) -> None:
        self._timeout = timeout
        self._connect = connect
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._permits: SimpleQueue[None] = SimpleQueue()
        for _ in range(MAX_CONNECTIONS):
            self._permits.put(None)
        #: Connections with the time of their return, by route; the oldest first.
        self._kept: dict[Any, deque[tuple[float, Connection]]] = {}

    def take(self, route: Any) -> Connection:
        """Return a connection, a kept one if there is any."""
        if self._process != os.getpid():
            self._drop(_ALL)  # after a fork, they are the parent's
            self._begin()
        permits = self._permits
        try:
            cancel.got(permits, self._timeout)
        except Empty:
            raise ChannelError("pool timeout") from None
        try:
            self._drop(time.monotonic() - KEPT_FOR)
            connection = self._take_kept(route) or self._open(route)
        except BaseException:
            permits.put(None)
            raise
        connection.permits = permits
        return connection

    def _take_kept(self, route: Any) -> Connection | None:
        kept = self._kept.get(route)
        while kept:
            try:
                connection = kept.pop()[1]
            except IndexError:  # another thread took the last one
                break
            if connection.is_usable():
                return connection
            connection.close()
        return None

    def _open(self, route: Any) -> Connection:
        """Open a connection; where that takes long, others for the operation beside its request."""
        begun, operation = time.monotonic(), turns.get()
        connection = self._connect(route)
        took = time.monotonic() - begun
        if operation is not None and took > _FAR:
            for _ in range(min(operation.connections_to_come(), round(took / _EVERY))):
                threading.Thread(target=self._open_ahead, args=(route,), daemon=True).start()
        return connection

    def _open_ahead(self, route: Any) -> None:
        with suppress(ChannelError):  # who needs it will be told
            connection = self._connect(route)
            self._kept.setdefault(route, deque()).append((time.monotonic(), connection))
            if self._is_closed:
                self._drop(_ALL)

    def _drop(self, until: float) -> None:
        """Close all connections that were returned by then."""
        for kept in list(self._kept.values()):
            try:
                while kept[0][0] <= until:
                    # If another thread was quicker, it is a younger one, which is no loss.
                    kept.popleft()[1].close()
            except IndexError:  # no more of them
                continue

    def give_back(self, connection: Connection, *, reusable: bool) -> None:
        """Return a connection that `take` has lent."""
        is_ours = connection.permits is self._permits and self._process == os.getpid()
        if is_ours and reusable and not self._is_closed:
            kept = self._kept.setdefault(connection.route, deque())
            kept.append((time.monotonic(), connection))
        else:
            connection.close()
        connection.permits.put(None)
        if self._is_closed:
            self._drop(_ALL)

    def close(self) -> None:
        """Close the kept connections; those in use follow when they come back."""
        self._is_closed = True
        self._drop(_ALL)

    def __del__(self, everything: float = _ALL) -> None:
        # When the interpreter ends, the names of modules may be gone.
        self._is_closed = True
        self._drop(everything)


def shut_down(sock: socket.socket | None) -> None:
    """Shut down both directions of a socket; when it is closed, the other side is told to end."""
    with suppress(OSError):  # it may have ended already
        if sock is not None:
            # Where all that had come was read, a plain close lets the other side wait for room.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            # Not that of SSLSocket, which would have the thread go on without TLS.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
