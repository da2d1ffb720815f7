"""Running a comparison: the clients in turn, each time in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define

from scripts.bench.comparison import EXISTING, Comparison, Job, Limit, Outcome, Sample
from scripts.bench.environments import Environment, surroundings
from scripts.bench.scene import Scene
from scripts.programs import find

_DRIVERS = Path(__file__).parent / "drivers"
#: Long enough for anything but a hang, in seconds.
_PATIENCE = 600.0
#: How many modules a profile of imports names.
_TOP = 25
#: The programs that stand beside ours, and how they are to be quiet and to look at nothing else.
PROGRAMS: Mapping[str, Sequence[str]] = {
    "curl": ("--silent", "--show-error", "--fail"),
    "aria2c": ("--quiet", "--no-conf", "--file-allocation=falloc", "--min-split-size=1M"),
    "rclone": ("--quiet", "--config="),
}
#: What says nothing of itself is timed as a process.
_SILENT = (*PROGRAMS, "first_answer", "command_line", "bare")


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
        """Measure; every round has all clients, and each second one in the other order."""
        outcome = Outcome(comparison, lacking=self.scene.lacking(comparison.needs))
        if outcome.lacking:
            return outcome
        rounds = comparison.rounds(self.rounds)
        turns: list[tuple[Environment, Comparison | Limit, list[Sample]]] = [
            (self.ours, peer, outcome.peers.setdefault(peer.name, []))
            for peer in filter(_installed, comparison.peers)
        ]
        if comparison.with_existing:
            turns.append((self.peer, comparison, outcome.peers.setdefault(EXISTING, [])))
        turns.append((self.ours, comparison, outcome.ours))
        for number in range(rounds):
            for environment, work, samples in reversed(turns) if number % 2 else turns:
                samples.append(self._measure(environment, work, comparison))
        # Not in between: what they leave in the system's memory is no client's to clear up.
        for limit in filter(_installed, comparison.limits):
            samples = [self._measure(self.ours, limit, comparison) for _ in range(rounds)]
            outcome.limits[limit.name] = samples
        return outcome

    def link(self) -> str:
        """Say how the long link is made, and which programs there are to stand beside ours."""
        found = [[each, "--version"] for each in map(find, PROGRAMS) if each]
        said = (subprocess.run(each, capture_output=True, text=True).stdout for each in found)
        told = ", ".join(each.partition("\n")[0].partition(" (")[0] for each in said)
        return f"{self.scene.link.description} Beside ours: {told or 'nothing'}."

    def profile(self, comparison: Comparison) -> None:
        """Print where our client's time goes, in two ways."""
        python, driver = self.ours.python, comparison.driver
        for how in ("calls", "samples"):
            near = self._near(comparison, comparison)
            with self._place(comparison) as place:
                job = comparison.job(self.scene, place / "to")
                command = [*near, *_command(python, driver, job)]
                self._before(python, comparison, comparison, place)
                if isinstance(job, Mapping):
                    command = [*near, *_command(python, driver, {**job, "profile": how})]
                    print(_run(command, place)[0], flush=True)
                elif how == "calls":  # what is that short is spent on imports
                    told = _command(python, driver, job)
                    print(_imports([*near, told[0], "-X", "importtime", *told[1:]], place))

    def _measure(self, by: Environment, work: Comparison | Limit, of: Comparison) -> Sample:
        near = self._near(work, of)
        with self._place(of) as place:
            self._before(by.python, work, of, place)
            command = _command(by.python, work.driver, work.job(self.scene, place / "to"))
            os.sync()  # nobody pays for what another one has left to be written
            said, process, cpu = _run([*near, *command], place)
        if work.driver in _SILENT:
            return Sample(process, cpu, process, None)
        told = json.loads(said)
        counted = (told.get(name) for name in ("requests", "twice", "late", "latest"))
        return Sample(told["wall"], told["cpu"], process, told["memory"], *counted)

    def _near(self, work: Comparison | Limit, of: Comparison) -> Sequence[str]:
        """Put the servers where they are to be; return what runs a command at this end."""
        link = work.link or of.link
        if link is None:
            return ()
        self.scene.link.use(link)
        return self.scene.link.near

    def _before(self, python: str, work: Comparison | Limit, of: Comparison, place: Path) -> None:
        if of.before is not None and work.driver == of.driver:
            job = of.before(self.scene, place / "to")
            _run([*self._near(work, of), *_command(python, of.driver, job)], place)

    @contextmanager
    def _place(self, comparison: Comparison) -> Iterator[Path]:
        """Make a home for a process, and a folder for what it downloads; both are removed."""
        place = self.scene.folder(in_memory=comparison.in_memory)
        try:
            if comparison.home is None:
                (place / "home").mkdir()
            else:
                shutil.copytree(comparison.home(self.scene), place / "home")
            (place / "to").mkdir()
            yield place
        finally:
            shutil.rmtree(place)


def _installed(limit: Limit) -> bool:
    return limit.driver not in PROGRAMS or find(limit.driver) is not None


def _command(python: str, driver: str, job: Job) -> list[str]:
    if driver in PROGRAMS:
        return [find(driver) or driver, *PROGRAMS[driver], *job]
    if isinstance(job, Mapping):
        return [python, str(_DRIVERS / "works.py"), driver, json.dumps(job)]
    return [python, str(_DRIVERS / f"{driver}.py"), *job]


def _run(command: Sequence[str], place: Path) -> tuple[str, float, float]:
    """Run a process; return what it says, and its time and CPU time in seconds."""
    begun = time.perf_counter()
    piped: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
    env = surroundings(place / "home")
    # In a group of its own, so that what it has started ends with it.
    with subprocess.Popen(command, env=env, process_group=0, **piped) as process:
        assert process.stdout is not None
        watch = threading.Timer(_PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
        watch.start()
        try:
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            watch.cancel()
    if process.returncode:
        driver = [each for each in command if Path(each).parent == _DRIVERS]
        name = Path([*driver, command[0]][0]).name
        status = f"{name} ended with status {process.returncode}"
        raise MeasurementFailedError(f"{status}; what it says stands above.")
    return said, seconds, usage.ru_utime + usage.ru_stime


def _imports(command: Sequence[str], place: Path) -> str:
    """Return the modules whose own code takes longest to import."""
    env = surroundings(place / "home")
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    found = re.findall(r"(?m)^import time:\s+(\d+) \|\s+(\d+) \| +(\S+)$", done.stderr)
    slowest = sorted(found, key=lambda line: -int(line[0]))[:_TOP]
    lines = ["    self  with imports  module, in microseconds"]
    lines += [f"{own:>8} {with_imports:>13}  {name}" for own, with_imports, name in slowest]
    return "\n".join([*lines, f"{len(found)} modules"])
