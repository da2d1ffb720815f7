"""What uploads and downloads of many files have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from hatcher.core.batches import BatchOptions
from hatcher.transfer.batch import Attempts, ByteCounter, Item, WorkerPool, checked_concurrency
from hatcher.transfer.progress import Phase
from hatcher.transfer.reports import BatchReport, Outcome

F = TypeVar("F")
AnyItem = TypeVar("AnyItem", bound=Item[Any])

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 5


class Batch(Generic[F]):
    """Files that are worked on together.

    Parameters
    ----------
    options : BatchOptions
    hopeless : type of Exception
        Failures that are the same for all files.

    Attributes
    ----------
    items : list of Item
        The files, and what has become of each so far.

    Raises
    ------
    InvalidArgumentError
        The concurrency is no number from 1.
    """

    def __init__(self, options: BatchOptions, *hopeless: type[Exception]) -> None:
        number = checked_concurrency(options.concurrency)
        self.options = options
        self.items: list[Item[F]] = []
        self._concurrency = number
        self._pool = WorkerPool(number, options.progress)
        self._attempts = Attempts(hopeless, max(number, _GONE))

    @property
    def open(self) -> list[Item[F]]:
        """The files that are neither done nor failed."""
        return [item for item in self.items if item.is_open]

    def each(
        self,
        items: Sequence[AnyItem],
        action: Callable[[AnyItem, ByteCounter], Outcome | None],
        phase: Phase | None = None,
    ) -> None:
        """Do something with each file.

        Parameters
        ----------
        items : sequence of Item
        action : callable
            Takes an item and what it may tell the bytes to, as a `progress`; returns what has
            become of the file, or None if that is still open. Its errors are the file's failure.
        phase : Phase, optional
            What is told of.
        """

        def attempt(item: AnyItem, counter: ByteCounter) -> None:
            self._attempts.attempt(item, counter, lambda: action(item, counter))

        sizes = [item.size for item in items]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._pool.each(items, attempt, phase, total)

    def report(self) -> BatchReport:
        """Say what became of each file."""
        return BatchReport(tuple(item.result() for item in self.items))
