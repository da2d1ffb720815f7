"""The answer to a request whose body is read bit by bit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Self

from hatcher.errors import InvalidResponseError
from hatcher.transport.channel import ChannelError, Headers, Incoming, Outgoing
from hatcher.transport.faults import error_for

#: Bytes that `chunks` gives at a time.
_CHUNK = 256 * 1024


class Download:
    """The answer to a request whose body is read bit by bit.

    Attributes
    ----------
    status_code : int
    headers : Headers
    origin : tuple of (str, str, int)
        Where it comes from, after redirects.
    content_length : int or None
        Bytes to come, where the server says so.
    is_packed : bool
        Whether they are unpacked here.
    redactor : Redactor
        Takes secrets that were sent out of the server's words.
    """

    def __init__(self, outgoing: Outgoing, incoming: Incoming) -> None:
        self.redactor = outgoing.redact
        self.origin = outgoing.origin
        self._outgoing = outgoing
        self._incoming = incoming
        self.status_code = incoming.status_code
        self.headers: Headers = incoming.headers
        self.content_length = self.headers.content_length
        # Undoes the compression of a gateway that added it unasked.
        self._unpacker: zlib._Decompress | None = None
        self._packed = b""
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        self.is_packed = encoding not in ("", "identity")
        if encoding in ("gzip", "x-gzip", "deflate"):
            self._unpacker, self.content_length = _unpacker(), None
        elif self.is_packed:
            incoming.close()
            raise InvalidResponseError(
                f"Could not {outgoing.action}: the answer has an unexpected Content-Encoding "
                f"({self.redactor(encoding)}). Check whatever stands between here and the server."
            )

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive what has arrived and fits into a buffer; return its size, 0 at the end.

        Raises
        ------
        TransportError, InvalidResponseError
            The body does not arrive whole.
        """
        try:
            if self._unpacker is None:
                return self._incoming.readinto(buffer)
            data = self._unpacked(len(buffer))
        except ChannelError as error:
            raise error_for(self._outgoing, error) from error
        except zlib.error as error:
            raise InvalidResponseError(
                f"Could not {self._outgoing.action}: the body of the answer is not validly "
                f"compressed ({error}). Try again, and check whatever stands between."
            ) from error
        buffer[: len(data)] = data
        return len(data)

    def _unpacked(self, size: int) -> bytes:
        """Return at most that many bytes of what arrives compressed; none at the end."""
        unpacker = self._unpacker or _unpacker()
        while not (data := unpacker.decompress(self._packed, size)):
            self._packed = unpacker.unconsumed_tail
            if unpacker.eof and unpacker.unused_data:  # of several members
                self._packed, self._unpacker = unpacker.unused_data, (unpacker := _unpacker())
                continue
            block = bytearray(_CHUNK)
            arrived = self._incoming.readinto(block)
            if not arrived and not unpacker.eof:
                raise zlib.error("it ends too early")
            if not arrived:
                return b""
            self._packed += block[:arrived]
        self._packed = unpacker.unconsumed_tail
        return data

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives; raises as `readinto` does."""
        buffer = memoryview(bytearray(_CHUNK))
        while size := self.readinto(buffer):
            yield bytes(buffer[:size])

    def close(self) -> None:
        """Return the connection to the pool, or close it if more is to come."""
        self._incoming.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _unpacker() -> zlib._Decompress:
    return zlib.decompressobj(wbits=47)  # gzip and zlib, told apart by their heads
