"""Artefacts kept on disk by their sha256, so that the same bytes are fetched once.

All repositories and servers share one folder: what an artefact is called does not matter here,
only what is in it. Nothing leaves the cache without having been hashed anew, since disks
damage files, and what is wrong must reach no server.

A file gets its name only when it is whole, so that processes may read, add and remove at once.
Whoever uses a file holds a lock on it meanwhile, and what is locked is not removed to make room.

The cache is a convenience: where it cannot be used, everything works without it.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from attrs import frozen

from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.files.atomic import replacing
from hatcher.files.blocks import blocks_of
from hatcher.files.cache import (
    Kept,
    check_private,
    evict,
    kept_files,
    open_locked,
    private_folder,
    remove,
    touch,
)
from hatcher.files.partial import Partial
from hatcher.files.space import disk_of
from hatcher.sizes import human_size
from hatcher.transfer.batch import ByteCounter, WorkerPool
from hatcher.transfer.hashing import hashed, normalized_sha256
from hatcher.transfer.progress import Phase, Progress
from hatcher.transport.cache import cache_folder

logger = logging.getLogger("hatcher")

#: Bytes that all files may take, where nobody says.
LIMIT = 10 << 30

#: The part of the limit that is made free at once, and after which others' files are counted
#: anew: looking at all files costs as much as adding many.
_SHARE = 16

#: Bytes that are left free on the disk, unless a twentieth of it is less.
_LEFT = 1 << 30

_NAME = re.compile("[0-9a-f]{64}")


@frozen
class CacheReport:
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

    files: int
    size: int
    removed: tuple[str, ...] = ()
    freed: int = 0
    damaged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.damaged

    def __str__(self) -> str:
        number = f"{self.files:,} artefact{'' if self.files == 1 else 's'}"
        parts = [f"{number} of {human_size(self.size)}"]
        if self.damaged:
            parts.append(f"{len(self.damaged)} damaged")
        if self.removed:
            parts.append(f"{len(self.removed)} of {human_size(self.freed)} removed")
        return "; ".join(parts)


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
        with self._opened(sha256) as kept:
            if kept is None or not self._is_read(kept, None, progress, "hashing"):
                yield None
            else:
                yield kept.path

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
        with self._opened(sha256) as kept:
            if kept is None:
                return False
            with suppress(_DamagedError), replacing(Path(target)) as file:
                if self._is_read(kept, file.write, progress, "downloading"):
                    return True
                raise _DamagedError  # the copy is not kept
        return False

    @contextmanager
    def _opened(self, sha256: str) -> Iterator[_Opened | None]:
        """Open a file, and lock it against those who make room."""
        digest, folder, descriptor = normalized_sha256(sha256), self.folder, None
        if folder is not None:
            try:
                check_private(folder)
                descriptor = open_locked(_path_of(folder, digest))
            except FileNotFoundError:
                pass
            except OSError as error:
                self._warn("cannot be read", error)
        if folder is None or descriptor is None:
            yield None
            return
        try:
            yield _Opened(_path_of(folder, digest), descriptor, digest)
        finally:
            os.close(descriptor)

    def _is_read(
        self,
        kept: _Opened,
        write: Callable[[memoryview], object] | None,
        progress: Progress | None,
        phase: Phase,
    ) -> bool:
        """Read a file; return whether it is what its name says, and remove it if it is not."""
        try:
            if _sha256_of(kept.descriptor, progress, phase, write) != kept.digest:
                raise _DamagedError("it has another sha256")
        except _DamagedError as error:
            logger.warning(
                "'%s' in the cache of artefacts is damaged (%s): it is removed", kept.path, error
            )
            try:
                remove(kept.path)
            except OSError as trouble:
                self._warn("cannot be written", trouble)
            return False
        touch(kept.path)
        return True

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
        target = _path_of(folder, digest)
        if _size_of(target) == size:
            touch(target)
            return target
        self._make_room(folder, size)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        if not (own and _is_linked(source, target)):
            _check_room(folder, size)
            _copy(source, folder, target, digest)
        return target

    def _make_room(self, folder: Path, size: int) -> None:
        """Remove what was used longest ago, as far as there is too much for another file."""
        share = self._limit // _SHARE
        with self._lock:
            counted = self._counted
            if counted is None or self._added > share or counted + self._added + size > self._limit:
                files = sorted(kept_files(folder, _NAME))
                total = sum(file.size for file in files)
                if total + size > self._limit:
                    removed = evict(files, total - (self._limit - size - share))
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
        damaged: list[Kept] = []

        def check(file: Kept, counter: ByteCounter) -> None:
            if not _is_right(file, counter):
                damaged.append(file)
            counter.settle(file.size)

        with self._explained():
            pool = WorkerPool(os.cpu_count() or 1, progress)
            pool.each(files, check, "hashing", sum(file.size for file in files))
            for file in () if dry_run else damaged:
                remove(file.path)
        damaged.sort(key=lambda file: file.name)
        return self._report(files, damaged, tuple(file.name for file in damaged))

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

    def _remove(self, files: list[Kept], excess: int | None, dry_run: bool) -> CacheReport:
        with self._explained():
            return self._report(files, evict(files, excess, dry_run=dry_run))

    def _kept(self) -> list[Kept]:
        folder = self.folder
        if folder is None:
            return []
        with self._explained(), suppress(FileNotFoundError):
            check_private(folder)
            return list(kept_files(folder, _NAME))
        return []

    def _report(
        self, files: list[Kept], removed: list[Kept] | None = None, damaged: tuple[str, ...] = ()
    ) -> CacheReport:
        gone = removed or []
        freed = sum(file.size for file in gone)
        size = sum(file.size for file in files) - freed
        names = tuple(file.name for file in gone)
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


def _checked(limit: int) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise InvalidArgumentError(
            f"The limit is {limit!r}; give a number of bytes, such as {LIMIT} for 10 GiB."
        )
    return limit


# -- one file ----------------------------------------------------------------------------


class _DamagedError(Exception):
    """A file is not what its name says, or cannot be read."""


def _path_of(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest[2:]


def _size_of(path: Path) -> int | None:
    """Return the bytes of a file; None when there is none."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class _Opened(NamedTuple):
    """A file of the cache that is open and locked."""

    path: Path
    descriptor: int
    digest: str


def _sha256_of(
    descriptor: int,
    progress: Progress | None,
    phase: Phase = "hashing",
    write: Callable[[memoryview], object] | None = None,
) -> str:
    """Read an open file, and return its sha256.

    Raises
    ------
    _DamagedError
        The disk does not give it.
    """
    return hashed(_blocks(descriptor), write, progress, os.fstat(descriptor).st_size, phase)


def _blocks(descriptor: int) -> Iterator[memoryview]:
    try:
        yield from blocks_of(descriptor)
    except OSError as error:
        raise _DamagedError(str(error)) from error


def _is_right(file: Kept, counter: ByteCounter) -> bool:
    """Whether a file is what its name says, or was removed meanwhile.

    Raises
    ------
    OSError
        That cannot be found out now.
    """
    try:
        descriptor = open_locked(file.path)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EACCES):  # a link, or without permissions
            return False
        raise
    if descriptor is None:
        return True
    try:
        return _sha256_of(descriptor, counter) == file.name
    except _DamagedError:
        return False
    finally:
        os.close(descriptor)


def _is_linked(source: Path, target: Path) -> bool:
    """Make a file read-only and give it a second name, where that is possible."""
    try:
        source.chmod(0o400)
    except OSError:
        return False
    touch(source)
    return _is_named(source, target)


def _is_named(file: Path, target: Path) -> bool:
    """Give a file a second name, unless another process was quicker: its file may be lent already."""
    try:
        if _size_of(target) not in (None, _size_of(file)):
            target.unlink(missing_ok=True)  # it is damaged
        os.link(file, target)
    except FileExistsError:
        return True
    except OSError:  # such as one of a file system that knows no second names
        return False
    return True


def _check_room(folder: Path, size: int) -> None:
    """Leave the disk to those who need it.

    Raises
    ------
    OSError
        There would be hardly anything left.
    """
    disk = disk_of(folder)
    if disk is not None and disk.free - size < min(_LEFT, disk.total // 20):
        raise OSError(errno.ENOSPC, f"the disk is nearly full: {disk.free:,} bytes are free")


def _copy(source: Path, folder: Path, target: Path, digest: str) -> None:
    """Copy a file into a cache, when it has this sha256.

    Raises
    ------
    _DamagedError
        It has another one.
    OSError
        It cannot be read or written.
    """
    partial = Partial.claim(folder / digest[:16], private=True)
    try:
        with open(source, "rb", buffering=0) as file:
            actual = hashed(blocks_of(file.fileno()), partial.write)
        if actual != digest:
            raise _DamagedError(f"its sha256 is {actual}, and not {digest}")
        draft = Path(partial.path)
        if os.name == "posix":  # elsewhere it could not be removed
            draft.chmod(0o400)
        if not _is_named(draft, target):
            partial.publish(target, sync=False)
    finally:
        partial.discard()
