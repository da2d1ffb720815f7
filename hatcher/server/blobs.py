"""Files by their sha256: written once, whole or not at all.

::

    incoming/<upload>/<file name>    what is still arriving
    blobs/ab/cdef…                   what is there for good, called by its sha256
    quarantine/<day>/abcdef…         blobs that no row named at a start, and when that was

A blob is put in place before the row that names it is committed, and removed after
the last such row is gone. So a process that dies at any moment leaves at worst a blob
that nobody names. But a database that was restored from a backup leaves such blobs, too:
`sweep` only moves them out of the way, and back when the database names them again.
"""

from __future__ import annotations

import filecmp
import hashlib
import logging
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from hatcher.files.atomic import sync_directory
from hatcher.files.partial import Partial

#: How long a blob without a name is kept.
QUARANTINE: Final = timedelta(days=30)

#: What the log says of files in the data folder.
_STRANGERS = "were not put there by Brood, and stay"
_PUT_ASIDE = "have no artefact, and were moved to the quarantine"
_BACK = "have an artefact again, and left the quarantine"
_DELETED = f"were deleted after {QUARANTINE.days} days in the quarantine"
#: What the folder of an upload begins with.
_UPLOAD = "tmp"
_SHA256 = re.compile(r"[0-9a-f]{64}")

logger = logging.getLogger("hatcher.server")


class Incoming:
    """A file that is arriving: written and hashed in one pass.

    Parameters
    ----------
    path : pathlib.Path
        Where to write it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._file = Partial.create(str(path), 0o600)
        self._sha256 = hashlib.sha256()
        # Index entries have always had it; nothing here relies on it.
        self._md5 = hashlib.md5(usedforsecurity=False)

    @property
    def sha256(self) -> str:
        """The sha256 of what has arrived, in hexadecimal."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str:
        """The MD5 of what has arrived, in hexadecimal."""
        return self._md5.hexdigest()

    def write(self, chunk: bytes | bytearray) -> None:
        """Append `chunk`."""
        self._file.write(chunk)
        self._sha256.update(chunk)
        self._md5.update(chunk)
        self.size += len(chunk)

    def finish(self) -> None:
        """Make sure that all of it is on the disk."""
        self._file.sync()
        self._file.release()

    def close(self) -> None:
        """Close the file, whole or not."""
        self._file.release()


class Blobs:
    """The blobs under one data folder.

    Parameters
    ----------
    data : pathlib.Path
        The folder; made when missing.
    """

    def __init__(self, data: Path) -> None:
        self._blobs = data / "blobs"
        self._incoming = data / "incoming"
        self._quarantine = data / "quarantine"
        for folder in (self._blobs, self._incoming, self._quarantine):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where the blob with this hash is, if it is there."""
        return self._blobs / sha256[:2] / sha256[2:]

    def holds(self, sha256: str, size: int) -> bool:
        """Say whether the blob with this hash is there, by its size."""
        try:
            return self.path(sha256).stat().st_size == size
        except OSError:
            return False

    def has_content_of(self, incoming: Incoming) -> bool:
        """Say whether a file is there already, byte by byte; what is kept may be damaged."""
        try:
            return filecmp.cmp(incoming.path, self.path(incoming.sha256), shallow=False)
        except OSError:
            return False

    def is_empty(self) -> bool:
        """Say whether there is no blob at all."""
        return not any(_SHA256.fullmatch(name) for name, _ in self._found())

    @contextmanager
    def receive(self, filename: str) -> Iterator[Incoming]:
        """Give a new file to write to; what was not placed at the end is removed.

        Parameters
        ----------
        filename : str
            A bare, safe file name: readers of artefacts look at it.
        """
        folder = Path(tempfile.mkdtemp(prefix=_UPLOAD, dir=self._incoming))
        incoming = None
        try:
            incoming = Incoming(folder / filename)
            yield incoming
        finally:
            if incoming is not None:
                incoming.close()
            shutil.rmtree(folder)

    def place(self, incoming: Incoming) -> None:
        """Put a finished file in its place, for good.

        Must be called by the one writer, so that no `remove` comes between.
        """
        target = self.path(incoming.sha256)
        if not target.parent.exists():
            target.parent.mkdir(mode=0o700)
            sync_directory(self._blobs, strict=True)
        incoming.path.replace(target)
        sync_directory(target.parent, strict=True)

    def remove(self, sha256s: Iterable[str]) -> None:
        """Remove blobs that no row names any more. Must be called by the one writer."""
        for sha256 in sha256s:
            self.path(sha256).unlink(missing_ok=True)

    def sweep(self, named: Mapping[str, int]) -> None:
        """Tidy up what a process that died left behind; delete no blob that may be of use.

        Parameters
        ----------
        named : mapping of str to int
            The hashes that rows name, and the sizes.
        """
        done: Counter[str] = Counter()
        today = datetime.now(UTC).date()
        put_aside = self._quarantine / today.isoformat()
        for leftover in _entries(self._incoming):
            if leftover.is_symlink() or not leftover.is_dir():
                done[_STRANGERS] += 1
            elif leftover.name.startswith(_UPLOAD):
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                done[_PUT_ASIDE] += _moved(leftover, put_aside / leftover.name)
        for path, day in self._quarantined():
            if path.name in named and not self.holds(path.name, named[path.name]):
                done[_BACK] += _moved(path, self.path(path.name))
            elif today - day > QUARANTINE:
                path.unlink()
                done[_DELETED] += 1
        for name, path in self._found():
            if not _SHA256.fullmatch(name) or path.is_dir():
                done[_STRANGERS] += 1
            elif name not in named:
                done[_PUT_ASIDE] += _moved(path, put_aside / name)
        for what, count in done.items():
            if count:
                logger.warning("Files in the data folder that %s: %d", what, count)

    def _found(self) -> Iterator[tuple[str, Path]]:
        """Whatever is among the blobs: the hash that its place says, and the place."""
        for folder in _entries(self._blobs):
            if len(folder.name) == 2 and folder.is_dir() and not folder.is_symlink():
                yield from ((folder.name + path.name, path) for path in _entries(folder))
            else:
                yield folder.name, folder

    def _quarantined(self) -> Iterator[tuple[Path, date]]:
        """The blobs in the quarantine, and since when each is there."""
        for folder in self._quarantine.glob("*-*-*"):
            with suppress(ValueError):
                day = date.fromisoformat(folder.name)
                for path in _entries(folder):
                    if _SHA256.fullmatch(path.name):
                        yield path, day
                with suppress(OSError):  # something is left in it
                    folder.rmdir()


def _entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing that cannot be listed keeps a server from starting."""
    try:
        return list(folder.iterdir())
    except OSError as error:
        logger.warning("'%s' cannot be listed: %s", folder, error.strerror)
        return []


def _moved(path: Path, target: Path) -> bool:
    """Move a blob if that can be; its own place is as good as the other one."""
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.replace(target)
    except OSError as error:
        logger.warning("'%s' cannot be moved to '%s': %s", path, target.parent, error.strerror)
        return False
    return True
