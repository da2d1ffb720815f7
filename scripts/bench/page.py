"""The page of the manual that tells what was measured.

The figures are kept in a file, so that the page can be written again when the remarks have
changed. The remarks are written by hand: ``remarks.md`` beside this module has a section for each
case whose aim is missed, with the reason and the profile that shows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from attrs import asdict, frozen

from scripts.bench.comparison import Comparison, Outcome
from scripts.bench.environments import CACHE, ROOT, Environment
from scripts.bench.report import Table, awaited, cost, distance, speed

PAGE = ROOT / "docs" / "benchmarks.md"
REMARKS = Path(__file__).parent / "remarks.md"
RESULTS = CACHE / "results.json"

#: A load average from which on other processes make a difference.
_BUSY = 0.5

_HEAD = """\
# Benchmarks

hatcher beside the existing client, doing the same work on one machine with the same server; and over
a long link, beside programs that do nothing but transfer files. `make bench` measures and writes this
page; it fails when something is slower, or takes more memory, than it must.
"""
_FOOT = """\
## Measuring it yourself

```console
$ make bench
$ make bench CASES='download upload --rounds 3'
$ make bench CASES='download --profile'
$ make bench CASES=far
$ make bench CASES=async
```

The first is everything; the others measure a part, or show where our time goes, or measure what goes
over a long link, or what async programs do. It wants Linux, a machine with nothing else to do, and
nginx, without which a small server of ours stands in; for the link also root, a C compiler, aria2,
curl and rclone. `make bench CASES=--help` names the cases and options. Where the clients, the drivers
and the servers are, and how a case is added, stands in `scripts/bench`.
"""


@frozen
class Circumstances:
    """When, where and with what it was measured.

    Attributes
    ----------
    date : str
    machine : str
    server : str
    rounds : int
    judged : bool
        Whether must and aim say something of it: at full size, against the existing client.
    peer, ours : Environment
    load : float
        How many processes wanted to run when it began, by the load average.
    link : str
        How the long link is made, and what stands beside ours there, if there is one.
    """

    date: str
    machine: str
    server: str
    rounds: int
    judged: bool
    peer: Environment
    ours: Environment
    load: float = 0.0
    link: str = ""

    def markdown(self, *, compared: bool) -> str:
        """Describe them, with both clients or with ours alone."""
        lines = [f"Measured on {self.date}: {self.machine}.", ""]
        if compared:
            lines[0] += (
                f" The server is {self.server}, on the same machine. There were {self.rounds} "
                "rounds; in each of them both clients ran once, in turn, each time in a process "
                "of its own."
            )
            if self.load > _BUSY:
                lines[0] += (
                    f" **The machine was busy with other things when it began (load average "
                    f"{self.load:.1f})**, so the figures are worse than they could be, and most "
                    "of all for what uses more than one core."
                )
            lines.append(f"- The existing client: {_versions(self.peer)}.")
        return "\n".join([*lines, f"- hatcher: {_versions(self.ours)}."])


@frozen
class Results:
    """All that was measured in one run.

    Attributes
    ----------
    circumstances : Circumstances
    outcomes : sequence of Outcome
    tables : sequence of Table
    failed : sequence of str
        The names of the cases that could not be measured, as a client failed.
    """

    circumstances: Circumstances
    outcomes: Sequence[Outcome]
    tables: Sequence[Table]
    failed: Sequence[str] = ()

    def save(self, path: Path) -> None:
        """Keep the figures in a file."""
        kept: dict[str, Any] = asdict(self)
        for outcome in kept["outcomes"]:
            outcome["comparison"] = outcome["comparison"]["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1, default=str), encoding="utf-8")

    @classmethod
    def load(cls, path: Path, comparisons: Sequence[Comparison]) -> Results:
        """Read the figures of an earlier run."""
        by_name = {comparison.name: comparison for comparison in comparisons}
        kept = json.loads(path.read_text(encoding="utf-8"))
        for outcome in kept["outcomes"]:
            outcome["comparison"] = by_name[outcome["comparison"]]
        return msgspec.convert(kept, cls)

    @property
    def met(self) -> bool:
        """Whether all that must be is so."""
        judged = self.circumstances.judged
        tables = not self.failed and all(table.within for table in self.tables)
        return tables and all(outcome.must_met or not judged for outcome in self.outcomes)

    def missed(self) -> list[Outcome]:
        """Return the comparisons whose aim is missed."""
        return [each for each in self.outcomes if self.circumstances.judged and not each.aim_met]

    def unexplained(self, remarks: str) -> list[str]:
        """Return the names of the cases whose aim is missed without a remark on why."""
        known = _sections(remarks)
        return [
            outcome.comparison.name
            for outcome in self.missed()
            if outcome.comparison.name not in known
        ]

    def markdown(self, remarks: str) -> str:
        """Return the page.

        Parameters
        ----------
        remarks : str
            What was written by hand, with a section for each case.
        """
        judged = self.circumstances.judged
        near, far, twin = (
            [o for o in self.outcomes if o.comparison.kind == kind]
            for kind in ("near", "far", "async")
        )
        parts = [_HEAD, self.circumstances.markdown(compared=bool(near))]
        tables = [make(near, judged=judged) for make in (speed, cost) if near]
        if far:
            tables.append(distance(far, self.circumstances.link, judged=judged))
        if twin:
            tables.append(awaited(twin, judged=judged))
        parts += [table.markdown() for table in (*tables, *self.tables)]
        known = _sections(remarks)
        missed = self.missed()
        if missed:
            parts.append("### Why an aim is missed")
        for outcome in missed:
            said = known.get(outcome.comparison.name, "The reason is not written down yet.")
            parts.append(f"#### {outcome.comparison.title}\n\n{said}")
        parts.append(_FOOT)
        text = "\n\n".join(part.strip() for part in parts)
        return text.replace("\n### ", "\n## ").replace("\n#### ", "\n### ") + "\n"


def _sections(remarks: str) -> dict[str, str]:
    """Return the sections of the remarks by their headings, the names of cases."""
    _, *parts = re.split(r"(?m)^## (\S+)[ \t]*$", remarks)
    sections = zip(parts[::2], map(str.strip, parts[1::2]), strict=True)
    return {name: text for name, text in sections if text}


def _versions(environment: Environment) -> str:
    left_out = {"hatcher", "pip", "setuptools"}
    others = (f"{n} {version}" for n, version in environment.versions.items() if n not in left_out)
    python = f"Python {environment.python_version} with {environment.openssl}"
    return f"hatcher {environment.client} on {python}; {', '.join(others)}"
