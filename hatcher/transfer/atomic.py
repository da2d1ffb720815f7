"""Files that appear whole, or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

#: The end of the name of a file that is not complete yet.
PARTIAL_SUFFIX = ".hatcher-partial"

#: Longest beginning of a partial file's name, so that the whole stays a legal name.
_MAX_STEM = 180

_NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Write a file under another name, and give it its own when all went well.

    Parameters
    ----------
    target : pathlib.Path
        What the file will be called; what is there stays until then.

    Yields
    ------
    binary file
        To write to. When the block ends with an exception it is deleted.
    """
    partial = target.with_name(f"{target.name[:_MAX_STEM]}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    # Not tempfile: its files are private, and this one becomes the user's as it is.
    descriptor = os.open(partial, _NEW_FILE, 0o644)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    """Make the new name itself survive a power failure, where systems allow it."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
