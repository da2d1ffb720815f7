"""Results as Markdown, with what they were measured on."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from attrs import define, field

_MEASURED = ("hatcher", "httpx", "starlette", "uvicorn", "multipart", "SQLAlchemy")


@define
class Table:
    """The result of a case.

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


def machine() -> str:
    """Describe the machine and the versions, in one paragraph."""
    versions = ", ".join(f"{name} {version(name)}" for name in _MEASURED)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory()}, {platform.system()} "
        f"{platform.release()}. Python {platform.python_version()}; {versions}."
    )


def _processor() -> str:
    try:
        named = re.search(r"(?m)^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text())
    except OSError:
        named = None
    return named[1] if named else platform.machine()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "memory unknown"
    return f"{size / 1e9:.0f} GB memory"
