"""What every case is told."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen
class Options:
    """What every case is told.

    Attributes
    ----------
    size : int
        The size of a large egg, in bytes.
    rounds : int
        How often to measure; figures are medians.
    scratch : pathlib.Path
        An empty folder for files, removed afterwards.
    """

    size: int
    rounds: int
    scratch: Path
