"""Locks on files, which end with the process that holds them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hatcher import cancel
from hatcher.files.space import explained

try:
    import fcntl
except ImportError:  # Windows has locks of another kind
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger("hatcher")


def lock(descriptor: int, *, shared: bool = False, windows: bool = False) -> bool | None:
    """Lock an open file until it is closed.

    Parameters
    ----------
    descriptor : int
    shared : bool, default False
        Allow others to hold a shared lock at the same time.
    windows : bool, default False
        Lock the file on Windows as well, where nobody can read what is locked.

    Returns
    -------
    bool or None
        False when somebody else holds a lock; None where there are no locks, as on some network
        file systems.
    """
    if sys.platform == "win32" and windows:
        import msvcrt

        with suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        return False
    if fcntl is None:
        return None
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def is_at(path: str | os.PathLike[str], descriptor: int) -> bool:
    """Whether an open file still has its name: nobody has removed or replaced it."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock on a file, which is made for that and removed afterwards.

    Parameters
    ----------
    path : pathlib.Path
        In an existing folder.
    wait : bool, default True
        Wait until the lock is free.

    Yields
    ------
    bool
        False when another process holds the lock, and `wait` is False.

    Raises
    ------
    InvalidDestinationError
        The file cannot be made.
    Cancelled
        So was the operation, while it waited.
    """
    if fcntl is None:
        yield True
        return
    descriptor = _acquire(path, wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            # Removed while it is locked: who waits for it finds that out, and makes another.
            with suppress(FileNotFoundError):
                path.unlink()
            os.close(descriptor)


def _acquire(path: Path, wait: bool) -> int | None:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    while True:
        with explained(path):
            descriptor = os.open(path, flags, 0o600)
        is_ours = lock(descriptor)
        if is_ours is None:
            # The work matters more than its lock.
            logger.warning("'%s' cannot be locked: its file system has no locks", path)
        # Who had the lock before may have removed the file.
        if is_ours is None or (is_ours and is_at(path, descriptor)):
            return descriptor
        os.close(descriptor)
        if not is_ours:
            if not wait:
                return None
            cancel.sleep(cancel.LOOK)
