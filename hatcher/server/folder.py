"""The data folder: private, of one server at a time, and with some room in reserve."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from hatcher.files.locks import lock

#: The SQLite file in the data folder.
DATABASE: Final = "brood.sqlite3"

_LOCK: Final = "lock"
_RESERVE: Final = "reserve"
_OURS = {_LOCK, _RESERVE, DATABASE, "blobs", "incoming", "quarantine"}
_OURS |= {f"{DATABASE}-{end}" for end in ("journal", "shm", "wal")}

logger = logging.getLogger("hatcher.server")


class UnusableFolderError(RuntimeError):
    """A server cannot work in the data folder."""


class FolderInUseError(UnusableFolderError):
    """Another server works in the data folder."""


def private(path: str, flags: int) -> int:
    """Open a file for `open`; when that makes it, nobody else may read it."""
    return os.open(path, flags, 0o600)


class FolderLock:
    """Keeps other servers out of a data folder as long as this process lives, and other users.

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
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: BinaryIO = open(data / _LOCK, "ab", opener=private)  # noqa: SIM115
        is_ours = lock(self._file.fileno(), windows=True)
        if is_ours is False:
            self._file.close()
            raise FolderInUseError(
                f"Another Brood is serving the data in '{data}'. Stop it first, or choose another "
                "folder with --data."
            )
        if is_ours is None:
            logger.warning("The file system of '%s' has no locks: start only one Brood.", data)
        if os.name != "nt":
            _make_private(data)

    def release(self) -> None:
        """Let other servers in."""
        self._file.close()


class Reserve:
    """Room that is given up when the disk is full: to delete something takes room at first.

    Parameters
    ----------
    data : pathlib.Path
        The data folder.
    """

    #: In bytes: many times what the database writes to delete an artefact.
    SIZE: Final = 1 << 20

    def __init__(self, data: Path) -> None:
        self._path = data / _RESERVE
        self.keep()

    def keep(self) -> None:
        """Take the room, unless it is taken already or the disk is nearly full."""
        if self._path.exists():
            return
        try:
            if shutil.disk_usage(self._path.parent).free < 4 * self.SIZE:
                return
            with open(self._path, "xb", opener=private) as file:
                file.write(os.urandom(self.SIZE))  # zeros take no room on some file systems
        except OSError:
            self.give_up()

    def give_up(self) -> bool:
        """Give up the room; say whether there was some."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _make_private(data: Path) -> None:
    """Take every right of other users away from what is ours."""
    names = {path.name for path in data.iterdir()}
    paths = [data / name for name in names & _OURS]
    if names <= _OURS:
        paths.append(data)
    elif data.stat().st_mode & 0o077:
        # It may be a home, or /tmp: other users' right to it is not ours to take.
        logger.warning("Other users can list the data folder '%s'. Run: chmod 700 '%s'", data, data)
    for path in paths:
        try:
            mode = path.stat().st_mode & 0o7777
            if mode & 0o077:
                path.chmod(mode & ~0o077)
        except OSError as error:
            logger.warning("Other users may be able to read '%s': %s", path, error.strerror)
