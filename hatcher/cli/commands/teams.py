"""`hatcher teams`."""

from __future__ import annotations

import sys

import click

from hatcher.cli.groups import group
from hatcher.cli.output.chatter import say
from hatcher.cli.output.data import Document, Emit, Field, Listing, Record, emits
from hatcher.cli.output.streams import is_terminal
from hatcher.cli.parameters import arguments, assume_yes, dry_run
from hatcher.cli.removals import remove
from hatcher.cli.state import State, pass_state

TEAMS = Listing((Field("name", "Team"), Field("group", "Access")), bare=True)
REPOSITORIES = Listing((Field("name", "Repository"),), bare=True)
MEMBERS = Listing((Field("email", "Member"),), bare=True)
TEAM = Document((Field("name", "Team"), Field("group", "Access")))


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


@group("teams")
def teams() -> None:
    """Manage teams, their members and repositories."""


@teams.command("list")
@arguments("organization")
@emits(TEAMS)
@pass_state
def list_(state: State, organization: str, emit: Emit) -> None:
    """List the teams of an organization."""
    emit(sorted(state.organization(organization).list_teams(), key=lambda team: team["name"]))


@teams.command("create")
@arguments("organization", "team", "group")
@dry_run
@pass_state
def create(state: State, organization: str, team: str, group: str, dry_run: bool) -> None:
    """Create a team.

    GROUP is what its members may do in its repositories: read_index, read_repository,
    upload_repository or organization_administrator.
    """
    place = state.organization(organization)
    if dry_run:
        place.list_teams()
        say(f"Would create the team {team} in {organization}, with {group}.")
        return
    place.create_team(team, group)
    say(f"Created the team {team} in {organization}.", "green")


@teams.command("delete")
@arguments("organization", "team")
@click.option(
    "--force",
    is_flag=True,
    default=False,
    help="Delete it even when it has members or repositories.",
)
@assume_yes
@dry_run
@pass_state
def delete(
    state: State, organization: str, team: str, force: bool, assume_yes: bool, dry_run: bool
) -> None:
    """Delete a team; its members and repositories stay.

    Asks before in a terminal only; a script is not asked.
    """
    remove(
        state.team(organization, team),
        f"the team {team} of {organization}",
        force=force,
        # The existing command line asks nothing here: scripts do not say --yes.
        assume_yes=assume_yes or not is_terminal(sys.stdin),
        dry_run=dry_run,
    )


@teams.command("metadata")
@arguments("organization", "team")
@emits(TEAM)
@pass_state
def metadata(state: State, organization: str, team: str, emit: Emit) -> None:
    """Show what the server says of a team."""
    emit(state.team(organization, team).metadata())


# -- its repositories ---------------------------------------------------------------------


@teams.group("repositories")
def repositories() -> None:
    """Manage what repositories a team has access to."""


@repositories.command("list")
@arguments("organization", "team")
@emits(REPOSITORIES)
@pass_state
def list_repositories(state: State, organization: str, team: str, emit: Emit) -> None:
    """List the repositories that a team has access to."""
    emit({"name": name} for name in state.team(organization, team).list_repositories())


@repositories.command("add")
@arguments("organization", "team", "repository")
@dry_run
@pass_state
def add_repository(
    state: State, organization: str, team: str, repository: str, dry_run: bool
) -> None:
    """Give a team access to a repository."""
    place = state.team(organization, team)
    if dry_run:
        has = place.query_repository_access(repository)
        already = ", which it has already" if has else ""
        say(f"Would give the team {team} access to {organization}/{repository}{already}.")
        return
    place.add_repository(repository)
    say(f"Gave the team {team} access to {organization}/{repository}.", "green")


@repositories.command("remove")
@arguments("organization", "team", "repository")
@dry_run
@pass_state
def remove_repository(
    state: State, organization: str, team: str, repository: str, dry_run: bool
) -> None:
    """Take a team's access to a repository away; the repository stays."""
    place = state.team(organization, team)
    if dry_run:
        has = place.query_repository_access(repository)
        hasnt = "" if has else ", which it does not have"
        say(f"Would take the team {team}'s access to {organization}/{repository} away{hasnt}.")
        return
    place.remove_repository(repository)
    say(f"Took the team {team}'s access to {organization}/{repository} away.", "green")


@repositories.command("query")
@arguments("organization", "team", "repository")
@emits(REPOSITORY_ACCESS)
@pass_state
@click.pass_context
def query_repository(
    ctx: click.Context, state: State, organization: str, team: str, repository: str, emit: Emit
) -> None:
    """Ask whether a team has access to a repository; the exit code is 1 when not."""
    access = state.team(organization, team).query_repository_access(repository)
    emit({"team": team, "repository": f"{organization}/{repository}", "access": access})
    if not access:
        ctx.exit(1)


# -- its members --------------------------------------------------------------------------


@teams.group("members")
def members() -> None:
    """Manage the members of a team."""


@members.command("list")
@arguments("organization", "team")
@emits(MEMBERS)
@pass_state
def list_members(state: State, organization: str, team: str, emit: Emit) -> None:
    """List the members of a team."""
    emit({"email": email} for email in state.team(organization, team).list_users())


@members.command("add")
@arguments("organization", "team", "email")
@dry_run
@pass_state
def add_member(state: State, organization: str, team: str, email: str, dry_run: bool) -> None:
    """Make a user of the organization a member of a team."""
    place = state.team(organization, team)
    if dry_run:
        already = ", which they are already" if place.query_user_access(email) else ""
        say(f"Would make {email} a member of the team {team}{already}.")
        return
    place.add_user(email)
    say(f"Made {email} a member of the team {team}.", "green")


@members.command("remove")
@arguments("organization", "team", "email")
@dry_run
@pass_state
def remove_member(state: State, organization: str, team: str, email: str, dry_run: bool) -> None:
    """Take a member out of a team; the user stays in the organization."""
    place = state.team(organization, team)
    if dry_run:
        hasnt = "" if place.query_user_access(email) else ", where they are not"
        say(f"Would take {email} out of the team {team}{hasnt}.")
        return
    place.remove_user(email)
    say(f"Took {email} out of the team {team}.", "green")


@members.command("query")
@arguments("organization", "team", "email")
@emits(MEMBERSHIP)
@pass_state
@click.pass_context
def query_member(
    ctx: click.Context, state: State, organization: str, team: str, email: str, emit: Emit
) -> None:
    """Ask whether a user is a member of a team; the exit code is 1 when not."""
    member = state.team(organization, team).query_user_access(email)
    emit({"team": team, "email": email, "member": member})
    if not member:
        ctx.exit(1)
