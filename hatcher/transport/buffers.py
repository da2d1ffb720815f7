"""Buffers that the system copies into and out of at full speed.

Processors of the Zen family copy ten times slower when the destination lies 1 to 31 bytes
further into its page of memory than the source does into its own. Files are copied from and
to the beginning of pages, and allocators like to give out large blocks 16 bytes into a page,
which is the slow case: it doubled the time of a download. From the middle of a page, both
ways are the fast one.
"""

from __future__ import annotations

#: Bytes into a page; half of what every processor that is meant here calls one.
_MIDDLE = 2048

#: Bytes below which a copy costs less than a page of its own would.
_LARGE = 64 * 1024


def new_buffer(size: int) -> memoryview:
    """Return writable memory of a size in bytes."""
    if size < _LARGE:
        return memoryview(bytearray(size))
    import mmap

    # Of this process alone, where that has to be said.
    private = (
        {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    )
    pages = mmap.mmap(-1, _MIDDLE + size, **private)
    return memoryview(pages)[_MIDDLE : _MIDDLE + size]
