"""The changes that a plan of access is made of, and what becomes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from attrs import asdict, define, field, frozen

from hatcher.access.documents import ADMINISTRATOR
from hatcher.core.places import Problem, lines_of
from hatcher.errors import BatchError, HatcherException
from hatcher.tables import brief, first_lines
from hatcher.transfer.batch import AT_ONCE, ByteCounter, WorkerPool
from hatcher.transfer.reports import reporting

if TYPE_CHECKING:
    from hatcher.core.brood_client import BroodClient
    from hatcher.core.user import User

Action: TypeAlias = Literal["add", "replace", "remove"]
Kind: TypeAlias = Literal["organization", "repository", "user", "team", "member", "access"]

#: In the order in which they are made.
_KINDS: tuple[Kind, ...] = get_args(Kind)

#: What a step is called, by its action and kind.
SENTENCES: Mapping[tuple[str, str], str] = {
    ("add", "organization"): "add the organization {organization}",
    ("add", "repository"): "add the repository {organization}/{name}",
    ("add", "user"): "add the user {name} to {organization}",
    ("add", "team"): "add the team {name} to {organization}, with {group}",
    ("replace", "team"): "replace the team {name} of {organization} by one with {group}",
    ("remove", "team"): "remove the team {name} of {organization}",
    ("add", "member"): "add {name} to the team {team} of {organization}",
    ("remove", "member"): "remove {name} from the team {team} of {organization}",
    ("add", "access"): "give the team {team} access to {organization}/{name}",
    ("remove", "access"): "take the team {team}'s access to {organization}/{name} away",
}


@frozen
class Step:
    """One change.

    Parameters
    ----------
    action : {'add', 'replace', 'remove'}
        A team is replaced when its access level is to be another one, which Brood cannot change.
    kind : {'organization', 'repository', 'user', 'team', 'member', 'access'}
        ``access`` is that of a team to a repository.
    organization, name : str
        The name is that of the organization, repository or team, or an e-mail address.
    team : str, optional
        Of a member, and of access.
    group : str, optional
        The access level of the team.
    description, public : str, optional
        Of what is created.
    reason : str, optional
        Why it is not done.
    """

    action: Action
    kind: Kind
    organization: str
    name: str
    team: str | None = None
    group: str | None = None
    description: str | None = None
    public: str | None = None
    reason: str | None = field(default=None, eq=False)

    @property
    def removes(self) -> bool:
        """Whether somebody may lose something by it."""
        return self.action != "add"

    @property
    def of_team(self) -> tuple[str, str | None]:
        """The organization and the team that it is about."""
        return self.organization, self.name if self.kind == "team" else self.team

    def __str__(self) -> str:
        return SENTENCES[self.action, self.kind].format_map(asdict(self))


def counted(said: Iterable[str]) -> str:
    """Return ``3 changes: 2 add, 1 remove``."""
    counts = Counter(said)
    number = counts.total()
    parts = ", ".join(f"{count} {what}" for what, count in counts.items())
    return f"{number} change{'' if number == 1 else 's'}{f': {parts}' if parts else ''}"


def stage_of(step: Step, caller: str | None) -> int:
    """Return when a step is done: what others need comes first, and what is removed last."""
    if step.action == "remove":
        # Who rules comes last, and the caller after all others.
        is_own = step.name.lower() == (caller or "").lower()
        return len(_KINDS) + (step.group == ADMINISTRATOR) + is_own
    return _KINDS.index(step.kind)


#: What a step that is done is said to be.
_DONE: Mapping[Action, str] = {"add": "added", "replace": "replaced", "remove": "removed"}


@define
class Result:
    """What became of one step.

    Parameters
    ----------
    step : Step
    outcome : str
        ``added``, ``replaced`` or ``removed``; ``would add``, ``would replace`` or ``would remove``
        with `dry_run`; ``already so``: somebody has done it since; ``failed``; ``not tried``:
        something stood in the way.
    error : Exception, optional
        Why it failed, or was not tried.
    user : User, optional
        Who was created; it knows the ``one_time_password``.
    """

    step: Step
    outcome: str = "not tried"
    error: Exception | None = None
    user: User | None = None

    @property
    def name(self) -> str:
        """The step, in words (`str`)."""
        return str(self.step)


@frozen(repr=False)
class Report:
    """What became of a plan; true when everything is as it should be.

    Parameters
    ----------
    results : tuple of Result
        In the order of the plan.
    problems : tuple of Problem
        What could not be read, and what stood in the way.
    """

    results: tuple[Result, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def failed(self) -> tuple[Result, ...]:
        """The steps that failed, each with its error (tuple of `Result`)."""
        return tuple(result for result in self.results if result.outcome == "failed")

    @property
    def not_tried(self) -> tuple[Result, ...]:
        """The steps that something stood in the way of (tuple of `Result`)."""
        return tuple(result for result in self.results if result.outcome == "not tried")

    def raise_for_failures(self) -> None:
        """Make an exception of what is not done, when there is anything.

        Raises
        ------
        BatchError
            A step failed or was not tried, or there is a problem; it holds this report.
        """
        if not self:
            errors = [problem.error for problem in self.problems]
            errors += [result.error for result in self.results if result.error is not None]
            raise BatchError(str(self), report=self) from errors[0]

    def __bool__(self) -> bool:
        return not (self.problems or self.failed or self.not_tried)

    __repr__ = brief

    def __str__(self) -> str:
        said = counted(result.outcome for result in self.results)
        failed = [f"failed: {result.name}: {result.error}" for result in self.failed]
        return "\n".join([said, *first_lines(failed), *lines_of(self.problems)])


class Applying:
    """Does the steps of a plan.

    Parameters
    ----------
    client : BroodClient
    steps : tuple of Step
        Of the plan.
    now : tuple of Step
        Those that are still needed, of which some have a reason not to be done.
    problems : tuple of Problem
        What stands in the way by now.
    caller : str or None
    """

    def __init__(
        self,
        client: BroodClient,
        steps: tuple[Step, ...],
        now: tuple[Step, ...],
        problems: tuple[Problem, ...],
        caller: str | None,
    ) -> None:
        self._client, self._problems, self._caller = client, problems, caller
        self._results = [Result(step) for step in steps]
        self._failed: set[tuple[str, str | None]] = set()
        self._incomplete: set[str] = set()
        # What is no answer of a server's stands in the way, and hides nothing.
        unclear = [each for each in problems if type(each.error) is not HatcherException]
        needed = {step: step for step in now}
        for result in self._results:
            if (step := needed.get(result.step)) is None:
                # What could not be read again is no evidence that somebody has done it.
                name = result.step.organization
                errors = (each.error for each in unclear if each.place.startswith(name))
                result.error = next(errors, None)
                result.outcome = "already so" if result.error is None else "not tried"
            elif step.reason is not None:
                result.error = HatcherException(step.reason)

    def run(self, *, dry_run: bool) -> Report:
        """Do them, stage by stage; with `dry_run` only say what would be done."""
        todo = [
            result
            for result in self._results
            if result.outcome == "not tried" and result.error is None
        ]
        if dry_run:
            for result in todo:
                result.outcome = f"would {result.step.action}"
            return self.report()

        def stage(result: Result) -> int:
            return stage_of(result.step, self._caller)

        with reporting(self.report):  # type: ignore[arg-type]
            for _, results in groupby(sorted(todo, key=stage), stage):
                WorkerPool(AT_ONCE, None).each(list(results), self._do)
        return self.report()

    def report(self) -> Report:
        """Say what has become of each step so far."""
        return Report(tuple(self._results), self._problems)

    def _do(self, result: Result, counter: ByteCounter) -> None:
        step = result.step
        needed = {(step.organization, None), step.of_team}
        if needed & self._failed or (step.removes and step.organization in self._incomplete):
            result.error = HatcherException("Something before it has failed.")
            return
        try:
            result.user = self._send(step)
            result.outcome = _DONE[step.action]
        except HatcherException as error:
            if not counter.is_stopped:
                result.outcome, result.error = "failed", error
                self._incomplete.add(step.organization)
                if step.kind in ("organization", "team"):
                    self._failed.add(step.of_team)

    def _send(self, step: Step) -> User | None:
        """Have the server make the change; return who was created."""
        if step.kind == "organization":
            self._client.create_organization(step.name, step.description or step.name)
            return None
        organization = self._client.organization(step.organization)
        if step.kind == "repository":
            public = step.public or False
            organization.create_repository(step.name, step.description or "", public=public)
            return None
        if step.kind == "user":
            return organization.create_user(step.name)
        team = organization.team(step.of_team[1] or "")
        if step.kind == "team":
            if step.removes:
                team.delete(force=True)
            if step.group is not None and step.action != "remove":
                organization.create_team(step.name, step.group)
            return None
        changes: Mapping[tuple[str, str], Callable[[str], None]] = {
            ("add", "member"): team.add_user,
            ("remove", "member"): team.remove_user,
            ("add", "access"): team.add_repository,
            ("remove", "access"): team.remove_repository,
        }
        changes[step.action, step.kind](step.name)
        return None
