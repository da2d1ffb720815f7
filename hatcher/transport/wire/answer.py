"""An answer whose body is still on the wire."""

from __future__ import annotations

from hatcher.transport.buffers import new_buffer
from hatcher.transport.wire.connection import Connection
from hatcher.transport.wire.head import Parser
from hatcher.transport.wire.pool import Pool


class WireAnswer:
    """An answer whose head is there, and whose body arrives as it is read.

    A body of known length goes from the socket straight to whoever reads it; any
    other through the parser, which knows where it ends.

    Parameters
    ----------
    connection : Connection
    parser : Parser
        Has read the head, and perhaps the beginning of the body.
    pool : Pool
        Where the connection goes back to.
    reusable : bool
        Whether the connection can be used again after this answer.
    """

    def __init__(
        self, connection: Connection, parser: Parser, pool: Pool, *, reusable: bool
    ) -> None:
        self.status_code = parser.status_code
        self.headers = parser.headers
        self._connection = connection
        self._parser = parser
        self._pool = pool
        self._reusable = reusable and parser.keeps_alive
        self._arrived = parser.body
        self._closed = False
        #: Bytes that are still to come over the wire; None when only the parser knows.
        self._remaining = parser.content_length
        if self._remaining is not None:
            self._remaining -= sum(map(len, self._arrived))

    def read(self) -> bytes:
        """Return the rest of the body.

        Raises
        ------
        Trouble
        """
        self._connection.expect(stall=False)
        if self._remaining is None:
            while not self._at_end():
                self._feed()
            whole = b"".join(self._arrived)
            self._arrived.clear()
            return whole
        if self._remaining == 0 and len(self._arrived) == 1:
            return self._arrived.pop()
        content = new_buffer(sum(map(len, self._arrived)) + self._remaining)
        filled = 0
        while size := self.readinto(content[filled:], stall=False):
            filled += size
        return bytes(content)

    def readinto(self, buffer: bytearray | memoryview, *, stall: bool = True) -> int:
        """Receive into a buffer; return the number of bytes, 0 at the end.

        Raises
        ------
        Trouble
        """
        if not self._arrived and self._remaining != 0:
            self._connection.expect(stall=stall)
            if self._remaining is not None:
                view = memoryview(buffer)[: self._remaining]
                size = self._connection.receive_into(view) if view else 0
                if size == 0 and view:
                    raise self._connection.trouble(
                        "ended early", f"{self._remaining} bytes are missing"
                    )
                self._remaining -= size
                return size
            while not self._arrived and not self._at_end():
                self._feed()
        if not self._arrived:
            return 0
        first = self._arrived[0]
        size = min(len(buffer), len(first))
        memoryview(buffer)[:size] = first[:size]
        if size == len(first):
            del self._arrived[0]
        else:
            self._arrived[0] = first[size:]
        return size

    def close(self) -> None:
        """Give the connection back, or end it when there is more to come."""
        if self._closed:
            return
        self._closed = True
        ended = self._parser.is_complete if self._remaining is None else self._remaining == 0
        self._pool.give_back(self._connection, reusable=self._reusable and ended)

    def _at_end(self) -> bool:
        return self._parser.is_complete

    def _feed(self) -> None:
        data = self._connection.receive()
        if data:
            self._parser.feed(data)
        elif self._parser.ends_with_the_connection:
            self._parser.is_complete = True
            self._reusable = False
        else:
            raise self._connection.trouble("ended early", "the last chunk is missing")

    def __del__(self) -> None:
        # An answer that nobody closed has given up its connection.
        self.close()
