"""`hatcher users`."""

from __future__ import annotations

import click

from hatcher.cli.groups import group
from hatcher.cli.output.chatter import say
from hatcher.cli.output.data import Document, Emit, Field, emits
from hatcher.cli.parameters import arguments, assume_yes, completes, dry_run
from hatcher.cli.removals import remove
from hatcher.cli.state import State, pass_state

NEW_USER = Document(
    (Field("email", "New User"), Field("one_time_password", "First Password", ("string", "null"))),
    as_row=True,
)
USER = Document((Field("email", "User"),))


@group("users")
def users() -> None:
    """Create and delete users."""


@users.command("create")
@arguments("organization", "email")
@click.option(
    "--team",
    multiple=True,
    metavar="TEAM",
    shell_complete=completes,
    help="Make them a member of it; may be repeated.",
)
@dry_run
@emits(NEW_USER)
@pass_state
def create(
    state: State, organization: str, email: str, team: tuple[str, ...], dry_run: bool, emit: Emit
) -> None:
    """Create a user in an organization.

    Some servers make up a first password. It is written to standard output, this once; give it
    to the user.
    """
    members_of = f", as a member of {', '.join(team)}" if team else ""
    place = state.organization(organization)
    if dry_run:
        for name in team:
            place.team(name).metadata()
        say(f"Would create the user {email} in {organization}{members_of}.")
        return
    user = place.create_user(email, teams=team or None)
    say(f"Created the user {email} in {organization}{members_of}.", "green")
    # For people there is nothing more to see, unless there is a password.
    if emit.is_chosen or user.one_time_password is not None:
        emit({"email": email, "one_time_password": user.one_time_password})


@users.command("delete")
@arguments("organization", "email")
@click.option(
    "--force",
    is_flag=True,
    default=False,
    help="Delete them even where the server would keep them.",
)
@assume_yes
@dry_run
@pass_state
def delete(
    state: State, organization: str, email: str, force: bool, assume_yes: bool, dry_run: bool
) -> None:
    """Delete a user from an organization."""
    remove(
        state.organization(organization).user(email),
        f"the user {email} of {organization}",
        force=force,
        assume_yes=assume_yes,
        dry_run=dry_run,
    )


@users.command("metadata")
@arguments("organization", "email")
@emits(USER)
@pass_state
def metadata(state: State, organization: str, email: str, emit: Emit) -> None:
    """Show what the server says of a user."""
    emit(state.organization(organization).user(email).metadata())
