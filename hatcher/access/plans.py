"""Plans of access: what has to change so that a server is as a document says, and doing it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from attrs import asdict, evolve, field, fields_dict, frozen

from hatcher.access.changes import SENTENCES, Applying, Kind, Report, Step, counted, stage_of
from hatcher.access.documents import (
    ADMINISTRATOR,
    LEVELS,
    AccessDocument,
    OrganizationAccess,
    TeamAccess,
    Written,
)
from hatcher.access.reading import ask, document_of, grants_of, rank_of
from hatcher.core.limits import most_deletes
from hatcher.core.places import HIDDEN, Problem, documents_of, lines_of, problems_in
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
)
from hatcher.suggestions import alike, question
from hatcher.tables import brief, first_lines

if TYPE_CHECKING:
    from hatcher.core.brood_client import BroodClient

_FORMAT, _VERSION = "hatcher access plan", 1


@frozen(repr=False)
class Plan:
    """What has to change so that a server is as a document says; pure data.

    True when there is anything to do, or to look into.

    Parameters
    ----------
    server : str
        Its URL.
    steps : tuple of Step
        In the order in which they are done.
    problems : tuple of Problem
        What could not be read, and what stands in the way.
    wanted : AccessDocument
        What there is to be.
    prune : bool
        Whether what the document does not have is removed.
    max_deletes : int
        The most that may be removed; when there is more of it, nothing is.
    force : bool
        Whether the caller's own access may be taken away.
    caller : str, optional
        Who applies it; see `plan`.
    client : BroodClient, optional
        Of the server, to apply it; not part of the data.
    """

    server: str
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    wanted: AccessDocument
    prune: bool = False
    max_deletes: int = 0
    force: bool = False
    caller: str | None = None
    _client: BroodClient | None = field(default=None, eq=False, repr=False)

    @property
    def removals(self) -> tuple[Step, ...]:
        """The steps that take something away (tuple of `Step`), also those that are not done."""
        return tuple(step for step in self.steps if step.removes)

    def apply(self, *, dry_run: bool = False) -> Report:
        """Do what the plan says, as far as it still holds.

        The server is read again, as by `plan`, and only steps that are still needed are done, 64 at
        a time. What is added comes first; what is removed comes last, and not in an organization
        where something has failed. One failure does not stop the others; the same call again does
        what is left.

        Parameters
        ----------
        dry_run : bool, default False
            Change nothing, and say of each step what would become of it.

        Returns
        -------
        Report
            What became of each step; of a user who was created, with the first password, which the
            server shows this once.

        Raises
        ------
        InvalidArgumentError
            The plan was read from a document without a client.
        HatcherException
            Nothing could be read.

        Notes
        -----
        Ctrl-C ends it with a `BatchInterrupted`, which has the report so far.
        """
        if self._client is None:
            raise InvalidArgumentError(
                "This plan does not know its server. Read it with "
                "Plan.from_document(document, client)."
            )
        written = Written(self.wanted)
        options = (self.prune, self.max_deletes, self.force, self.caller)
        now = _compared(self._client, written, *options)
        applying = Applying(self._client, self.steps, now.steps, now.problems, now.caller)
        return applying.run(dry_run=dry_run)

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            ``format``, ``version``, ``server``, ``wanted``, ``prune``, ``max_deletes``,
            ``force``, ``caller``, ``steps`` and ``problems``.
        """
        options = ("server", "wanted", "prune", "max_deletes", "force", "caller")
        return {
            "format": _FORMAT,
            "version": _VERSION,
            **{name: getattr(self, name) for name in options},
            "steps": [asdict(step) for step in self.steps],
            "problems": documents_of(self.problems),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], client: BroodClient) -> Plan:
        """Return a plan that was kept, to apply it.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        client : BroodClient
            Of the same server.

        Returns
        -------
        Plan

        Raises
        ------
        InvalidArgumentError
            It is no such plan, is of another version, or of another server.
        InvalidAccessFile
            What there is to be is damaged.
        """
        if not isinstance(document, Mapping) or document.get("format") != _FORMAT:
            raise InvalidArgumentError("This is no plan of access. Give what Plan.document says.")
        if document.get("version") != _VERSION or document.get("server") != client.url:
            raise InvalidArgumentError(
                f"The plan is of version {document.get('version')!r} and for "
                f"{document.get('server')!r}; here are version {_VERSION} and {client.url}. Plan "
                "again."
            )
        try:
            steps = tuple(map(_step, document["steps"]))
            problems = problems_in(document["problems"])
            prune, most, force, caller = (
                document[name] for name in ("prune", "max_deletes", "force", "caller")
            )
            if not isinstance(prune, bool) or not isinstance(force, bool) or type(most) is not int:
                raise TypeError("prune, max_deletes or force is none")
            wanted = Written(document["wanted"]).document
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"The plan is damaged: {type(error).__name__}: {error}. Plan again."
            ) from error
        return cls(client.url, steps, problems, wanted, prune, most, force, caller, client)

    def __bool__(self) -> bool:
        return bool(self.steps or self.problems)

    __repr__ = brief

    def __str__(self) -> str:
        done = [
            f"{step}{'; not done: ' + step.reason if step.reason else ''}" for step in self.steps
        ]
        said = counted(step.action for step in self.steps)
        return "\n".join([said, *first_lines(done), *lines_of(self.problems)])


def _step(document: Mapping[str, Any]) -> Step:
    """Return a step of a document."""
    step = Step(**document)
    texts = [getattr(step, name) for name in fields_dict(Step)]
    if (step.action, step.kind) not in SENTENCES:
        raise ValueError(f"{step.action!r}, {step.kind!r} is no step")
    if not all(isinstance(text, str) for text in texts if text is not None):
        raise ValueError("a step has something else than texts")
    return step


def plan(
    client: BroodClient,
    document: str | os.PathLike[str] | Mapping[str, Any],
    *,
    prune: bool = False,
    max_deletes: int | None = None,
    force: bool = False,
    caller: str | None = None,
) -> Plan:
    """Compare a server with what there is to be, and say what has to change; changes nothing.

    ``GET /admin/organizations``; for each organization that is named, what `read` asks; and for
    each new member ``GET /admin/users/{organization}/{email}``.

    Parameters
    ----------
    client : BroodClient
    document : str, path-like or mapping
        A YAML or JSON file, or what such a file holds: see `SCHEMA`. What it does not name is left
        as it is: an organization, the repositories or teams of one, the members or repositories of
        a team.
    prune : bool, default False
        Remove what the document does not have where it names the others: teams, members of teams,
        and access of teams to repositories; and replace teams whose access level is another one.
        Repositories, users and organizations are never deleted, and nothing is removed of which
        something could not be read.
    max_deletes : int, optional
        The most that may be removed; when there is more of it, nothing is, and the plan says so. By
        default a tenth of the teams, memberships and accesses that there are, but at least 10.
    force : bool, default False
        Remove something also when the caller would lose access by it.
    caller : str, optional
        The caller's e-mail address, where the client does not know it, as with an API token. Where
        nobody says it, each administrator of an organization may be the caller.

    Returns
    -------
    Plan

    Raises
    ------
    InvalidAccessFile
        The document cannot be read, has errors, or names a repository or access level that there is
        not.
    InvalidArgumentError
        Another argument cannot be used.
    HatcherException
        Nothing could be read.

    Examples
    --------
    >>> plan = access.plan(client, 'people.yaml', prune=True)
    >>> print(plan)
    2 changes: 1 add, 1 remove
    add grace@example.com to the team builders of acme
    remove ada@example.com from the team builders of acme
    """
    most_deletes(0, max_deletes, "removed")
    return _compared(client, Written(document), prune, max_deletes, force, caller)


def _compared(
    client: BroodClient,
    written: Written,
    prune: bool,
    max_deletes: int | None,
    force: bool,
    caller: str | None,
) -> Plan:
    there, problems = _there(client, list(written.document["organizations"]))
    comparison = _Comparison(written, there, problems, prune)
    steps = comparison.steps(client)
    caller = caller or client._session.identity[1]
    most = most_deletes(_removable(there), max_deletes, "removed")
    reasons = {} if force else dict(_own_access(there, steps, caller))
    problems += (Problem(name, HatcherException(reason)) for name, reason in reasons.items())
    if (number := sum(step.removes for step in steps)) > most:
        reason = (
            f"{number:,} would be removed, and at most {most:,} may be: nothing is. Check the "
            f"document; if it is right, plan again with max_deletes={number}."
        )
        problems.append(Problem(client.url, HatcherException(reason)))
        reasons = dict.fromkeys(written.document["organizations"], reason)
    steps = sorted(
        _refused(steps, reasons),
        key=lambda step: (stage_of(step, caller), step.organization, step.team or "", step.name),
    )
    document = written.document
    return Plan(
        client.url, tuple(steps), tuple(problems), document, prune, most, force, caller, client
    )


def _there(client: BroodClient, names: list[str]) -> tuple[AccessDocument, list[Problem]]:
    """Return what the server says of organizations; without those that it does not have."""
    try:
        existing = set(client.list_organizations())
    except HIDDEN:  # some servers tell administrators only
        existing = set(names)
    return document_of(client, [name for name in names if name in existing])


def _removable(there: AccessDocument) -> int:
    """Return how much there is that could be removed: teams, members, and access."""
    teams = [team for each in there["organizations"].values() for team in _teams_of(each).values()]
    return sum(
        1 + len(team.get("members", ())) + len(team.get("repositories", ())) for team in teams
    )


def _teams_of(organization: OrganizationAccess) -> dict[str, TeamAccess]:
    return organization.get("teams", {})


def _members_of(organization: OrganizationAccess) -> dict[str, str]:
    """Return the members of all teams, by what makes them another one to a server."""
    teams = _teams_of(organization).values()
    return {email.lower(): email for team in teams for email in team.get("members", ())}


class _Comparison:
    """Compares what there is to be with what there is.

    Parameters
    ----------
    written : Written
    there : AccessDocument
        Where something is left out, it could not be read.
    problems : list of Problem
        What stands in the way is added to it.
    prune : bool
    """

    def __init__(
        self, written: Written, there: AccessDocument, problems: list[Problem], prune: bool
    ) -> None:
        self._written, self._there, self._problems, self._prune = written, there, problems, prune
        self._steps: list[Step] = []

    def steps(self, client: BroodClient) -> list[Step]:
        """Return what has to change.

        Raises
        ------
        InvalidAccessFile
            A repository is named that there is not, or a level that is like another one.
        """
        for name, wanted in self._written.document["organizations"].items():
            known = self._there["organizations"].get(name)
            if known is None:
                said = wanted.get("description", name)
                self._add("organization", name, name, description=said)
            self._repositories(name, wanted, known)
            self._teams(name, wanted, {"teams": {}} if known is None else known)
        self._users(client)
        return self._steps

    def _add(self, kind: Kind, organization: str, name: str, **more: Any) -> None:
        self._steps.append(Step("add", kind, organization, name, **more))

    def _problem(self, place: str, what: str) -> None:
        self._problems.append(Problem(place, HatcherException(what)))

    def _repositories(
        self, name: str, wanted: OrganizationAccess, known: OrganizationAccess | None
    ) -> None:
        there = {} if known is None else known.get("repositories")
        if there is None:
            return
        for repository, said in wanted.get("repositories", {}).items():
            level = said.get("public")
            if repository not in there:
                described = said.get("description", repository)
                self._add("repository", name, repository, description=described, public=level)
            elif level and there[repository] and level != there[repository].get("public"):
                self._problem(
                    f"{name}/{repository}",
                    f"It should be public, with {level}, and is not. Brood cannot change that: "
                    "leave 'public' out, or create the repository anew.",
                )
        named = {*wanted.get("repositories", {}), *there}
        for team, given in wanted.get("teams", {}).items():
            for number, repository in enumerate(given.get("repositories", ())):
                if repository not in named:
                    where = ("organizations", name, "teams", team, "repositories", number)
                    meant = question(alike(repository, named))
                    advice = meant or "Add it to the repositories of the organization."
                    raise self._written.error(
                        where, f"there is no repository '{name}/{repository}'. {advice}"
                    )

    def _teams(self, name: str, wanted: OrganizationAccess, known: OrganizationAccess) -> None:
        if "teams" not in known:
            return
        there = known["teams"]
        levels = {*LEVELS, *(team["group"] for team in there.values())}
        for team, given in wanted.get("teams", {}).items():
            # Servers may have others; what is nearly one of these is a slip of the pen.
            meant = question(alike(given["group"], levels, most=1, least=0.9))
            if given["group"] not in levels and meant:
                where = ("organizations", name, "teams", team, "group")
                raise self._written.error(
                    where, f"there is no access level '{given['group']}'. {meant}"
                )
            if team not in there:
                self._add("team", name, team, group=given["group"])
                self._lists(name, team, given, {"group": given["group"]} | _NOTHING)
            elif given["group"] == there[team]["group"]:
                self._lists(name, team, given, there[team])
            else:
                self._replace(name, team, given, there[team])
        for team, left in there.items() if self._prune and "teams" in wanted else ():
            if team not in wanted["teams"] and left.keys() >= _NOTHING.keys():
                self._steps.append(Step("remove", "team", name, team, group=left["group"]))

    def _replace(self, name: str, team: str, given: TeamAccess, known: TeamAccess) -> None:
        """Delete a team, and make it anew, since Brood cannot change its access level."""
        place = f"{name} team {team}"
        what = f"Its access level is {known['group']} and should be {given['group']}; Brood can"
        if not self._prune:
            self._problem(place, f"{what} only replace the team: plan again with prune=True.")
        elif not given.keys() >= _NOTHING.keys():
            self._problem(
                place, f"{what} only replace the team: name its members and repositories, too."
            )
        elif known.keys() >= _NOTHING.keys():
            self._steps.append(Step("replace", "team", name, team, group=given["group"]))
            self._lists(name, team, given, {"group": given["group"]} | _NOTHING)

    def _lists(self, name: str, team: str, given: TeamAccess, known: TeamAccess) -> None:
        """Compare the members and repositories of a team."""
        kinds: tuple[tuple[Literal["members", "repositories"], Kind], ...] = (
            ("members", "member"),
            ("repositories", "access"),
        )
        for what, kind in kinds:
            if what not in given or what not in known:
                continue
            fold = str.lower if kind == "member" else str
            wanted = {fold(each): each for each in given[what]}
            there = {fold(each): each for each in known[what]}
            more = {"team": team, "group": known["group"]}
            for key in wanted.keys() - there.keys():
                self._steps.append(Step("add", kind, name, wanted[key], **more))
            for key in (there.keys() - wanted.keys()) if self._prune else ():
                self._steps.append(Step("remove", kind, name, there[key], **more))

    def _users(self, client: BroodClient) -> None:
        """Find out which members to be are no users of their organization yet."""
        asked: dict[tuple[str, str], Callable[[], bool]] = {}
        new: list[tuple[str, str]] = []
        for name, wanted in self._written.document["organizations"].items():
            known = self._there["organizations"].get(name)
            members = _members_of({} if known is None else known)
            strangers = [email for key, email in _members_of(wanted).items() if key not in members]
            if known is None:
                new += ((name, email) for email in strangers)
            for email in strangers if known is not None else ():
                user = client.organization(name).user(email)
                asked[name, email] = partial(user._session.succeeds, user._request("get_user"))
        told = ask(asked, self._problems)
        for name, email in [*new, *(key for key, is_user in told.items() if not is_user)]:
            if "@" in email:
                self._add("user", name, email)
            else:
                self._problem(name, f"'{email}' is no user of it, and no e-mail address.")


#: What a team that has just been made has.
_NOTHING: Any = {"members": [], "repositories": []}


def _own_access(
    there: AccessDocument, steps: list[Step], caller: str | None
) -> Iterator[tuple[str, str]]:
    """Yield the organizations where the caller would lose something, and what is to be said.

    Where nobody knows who calls, it may be each administrator of an organization.
    """
    before, after = _levels(there), _levels(_after(there, steps))
    told: set[str] = set()
    for (email, place), level in sorted(before.items()):
        name = place.partition("/")[0]
        if caller is None:
            may_be = rank_of(before.get((email, name))) == rank_of(ADMINISTRATOR)
        else:
            may_be = email == caller.lower()
        left = after.get((email, place))
        if may_be and name not in told and rank_of(left) < rank_of(level):
            told.add(name)
            who = "you" if caller else f"{email}, who may be you,"
            advice = "" if caller else ", or name yourself with the `caller` argument"
            yield (
                name,
                f"By this {who} would have {left or 'nothing'} in {place} instead of {level}: "
                f"nothing is removed in {name}. If that is meant, plan again with "
                f"force=True{advice}.",
            )


def _levels(document: AccessDocument) -> dict[tuple[str, str], str]:
    """Return the strongest level of each person in each place."""
    levels: dict[tuple[str, str], str] = {}
    for user, place, level, _ in grants_of(document):
        key = (user.lower(), place)
        if rank_of(level) > rank_of(levels.get(key)):
            levels[key] = level
    return levels


def _after(there: AccessDocument, steps: Iterable[Step]) -> AccessDocument:
    """Return what there is after all steps."""
    after = deepcopy(there)
    for step in sorted(steps, key=lambda step: step.kind != "team"):
        organization = after["organizations"].setdefault(step.organization, {})
        teams = organization.setdefault("teams", {})
        if step.kind == "repository":
            organization.setdefault("repositories", {}).setdefault(step.name, {})
        elif step.kind == "team" and step.action == "remove":
            del teams[step.name]
        elif step.kind == "team":
            teams[step.name] = deepcopy({"group": step.group} | _NOTHING)
        elif step.team is not None:
            what: Literal["members", "repositories"]
            what = "members" if step.kind == "member" else "repositories"
            listed = teams[step.team].setdefault(what, [])
            if step.action == "add":
                listed.append(step.name)
            else:
                listed.remove(step.name)
    return after


def _refused(steps: list[Step], reasons: Mapping[str, str]) -> Iterator[Step]:
    """Yield the steps, with a reason for those that are not done."""
    kept = {step.of_team for step in steps if step.action == "replace"}
    for step in steps:
        # What belongs to a team that is not replaced must not go into the one that there is.
        if step.organization in reasons and (step.removes or step.of_team in kept):
            step = evolve(step, reason=reasons[step.organization])
        yield step
