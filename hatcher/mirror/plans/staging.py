"""A folder for files on their way from one server to another.

It is removed at the end. What a killed process has left behind is removed by the next one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hatcher.errors import InvalidDestinationError
from hatcher.files.locks import HAS_LOCKS, locked
from hatcher.files.space import explained

_PREFIX, _LOCK = "hatcher-mirror-", ".lock"


@contextmanager
def staging_folder() -> Iterator[Path]:
    """Give an empty folder among the system's temporary ones, and remove it at the end.

    Yields
    ------
    pathlib.Path

    Raises
    ------
    InvalidDestinationError
        There can be none.
    """
    parent = Path(tempfile.gettempdir())
    _sweep(parent)
    folder = parent / f"{_PREFIX}{secrets.token_hex(8)}"
    # Locked before it is there, so that nobody takes it for one that was left behind.
    with locked(folder.with_suffix(_LOCK)):
        with explained(folder):
            folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders of processes of this user that are no more."""
    if not HAS_LOCKS:
        return
    for folder in parent.glob(f"{_PREFIX}*"):
        # Others remove theirs meanwhile.
        with suppress(OSError, InvalidDestinationError):
            status = folder.lstat()
            if folder.suffix == _LOCK or folder.is_symlink() or status.st_uid != os.getuid():
                continue
            with locked(folder.with_suffix(_LOCK), wait=False) as is_free:
                if is_free:
                    shutil.rmtree(folder, ignore_errors=True)
