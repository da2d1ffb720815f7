"""Doing the same with many files: a bounded number at a time, and stopped at any moment.

The files are worked on in threads, and the calling thread waits. It alone calls the
user's `progress`, so that this needs no lock and may touch windows and notebooks; and
it is where Ctrl-C arrives. Then no further file is begun, transfers end at their next
block, and after a moment those that hang have their connections shut down.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextvars import copy_context
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from hatcher import cancel
from hatcher.cancel import LOOK, Cancelled, CancelToken
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    InvalidDestinationError,
    ServerError,
    TransportError,
)
from hatcher.transfer.concurrency import FEW, INTERVAL, AdaptiveConcurrency, Todo, Turns
from hatcher.transfer.progress import BatchOptions, Meter, Phase, Progress
from hatcher.transfer.reports import BatchReport, FileFacts, FileResult, Outcome
from hatcher.transport.pool import MAX_CONNECTIONS
from hatcher.transport.retry import retries_of_thread

T = TypeVar("T")
AnyItem = TypeVar("AnyItem", bound="Item[Any]")

#: What is done at once at most where the caller does not say, files and questions alike: more would
#: wait for a connection. How many it really are, `concurrency` finds out.
AT_ONCE = MAX_CONNECTIONS

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 5

#: Seconds between two calls of `progress`.
_INTERVAL = 0.1

#: Seconds after which a transfer that does not end by itself loses its connection, and
#: after which a thread that hangs even so is left alone.
_GRACE, _LAST = 0.2, 1.0

#: Seconds between the starts of threads: what begins together would come back together, and have
#: all of them wait for Python at once, time and again. And how many start between two looks.
_APART, _TOGETHER = 0.001, 16


def checked_concurrency(concurrency: int | None) -> int:
    """Return how many files to work on at once.

    Raises
    ------
    InvalidArgumentError
        It is no number from 1.
    """
    if concurrency is None:
        return AT_ONCE
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        raise InvalidArgumentError(
            f"concurrency is {concurrency!r}; give the number of files to work on at once, "
            "from 1, or nothing for the usual one."
        )
    return concurrency


class ByteCounter:
    """The bytes that one thread has done; a `Progress` for the file that it is at."""

    __slots__ = ("_current", "_phase", "_settled", "_stop")

    def __init__(self, phase: Phase | None, stop: threading.Event) -> None:
        self._phase = phase
        self._stop = stop
        self._settled = 0
        self._current = 0

    def __call__(self, done: int, total: int | None, phase: Phase) -> None:
        """Note how far the current file is; end its transfer when the batch was stopped.

        Raises
        ------
        Cancelled
        """
        if self.is_stopped:
            raise Cancelled
        if phase == self._phase and done > self._current:
            self._current = done

    def settle(self, size: int | None) -> None:
        """Note that the current file is through, whatever became of it."""
        self._current = 0
        self._settled += size or 0

    @property
    def is_stopped(self) -> bool:
        """Whether the batch was stopped."""
        return self._stop.is_set() or cancel.is_cancelled()

    @property
    def done(self) -> int:
        """Bytes so far."""
        return self._settled + self._current


class Item(Generic[T]):
    """One file of a batch, and what has become of it so far.

    Parameters
    ----------
    path : pathlib.Path
        The local file.

    Attributes
    ----------
    file : object
        What it is; set when it has been read.
    size : int or None
        In bytes, where it is known.
    outcome : str
        One of `Outcome`.
    error : Exception or None
    facts : FileFacts
    """

    __slots__ = ("error", "facts", "file", "outcome", "path", "size")

    file: T

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size: int | None = None
        self.outcome: Outcome = "not tried"
        self.error: Exception | None = None
        self.facts = FileFacts()

    @property
    def is_open(self) -> bool:
        """Whether there is still something to be done about it."""
        return self.outcome == "not tried"

    def fail(self, error: Exception) -> None:
        """Note that it failed."""
        self.outcome, self.error = "failed", error
        _forget_locals(error)

    def note(self, **facts: Any) -> None:
        """Note what is known of it; the names are those of `FileFacts`."""
        self.facts = self.facts._replace(**facts)

    def result(self, name: str | None = None, path: Path | None = None) -> FileResult:
        """Return it as users see it, maybe under another name than that of its own path."""
        path = path or self.path
        return FileResult(name or path.name, path, self.outcome, self.size, self.error, self.facts)


def _forget_locals(error: BaseException | None) -> None:
    """Let go of the buffers that an error's frames hold: a report may keep many errors."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


class Attempts:
    """Tries files one by one, and gives up when it is the same with all of them.

    Parameters
    ----------
    hopeless : tuple of type
        Errors after which no other file is worth a try.
    limit : int
        After so many failures of the network, the server or the disk in a row, neither.
    """

    def __init__(self, hopeless: tuple[type[Exception], ...], limit: int) -> None:
        self._hopeless = hopeless
        self._limit = limit
        self._in_a_row = 0
        self._reason: Exception | None = None

    def attempt(
        self, item: Item[T], counter: ByteCounter, action: Callable[[], Outcome | None]
    ) -> None:
        """Do what is to be done with a file, and note what becomes of it.

        Parameters
        ----------
        item : Item
        counter : ByteCounter
            Of the calling thread.
        action : callable
            Does it, and returns what has become of the file; None when there is more
            to do.
        """
        if self._reason is not None:
            item.error = self._reason
        else:
            begin, retried = time.monotonic(), retries_of_thread()
            try:
                item.outcome = action() or item.outcome
                self._in_a_row = 0
            except (HatcherException, OSError) as error:
                if counter.is_stopped:
                    # It failed because it was broken off: that is no failure of the file.
                    raise Cancelled from None
                item.fail(error)
                self._consider(error)
            finally:
                item.note(
                    attempts=(item.facts.attempts or 1) + retries_of_thread() - retried,
                    seconds=item.facts.seconds + time.monotonic() - begin,
                )
        counter.settle(item.size)

    def _consider(self, error: Exception) -> None:
        passing = isinstance(error, TransportError | ServerError | InvalidDestinationError)
        self._in_a_row = self._in_a_row + 1 if passing else 0
        if isinstance(error, self._hopeless) or self._in_a_row >= self._limit:
            self._reason = error


class WorkerPool:
    """Threads that work on files, phase by phase.

    Parameters
    ----------
    concurrency : int
        How many files at once.
    progress : Progress, optional
        Called from the thread that calls `each`.
    """

    def __init__(self, concurrency: int, progress: Progress | None) -> None:
        self._concurrency = concurrency
        self._progress = progress
        self._token = CancelToken()
        self._stop = threading.Event()
        self._turns = Turns(self._stop)

    def each(
        self,
        files: Sequence[T],
        work: Callable[[T, ByteCounter], None],
        phase: Phase | None = None,
        total: int | None = None,
        *,
        at_once: int | None = None,
        size: Callable[[T], int | None] | None = None,
    ) -> None:
        """Do something with each file; return when it is done with all of them.

        Parameters
        ----------
        files : sequence
            What `work` is called with, in this order, or small and large ones mixed.
        work : callable
            Is given a file, and the `ByteCounter` of its thread. It keeps the file's errors
            to itself; what it raises ends everything.
        phase : {'hashing', 'uploading', 'downloading', 'indexing'}, optional
            What `progress` is told of it; nothing when it is not given.
        total : int, optional
            Bytes of all files.
        at_once : int, optional
            No more files at once than so many.
        size : callable, optional
            Gives the bytes of a file, where they are known. Without it, those of a phase may
            all be large ones, of which fewer are worked on at once.

        Raises
        ------
        BaseException
            What `work` or `progress` raised, or what arrived meanwhile, such as a
            KeyboardInterrupt. The threads have ended by then.
        """
        if not files:
            return
        number = min(self._concurrency, at_once or self._concurrency)
        if number == 1 or (size is None and phase is None):
            size = _nothing
        todo = Todo(files, size or _unknown)
        failures: list[BaseException] = []
        run = partial(self._run, todo, work, failures)
        workers = [
            _Worker(partial(run, number), ByteCounter(phase, self._stop))
            for number in range(min(number, todo.places))
        ]
        meter = Meter(self._progress if phase else None, total, phase or "hashing")
        try:
            cancel.check()
            self._watch(workers, todo, meter)
        except BaseException:
            self._stop_all(workers)
            raise
        finally:
            self._turns.expect(None)  # what is not opened by now, its own thread opens
        if failures:
            raise failures[0]
        # Files may have grown or shrunk meanwhile; and those that failed are through, too.
        meter.reach(_done(workers) if total is None else total)

    def stream(self, produce: Callable[[Callable[[T], None]], None]) -> Generator[T, None, None]:
        """Give what a function puts, as it comes; it runs in a thread of its own, by `each`.

        Parameters
        ----------
        produce : callable
            Is given what it puts things by. What it raises comes out at the end; closing the
            iterator stops it.
        """
        came: SimpleQueue[tuple[T, ...]] = SimpleQueue()  # an empty one is the end
        failures: list[BaseException] = []

        def run(_: ByteCounter) -> None:
            try:
                with self._token.joined():
                    produce(lambda thing: came.put((thing,)))
            except BaseException as error:
                failures.append(error)
            finally:
                came.put(())

        worker = _Worker(run, ByteCounter(None, self._stop))
        worker.start()
        try:
            while thing := cancel.got(came):
                yield thing[0]
        finally:
            self._stop_all([worker])
        if failures:
            raise failures[0]

    def expect(self, threads: Callable[[], int]) -> None:
        """Have connections for so many threads opened beside the first request of the next phase.

        Where they are there at once, none is opened before it is needed.
        """
        self._turns.expect(lambda: min(threads(), self._concurrency))

    def tell(self, done: int, total: int, phase: Phase) -> None:
        """Tell the user of something that is one request for all files."""
        if self._progress is not None:
            self._progress(done, total, phase)

    def _run(
        self,
        todo: Todo[T],
        work: Callable[[T, ByteCounter], None],
        failures: list[BaseException],
        number: int,
        counter: ByteCounter,
    ) -> None:
        """Do the work of one thread."""
        try:
            self._turns.join()
            with self._token.joined():
                while True:
                    self._turns.begin()
                    try:
                        if self._stop.is_set():
                            return
                        try:
                            file = todo.take(number)
                        except IndexError:
                            return
                        work(file, counter)
                    finally:
                        self._turns.leave()
        except Cancelled:
            pass  # `_stop_all` has done that, or `_watch` will find it out
        except BaseException as error:
            failures.append(error)
            self._stop.set()

    def _watch(self, workers: list[_Worker], todo: Todo[T], meter: Meter) -> None:
        """Start threads as they pay, and tell of the bytes, until all threads have ended."""
        waiting, files, due = deque(workers), len(todo), 0.0
        meter.reach(0)
        concurrency = AdaptiveConcurrency(len(workers))
        _start(waiting, FEW)
        for worker in workers:
            while not worker.wait(INTERVAL if waiting else LOOK):
                cancel.check()
                if waiting:
                    at_work = len(workers) - len(waiting)
                    finished = files - len(todo) - at_work
                    wanted = concurrency.wanted(at_work, finished)
                    _start(waiting, min(wanted - at_work, _TOGETHER))
                if (now := time.monotonic()) >= due:
                    due = now + _INTERVAL
                    meter.reach(_done(workers))
        cancel.check()  # which may be what has ended them

    def _stop_all(self, workers: list[_Worker]) -> None:
        """Stop the work, and wait for the threads, first for those that end by themselves."""
        self._stop.set()
        begin = time.monotonic()
        # A moment, unless nobody waits for what they are at.
        if cancel.is_cancelled() or not _ended(workers, begin + _GRACE):
            self._token.cancel()
            _ended(workers, begin + _LAST)


def _start(waiting: deque[_Worker], number: int) -> None:
    for _ in range(min(number, len(waiting))):
        waiting.popleft().start()
        if waiting:
            time.sleep(_APART)


def _size(item: Item[Any]) -> int | None:
    return item.size


def _nothing(_: object) -> int:
    return 0


def _unknown(_: object) -> None:
    return None


def _ended(workers: list[_Worker], deadline: float) -> bool:
    return all(worker.wait(max(0.0, deadline - time.monotonic())) for worker in workers)


def _done(workers: list[_Worker]) -> int:
    return sum(worker.counter.done for worker in workers)


class _Worker(threading.Thread):
    """A thread that can be waited for.

    `join` cannot be trusted with that: when Ctrl-C arrives in it, it takes a thread that runs for
    one that has ended.
    """

    def __init__(self, work: Callable[[ByteCounter], None], counter: ByteCounter) -> None:
        super().__init__(name="hatcher-batch", daemon=True)
        self.counter = counter
        self._work = work
        # With the caller's context variables, for what users have called before each request.
        self._context = copy_context()
        self._is_started = False
        self._has_ended = threading.Event()

    def start(self) -> None:
        self._is_started = True
        super().start()

    def run(self) -> None:
        try:
            self._context.run(self._work, self.counter)
        finally:
            self._has_ended.set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; return whether it has come, or was never to come."""
        if not self._is_started:
            return True
        if not self._has_ended.wait(seconds):
            return False
        self.join()
        return True


class Batch(Generic[T]):
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
        self.items: list[Item[T]] = []
        self._concurrency = number
        self._pool = WorkerPool(number, options.progress)
        self._attempts = Attempts(hopeless, max(number, _GONE))

    @property
    def open(self) -> list[Item[T]]:
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
        self._pool.each(items, attempt, phase, total, size=_size)

    def expect(self) -> None:
        """Have the connections that the open files need opened beside the first request."""
        self._pool.expect(lambda: Todo(self.open, _size).places)

    def report(self) -> BatchReport:
        """Say what became of each file."""
        return BatchReport(tuple(item.result() for item in self.items))
