"""In which order files come in and go out again, so that both directions are in use.

What comes in together would go out together, and each direction would wait for the other one. So a
few large files come in at once, the largest first; when one is there, the next one comes in while it
goes out. Small ones come and go beside them. After a while there are twice as many large ones, and
again where that has paid: a server or a network may limit each connection.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from threading import Condition

from hatcher.mirror.records import Task
from hatcher.transfer.batch import ByteCounter
from hatcher.transfer.progress import Phase, Progress
from hatcher.transfer.upload import LARGE

#: Large files that come in at once, at first and at most.
_FEW, _MOST = 2, 16

#: By so much the bytes of a while have to grow, so that there may be twice as many large files.
_RISE = 1.2

#: Seconds of a while; and those after which a thread that waits checks whether it was stopped.
_WHILE, _LOOK = 1.0, 0.1


class Load:
    """One file, and the tasks that want it.

    Parameters
    ----------
    tasks : list of Task
    """

    def __init__(self, tasks: list[Task]) -> None:
        self.tasks = tasks
        self.size = tasks[0].size or 0
        self.is_large = self.size >= LARGE
        #: Bytes that have come in; whether there are more to come.
        self.done, self.is_coming = 0, True


class Loads:
    """Files that are to be moved.

    Parameters
    ----------
    loads : iterable of Load
    most : int
        No more come in at once.
    is_one_way : bool
        Whether they stay where they come in, so that none has to wait.
    """

    def __init__(self, loads: Iterable[Load], most: int, *, is_one_way: bool) -> None:
        given = list(loads)
        large = [load for load in given if load.is_large]
        self._large = deque(sorted(large, key=lambda load: load.size, reverse=True))
        self._small = deque(load for load in given if not load.is_large)
        self._most, self._limit = most, _MOST if is_one_way else _FEW
        self._coming: list[Load] = []
        self._changed = Condition()
        #: Bytes of the large files that are there, and of all a while ago; the most in a while.
        self._bytes, self._before, self._best = 0, 0, 0.0
        self._since = time.monotonic()

    def take(self, counter: ByteCounter) -> Load:
        """Return the next file, when it may come in; there are as many calls as files."""
        with self._changed:
            while (load := self._next()) is None:
                self._changed.wait(_LOOK)
                counter(0, None, "downloading")  # ends it when all was stopped
            self._coming.append(load)
            return load

    def _next(self) -> Load | None:
        if len(self._coming) >= self._most:
            return None
        if self._large and sum(load.is_large for load in self._coming) < self._limit:
            return self._large.popleft()
        return self._small.popleft() if self._small else None

    def told_of(self, load: Load, counter: ByteCounter) -> Progress:
        """Return what is told of the bytes of a file that comes in."""
        if not load.is_large:
            return counter

        def tell(done: int, total: int | None, phase: Phase) -> None:
            counter(done, total, phase)
            load.done = done
            if time.monotonic() > self._since + _WHILE:
                self._look()

        return tell

    def _look(self) -> None:
        """Let twice as many large files come in at once, as long as that has paid."""
        with self._changed:
            now, coming = time.monotonic(), [load for load in self._coming if load.is_large]
            done = self._bytes + sum(load.done for load in coming)
            rate = (done - self._before) / (now - self._since)
            self._before, self._since = done, now
            if len(coming) >= self._limit < _MOST and rate > self._best * _RISE:
                self._best = rate
                self._limit *= 2
                self._changed.notify_all()

    def came(self, load: Load) -> None:
        """Let others come in: this one is there, or will not come."""
        with self._changed:
            if load.is_coming:
                load.is_coming = False
                self._coming.remove(load)
                self._bytes += load.done if load.is_large else 0
                self._changed.notify()
