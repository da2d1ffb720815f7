"""What the functions of all operations share."""

import io
import os
import secrets
from collections.abc import AsyncIterator, Iterator, MutableMapping
from types import UnionType
from typing import (
    IO,
    Any,
    BinaryIO,
    Generic,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from attrs import define, field

from .parameters import UNSET, Unset

__all__ = [
    "UNSET",
    "AsyncMultipart",
    "File",
    "FileTypes",
    "Multipart",
    "RequestFiles",
    "Response",
    "Unset",
    "checked",
]

T = TypeVar("T")

# File name, content, media type.
FileTypes = tuple[str | None, IO[bytes] | bytes, str | None]
RequestFiles = list[tuple[str, FileTypes]]


@define
class File:
    """A file: for an upload, or the body of a download

    An upload sends it from its beginning, and must be able to seek in it. As a context manager
    it closes `payload` at the end.
    """

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Self:
        """Open a file for an upload, named by the last part of its path

        Use it as a context manager, or close its `payload`.

        Raises:
            OSError: If the file cannot be opened.
        """
        return cls(open(path, "rb"), os.path.basename(path))

    def to_tuple(self) -> FileTypes:
        """The parts of a field of a form"""
        return self.file_name, self.payload, self.mime_type

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.payload.close()


@define
class Response(Generic[T]):
    """The answer to a request

    Attributes:
        status_code (int): Perhaps one that http.HTTPStatus does not know.
        content (bytes): All of its body.
        headers (MutableMapping[str, str]): Their names may be asked for in any case.
        parsed (T | None): The document in its body; None where there is none.
    """

    status_code: int
    content: bytes = field(repr=False)
    headers: MutableMapping[str, str] = field(repr=False)
    parsed: T | None

    def raise_for_status(self) -> Self:
        """Return this response, unless its status is one of an error (4XX or 5XX)

        Raises:
            errors.UnexpectedStatus: If it is one; the message has the server's own.
        """
        from .errors import UnexpectedStatus

        if self.status_code >= 400:
            raise UnexpectedStatus(self.status_code, self.content)
        return self


@define
class Multipart:
    """A form, read while it is sent: constant memory, known length, random boundary

    It can be iterated over again when a request is sent again.
    """

    files: RequestFiles
    boundary: str = field(factory=lambda: secrets.token_hex(16))

    def headers(self) -> dict[str, str]:
        """The headers of a request that has it for its body"""
        length = sum(
            len(piece) if isinstance(piece, bytes) else piece.seek(0, io.SEEK_END)
            for piece in self._pieces()
        )
        return {
            "Content-Type": f"multipart/form-data; boundary={self.boundary}",
            "Content-Length": str(length),
        }

    def awaitable(self) -> "AsyncMultipart":
        """The same form for an httpx.AsyncClient"""
        return AsyncMultipart(self)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            if isinstance(piece, bytes):
                yield piece
                continue
            piece.seek(0)
            while chunk := piece.read(1 << 18):
                yield chunk

    def _pieces(self) -> Iterator[IO[bytes] | bytes]:
        for name, (file_name, content, media_type) in self.files:
            head = f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"'
            if file_name is not None:
                for special, quoted in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
                    file_name = file_name.replace(special, quoted)
                head += f'; filename="{file_name}"'
            if media_type is not None:
                head += f"\r\nContent-Type: {media_type}"
            yield f"{head}\r\n\r\n".encode()
            yield content
            yield b"\r\n"
        yield f"--{self.boundary}--\r\n".encode()


@define
class AsyncMultipart:
    """A form for an httpx.AsyncClient; its file is read in another thread"""

    form: Multipart

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from anyio import to_thread

        chunks = iter(self.form)
        while chunk := await to_thread.run_sync(next, chunks, b""):
            yield chunk


def checked(value: Any, kind: Any) -> Any:
    """A value of a document, which must be of the described type; UNSET is, too"""
    if value is UNSET or _is(value, kind):
        return value
    wanted = kind if get_args(kind) else getattr(kind, "__name__", kind)
    raise TypeError(f"{type(value).__name__} stands where {wanted} should")


def _is(value: Any, kind: Any) -> bool:
    origin, kinds = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_is(value, each) for each in kinds)
    if origin is list:
        return isinstance(value, list) and all(_is(each, kinds[0]) for each in value)
    if kind is Any:
        return True
    # JSON writes 3.0 as 3, and True is an int.
    kind = (int, float) if kind is float else kind
    return isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
