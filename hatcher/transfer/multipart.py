"""The two-part body of an upload, as Brood wants it.

::

    file   filename="nose-1.3.0-1.egg", no Content-Type
    data   filename="", Content-Type: application/json; charset=UTF-8

httpx leaves out a ``filename`` that is empty, and some servers then take the
second part for a form field. Written here it also has a known length, takes
constant memory, and needs the file to be read only once: the sha256 goes into the
part after the file, when all of the file has passed.

A file that is no longer what it was when the body was made is not sent to its end.
No server stores a body without its end, so nothing of a torn file is ever stored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from hatcher.errors import ArtefactError, FileChangedError
from hatcher.files.blocks import BLOCK_SIZE, blocks_of
from hatcher.transfer.hashing import hashed
from hatcher.transfer.pipeline import Pipeline
from hatcher.transfer.progress import Meter, Progress

#: Files up to this many bytes are one block that is hashed before it is sent: to begin a
#: thread would take longer.
ONE_BLOCK = BLOCK_SIZE

#: One that is sent, one that is hashed, and one in between.
_BUFFERS = 3

#: Which file it is (two numbers), its bytes, and when it was last written to.
_State: TypeAlias = tuple[int, int, int, int]


class ProgressError(Exception):
    """What the user's `progress` raised, as it goes through the transport.

    There an exception of its own might be taken for one of the connection.

    Attributes
    ----------
    cause : Exception
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class UploadBody:
    """A file and what is said of it, as ``multipart/form-data``.

    It can be iterated over again when a request is sent again; that ends the iteration
    before. Each block must have been used when the next one is asked for, because they
    share their memory.

    Parameters
    ----------
    path : pathlib.Path
        The file to send.
    described : mapping, optional
        What the `data` part says beside the file's sha256.
    progress : Progress, optional
        Is told how many of the file's bytes have gone out.
    expected : str, optional
        The sha256 that the file had when it was looked at.
    filename : str, optional
        What the file is called there, where that is otherwise than here.

    Attributes
    ----------
    content_type : str
        Names the boundary, which is random so that no file can contain it.
    content_length : int
        The number of bytes of the whole body.
    size : int
        The number of bytes of the file.
    sent_sha256 : str or None
        The file's sha256, once all of the body has been given out.

    Raises
    ------
    FileChangedError
        The file is gone.
    ArtefactError
        It cannot be read.
    """

    def __init__(
        self,
        path: Path,
        described: Mapping[str, Any] = MappingProxyType({}),
        progress: Progress | None = None,
        expected: str | None = None,
        filename: str | None = None,
    ) -> None:
        self.path = path
        self._expected = expected
        self._giving: Generator[bytes | memoryview] | None = None
        self.sent_sha256: str | None = None
        with self._guarded():
            self._state = _state_of(path.stat())
        self.size = self._state[2]
        self._meter = Meter(progress, self.size, "uploading")
        random = os.urandom(48).hex()
        boundary, self._placeholder = random[:32], random[32:]
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._before = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{_quoted(filename or path.name)}"\r\n'
            "\r\n"
        ).encode()
        self._after = (
            f"\r\n--{boundary}\r\n"
            'Content-Disposition: form-data; name="data"; filename=""\r\n'
            "Content-Type: application/json; charset=UTF-8\r\n"
            "\r\n"
            f"{json.dumps({**described, 'sha256': self._placeholder})}"
            f"\r\n--{boundary}--\r\n"
        )
        self.content_length = len(self._before) + self.size + len(self._end("0" * 64))

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """Give the body, a block at a time.

        Raises
        ------
        FileChangedError
            The file is no longer what it was.
        ArtefactError
            It cannot be read.
        ProgressError
            `progress` raised something.
        """
        self.close()
        self.sent_sha256 = None
        self._giving = self._whole() if self.size <= ONE_BLOCK else self._in_blocks()
        return self._giving

    def sha256(self) -> str:
        """Return the file's sha256, without sending it.

        Raises
        ------
        FileChangedError
            The file is no longer what it was.
        ArtefactError
            It cannot be read.
        """
        with self._opened() as file:
            sha256 = hashed(blocks_of(file.fileno()))
            self._check(file, self.size)
        return sha256

    def close(self) -> None:
        """End an iteration that was given up, with its open file and its thread."""
        giving, self._giving = self._giving, None
        if giving is not None:
            giving.close()

    def _whole(self) -> Generator[bytes | memoryview]:
        self._report(0)
        with self._opened() as file:
            content = file.read(self.size + 1)
            self._check(file, len(content))
        sha256 = self._agreed(hashlib.sha256(content).hexdigest())
        self.sent_sha256 = sha256
        yield b"".join((self._before, content, self._end(sha256)))
        self._report(self.size)

    def _in_blocks(self) -> Generator[bytes | memoryview]:
        self._report(0)
        digest = hashlib.sha256()
        with self._opened() as file, Pipeline(digest.update, buffers=_BUFFERS) as hashing:
            yield self._before
            given = 0
            while given < self.size:
                buffer = hashing.take()
                with hashing.lane:
                    size = min(file.readinto(buffer), self.size - given)
                    if size == 0:
                        break
                    hashing.put(buffer, size)
                yield buffer[:size]
                given += size
                self._report(given)
            self._check(file, given)
            hashing.finish()
        self.sent_sha256 = self._agreed(digest.hexdigest())
        yield self._end(self.sent_sha256)

    def _end(self, sha256: str) -> bytes:
        return self._after.replace(self._placeholder, sha256).encode()

    def _report(self, done: int) -> None:
        try:
            self._meter.reach(done)
        except Exception as error:
            raise ProgressError(error) from error

    # -- the file --------------------------------------------------------------------------

    @contextmanager
    def _opened(self) -> Iterator[FileIO]:
        with self._guarded(), open(self.path, "rb", buffering=0) as file:
            self._check(file, self.size)
            yield file

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Raise what the file system says as what it means; it is not the connection's."""
        try:
            yield
        except FileNotFoundError as error:
            raise FileChangedError(
                f"'{self.path}' is gone: it was there when it was looked at. Nothing of it was "
                "stored; check what removes it."
            ) from error
        except OSError as error:
            raise ArtefactError(
                f"'{self.path}' cannot be read: {error}. Nothing of it was stored; check its "
                "permissions, and the disk."
            ) from error

    def _check(self, file: FileIO, size: int) -> None:
        """Find out whether it is still the file that it was, and `size` bytes long."""
        now = _state_of(os.fstat(file.fileno()))
        if now == self._state and size == self.size:
            return
        if now[2] != self.size or size != self.size:
            what = "changed its size"
        elif now[:2] != self._state[:2]:
            what = "was replaced"
        else:
            what = "was written to"
        raise self._changed(f"{what} while it was being sent")

    def _agreed(self, sha256: str) -> str:
        """Return the sha256 of what is sent, when it is still what was looked at."""
        if self._expected not in (None, sha256):
            raise self._changed("has changed since it was looked at")
        return sha256

    def _changed(self, what: str) -> FileChangedError:
        return FileChangedError(
            f"'{self.path}' {what}. Nothing of it was stored; upload it again when nothing "
            "writes to it."
        )


def _state_of(stat: os.stat_result) -> _State:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _quoted(name: str) -> str:
    # The three signs that would end the parameter; escaped as browsers do it.
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
