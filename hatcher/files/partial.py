"""A file that is not complete yet: in the hands of one, and found again after its death.

Its name follows from the target's: ``<target>.0.hatcher-partial``, or ``.1``, ``.2`` … while
others are at work on the same target. Who holds the lock on it is its owner; a lock ends with
the process that has it. So a file without a lock is what a killed process has left, and whoever
locks it next may go on with it.
"""

# Paths are strings here, since a batch does all of this for each of thousands of files.
# ruff: noqa: PTH105, PTH108, PTH116, PTH118, PTH120

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatcher.files.blocks import blocks_of
from hatcher.files.locks import is_at, lock

if TYPE_CHECKING:
    from hashlib import _Hash

#: The end of the name of a file that is not complete yet.
PARTIAL_SUFFIX = ".hatcher-partial"

#: How many may be at work on one target at a time before names are random.
_SLOTS = 4

#: Longest beginning of a partial file's name in bytes, so that the whole stays a legal name.
_MAX_STEM = 200

_OPEN = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NEW = _OPEN | os.O_CREAT | os.O_EXCL

#: What file systems say to what they do not have.
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

#: What some say to a new name for a file that is open.
_IN_USE = frozenset({errno.EACCES, errno.EBUSY, errno.EPERM, errno.ETXTBSY})

#: Bytes. For larger ones Linux looks for large stretches of free memory, which the host of a
#: virtual machine may have to provide first: in one, 1 MiB at a time took up to twice as long.
_WRITTEN_AT_ONCE = 256 * 1024

#: Writes past the system's cache: nothing is copied, no memory has to be found, and a thread
#: that waits for the disk leaves the processor to the others.
_PAST_CACHE = getattr(os, "O_DIRECT", 0)

#: Bytes of a block from which on that pays.
_LARGE = 1024 * 1024

#: What sizes and places must be multiples of then, in bytes; for some disks 512 would do.
_ALIGNED = 4096

#: Bytes after which the system is told to begin writing to the disk.
_FLUSHED_EVERY = 8 * 1024 * 1024

#: Where the file system keeps what a partial file belongs to.
_ATTRIBUTE = "user.hatcher"

#: What is noted there of a file with gaps, behind the ETag: an older hatcher takes it for a part
#: of that, is given the whole file, and starts over.
_PIECES = re.compile(r"\d{1,19}-\d{1,19}(,\d{1,19}-\d{1,19})*", re.ASCII)

#: Whether a file can be written and read at any place, by several threads.
HAS_PLACES = hasattr(os, "pwrite") and hasattr(os, "preadv")


class Partial:
    """A file that grows beside its target, and takes its place in the end.

    Get one from `claim`. Until `publish`, `discard` or `release`, nobody else has it.

    Attributes
    ----------
    path : str
    size : int
        Bytes in it, up to the first gap.
    beyond : list of (int, int)
        What is there behind that gap: the first byte of each piece, and the one after its last.
    is_findable : bool
        Whether a later call would find it.
    """

    def __init__(self, path: str, descriptor: int, *, is_findable: bool) -> None:
        self.path = path
        self.size = os.fstat(descriptor).st_size
        self.beyond: list[tuple[int, int]] = []
        self.is_findable = is_findable
        self._descriptor = descriptor
        self._flushed = self.size
        self._is_open = True
        self._bypasses_cache = False
        self._may_bypass_cache = _PAST_CACHE != 0

    @classmethod
    def claim(cls, target: Path, *, private: bool = False) -> Partial:
        """Take what a killed process has left of a target, or begin anew.

        Parameters
        ----------
        target : pathlib.Path
            What the file will be called.
        private : bool, default False
            Begin anew, with a file that nobody else may ever open.

        Returns
        -------
        Partial
            With the bytes that are there already, if any.

        Raises
        ------
        OSError
            The file cannot be made.
        """
        for slot in range(0 if private else _SLOTS):
            partial = cls._take(_beside(target, slot), create=True)
            if partial is not None:
                return partial
        return cls.create(_beside(target, os.urandom(8).hex()), 0o600 if private else 0o666)

    @classmethod
    def left(cls, target: Path, slot: int = 0) -> Partial | None:
        """Take what a killed process has left of a target; None where there is nothing, or in use."""
        path = _beside(target, slot)
        return cls._take(path) if os.path.lexists(path) else None

    @classmethod
    def create(cls, path: str, mode: int) -> Partial:
        """Make a file of this very name, which must not exist; the umask applies to its mode."""
        # Not tempfile: its files are private, and this one becomes the user's as it is.
        return cls(path, os.open(path, _NEW, mode), is_findable=False)

    @classmethod
    def sweep(cls, target: Path) -> None:
        """Remove what killed processes have left of a target, and nothing that is in use."""
        for slot in range(_SLOTS):
            partial = cls.left(target, slot)
            if partial is not None:
                partial.discard()

    @classmethod
    def _take(cls, path: str, *, create: bool = False) -> Partial | None:
        """Open and lock a file; return None when it cannot be one's own."""
        try:
            try:
                descriptor, is_new = os.open(path, _NEW if create else _OPEN, 0o666), create
            except FileExistsError:
                descriptor, is_new = os.open(path, _OPEN), False
        except OSError:
            return None  # what is wrong for all names will be said of the last one
        is_ours = lock(descriptor)
        # Its owner may have removed or renamed it just before its lock ended.
        if is_ours and (is_new or _is_own(os.fstat(descriptor))) and is_at(path, descriptor):
            partial = cls(path, descriptor, is_findable=True)
            if partial.size:
                partial._find_gaps()
            return partial
        os.close(descriptor)
        if is_ours is None and is_new:  # there are no locks
            os.unlink(path)
        return None

    def _find_gaps(self) -> None:
        """Tell what is there from what is not, where several connections wrote into it."""
        end = self.size
        pieces = [(first, min(last, end)) for first, last in self._noted()[2] if first < end]
        if pieces:
            self.size = pieces.pop(0)[1] if pieces[0][0] == 0 else 0
            self.beyond = pieces if self.size else []
        elif hasattr(os, "SEEK_HOLE"):
            # Without notes only the front counts; of its last page some may be missing.
            with suppress(OSError):
                hole = os.lseek(self._descriptor, 0, os.SEEK_HOLE)
                self.size = end if hole >= end else max(0, hole - _ALIGNED)
        if not self.beyond:
            self.drop_beyond()

    @property
    def received(self) -> int:
        """Bytes in it, behind gaps too."""
        return self.size + sum(end - first for first, end in self.beyond)

    # -- what it belongs to ----------------------------------------------------------

    def remember(self, sha256: str, etag: str | None) -> None:
        """Note what will be in the file, and what is; where file systems allow it.

        Parameters
        ----------
        sha256 : str
            Of the whole.
        etag : str or None
            The server's name for that version.
        """
        if self.is_findable and sys.platform == "linux":
            note = f"{sha256} {etag or ''}"
            if self.beyond:
                pieces = [(0, self.size), *self.beyond]
                note += " " + ",".join(f"{first}-{end}" for first, end in pieces)
            with suppress(OSError):  # not all have attributes; the hash tells in the end
                os.setxattr(self._descriptor, _ATTRIBUTE, note.encode())

    def recall(self) -> tuple[str | None, str | None]:
        """Return the sha256 and the ETag that were noted; None for what was not."""
        return self._noted()[:2]

    def _noted(self) -> tuple[str | None, str | None, list[tuple[int, int]]]:
        """Return these, and the pieces that were noted of a file with gaps."""
        if sys.platform != "linux":
            return None, None, []
        try:
            noted = os.getxattr(self._descriptor, _ATTRIBUTE).decode()
        except (OSError, UnicodeDecodeError):
            return None, None, []
        sha256, _, etag = noted.partition(" ")
        before, _, after = etag.rpartition(" ")
        if not _PIECES.fullmatch(after):
            return sha256, etag or None, []
        pairs = (piece.split("-") for piece in after.split(","))
        return sha256, before or None, [(int(first), int(end)) for first, end in pairs]

    # -- its content -----------------------------------------------------------------

    def write(self, data: memoryview | bytes | bytearray) -> None:
        """Add bytes at the end.

        Raises
        ------
        OSError
        """
        rest = memoryview(data)
        self._bypass_cache(len(rest) >= _LARGE and (self.size | len(rest)) % _ALIGNED == 0)
        while rest:
            try:
                block = rest if self._bypasses_cache else rest[:_WRITTEN_AT_ONCE]
                written = os.write(self._descriptor, block)
            except OSError:
                if not self._bypasses_cache:
                    raise
                # This disk wants other places in memory; what else is wrong comes up again.
                self._bypass_cache(False)
                self._may_bypass_cache = False
            else:
                self.size += written
                rest = rest[written:]
        if self._bypasses_cache:
            self._flushed = self.size
        elif self.size - self._flushed >= _FLUSHED_EVERY:
            self._begin_flushing(self.size)

    def _bypass_cache(self, wanted: bool) -> None:
        if wanted == self._bypasses_cache or not self._may_bypass_cache:
            return
        import fcntl  # which is there wherever such writes are

        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags ^ _PAST_CACHE)
        except OSError:
            self._may_bypass_cache = False  # not all file systems have such a way
        else:
            self._bypasses_cache = wanted

    def _begin_flushing(self, place: int) -> None:
        # Without a wait, so that the fsync at the end has little left to wait for. What is not
        # on the disk yet is needed by the system, and so stays in memory in spite of the name.
        if sys.platform == "linux":
            with suppress(OSError):
                os.posix_fadvise(
                    self._descriptor,
                    self._flushed,
                    place - self._flushed,
                    os.POSIX_FADV_DONTNEED,
                )
        self._flushed = place

    def rehash(self, digest: _Hash) -> Iterator[int]:
        """Read what is there into a digest, step by step; `write` goes on behind it.

        Yields
        ------
        int
            Bytes read so far.
        """
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        end, self.size = self.size, 0
        for block in blocks_of(self._descriptor):
            block = block[: end - self.size]
            digest.update(block)
            self.size += len(block)
            yield self.size
            if self.size == end:
                break
        self._flushed = self.size

    def drop_beyond(self) -> None:
        """Throw away what lies behind the first gap; `write` goes on there."""
        self.beyond = []
        os.ftruncate(self._descriptor, self.size)
        os.lseek(self._descriptor, self.size, os.SEEK_SET)

    def restart(self) -> None:
        """Throw away its content."""
        if self.size or self.beyond:
            self.size = self._flushed = 0
            self.drop_beyond()

    # -- its content, written by several threads at once --------------------------------

    def open_places(self) -> None:
        """Make ready for `write_at` and `read_at`; `drop_beyond` makes ready for `write` again."""
        self._bypass_cache(False)  # what is read back soon stays in memory

    def write_at(self, data: memoryview, place: int) -> None:
        """Write bytes at a place; `size` and `beyond` are the caller's to set."""
        while data:
            written = os.pwrite(self._descriptor, data, place)
            place, data = place + written, data[written:]

    def read_at(self, buffer: memoryview, place: int) -> int:
        """Read what was written at a place into a buffer; return how many bytes there are."""
        return os.preadv(self._descriptor, [buffer], place)

    def flush_to(self, place: int) -> None:
        """Have the system begin to write to the disk what comes before a place."""
        if place - self._flushed >= _FLUSHED_EVERY:
            self._begin_flushing(place)

    # -- its end ---------------------------------------------------------------------

    def publish(self, target: Path, *, sync: bool = True) -> None:
        """Give it the name of its target, once it is safe on the disk.

        Parameters
        ----------
        target : pathlib.Path
            Is replaced when it exists.
        sync : bool, default True
            False for what a power failure may take.

        Raises
        ------
        OSError
            It failed; the file still exists under its own name.
        """
        if self.is_findable and sys.platform == "linux":
            with suppress(OSError):  # there is none
                os.removexattr(self._descriptor, _ATTRIBUTE)
        if sync:
            self.sync()
        if not is_at(self.path, self._descriptor):
            os.stat(os.path.dirname(self.path))  # which says it when all of the folder is gone
            raise FileNotFoundError(errno.ENOENT, "Somebody has removed it", self.path)
        try:
            os.replace(self.path, target)
        except OSError as error:
            if error.errno not in _IN_USE:
                raise
            # As on Windows, where nothing that is open can be renamed.
            self.release()
            try:
                os.replace(self.path, target)
            except BaseException:
                os.unlink(self.path)
                raise
        self.release()

    def sync(self) -> None:
        """Bring its content to the disk.

        Raises
        ------
        OSError
        """
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise

    def discard(self) -> None:
        """Remove it; once it was published or released, do nothing."""
        if not self._is_open:
            return
        is_there = is_at(self.path, self._descriptor)
        if os.name == "nt":
            self.release()
        # Where there are locks: as long as ours holds, nobody takes it for a leftover.
        if is_there:
            with suppress(FileNotFoundError):
                os.unlink(self.path)
        self.release()

    def release(self) -> None:
        """Let go of it, and leave it where it is."""
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)


def _beside(target: Path, mark: int | str) -> str:
    folder, name = os.path.split(target)
    if len(name) > _MAX_STEM // 4:  # a sign has up to four bytes
        name = os.fsencode(name)[:_MAX_STEM].decode(sys.getfilesystemencoding(), "ignore")
    return os.path.join(folder, f"{name}.{mark}{PARTIAL_SUFFIX}")


def is_begun(target: Path) -> bool:
    """Whether there is a target, or what `Partial.left` finds of it."""
    return os.path.lexists(target) or os.path.lexists(_beside(target, 0))


def target_of(name: str) -> str:
    """Return the name of the target of what `Partial.left` finds; any other name as it is."""
    return name.removesuffix(f".0{PARTIAL_SUFFIX}")


def _is_own(status: os.stat_result) -> bool:
    """Whether nobody else can have put it there: it becomes a file that is trusted."""
    mine: Any = getattr(os, "geteuid", lambda: status.st_uid)()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_uid == mine
