"""Writing into a folder: each file whole under its name, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from hatcher.errors import (
    ChecksumMismatchError,
    HatcherException,
    PermissionDeniedError,
)
from hatcher.files.atomic import make_directory, replacing, sync_directory
from hatcher.files.blocks import blocks_of
from hatcher.mirror.documents import DOCUMENTS, digest_of_file
from hatcher.mirror.ends.base import changed
from hatcher.mirror.ends.folder import Folder
from hatcher.mirror.ends.receiving import Delivery, Obtain, Receiver
from hatcher.mirror.layout import parse
from hatcher.mirror.manifests.manifest import Entry
from hatcher.mirror.manifests.recording import record
from hatcher.mirror.states import Held
from hatcher.transfer.batch import Attempts, Item, Tally
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import Outcome

#: Failures in a row after which the source, the network or the disk is taken for gone.
_GONE = 16


class Storing(Receiver):
    """Writes into a folder.

    Parameters
    ----------
    folder : Folder
    """

    is_local = True
    phase = "downloading"
    outcome = "downloaded"

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._attempts = Attempts((PermissionDeniedError,), _GONE)
        self._listed: dict[str, Entry] = {}
        self._touched: set[Path] = set()
        self._gone: list[str] = []

    def local(self, path: str) -> Path:
        """Return the file that something stands in; see `Receiver.local`."""
        return self._folder.location(path).below(self._folder.root)

    def rounds(self, items: Sequence[Item[Delivery]]) -> Iterator[list[Item[Delivery]]]:
        """Give all at once: nobody has to wait for another."""
        yield list(items)

    def attempts(self, item: Item[Delivery]) -> Attempts:
        """Return the same for all; see `Receiver.attempts`."""
        return self._attempts

    def put(self, item: Item[Delivery], obtain: Obtain, tally: Tally) -> Outcome:
        """Write a file; see `Receiver.put`."""
        delivery = item.file
        path, wanted, there = delivery.path, delivery.wanted, delivery.there
        assert wanted is not None
        target = item.path
        make_directory(target.parent)
        if there is None and target.exists():
            there = Held(None, None, target)
            if self._folder.identify(path, there, tally) != wanted.sha256:
                raise changed(path, self._folder)
            self._note(path, wanted, target)
            return "already there"
        if there is not None:
            self._check(path, there)
        file = obtain()
        if file != target:
            is_document = self._folder.kind(path) in DOCUMENTS
            _copy(file, target, None if is_document else wanted.sha256, tally)
        if there is not None and there.origin != target and not target.samefile(there.origin):
            there.origin.unlink()
            self._gone.append(there.origin.relative_to(self._folder.root).as_posix())
        self._touched.add(target.parent)
        self._note(path, wanted, target)
        return self.outcome

    def keep(self, path: str, held: Held) -> None:
        """Note for the manifest what is there already; see `Receiver.keep`."""
        where = held.origin.relative_to(self._folder.root).as_posix()
        # What stands elsewhere than an export puts it is in no manifest.
        if parse(where).path == where:
            # It may have been removed a moment ago.
            with suppress(FileNotFoundError):
                self._note(path, held, held.origin)

    def _note(self, path: str, wanted: Held, target: Path) -> None:
        kind = self._folder.kind(path)
        assert wanted.sha256 is not None
        # A document's hash is not that of its file.
        own = file_sha256(target) if kind in DOCUMENTS else None
        where = target.relative_to(self._folder.root).as_posix()
        size = target.stat().st_size
        self._listed[where] = Entry(kind, wanted.sha256, size, own)

    def _check(self, path: str, there: Held) -> None:
        """Check that a file is what it was a moment ago."""
        kind = self._folder.kind(path)
        now = digest_of_file(kind, there.origin) if kind in DOCUMENTS else file_sha256(there.origin)
        if now != there.sha256:
            raise changed(path, self._folder)

    def delete(self, item: Item[Delivery], tally: Tally) -> Outcome:
        """Remove a file; see `Receiver.delete`."""
        path, there = item.file.path, item.file.there
        assert there is not None
        self._check(path, there)
        there.origin.unlink()
        self._gone.append(there.origin.relative_to(self._folder.root).as_posix())
        return "deleted"

    def close(self) -> None:
        """Make the new names survive a power failure, and write down what there is now."""
        for folder in self._touched:
            sync_directory(folder)
        if self._listed or self._gone:
            record(self._folder.root, self._listed, self._gone)


def _copy(file: Path, target: Path, sha256: str | None, progress: Progress) -> None:
    """Copy a file, which stands under its name when it is whole and right.

    Raises
    ------
    ChecksumMismatchError
        It is no longer what it was.
    HatcherException
        It cannot be read.
    """
    actual, done = hashlib.sha256(), 0
    try:
        source = open(file, "rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise HatcherException(
            f"'{file}' cannot be read: {error.strerror}. Check it, and apply again."
        ) from error
    with source, replacing(target) as copy:
        for block in blocks_of(source.fileno()):
            actual.update(block)
            copy.write(block)
            done += len(block)
            progress(done, None, "downloading")
        if sha256 is not None and actual.hexdigest() != sha256:
            raise ChecksumMismatchError(
                f"'{file}' changed while it was copied; nothing of it was kept. Apply again.",
                expected=sha256,
                actual=actual.hexdigest(),
            )
