"""A few buffers that one thread fills and sends while another one hashes them.

Hashing and sending leave Python's lock alone while they work, so the two take the
time of the longer one, not of both.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

from hatcher.files.blocks import BLOCK_SIZE, new_buffer

if TYPE_CHECKING:
    from hashlib import _Hash

#: One that is sent, one that is hashed, and one in between.
BUFFERS = 3


class HashingRing:
    """Buffers of `BLOCK_SIZE` bytes, used in turn, and a thread that hashes them.

    Parameters
    ----------
    digest : hashlib's hash
        What the blocks go into, in their order.
    """

    def __init__(self, digest: _Hash) -> None:
        self._digest = digest
        self._unused = BUFFERS
        self._waiting: SimpleQueue[tuple[memoryview, int] | None] = SimpleQueue()
        self._hashed: SimpleQueue[memoryview] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="hatcher-hash", daemon=True)
        self._thread.start()

    def take(self) -> memoryview:
        """Return a buffer to fill; waits until one has been hashed.

        What was given to `hash` two buffers ago must not be in use any more.
        """
        if self._unused > 0:
            self._unused -= 1
            return new_buffer(BLOCK_SIZE)
        return self._hashed.get()

    def hash(self, buffer: memoryview, size: int) -> None:
        """Have the beginning of a buffer hashed, while it may be read further."""
        self._waiting.put((buffer, size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Wait until all is hashed, and end the thread. Doing it again does nothing."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (block := self._waiting.get()) is not None:
            buffer, size = block
            self._digest.update(buffer[:size])
            self._hashed.put(buffer)
