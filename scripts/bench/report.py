"""Results as Markdown, with what they were measured on."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define, field

from scripts.bench.comparison import EXISTING, Outcome, Sample, memory, requests

_DISTANCE = """\
Medians, with the fastest and the slowest in brackets; times are of whole processes, their start \
included, and of indices that of the call. The figure is how many times as long ours \
takes as what is fastest beside it, so less is better; or, where it says so, our figure itself. A \
mirror stands beside the slower one of its two directions. Round trips are the shortest time with \
the link less the shortest without it, in whole ones. What is sent twice is what the link carries \
twice, not what the server's system has in its buffers when the client is gone. No other program \
checks a hash."""

_AWAITED = """\
Medians, with the fastest and the slowest in brackets. The figure is how many times as long, or how \
much more, ours takes than what stands beside it, so less is better; or, where it says so, our figure \
itself. Httpx stands for an `httpx.AsyncClient` with as many connections, and by hand what gives the \
same answers; most of its time goes into looking for a free connection among so many. The clock has \
5 ms between its ticks; how late they are is told of one in a hundred, and of the worst. The \
program frees indices in a thread, which takes 16 ms otherwise. Client and servers share the cores of \
the machine."""


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
        table.within = table.within and (not judged or outcome.must_met)
        instead = "" if outcome.best == EXISTING else f"{outcome.best}: "
        times = (instead + _spread(outcome, outcome.peer), _spread(outcome, outcome.ours))
        limits = [f"{n} {seconds(outcome.median(found))}" for n, found in outcome.limits.items()]
        cells = (_title(outcome), *times, *_judgement(outcome, judged), "; ".join(limits))
        table.rows.append(cells)
    return table


def distance(outcomes: Sequence[Outcome], link: str, *, judged: bool) -> Table:
    """Compare our client with others over a long link, which is made in that way."""
    return _beside("Over a long link", f"{_DISTANCE} {link}", outcomes, judged)


def awaited(outcomes: Sequence[Outcome], *, judged: bool) -> Table:
    """Compare our client in async programs with what else they may use, and with itself."""
    return _beside("In async programs", _AWAITED, outcomes, judged)


def _beside(title: str, notes: str, outcomes: Sequence[Outcome], judged: bool) -> Table:
    header = ("case", "beside it", "hatcher", "figure", "must", "aim")
    table = Table(title, header, notes=notes)
    for outcome in outcomes:
        table.within = table.within and (not judged or outcome.must_met)
        beside = [f"{name} {_amount(outcome, samples)}" for name, samples in outcome.peers.items()]
        absent = [each for each in outcome.comparison.peers if each.name not in outcome.peers]
        missing = ", ".join(each.driver for each in absent if not outcome.lacking)
        beside += [f"not installed: {missing}"] * bool(missing)
        ours = f"left out, since there is no {' nor '.join(outcome.lacking)}"
        if outcome.ours:
            ours = _spread(outcome, outcome.ours)
        cells = (_title(outcome), "; ".join(beside), ours, *_judgement(outcome, judged))
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


def summary(outcome: Outcome) -> str:
    """Say in one line what came out."""
    if outcome.lacking:
        return f"{outcome.comparison.name}: left out"
    both = [_amount(outcome, each) for each in (outcome.peer, outcome.ours) if each]
    figure, *_ = _judgement(outcome, judged=False)
    return f"{outcome.comparison.name}: {' / '.join(both)} = {figure.strip('*')}"


def _title(outcome: Outcome) -> str:
    """Return what was measured; how often, where it is not as often as everything else."""
    rounds, title = len(outcome.ours), outcome.comparison.title
    few = outcome.comparison.most_rounds is not None and rounds
    return f"{title} ({rounds} round{'s' * (rounds > 1)})" if few else title


def _spread(outcome: Outcome, samples: Sequence[Sample]) -> str:
    show = _show(outcome)
    least, most = outcome.spread(samples)
    return f"{_amount(outcome, samples)} ({show(least)} to {show(most)})"


def _amount(outcome: Outcome, samples: Sequence[Sample]) -> str:
    return _show(outcome)(outcome.median(samples))


def _show(outcome: Outcome) -> Callable[[float], str]:
    return _megabytes if outcome.comparison.figure == "twice" else seconds


def _judgement(outcome: Outcome, judged: bool) -> tuple[str, ...]:
    """Return what must and aim are of, and for each of them whether it is reached."""
    wanted, value = outcome.comparison, outcome.value
    if value is None:
        return "", *("" if each is None else f"{each:g}" for each in (wanted.must, wanted.aim))
    unit = "" if wanted.measure.startswith("times") else f" {wanted.measure}"
    whole = wanted.measure in ("round trips", "µs more")
    figure = f"{value:.0f}" if whole else f"{value:.2f}"
    verdicts = (_verdict(outcome, each, judged) for each in (wanted.must, wanted.aim))
    return f"**{figure}{unit}**", *verdicts


def _verdict(outcome: Outcome, wanted: float | None, judged: bool) -> str:
    if wanted is None:
        return ""
    if not judged:
        return f"{wanted:g}"
    return f"{wanted:g} met" if outcome.reaches(wanted) else f"{wanted:g} **missed**"


def _cpu_time(outcome: Outcome, samples: Sequence[Sample]) -> str:
    cpu = statistics.median_high(sample.cpu for sample in samples)
    size = outcome.comparison.size
    return seconds(cpu) + (f" ({cpu / size * 1e9:.2f} s/GB)" if size else "")


def _memory(size: float | None, limit: int | None = None) -> str:
    if size is None:
        return ""
    if limit is None:
        return _megabytes(size)
    verdict = "met" if size <= limit else "**missed**"
    return f"{_megabytes(size)} (at most {limit / 1e6:.0f} MB: {verdict})"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


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
