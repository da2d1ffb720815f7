"""What processes hold: descriptors, threads and memory; and that they let go of it."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import NamedTuple


class Held(NamedTuple):
    """What a process holds."""

    descriptors: int
    threads: int
    memory: int

    @classmethod
    def by(cls, pid: int) -> Held:
        gc.collect()
        about = Path("/proc", str(pid))
        pages = int((about / "statm").read_text().split()[1])
        count = {name: len(list((about / name).iterdir())) for name in ("fd", "task")}
        return cls(count["fd"], count["task"], pages * os.sysconf("SC_PAGE_SIZE"))


def check_same(pid: int, before: Held | None, *, threads: int) -> None:
    """What was held is let go of; a pool of threads, or of memory, may have grown a little."""
    assert before is not None
    until = time.monotonic() + 60
    while True:
        now = Held.by(pid)
        if now.descriptors <= before.descriptors and now.threads <= before.threads + threads:
            break
        assert time.monotonic() < until, (before, now)
        time.sleep(0.1)
    assert now.memory - before.memory < 50_000_000, (before, now)
