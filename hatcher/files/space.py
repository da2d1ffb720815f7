"""What a disk says no to, in words that tell what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hatcher.errors import HatcherException, InvalidDestinationError, NoSpaceError

if TYPE_CHECKING:
    import shutil

#: Bytes that a download leaves free.
_MARGIN = 256 * 1024

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE if hasattr(errno, "ESTALE") else 0})
_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def disk_of(folder: Path) -> shutil._ntuple_diskusage | None:
    """Return the bytes of the disk that a folder is on; None when nobody says."""
    import shutil  # 10 ms that only a download spends

    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return None
    return disk if disk.total > 0 else None  # as network file systems may have it


def check_space(target: Path, needed: int) -> None:
    """Check that there is room for what is still to come.

    Parameters
    ----------
    target : pathlib.Path
        The file that it is for.
    needed : int
        Bytes.

    Raises
    ------
    NoSpaceError
        There is not; nothing was written.
    """
    disk = disk_of(target.parent)
    # Where nobody says, a write will tell.
    if disk is not None and needed + _MARGIN > disk.free:
        raise NoSpaceError(
            f"There is no room for {target.name} in '{target.parent}': it needs {needed:,} more "
            f"bytes, and {disk.free:,} are free. Make room, or give another destination.",
            needed=needed,
            free=disk.free,
        )


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Raise what the system says to a write as an error that tells what to do.

    Parameters
    ----------
    target : pathlib.Path
        What was to be written in the end.

    Raises
    ------
    NoSpaceError
        There is no room.
    InvalidDestinationError
        It cannot be written for another reason.
    """
    try:
        yield
    except HatcherException:
        raise  # some of them are OSErrors too
    except OSError as error:
        raise _explanation(error, target) from error


def _explanation(error: OSError, target: Path) -> InvalidDestinationError:
    reason = error.strerror or str(error)
    name, folder = target.name, f"'{target.parent}'"
    if error.errno in _FULL:
        return NoSpaceError(
            f"There is no room for {name} in {folder} ({reason}); nothing was kept. Make room, or "
            "give another destination."
        )
    if error.errno in _GONE and os.path.isdir(target.parent):  # noqa: PTH112 - takes any path
        what = f"{name} was removed from {folder} while it was being written. Try again."
    elif error.errno in _GONE:
        what = f"The destination {folder} is gone; {name} was not kept. Create it again, or give "
        what += "another."
    elif error.errno in _FORBIDDEN:
        what = f"{name} cannot be written to {folder} ({reason}). Check its permissions, or give "
        what += "another destination."
    else:
        what = f"{name} could not be written to {folder} ({reason}); nothing was kept. Check the "
        what += "disk, or give another destination."
    return InvalidDestinationError(what)
