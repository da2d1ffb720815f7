"""How many files at once: as many threads as pay, and fewer when the server turns some away.

Python runs one thread at a time. Where small files come and go quickly, that is what everything
waits for, and each thread more makes it worse: with 200 small eggs and no latency, 16 threads took
a third longer than 2. Where threads wait for a server far away, as many pay as one can serve while
it waits; large files, which are hashed and written beside Python, share the link after a few.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from hatcher.transport import retry

T = TypeVar("T")

#: Threads to begin with.
FEW = 1

#: Threads that slow files get without further thought, and at most as many large ones at once.
_SOME = 16

#: More threads than anybody wants.
MANY = 1 << 20

#: Seconds between two looks, as long as there may be too few.
INTERVAL = 0.005

#: Seconds that a file takes at least whose transfer is more than a few calls of Python's.
_SLOW = 0.01

#: Seconds to wait for the first files of a while, which may have to open connections.
_WARM_UP = 0.02

#: Bytes from which on a file takes its time by its size, and not by the way there and back.
_LARGE = 1 << 20

#: One thread of so many takes large files first, so that none of them is left to the end.
_SHARE = 4

#: Seconds between two looks of a thread that waits for its turn, and the longest that one waits
#: in the middle of a file: what it holds meanwhile, those may need whom it waits for.
_LOOK, _PATIENCE = 0.05, 10.0

#: Seconds within which what is turned away of a large file's connections is one event.
_SAME = 1.0


class AdaptiveConcurrency:
    """Looks at how the work goes, and says how many threads to have.

    Parameters
    ----------
    most : int
        No more threads than so many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._finished = 0
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        self._looked = self._wall, self._cpu

    def wanted(self, threads: int, finished: int) -> int:
        """Return how many threads to have from now on.

        Parameters
        ----------
        threads : int
            How many there are.
        finished : int
            How many files they have finished since the beginning.

        Returns
        -------
        int
            From `threads` to the most there may be.
        """
        wall, cpu = time.perf_counter(), time.process_time()
        took, used, files = wall - self._wall, cpu - self._cpu, finished - self._finished
        since, used_since = wall - self._looked[0], cpu - self._looked[1]
        self._looked = wall, cpu
        if files < threads and took < _WARM_UP and used_since > since / 2:
            return threads
        self._finished, self._wall, self._cpu = finished, wall, cpu
        return min(self._most, enough(threads, files, took, used))


def enough(threads: int, files: int, took: float, used: float) -> int:
    """Return how many threads keep Python busy, given what some did in a while; at least these.

    Parameters
    ----------
    threads : int
    files : int
        How many they have finished meanwhile.
    took, used : float
        Seconds that went by, and seconds of processor time in them.
    """
    if files <= 0:
        return MANY
    slow = _SOME if took * threads / files > _SLOW else 0
    return max(threads, slow, round(threads * took / max(used, took / MANY)))


class Todo(Generic[T]):
    """Files that are still to be begun, small and large ones mixed.

    Parameters
    ----------
    files : iterable
    size : callable
        Gives the bytes of a file; None where nobody knows, and it may be large.
    """

    def __init__(self, files: Iterable[T], size: Callable[[T], int | None]) -> None:
        large: list[tuple[int, T]] = []
        self._small: deque[T] = deque()
        for file in files:
            amount = size(file)
            if amount is None or amount >= _LARGE:
                large.append((amount or 0, file))
            else:
                self._small.append(file)
        large.sort(key=lambda one: one[0], reverse=True)
        self._large = deque(file for _, file in large)

    def __len__(self) -> int:
        return len(self._small) + len(self._large)

    @property
    def places(self) -> int:
        """How many threads at most have something to do."""
        return len(self._small) + min(_SOME, len(self._large))

    def take(self, number: int) -> T:
        """Return the next file for the thread of that number, from 0.

        Raises
        ------
        IndexError
            There is none left for it.
        """
        first, second = self._small, self._large
        if number >= _SOME:
            second = first
        elif number % _SHARE == 0:
            first, second = second, first
        try:
            return first.popleft()
        except IndexError:
            return second.popleft()


class Turns:
    """Whose turn it is: everybody's, until the server turns requests away (429 and 503).

    Then each of them is one file less at once, and there are no more than half as many as before;
    none begins before the time that the server has asked for. Later it is one more after a second,
    four more after two, nine after three, as long as none is turned away again. A thread that
    pauses before it tries again leaves its turn to others.

    Parameters
    ----------
    stop : threading.Event
        Ends all waiting.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._changed = threading.Condition()
        self._at_work = 0
        #: How many may be at work when none was turned away since `_calm_since`.
        self._base = MANY
        self._calm_since = 0.0
        #: When it last began to turn some away, how many could be at work, and how many it were.
        self._event, self._before, self._refused = 0.0, 0, 0
        self._expected: Callable[[], int] | None = None
        #: When this thread's turn began.
        self._mine = threading.local()

    def expect(self, threads: Callable[[], int] | None) -> None:
        """Set how many threads will need a connection each, if that is known."""
        self._expected = threads

    def connections_to_come(self) -> int:
        threads, self._expected = self._expected, None
        return 0 if threads is None else threads() - 1

    def join(self) -> None:
        """Let the requests of this thread belong to it."""
        retry.turns.set(self)

    def begin(self, patience: float = float("inf")) -> None:
        """Wait for this thread's turn, but no longer than so many seconds."""
        with self._changed:
            if self._base < MANY:
                until = max(time.monotonic(), self._calm_since) + patience
                while self._at_work >= self._limit() and not self._stop.is_set():
                    if time.monotonic() > until:
                        break
                    self._changed.wait(_LOOK)
            self._at_work += 1
        self._mine.since = time.monotonic()

    def leave(self) -> bool:
        if getattr(self._mine, "since", None) is None:
            return False
        self._mine.since = None
        with self._changed:
            self._at_work -= 1
            if self._base < MANY:
                self._changed.notify()
        return True

    def come_back(self) -> None:
        self.begin(_PATIENCE)

    def _limit(self) -> int:
        """Return how many may be at work now."""
        calm = time.monotonic() - self._calm_since
        return 0 if calm < 0 else self._base + int(calm * calm)

    def turned_away(self, seconds: float) -> None:
        now = time.monotonic()
        with self._changed:
            # What was under way then already is part of the same event.
            if (getattr(self._mine, "since", None) or now - _SAME) > self._event:
                self._before = min(self._at_work, max(self._base, self._limit()))
                self._event, self._refused = now, 0
            self._refused += 1
            self._base = max(1, min(self._before // 2, self._before - self._refused))
            self._calm_since = max(self._calm_since, now + seconds)
