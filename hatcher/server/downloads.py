"""Downloads: a file, a part of it, or the word that the client has it already."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hatcher.server.conditions import UnsatisfiableRangeError, matches_none, wanted_range
from hatcher.server.refusals import Refusal

#: How much is read at once, in bytes.
_CHUNK = 256 << 10


def download(request: Request, path: Path, filename: str, sha256: str) -> Response:
    """Return the answer to a request for a file.

    Parameters
    ----------
    request : starlette.requests.Request
        With its conditions.
    path : pathlib.Path
        Where the file is.
    filename : str
        What the client is to call it.
    sha256 : str
        Its hash, which becomes the ETag.

    Raises
    ------
    Refusal
        416: there is nothing in the range that was asked for.
    """
    etag = f'"{sha256}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if matches_none(request, etag):
        return Response(status_code=304, headers=headers)
    # Opened here, not when sending: whoever deletes it meanwhile takes nothing away.
    file = path.open("rb")
    try:
        size = file.seek(0, 2)
        wanted = wanted_range(request, size, etag)
    except UnsatisfiableRangeError as error:
        file.close()
        raise Refusal(
            416,
            f"The range '{error}' is outside of the file, which has {size} bytes.",
            {"Content-Range": f"bytes */{size}", **headers},
        ) from error
    headers["Content-Disposition"] = content_disposition(filename)
    if wanted is None:
        return FileResponse(file, range(size), 200, headers)
    headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    return FileResponse(file, wanted, 206, headers)


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
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            self._file.seek(self._wanted.start)
            left = 0 if scope["method"] == "HEAD" else len(self._wanted)
            while left:
                chunk = await run_in_threadpool(self._file.read, min(left, _CHUNK))
                if not chunk:
                    raise OSError(f"{self._file.name} is shorter than it was")
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
    plain = "".join(
        "_" if character in '"\\' or not " " <= character <= "~" else character
        for character in filename
    )
    header = f'attachment; filename="{plain}"'
    if plain != filename:
        from urllib.parse import quote

        header += f"; filename*=UTF-8''{quote(filename, safe='')}"
    return header
