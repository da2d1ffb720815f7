"""`hatcher teams` and `hatcher users`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli import transfers
from hatcher.cli.data import Document, Emit, Field, Listing, Record, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import argument, choices, dry_run, on
from hatcher.cli.terminal import is_terminal, say

if TYPE_CHECKING:
    from hatcher.api import Organization, Team, User


def _repository_access(record: Record) -> str:
    has = "has" if record["access"] else "does not have"
    return f"The team {record['team']} {has} access to {record['repository']}."


def _membership(record: Record) -> str:
    is_ = "is" if record["member"] else "is not"
    return f"{record['email']} {is_} a member of the team {record['team']}."


REPOSITORY_ACCESS = Document(
    (
        Field("team", "Team"),
        Field("repository", "Repository"),
        Field("access", "Access", "boolean"),
    ),
    sentence=_repository_access,
)
MEMBERSHIP = Document(
    (Field("team", "Team"), Field("email", "Member"), Field("member", "Is a member", "boolean")),
    sentence=_membership,
)

_on_team = on("organization", "team")
_repository = argument("repository", "The name of the repository.", "team's repositories")
_member = argument("email", "The member's email address.", "team's members")


@group("teams")
def teams() -> None:
    """Manage teams, their members and repositories."""


@teams.command("list")
@on("organization")
@emits(Listing((Field("name", "Team"), Field("group", "Access")), bare=True))
def list_(place: Organization, emit: Emit) -> None:
    """List the teams of an organization."""
    emit(sorted(place.list_teams(), key=lambda team: team["name"]))


@teams.command("create")
@on("organization")
@argument("team", "What to call the team.")
@argument("group", "What its members may do: an access level.")
@dry_run
def create(place: Organization, team: str, group: str, dry_run: bool) -> None:
    """Create a team.

    GROUP is what its members may do in its repositories: read_index, read_repository,
    upload_repository or organization_administrator.
    """
    if dry_run:
        place.list_teams()
        say(f"Would create the team {team} in {place.name}, with {group}.")
        return
    place.create_team(team, group)
    say(f"Created the team {team} in {place.name}.", "green")


@teams.command("delete")
@_on_team
@transfers.deleting("Delete it even when it has members or repositories.")
def delete(team: Team, **options: Any) -> None:
    """Delete a team; its members and repositories stay.

    Asks before in a terminal only; a script is not asked.
    """
    # The existing command line asks nothing here: scripts do not say --yes.
    options["assume_yes"] = options["assume_yes"] or not is_terminal(sys.stdin)
    transfers.delete(team, "the team {team} of {place}", **options)


@teams.command("metadata")
@_on_team
@emits(Document((Field("name", "Team"), Field("group", "Access"))))
def metadata(team: Team, emit: Emit) -> None:
    """Show what the server says of a team."""
    emit(team.metadata())


# -- its repositories ---------------------------------------------------------------------


@teams.group("repositories")
def repositories() -> None:
    """Manage what repositories a team has access to."""


@repositories.command("list")
@_on_team
@emits(Listing((Field("name", "Repository"),), bare=True))
def list_repositories(team: Team, emit: Emit) -> None:
    """List the repositories that a team has access to."""
    emit({"name": name} for name in team.list_repositories())


@repositories.command("add")
@_on_team
@argument("repository", "The name of the repository.", "repositories")
@dry_run
def add_repository(team: Team, repository: str, dry_run: bool) -> None:
    """Give a team access to a repository."""
    what = f"the team {team.name} access to {team.organization_name}/{repository}"
    if dry_run:
        already = ", which it has already" if team.query_repository_access(repository) else ""
        say(f"Would give {what}{already}.")
        return
    team.add_repository(repository)
    say(f"Gave {what}.", "green")


@repositories.command("remove")
@_on_team
@_repository
@dry_run
def remove_repository(team: Team, repository: str, dry_run: bool) -> None:
    """Take a team's access to a repository away; the repository stays."""
    what = f"the team {team.name}'s access to {team.organization_name}/{repository} away"
    if dry_run:
        hasnt = "" if team.query_repository_access(repository) else ", which it does not have"
        say(f"Would take {what}{hasnt}.")
        return
    team.remove_repository(repository)
    say(f"Took {what}.", "green")


@repositories.command("query")
@_on_team
@_repository
@emits(REPOSITORY_ACCESS)
def query_repository(team: Team, repository: str, emit: Emit) -> None:
    """Ask whether a team has access to a repository; the exit code is 1 when not."""
    access = team.query_repository_access(repository)
    named = f"{team.organization_name}/{repository}"
    emit({"team": team.name, "repository": named, "access": access})
    click.get_current_context().exit(int(not access))


# -- its members --------------------------------------------------------------------------


@teams.group("members")
def members() -> None:
    """Manage the members of a team."""


@members.command("list")
@_on_team
@emits(Listing((Field("email", "Member"),), bare=True))
def list_members(team: Team, emit: Emit) -> None:
    """List the members of a team."""
    emit({"email": email} for email in team.list_users())


@members.command("add")
@_on_team
@argument("email", "The user's email address.", "members")
@dry_run
def add_member(team: Team, email: str, dry_run: bool) -> None:
    """Make a user of the organization a member of a team."""
    what = f"{email} a member of the team {team.name}"
    if dry_run:
        already = ", which they are already" if team.query_user_access(email) else ""
        say(f"Would make {what}{already}.")
        return
    team.add_user(email)
    say(f"Made {what}.", "green")


@members.command("remove")
@_on_team
@_member
@dry_run
def remove_member(team: Team, email: str, dry_run: bool) -> None:
    """Take a member out of a team; the user stays in the organization."""
    what = f"{email} out of the team {team.name}"
    if dry_run:
        hasnt = "" if team.query_user_access(email) else ", where they are not"
        say(f"Would take {what}{hasnt}.")
        return
    team.remove_user(email)
    say(f"Took {what}.", "green")


@members.command("query")
@_on_team
@_member
@emits(MEMBERSHIP)
def query_member(team: Team, email: str, emit: Emit) -> None:
    """Ask whether a user is a member of a team; the exit code is 1 when not."""
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
    """Create and delete users."""


@users.command("create")
@on("organization")
@argument("email", "The email address that the user is to log in with.")
@choices(
    "--team",
    metavar="TEAM",
    completed="teams",
    help="Make them a member of it; may be repeated.",
)
@dry_run
@emits(NEW_USER)
def create_user(
    place: Organization, email: str, team: tuple[str, ...], dry_run: bool, emit: Emit
) -> None:
    """Create a user in an organization.

    Some servers make up a first password. It is written to standard output, this once; give it
    to the user.
    """
    members_of = f", as a member of {', '.join(team)}" if team else ""
    if dry_run:
        for name in team:
            place.team(name).metadata()
        say(f"Would create the user {email} in {place.name}{members_of}.")
        return
    user = place.create_user(email, teams=team or None)
    say(f"Created the user {email} in {place.name}{members_of}.", "green")
    # For people there is nothing more to see, unless there is a password.
    if emit.is_chosen or user.one_time_password is not None:
        emit({"email": email, "one_time_password": user.one_time_password})


@users.command("delete")
@on("organization", "user")
@transfers.deleting("Delete them even where the server would keep them.")
def delete_user(user: User, **options: Any) -> None:
    """Delete a user from an organization."""
    transfers.delete(user, "the user {email} of {place}", **options)


@users.command("metadata")
@on("organization", "user")
@emits(Document((Field("email", "User"),)))
def user_metadata(user: User, emit: Emit) -> None:
    """Show what the server says of a user."""
    emit(user.metadata())
