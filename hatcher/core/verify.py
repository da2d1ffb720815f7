"""Whether the server has a file already: by its sha256, never by its name alone."""

from __future__ import annotations

from pathlib import Path

from hatcher.errors import ChecksumMismatchError
from hatcher.transfer import hashing


def is_same(file: Path, remote_sha256: str | None, place: str) -> bool:
    """Return whether a local file is what the server has under its name.

    Parameters
    ----------
    file : pathlib.Path
    remote_sha256 : str or None
        The sha256 of what the server has; None when it has nothing.
    place : str
        Where on the server, for the message.

    Returns
    -------
    bool

    Raises
    ------
    ChecksumMismatchError
        The server has something else of that name.
    """
    if remote_sha256 is None:
        return False
    local_sha256 = hashing.file_sha256(file)
    if local_sha256 == remote_sha256:
        return True
    raise ChecksumMismatchError(
        f"{place} has another {file.name}: its sha256 is {remote_sha256}, that of '{file}' is "
        f"{local_sha256}. Nothing was sent. Give it a new build number, or pass overwrite=True.",
        expected=local_sha256,
        actual=remote_sha256,
    )
