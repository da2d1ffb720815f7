"""What processes hold: descriptors, threads and memory; and that they let go of it."""

from __future__ import annotations

import gc
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

#: Files that a Brood's pool of at most ten database connections has open: two each, and one of all.
POOLED = 21


class Held(NamedTuple):
    """What a process holds; a pool of database connections grows when many are used at once."""

    descriptors: int
    pooled: int
    threads: int
    memory: int

    @classmethod
    def by(cls, pid: int) -> Held:
        gc.collect()
        about = Path("/proc", str(pid))
        pages = int((about / "statm").read_text().split()[1])
        files = descriptors(pid)
        pooled = sum(".sqlite3" in file for file in files)
        threads = len(list((about / "task").iterdir()))
        memory = pages * os.sysconf("SC_PAGE_SIZE")
        return cls(len(files) - pooled, pooled, threads, memory)


def descriptors(pid: int) -> list[str]:
    """What the descriptors of a process lead to."""
    files = []
    for descriptor in Path("/proc", str(pid), "fd").iterdir():
        with suppress(FileNotFoundError):  # it has been closed meanwhile
            files.append(str(descriptor.readlink()))
    return sorted(files)


def check_same(pid: int, before: Held | None, *, threads: int) -> None:
    """What was held is let go of; a pool of threads, or of memory, may have grown a little."""
    assert before is not None
    until = time.monotonic() + 60
    while True:
        now = Held.by(pid)
        if now.descriptors <= before.descriptors and now.threads <= before.threads + threads:
            break
        assert time.monotonic() < until, (before, now, descriptors(pid))
        time.sleep(0.1)
    assert now.pooled <= POOLED
    assert now.memory - before.memory < 50_000_000, (before, now)
