"""Downloading a file: complete and verified under its name, or not there at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from hatcher.errors import (
    ChecksumMismatchError,
    IncompleteDownloadError,
    InvalidDestinationError,
)
from hatcher.transfer.atomic import replacing
from hatcher.transfer.filenames import bare_filename, filename_from
from hatcher.transfer.hashing import file_sha256, normalized_sha256
from hatcher.transport.request import Request
from hatcher.transport.session import Session

if TYPE_CHECKING:
    from hatcher.transport.download import Download


def existing_directory(destination: str | os.PathLike[str]) -> Path:
    """Return `destination` when files can be put there.

    Raises
    ------
    InvalidDestinationError
        It is no directory, or cannot be written to.
    """
    directory = Path(destination)
    if not directory.is_dir():
        what = "is a file, not" if directory.exists() else "is not"
        raise InvalidDestinationError(
            f"The destination '{directory}' {what} a directory. Create it, or give another."
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise InvalidDestinationError(
            f"The destination '{directory}' cannot be written to. Check its permissions, or give "
            "another."
        )
    return directory


def iter_download(
    session: Session,
    request: Request,
    destination: str | os.PathLike[str],
    sha256: str,
    filename: str | None = None,
) -> tuple[int, Iterator[int]]:
    """Begin a download, and leave it to the caller to drive it.

    Parameters
    ----------
    session : Session
    request : Request
        The download operation.
    destination : str or path-like
        An existing directory.
    sha256 : str
        What the file must hash to, in hexadecimal.
    filename : str, optional
        How to call the file; the server says it when this is not given.

    Returns
    -------
    content_length : int
        The bytes to expect; 0 when the server does not say.
    chunks : iterator of int
        Receives as it is driven, and gives the number of bytes of each step. The
        file stands under its name when it is exhausted; when it is closed before,
        nothing is left behind. For a file that is there already it gives all of
        its bytes in one step, without receiving any.

    Raises
    ------
    InvalidDestinationError, InvalidArgumentError
        Before anything is sent.
    MissingFilenameError
        The server gave no name that can be used.
    HatcherException
        The request failed.
    """
    directory = existing_directory(destination)
    expected = normalized_sha256(sha256)
    if filename is not None:
        target = directory / bare_filename(filename, "The name given for the file")
        if _is_there(target, expected):
            return _nothing_to_do(target)
    # Compressing on the way would hide the length, and gain nothing on zip files.
    request = evolve(
        request,
        headers={**request.headers, "Accept": "*/*", "Accept-Encoding": "identity"},
    )
    with ExitStack() as stack:
        download = stack.enter_context(session.stream(request))
        if filename is None:
            target = directory / filename_from(download.headers)
            if _is_there(target, expected):
                return _nothing_to_do(target)
        receiving = _receive(download, target, expected, stack.pop_all())
    # A generator that was never begun has no `finally` to run when it is closed;
    # this one is begun here, and stops before its first byte.
    next(receiving)
    return download.content_length or 0, receiving


def _is_there(target: Path, sha256: str) -> bool:
    return target.is_file() and file_sha256(target) == sha256


def _nothing_to_do(target: Path) -> tuple[int, Iterator[int]]:
    size = target.stat().st_size
    return size, iter((size,))


def _receive(download: Download, target: Path, sha256: str, response: ExitStack) -> Iterator[int]:
    with response, replacing(target) as partial:
        yield 0
        digest = hashlib.sha256()
        received = 0
        for chunk in download.chunks():
            partial.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            yield len(chunk)
        _check(download, target, received, digest.hexdigest(), sha256)


def _check(download: Download, target: Path, received: int, actual: str, expected: str) -> None:
    length = download.content_length
    if length is not None and received < length:
        raise IncompleteDownloadError(
            f"The download of {target.name} ended after {received} of {length} bytes. Nothing was "
            "kept; download it again."
        )
    if actual != expected:
        raise ChecksumMismatchError(
            f"What arrived for {target.name} has the sha256 {actual} instead of {expected}. "
            "Nothing was kept. Download it again; if it goes on, the file on the server, or what "
            "it was expected to be, is wrong.",
            expected=expected,
            actual=actual,
        )
