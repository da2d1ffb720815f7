"""Downloads: a file, a part of it, or the word that the client has it already."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO
from urllib.parse import quote

from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hatcher.server.calls import Call
from hatcher.server.conditions import matches_none, wanted_range
from hatcher.server.refusals import Refusal

#: How much is read at once, in bytes.
_CHUNK = 256 << 10

logger = logging.getLogger("hatcher.server")


def download(call: Call, find: Callable[[], Row[Any]]) -> Response:
    """Return the answer to a request for a file.

    Parameters
    ----------
    call : Call
        With the conditions of the request.
    find : callable
        What finds the row of the artefact.

    Raises
    ------
    Refusal
        416: there is nothing in the range that was asked for; 503: the file is lost.
    """
    # Opened here, not when sending: whoever deletes it meanwhile takes nothing away.
    row, file = _open(call, find)
    etag, size = f'"{row.sha256}"', row.size
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if matches_none(call.request, etag):
        file.close()
        return Response(status_code=304, headers=headers)
    wanted = wanted_range(call.request, size, etag)
    if wanted is None:
        wanted, status = range(size), 200
    elif wanted:
        status = 206
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    else:
        file.close()
        sent = call.request.headers["range"]
        message = f"The range '{sent}' is outside of the file, which has {size} bytes."
        raise Refusal(416, message, {"Content-Range": f"bytes */{size}", **headers})
    headers["Content-Disposition"] = content_disposition(row.filename)
    return FileResponse(file, wanted, status, headers)


def _open(call: Call, find: Callable[[], Row[Any]]) -> tuple[Row[Any], BinaryIO]:
    """The row of an artefact and its file, which may be overwritten or deleted meanwhile."""
    lost = None
    while True:
        row = find()
        with suppress(FileNotFoundError):
            file = call.brood.blobs.path(row.sha256).open("rb")
            if os.fstat(file.fileno()).st_size == row.size:
                return row, file
            file.close()
        if row.sha256 == lost:
            name = call.request.scope["request_id"]
            logger.warning("Request %s: the blob %s is missing or damaged.", name, lost)
            raise Refusal(
                503,
                f"The server has lost the file '{row.filename}', or a part of it. Upload the same "
                "file again: that mends it.",
            )
        lost = row.sha256


class FileResponse(Response):
    """An answer with a part of an open file, which it closes."""

    media_type = "application/octet-stream"

    def __init__(self, file: BinaryIO, wanted: range, status: int, headers: dict[str, str]) -> None:
        headers["Content-Length"] = str(len(wanted))
        super().__init__(status_code=status, headers=headers)
        self._file = file
        self._wanted = wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, a chunk at a time."""
        with self._file:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            self._file.seek(self._wanted.start)
            left = 0 if scope["method"] == "HEAD" else len(self._wanted)
            while left:
                why = "is shorter than it was"
                try:
                    chunk = await run_in_threadpool(self._file.read, min(left, _CHUNK))
                except OSError as error:
                    chunk, why = b"", f"cannot be read: {error.strerror}"
                if not chunk:
                    name = scope["request_id"]
                    logger.warning("Request %s: '%s' %s", name, self._file.name, why)
                    return  # The connection is closed before the length that was promised.
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
            if not self._wanted or scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})


def content_disposition(filename: str) -> str:
    """Return the header that tells a client what to call a file.

    Parameters
    ----------
    filename : str
        Any name. Old clients only read the plain form, so that it is always there.
    """
    plain = re.sub(r'[^ -~]|["\\]', "_", filename)
    header = f'attachment; filename="{plain}"'
    if plain != filename:
        header += f"; filename*=UTF-8''{quote(filename, safe='')}"
    return header
