"""A disk of a chosen size, where one can be mounted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.programs import find


@contextmanager
def mounted(folder: Path, size: int | str) -> Iterator[bool]:
    """Make a folder a disk of its own until the end; say whether that could be done."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = find("mount") is not None and not subprocess.run(command, capture_output=True).returncode
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "-l", folder], check=True)
