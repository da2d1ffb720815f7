"""Writing and hashing what has arrived, while more arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING

from hatcher.transfer.partial import Partial
from hatcher.transport.buffers import new_buffer

if TYPE_CHECKING:
    from hashlib import _Hash

#: Bytes of a buffer. Smaller ones cost more handing over; larger ones fall out of the
#: processor's cache between receiving, hashing and writing.
BUFFER_SIZE = 1024 * 1024

#: Buffers that may be under way at once; fewer are made where the disk keeps up.
_BUFFERS = 8

#: Bytes to come from which on a thread saves more than it costs.
_WORTH_A_THREAD = 2 * BUFFER_SIZE

#: Seconds after which what has arrived is passed on, also in a buffer that is not full.
_AT_LEAST_EVERY = 0.1


class Sink:
    """Takes what arrives, in order; writes and hashes it.

    A large file is written and hashed in a thread of its own: both let others run
    meanwhile. The thread ends with `settle` or `close`.

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
        self._is_large = expected is None or expected > _WORTH_A_THREAD
        # One byte more than is expected, so that the end is found without another buffer.
        self._buffer_size = BUFFER_SIZE if expected is None else min(BUFFER_SIZE, expected + 1)
        self._buffers = 0
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._full: SimpleQueue[tuple[memoryview, int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
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
        self._end_thread()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End, without care for what is not written yet."""
        self._is_closed = True
        self._end_thread()

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._full.put(None)
            self._thread.join()
            self._thread = None

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
        if self._thread is None:
            # A daemon: the exit of the interpreter waits for no download that was given up.
            self._thread = threading.Thread(target=self._work, name="hatcher-download", daemon=True)
            self._thread.start()
        self._full.put((buffer, filled))

    def _work(self) -> None:
        while (given := self._full.get()) is not None:
            buffer, filled = given
            if self._error is None and not self._is_closed:
                try:
                    self._process(buffer[:filled])
                except BaseException as error:
                    self._error = error
            # Also after an error: whoever receives must not wait for ever.
            self._free.put(buffer)

    def _process(self, block: memoryview) -> None:
        self._partial.write(block)
        self._digest.update(block)
