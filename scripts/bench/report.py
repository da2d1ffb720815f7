"""Results as Markdown, with what they were measured on."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

from scripts.bench.comparison import Outcome, Sample, memory, requests


@define
class Table:
    """A table of figures.

    Attributes
    ----------
    title : str
    header : sequence of str
    rows : list of sequence of str
    notes : str
        What a reader must know to repeat it.
    within : bool
        Whether every figure that has a limit is within it.
    """

    title: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(factory=list)
    notes: str = ""
    within: bool = True

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [f"### {self.title}", "", _row(self.header), _row(["---"] * len(self.header))]
        lines += map(_row, self.rows)
        if self.notes:
            lines += ["", self.notes]
        return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def speed(outcomes: Sequence[Outcome], *, judged: bool) -> Table:
    """Compare the clients' times, and say whether ours is as fast as it must be.

    Parameters
    ----------
    outcomes : sequence of Outcome
    judged : bool
        Whether the measurements were such that must and aim say something of them.
    """
    table = Table(
        "How fast",
        ("case", "existing client", "hatcher", "ratio", "must", "aim", "limits"),
        notes=(
            "Medians, with the fastest and the slowest in brackets; the ratio is the existing "
            "client's median to ours, so more is better. The time is that of the call, in a "
            "process that has imported the client and sent one request; of the whole process "
            "for a first answer and for commands; and CPU time for a tiny GET. Limits are what no "
            "client can undercut, and what curl takes; curl checks no hash. The existing client "
            "cannot compare two repositories, nor search them: beside a plan stands what it takes "
            "hatcher to fetch their indices one after the other, beside a search what it takes curl."
        ),
    )
    for outcome in outcomes:
        wanted, ratio = outcome.comparison, outcome.ratio
        table.within = table.within and (not judged or outcome.must_met)
        instead = "" if wanted.instead is None else f"{wanted.instead.name}: "
        times = (instead + _spread(outcome, outcome.peer), _spread(outcome, outcome.ours))
        verdicts = (_verdict(each, ratio, judged) for each in (wanted.must, wanted.aim))
        limits = [f"{n} {seconds(outcome.median(found))}" for n, found in outcome.limits.items()]
        cells = (_title(outcome), *times, f"**{ratio:.2f}**", *verdicts, "; ".join(limits))
        table.rows.append(cells)
    return table


def cost(outcomes: Sequence[Outcome], *, judged: bool) -> Table:
    """Compare what the clients take of the machine."""
    figures, clients = ("CPU", "memory", "requests"), ("existing client", "hatcher")
    table = Table(
        "At what cost",
        ("case", *(f"{figure}, {client}" for figure in figures for client in clients)),
        notes=(
            "Medians. CPU time is user and system of the client's process, all its threads "
            "included; for large files also for each gigabyte (10^9 bytes). Memory is the peak of "
            "what is resident, above what the process had before "
            "the call; MB = 10^6 bytes. Requests are what the server counted meanwhile, where that "
            "is measured, and the most of all rounds. Beside a plan stands what the table above "
            "has there."
        ),
    )
    for outcome in outcomes:
        both = outcome.peer, outcome.ours
        table.rows.append(
            (
                outcome.comparison.title,
                *(_cpu_time(outcome, samples) for samples in both),
                _memory(memory(outcome.peer)),
                _memory(memory(outcome.ours), outcome.comparison.memory_limit if judged else None),
                *("" if n is None else f"{n:,}" for n in map(requests, both)),
            )
        )
    return table


def _title(outcome: Outcome) -> str:
    """Return what was measured; how often, where it is not as often as everything else."""
    rounds, title = len(outcome.ours), outcome.comparison.title
    few = outcome.comparison.most_rounds is not None
    return f"{title} ({rounds} round{'s' * (rounds > 1)})" if few else title


def _spread(outcome: Outcome, samples: Sequence[Sample]) -> str:
    least, most = outcome.spread(samples)
    return f"{seconds(outcome.median(samples))} ({seconds(least)} to {seconds(most)})"


def _verdict(wanted: float | None, ratio: float, judged: bool) -> str:
    if wanted is None:
        return ""
    if not judged:
        return f"{wanted:g}"
    return f"{wanted:g} met" if ratio >= wanted else f"{wanted:g} **missed**"


def _cpu_time(outcome: Outcome, samples: Sequence[Sample]) -> str:
    cpu = statistics.median_high(sample.cpu for sample in samples)
    size = outcome.comparison.size
    return seconds(cpu) + (f" ({cpu / size * 1e9:.2f} s/GB)" if size else "")


def _memory(size: float | None, limit: int | None = None) -> str:
    if size is None:
        return ""
    if limit is None:
        return f"{size / 1e6:.1f} MB"
    verdict = "met" if size <= limit else "**missed**"
    return f"{size / 1e6:.1f} MB (at most {limit / 1e6:.0f} MB: {verdict})"


def seconds(number: float) -> str:
    """Show a time with three digits that mean something."""
    if number >= 1:
        return f"{number:.2f} s"
    if number >= 0.1:
        return f"{number * 1e3:.0f} ms"
    if number >= 0.001:
        return f"{number * 1e3:.1f} ms"
    return f"{number * 1e6:.0f} µs"


def machine() -> str:
    """Describe the machine, in one line."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory_size()}, {platform.system()} "
        f"{platform.release()}"
    )


def _processor() -> str:
    try:
        named = re.search(r"(?m)^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text())
    except OSError:
        named = None
    return named[1] if named else platform.machine()


def _memory_size() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "memory unknown"
    return f"{size / 1e9:.0f} GB memory"
