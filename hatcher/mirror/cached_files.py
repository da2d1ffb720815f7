"""The files of a cache: named by their sha256, added and removed by several processes at once."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hatcher.transfer.batch import Tally
from hatcher.transfer.hashing import blocks_of
from hatcher.transfer.partial import is_at
from hatcher.transfer.progress import Phase, Progress
from hatcher.transfer.space import disk_of

try:
    import fcntl
except ImportError:  # on Windows an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

#: Bytes that are left free on the disk, unless a twentieth of it is less.
_LEFT = 1 << 30

#: Seconds after which a file that is still being written has been given up.
_GIVEN_UP = 3600.0

_FOLDER = re.compile(r"[0-9a-f]{2}\Z")
_NAME = re.compile(r"[0-9a-f]{62}\Z")
_PARTIAL = ".partial"

#: What the system says of files that nobody can use: a link, a file without permissions, none.
_NEVER_READABLE = frozenset({errno.ELOOP, errno.EACCES, errno.ENOENT})

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Kept(NamedTuple):
    """A file in the cache.

    Attributes
    ----------
    used : float
        When it was used last, in seconds since the epoch.
    size : int
        In bytes.
    sha256 : str
        What its name says.
    path : pathlib.Path
    """

    used: float
    size: int
    sha256: str
    path: Path


# -- one file ----------------------------------------------------------------------------


class DamagedError(Exception):
    """A file is not what its name says, or cannot be read."""


def path_of(folder: Path, digest: str) -> Path:
    """Return where an artefact is kept, given its sha256."""
    return folder / digest[:2] / digest[2:]


def opened(path: Path) -> int | None:
    """Open a file, and lock it against those who make room, until it is closed.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    int or None
        None when there is no such file.

    Raises
    ------
    OSError
        It is a link, or cannot be read.
    """
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    if _lock(descriptor, exclusively=False) and is_at(path, descriptor):
        return descriptor
    os.close(descriptor)  # somebody is removing it
    return None


def blocks(descriptor: int, progress: Progress | None, phase: Phase) -> Iterator[memoryview]:
    """Read a file that is open.

    Parameters
    ----------
    descriptor : int
    progress : Progress or None
        Told of each block when it has been used.
    phase : {'hashing', 'downloading'}

    Yields
    ------
    memoryview
        Good until the next one.

    Raises
    ------
    DamagedError
        The disk does not give it.
    """
    total = os.fstat(descriptor).st_size
    content = blocks_of(descriptor)
    done = 0
    while True:
        try:
            block = next(content, None)
        except OSError as error:
            raise DamagedError(str(error)) from error
        if block is None:
            return
        yield block
        done += len(block)
        if progress is not None:
            progress(done, max(done, total), phase)


def sha256_of(descriptor: int, progress: Progress | None) -> str:
    """Return the sha256 of a file that is open.

    Raises
    ------
    DamagedError
        The disk does not give it.
    """
    digest = hashlib.sha256()
    for block in blocks(descriptor, progress, "hashing"):
        digest.update(block)
    return digest.hexdigest()


def is_right(file: Kept, tally: Tally) -> bool:
    """Whether a file is what its name says, or was removed meanwhile.

    Raises
    ------
    OSError
        That cannot be found out now.
    """
    try:
        descriptor = os.open(file.path, _READ)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in _NEVER_READABLE:
            return False
        raise
    try:
        return sha256_of(descriptor, tally) == file.sha256
    except DamagedError:
        return False
    finally:
        os.close(descriptor)


def is_linked(source: Path, target: Path) -> bool:
    """Give a file a second name, where the file system can; return whether it could.

    Parameters
    ----------
    source : pathlib.Path
        Becomes read-only.
    target : pathlib.Path
    """
    try:
        source.chmod(0o400)
    except OSError:
        return False
    touch(source)
    return _is_named(source, target)


def _is_named(file: Path, target: Path) -> bool:
    """Give a file a second name, unless another process was quicker: its file may be lent already."""
    try:
        if size_of(target) not in (None, size_of(file)):
            target.unlink(missing_ok=True)  # it is damaged
        os.link(file, target)
    except FileExistsError:
        return True
    except OSError:  # such as one of a file system that knows no second names
        return False
    return True


def check_room(folder: Path, size: int) -> None:
    """Leave the disk to those who need it.

    Raises
    ------
    OSError
        There would be hardly anything left.
    """
    disk = disk_of(folder)
    if disk is not None and disk.free - size < min(_LEFT, disk.total // 20):
        raise OSError(errno.ENOSPC, f"the disk is nearly full: {disk.free:,} bytes are free")


def copy(source: Path, folder: Path, target: Path, digest: str) -> None:
    """Copy a file, which gets its name when it is whole.

    Parameters
    ----------
    source : pathlib.Path
    folder : pathlib.Path
        Where it is written, on the file system of the target.
    target : pathlib.Path
        What is there and has another size is replaced.
    digest : str
        The sha256 that it must have.

    Raises
    ------
    DamagedError
        It has another one.
    OSError
        It cannot be read or written.
    """
    draft = folder / f".{digest[:16]}.{os.urandom(8).hex()}{_PARTIAL}"
    try:
        with open(source, "rb", buffering=0) as file:
            actual = hashlib.sha256()
            with open(os.open(draft, _NEW, 0o400), "wb", buffering=0) as written:
                for block in blocks_of(file.fileno()):
                    actual.update(block)
                    rest = block
                    while rest:
                        rest = rest[written.write(rest) :]
        if actual.hexdigest() != digest:
            raise DamagedError(f"its sha256 is {actual.hexdigest()}, and not {digest}")
        if not _is_named(draft, target):
            draft.replace(target)
    finally:
        with suppress(FileNotFoundError):  # it has its name
            remove(draft)


def _lock(descriptor: int, *, exclusively: bool) -> bool:
    """Lock a file that is open; return whether nobody else's lock stands against it."""
    if fcntl is None:
        return True
    kind = fcntl.LOCK_EX if exclusively else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # there are no locks on this file system
    return True


def size_of(path: Path) -> int | None:
    """Return the bytes of a file; None when there is none."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def touch(path: Path) -> None:
    """Note that it was used now."""
    with suppress(OSError):  # another process has removed it
        os.utime(path)


def remove(path: Path) -> None:
    """Remove a file, if it is still there."""
    if os.name == "nt":
        path.chmod(0o600)  # where what is read-only cannot be removed
    path.unlink(missing_ok=True)


# -- all files ---------------------------------------------------------------------------


def all_files(folder: Path) -> Iterator[Kept]:
    """Give the files of a cache; remove what was never finished."""
    now = time.time()
    with os.scandir(folder) as entries:
        for entry in entries:
            # Other processes add and remove some, too.
            with suppress(FileNotFoundError):
                if _FOLDER.match(entry.name) and entry.is_dir(follow_symlinks=False):
                    yield from _files_in(entry)
                elif entry.name.endswith(_PARTIAL) and _age(entry, now) > _GIVEN_UP:
                    remove(Path(entry.path))


def _age(entry: os.DirEntry[str], now: float) -> float:
    return now - entry.stat(follow_symlinks=False).st_mtime


def _files_in(folder: os.DirEntry[str]) -> Iterator[Kept]:
    with os.scandir(folder.path) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if _NAME.match(entry.name):
                    status = entry.stat(follow_symlinks=False)
                    digest = folder.name + entry.name
                    yield Kept(status.st_mtime, status.st_size, digest, Path(entry.path))


def evict(files: list[Kept], excess: int | None, *, dry_run: bool = False) -> list[Kept]:
    """Remove the first files that are not in use, until so many bytes are free; return them.

    Parameters
    ----------
    files : list of Kept
    excess : int or None
        None removes all.
    dry_run : bool, default False
        Only say which.
    """
    evicted: list[Kept] = []
    freed = 0
    for file in files:
        if excess is not None and freed >= excess:
            break
        if not dry_run and not _is_removed(file):
            continue
        freed += file.size
        evicted.append(file)
    return evicted


def _is_removed(file: Kept) -> bool:
    """Remove a file, unless somebody holds a lock on it; return whether it is gone."""
    try:
        descriptor = os.open(file.path, _READ)
    except OSError as error:
        if error.errno not in _NEVER_READABLE:
            return False
        remove(file.path)
        return True
    try:
        if not _lock(descriptor, exclusively=True):
            return False
        if fcntl is not None:  # the lock is held until it is gone
            remove(file.path)
    finally:
        os.close(descriptor)
    if fcntl is None:
        remove(file.path)
    return True
