"""Doing what a plan says, as far as it still holds."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hatcher.core.places import Problem
from hatcher.errors import BroodHTTPError, HatcherException
from hatcher.files.blocks import blocks_of
from hatcher.files.locks import lock, locked
from hatcher.files.space import explained
from hatcher.mirror.contents import DOCUMENTS
from hatcher.mirror.loads import Load, Loads
from hatcher.mirror.records import (
    Held,
    MirrorReport,
    Options,
    States,
    Step,
    Task,
    total_size,
)
from hatcher.mirror.selection import Selection
from hatcher.mirror.sides import Side, changed, looked_up, read_pair, settle
from hatcher.transfer.batch import ByteCounter, WorkerPool
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import Outcome, reporting

_PREFIX, _LOCK = "hatcher-mirror-", ".lock"


def apply(
    steps: tuple[Step, ...],
    selection: Selection,
    max_deletes: int | None,
    sides: tuple[Side, Side],
    options: Options,
    states: States | None = None,
) -> MirrorReport:
    """Do what a plan says; see `Plan.apply`.

    Without `max_deletes` nothing is to be deleted. Without `states`, both sides are read.
    """
    sides[1].check_writable()
    if states is None:
        seen = {step.path.rpartition("/")[0] for step in steps}
        states = states_of(sides, selection, options, seen)
    applying = _Applying(steps, max_deletes, sides, states, options)
    try:
        with reporting(applying.report):
            applying.run()
    finally:
        applying.close()
    return applying.report()


class _Applying:
    """One run of it."""

    def __init__(
        self,
        steps: tuple[Step, ...],
        max_deletes: int | None,
        sides: tuple[Side, Side],
        states: States,
        options: Options,
    ) -> None:
        self._max_deletes = max_deletes
        self._source, self._target = sides
        self._wanted, self._there = states
        self._options = options
        self._writer = self._target._writer(self._there, options)
        self._is_one_way = self._source.server is None or self._target.server is None
        number = options.concurrency
        if number > 1 and not self._is_one_way:
            number *= 2  # while some files come in, as many others go out
        self._pool = WorkerPool(number, options.progress)
        self._numbers = itertools.count()
        self._problems: list[Problem] = [*self._wanted.problems, *self._there.problems]
        self._skipped = [step for step in steps if step.action == "skip"]
        self._tasks = [self._task(step) for step in steps if step.action != "skip"]

    def _task(self, step: Step) -> Task:
        wanted = self._wanted.held.get(self._wanted.path_of(step.path) or "")
        where = self._there.path_of(step.path)
        there = None if where is None else self._there.held[where]
        task = Task(step, wanted, there, where or step.path)
        source, target = self._source, self._target
        task.note(
            sha256=step.sha256 or step.replaces,
            source=str(source),
            target=str(target),
            server=target.server or source.server,
            replaced=step.action == "update",
        )
        if step.action != "conflict":
            try:
                task.path = self._writer.local(step.path)
            except HatcherException as error:
                task.fail(error)
        return task

    def run(self) -> None:
        """Do it."""
        self._identify()
        for task in self._tasks:
            if task.is_open:
                self._decide(task)
        copies = [task for task in self._tasks if task.step.action in ("copy", "update")]
        deletes = [task for task in self._tasks if task.step.action == "delete"]
        self._refuse_missing([task for task in copies if task.is_open])
        self._refuse_deletes(deletes)
        if self._options.dry_run:
            is_upload = self._writer.outcome == "uploaded"
            _pretend(copies, "would upload" if is_upload else "would download")
            _pretend(deletes, "would delete")
            return
        self._keep()
        self._copy([task for task in copies if task.is_ready])
        self._delete(copies, deletes)

    def close(self) -> None:
        """Bring to an end what goes for all of it."""
        try:
            self._writer.close()
        except HatcherException as error:
            self._problems.append(Problem(str(self._target), error))

    def _keep(self) -> None:
        """Let the target note what is right already."""
        for task in self._tasks:
            if task.outcome == "already there" and task.there is not None:
                self._writer.keep(task.where, task.there)
        for step in self._skipped:
            where = self._there.path_of(step.path)
            if where is not None:
                there = self._there.held[where]
                # What the plan has found: where it is damaged by now, it has to be noticed.
                self._writer.keep(where, Held(there.size, step.replaces, there.origin))

    def _identify(self) -> None:
        """Find out the hashes that nobody has said."""
        tasks = [task for task in self._tasks if task.is_open and task.step.action != "conflict"]

        def identify(task: Task, counter: ByteCounter) -> None:
            path = task.step.path
            try:
                task.wanted = looked_up(self._source, self._wanted, path, task.wanted, counter)
                task.there = looked_up(self._target, self._there, task.where, task.there, counter)
            except (HatcherException, OSError) as error:
                if not counter.is_stopped:
                    task.fail(error)

        total = sum(
            held.size or 0
            for task in tasks
            for held in (task.wanted, task.there)
            if held is not None and held.sha256 is None
        )
        # Servers are only asked.
        self._options.each(tasks, identify, "hashing" if total else None, total)

    def _decide(self, task: Task) -> None:
        """Say whether what the plan says still holds, and what is to be done then."""
        step, wanted, there = task.step, task.wanted, task.there
        if step.action == "conflict":
            task.fail(HatcherException(step.reason or "Nobody can say what is right. Plan again."))
        elif there is not None and there.wrong is not None:
            task.fail(there.wrong)
        elif step.action == "delete":
            self._decide_delete(task)
        elif wanted is None:
            task.fail(changed(step.path, self._source))
        elif there is not None and there.sha256 == wanted.sha256 is not None:
            task.outcome = "already there"
        elif wanted.wrong is not None:
            task.fail(wanted.wrong)
        elif there is not None and there.sha256 not in (step.replaces, step.sha256):
            # What the plan itself was about to put there may be replaced by what is newer.
            task.fail(changed(step.path, self._target))
        else:
            task.size = wanted.size

    def _decide_delete(self, task: Task) -> None:
        step, there = task.step, task.there
        if there is None:
            task.outcome = "already gone"
        elif task.wanted is not None:
            task.fail(changed(step.path, self._source))
        elif there.sha256 is None or there.sha256 != step.replaces:
            task.fail(changed(step.path, self._target))

    def _refuse_missing(self, copies: list[Task]) -> None:
        """Say which repositories are missing, and try nothing of what would go there."""
        missing = {place: missing_repository(place) for place in self._writer.missing(copies)}
        self._problems += [missing[place] for place in sorted(missing)]
        for task in copies:
            place = self._target.location(task.step.path).place
            if place in missing:
                task.error = missing[place].error

    def _refuse_deletes(self, deletes: list[Task]) -> None:
        """See to it that nothing is deleted that should not be."""
        error: Exception | None = None
        if self._wanted.problems:
            error = HatcherException(
                "Nothing is deleted, since the source could not be read whole. Plan again."
            )
        elif self._max_deletes is None:
            error = HatcherException("The plan is not to delete anything. Plan with prune=True.")
        elif len(deletes) > self._max_deletes:
            problem = too_many(self._target, len(deletes), self._max_deletes)
            self._problems.append(problem)
            error = problem.error
        if error is not None:
            for task in deletes:
                if task.is_open:
                    task.error = error

    # -- copying: each file is got from the source once, and goes to wherever it is wanted --------

    def _copy(self, tasks: list[Task]) -> None:
        with staging_folder() as folder:
            for some in self._writer.rounds(tasks):
                wanted: dict[object, list[Task]] = {}
                for task in some:
                    is_file = self._source.kind(task.step.path) not in DOCUMENTS
                    sha256 = task.wanted.sha256 if task.wanted is not None and is_file else None
                    wanted.setdefault(sha256 or id(task), []).append(task)
                loads = [*map(Load, wanted.values())]
                order = Loads(loads, self._options.concurrency, is_one_way=self._is_one_way)

                def carry(_: Load, counter: ByteCounter, order: Loads = order) -> None:
                    load = order.take(counter)
                    try:
                        self._carry(load, order, folder, counter)
                    finally:
                        order.came(load)

                # In which order they go is up to `Loads`.
                size, phase = total_size(some), self._writer.phase
                self._pool.each(loads, carry, phase, size, size=lambda _: 0)

    def _carry(self, load: Load, order: Loads, folder: Path, counter: ByteCounter) -> None:
        """Write one file to all places that want it, and note what becomes of that."""
        own = None if self._writer.is_local else folder / str(next(self._numbers))
        if own is not None:
            own.mkdir()
        files: list[Path] = []

        def obtain(task: Task) -> Path:
            if not files:
                files.append(self._fetch(task, own, counter, order.told_of(load, counter)))
                task.size = files[0].stat().st_size
                order.came(load)
            return self._named(task, own, files[0])

        try:
            for task in load.tasks:

                def put(task: Task = task) -> Outcome:
                    return self._writer.put(task, lambda: obtain(task), counter)

                self._writer.attempts(task).attempt(task, counter, put)
        finally:
            if own is not None:
                shutil.rmtree(own, ignore_errors=True)

    def _named(self, task: Task, folder: Path | None, file: Path) -> Path:
        """Return a file under the name that its place has for it: a server is told of it."""
        if folder is None or file.name == task.path.name:
            return file
        into = folder / task.path.name
        if not into.exists():
            with open(file, "rb", buffering=0) as source, open(into, "wb", buffering=0) as copy:
                for block in blocks_of(source.fileno()):
                    copy.write(block)
        return into

    def _fetch(self, task: Task, folder: Path | None, counter: ByteCounter, told: Progress) -> Path:
        wanted, path = task.wanted, task.step.path
        assert wanted is not None
        into = task.path if folder is None else folder / task.path.name
        cache = None if self._source.kind(path) in DOCUMENTS else self._options.cache
        if (
            cache is not None
            and wanted.sha256
            and cache.copy(wanted.sha256, into, progress=counter)
        ):
            return into
        file = self._source.obtain(path, wanted, into, told)
        if cache is not None and wanted.sha256 and file == into:
            # On its way to a server it is only ours, and removed afterwards.
            cache.add(file, wanted.sha256, own=not self._writer.is_local)
        return file

    # -- deleting --------------------------------------------------------------------------

    def _delete(self, copies: list[Task], deletes: list[Task]) -> None:
        """Delete what is to be deleted, but not where something is missing yet."""
        unfinished = {
            self._platform(task)
            for task in copies
            if task.error is not None and task.outcome in ("failed", "not tried")
        }
        ready: list[Task] = []
        for task in deletes:
            if not task.is_ready:
                continue
            if self._platform(task) in unfinished:
                task.error = HatcherException(
                    "Nothing is deleted on a platform before all that is new is there. See to "
                    "what has failed, and apply again."
                )
            else:
                ready.append(task)

        def delete(task: Task, counter: ByteCounter) -> None:
            attempts = self._writer.attempts(task)
            attempts.attempt(task, counter, lambda: self._writer.delete(task, counter))

        self._options.each(ready, delete)

    def _platform(self, task: Task) -> tuple[str, str]:
        location = self._target.location(task.where)
        return location.place, location.platform

    def report(self) -> MirrorReport:
        """Say what became of everything, sorted by path."""
        results = [task.result(task.step.path) for task in self._tasks]
        return MirrorReport(tuple(results), tuple(self._problems))


def _pretend(tasks: Iterable[Task], outcome: Outcome) -> None:
    for task in tasks:
        if task.is_ready:
            task.outcome = outcome


# -- what planning does, too ----------------------------------------------------------------


def states_of(
    sides: tuple[Side, Side], selection: Selection, options: Options, seen: Iterable[str] = ()
) -> States:
    """Read what two sides have; `seen` are folders that there was something in.

    Raises
    ------
    HatcherException
        One of them could not be read at all, or there is no such source, or no such organization
        for the target.
    """
    wanted, there = read_pair(sides, selection, options.concurrency)
    if isinstance(there.missing, BroodHTTPError) and there.repositories is None:
        raise _missing_organization(there.missing, sides[1])
    return settle(sides, (wanted, there), seen)


def _missing_organization(error: BroodHTTPError, target: Side) -> BroodHTTPError:
    """Return the one error for all that would go to an organization that is not there."""
    missing = getattr(error, "missing", None)
    if missing is not None and missing.question:
        return error
    assert target.names is not None
    return type(error)(
        f"find the organization '{target.names[0]}' of the target",
        method=error.method,
        url=error.url,
        response=error.response,
        error=error.error,
        advice="A mirror creates no organizations: ask an administrator of the server for it.",
    )


def too_many(target: Side, deletes: int, most: int) -> Problem:
    """Return what is to be said when more would be deleted than may be."""
    return Problem(
        str(target),
        HatcherException(
            f"{deletes:,} artefacts would be deleted, and at most {most:,} may be: nothing is. "
            f"Check the plan; if it is right, plan again with max_deletes={deletes}."
        ),
    )


def missing_repository(place: str) -> Problem:
    """Return what is to be said of a repository that is not there."""
    return Problem(
        place,
        HatcherException(
            "There is no such repository on the server, or you may not see it. Create it, or "
            "apply the plan with create_missing=True."
        ),
    )


# -- files on their way from one server to another ------------------------------------------


@contextmanager
def staging_folder() -> Iterator[Path]:
    """Give an empty folder among the system's temporary ones, and remove it at the end.

    Yields
    ------
    pathlib.Path

    Raises
    ------
    InvalidDestinationError
        There can be none.
    """
    parent = Path(tempfile.gettempdir())
    _sweep(parent)
    folder = parent / f"{_PREFIX}{secrets.token_hex(8)}"
    # Locked before it is there, so that nobody takes it for one that was left behind.
    with locked(folder.with_suffix(_LOCK)):
        with explained(folder):
            folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders of processes of this user that are no more."""
    if os.name == "nt":
        return
    for folder in parent.glob(f"{_PREFIX}*"):
        # Others remove theirs meanwhile.
        with suppress(OSError):
            status = folder.lstat()
            if folder.suffix == _LOCK or folder.is_symlink() or status.st_uid != os.getuid():
                continue
            left = folder.with_suffix(_LOCK)
            # Where there are no locks, nobody knows whose folder is still in use.
            with open(left, "ab") as file:
                if lock(file.fileno()):
                    shutil.rmtree(folder, ignore_errors=True)
                    left.unlink(missing_ok=True)
