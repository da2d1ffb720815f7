"""sha256 of files, in constant memory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hatcher.characters import shown
from hatcher.errors import InvalidArgumentError, InvalidResponseError
from hatcher.files.blocks import blocks_of

if TYPE_CHECKING:
    from hatcher.transfer.progress import Phase, Progress

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
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        return hashed(blocks_of(file.fileno()), None, progress, size)


def hashed(
    blocks: Iterable[memoryview],
    write: Callable[[memoryview], object] | None = None,
    progress: Progress | None = None,
    total: int | None = None,
    phase: Phase = "hashing",
) -> str:
    """Return the sha256 of blocks.

    Parameters
    ----------
    blocks : iterable of memoryview
    write : callable, optional
        Is given each of them.
    progress : Progress, optional
        Told how far it has come.
    total : int, optional
        Bytes that all of them should have.
    phase : str
    """
    import hashlib

    digest, done = hashlib.sha256(), 0
    for block in blocks:
        digest.update(block)
        done += len(block)
        if write is not None:
            write(block)
        if progress is not None:
            progress(done, None if total is None else max(done, total), phase)
    return digest.hexdigest()


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
