"""The data folder belongs to one server at a time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO


class FolderInUseError(RuntimeError):
    """Another server works in the data folder."""


class FolderLock:
    """Keeps other servers out of a data folder, as long as this process lives.

    Two servers would sweep away what the other one is receiving.

    Parameters
    ----------
    data : pathlib.Path
        The folder; made when missing.

    Raises
    ------
    FolderInUseError
        Another server has it.
    """

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = (data / "lock").open("ab")
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise FolderInUseError(
                f"Another Brood is serving the data in '{data}'. Stop it first, or choose "
                "another folder with --data."
            ) from error

    def release(self) -> None:
        """Let other servers in."""
        self._file.close()


def _lock(file: BinaryIO) -> None:
    # The system gives the lock back when the process ends, however it does.
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
