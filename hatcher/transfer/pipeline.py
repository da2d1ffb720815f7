"""Blocks of a file that are sent or received while other threads hash and write them.

Hashing, sending and writing release Python's lock while they work, so together they take the time
of the longest of them, not of all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import count
from queue import SimpleQueue
from typing import Any, Self, TypeAlias

from hatcher.files.blocks import BLOCK_SIZE, new_buffer
from hatcher.transport.lanes import LANES, moving

#: A buffer, and how many bytes of it are used.
_Block: TypeAlias = tuple[memoryview, int]

_numbers = count()

#: As many as there are pipelines with threads of their own.
_threaded: deque[None] = deque()


class Pipeline:
    """Buffers that are used in turn, and the stages that each of them passes through.

    Parameters
    ----------
    stages : callable
        Each is called with the used part of every buffer, in order.
    buffers : int
        How many buffers there are at most; fewer are made where the stages keep up.
    size : int, optional
        Bytes of a buffer. Smaller ones cost more handing over; larger ones fall out of the
        processor's cache between the stages.
    threads : bool, default True
        Run each stage in a thread of its own, as long as few other pipelines do: beside many others
        that costs more than it gains. Otherwise, in the one that calls `put`.
    """

    def __init__(
        self,
        *stages: Callable[[memoryview], object],
        buffers: int,
        size: int = BLOCK_SIZE,
        threads: bool = True,
    ) -> None:
        self._stages = stages
        self._unused = buffers
        self._size = size
        self._is_threaded = threads
        #: Number n leads to stage n; the last one holds the buffers that are free again.
        self._queues: list[SimpleQueue[_Block | None]] = [
            SimpleQueue() for _ in range(len(stages) + 1)
        ]
        self._threads: list[threading.Thread] = []
        self._number = next(_numbers)
        self._error: BaseException | None = None
        self._is_closed = False

    @property
    def lane(self) -> Any:
        """To be entered by `with` for what else is done with its blocks."""
        return moving(self._number)

    def take(self) -> memoryview:
        """Return a buffer to fill, and wait for one if all of them are under way.

        Raises
        ------
        Exception
            What a stage has raised.
        """
        self._check()
        if self._unused > 0 and self._queues[-1].empty():
            self._unused -= 1
            return new_buffer(self._size)
        block = self._queues[-1].get()
        self._check()
        assert block is not None
        return block[0]

    def put(self, buffer: memoryview, size: int) -> None:
        """Let the first `size` bytes of a buffer pass; they may still be read until it is taken."""
        if not self._threads and len(_threaded) >= LANES:
            self._is_threaded = False
        if not self._is_threaded:
            with self.lane:
                for stage in self._stages:
                    stage(buffer[:size])
        elif not self._threads:
            _threaded.append(None)
            for number, stage in enumerate(self._stages):
                # Daemons: the exit of the interpreter waits for no transfer that was given up.
                thread = threading.Thread(
                    target=self._work, args=(number, stage), name="hatcher-transfer", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        self._queues[0 if self._is_threaded else -1].put((buffer, size))

    def finish(self) -> None:
        """Wait until everything has passed, and end the threads.

        Raises
        ------
        Exception
            What a stage has raised.
        """
        self._end_threads()
        self._check()

    def close(self) -> None:
        """End the threads, without care for what has not passed yet."""
        self._is_closed = True
        self._end_threads()

    def _end_threads(self) -> None:
        # In the order in which blocks pass through them.
        for queue, thread in zip(self._queues, self._threads, strict=False):
            queue.put(None)
            thread.join()
        if self._threads:
            self._threads = []
            _threaded.pop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self, number: int, stage: Callable[[memoryview], object]) -> None:
        source, target = self._queues[number : number + 2]
        while (block := source.get()) is not None:
            if self._error is None and not self._is_closed:
                try:
                    stage(block[0][: block[1]])
                except BaseException as error:
                    self._error = error
            # Also after an error: whoever takes must not wait for ever.
            target.put(block)
