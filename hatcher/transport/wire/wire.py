"""The channel over sockets of our own."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from hatcher.transport.channel import Outgoing
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.wire.answer import WireAnswer
from hatcher.transport.wire.head import Parser
from hatcher.transport.wire.pool import Pool


class Wire:
    """Sends requests over connections that it keeps.

    Parameters
    ----------
    timeouts : Timeouts
    ssl_context : callable
        Returns how certificates are verified; called for the first https request.
    """

    def __init__(self, timeouts: Timeouts, ssl_context: Callable[[], ssl.SSLContext]) -> None:
        self._pool = Pool(timeouts, ssl_context)

    def exchange(self, outgoing: Outgoing) -> WireAnswer:
        """Send a request and return its answer, whatever its status.

        Raises
        ------
        Trouble
        """
        connection = self._pool.take(outgoing.origin)
        parser = Parser()
        try:
            all_sent = connection.send(outgoing, parser)
            connection.receive_head(parser)
        except BaseException:
            self._pool.give_back(connection, reusable=False)
            raise
        return WireAnswer(connection, parser, self._pool, reusable=all_sent)

    def interrupt(self) -> None:
        """Make what is under way in other threads end at once, in `Trouble`."""
        self._pool.interrupt()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
