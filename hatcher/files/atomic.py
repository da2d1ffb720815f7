"""Files that appear whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hatcher.files.partial import Partial
from hatcher.files.space import explained


@contextmanager
def replacing(target: Path, *, private: bool = False, sync: bool = True) -> Iterator[Partial]:
    """Write a file under another name, and give it its own when all went well.

    Parameters
    ----------
    target : pathlib.Path
        What the file will be called; what is there stays until then.
    private : bool, default False
        Whether nobody but the user may read it, not even while it is written.
    sync : bool, default True
        False for what a power failure may take.

    Yields
    ------
    Partial
        To write to. When the block ends with an exception it is removed.

    Raises
    ------
    InvalidDestinationError
        The file cannot be written.
    """
    with explained(target):
        partial = Partial.claim(target, private=private)
        try:
            partial.restart()
            yield partial
            partial.publish(target, sync=sync)
        except BaseException:
            partial.discard()
            raise
    if sync:
        sync_directory(target.parent)


def sync_directory(directory: Path, *, strict: bool = False) -> None:
    """Make new names in a directory survive a power failure.

    Parameters
    ----------
    directory : pathlib.Path
    strict : bool, default False
        Raise an error where that fails, except on Windows, which cannot do it.

    Raises
    ------
    OSError
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        if strict and os.name != "nt":
            raise
