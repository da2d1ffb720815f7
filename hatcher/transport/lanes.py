"""Work that few threads do at a time, since many of them only get in each other's way.

Python runs one thread at a time, and one that wants to go on waits behind all others that do. Where
64 of them hash, write and decode, that takes 0.2 s, in which an event loop beside them stands still;
and they are no quicker for it. So they stay in lanes, each of which is one thread's at a time.
"""

from __future__ import annotations

import os
from threading import RLock
from typing import Any

#: How many threads move the bytes of files at a time; more do not fit beside each other.
LANES = min(4, os.cpu_count() or 1)

#: That of decoding, which never lets Python's lock go, and then those of moving bytes. Python's own
#: locks, entered by `with`: nothing that interrupts a thread keeps them.
_lanes: list[Any] = []


def _open() -> None:
    _lanes[:] = [RLock() for _ in range(1 + LANES)]


_open()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open)  # the threads that had them are the parent's


def decoding() -> Any:
    """Return the lane, to be entered by `with`, of who makes many objects of a text."""
    return _lanes[0]


def moving(number: int) -> Any:
    """Return the lane of who hashes and writes a file, of which there have been that many."""
    return _lanes[1 + number % LANES]
