"""Writing and hashing what has arrived, while more arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from hatcher.files.blocks import new_buffer
from hatcher.files.partial import Partial

if TYPE_CHECKING:
    from hashlib import _Hash

#: Bytes of a buffer. Smaller ones cost more handing over; larger ones fall out of the
#: processor's cache between receiving, hashing and writing.
BUFFER_SIZE = 1024 * 1024

#: Buffers that may be under way at once; fewer are made where the disk keeps up.
_BUFFERS = 8

#: Bytes to come from which on threads save more than they cost.
_WORTH_THREADS = 2 * BUFFER_SIZE

#: Seconds after which what has arrived is passed on, also in a buffer that is not full.
_AT_LEAST_EVERY = 0.1

#: Buffers under way, each with the number of bytes in it; None at the end.
_Blocks: TypeAlias = "SimpleQueue[tuple[memoryview, int] | None]"


class Sink:
    """Takes what arrives, in order; writes and hashes it.

    A large file is written in one thread and hashed in another: both let others run
    meanwhile. The threads end with `settle` or `close`.

    Parameters
    ----------
    partial : Partial
        Where it is written to.
    digest : hash object
        Where it is hashed with.
    expected : int or None
        How many bytes are to come; None when nobody knows.
    """

    def __init__(self, partial: Partial, digest: _Hash, expected: int | None) -> None:
        self._partial = partial
        self._digest = digest
        self._is_large = expected is None or expected > _WORTH_THREADS
        # One byte more than is expected, so that the end is found without another buffer.
        self._buffer_size = BUFFER_SIZE if expected is None else min(BUFFER_SIZE, expected + 1)
        self._buffers = 0
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._arrived: _Blocks = SimpleQueue()
        self._written: _Blocks = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._error: BaseException | None = None
        self._is_closed = False

    def receive(self, readinto: Callable[[memoryview], int]) -> tuple[int, bool]:
        """Receive until a buffer is full, or some time has passed.

        Parameters
        ----------
        readinto : callable
            Fills a buffer from its beginning; returns the number of bytes, 0 at the
            end.

        Returns
        -------
        size : int
            How many bytes came.
        has_ended : bool

        Raises
        ------
        OSError
            What came before could not be written.
        Exception
            What `readinto` raises; what came before is kept.
        """
        buffer = self._buffer()
        filled = 0
        until = time.monotonic() + _AT_LEAST_EVERY
        try:
            while filled < len(buffer):
                size = readinto(buffer[filled:])
                if not size:
                    return filled, True
                filled += size
                if time.monotonic() > until:
                    break
            return filled, False
        finally:
            self._take(buffer, filled)

    def settle(self) -> None:
        """Wait until all that came is written and hashed.

        Raises
        ------
        OSError
            It could not be written.
        """
        self._end_threads()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End, without care for what is not written yet."""
        self._is_closed = True
        self._end_threads()

    def _end_threads(self) -> None:
        # In the order in which blocks pass through them.
        for thread, blocks in zip(self._threads, (self._arrived, self._written), strict=False):
            blocks.put(None)
            thread.join()
        self._threads = []

    def _buffer(self) -> memoryview:
        if self._error is not None:
            raise self._error
        if self._buffers < _BUFFERS and self._free.empty():
            self._buffers += 1
            return new_buffer(self._buffer_size)
        buffer = self._free.get()
        if self._error is not None:
            raise self._error
        return buffer

    def _take(self, buffer: memoryview, filled: int) -> None:
        if not self._is_large:
            try:
                self._process(buffer[:filled])
            finally:
                self._free.put(buffer)
            return
        if not self._threads:
            self._begin(self._work, self._arrived, self._partial.write, self._written.put)
            self._begin(self._work, self._written, self._digest.update, self._give_back)
        self._arrived.put((buffer, filled))

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        # Daemons: the exit of the interpreter waits for no download that was given up.
        thread = threading.Thread(target=work, args=arguments, name="hatcher-download", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(
        self,
        blocks: _Blocks,
        action: Callable[[memoryview], object],
        pass_on: Callable[[tuple[memoryview, int]], object],
    ) -> None:
        while (block := blocks.get()) is not None:
            buffer, filled = block
            if self._error is None and not self._is_closed:
                try:
                    action(buffer[:filled])
                except BaseException as error:
                    self._error = error
            # Also after an error: whoever receives must not wait for ever.
            pass_on(block)

    def _give_back(self, block: tuple[memoryview, int]) -> None:
        self._free.put(block[0])

    def _process(self, block: memoryview) -> None:
        self._partial.write(block)
        self._digest.update(block)
