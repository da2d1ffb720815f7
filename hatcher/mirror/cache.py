"""Artefacts kept on disk by their sha256, so that the same bytes are fetched once.

All repositories and servers share one folder: what an artefact is called does not matter here,
only what is in it. Nothing leaves the cache without having been hashed anew, since bytes rot on
disks, and what is wrong must reach no server.

A file gets its name only when it is whole, so that processes may read, add and remove at once.
Whoever uses a file holds a lock on it meanwhile, and what is locked is not removed to make room.

The cache is a convenience: where it cannot be used, everything works without it.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.transfer.atomic import replacing
from hatcher.transfer.batch import Crew, Tally
from hatcher.transfer.hashing import blocks_of, normalized_sha256
from hatcher.transfer.progress import Phase, Progress
from hatcher.transport.cache import (
    TAG,
    TAG_NAME,
    cache_folder,
    check_private,
    private_folder,
)
from hatcher.transport.value import Value

try:
    import fcntl
except ImportError:  # on Windows an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger("hatcher")

#: Bytes that all files may take, where nobody says.
LIMIT = 10 << 30

#: The part of the limit that is made free at once, and after which others' files are counted
#: anew: looking at all files costs as much as adding many.
_SHARE = 16

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


class CacheReport(Value):
    """What is in a cache, and what was removed; true when nothing was damaged.

    Parameters
    ----------
    files : int
        Artefacts that are in it.
    size : int
        Their bytes.
    removed : tuple of str
        The sha256 of each artefact that was removed, or would be.
    freed : int
        Their bytes.
    damaged : tuple of str
        Those of them that were not what they should be.
    """

    __match_args__ = ("files", "size", "removed", "freed", "damaged")
    __slots__ = __match_args__

    files: int
    size: int
    removed: tuple[str, ...]
    freed: int
    damaged: tuple[str, ...]

    def __init__(
        self,
        files: int,
        size: int,
        removed: tuple[str, ...] = (),
        freed: int = 0,
        damaged: tuple[str, ...] = (),
    ) -> None:
        super().__init__(files, size, removed, freed, damaged)

    def __bool__(self) -> bool:
        return not self.damaged

    def __str__(self) -> str:
        parts = [f"{_artefacts(self.files)} of {self.size:,} bytes"]
        if self.damaged:
            parts.append(f"{len(self.damaged)} damaged")
        if self.removed:
            parts.append(f"{len(self.removed)} of {self.freed:,} bytes removed")
        return "; ".join(parts)


class _Kept(NamedTuple):
    """A file in the cache."""

    used: float
    size: int
    sha256: str
    path: Path


class Cache:
    """Artefacts by their sha256, in a folder of their own; making one touches no file.

    It may be used from several threads and processes at once.

    Parameters
    ----------
    folder : str or path-like, optional
        Is made when it is needed; the artefacts are in ``artefacts`` below it. By default it is
        the one that the environment variable ``HATCHER_CACHE_DIR`` names, or the user's own.
        Where the variable is empty, nothing is kept.
    limit : int, optional
        Bytes that all artefacts may take, 10 GiB by default; those that were used longest ago go
        first. With several processes it may be passed by a sixteenth for each of them. An
        artefact above the limit is not kept, nor one that would nearly fill the disk.

    Raises
    ------
    InvalidArgumentError
        The limit is no number of bytes.

    Notes
    -----
    `get`, `lend`, `copy` and `add` never fail because of the cache: what is wrong with it is
    said once, as a warning of the logger ``hatcher``.

    Examples
    --------
    >>> cache = mirror.Cache()
    >>> mirror.plan(source, target).apply(cache=cache).raise_for_failures()
    >>> print(cache.usage())
    1,204 artefacts of 5,403,211,009 bytes
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, limit: int = LIMIT) -> None:
        self._limit = _checked(limit)
        self._lock = threading.Lock()
        self._is_warned = False
        self._parent: Path | None = None
        try:
            self._parent = cache_folder(True if folder is None else Path(folder).absolute())
        except OSError as error:
            self._warn("cannot be used", error)
        #: Bytes that were in it when somebody looked, and that this one has added since.
        self._counted: int | None = None
        self._added = 0

    @property
    def folder(self) -> Path | None:
        """Where the artefacts are; None when nothing is kept."""
        return None if self._parent is None else self._parent / "artefacts"

    @property
    def limit(self) -> int:
        """The bytes that all artefacts may take."""
        return self._limit

    # -- out of it -----------------------------------------------------------------------

    def get(self, sha256: str, *, progress: Progress | None = None) -> Path | None:
        """Return the file of an artefact, hashed just now.

        Another process may remove it a moment later: `lend` keeps it from that.

        Parameters
        ----------
        sha256 : str
            In hexadecimal.
        progress : Progress, optional
            Told how far the hashing has come, in bytes.

        Returns
        -------
        pathlib.Path or None
            A file that must not be changed; None when the cache has none.
        """
        with self.lend(sha256, progress=progress) as path:
            return path

    @contextmanager
    def lend(self, sha256: str, *, progress: Progress | None = None) -> Iterator[Path | None]:
        """Do as `get`, and let nobody make room of it while the block lasts.

        Parameters
        ----------
        sha256, progress
            As for `get`.

        Yields
        ------
        pathlib.Path or None
            As `get` returns.
        """
        digest = normalized_sha256(sha256)
        opened = self._open(digest)
        if opened is None:
            yield None
            return
        path, descriptor = opened
        try:
            yield path if self._is_whole(path, descriptor, digest, progress) else None
        finally:
            os.close(descriptor)

    def copy(
        self, sha256: str, target: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> bool:
        """Copy an artefact to a path: whole, with the right sha256, or not at all.

        Parameters
        ----------
        sha256 : str
            In hexadecimal.
        target : str or path-like
            What the copy will be called; a file that is there is replaced.
        progress : Progress, optional
            Told how far it has come, in bytes, in the phase ``downloading``.

        Returns
        -------
        bool
            Whether there is a copy now: whether the cache had the artefact.

        Raises
        ------
        InvalidDestinationError
            The copy cannot be written.
        """
        digest = normalized_sha256(sha256)
        opened = self._open(digest)
        if opened is None:
            return False
        path, descriptor = opened
        try:
            with replacing(Path(target)) as file:
                actual = hashlib.sha256()
                for block in _blocks(descriptor, progress, "downloading"):
                    actual.update(block)
                    file.write(block)
                if actual.hexdigest() != digest:
                    raise _DamagedError("it has another sha256")
        except _DamagedError as error:
            self._discard(path, error)
            return False
        finally:
            os.close(descriptor)
        _touch(path)
        return True

    def _open(self, digest: str) -> tuple[Path, int] | None:
        """Open a file, and lock it against those who make room."""
        folder = self.folder
        if folder is None:
            return None
        path = _path(folder, digest)
        try:
            check_private(folder)
            descriptor = os.open(path, _READ)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn("cannot be read", error)
            return None
        if _lock(descriptor, exclusively=False) and _is_at(path, descriptor):
            return path, descriptor
        os.close(descriptor)  # somebody is removing it
        return None

    def _is_whole(
        self, path: Path, descriptor: int, digest: str, progress: Progress | None
    ) -> bool:
        try:
            if _sha256_of(descriptor, progress) != digest:
                raise _DamagedError("it has another sha256")
        except _DamagedError as error:
            self._discard(path, error)
            return False
        _touch(path)
        return True

    def _discard(self, path: Path, error: _DamagedError) -> None:
        """Remove what is damaged."""
        logger.warning("'%s' in the cache of artefacts is damaged (%s): it is removed", path, error)
        try:
            _remove(path)
        except OSError as trouble:
            self._warn("cannot be written", trouble)

    # -- into it -------------------------------------------------------------------------

    def add(self, path: str | os.PathLike[str], sha256: str, *, own: bool = False) -> Path | None:
        """Keep an artefact.

        Parameters
        ----------
        path : str or path-like
            Its file, which is copied.
        sha256 : str
            In hexadecimal. What has another one is not kept.
        own : bool, default False
            The file is the caller's own, has just been verified, and will not be changed but
            removed: it is not copied where a second name is enough, and made read-only.

        Returns
        -------
        pathlib.Path or None
            The file in the cache, which another process may remove; None when it was not kept.
        """
        digest = normalized_sha256(sha256)
        source = Path(path)
        if self._parent is None:
            return None
        try:
            return self._add(self._parent, source, digest, own)
        except OSError as error:
            self._warn(f"cannot keep '{source.name}'", error)
        except _DamagedError as error:
            logger.warning("'%s' was not put into the cache of artefacts: %s", source, error)
        return None

    def _add(self, parent: Path, source: Path, digest: str, own: bool) -> Path | None:
        size = source.stat().st_size
        if size > self._limit:
            return None
        folder = private_folder(parent, "artefacts")
        target = _path(folder, digest)
        if _size_of(target) == size:
            _touch(target)
            return target
        self._make_room(folder, size)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        if not (own and _linked(source, target)):
            _check_room(folder, size)
            _copied(source, folder, target, digest)
        return target

    def _make_room(self, folder: Path, size: int) -> None:
        """Remove what was used longest ago, as far as there is too much for another file."""
        share = self._limit // _SHARE
        with self._lock:
            counted = self._counted
            if counted is None:
                with suppress(FileExistsError), open(folder / TAG_NAME, "xb") as tag:
                    tag.write(TAG)
            if counted is None or self._added > share or counted + self._added + size > self._limit:
                files = sorted(_files(folder))
                total = sum(file.size for file in files)
                if total + size > self._limit:
                    removed = _evicted(files, total - (self._limit - size - share))
                    total -= sum(file.size for file in removed)
                self._counted, self._added = total, 0
            self._added += size

    def _warn(self, trouble: str, error: OSError) -> None:
        """Say that the cache cannot be used, but not for each of thousands of artefacts."""
        level = logging.INFO if self._is_warned else logging.WARNING
        self._is_warned = True
        logger.log(level, "the cache of artefacts %s: %s", trouble, error)

    # -- all of it -----------------------------------------------------------------------

    def usage(self) -> CacheReport:
        """Return how much is in it.

        Returns
        -------
        CacheReport

        Raises
        ------
        HatcherException
            The folder cannot be read.
        """
        return self._report(self._kept())

    def verify(self, *, progress: Progress | None = None, dry_run: bool = False) -> CacheReport:
        """Hash everything anew, and remove what is damaged.

        Parameters
        ----------
        progress : Progress, optional
            Told how far it has come, in bytes.
        dry_run : bool, default False
            Remove nothing, and say what is damaged.

        Returns
        -------
        CacheReport
            True when nothing was damaged.

        Raises
        ------
        HatcherException
            The folder cannot be read, or what is damaged cannot be removed.
        """
        files = self._kept()
        damaged: list[_Kept] = []

        def check(file: _Kept, tally: Tally) -> None:
            if not _is_right(file, tally):
                damaged.append(file)
            tally.settle(file.size)

        with self._explained():
            crew = Crew(os.cpu_count() or 1, progress, lambda: None)
            crew.each(files, check, "hashing", sum(file.size for file in files))
            for file in () if dry_run else damaged:
                _remove(file.path)
        damaged.sort(key=lambda file: file.sha256)
        return self._report(files, damaged, tuple(file.sha256 for file in damaged))

    def prune(self, limit: int | None = None, *, dry_run: bool = False) -> CacheReport:
        """Remove what was used longest ago, until the rest is within a limit.

        Parameters
        ----------
        limit : int, optional
            In bytes; by default that of the cache.
        dry_run : bool, default False
            Remove nothing, and say what would be removed.

        Returns
        -------
        CacheReport
            With `dry_run`, as if it had been removed.

        Raises
        ------
        InvalidArgumentError
            The limit is no number of bytes.
        HatcherException
            The folder cannot be read, or a file cannot be removed.
        """
        files = sorted(self._kept())
        excess = sum(file.size for file in files) - _checked(
            self._limit if limit is None else limit
        )
        return self._remove(files, excess, dry_run)

    def clear(self, *, dry_run: bool = False) -> CacheReport:
        """Remove everything, but for what is being used at this moment.

        Parameters
        ----------
        dry_run : bool, default False
            Remove nothing, and say what would be removed.

        Returns
        -------
        CacheReport
            With `dry_run`, as if it had been removed.

        Raises
        ------
        HatcherException
            The folder cannot be read, or a file cannot be removed.
        """
        return self._remove(self._kept(), None, dry_run)

    def _remove(self, files: list[_Kept], excess: int | None, dry_run: bool) -> CacheReport:
        with self._explained():
            return self._report(files, _evicted(files, excess, dry_run=dry_run))

    def _kept(self) -> list[_Kept]:
        folder = self.folder
        if folder is None:
            return []
        with self._explained(), suppress(FileNotFoundError):
            check_private(folder)
            return list(_files(folder))
        return []

    def _report(
        self, files: list[_Kept], removed: list[_Kept] | None = None, damaged: tuple[str, ...] = ()
    ) -> CacheReport:
        gone = removed or []
        freed = sum(file.size for file in gone)
        size = sum(file.size for file in files) - freed
        names = tuple(file.sha256 for file in gone)
        return CacheReport(len(files) - len(gone), size, names, freed, damaged)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HatcherException(
                f"The cache '{self.folder}' cannot be used: {error}. Check its permissions, or "
                "name another folder in HATCHER_CACHE_DIR."
            ) from error

    def __repr__(self) -> str:
        return f"<Cache {str(self.folder)!r}, limit={self._limit}>"


# -- one file ----------------------------------------------------------------------------


class _DamagedError(Exception):
    """A file is not what its name says, or cannot be read."""


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest[2:]


def _blocks(descriptor: int, progress: Progress | None, phase: Phase) -> Iterator[memoryview]:
    """Read a file that is open; raises _DamagedError when the disk does not give it."""
    total = os.fstat(descriptor).st_size
    blocks = blocks_of(descriptor)
    done = 0
    while True:
        try:
            block = next(blocks, None)
        except OSError as error:
            raise _DamagedError(str(error)) from error
        if block is None:
            return
        yield block
        done += len(block)
        if progress is not None:
            progress(done, max(done, total), phase)


def _sha256_of(descriptor: int, progress: Progress | None) -> str:
    digest = hashlib.sha256()
    for block in _blocks(descriptor, progress, "hashing"):
        digest.update(block)
    return digest.hexdigest()


def _is_right(file: _Kept, tally: Tally) -> bool:
    """Whether a file is what its name says, or was removed meanwhile."""
    try:
        descriptor = os.open(file.path, _READ)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in _NEVER_READABLE:
            return False
        raise
    try:
        return _sha256_of(descriptor, tally) == file.sha256
    except _DamagedError:
        return False
    finally:
        os.close(descriptor)


def _linked(source: Path, target: Path) -> bool:
    """Give a file a second name, where the file system can."""
    try:
        source.chmod(0o400)
        _touch(source)
        target.unlink(missing_ok=True)  # of another size, so damaged
        os.link(source, target)
    except FileExistsError:
        return True  # another process was quicker
    except OSError:
        return False
    return True


def _check_room(folder: Path, size: int) -> None:
    """Leave the disk to those who need it.

    Raises
    ------
    OSError
        There would be hardly anything left.
    """
    disk = shutil.disk_usage(folder)
    if disk.free - size < min(_LEFT, disk.total // 20):
        raise OSError(errno.ENOSPC, f"the disk is nearly full: {disk.free:,} bytes are free")


def _copied(source: Path, folder: Path, target: Path, digest: str) -> None:
    draft = folder / f".{digest[:16]}.{os.urandom(8).hex()}{_PARTIAL}"
    try:
        with open(source, "rb", buffering=0) as file:
            actual = hashlib.sha256()
            with open(os.open(draft, _NEW, 0o400), "wb", buffering=0) as copy:
                for block in blocks_of(file.fileno()):
                    actual.update(block)
                    rest = block
                    while rest:
                        rest = rest[copy.write(rest) :]
        if actual.hexdigest() != digest:
            raise _DamagedError(f"its sha256 is {actual.hexdigest()}, and not {digest}")
        draft.replace(target)
    finally:
        with suppress(FileNotFoundError):  # it has its name
            _remove(draft)


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


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _size_of(path: Path) -> int | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _touch(path: Path) -> None:
    """Note that it was used now."""
    with suppress(OSError):  # another process has removed it
        os.utime(path)


def _remove(path: Path) -> None:
    if os.name == "nt":
        path.chmod(0o600)  # where what is read-only cannot be removed
    path.unlink(missing_ok=True)


# -- all files ---------------------------------------------------------------------------


def _files(folder: Path) -> Iterator[_Kept]:
    """Give the files of a cache; remove what was never finished."""
    now = time.time()
    for entry in os.scandir(folder):
        if _FOLDER.match(entry.name) and entry.is_dir(follow_symlinks=False):
            for file in os.scandir(entry.path):
                with suppress(FileNotFoundError):  # another process removes some, too
                    if _NAME.match(file.name):
                        status = file.stat(follow_symlinks=False)
                        digest = entry.name + file.name
                        yield _Kept(status.st_mtime, status.st_size, digest, Path(file.path))
        elif entry.name.endswith(_PARTIAL):
            with suppress(FileNotFoundError):
                if now - entry.stat(follow_symlinks=False).st_mtime > _GIVEN_UP:
                    _remove(Path(entry.path))


def _evicted(files: list[_Kept], excess: int | None, *, dry_run: bool = False) -> list[_Kept]:
    """Remove the first files until so many bytes are free; return them.

    Parameters
    ----------
    files : list of _Kept
    excess : int or None
        None removes all.
    dry_run : bool, default False
        Only say which.
    """
    evicted: list[_Kept] = []
    freed = 0
    for file in files:
        if excess is not None and freed >= excess:
            break
        if not dry_run and not _is_removed(file):
            continue
        freed += file.size
        evicted.append(file)
    return evicted


def _is_removed(file: _Kept) -> bool:
    """Remove a file, unless somebody holds a lock on it; return whether it is gone."""
    try:
        descriptor = os.open(file.path, _READ)
    except OSError as error:
        if error.errno not in _NEVER_READABLE:
            return False
        _remove(file.path)
        return True
    try:
        if not _lock(descriptor, exclusively=True):
            return False
        if fcntl is not None:  # the lock is held until it is gone
            _remove(file.path)
    finally:
        os.close(descriptor)
    if fcntl is None:
        _remove(file.path)
    return True


def _checked(limit: int) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise InvalidArgumentError(
            f"The limit is {limit!r}; give a number of bytes, such as {LIMIT} for 10 GiB."
        )
    return limit


def _artefacts(number: int) -> str:
    return f"{number:,} artefact{'' if number == 1 else 's'}"
