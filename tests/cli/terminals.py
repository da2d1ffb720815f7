"""A terminal that a command runs in, and somebody who reads and types."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: What steers a terminal, colors among it.
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

#: What sets a color; bold alone does not.
COLOR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|38;[0-9;]+|9[0-7])m")


class Terminal:
    """Runs a command in a pseudo-terminal, which is its controlling one.

    Parameters
    ----------
    command : list of str
    columns : int
        How wide it is.
    stdout : Path, optional
        A file for standard output, which then is not in the terminal.
    timeout : float
        How long anything may take, in seconds.
    """

    def __init__(
        self,
        command: list[str],
        *,
        columns: int = 100,
        stdout: Path | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.screen = ""
        self._timeout = timeout
        self._keys, outside = pty.openpty()
        # Not select(), which takes no descriptor above 1023.
        self._poll = select.poll()
        self._poll.register(self._keys, select.POLLIN)
        termios.tcsetwinsize(outside, (24, columns))
        name = os.ttyname(outside)
        # The leader of a session that opens a terminal is controlled by it: that is where
        # passwords are read from.
        inside = 'terminal=$1; out=$2; shift 2; exec "$@" <>"$terminal" >"$out" 2>"$terminal"'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", inside, "sh", name, str(stdout or name), *command],
            start_new_session=True,
            # Tests that run in the background may have inherited that Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TERM": os.environ.get("TERM", "xterm-256color")},
        )
        self._outside = outside

    def wait_for(self, text: str) -> None:
        """Read until a text is on the screen, beside colors."""
        deadline = time.monotonic() + self._timeout
        while text not in STEERING.sub("", self.screen):
            assert time.monotonic() < deadline, f"There is no {text!r} on: {self.screen}"
            self._read()
            if self._process.poll() is not None:
                self._read()
                assert text in STEERING.sub("", self.screen), self.screen

    def type(self, keys: str) -> None:
        """Type what the keys say; ``\\x03`` is Ctrl-C."""
        os.write(self._keys, keys.encode())

    def end(self) -> int:
        """Wait for the end of the command; return its exit code."""
        deadline = time.monotonic() + self._timeout
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"It does not end: {self.screen}"
            self._read()
        self._read()
        return self._process.returncode

    @property
    def text(self) -> str:
        """What is on the screen, without colors."""
        return STEERING.sub("", self.screen).replace("\r", "")

    def _read(self) -> None:
        while self._poll.poll(50):
            self.screen += os.read(self._keys, 65536).decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._outside)
        os.close(self._keys)


def watched(command: list[str], **options: Any) -> Terminal:
    """The terminal in which a command has gone well."""
    with Terminal(command, **options) as terminal:
        assert terminal.end() == 0, terminal.text
    return terminal
