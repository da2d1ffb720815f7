"""The answer to a request whose body is read bit by bit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Self

from hatcher.errors import InvalidResponseError
from hatcher.transport.buffers import new_buffer
from hatcher.transport.channel import Headers, Incoming, Trouble
from hatcher.transport.faults import error_for
from hatcher.transport.request import Request
from hatcher.transport.secret import Redactor, bare

#: Bytes that `chunks` gives at a time.
_CHUNK = 256 * 1024


class Download:
    """The answer to a request whose body is read bit by bit.

    Attributes
    ----------
    status_code : int
    headers : Headers
    content_length : int or None
        How many bytes are to come, where the server says so.
    redactor : Redactor
        Takes what was sent in secret out of the server's words.
    """

    def __init__(self, request: Request, url: str, incoming: Incoming, redactor: Redactor) -> None:
        self._request = request
        self.redactor = redactor
        self._url = url
        self._incoming = incoming
        self.status_code = incoming.status_code
        self.headers: Headers = incoming.headers
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        self._unpacking = None if encoding in ("", "identity") else _Unpacking(encoding, redactor)
        self.content_length = self.headers.content_length if self._unpacking is None else None

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive into a buffer, as many bytes as there are by now and as it holds.

        Parameters
        ----------
        buffer : bytearray or memoryview

        Returns
        -------
        int
            The number of bytes; 0 at the end of the body.

        Raises
        ------
        TransportError, InvalidResponseError
            The body does not arrive whole.
        """
        try:
            if self._unpacking is None:
                return self._incoming.readinto(buffer)
            return self._unpacking.readinto(self._incoming, buffer)
        except Trouble as trouble:
            bare(trouble).without(self.redactor)
            raise error_for(self._request, self._url, trouble) from trouble
        except zlib.error as error:
            raise InvalidResponseError(
                f"Could not {self._request.action}: the answer is compressed, and not as it says "
                f"({error}). Try again, and check whatever stands between."
            ) from error

    def chunks(self) -> Iterator[bytes]:
        """Give the body as it arrives.

        Raises
        ------
        TransportError, InvalidResponseError
            It does not arrive whole.
        """
        buffer = new_buffer(_CHUNK)
        while size := self.readinto(buffer):
            yield bytes(buffer[:size])

    def close(self) -> None:
        """Give the connection back, or close it when there is more to come."""
        self._incoming.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Unpacking:
    """Undoes the compression of a gateway that was asked for none."""

    def __init__(self, encoding: str, redact: Redactor) -> None:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise InvalidResponseError(
                f"The answer is compressed in a way that was not asked for ({redact(encoding)}). "
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
