"""Downloading a file: complete and verified under its name, or not there at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from hatcher.errors import InvalidDestinationError
from hatcher.transfer.hashing import normalized_sha256
from hatcher.transport.request import Request
from hatcher.transport.session import Session

if TYPE_CHECKING:
    from hatcher.transfer.fetch import Fetch
    from hatcher.transfer.progress import Progress


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


def download(
    session: Session,
    request: Request,
    destination: str | os.PathLike[str],
    sha256: str,
    filename: str | Callable[[str], bool],
    *,
    progress: Progress | None = None,
    sync: bool = True,
) -> None:
    """Download a file.

    Parameters
    ----------
    session, request, destination, sha256, filename, sync
        As for `iter_download`.
    progress : Progress, optional
        Told how far it has come.

    Raises
    ------
    HatcherException
        As for `iter_download`.
    """
    fetch = _fetch(session, request, destination, sha256, progress, sync)
    done = 0
    with closing(fetch.begin(filename)) as steps:
        for size in steps:
            done += size
            if progress is not None:
                progress(done, fetch.total, "downloading")


def iter_download(
    session: Session,
    request: Request,
    destination: str | os.PathLike[str],
    sha256: str,
    filename: str | Callable[[str], bool],
    *,
    sync: bool = True,
) -> tuple[int, Iterator[int]]:
    """Begin a download, and leave it to the caller to drive it.

    A body that breaks off is gone on with, as often as the session's `RetryPolicy`
    allows without any headway. What a killed process has left is gone on with too.

    Parameters
    ----------
    session : Session
    request : Request
        The download operation.
    destination : str or path-like
        An existing directory.
    sha256 : str
        What the file must hash to, in hexadecimal.
    filename : str or callable
        How to call the file; or whether the name that the server gives it is the right one.
    sync : bool, default True
        Make the file's name survive a power failure, and not only its content. A
        batch does that once for all its files, with `sync_directory`.

    Returns
    -------
    content_length : int
        The bytes of the file; 0 when the server does not say.
    chunks : iterator of int
        Receives as it is driven, and gives the number of bytes of each step, which
        may be 0 while it waits to try again. The file stands under its name when it
        is exhausted; when it is closed before, nothing is left behind. For a file
        that is there already it gives all of its bytes in one step, without
        receiving any.

    Raises
    ------
    InvalidDestinationError, InvalidArgumentError
        Before anything is sent.
    NoSpaceError
        There is no room for it.
    MissingFilenameError
        The server gave no name that can be used.
    HatcherException
        The request failed.
    """
    fetch = _fetch(session, request, destination, sha256, None, sync)
    steps = fetch.begin(filename)
    return fetch.total or 0, steps


def _fetch(
    session: Session,
    request: Request,
    destination: str | os.PathLike[str],
    sha256: str,
    progress: Progress | None,
    sync: bool,
) -> Fetch:
    # Imported here, for those who download nothing.
    from hatcher.transfer.fetch import Fetch

    directory, expected = existing_directory(destination), normalized_sha256(sha256)
    return Fetch(session, request, directory, expected, progress, sync=sync)
