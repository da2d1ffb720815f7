"""Uploading many files: all are read and compared first, then sent."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from hatcher.core.dialects import DIALECTS
from hatcher.core.index import leaves
from hatcher.core.local import LocalArtefact
from hatcher.errors import (
    ArtefactError,
    AuthenticationError,
    ChecksumMismatchError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    TransportError,
)
from hatcher.transfer.batch import Batch, ByteCounter, Item
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import BatchOptions
from hatcher.transfer.reports import BatchReport, Outcome, reporting

#: What is the same for all uploads to one repository.
HOPELESS = (AuthenticationError, NotFoundError, PermissionDeniedError)

Paths: TypeAlias = Iterable[str | os.PathLike[str]]
LocalItem: TypeAlias = Item[LocalArtefact]

#: Reads a file, and finds out where it goes; raises what is its failure.
Read: TypeAlias = Callable[[Path], LocalArtefact]

#: What an index says of artefacts, by their addresses on a platform.
Listed: TypeAlias = Mapping[tuple[str | None, ...], Mapping[str, Any]]


class UploadBatch(Batch[LocalArtefact]):
    """The uploads of one batch.

    Parameters
    ----------
    paths : iterable of str or path-like
    options : BatchOptions

    Raises
    ------
    InvalidArgumentError
        It is no list of files, or the concurrency is no number from 1.
    """

    def __init__(self, paths: Paths, options: BatchOptions) -> None:
        if isinstance(paths, str | os.PathLike):
            raise InvalidArgumentError("A batch takes a list of files; put the one into a list.")
        super().__init__(options, *HOPELESS)
        self.items = [Item(path) for path in dict.fromkeys(map(Path, paths))]
        self._twins: dict[int, LocalItem] = {}

    def run(self, read: Read, listed: Callable[[Any], Listed]) -> BatchReport:
        """Upload what the server does not have.

        Parameters
        ----------
        read : callable
        listed : callable
            Asks for what the index of a platform says.
        """
        known: dict[object, Listed] = {}

        def look(platform: object, _: ByteCounter) -> None:
            known[platform] = listed(platform)

        def entry_of(file: LocalArtefact) -> Mapping[str, Any] | None:
            return known[file.platform].get(file.there._address) if file.there else None

        with reporting(self.report):
            self.read(read)
            self.expect()
            platforms = list(dict.fromkeys(item.file.platform for item in self.open))
            self._pool.each(platforms, look)
            self.each(
                [item for item in self.open if entry_of(item.file) is not None],
                lambda item, counter: self._compare(item, counter, entry_of(item.file) or {}),
                "hashing",
            )
            self.send(self.open)
        return self.report()

    def read(self, read: Read) -> None:
        """Read all files, and find those that are the same thing twice."""

        def check(item: LocalItem, _: ByteCounter) -> None:
            try:
                item.file = read(item.path)
                item.size = os.stat(item.path).st_size  # noqa: PTH116 - many files
                platform = item.file.platform
                item.note(
                    source=str(item.path),
                    target=platform._whereabouts,
                    server=str(platform._session.server),
                )
            except (ArtefactError, OSError) as error:
                if isinstance(error, TransportError):  # which may be an OSError too
                    raise
                item.fail(error)

        # Python reads one file at a time; the second thread goes on while one asks the server.
        self._pool.each(self.items, check, at_once=2)
        namesakes: dict[object, list[LocalItem]] = defaultdict(list)
        for item in self.open:
            namesakes[item.file.key].append(item)
        for same in namesakes.values():
            if len(same) > 1:
                self._sort_out(same)

    def _sort_out(self, same: list[LocalItem]) -> None:
        """See to several files that would be one on the server."""
        try:
            digests = [file_sha256(item.path) for item in same]
        except OSError as error:
            for item in same:
                item.fail(error)
            return
        if len(set(digests)) == 1:
            for twin in same[1:]:
                twin.outcome = "already there"
                self._twins[id(twin)] = same[0]
            return
        names = ", ".join(f"'{item.path}'" for item in same)
        for item, digest in zip(same, digests, strict=True):
            item.fail(
                ChecksumMismatchError(
                    f"These files would be one on the server, and they differ: {names}. None of "
                    "them was sent. Give only the right one.",
                    actual=digest,
                )
            )

    def _compare(
        self, item: LocalItem, counter: ByteCounter, said: Mapping[str, Any]
    ) -> Outcome | None:
        """Find out whether the server has a file, which its index or its metadata says."""
        there = item.file.there
        assert there is not None
        if said.get(there._content_field) is None:
            said = there._found() or {}
            if said.get(there._content_field) is None:
                return None
        content = there._content_in(said)
        same = item.file.is_same(content, overwrite=self.options.overwrite, progress=counter)
        item.note(replaced=not same, sha256=content if same and isinstance(content, str) else None)
        return "already there" if same else None

    def send(self, items: list[LocalItem], enabled: bool | None = None) -> None:
        """Upload files; eggs are `enabled`, so that the index shows them, or not."""
        if not self.options.dry_run:
            self.each(
                items, lambda item, counter: self._upload(item, counter, enabled), "uploading"
            )
            return
        for item in items:
            item.outcome = "would upload"

    def _upload(self, item: LocalItem, counter: ByteCounter, enabled: bool | None) -> Outcome:
        overwrite = self.options.overwrite
        is_new = item.file.upload(
            overwrite=overwrite,
            enabled=enabled,
            progress=counter,
            sent=lambda sha256: item.note(sha256=sha256),
        )
        return "uploaded" if is_new else "already there"

    def report(self) -> BatchReport:
        """Say what became of each file; a twin fares as the one that was sent."""
        for item in self.items:
            first = self._twins.get(id(item))
            if first is not None and first.outcome in ("failed", "not tried"):
                item.outcome, item.error = first.outcome, first.error
        return super().report()


def upload_runtimes(read: Read, paths: Paths, options: BatchOptions) -> BatchReport:
    """Upload runtimes; see `PlatformUploads.upload_runtimes`."""

    def listed(platform: Any) -> Listed:
        dialect = DIALECTS[platform._session.api_version]
        entries = dialect.runtime_entries(platform.runtime_index())
        return {(selector, version): entry for selector, version, entry in entries}

    return UploadBatch(paths, options).run(read, listed)


def upload_bundles(read: Read, paths: Paths, options: BatchOptions) -> BatchReport:
    """Upload bundles; see `PlatformUploads.upload_bundles`."""
    return UploadBatch(paths, options).run(read, lambda bundles: _by_address(bundles.index()))


def upload_apps(read: Read, paths: Paths, options: BatchOptions) -> BatchReport:
    """Upload apps; see `Repository.upload_apps`."""
    return UploadBatch(paths, options).run(read, lambda platform: _by_address(platform.app_index()))


def _by_address(index: Mapping[str, Any]) -> Listed:
    """Return what an index says of apps or bundles, whose full versions have a build number."""
    return {
        (tag, name, f"{version}-{build}"): entry
        for (tag, name, version, build), entry in leaves(index, 4)
    }
