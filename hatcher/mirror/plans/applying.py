"""Doing what a plan says, as far as it still holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hatcher.errors import HatcherException
from hatcher.mirror.ends.base import End, changed
from hatcher.mirror.ends.receiving import Delivery, Receiver
from hatcher.mirror.ends.receiving import Options as Writing
from hatcher.mirror.ends.writing import receiver_of
from hatcher.mirror.plans.carrying import Carrier, loads_of
from hatcher.mirror.plans.pairs import missing_repository, states_of, too_many
from hatcher.mirror.plans.staging import staging_folder
from hatcher.mirror.plans.steps import Step, Steps
from hatcher.mirror.report import MirrorReport, Problem
from hatcher.mirror.states import Held, State
from hatcher.transfer.batch import Crew, Item, Tally, checked_concurrency
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import FileResult, Outcome, reporting

if TYPE_CHECKING:
    from hatcher.mirror.cache import Cache


class Options(NamedTuple):
    """What the caller may choose; see `Plan.apply`."""

    progress: Progress | None
    concurrency: int | None
    cache: Cache | None
    create_missing: bool
    dry_run: bool
    journal: str | os.PathLike[str] | bool | None


def apply(plan: Steps, source: End, target: End, options: Options) -> MirrorReport:
    """Do what a plan says; see `Plan.apply`.

    Parameters
    ----------
    plan : Steps
    source, target : End
        Its ends.
    options : Options
    """
    number = checked_concurrency(options.concurrency)
    selection = plan.selection
    target.check_writable()
    seen = {step.path.rpartition("/")[0] for step in plan.steps}
    wanted, there = states_of((source, target), selection, options.concurrency, seen)
    receiver = receiver_of(
        target,
        there,
        Writing(options.create_missing, options.dry_run, options.journal, options.progress),
    )
    crew = Crew(number, options.progress)
    applying = _Applying(plan, (source, target), (wanted, there), receiver, crew, options)
    try:
        with reporting(applying.report):
            applying.run()
    finally:
        applying.close()
    return applying.report()


class _Task:
    """A step of the plan, and what both ends have by now.

    Parameters
    ----------
    step : Step
    item : Item
    wanted, there : Held or None
        What the source and the target have.
    where : str
        Under which path the target has it.
    """

    def __init__(
        self, step: Step, item: Item[Delivery], wanted: Held | None, there: Held | None, where: str
    ) -> None:
        self.step = step
        self.item = item
        self.wanted = wanted
        self.there = there
        self.where = where


class _Applying:
    """One run of it."""

    def __init__(
        self,
        plan: Steps,
        ends: tuple[End, End],
        states: tuple[State, State],
        receiver: Receiver,
        crew: Crew,
        options: Options,
    ) -> None:
        self._plan = plan
        self._source, self._target = ends
        self._wanted, self._there = states
        self._receiver = receiver
        self._crew = crew
        self._options = options
        self._problems: list[Problem] = [*self._wanted.problems, *self._there.problems]
        self._tasks = [self._task(step) for step in plan.steps if step.action != "skip"]

    def _task(self, step: Step) -> _Task:
        wanted = self._wanted.held.get(self._wanted.path_of(step.path) or "")
        where = self._there.path_of(step.path)
        there = None if where is None else self._there.held[where]
        item: Item[Delivery] = Item(Path(step.path))
        item.file, item.size = Delivery(step.path, None, None), step.size
        if step.action != "conflict":
            try:
                item.path = self._receiver.local(step.path)
            except HatcherException as error:
                item.fail(error)
        return _Task(step, item, wanted, there, where or step.path)

    def run(self) -> None:
        """Do it."""
        self._identify()
        for task in self._tasks:
            if task.item.is_open:
                self._decide(task)
        copies = [task.item for task in self._tasks if task.step.action in ("copy", "update")]
        deletes = [task.item for task in self._tasks if task.step.action == "delete"]
        self._refuse_missing([item for item in copies if item.is_open])
        self._refuse_deletes(deletes)
        if self._options.dry_run:
            would: Outcome = (
                "would upload" if self._receiver.outcome == "uploaded" else "would download"
            )
            for item in copies:
                self._pretend(item, would)
            for item in deletes:
                self._pretend(item, "would delete")
            return
        self._keep()
        self._copy(list(filter(_is_ready, copies)))
        self._delete(copies, deletes)

    def close(self) -> None:
        """Bring to an end what goes for all of it."""
        try:
            self._receiver.close()
        except HatcherException as error:
            self._problems.append(Problem(str(self._target), error))

    def _keep(self) -> None:
        """Let the target note what is right already."""
        for task in self._tasks:
            if task.item.outcome == "already there" and task.there is not None:
                self._receiver.keep(task.where, task.there)
        for step in self._plan.those("skip"):
            where = self._there.path_of(step.path)
            if where is not None:
                there = self._there.held[where]
                # What the plan has found: where it is damaged by now, it has to be noticed.
                self._receiver.keep(where, Held(there.size, step.replaces, there.origin))

    def _identify(self) -> None:
        """Find out the hashes that nobody has said."""
        tasks = [
            task for task in self._tasks if task.item.is_open and task.step.action != "conflict"
        ]

        def identify(task: _Task, tally: Tally) -> None:
            path = task.step.path
            try:
                if task.wanted is None:
                    task.wanted = self._source.find(path, self._wanted)
                if task.there is None:
                    task.there = self._target.find(path, self._there)
                for end, name, held in (
                    (self._source, path, task.wanted),
                    (self._target, task.where, task.there),
                ):
                    if held is not None and held.sha256 is None and held.wrong is None:
                        end.identify(name, held, tally)
                        tally.settle(held.size)
            except (HatcherException, OSError) as error:
                if not tally.is_stopped:
                    task.item.fail(error)

        total = sum(
            held.size or 0
            for task in tasks
            for held in (task.wanted, task.there)
            if held is not None and held.sha256 is None
        )
        # Servers are only asked.
        self._crew.each(tasks, identify, "hashing" if total else None, total)

    def _decide(self, task: _Task) -> None:
        """Say whether what the plan says still holds, and what is to be done then."""
        step, item, wanted, there = task.step, task.item, task.wanted, task.there
        if step.action == "conflict":
            item.fail(HatcherException(step.reason or "Nobody can say what is right. Plan again."))
        elif there is not None and there.wrong is not None:
            item.fail(there.wrong)
        elif step.action == "delete":
            self._decide_delete(task)
        elif wanted is None:
            item.fail(changed(step.path, self._source))
        elif there is not None and there.sha256 == wanted.sha256 is not None:
            item.outcome = "already there"
        elif wanted.wrong is not None:
            item.fail(wanted.wrong)
        elif there is not None and there.sha256 not in (step.replaces, step.sha256):
            # What the plan itself was about to put there may be replaced by what is newer.
            item.fail(changed(step.path, self._target))
        else:
            item.size = wanted.size
            item.file.wanted, item.file.there = wanted, there

    def _decide_delete(self, task: _Task) -> None:
        step, item, wanted, there = task.step, task.item, task.wanted, task.there
        if there is None:
            item.outcome = "already gone"
        elif wanted is not None:
            item.fail(changed(step.path, self._source))
        elif there.sha256 is None or there.sha256 != step.replaces:
            item.fail(changed(step.path, self._target))
        else:
            item.file.path = task.where
            item.file.there = there

    def _refuse_missing(self, copies: list[Item[Delivery]]) -> None:
        """Say which repositories are missing, and try nothing of what would go there."""
        missing = self._receiver.missing(copies)
        problems = {place: missing_repository(place) for place in sorted(missing)}
        self._problems += problems.values()
        for item in copies:
            place = self._target.location(item.file.path).place
            if place in problems:
                item.error = problems[place].error

    def _refuse_deletes(self, deletes: list[Item[Delivery]]) -> None:
        """See to it that nothing is deleted that should not be."""
        error: Exception | None = None
        planned = len(self._plan.those("delete"))
        if self._wanted.problems:
            error = HatcherException(
                "Nothing is deleted, since the source could not be read whole. Plan again."
            )
        elif not self._plan.prune:
            error = HatcherException("The plan is not to delete anything. Plan with prune=True.")
        elif planned > self._plan.max_deletes:
            problem = too_many(str(self._target), planned, self._plan.max_deletes)
            self._problems.append(problem)
            error = problem.error
        if error is not None:
            for item in deletes:
                if item.is_open:
                    item.error = error

    def _copy(self, items: list[Item[Delivery]]) -> None:
        with staging_folder() as folder:
            carrier = Carrier(self._source, self._receiver, folder, self._options.cache)
            for some in self._receiver.rounds(items):
                sizes = [item.size for item in some]
                total = None if None in sizes else sum(size or 0 for size in sizes)
                loads = loads_of(self._source, some)
                self._crew.each(loads, carrier.carry, self._receiver.phase, total)

    def _delete(self, copies: list[Item[Delivery]], deletes: list[Item[Delivery]]) -> None:
        """Delete what is to be deleted, but not where something is missing yet."""
        unfinished = {
            self._platform(item)
            for item in copies
            if item.error is not None and item.outcome in ("failed", "not tried")
        }
        ready: list[Item[Delivery]] = []
        for item in filter(_is_ready, deletes):
            if self._platform(item) in unfinished:
                item.error = HatcherException(
                    "Nothing is deleted on a platform before all that is new is there. See to "
                    "what has failed, and apply again."
                )
            else:
                ready.append(item)

        def delete(item: Item[Delivery], tally: Tally) -> None:
            attempts = self._receiver.attempts(item)
            attempts.attempt(item, tally, lambda: self._receiver.delete(item, tally))

        self._crew.each(ready, delete)

    def _platform(self, item: Item[Delivery]) -> tuple[str, str]:
        location = self._target.location(item.file.path)
        return location.place, location.platform

    def _pretend(self, item: Item[Delivery], outcome: Outcome) -> None:
        if _is_ready(item):
            item.outcome = outcome

    def report(self) -> MirrorReport:
        """Say what became of everything, sorted by path."""
        results = [
            FileResult(
                task.step.path, task.item.path, task.item.outcome, task.item.size, task.item.error
            )
            for task in self._tasks
        ]
        return MirrorReport(tuple(results), tuple(self._problems))


def _is_ready(item: Item[Delivery]) -> bool:
    """Whether there is something to be done about it, and nothing is in the way."""
    return item.is_open and item.error is None
