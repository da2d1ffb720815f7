"""Memory of a process from outside of it, as the kernel counts it."""

from __future__ import annotations

import re
from pathlib import Path


def resident(pid: int) -> int:
    """Return the memory that a process has now, in bytes."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    """Return the most memory that a process had since `forget_peak`, in bytes."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Begin to look for the peak anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    path = Path(f"/proc/{pid}/status")
    if not path.exists():
        raise RuntimeError(f"Memory is read from {path}, which only Linux has.")
    found = re.search(rf"(?m)^{name}:\s+(\d+) kB$", path.read_text())
    assert found is not None
    return int(found[1]) * 1024
