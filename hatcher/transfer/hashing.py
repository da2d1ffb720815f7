"""sha256 of files, in constant memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hatcher.characters import shown
from hatcher.errors import InvalidArgumentError, InvalidResponseError
from hatcher.transport.buffers import new_buffer

if TYPE_CHECKING:
    from hatcher.transfer.progress import Progress

#: Bytes that are read from a file at a time.
BLOCK_SIZE = 1024 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")

#: Characters that a message repeats of what is none.
_SHOWN = 80


def file_sha256(path: str | os.PathLike[str], *, progress: Progress | None = None) -> str:
    """Return the sha256 of a file in lower-case hexadecimal.

    Parameters
    ----------
    path : str or path-like
    progress : Progress, optional
        Told how far it has come, in the phase ``hashing``.

    Returns
    -------
    str

    Raises
    ------
    OSError
        The file cannot be read.
    """
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        done = 0
        for block in blocks_of(file.fileno()):
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress(done, max(done, size), "hashing")
    return digest.hexdigest()


def blocks_of(descriptor: int) -> Iterator[memoryview]:
    """Read a file from where it stands to its end, into one buffer again and again.

    Parameters
    ----------
    descriptor : int
        An open file.

    Yields
    ------
    memoryview
        Good until the next one.
    """
    # No larger than the file: a batch has thousands of small ones.
    buffer = new_buffer(min(BLOCK_SIZE, max(os.fstat(descriptor).st_size, 4096)))
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        while size := file.readinto(buffer):
            yield buffer[:size]


def normalized_sha256(digest: str) -> str:
    """Return a sha256 that a user gave, in lower case.

    Raises
    ------
    InvalidArgumentError
        It is not 64 hexadecimal digits.
    """
    normalized = _normalized(digest)
    if normalized is None:
        raise InvalidArgumentError(
            f"{digest!r} is no sha256: give its 64 hexadecimal digits, or nothing to have the "
            "server asked for it."
        )
    return normalized


def server_sha256(digest: object, what: object) -> str:
    """Return a sha256 that a server gave, in lower case.

    Parameters
    ----------
    digest : object
    what : object
        What the server says it of, for the message.

    Raises
    ------
    InvalidResponseError
        It is not 64 hexadecimal digits.
    """
    normalized = _normalized(digest)
    if normalized is None:
        raise InvalidResponseError(
            f"The server says that the sha256 of {what} is '{shown(str(digest)[:_SHOWN])}', which "
            "is none. Tell the administrators of the server."
        )
    return normalized


def _normalized(digest: object) -> str | None:
    text = digest.strip().lower() if isinstance(digest, str) else ""
    return text if _SHA256.match(text) else None
