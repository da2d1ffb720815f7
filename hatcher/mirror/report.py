"""What became of each file, and which places could not be read or written at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from hatcher.errors import BatchError, BatchInterrupted
from hatcher.transfer.reports import BatchReport, FileResult
from hatcher.transport.value import Value


class Problem(Value):
    """A place of which nothing is known, or to which nothing can go.

    Parameters
    ----------
    place : str
        Such as ``acme/dev``, or ``acme/dev/rh8-x86_64 eggs``.
    error : Exception
        Why.
    """

    __match_args__ = ("place", "error")
    __slots__ = __match_args__

    place: str
    error: Exception

    def __init__(self, place: str, error: Exception) -> None:
        super().__init__(place, error)

    def __str__(self) -> str:
        return f"{self.place}: {self.error}"


class MirrorReport(BatchReport):
    """What became of each file; true when nothing is missing.

    Parameters
    ----------
    results : tuple of FileResult
        Their names are paths in the folder, such as
        ``v1/acme/dev/rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``.
    problems : tuple of Problem
        The places that could not be read or written at all.
    """

    __match_args__ = ("results", "problems")
    __slots__ = ("problems",)

    problems: tuple[Problem, ...]

    def __init__(self, results: tuple[FileResult, ...], problems: tuple[Problem, ...] = ()) -> None:
        Value.__init__(self, results, problems)

    def raise_for_failures(self) -> None:
        """Make an exception of what is missing, when there is anything.

        Raises
        ------
        BatchError
            A file failed or was not tried, or there is a problem with a place; it holds
            this report.
        """
        if self.problems:
            raise BatchError(str(self), report=self) from self.problems[0].error
        super().raise_for_failures()

    def __bool__(self) -> bool:
        return not self.problems and super().__bool__()

    def __str__(self) -> str:
        said = {f"not tried: {problem.error}" for problem in self.problems}
        lines = [line for line in super().__str__().splitlines() if line not in said]
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])


class Collected:
    """What became of the files so far, of one batch after the other.

    Parameters
    ----------
    root : pathlib.Path
        The folder that the files are in.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.results: list[FileResult] = []
        self.problems: list[Problem] = []

    def run(self, batch: Callable[[], BatchReport]) -> None:
        """Run a batch, and keep what became of its files.

        Raises
        ------
        BatchInterrupted
            Ctrl-C ended it; it tells of all batches.
        """
        try:
            report = batch()
        except BatchInterrupted as stop:
            self.add(stop.report.results)
            raise BatchInterrupted(report=self.report()) from stop
        self.add(report.results)

    def add(self, results: Iterable[FileResult]) -> None:
        """Keep what became of some files."""
        for result in results:
            name = result.path.relative_to(self._root).as_posix()
            self.results.append(
                FileResult(name, result.path, result.outcome, result.size, result.error)
            )

    def report(self) -> MirrorReport:
        """Say what became of everything, sorted by path."""
        results = sorted(self.results, key=lambda result: result.name)
        return MirrorReport(tuple(results), tuple(self.problems))
