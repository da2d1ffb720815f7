"""How many threads a batch is worth.

Python runs one thread at a time. Where small files come and go quickly, that is what everything
waits for, and each thread more makes it worse: with 200 small eggs and no latency, 16 threads took
a third longer than 2. Where threads wait for a server or a disk, or hash and write large files,
which goes on beside Python, there cannot be enough of them.
"""

from __future__ import annotations

import time

#: Threads to begin with.
FEW = 1

#: More threads than anybody wants.
MANY = 1 << 20

#: Seconds between two looks, as long as there may be too few.
INTERVAL = 0.005

#: Seconds that a file takes at least whose transfer is more than a few calls of Python's.
_SLOW = 0.01

#: Seconds to wait for the first files of a while, which may have to open connections.
_WARM_UP = 0.02


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
    if files == 0 or took * threads / files > _SLOW:
        return MANY
    return max(threads, round(threads * took / max(used, took / MANY)))
