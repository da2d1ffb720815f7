"""A folder for files on their way from one server to another.

It is removed at the end. What a killed process has left behind is removed by the next one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

try:
    import fcntl as _fcntl
except ImportError:  # Windows: what is left behind there is left to the system
    fcntl: ModuleType | None = None
else:
    fcntl = _fcntl

_PREFIX, _LOCK = "hatcher-mirror-", "in-use"

#: Seconds after which a folder without a lock is nobody's: it is made a moment after the folder.
_SOON = 3600


@contextmanager
def staging_folder() -> Iterator[Path]:
    """Give an empty folder among the system's temporary ones, and remove it at the end.

    Yields
    ------
    pathlib.Path
    """
    with suppress(OSError):
        _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with open(folder / _LOCK, "wb") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def _sweep(parent: Path) -> None:
    """Remove the folders of processes of this user that are no more."""
    if fcntl is None:
        return
    for folder in parent.glob(f"{_PREFIX}*"):
        # Others remove theirs meanwhile.
        with suppress(OSError):
            status = folder.lstat()
            if folder.is_symlink() or status.st_uid != os.getuid():
                continue
            try:
                lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            except FileNotFoundError:
                if time.time() - status.st_mtime > _SOON:
                    shutil.rmtree(folder, ignore_errors=True)
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
