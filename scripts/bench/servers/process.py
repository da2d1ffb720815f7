"""Servers as processes that are there when they are needed, and gone afterwards."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[3]
#: How long a server may take to start or to end, in seconds.
_PATIENCE = 20.0


class ServerDidNotStartError(RuntimeError):
    """A server ended instead of serving; what it said stands above."""


class Process:
    """A server in a process of its own."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        self._name = command[0]
        self._process: subprocess.Popen[str] = subprocess.Popen(
            command,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def check(self) -> None:
        """Make sure that it still runs."""
        if self._process.poll() is not None:
            status = self._process.returncode
            raise ServerDidNotStartError(f"{self._name} ended with status {status}.")

    def read_line(self) -> str:
        """Return the next line that it prints."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(_PATIENCE)
            self.check()
        return line

    def read_port(self) -> int:
        """Return the port that it prints."""
        return int(self.read_line())

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def run_module(name: str, *arguments: str, within: Sequence[str] = ()) -> Process:
    """Start a module of the project, by way of a command that runs others if there is one."""
    return Process([*within, sys.executable, "-m", name, *arguments])


def free_ports(count: int) -> list[int]:
    """Return different ports of 127.0.0.1 that nothing listens to."""
    with ExitStack() as stack:
        made = (socket.create_server(("127.0.0.1", 0)) for _ in range(count))
        return [stack.enter_context(each).getsockname()[1] for each in made]


def wait_for_file(process: Process, path: Path) -> None:
    """Wait until a server has written the file that it writes when it listens."""
    deadline = time.monotonic() + _PATIENCE
    while not (path.is_file() and path.stat().st_size):
        process.check()
        if time.monotonic() > deadline:
            raise ServerDidNotStartError(f"There is no {path}.")
        time.sleep(0.02)
