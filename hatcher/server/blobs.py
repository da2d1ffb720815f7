"""Files by their sha256: written once, whole or not at all.

::

    incoming/<upload>/<file name>    what is still arriving
    blobs/ab/cdef…                   what is there for good, called by its sha256

A blob is put in place before the row that names it is committed, and removed after
the last such row is gone. So a process that dies at any moment leaves at worst a blob
that nobody names; `sweep` removes those at the next start.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


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
        self._file: BinaryIO = path.open("xb", buffering=0)
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
        view = memoryview(chunk)
        while view:  # an unbuffered write may write less
            view = view[self._file.write(view) :]
        self._sha256.update(chunk)
        self._md5.update(chunk)
        self.size += len(chunk)

    def finish(self) -> None:
        """Make sure that all of it is on the disk."""
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        """Close the file, whole or not."""
        self._file.close()


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
        for folder in (self._blobs, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where the blob with this hash is, if it is there."""
        return self._blobs / sha256[:2] / sha256[2:]

    @contextmanager
    def receive(self, filename: str) -> Iterator[Incoming]:
        """Give a new file to write to; what was not placed at the end is removed.

        Parameters
        ----------
        filename : str
            A bare, safe file name: readers of artefacts look at it.
        """
        folder = Path(tempfile.mkdtemp(dir=self._incoming))
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
            target.parent.mkdir()
            _sync_folder(self._blobs)
        incoming.path.replace(target)
        _sync_folder(target.parent)

    def remove(self, sha256s: Iterable[str]) -> None:
        """Remove blobs that no row names any more. Must be called by the one writer."""
        for sha256 in sha256s:
            self.path(sha256).unlink(missing_ok=True)

    def sweep(self, named: set[str]) -> None:
        """Remove what a process that died left behind.

        Parameters
        ----------
        named : set of str
            The hashes that rows name.
        """
        for leftover in self._incoming.iterdir():
            shutil.rmtree(leftover)
        for folder in self._blobs.iterdir():
            for blob in folder.iterdir():
                if folder.name + blob.name not in named:
                    blob.unlink()


def _sync_folder(folder: Path) -> None:
    # Windows cannot open folders, and needs no such call.
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
