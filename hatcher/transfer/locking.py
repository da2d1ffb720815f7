"""One process at a time, by a lock on a file; it ends with the process that has it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from hatcher.transfer.partial import is_at
from hatcher.transfer.space import explained

try:
    import fcntl as _fcntl
except ImportError:  # Windows has another kind of locks: there, nobody waits
    fcntl: ModuleType | None = None
else:
    fcntl = _fcntl

logger = logging.getLogger("hatcher")


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock on a file, which is made for that and removed afterwards.

    Parameters
    ----------
    path : pathlib.Path
        In a folder that is there.
    wait : bool, default True
        Wait until it is free.

    Yields
    ------
    bool
        False when another process has it, and nobody was to wait.

    Raises
    ------
    InvalidDestinationError
        There can be no such file.
    """
    if fcntl is None:
        yield True
        return
    descriptor = _acquire(path, fcntl, wait)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        # Removed while the lock still holds: who waits for it finds out, and makes another.
        with suppress(FileNotFoundError):
            path.unlink()
        os.close(descriptor)


def _acquire(path: Path, locks: ModuleType, wait: bool) -> int | None:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    while True:
        with explained(path):
            descriptor = os.open(path, flags, 0o600)
        try:
            locks.flock(descriptor, locks.LOCK_EX | (0 if wait else locks.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            # The work matters more than its lock, which some network file systems do not have.
            logger.warning("'%s' cannot be locked: %s", path, error.strerror)
            return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        # Who had the lock before may have removed it.
        if is_at(path, descriptor):
            return descriptor
        os.close(descriptor)
