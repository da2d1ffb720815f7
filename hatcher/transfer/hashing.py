"""sha256 of files, in constant memory."""

from __future__ import annotations

import hashlib
import os
import re

from hatcher.errors import InvalidArgumentError

#: Bytes that are read from a file at a time.
BLOCK_SIZE = 1024 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Return the sha256 of a file in lower-case hexadecimal.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    str

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def normalized_sha256(digest: str) -> str:
    """Return a sha256 that a user gave, in lower case.

    Raises
    ------
    InvalidArgumentError
        It is not 64 hexadecimal digits.
    """
    if not isinstance(digest, str) or not _SHA256.match(digest.strip().lower()):
        raise InvalidArgumentError(
            f"{digest!r} is no sha256: give its 64 hexadecimal digits, or nothing to have the "
            "server asked for it."
        )
    return digest.strip().lower()
