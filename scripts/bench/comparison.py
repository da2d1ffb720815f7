"""What a comparison of the two clients is, and what comes out of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import Factory, frozen

from scripts.bench.scene import Scene

#: What a driver is told: named values as JSON, or arguments as they are.
Job: TypeAlias = Mapping[str, Any] | Sequence[str]
#: How to make a job, with a new and empty folder for what is downloaded.
JobMaker: TypeAlias = Callable[[Scene, Path], Job]

#: What is compared: the time of the work, its CPU time, or the time of the whole process.
Figure: TypeAlias = Literal["wall", "cpu", "process"]


@frozen
class Limit:
    """What no client can be faster than, or what another kind of client takes.

    Attributes
    ----------
    name : str
    driver : str
        The driver that shows it, or ``curl``.
    job : callable
        What the driver is told, or the arguments of curl.
    """

    name: str
    driver: str
    job: JobMaker


@frozen
class Comparison:
    """Work that both clients do.

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
        How many times faster than the existing client ours must be, and is to be.
    figure : {"wall", "cpu", "process"}
        What is compared.
    memory_limit : int or None
        What our client may take above what it takes when idle, in bytes.
    again : bool
        Do the work once in a process before, whose caches stay.
    limits : sequence of Limit
    instead : Limit or None
        What our own client does, to be compared with where the existing one has nothing alike.
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
    figure: Figure = "wall"
    memory_limit: int | None = None
    again: bool = False
    limits: Sequence[Limit] = ()
    instead: Limit | None = None
    most_rounds: int | None = None
    in_memory: bool = False
    size: int | None = None

    def rounds(self, wanted: int) -> int:
        """Return how often to measure, when so many rounds are wanted."""
        return wanted if self.most_rounds is None else min(wanted, self.most_rounds)


@frozen
class Sample:
    """One measurement: seconds, bytes above an idle client, and requests where they are counted."""

    wall: float
    cpu: float
    process: float
    memory: int | None
    requests: int | None = None

    def of(self, figure: Figure) -> float:
        """Return what is compared."""
        return float(getattr(self, figure))


@frozen
class Outcome:
    """What has been measured for a comparison.

    Attributes
    ----------
    comparison : Comparison
    peer, ours : list of Sample
    limits : dict of str to list of Sample
        By the names of the limits.
    """

    comparison: Comparison
    peer: list[Sample] = Factory(list)
    ours: list[Sample] = Factory(list)
    limits: dict[str, list[Sample]] = Factory(dict)

    @property
    def ratio(self) -> float:
        """How many times faster ours is, by the medians (`float`)."""
        return self.median(self.peer) / self.median(self.ours)

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
        return lean and self.ratio >= (wanted.must or 0)

    @property
    def aim_met(self) -> bool:
        """Whether the aim is reached, if there is one (`bool`)."""
        return self.ratio >= (self.comparison.aim or 0)


def requests(samples: Sequence[Sample]) -> int | None:
    """Return the most requests that the work took, where they were counted."""
    return max((sample.requests for sample in samples if sample.requests is not None), default=None)


def memory(samples: Sequence[Sample]) -> float | None:
    """Return the median of the memory above an idle client, in bytes."""
    known = [sample.memory for sample in samples if sample.memory is not None]
    return statistics.median(known) if known else None
