"""`hatcher organizations`."""

from __future__ import annotations

from hatcher.cli.groups import group
from hatcher.cli.output.chatter import say
from hatcher.cli.output.data import Emit, Field, Listing, emits
from hatcher.cli.parameters import arguments, dry_run
from hatcher.cli.state import State, pass_state

ORGANIZATIONS = Listing((Field("name", "Organization"),), bare=True)


@group("organizations")
def organizations() -> None:
    """Create and list organizations."""


@organizations.command("create")
@arguments("name", "description")
@dry_run
@pass_state
def create(state: State, name: str, description: str, dry_run: bool) -> None:
    """Create an organization."""
    if dry_run:
        state.client.list_organizations()
        say(f"Would create the organization {name}.")
        return
    state.client.create_organization(name, description)
    say(f"Created the organization {name}.", "green")


@organizations.command("list")
@emits(ORGANIZATIONS)
@pass_state
def list_(state: State, emit: Emit) -> None:
    """List the organizations of the server."""
    emit({"name": name} for name in sorted(state.client.list_organizations()))
