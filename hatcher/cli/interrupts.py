"""`hatcher` as a process: signals, and streams that are closed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from hatcher.cli.failures.explaining import ExitCode, Terminated
from hatcher.cli.output.streams import let_go
from hatcher.cli.run import run


def process(arguments: Sequence[str]) -> int:
    """Run a command as all that this process does.

    Parameters
    ----------
    arguments : sequence of str
        What stands behind ``hatcher``.

    Returns
    -------
    int
        The exit code.
    """
    _open_closed_streams()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = run(arguments)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED  # another one, while the first was told
    # From here on a signal ends the process at once, and without a traceback.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    return _flushed(code)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _open_closed_streams() -> None:
    # With `>&-` Python has None there. In their order, which keeps the numbers as usual.
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            # Open for as long as the process.
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115


def _flushed(code: int) -> int:
    """Write what is left; what a full disk has not taken makes the exit code, and no traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            let_go(sys.stdout)
        return code or ExitCode.FAILED
    return code
