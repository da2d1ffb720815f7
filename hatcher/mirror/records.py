"""What a side has, what is to be done about it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from attrs import define, frozen

from hatcher.artefacts.names import split_runtime
from hatcher.core.places import Problem, lines_of
from hatcher.errors import BatchError, BatchInterrupted, HatcherException
from hatcher.mirror.selection import Selection
from hatcher.sizes import human_size
from hatcher.transfer.batch import ByteCounter, Item, WorkerPool
from hatcher.transfer.progress import Phase, Progress
from hatcher.transfer.reports import BatchReport, FileResult
from hatcher.transport.value import Value

if TYPE_CHECKING:
    from hatcher.mirror.cache import Cache

T = TypeVar("T")

Action: TypeAlias = Literal["copy", "update", "delete", "conflict", "skip"]
ACTIONS: tuple[Action, ...] = get_args(Action)


# -- what a side has -----------------------------------------------------------------------


@define(eq=False)
class Held:
    """An artefact that a side has.

    Parameters
    ----------
    size : int or None
        In bytes; None when nobody has said.
    sha256 : str or None
        Of the file; of bundles and apps, of the document, however it is written (see
        `hatcher.mirror.contents`). None when it is still to be found out: `Side.identify`.
    origin : object, optional
        What its side finds it by; nobody else's business.
    wrong : HatcherException, optional
        Why it cannot be had.
    """

    size: int | None
    sha256: str | None
    origin: Any = None
    wrong: HatcherException | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether its sha256 is still to be found out."""
        return self.sha256 is None and self.wrong is None


@define(eq=False, slots=False)
class State:
    """What a side has.

    Parameters
    ----------
    held : dict of str to Held
        By the path below the side's place, such as
        ``rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg`` below a repository.
    problems : list of Problem
        What could not be read: where there is any, the side was not read whole.
    selection : Selection
        What was read: of a server, with the platforms and python tags that it knows. What is
        outside of it says nothing about what the side lacks.
    repositories : collection of str or None
        Those that there are, such as ``acme/dev``, of the place; None where that is no
        question, since whatever is missing is made.
    missing : HatcherException or None
        Why there is no such place at all.
    reading : object, optional
        What its side goes on with, when it has to look for more; nobody else's business.
    """

    held: dict[str, Held]
    problems: list[Problem]
    selection: Selection
    repositories: Collection[str] | None = None
    missing: HatcherException | None = None
    reading: Any = None

    def forget(self) -> None:
        """Forget what follows from `held`, which has changed."""
        for name in ("folders", "_namesakes", "_paths"):
            vars(self).pop(name, None)

    @cached_property
    def folders(self) -> set[str]:
        """The paths of the folders that it all stands in."""
        return {path.rpartition("/")[0] for path in self.held}

    def path_of(self, path: str) -> str | None:
        """Return the path of what is the same artefact to a server; None when it has none.

        Servers do not tell names by their case, nor runtimes by their ABI.
        """
        return path if path in self.held else self._paths.get(identity_of(path))

    def has_namesake(self, path: str) -> bool:
        """Whether there is an egg of that file name with another python tag."""
        return _without_tag(path) in self._namesakes

    @cached_property
    def _namesakes(self) -> set[str]:
        return set(map(_without_tag, self.held))

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {identity_of(known): known for known in self.held}


#: What the source and the target have.
States: TypeAlias = tuple[State, State]


def identity_of(path: str) -> str:
    """Return what makes an artefact another one to a server, given its path."""
    folded = path.casefold()
    if "runtimes/" not in folded:  # as for nearly all of many thousands
        return folded
    *folders, filename = folded.split("/")
    if "runtimes" in folders[-1:]:
        filename = "-".join(split_runtime(filename))
    return "/".join([*folders, filename])


def _without_tag(path: str) -> str:
    folders, _, filename = path.casefold().rpartition("/")
    return f"{folders.rpartition('/')[0]}/{filename}"


# -- what is to be done --------------------------------------------------------------------


class Options(NamedTuple):
    """What the caller of a public function may choose about how it is done."""

    concurrency: int
    progress: Progress | None = None
    dry_run: bool = False
    create_missing: bool = False
    overwrite: bool = False
    cache: Cache | None = None

    def each(
        self,
        files: list[T],
        work: Callable[[T, ByteCounter], None],
        phase: Phase | None = None,
        total: int | None = None,
    ) -> None:
        """Do something with each file, many at once; see `WorkerPool.each`."""
        WorkerPool(self.concurrency, self.progress).each(files, work, phase, total)


@frozen
class Step:
    """What is to become of one artefact.

    Parameters
    ----------
    action : {'copy', 'update', 'delete', 'conflict', 'skip'}
        ``copy``: the target lacks it; ``update``: the target has another one; ``delete``: the
        source lacks it; ``skip``: both have the same, by sha256; ``conflict``: nobody can say,
        or do it.
    path : str
        Where it stands below the place, such as ``rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``.
    size : int, optional
        Bytes of what moves, or goes; None where nobody says.
    sha256 : str, optional
        What the source has; of bundles and apps, the sha256 of the document.
    replaces : str, optional
        Likewise what the target has, of what is updated, deleted or skipped.
    reason : str, optional
        Of a conflict.
    """

    action: Action
    path: str
    size: int | None = None
    sha256: str | None = None
    replaces: str | None = None
    reason: str | None = None

    def __str__(self) -> str:
        size = "" if self.size is None else f" ({human_size(self.size)})"
        return f"{self.action} {self.path}{size}{f': {self.reason}' if self.reason else ''}"


# -- what became of it ---------------------------------------------------------------------


class Task(Item[Any]):
    """A step of a plan, what both sides have by now, and what has become of it.

    Attributes
    ----------
    step : Step
    wanted, there : Held or None
        What the source and the target have.
    where : str
        The path below the target's place that it has it under.
    """

    __slots__ = ("step", "there", "wanted", "where")

    def __init__(self, step: Step, wanted: Held | None, there: Held | None, where: str) -> None:
        super().__init__(Path(step.path))
        self.step, self.wanted, self.there, self.where = step, wanted, there, where
        self.size = step.size

    @property
    def is_ready(self) -> bool:
        """Whether there is something to be done about it, and nothing is in the way."""
        return self.is_open and self.error is None


def total_size(items: Iterable[Item[Any]]) -> int | None:
    """Return the bytes of them all; None where nobody has said of one."""
    sizes = [item.size for item in items]
    return None if None in sizes else sum(size or 0 for size in sizes)


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
        return "\n".join([*lines, *lines_of(self.problems)])


class Collected:
    """What became of the files so far, of one batch after the other.

    Parameters
    ----------
    root : pathlib.Path
        The folder that the files are in, below which they are named.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results: list[FileResult] = []
        self.problems: list[Problem] = []

    def collect(self, batch: Callable[[], BatchReport]) -> None:
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
            raise BatchInterrupted(str(self.report()), report=self.report()) from stop
        self.add(report.results)
        self.problems += getattr(report, "problems", ())

    def add(self, results: Iterable[FileResult]) -> None:
        """Keep what became of some files."""
        for result in results:
            name = result.path.relative_to(self.root).as_posix()
            self.results.append(
                FileResult(
                    name, result.path, result.outcome, result.size, result.error, result.facts
                )
            )

    def report(self) -> MirrorReport:
        """Say what became of everything, sorted by path."""
        results = sorted(self.results, key=lambda result: result.name)
        return MirrorReport(tuple(results), tuple(self.problems))
