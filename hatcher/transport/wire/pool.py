"""Connections that are kept for the next request, and shared by threads."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable

from hatcher.transport.channel import Trouble
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.wire.connection import Connection, Origin

#: Connections in use at a time.
MAX_CONNECTIONS = 64

#: Seconds that an unused connection is kept; servers and gateways close them, too.
KEPT_FOR = 30.0


class Pool:
    """Gives out connections, kept ones first.

    Parameters
    ----------
    timeouts : Timeouts
    ssl_context : callable
        Returns how certificates are verified; called when it is needed.
    """

    def __init__(self, timeouts: Timeouts, ssl_context: Callable[[], ssl.SSLContext]) -> None:
        self._timeouts = timeouts
        self._ssl_context = ssl_context
        self._renew()

    def _renew(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._free = threading.Semaphore(MAX_CONNECTIONS)
        self._kept: dict[Origin, list[Connection]] = {}
        self._used: set[Connection] = set()
        self._closed = False

    def take(self, origin: Origin) -> Connection:
        """Return a connection.

        Parameters
        ----------
        origin : tuple of (str, str, int)

        Raises
        ------
        Trouble
            None became free in time, or none could be made.
        """
        if self._process != os.getpid():
            self._renew()  # after a fork, the connections are the parent's
        if not self._free.acquire(timeout=self._timeouts.pool):
            raise Trouble("no free connection")
        try:
            connection = self._take_kept(origin)
            if connection is None:
                connection = Connection.open(origin, self._timeouts, self._ssl_context)
        except BaseException:
            self._free.release()
            raise
        with self._lock:
            self._used.add(connection)
        return connection

    def _take_kept(self, origin: Origin) -> Connection | None:
        while True:
            with self._lock:
                kept = self._kept.get(origin)
                if not kept:
                    return None
                connection = kept.pop()
            if connection.is_usable(KEPT_FOR):
                return connection
            connection.close()

    def give_back(self, connection: Connection, *, reusable: bool) -> None:
        """Take back a connection that `take` gave out."""
        connection.rest()
        with self._lock:
            if connection not in self._used:
                return  # it comes from before a fork
            self._used.discard(connection)
            reusable = reusable and not self._closed and not connection.is_interrupted
            if reusable:
                self._kept.setdefault(connection.origin, []).append(connection)
        self._free.release()
        if not reusable:
            connection.close()

    def interrupt(self) -> None:
        """End every connection that is in use."""
        with self._lock:
            used = list(self._used)
        for connection in used:
            connection.interrupt()

    def close(self) -> None:
        """Close the connections that are kept; those in use follow when they come back."""
        if self._process != os.getpid():
            return
        with self._lock:
            self._closed = True
            kept = [connection for same in self._kept.values() for connection in same]
            self._kept.clear()
        for connection in kept:
            connection.close()

    def __del__(self) -> None:
        self.close()
