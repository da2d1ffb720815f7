"""TLS over a socket, reading ahead.

An `ssl.SSLSocket` asks the system twice for each record of 16 KiB, which is most of what a
large download over TLS waits for. Here the system is asked for as much as there is.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Self

from hatcher.transport.buffers import new_buffer

#: Bytes that the system is asked for at once; what a processor's own cache holds.
_AHEAD = 256 * 1024

#: Bytes that are encrypted before they are sent.
_SENT_AT_ONCE = 64 * 1024


class TLSSocket:
    """What a connection needs of a socket, with TLS in between.

    Use `wrap`, which shakes hands.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._sock = sock
        self._arrived = ssl.MemoryBIO()
        self._leaving = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)
        self._buffer: memoryview | None = None
        self._has_ended = False

    @classmethod
    def wrap(cls, sock: socket.socket, context: ssl.SSLContext, host: str) -> Self:
        """Shake hands with a server.

        Parameters
        ----------
        sock : socket.socket
            Connected; its timeout holds for each wait.
        context : ssl.SSLContext
        host : str
            Whose certificate it has to be.

        Raises
        ------
        ssl.SSLError
            There was no agreement, or the certificate is not acceptable.
        OSError
        """
        wrapped = cls(sock, context, host)
        while True:
            try:
                wrapped._tls.do_handshake()
            except ssl.SSLWantReadError:
                wrapped._flush()
                wrapped._read_ahead()
            except ssl.SSLError:
                with suppress(OSError):
                    wrapped._flush()  # the server is told why
                raise
            else:
                wrapped._flush()
                return wrapped

    @property
    def has_arrived(self) -> bool:
        """Whether something can be read, or the end be found, without the system."""
        return self._has_ended or self._arrived.pending > 0 or self._tls.pending() > 0

    # -- what a socket has ---------------------------------------------------------------

    def recv(self, size: int) -> bytes:
        """Return what is there; nothing at the end."""
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(memoryview(buffer))])

    def recv_into(self, buffer: memoryview) -> int:
        """Receive what is there, and wait only for the first of it; return the number of bytes.

        It is 0 at the end.
        """
        read, size, filled = self._tls.read, len(buffer), 0
        while True:
            try:
                # A record at a time: there are 64 of them in a megabyte.
                while filled < size and not self._has_ended:
                    got: int = read(size - filled, buffer[filled:])  # type: ignore[assignment]
                    filled += got
                    self._has_ended = not got
                return filled
            except ssl.SSLWantReadError:
                if filled:
                    return filled
                if self._leaving.pending:
                    self._flush()
                self._read_ahead()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                self._has_ended = True
                return filled

    def send(self, data: memoryview) -> int:
        """Send some of the bytes; return how many."""
        size = self._tls.write(data[:_SENT_AT_ONCE])
        self._flush()
        return size

    def gettimeout(self) -> float | None:
        """Return the seconds that a wait may take."""
        return self._sock.gettimeout()

    def settimeout(self, seconds: float | None) -> None:
        """Limit the waits from now on."""
        self._sock.settimeout(seconds)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Set an option of the socket."""
        self._sock.setsockopt(level, option, value)

    def fileno(self) -> int:
        """Return the descriptor, for `select`."""
        return self._sock.fileno()

    def shutdown(self, how: int) -> None:
        """End it under the hands of who uses it."""
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close it."""
        self._sock.close()

    # -- helpers -------------------------------------------------------------------------

    def _read_ahead(self) -> None:
        if self._buffer is None:
            self._buffer = new_buffer(_AHEAD)
        size = self._sock.recv_into(self._buffer)
        if size:
            self._arrived.write(self._buffer[:size])
        else:
            self._arrived.write_eof()

    def _flush(self) -> None:
        rest = memoryview(self._leaving.read())
        while rest:
            rest = rest[self._sock.send(rest) :]
