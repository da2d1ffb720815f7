"""Many files at once: which to send or to receive, and what became of each."""

from __future__ import annotations

from typing import NamedTuple

from hatcher.transfer.progress import Progress


class BatchOptions(NamedTuple):
    """What the caller of a batch may choose."""

    concurrency: int | None = None
    progress: Progress | None = None
    dry_run: bool = False
    overwrite: bool = False
