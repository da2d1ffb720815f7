"""Folders of files that may be deleted at any time: private, bounded, and shared by processes.

A file gets its name when it is whole. Whoever uses one for longer holds a shared lock on it, and
what is locked is not removed to make room. What was used longest ago goes first.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hatcher.files.locks import is_at, lock

if TYPE_CHECKING:
    import hashlib

#: What tells backups to leave a folder out, in its CACHEDIR.TAG.
_TAG = b"""Signature: 8a477f597d28d172789f06886806bc55
# hatcher keeps copies here. Everything can be deleted at any time.
"""

#: Seconds after which a file that is still being written has been given up.
_GIVEN_UP = 3600.0

#: What the names of files that are being written end with; without the hyphen until version 1.
_UNFINISHED = ("-partial", ".partial")

_SUBFOLDER = re.compile(r"[0-9a-f]{2}\Z")

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


class Kept(NamedTuple):
    """A file in a cache.

    Attributes
    ----------
    used : float
        When it was used last, in seconds since the epoch.
    size : int
        In bytes.
    name : str
        Its name after that of its subfolder, if it is in one.
    path : pathlib.Path
    """

    used: float
    size: int
    name: str
    path: Path


def private_folder(folder: Path, name: str) -> Path:
    """Make the folder of one cache, which nobody else can write to, and return it.

    Parameters
    ----------
    folder : pathlib.Path
        That of all caches.
    name : str

    Raises
    ------
    OSError
        It cannot be made, or is not its user's alone.
    """
    own = folder / name
    try:
        own.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        check_private(own)
    else:
        (own / "CACHEDIR.TAG").write_bytes(_TAG)
    return own


def check_private(own: Path) -> None:
    """Check that nobody else can put files into a folder.

    Raises
    ------
    OSError
        Somebody can, or it is no folder.
    """
    status = own.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise OSError(f"'{own}' is no folder")
    # Who may only look finds names that tell nothing, of files that cannot be read.
    if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
        raise OSError(f"'{own}' belongs to somebody else, or others may write to it")


def keyed_name(own: Path, *parts: str) -> hashlib.blake2b:
    """Return a name for a file in a private folder, or its beginning, that tells nothing of its parts.

    Parameters
    ----------
    own : pathlib.Path
    *parts : str
        Secrets among them.

    Raises
    ------
    OSError, InvalidDestinationError
        The key of the folder cannot be read or made.
    """
    # Imported here, where something has a name: it takes OpenSSL.
    import hashlib

    name = hashlib.blake2b(key=_key(own), digest_size=24)
    add_parts(name, *parts)
    return name


def add_parts(name: hashlib.blake2b, *parts: str) -> None:
    """Make more parts a part of a name."""
    for part in parts:
        encoded = part.encode()
        name.update(len(encoded).to_bytes(8) + encoded)


def _key(own: Path) -> bytes:
    """Return what the names of the files in a folder are hashed with."""
    path = own / "key"
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) == 32:
            return key
    # Imported here: a key is made once.
    from hatcher.files.atomic import replacing

    with replacing(path, private=True, sync=False) as file:
        file.write(os.urandom(32))
    # Another process may have done the same: the last one counts.
    return path.read_bytes()


def kept_files(folder: Path, names: re.Pattern[str]) -> Iterator[Kept]:
    """Give the files of a cache; remove what was never finished.

    Parameters
    ----------
    folder : pathlib.Path
    names : re.Pattern
        Matches their names, each after that of its subfolder of two hexadecimal digits, if any.
    """
    given_up = time.time() - _GIVEN_UP
    for entry in list(os.scandir(folder)):
        # Other processes add and remove some, too.
        with suppress(FileNotFoundError):
            if _SUBFOLDER.match(entry.name) and entry.is_dir(follow_symlinks=False):
                for below in list(os.scandir(entry.path)):
                    with suppress(FileNotFoundError):
                        if names.fullmatch(entry.name + below.name):
                            yield _kept(below, entry.name + below.name)
            elif names.fullmatch(entry.name):
                yield _kept(entry, entry.name)
            elif entry.name.endswith(_UNFINISHED) and _kept(entry, "").used < given_up:
                remove(Path(entry.path))


def _kept(entry: os.DirEntry[str], name: str) -> Kept:
    status = entry.stat(follow_symlinks=False)
    return Kept(status.st_mtime, status.st_size, name, Path(entry.path))


def evict(files: Sequence[Kept], excess: int | None, *, dry_run: bool = False) -> list[Kept]:
    """Remove the first files that are not in use, until so many bytes are free; return them.

    Parameters
    ----------
    files : sequence of Kept
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
        if dry_run or _is_removed(file.path):
            freed += file.size
            evicted.append(file)
    return evicted


def _is_removed(path: Path) -> bool:
    """Remove a file, unless somebody holds a lock on it; return whether it is gone."""
    try:
        descriptor = open_locked(path, shared=False)
    except OSError as error:
        # What is a link, or without permissions, is of use to nobody.
        if error.errno not in (errno.ELOOP, errno.EACCES):
            return False
    else:
        if descriptor is None:
            return False
        try:
            if os.name != "nt":  # the lock is held until it is gone
                remove(path)
        finally:
            os.close(descriptor)
    remove(path)
    return True


def open_locked(path: Path, *, shared: bool = True) -> int | None:
    """Open a file, and lock it against those who make room, until it is closed.

    Parameters
    ----------
    path : pathlib.Path
    shared : bool, default True
        Others may do the same; False for who makes room.

    Returns
    -------
    int or None
        None when there is no such file, or somebody holds a lock that stands against it.

    Raises
    ------
    OSError
        It is a link, or cannot be read.
    """
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    if lock(descriptor, shared=shared) is not False and is_at(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def touch(path: Path) -> None:
    """Note that a file was used now."""
    with suppress(OSError):  # another process has removed it
        os.utime(path)


def remove(path: Path) -> None:
    """Remove a file, if it still exists."""
    if os.name == "nt":
        path.chmod(0o600)  # where what is read-only cannot be removed
    path.unlink(missing_ok=True)
