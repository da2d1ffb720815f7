"""What every case is told."""

from __future__ import annotations

import sys
from pathlib import Path

from attrs import frozen

#: The sizes that the limits are for; `Options.scale` makes them smaller.
LARGE_DOWNLOAD = 512_000_000
LARGE_UPLOAD = 256_000_000
INDEX_ENTRIES = 50_000
SMALL_EGGS = 200
SMALL_EGG = 2_000
MIRRORED_EGGS = 1_000
SEARCHED_EGGS = 1_000
TINY_GETS = 1_000
#: How many small indices are listed, and how many eggs each has.
LISTED_INDICES = 1_000
LISTED_EGGS = 20
#: How many eggs go up, and down, again and again beside a ticking clock; their size, and for how long.
BUSY_EGGS = 32
BUSY_EGG = 4_000_000
BUSY_SECONDS = 30
#: How many small eggs go down and up over a long link, and how large they are.
DISTANT_DOWN = 1_000
DISTANT_UP = 300
DISTANT_EGG = 20_000
#: What is mirrored over it beside as many small eggs, and what small commands ask about.
MIRRORED_LARGE = 5
MIRRORED_SIZE = 100_000_000
FEW_EGGS = 50
#: The round trip to a server that is far away, in seconds.
ROUND_TRIP = 0.02


@frozen
class Options:
    """What every case is told.

    Attributes
    ----------
    size : int
        The size of the egg whose transfer's memory is measured, in bytes.
    rounds : int
        How often to measure; figures are medians.
    scratch : pathlib.Path
        An empty folder for files, removed afterwards.
    scale : float
        What part of the full sizes to take; limits are only for 1.
    python : str
        The interpreter of the environment with our client.
    """

    size: int
    rounds: int
    scratch: Path
    scale: float = 1.0
    python: str = sys.executable

    def scaled(self, number: int) -> int:
        """Return the part of a full size that is to be taken."""
        return max(1, round(number * self.scale))
