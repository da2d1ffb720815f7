"""Uploading many files: all are read and compared first, then sent."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from hatcher.errors import (
    ArtefactError,
    AuthenticationError,
    ChecksumMismatchError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    TransportError,
)
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import BatchReport, FileResult, Outcome
from hatcher.transport.session import Session

F = TypeVar("F")

#: What is the same for all uploads to one repository.
_HOPELESS = (AuthenticationError, NotFoundError, PermissionDeniedError)

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 5


class Sending(Generic[F]):
    """The uploads of one batch.

    Parameters
    ----------
    session : Session
    paths : iterable of str or path-like
    concurrency : int or None
    progress : Progress or None
    dry_run : bool, default False
        Send nothing, and say what would be sent.

    Attributes
    ----------
    crew : Crew
    attempts : Attempts
    items : list of Item
        The files, each once.

    Raises
    ------
    InvalidArgumentError
        It is no list of files, or the concurrency is no number from 1.
    """

    def __init__(
        self,
        session: Session,
        paths: Iterable[str | os.PathLike[str]],
        concurrency: int | None,
        progress: Progress | None,
        dry_run: bool = False,
    ) -> None:
        if isinstance(paths, str | os.PathLike):
            raise InvalidArgumentError("A batch takes a list of files; put the one into a list.")
        number = checked_concurrency(concurrency)
        self.items: list[Item[F]] = [Item(path) for path in dict.fromkeys(map(Path, paths))]
        self.crew = Crew(number, progress)
        self.attempts = Attempts(_HOPELESS, max(number, _GONE))
        self.dry_run = dry_run
        self._twins: dict[int, Item[F]] = {}

    @property
    def open(self) -> list[Item[F]]:
        """The files that are neither done nor failed."""
        return [item for item in self.items if item.is_open]

    def read(self, read: Callable[[Path], F], key: Callable[[F], Hashable]) -> None:
        """Read all files, and find those that are the same thing twice.

        Parameters
        ----------
        read : callable
            Reads a file; its errors are the file's failure.
        key : callable
            Returns what the file is called on the server.
        """

        def check(item: Item[F], _: Tally) -> None:
            try:
                item.file = read(item.path)
                item.size = os.stat(item.path).st_size  # noqa: PTH116 - many files
            except (ArtefactError, OSError) as error:
                if isinstance(error, TransportError):  # which may be an OSError too
                    raise
                item.fail(error)

        # Python reads one file at a time; the second thread goes on while one asks the server.
        self.crew.each(self.items, check, at_once=2)
        namesakes: dict[Hashable, list[Item[F]]] = defaultdict(list)
        for item in self.open:
            namesakes[key(item.file)].append(item)
        for same in namesakes.values():
            if len(same) > 1:
                self._sort_out(same)

    def _sort_out(self, same: list[Item[F]]) -> None:
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

    def compare(
        self,
        items: Sequence[Item[F]],
        is_there: Callable[[Item[F], Tally], bool],
    ) -> None:
        """Find out which files the server has already.

        Parameters
        ----------
        items : sequence of Item
            The files that this is asked of.
        is_there : callable
            Returns whether the server has the file; raises when it has another one.
        """

        def compare(item: Item[F], tally: Tally) -> None:
            self.attempts.attempt(
                item, tally, lambda: "already there" if is_there(item, tally) else None
            )

        self.crew.each(items, compare, "hashing", total_of(items))

    def send(self, items: Sequence[Item[F]], send: Callable[[Item[F], Tally], bool]) -> None:
        """Upload files.

        Parameters
        ----------
        items : sequence of Item
        send : callable
            Uploads one file, and returns whether the server did not have it already; the tally
            is its `progress`.
        """
        if self.dry_run:
            for item in items:
                item.outcome = "would upload"
            return

        def upload(item: Item[F], tally: Tally) -> None:
            def action() -> Outcome:
                return "uploaded" if send(item, tally) else "already there"

            self.attempts.attempt(item, tally, action)

        self.crew.each(items, upload, "uploading", total_of(items))

    def report(self) -> BatchReport:
        """Say what became of each file."""
        return BatchReport(tuple(map(self._result, self.items)))

    def _result(self, item: Item[F]) -> FileResult:
        first = self._twins.get(id(item))
        if first is not None and first.outcome in ("failed", "not tried"):
            item.outcome, item.error = first.outcome, first.error
        return item.result()


def is_same(path: Path, sha256: str, place: str, tally: Tally, *, overwrite: bool) -> bool:
    """Return whether a local file has the sha256 of what the server has under its name.

    Raises
    ------
    ChecksumMismatchError
        It has another one, and must not replace it.
    """
    actual = file_sha256(path, progress=tally)
    if actual == sha256:
        return True
    if overwrite:
        return False
    raise other_there(
        place, path, f"its sha256 is {sha256}, that of '{path}' is {actual}", actual, sha256
    )


def other_there(
    place: str, path: Path, why: str, expected: str | None = None, actual: str | None = None
) -> ChecksumMismatchError:
    """Return the error for a file that the server has with other content."""
    return ChecksumMismatchError(
        f"{place} has another {path.name}: {why}. Nothing was sent. Give it a new build number, "
        "or pass overwrite=True.",
        expected=expected,
        actual=actual,
    )


def total_of(items: Iterable[Item[F]]) -> int:
    """Return the bytes of all files."""
    return sum(item.size or 0 for item in items)
