"""What a comparison of clients is, and what comes out of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import Factory, frozen

from scripts.bench.scene import Scene
from scripts.bench.servers.link import Link

#: What a driver is told: named values as JSON, or arguments as they are.
Job: TypeAlias = Mapping[str, Any] | Sequence[str]
#: How to make a job, with a new and empty folder for what is downloaded.
JobMaker: TypeAlias = Callable[[Scene, Path], Job]

#: What is compared: the time of the work, its CPU time, the time of the whole process, the bytes
#: that the server sent and that were not needed, or how late an event loop was in one case of a
#: hundred, and at worst.
Figure: TypeAlias = Literal["wall", "cpu", "process", "twice", "late", "latest"]

#: What must and aim are of. More is better of how many times faster ours is; less is better of the
#: rest: how many times as long ours takes, how many round trips more, or how much; or our figure
#: itself.
Measure: TypeAlias = Literal[
    "times faster", "times as long", "round trips", "µs more", "s", "ms", "MB"
]

_UNITS: Mapping[Measure, float] = {"s": 1, "ms": 1e-3, "MB": 1e6}
#: What ours is compared with, where a case says of nothing else.
EXISTING = "existing client"


@frozen
class Limit:
    """What no client can be faster than, or what another kind of client takes.

    Attributes
    ----------
    name : str
    driver : str
        The driver that shows it, or a program such as ``curl``.
    job : callable
        What the driver is told, or the arguments of the program.
    link : Link or None
        Where it is another one than the comparison's.
    """

    name: str
    driver: str
    job: JobMaker
    link: Link | None = None


@frozen
class Comparison:
    """Work that our client does, and another one too.

    Attributes
    ----------
    name : str
        What to call it on the command line.
    title : str
        What to call it in the table.
    driver : str
        What does the work: a function of ``drivers/works.py``, or a module beside that.
    job : callable
        What the driver is told.
    must, aim : float or None
        What ours must reach, and is to reach.
    measure : str
        What `must` and `aim` are of.
    figure : {"wall", "cpu", "process", "twice", "late", "latest"}
        What is compared.
    runs_of : str or None
        The comparison whose runs the figures are of, where that is measured too.
    memory_limit : int or None
        What our client may take above what it takes when idle, in bytes.
    before : callable or None
        What the driver is told in a process before, whose caches stay.
    limits : sequence of Limit
    peers : sequence of Limit
        What ours is compared with instead of the existing client: what is fastest of them.
    slowest : bool
        Compare with what is slowest of them.
    link : Link or None
        How far away the servers are, if they are; the existing client then takes no part.
    needs : sequence of str
        What there has to be: ``real TCP`` or ``nginx``.
    home : callable or None
        Makes a folder, a copy of which each process has as its home.
    most_rounds : int or None
        How often to measure at most, where it takes long.
    in_memory : bool
        Download to a file system in memory, instead of to the disk.
    size : int or None
        Bytes that go over the wire, at full scale, where CPU time is told for each gigabyte too.
    """

    name: str
    title: str
    driver: str
    job: JobMaker
    must: float | None = None
    aim: float | None = None
    measure: Measure = "times faster"
    figure: Figure = "wall"
    runs_of: str | None = None
    memory_limit: int | None = None
    before: JobMaker | None = None
    limits: Sequence[Limit] = ()
    peers: Sequence[Limit] = ()
    slowest: bool = False
    link: Link | None = None
    needs: Sequence[str] = ()
    home: Callable[[Scene], Path] | None = None
    most_rounds: int | None = None
    in_memory: bool = False
    size: int | None = None

    @property
    def with_existing(self) -> bool:
        """Whether the existing client takes part (`bool`)."""
        return not self.peers and self.link is None

    @property
    def kind(self) -> Literal["near", "far", "async"]:
        """The table that it stands in (`str`)."""
        return "far" if self.link else "async" if self.name.startswith("async-") else "near"

    def rounds(self, wanted: int) -> int:
        """Return how often to measure, when so many rounds are wanted."""
        return wanted if self.most_rounds is None else min(wanted, self.most_rounds)


@frozen
class Sample:
    """One measurement: seconds, bytes above an idle client; and what is counted in some cases."""

    wall: float
    cpu: float
    process: float
    memory: int | None
    requests: int | None = None
    twice: int | None = None
    late: float | None = None
    latest: float | None = None

    def of(self, figure: Figure) -> float:
        """Return what is compared."""
        return float(getattr(self, figure))


@frozen
class Outcome:
    """What has been measured for a comparison.

    Attributes
    ----------
    comparison : Comparison
    peers : dict of str to list of Sample
        By the names of what ours is compared with, as far as it is installed.
    ours : list of Sample
    limits : dict of str to list of Sample
        By the names of the limits.
    lacking : sequence of str
        What there would have to be to measure it.
    """

    comparison: Comparison
    peers: dict[str, list[Sample]] = Factory(dict)
    ours: list[Sample] = Factory(list)
    limits: dict[str, list[Sample]] = Factory(dict)
    lacking: Sequence[str] = ()

    @property
    def best(self) -> str | None:
        """The name of the peer that ours is compared with, if any (`str`)."""
        pick = max if self.comparison.slowest else min
        return pick(self.peers, key=lambda name: self.median(self.peers[name]), default=None)

    @property
    def peer(self) -> list[Sample]:
        """What was measured of it (`list` of `Sample`)."""
        return [] if self.best is None else self.peers[self.best]

    @property
    def value(self) -> float | None:
        """What must and aim are of (`float`), by medians; None where nothing can be told."""
        measure, link = self.comparison.measure, self.comparison.link
        if not self.ours or not (self.peer or measure in _UNITS):
            return None
        if measure == "round trips":
            assert link is not None
            # What the machine does besides only adds to a time, and a fraction is the machine's.
            ours, peer = (self.spread(samples)[0] for samples in (self.ours, self.peer))
            return float(round((ours - peer) / link.round_trip))
        ours = self.median(self.ours)
        if measure in _UNITS:
            return ours / _UNITS[measure]
        peer = self.median(self.peer)
        if measure == "µs more":
            return (ours - peer) * 1e6
        return peer / ours if measure == "times faster" else ours / peer

    def reaches(self, wanted: float | None) -> bool:
        """Say whether a must or an aim is reached, if there is one."""
        value = self.value
        if wanted is None or value is None:
            return True
        return value >= wanted if self.comparison.measure == "times faster" else value <= wanted

    def median(self, samples: Sequence[Sample]) -> float:
        """Return the median of what is compared."""
        return statistics.median(sample.of(self.comparison.figure) for sample in samples)

    def spread(self, samples: Sequence[Sample]) -> tuple[float, float]:
        """Return the least and the most of what is compared."""
        figures = [sample.of(self.comparison.figure) for sample in samples]
        return min(figures), max(figures)

    @property
    def must_met(self) -> bool:
        """Whether nothing that must be is missed (`bool`)."""
        wanted = self.comparison
        lean = (memory(self.ours) or 0) <= (wanted.memory_limit or float("inf"))
        return lean and self.reaches(wanted.must)

    @property
    def aim_met(self) -> bool:
        """Whether the aim is reached, if there is one (`bool`)."""
        return self.reaches(self.comparison.aim)


def requests(samples: Sequence[Sample]) -> int | None:
    """Return the most requests that the work took, where they were counted."""
    return max((sample.requests for sample in samples if sample.requests is not None), default=None)


def memory(samples: Sequence[Sample]) -> float | None:
    """Return the median of the memory above an idle client, in bytes."""
    known = [sample.memory for sample in samples if sample.memory is not None]
    return statistics.median(known) if known else None
