"""Organizations, repositories, teams, users and API tokens; and what the server lists of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hatcher.cli import transfers
from hatcher.cli.data import Document, Emit, Field, Listing, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import (
    argument,
    assume_yes,
    choices,
    dry_run,
    flag,
    if_missing,
    missing_ok,
    on,
    on_repository,
)
from hatcher.cli.plans import raise_for
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import confirm, is_terminal, say
from hatcher.errors import BadRequestError, ConflictError, HatcherException
from hatcher.suggestions import alike, question

if TYPE_CHECKING:
    from hatcher.api import Organization, Repository, Team, User

T = TypeVar("T")

_description = argument("description", "What it is, in a sentence.")


def _create(what: str, create: Callable[..., T], *, if_missing: bool, more: str = "") -> T:
    """Create something, and say so; or that it is there already, where that will do."""
    try:
        created = create(exist_ok=False)
    except (BadRequestError, ConflictError):
        if not if_missing:
            raise
        there = create(exist_ok=True)  # raises where it is not as it is to be
        say(f"There is {what} already.")
        return there
    say(f"Created {what}{more}.", "green")
    return created


def _would_create(what: str, name: str, known: Iterable[str], *, if_missing: bool) -> None:
    there = if_missing and name in known
    say(f"There is {what} already." if there else f"Would create {what}.")


@group("organizations")
def organizations() -> None:
    """Create and list organizations."""


@organizations.command("create")
@argument("name", "What to call the organization.")
@_description
@if_missing
@dry_run
@pass_state
def create_organization(
    state: State, name: str, description: str, if_missing: bool, dry_run: bool
) -> None:
    """Create an organization.

    \b
    For example:
    hatcher organizations create umbrella "Makers of umbrellas"
    """
    if dry_run:
        known = state.client.list_organizations()
        _would_create(f"the organization {name}", name, known, if_missing=if_missing)
        return
    create = partial(state.client.create_organization, name, description)
    _create(f"the organization {name}", create, if_missing=if_missing)


@organizations.command("list")
@emits(Listing((Field("name", "Organization"),), bare=True))
@pass_state
def list_organizations(state: State, emit: Emit) -> None:
    """List the organizations of the server.

    \b
    For example:
    hatcher organizations list
    """
    emit({"name": name} for name in sorted(state.client.list_organizations()))


@group("repositories")
def repositories() -> None:
    """Create, delete and list repositories."""


@repositories.command("list")
@on("organization")
@emits(Listing((Field("name", "Repository"),), bare=True))
def list_repositories(place: Organization, emit: Emit) -> None:
    """List the repositories of an organization.

    \b
    For example:
    hatcher repositories list acme
    """
    emit({"name": name} for name in sorted(place.list_repositories()))


@repositories.command("create")
@on("organization")
@argument("repository", "What to call the repository.")
@_description
@flag("--public", help="Let everybody read it, without credentials.")
@if_missing
@dry_run
def create_repository(
    place: Organization,
    repository: str,
    description: str,
    public: bool,
    if_missing: bool,
    dry_run: bool,
) -> None:
    """Create a repository in an organization.

    \b
    For example:
    hatcher repositories create acme prod "What customers get"
    """
    what = f"the {'public ' if public else ''}repository {place.name}/{repository}"
    if dry_run:
        _would_create(what, repository, place.list_repositories(), if_missing=if_missing)
        return
    create = partial(place.create_repository, repository, description, public=public)
    _create(what, create, if_missing=if_missing)


@repositories.command("delete")
@on_repository()
@transfers.deleting("Delete it with all that is in it.")
@pass_state
def delete_repository(state: State, place: Repository, dry_run: bool, **options: Any) -> None:
    """Delete a repository.

    \b
    For example:
    hatcher repositories delete acme old --force
    """
    if dry_run:
        organization = state.client.organization(place.organization_name)
        if options["missing_ok"] and place.name not in organization.list_repositories():
            say(f"There is no repository {place}.")
            return
        found(state, place, place.metadata)
        say(f"Would delete the repository {place}.")
        return
    transfers.delete(place, "the repository {place}", dry_run=False, **options)


@repositories.command("metadata")
@on_repository()
@emits(Document((Field("name", "Repository"), Field("access", "Access"))))
@pass_state
def repository_metadata(state: State, place: Repository, emit: Emit) -> None:
    """Show what the server says of a repository, and what you may do there.

    \b
    For example:
    hatcher repositories metadata acme dev
    """
    emit(found(state, place, place.metadata))


def found(state: State, place: Any, ask: Callable[[], T]) -> T:
    """Ask something of a place; where there is no such repository, say which one may be meant."""
    try:
        return ask()
    except HatcherException as error:
        if type(error) is not HatcherException:
            raise
        # No answer of the server says so: it is not among those that one may see.
        visible = state.client.list_available_repositories(include_indexable=True)
        raise Refusal(
            f"There is no repository {place} that you may see.",
            question(alike(str(place), visible, most=1))
            or "List them: hatcher user repositories --include-indexable",
            ExitCode.NOT_FOUND,
        ) from None


def _access(who: str, has: bool, what: str) -> str:
    """Return the words of the old command line, which scripts may look for."""
    return f"'{who}' {'has' if has else 'does not have'} access to '{what}'"


REPOSITORY_ACCESS = Document(
    (
        Field("team", "Team"),
        Field("repository", "Repository"),
        Field("access", "Access", "boolean"),
    ),
    sentence=lambda seen: _access(
        seen["team"], seen["access"], seen["repository"].partition("/")[2]
    ),
)
MEMBERSHIP = Document(
    (Field("team", "Team"), Field("email", "Member"), Field("member", "Is a member", "boolean")),
    sentence=lambda seen: _access(seen["email"], seen["member"], seen["team"]),
)

_on_team = on("organization", "team")
_team_repository = argument("repository", "The name of the repository.", "team's repositories")
_member = argument("email", "The member's email address.", "team's members")


@group("teams")
def teams() -> None:
    """Manage teams, their members and repositories."""


@teams.command("list")
@on("organization")
@flag("--long", help="Show their access levels, too.")
@emits(Listing((Field("name", "Team"), Field("group", "Access")), bare=True))
def list_teams(place: Organization, long: bool, emit: Emit) -> None:
    """List the teams of an organization.

    \b
    For example:
    hatcher teams list acme
    hatcher teams list acme --long
    """
    if long:
        emit = emit._replace(chosen=emit.chosen or "table")
    emit(sorted(place.list_teams(), key=lambda team: team["name"]))


@teams.command("create")
@on("organization")
@argument("team", "What to call the team.")
@argument("group", "What its members may do: an access level.")
@if_missing
@dry_run
def create_team(
    place: Organization, team: str, group: str, if_missing: bool, dry_run: bool
) -> None:
    """Create a team.

    GROUP is what its members may do in its repositories: read_index, read_repository,
    upload_repository or organization_administrator.

    \b
    For example:
    hatcher teams create acme testers read_repository
    """
    if dry_run:
        known = {each["name"]: each["group"] for each in place.list_teams()}
        group = known.get(team, group) if if_missing else group
        what = f"the team {team} in {place.name}, with {group}"
        _would_create(what, team, known, if_missing=if_missing)
        return
    create = partial(place.create_team, team, group)
    _create(f"the team {team} in {place.name}", create, if_missing=if_missing)


@teams.command("delete")
@_on_team
@transfers.deleting("Delete it even when it has members or repositories.")
def delete_team(team: Team, **options: Any) -> None:
    """Delete a team; its members and repositories stay.

    Asks before in a terminal only; a script is not asked.

    \b
    For example:
    hatcher teams delete acme leavers --force
    """
    # The existing command line asks nothing here: scripts do not say --yes.
    options["assume_yes"] = options["assume_yes"] or not is_terminal(sys.stdin)
    transfers.delete(team, "the team {team} of {place}", **options)


@teams.command("metadata")
@_on_team
@emits(Document((Field("name", "Team"), Field("group", "Access"))))
def team_metadata(team: Team, emit: Emit) -> None:
    """Show what the server says of a team.

    \b
    For example:
    hatcher teams metadata acme builders
    """
    emit(team.metadata())


# -- its repositories ---------------------------------------------------------------------


@teams.group("repositories")
def team_repositories() -> None:
    """Manage what repositories a team has access to."""


@team_repositories.command("list")
@_on_team
@emits(Listing((Field("name", "Repository"),), bare=True))
def list_team_repositories(team: Team, emit: Emit) -> None:
    """List the repositories that a team has access to.

    \b
    For example:
    hatcher teams repositories list acme builders
    """
    emit({"name": name} for name in team.list_repositories())


@team_repositories.command("add")
@_on_team
@argument("repository", "The name of the repository.", "repositories")
@dry_run
def add_repository(team: Team, repository: str, dry_run: bool) -> None:
    """Give a team access to a repository.

    \b
    For example:
    hatcher teams repositories add acme builders other
    """
    what = f"the team {team.name} access to {team.organization_name}/{repository}"
    if dry_run:
        already = ", which it has already" if repository in team.list_repositories() else ""
        say(f"Would give {what}{already}.")
        return
    team.add_repository(repository)
    say(f"Gave {what}.", "green")


@team_repositories.command("remove")
@_on_team
@_team_repository
@missing_ok
@dry_run
def remove_repository(team: Team, repository: str, missing_ok: bool, dry_run: bool) -> None:
    """Take a team's access to a repository away; the repository stays.

    \b
    For example:
    hatcher teams repositories remove acme builders dev
    """
    what = f"the team {team.name}'s access to {team.organization_name}/{repository} away"
    if dry_run:
        hasnt = "" if repository in team.list_repositories() else ", which it does not have"
        say(f"Would take {what}{hasnt}.")
        return
    gone = f"The team {team.name} has no access to {team.organization_name}/{repository}."
    remove = partial(team.remove_repository, repository)
    transfers.remove(remove, f"Took {what}.", gone, missing_ok=missing_ok)


@team_repositories.command("query")
@_on_team
@_team_repository
@emits(REPOSITORY_ACCESS)
def query_repository(team: Team, repository: str, emit: Emit) -> None:
    """Ask whether a team has access to a repository; the exit code is 1 when not.

    \b
    For example:
    hatcher teams repositories query acme builders dev
    """
    access = team.query_repository_access(repository)
    named = f"{team.organization_name}/{repository}"
    emit({"team": team.name, "repository": named, "access": access})
    click.get_current_context().exit(int(not access))


# -- its members --------------------------------------------------------------------------


def _is_member(team: Team, email: str) -> bool:
    """Whether somebody is in a team; raises NotFoundError when there is no such team."""
    return email.lower() in map(str.lower, team.list_users())


@teams.group("members")
def members() -> None:
    """Manage the members of a team."""


@members.command("list")
@_on_team
@emits(Listing((Field("email", "Member"),), bare=True))
def list_members(team: Team, emit: Emit) -> None:
    """List the members of a team.

    \b
    For example:
    hatcher teams members list acme builders
    """
    emit({"email": email} for email in team.list_users())


@members.command("add")
@_on_team
@argument("email", "The user's email address.", "members")
@dry_run
def add_member(team: Team, email: str, dry_run: bool) -> None:
    """Make a user of the organization a member of a team.

    \b
    For example:
    hatcher teams members add acme builders grace@example.com
    """
    what = f"{email} a member of the team {team.name}"
    if dry_run:
        already = ", which they are already" if _is_member(team, email) else ""
        say(f"Would make {what}{already}.")
        return
    team.add_user(email)
    say(f"Made {what}.", "green")


@members.command("remove")
@_on_team
@_member
@missing_ok
@dry_run
def remove_member(team: Team, email: str, missing_ok: bool, dry_run: bool) -> None:
    """Take a member out of a team; the user stays in the organization.

    \b
    For example:
    hatcher teams members remove acme builders ada@example.com
    """
    what = f"{email} out of the team {team.name}"
    if dry_run:
        hasnt = "" if _is_member(team, email) else ", where they are not"
        say(f"Would take {what}{hasnt}.")
        return
    gone = f"{email} is no member of the team {team.name}."
    remove = partial(team.remove_user, email)
    transfers.remove(remove, f"Took {what}.", gone, missing_ok=missing_ok)


@members.command("query")
@_on_team
@_member
@emits(MEMBERSHIP)
def query_member(team: Team, email: str, emit: Emit) -> None:
    """Ask whether a user is a member of a team; the exit code is 1 when not.

    \b
    For example:
    hatcher teams members query acme builders ada@example.com
    """
    member = team.query_user_access(email)
    emit({"team": team.name, "email": email, "member": member})
    click.get_current_context().exit(int(not member))


# -- users --------------------------------------------------------------------------------

NEW_USER = Document(
    (Field("email", "New User"), Field("one_time_password", "First Password", ("string", "null"))),
    as_row=True,
)


@group("users")
def users() -> None:
    """Create, delete and list users."""


@users.command("create")
@on("organization")
@argument("email", "The email address that the user is to log in with.")
@choices(
    "--team",
    metavar="TEAM",
    completed="teams",
    help="Make them a member of it; may be repeated.",
)
@if_missing
@dry_run
@emits(NEW_USER)
def create_user(
    place: Organization,
    email: str,
    team: tuple[str, ...],
    if_missing: bool,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Create a user in an organization.

    Some servers make up a first password. It is written to standard output, this once; give it
    to the user.

    \b
    For example:
    hatcher users create acme barbara@example.com --team builders
    """
    members_of = f", as a member of {', '.join(team)}" if team else ""
    if dry_run:
        for name in team:
            place.team(name).metadata()
        what = f"the user {email} in {place.name}{members_of}"
        known = [email] if if_missing and place.user(email)._found() else []
        _would_create(what, email, known, if_missing=if_missing)
        return
    create = partial(place.create_user, email, teams=team or None)
    what = f"the user {email} in {place.name}"
    user = _create(what, create, if_missing=if_missing, more=members_of)
    # For people there is nothing more to see, unless there is a password.
    if emit.is_chosen or user.one_time_password is not None:
        emit({"email": email, "one_time_password": user.one_time_password})


@users.command("list")
@on("organization")
@emits(Listing((Field("email", "User"), Field("teams", "Teams", "array"))))
def list_users(place: Organization, emit: Emit) -> None:
    """List the users of an organization, with their teams.

    Those who are in no team are not in it: Brood does not tell of them. The exit code is 7 when the
    members of a team could not be read.

    \b
    For example:
    hatcher users list acme
    """
    from hatcher import access

    told = access.read(place)
    emit(told.members)
    raise_for(told.problems, told.summary)


@users.command("delete")
@on("organization", "user")
@transfers.deleting("Delete them even where the server would keep them.")
def delete_user(user: User, **options: Any) -> None:
    """Delete a user from an organization.

    \b
    For example:
    hatcher users delete acme grace@example.com --force
    """
    transfers.delete(user, "the user {email} of {place}", **options)


@users.command("metadata")
@on("organization", "user")
@emits(Document((Field("email", "User"),)))
def user_metadata(user: User, emit: Emit) -> None:
    """Show what the server says of a user.

    \b
    For example:
    hatcher users metadata acme ada@example.com
    """
    emit(user.metadata())


NEW_TOKEN = Document((Field("name", "New Token Name"), Field("token", "New Token")), as_row=True)
TOKENS = Listing(
    (
        Field("name", "Name"),
        Field("created", "Created"),
        Field("last_used", "Last Used", ("string", "null")),
    )
)


@group("api-tokens")
def api_tokens() -> None:
    """Create, delete and list API tokens."""


@api_tokens.command("create")
@argument("name", "What to call the token, such as where it is used.")
@dry_run
@emits(NEW_TOKEN)
@pass_state
def create_token(state: State, name: str, dry_run: bool, emit: Emit) -> None:
    """Create an API token of yours.

    The token is written to standard output, this once; nobody can ask for it again. Whoever has
    it may do what you may do.

    \b
    For example:
    hatcher api-tokens create 'nightly builds'
    """
    if dry_run:
        state.client.list_api_tokens()
        say(f"Would create the API token {name}.")
        return
    emit(state.client.create_api_token(name))


@api_tokens.command("delete")
@argument("name", "What the token is called.", "API tokens")
@missing_ok
@assume_yes
@dry_run
@pass_state
def delete_token(
    state: State, name: str, missing_ok: bool, assume_yes: bool, dry_run: bool
) -> None:
    """Delete an API token of yours; it stops working at once.

    \b
    For example:
    hatcher api-tokens delete nightly
    """
    if dry_run:
        known = name in map(itemgetter("name"), state.client.list_api_tokens())
        say(f"Would delete the API token {name}{'' if known else ', which there is not'}.")
        return
    confirm(f"The API token {name} will be deleted. Go on?", assume_yes=assume_yes)
    # Imported here, for those who forget one.
    from hatcher.cli.settings.sessions import forget_sessions

    delete, what = partial(state.client.delete_api_token, name), f"API token {name}"
    done, gone = f"Deleted the {what}.", f"There is no {what}."
    transfers.remove(delete, done, gone, missing_ok=missing_ok)
    forget_sessions()


@api_tokens.command("list")
@emits(TOKENS)
@pass_state
def list_tokens(state: State, emit: Emit) -> None:
    """List your API tokens, without their secrets; dates are in UTC.

    \b
    For example:
    hatcher api-tokens list
    """
    emit(sorted(state.client.list_api_tokens(), key=itemgetter("name")))


@group("platforms")
def platforms() -> None:
    """List platforms."""


@platforms.command("list")
@emits(Listing((Field("name", "Platforms"),)))
@pass_state
def list_platforms(state: State, emit: Emit) -> None:
    """List the platforms that the server knows.

    \b
    For example:
    hatcher platforms list
    """
    emit({"name": name} for name in state.client.list_platforms())


@group("python-tags")
def python_tags() -> None:
    """List PEP 425 python tags."""


@python_tags.command("list")
@flag("--all", help="Also generic ones, such as py3.")
@emits(Listing((Field("python_tag", "Python Tag"),)))
@pass_state
def list_python_tags(state: State, all: bool, emit: Emit) -> None:
    """List the python tags that the server knows.

    Without --all, those of real implementations and versions.

    \b
    For example:
    hatcher python-tags list
    """
    emit({"python_tag": tag} for tag in sorted(state.client.list_python_tags(list_all=all)))


@group("user")
def user() -> None:
    """What you have access to."""


@user.command("repositories")
@flag("--include-indexable", help="Also those of which you may read the index only.")
@emits(Listing((Field("name", "Repository"),)))
@pass_state
def list_available(state: State, include_indexable: bool, emit: Emit) -> None:
    """List the repositories that you have access to, in all organizations.

    \b
    For example:
    hatcher user repositories
    """
    names = state.client.list_available_repositories(include_indexable=include_indexable)
    emit({"name": name} for name in names)
