"""The answer to a request whose body is read bit by bit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Self

from hatcher.errors import InvalidResponseError
from hatcher.files.blocks import new_buffer
from hatcher.transport.channel import ChannelError, Headers, Incoming, Outgoing
from hatcher.transport.faults import error_for
from hatcher.transport.secret import Redactor

#: Bytes that `chunks` gives at a time.
_CHUNK = 256 * 1024


class Download:
    """The answer to a request whose body is read bit by bit.

    Attributes
    ----------
    status_code : int
    headers : Headers
    content_length : int or None
        Bytes to come, where the server says so.
    redactor : Redactor
        Takes secrets that were sent out of the server's words.
    """

    def __init__(self, outgoing: Outgoing, incoming: Incoming, redactor: Redactor) -> None:
        self.redactor = redactor
        self._outgoing = outgoing
        self._incoming = incoming
        self.status_code = incoming.status_code
        self.headers: Headers = incoming.headers
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        self._unpacking = None
        if encoding not in ("", "identity"):
            try:
                self._unpacking = _Unpacking(encoding, redactor)
            except BaseException:
                incoming.close()
                raise
        self.content_length = self.headers.content_length if self._unpacking is None else None

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive what has arrived and fits into a buffer; return its size, 0 at the end.

        Raises
        ------
        TransportError, InvalidResponseError
            The body does not arrive whole.
        """
        try:
            if self._unpacking is None:
                return self._incoming.readinto(buffer)
            return self._unpacking.readinto(self._incoming, buffer)
        except ChannelError as error:
            raise error_for(self._outgoing.info(self.redactor), error) from error
        except zlib.error as error:
            raise InvalidResponseError(
                f"Could not {self._outgoing.action}: the body of the answer is not validly "
                f"compressed ({error}). Try again, and check whatever stands between."
            ) from error

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives; raises as `readinto` does."""
        buffer = new_buffer(_CHUNK)
        while size := self.readinto(buffer):
            yield bytes(buffer[:size])

    def close(self) -> None:
        """Return the connection to the pool, or close it if more is to come."""
        self._incoming.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Unpacking:
    """Undoes the compression of a gateway that added it unasked."""

    def __init__(self, encoding: str, redact: Redactor) -> None:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise InvalidResponseError(
                f"The answer has an unexpected Content-Encoding ({redact(encoding)}). "
                "Check whatever stands between here and the server."
            )
        self._unpacker = _unpacker()
        self._packed = b""
        self._block = new_buffer(_CHUNK)

    def readinto(self, incoming: Incoming, buffer: bytearray | memoryview) -> int:
        while True:
            data = self._unpacker.decompress(self._packed, len(buffer))
            self._packed = self._unpacker.unconsumed_tail
            if data:
                buffer[: len(data)] = data
                return len(data)
            if self._unpacker.eof and self._unpacker.unused_data:  # of several members
                self._packed, self._unpacker = self._unpacker.unused_data, _unpacker()
                continue
            size = incoming.readinto(self._block)
            if size == 0:
                if not self._unpacker.eof:
                    raise zlib.error("it ends too early")
                return 0
            self._packed += bytes(self._block[:size])


def _unpacker() -> zlib._Decompress:
    return zlib.decompressobj(wbits=47)  # gzip and zlib, told apart by their heads
