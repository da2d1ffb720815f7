"""Make small changes to hatcher that matter, and see whether the tests notice.

Usage: ``python -m scripts.mutants [--jobs N] [--timeout SECONDS] [--check] [NUMBER ...]``

``mutants.toml`` beside this script has the mutants: a file, a text that stands in it once, what
stands there instead, and the tests that should fail then. Each mutant is made in a copy of the
tree, one at a time, so that the checkout is never changed. ``--check`` only looks whether every
text stands in its file once, and whether every test is there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from scripts.common import has_test

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = Path(__file__).with_suffix(".toml")

#: Of a hundred, how many the tests must notice.
KILLED = 0.9

_PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "")
_TESTS_FAILED = 1  # what pytest ends with then; with more when it could not run them


class Mutant(NamedTuple):
    """A change, and the tests that should notice it."""

    number: int
    file: str
    find: str
    replace: str
    tests: list[str]

    def __str__(self) -> str:
        changed = " ".join((self.replace or "nothing").split())
        return f"{self.number:3} {self.file}: {' '.join(self.find.split())} -> {changed}"

    def made_of(self, text: str) -> str:
        """Return the file's text with the change."""
        return text.replace(self.find, self.replace)


def read_mutants() -> list[Mutant]:
    """Return all mutants; their numbers are their places in the file, from 1."""
    listed = tomllib.loads(MUTANTS.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(number, **mutant) for number, mutant in enumerate(listed, 1)]


def problems_of(mutant: Mutant, root: Path = ROOT) -> Iterator[str]:
    """Say why a mutant cannot be made, or its tests cannot be run."""
    path = root / mutant.file
    times = path.read_text(encoding="utf-8").count(mutant.find) if path.is_file() else 0
    if times != 1:
        yield f"Mutant {mutant.number}: {mutant.file} has its text {times} times, not once."
    if mutant.find == mutant.replace:
        yield f"Mutant {mutant.number} changes nothing."
    for test in mutant.tests:
        if not has_test(root, test):
            yield f"Mutant {mutant.number}: there is no test '{test}'."
    if not mutant.tests:
        yield f"Mutant {mutant.number} names no test."


class Tree:
    """A copy of the checkout, whose tests can be run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._touched = 2_000_000_000
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.check_output(command, cwd=ROOT)
        for name in filter(None, os.fsdecode(listed).split("\0")):
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy2(ROOT / name, target)
        path = [str(root), str(root / "generated")]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        code = "import hatcher, brood_api; print(hatcher.__file__, brood_api.__file__, sep='\\n')"
        command = [sys.executable, "-c", code]
        imported = subprocess.check_output(command, cwd=root, env=self._environment, text=True)
        if not all(Path(file).is_relative_to(root) for file in imported.splitlines()):
            raise SystemExit(f"The tests would not run against the copy, but against {imported}.")

    def test(self, tests: list[str], timeout: float | None, *options: str) -> tuple[int, str]:
        """Run tests; return pytest's exit code, or -1 when it took too long, and what it wrote."""
        with subprocess.Popen(
            [*_PYTEST, *options, *tests],
            cwd=self.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                written, _ = process.communicate(timeout=timeout)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                return -1, ""
        return process.returncode, written

    def try_mutant(self, mutant: Mutant, timeout: float) -> tuple[str, str]:
        """Make a mutant, run its tests, and undo it; return what became of it, and the output."""
        path = self.root / mutant.file
        original = path.read_text(encoding="utf-8")
        self._write(path, mutant.made_of(original))
        try:
            code, written = self.test(mutant.tests, timeout)
        finally:
            self._write(path, original)
        if code == 0:
            return "SURVIVED", written
        return ("killed" if code in (-1, _TESTS_FAILED) else "not applicable"), written

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # Python knows what it has compiled by the time in seconds and the size.
        self._touched += 2
        os.utime(path, (self._touched, self._touched))


def run(mutants: list[Mutant], jobs: int, timeout: float, *, verbose: bool) -> int:
    """Try all mutants; return how many were killed."""
    with tempfile.TemporaryDirectory(prefix="hatcher-mutants-") as folder:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(jobs):
            trees.put(Tree(Path(folder).resolve() / str(number)))
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        first = trees.get()
        code, written = first.test(tests, None, "-n", str(jobs))
        trees.put(first)
        if code:
            raise SystemExit(f"The tests fail without any mutant:\n{written}")

        def attempt(mutant: Mutant) -> bool:
            tree = trees.get()
            try:
                became, written = tree.try_mutant(mutant, timeout)
            finally:
                trees.put(tree)
            print(f"{became:14} {mutant}", flush=True)
            if verbose and became != "killed":
                print(written, flush=True)
            return became == "killed"

        with ThreadPoolExecutor(jobs) as pool:
            return sum(pool.map(attempt, mutants))


def main() -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="these alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for each mutant")
    parser.add_argument("--check", action="store_true", help="run nothing, look at the list")
    parser.add_argument("--verbose", action="store_true", help="show the output of survivors")
    options = parser.parse_args()
    every = read_mutants()
    mutants = [each for each in every if not options.numbers or each.number in options.numbers]
    problems = [problem for mutant in mutants for problem in problems_of(mutant)]
    if problems:
        print(*problems, sep="\n")
        return 1
    if options.check:
        print(f"{len(mutants)} mutants can be made.")
        return 0
    killed = run(mutants, options.jobs, options.timeout, verbose=options.verbose)
    print(f"{killed} of {len(mutants)} mutants were killed.")
    return 0 if killed >= KILLED * len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
