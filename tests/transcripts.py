"""The shell transcripts of Markdown pages: ``console`` blocks, typed in as a reader would.

Each line behind ``$ `` is given to a shell of its own, together with the lines behind ``> `` that
follow it; what else stands there is what it writes, on either stream. ``...`` on a line stands for
anything, and on a line of its own for any lines. What is exported, and the exit code, are there for
the next command, as in a terminal.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import Factory, define, frozen

from .examples import Example

_ELLIPSIS = "..."


@frozen
class Step:
    """A command, and what it is to write.

    Attributes
    ----------
    line : int
        Where it stands on the page, counted from 1.
    command : str
    output : str
    """

    line: int
    command: str
    output: str


def steps_of(example: Example) -> Iterator[Step]:
    """Give the steps of a block, in order."""
    lines = example.code.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    if not starts or starts[0] != 0:
        raise ValueError(f"{example.page}, line {example.line}: no command to begin with")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        command = [lines[start].removeprefix("$ ")]
        rest = lines[start + 1 : end]
        while rest and rest[0].startswith("> "):
            command.append(rest.pop(0).removeprefix("> "))
        output = "".join(f"{line}\n" for line in rest)
        yield Step(example.line + start, "\n".join(command), output)


def is_as_printed(printed: str, written: str) -> bool:
    """Return whether a command wrote what a page says.

    Parameters
    ----------
    printed : str
        May have ``...`` in it.
    written : str
    """
    pattern = ""
    for line in printed.splitlines():
        if line.strip() == _ELLIPSIS:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.split(_ELLIPSIS))) + r"\n"
    return re.fullmatch(pattern, written) is not None


@define
class Shell:
    """Types commands, in a folder and a home of its own.

    Attributes
    ----------
    addresses : dict of str to str
        Where the servers are, by what the page calls them.
    folder, home : pathlib.Path
    """

    addresses: dict[str, str]
    folder: Path
    home: Path
    _exported: list[str] = Factory(list)
    _status: int = 0

    def run(self, step: Step) -> str:
        """Run a step; return what it wrote."""
        command = step.command
        for printed, url in self.addresses.items():
            command = command.replace(printed, url)
        before = [*self._exported, f"(exit {self._status})"]
        done = subprocess.run(
            ["sh", "-c", "\n".join([*before, command])],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        if command.startswith("export "):
            self._exported.append(command)
        self._status = done.returncode
        written = done.stdout
        for printed, url in self.addresses.items():
            written = written.replace(url, printed)
        return written

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HATCHER_", "XDG_", "PYTHON_KEYRING"))
        }
        # Those of this environment come first: `hatcher` and `python`.
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
        keyring = "keyring.backends.null.Keyring"  # the tests' machine has none
        return {**kept, "PATH": path, "HOME": str(self.home), "PYTHON_KEYRING_BACKEND": keyring}
