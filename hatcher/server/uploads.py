"""Uploads: two parts, `file` and `data`, taken in as they arrive.

The file is written and hashed in a thread, a mebibyte at a time, while the next one
arrives; nothing is kept in memory, and nothing is written twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any, NamedTuple

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hatcher.server.blobs import Blobs, Incoming
from hatcher.server.calls import Call, demand_media_type, demand_size, larger, parse_document
from hatcher.server.refusals import bad_request

#: How much is handed to the thread at once, in bytes.
_BATCH = 1 << 20
#: The largest part `data`, in bytes.
_MAX_DATA = 1 << 20
#: The most that stands around the two parts, in bytes: their heads, and before and after them.
_MAX_AROUND = 128 << 10
#: The longest name of a file, in bytes: what file systems take.
_MAX_FILENAME = 255
#: The longest boundary, in characters; MIME knows 70.
_MAX_BOUNDARY = 200


class Upload(NamedTuple):
    """An upload that has arrived whole, and whose hash is the one declared.

    Attributes
    ----------
    incoming : Incoming
        The file, under the name that it was sent with.
    document : dict
        The part `data`.
    """

    incoming: Incoming
    document: dict[str, Any]


@asynccontextmanager
async def receive_upload(call: Call, most: int | None = None) -> AsyncIterator[Upload]:
    """Take in an upload; what was not stored by the end is removed.

    Parameters
    ----------
    call : Call
        Of an operation with an upload.
    most : int, optional
        The largest file, in bytes, where that is less than the server takes otherwise.

    Raises
    ------
    Refusal
        400: it is not in the form described, or damaged; 413: it is too large; 415: it is no
        multipart/form-data.
    starlette.requests.ClientDisconnect
        The client went away.
    """
    limits = [limit for limit in (most, call.brood.settings.max_upload) if limit is not None]
    receiver = _Receiver(call.brood.blobs, min(limits, default=None))
    try:
        await receiver.receive(call.request)
        assert call.operation.check_body is not None
        yield await receiver.finish(call.operation.check_body)
    finally:
        await receiver.close()


class _Receiver:
    """Takes the parts of one upload as they arrive."""

    def __init__(self, blobs: Blobs, most: int | None) -> None:
        self._blobs = blobs
        self._most = most
        self._size = 0  # of the file, as far as it has arrived
        self._incoming: Incoming | None = None
        self._data: bytearray | None = None
        self._in_file = False
        self._batch = bytearray()
        self._writing: asyncio.Future[None] | None = None
        self._cleanup = ExitStack()

    async def receive(self, request: Request) -> None:
        demand_media_type(request, "multipart/form-data")
        _, options = parse_options_header(request.headers["content-type"])
        boundary = options.get("boundary", "")
        if not 0 < len(boundary) <= _MAX_BOUNDARY:
            raise bad_request("The Content-Type of an upload must name a boundary of its parts.")
        if self._most is not None:
            demand_size(request, self._most + _MAX_DATA + _MAX_AROUND)
        around = 0
        try:
            with PushMultipartParser(boundary, max_segment_count=2) as parser:
                async for chunk in request.stream():
                    around += len(chunk)
                    for event in parser.parse(chunk) if chunk else ():
                        around -= await self._take(event)
                    if around > _MAX_AROUND:
                        raise bad_request(
                            "The upload has too much before, after or between its parts."
                        )
        except MultipartError as error:
            raise bad_request(
                f"The upload is not multipart/form-data with the parts 'file' and 'data': {error}."
            ) from error

    async def _take(self, event: MultipartSegment | bytearray | bytes | None) -> int:
        """Take what the parser has found; return how much of the parts' content it is."""
        if event is None:
            await self._write_batch()
        elif isinstance(event, MultipartSegment):
            await self._begin(event)
        elif self._in_file:
            self._size += len(event)
            if self._most is not None and self._size > self._most:
                raise larger("The file", self._most)
            self._batch += event
            if len(self._batch) >= _BATCH:
                await self._write_batch()
            return len(event)
        else:
            assert self._data is not None
            self._data += event
            if len(self._data) > _MAX_DATA:
                raise larger("The part 'data'", _MAX_DATA)
            return len(event)
        return 0

    async def _begin(self, segment: MultipartSegment) -> None:
        if segment.name == "file" and self._incoming is None:
            filename = _safe_filename(segment.filename)
            self._incoming = await run_in_threadpool(
                self._cleanup.enter_context, self._blobs.receive(filename)
            )
            self._in_file = True
        elif segment.name == "data" and self._data is None:
            self._data = bytearray()
            self._in_file = False
        else:
            raise bad_request(
                f"The part '{segment.name}' is one too many: an upload has one part 'file' and "
                "one part 'data'."
            )

    async def _write_batch(self) -> None:
        """Hand the batch to a thread; wait only for the one before it."""
        await self._written()
        if self._batch:
            assert self._incoming is not None
            writing = run_in_threadpool(self._incoming.write, self._batch)
            self._writing = asyncio.ensure_future(writing)
            self._batch = bytearray()

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def finish(self, check: Callable[[Any], None]) -> Upload:
        """Return what has arrived, checked."""
        await self._written()
        if self._incoming is None or self._data is None:
            missing = "file" if self._incoming is None else "data"
            raise bad_request(f"The upload has no part '{missing}'.")
        document = parse_document(bytes(self._data))
        await run_in_threadpool(check, document)
        if document["sha256"].lower() != self._incoming.sha256:
            raise bad_request(
                f"The file has the sha256 {self._incoming.sha256}, but 'data' declares "
                f"{document['sha256']}. It changed on its way or while it was read: send it again."
            )
        return Upload(self._incoming, document)

    async def close(self) -> None:
        """Remove what is left of the upload."""
        try:
            await self._written()
        finally:
            await run_in_threadpool(self._cleanup.close)


def _safe_filename(filename: str | None) -> str:
    """Refuse a file name that is none, or could lead elsewhere."""
    if not filename:
        raise bad_request("The part 'file' has no filename.")
    if (
        filename in (".", "..")
        or set(filename) & set("/\\")
        or not filename.isprintable()
        or len(filename.encode()) > _MAX_FILENAME
    ):
        raise bad_request(
            f"The filename {filename!r} of the part 'file' is not the bare name of a file, of "
            f"at most {_MAX_FILENAME} bytes."
        )
    return filename
