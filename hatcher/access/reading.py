"""What a server says of who may do what; what it does not say is left out, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypedDict, TypeVar

from attrs import field, frozen

from hatcher.access.documents import (
    ADMINISTRATOR,
    LEVELS,
    VERSION,
    AccessDocument,
    OrganizationAccess,
    RepositoryAccess,
    TeamAccess,
    as_yaml,
)
from hatcher.core.brood_client import BroodClient
from hatcher.core.organization import Organization
from hatcher.core.places import Problem, lines_of
from hatcher.core.repository import Repository
from hatcher.errors import BatchError, HatcherException, InvalidArgumentError
from hatcher.tables import brief
from hatcher.transfer.batch import AT_ONCE, ByteCounter, WorkerPool

K = TypeVar("K", bound=tuple[str, ...])
T = TypeVar("T")

#: Who has what a public repository gives to all.
EVERYBODY = "everybody"


class AccessRow(TypedDict):
    """What one person may do in one repository, and the teams that give this level."""

    user: str
    repository: str
    access: str
    teams: list[str]


class MemberRow(TypedDict):
    """A user of an organization, and the teams that they are in."""

    email: str
    teams: list[str]


@frozen(repr=False)
class Access:
    """Who may do what, as far as a server has told; true when it has told everything.

    Parameters
    ----------
    document : AccessDocument
        The organizations, with their repositories and teams. What could not be read is left out.
    problems : tuple of Problem
        What could not be read, and why.
    repository : str, optional
        The one that was asked for, such as ``acme/dev``; None for all.
    """

    document: AccessDocument
    problems: tuple[Problem, ...] = ()
    repository: str | None = field(default=None, kw_only=True)

    @property
    def rows(self) -> list[AccessRow]:
        """One row for each person and repository (list of `AccessRow`).

        It has the strongest level that the person has there, and the teams that give it. What a
        public repository gives to all is a row of ``everybody``. Sorted by repository and person.
        """
        strongest: dict[tuple[str, str], AccessRow] = {}
        for grant in grants_of(self.document):
            if "/" in grant.place and self.repository in (None, grant.place):
                teams = [grant.team] if grant.team else []
                row: AccessRow = {
                    "user": grant.user,
                    "repository": grant.place,
                    "access": grant.level,
                    "teams": teams,
                }
                known = strongest.setdefault((grant.place, grant.user.lower()), row)
                if rank_of(grant.level) > rank_of(known["access"]):
                    known["access"], known["teams"] = grant.level, teams
                elif known is not row and known["access"] == grant.level:
                    known["teams"] += teams
        return [strongest[key] for key in sorted(strongest)]

    @property
    def members(self) -> list[MemberRow]:
        """The members of all teams, each once (list of `MemberRow`), sorted.

        Brood does not tell of users who are in no team.
        """
        found: dict[str, MemberRow] = {}
        for organization in self.document["organizations"].values():
            for name, team in organization.get("teams", {}).items():
                for email in team.get("members", ()):
                    row = found.setdefault(email.lower(), {"email": email, "teams": []})
                    row["teams"].append(name)
        return [found[key] for key in sorted(found)]

    def yaml(self) -> str:
        """Return the document as YAML, for a file that `plan` reads.

        Returns
        -------
        str
        """
        return as_yaml(self.document)

    def raise_for_problems(self) -> None:
        """Make an exception of what could not be read, when there is anything.

        Raises
        ------
        BatchError
            It holds this object as its report.
        """
        if self.problems:
            raise BatchError(str(self), report=self) from self.problems[0].error

    def __bool__(self) -> bool:
        return not self.problems

    @property
    def summary(self) -> str:
        """What was read, in a line (`str`)."""
        number = len(self.members)
        names = ", ".join(self.document["organizations"])
        return f"{names}: {number} member{'' if number == 1 else 's'} of teams"

    __repr__ = brief

    def __str__(self) -> str:
        return "\n".join([self.summary, *lines_of(self.problems)])


class Grant(NamedTuple):
    """A level that a team, or a public repository, gives to somebody."""

    user: str
    place: str
    level: str
    team: str | None


def rank_of(level: str | None) -> int:
    """Return how strong a level is; one that hatcher does not know is weaker than all it knows."""
    if level is None:
        return -2
    return LEVELS.index(level) if level in LEVELS else -1


def grants_of(document: AccessDocument) -> Iterator[Grant]:
    """Yield what each team gives to each member; administrators have the organization, too."""
    for name, organization in document["organizations"].items():
        repositories = organization.get("repositories", {})
        teams = organization.get("teams", {})
        given = chain(repositories, *(team.get("repositories", ()) for team in teams.values()))
        everything = list(dict.fromkeys(given))
        for repository, said in repositories.items():
            if "public" in said:
                yield Grant(EVERYBODY, f"{name}/{repository}", said["public"], None)
        for team, given_by in teams.items():
            group = given_by["group"]
            places = [f"{name}/{repository}" for repository in given_by.get("repositories", ())]
            if group == ADMINISTRATOR:
                places = [name, *(f"{name}/{repository}" for repository in everything)]
            for email in given_by.get("members", ()):
                yield from (Grant(email, place, group, team) for place in places)


def ask(questions: Mapping[K, Callable[[], T]], problems: list[Problem]) -> dict[K, T]:
    """Ask many things at once; what fails is a problem, and has no answer."""
    answers: dict[K, T] = {}
    failed: dict[K, Exception] = {}

    def work(key: K, counter: ByteCounter) -> None:
        try:
            answers[key] = questions[key]()
        except HatcherException as error:
            if not counter.is_stopped:
                failed[key] = error

    WorkerPool(AT_ONCE, None).each(list(questions), work)
    problems += (Problem(" ".join(key), failed[key]) for key in questions if key in failed)
    return answers


def read(*places: Organization | Repository) -> Access:
    """Read who may do what in organizations, or in one repository.

    For each organization ``GET /admin/organizations/{organization}/repositories``, ``GET
    /admin/organizations/{organization}/teams``, and for each team ``GET
    /admin/teams/{organization}/{team}/members`` and ``.../repositories``, 64 at a time; once ``GET
    /metadata/user/repositories`` of API version 1, for descriptions and for what is public.

    Parameters
    ----------
    *places : Organization or Repository
        Organizations of one server, or a single repository.

    Returns
    -------
    Access
        It is false, and has ``problems``, when something could not be read.

    Raises
    ------
    InvalidArgumentError
        The places are none, or of several servers, or a repository is not the only one.
    HatcherException
        Nothing could be read, or there is no such repository.

    Examples
    --------
    >>> for row in access.read(client.organization('acme')).rows:
    ...     print(row['user'], row['repository'], row['access'], row['teams'])
    """
    sessions = {place._session for place in places if isinstance(place, Organization | Repository)}
    has_repository = any(isinstance(place, Repository) for place in places)
    if len(sessions) != 1 or (has_repository and len(places) > 1):
        raise InvalidArgumentError(
            "Give organizations of one server, such as client.organization('acme'), or one "
            "repository."
        )
    (session,) = sessions
    first = places[0]
    if not isinstance(first, Repository):
        document, problems = document_of(BroodClient(session), [place.name for place in places])
        # One of which nothing is known may not be there: no file should name it.
        told = {name: said for name, said in document["organizations"].items() if said}
        return Access({**document, "organizations": told}, tuple(problems))
    first.metadata()  # it says which one may be meant, when there is none
    document, problems = document_of(BroodClient(session), [first.organization_name])
    return Access(document, tuple(problems), repository=str(first))


def document_of(client: BroodClient, names: list[str]) -> tuple[AccessDocument, list[Problem]]:
    """Return what a server says of organizations, and what could not be read of them.

    Raises
    ------
    HatcherException
        Nothing could be read.
    """
    problems: list[Problem] = []
    asked: dict[tuple[str, ...], Callable[[], Any]] = {}
    for name in dict.fromkeys(names):
        organization = client.organization(name)
        asked[name, "repositories"] = organization.list_repositories
        asked[name, "teams"] = partial(_teams, organization)
    told = ask(asked, problems)
    if asked and not told:
        raise problems[0].error
    said = _repositories(client, problems)
    document: AccessDocument = {"version": VERSION, "organizations": {}}
    for name in dict.fromkeys(names):
        known: OrganizationAccess = {}
        if (name, "repositories") in told:
            listed = sorted(told[name, "repositories"])
            known["repositories"] = {each: said.get(f"{name}/{each}", {}) for each in listed}
        if (name, "teams") in told:
            known["teams"] = told[name, "teams"]
        document["organizations"][name] = known
    _fill_in(client, document, problems)
    return document, problems


def _fill_in(client: BroodClient, document: AccessDocument, problems: list[Problem]) -> None:
    """Add to each team its members and repositories."""
    asked: dict[tuple[str, ...], Callable[[], list[str]]] = {}
    teams: dict[tuple[str, str], TeamAccess] = {}
    for name, organization in document["organizations"].items():
        for team, known in organization.get("teams", {}).items():
            node = client.organization(name).team(team)
            teams[name, team] = known
            asked[name, f"team {team}", "members"] = node.list_users
            asked[name, f"team {team}", "repositories"] = node.list_repositories
    told = ask(asked, problems)
    for (name, team), known in teams.items():
        for what in ("members", "repositories"):
            if (listed := told.get((name, f"team {team}", what))) is not None:
                known[what] = sorted(listed)


def _teams(organization: Organization) -> dict[str, TeamAccess]:
    listed = organization._list("list_teams", "teams", "name", "group")
    return {team["name"]: {"group": team["group"]} for team in sorted(listed, key=_by_name)}


#: Orders teams.
_by_name = itemgetter("name")


def _repositories(client: BroodClient, problems: list[Problem]) -> dict[str, RepositoryAccess]:
    """Return what the server says of repositories, of all that the caller may see."""
    if client.api_version == 0:
        return {}
    question = partial(client._list, "list_available_repositories", "repositories", "name")
    said: dict[str, RepositoryAccess] = {}
    for each in ask({("repositories",): question}, problems).get(("repositories",), ()):
        known = said.setdefault(each["name"], {})
        if isinstance(description := each.get("description"), str):
            known["description"] = description
        if isinstance(public := each.get("public"), str):
            known["public"] = public
    return said
