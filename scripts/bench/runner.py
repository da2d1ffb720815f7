"""Running a comparison: both clients in turn, each time in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from scripts.bench.comparison import Comparison, Job, Limit, Outcome, Sample
from scripts.bench.environments import Environment
from scripts.bench.scene import Scene
from scripts.programs import find

_DRIVERS = Path(__file__).parent / "drivers"
#: Long enough for anything but a hang, in seconds.
_PATIENCE = 600.0
#: How many modules a profile of imports names.
_TOP = 25
#: What says nothing of itself is timed as a process.
_SILENT = ("curl", "first_answer", "command_line", "bare")


class MeasurementFailedError(RuntimeError):
    """A driver failed; what it said stands above."""


@define
class Runner:
    """Runs comparisons in two environments, with one scene.

    Attributes
    ----------
    peer, ours : Environment
    scene : Scene
    rounds : int
    """

    peer: Environment
    ours: Environment
    scene: Scene
    rounds: int

    def run(self, comparison: Comparison) -> Outcome:
        """Measure; every round has both clients, and each second one in the other order."""
        outcome = Outcome(comparison)
        rounds = comparison.rounds(self.rounds)
        for number in range(rounds):
            turns = [(self.peer, outcome.peer), (self.ours, outcome.ours)]
            for environment, samples in reversed(turns) if number % 2 else turns:
                if samples is outcome.peer and comparison.instead is not None:
                    samples.append(self._measure(self.ours, comparison.instead, comparison))
                else:
                    samples.append(self._measure(environment, comparison, comparison))
        # Not in between: what they leave in the system's memory is no client's to clear up.
        for limit in comparison.limits:
            if limit.driver == "curl" and find("curl") is None:
                continue
            samples = [self._measure(self.ours, limit, comparison) for _ in range(rounds)]
            outcome.limits[limit.name] = samples
        return outcome

    def profile(self, comparison: Comparison) -> None:
        """Print where our client's time goes, in two ways."""
        python, driver = self.ours.python, comparison.driver
        for how in ("calls", "samples"):
            with self._place(in_memory=comparison.in_memory) as place:
                job = comparison.job(self.scene, place / "to")
                command = _command(python, driver, job)
                if comparison.again:
                    _run(command, place)
                if isinstance(job, Mapping):
                    command = _command(python, driver, {**job, "profile": how})
                    print(_run(command, place)[0], flush=True)
                elif how == "calls":  # what is that short is spent on imports
                    print(_imports([command[0], "-X", "importtime", *command[1:]], place))

    def _measure(self, by: Environment, work: Comparison | Limit, of: Comparison) -> Sample:
        with self._place(in_memory=of.in_memory) as place:
            command = _command(by.python, work.driver, work.job(self.scene, place / "to"))
            if work is of and of.again:
                _run(command, place)
            os.sync()  # nobody pays for what another one has left to be written
            said, process, cpu = _run(command, place)
        if work.driver in _SILENT:
            return Sample(process, cpu, process, None)
        told = json.loads(said)
        return Sample(told["wall"], told["cpu"], process, told["memory"], told.get("requests"))

    @contextmanager
    def _place(self, *, in_memory: bool) -> Iterator[Path]:
        """Make a home for a process, and a folder for what it downloads; both are removed."""
        place = self.scene.folder(in_memory=in_memory)
        try:
            (place / "home").mkdir()
            (place / "to").mkdir()
            yield place
        finally:
            shutil.rmtree(place)


def _command(python: str, driver: str, job: Job) -> list[str]:
    if driver == "curl":
        return ["curl", "--silent", "--show-error", "--fail", *job]
    if isinstance(job, Mapping):
        return [python, str(_DRIVERS / "works.py"), driver, json.dumps(job)]
    return [python, str(_DRIVERS / f"{driver}.py"), *job]


def _run(command: Sequence[str], place: Path) -> tuple[str, float, float]:
    """Run a process; return what it says, and its time and CPU time in seconds."""
    begun = time.perf_counter()
    nothing, piped, env = subprocess.DEVNULL, subprocess.PIPE, _surroundings(place)
    with subprocess.Popen(command, stdin=nothing, stdout=piped, text=True, env=env) as process:
        assert process.stdout is not None
        watch = threading.Timer(_PATIENCE, process.kill)
        watch.start()
        try:
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.kill()
            raise
        finally:
            watch.cancel()
    if process.returncode:
        name = Path(command[1]).name if len(command) > 1 else command[0]
        status = f"{name} ended with status {process.returncode}"
        raise MeasurementFailedError(f"{status}; what it says stands above.")
    return said, seconds, usage.ru_utime + usage.ru_stime


def _surroundings(place: Path) -> dict[str, str]:
    """Return an environment with nothing of the user's: no proxies, no caches, no .netrc."""
    home = place / "home"
    folders = {f"XDG_{n.upper()}_HOME": str(home / n) for n in ("cache", "config", "data", "state")}
    path = os.environ.get("PATH", os.defpath)
    return {"HOME": str(home), "LANG": "C.UTF-8", "PATH": path, **folders}


def _imports(command: Sequence[str], place: Path) -> str:
    """Return the modules whose own code takes longest to import."""
    env = _surroundings(place)
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    found = re.findall(r"(?m)^import time:\s+(\d+) \|\s+(\d+) \| +(\S+)$", done.stderr)
    slowest = sorted(found, key=lambda line: -int(line[0]))[:_TOP]
    lines = ["    self  with imports  module, in microseconds"]
    lines += [f"{own:>8} {with_imports:>13}  {name}" for own, with_imports, name in slowest]
    return "\n".join([*lines, f"{len(found)} modules"])
