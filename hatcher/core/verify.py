"""Whether the server has a file already: by its sha256, never by its name alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatcher.errors import ChecksumMismatchError, FileChangedError, InvalidJSONError
from hatcher.transfer import hashing
from hatcher.transfer.progress import Progress


def is_same(
    file: Path, remote_sha256: str | None, place: str, progress: Progress | None = None
) -> bool:
    """Return whether a local file is what the server has under its name.

    Parameters
    ----------
    file : pathlib.Path
    remote_sha256 : str or None
        The sha256 of what the server has; None when it has nothing.
    place : str
        Where on the server, for the message.
    progress : Progress, optional
        Told how many bytes have been hashed.

    Returns
    -------
    bool

    Raises
    ------
    ChecksumMismatchError
        The server has something else of that name.
    FileChangedError
        The file is gone.
    """
    if remote_sha256 is None:
        return False
    try:
        local_sha256 = hashing.file_sha256(file, progress=progress)
    except FileNotFoundError as error:
        raise FileChangedError(
            f"'{file}' is gone: it was there when it was looked at. Nothing was sent; check what "
            "removes it."
        ) from error
    if local_sha256 == remote_sha256:
        return True
    raise ChecksumMismatchError(
        f"{place} has another {file.name}: its sha256 is {remote_sha256}, that of '{file}' is "
        f"{local_sha256}. Nothing was sent. Give it a new build number, or pass overwrite=True.",
        expected=local_sha256,
        actual=remote_sha256,
    )


def holds(
    metadata: Mapping[str, Any] | None, sha256: str, file: Path, place: str, *, overwrite: bool
) -> bool:
    """Return whether a file that was sent, whose answer got lost, has been stored.

    Parameters
    ----------
    metadata : mapping or None
        What the server says of what it has under the file's name.
    sha256 : str
        The file's.
    file : pathlib.Path
    place : str
        Where on the server, for the message.
    overwrite : bool
        Whether it may replace what is there.

    Returns
    -------
    bool
        False when it may be sent again.

    Raises
    ------
    ChecksumMismatchError
        The server has something else of that name, which must not be replaced.
    InvalidJSONError
        The server says no sha256.
    """
    if metadata is None:
        return False
    found = metadata.get("sha256")
    if found is None:
        raise InvalidJSONError(f"The server's metadata of {file.name} in {place} holds no sha256.")
    found = hashing.server_sha256(found, f"{file.name} in {place}")
    if found == sha256:
        return True
    if overwrite:
        return False
    raise ChecksumMismatchError(
        f"An answer to the upload of '{file}' got lost, and {place} has another {file.name} now: "
        f"its sha256 is {found}, not {sha256}. Give the file a new build number, or pass "
        "overwrite=True.",
        expected=sha256,
        actual=found,
    )
