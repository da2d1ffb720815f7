"""Client processes that can be killed or interrupted in the middle, made quickly.

They are forked from one that has imported everything, so a job begins at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class Forks:
    """Makes the processes of jobs, one at a time.

    Parameters
    ----------
    module : str
        What calls `serve`.
    scratch : pathlib.Path
        A folder for what they write.
    """

    def __init__(self, module: str, scratch: Path) -> None:
        self._outcome = scratch / "outcome.json"
        self._maker = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def start(self, job: dict[str, Any]) -> int:
        """Begin a job, and return the id of its process."""
        self._outcome.unlink(missing_ok=True)
        assert self._maker.stdin is not None
        self._maker.stdin.write(json.dumps({**job, "outcome": str(self._outcome)}) + "\n")
        self._maker.stdin.flush()
        return self._number()

    def wait(self, status: int = 0) -> dict[str, Any]:
        """Wait for the end of the process, and return how it ended when that was by itself."""
        assert self._number() == status
        outcome: dict[str, Any] = {} if status else json.loads(self._outcome.read_text())
        return outcome

    def kill(self, pid: int) -> bool:
        """Kill the process, and tell whether it was still at work."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = self._number()
        assert status in (0, -signal.SIGKILL)
        return status != 0

    def close(self) -> None:
        self._maker.communicate()

    def _number(self) -> int:
        assert self._maker.stdout is not None
        return int(self._maker.stdout.readline())


def serve(run: Callable[[dict[str, Any]], object]) -> None:
    """Do the jobs of `Forks`, each in a process of its own.

    Reads a job per line, as JSON. Writes the id of the process that does it, and then its status;
    how it ended is in the file that the job names.

    Parameters
    ----------
    run : callable
        Does a job; returns what became of it.
    """
    # Who runs the tests in the background has them ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            job = json.loads(line)
            try:
                Path(job["outcome"]).write_text(json.dumps(run(job)))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
