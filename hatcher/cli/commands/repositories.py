"""`hatcher organizations` and `hatcher repositories`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatcher.cli import transfers
from hatcher.cli.data import Document, Emit, Field, Listing, Record, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import argument, dry_run, flag, on, on_repository
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import say
from hatcher.errors import HatcherException
from hatcher.suggestions import alike, question

if TYPE_CHECKING:
    from hatcher.api import Organization, Repository

_description = argument("description", "What it is, in a sentence.")


@group("organizations")
def organizations() -> None:
    """Create and list organizations."""


@organizations.command("create")
@argument("name", "What to call the organization.")
@_description
@dry_run
@pass_state
def create_organization(state: State, name: str, description: str, dry_run: bool) -> None:
    """Create an organization."""
    if dry_run:
        state.client.list_organizations()
        say(f"Would create the organization {name}.")
        return
    state.client.create_organization(name, description)
    say(f"Created the organization {name}.", "green")


@organizations.command("list")
@emits(Listing((Field("name", "Organization"),), bare=True))
@pass_state
def list_organizations(state: State, emit: Emit) -> None:
    """List the organizations of the server."""
    emit({"name": name} for name in sorted(state.client.list_organizations()))


@group("repositories")
def repositories() -> None:
    """Create, delete and list repositories."""


@repositories.command("list")
@on("organization")
@emits(Listing((Field("name", "Repository"),), bare=True))
def list_repositories(place: Organization, emit: Emit) -> None:
    """List the repositories of an organization."""
    emit({"name": name} for name in sorted(place.list_repositories()))


@repositories.command("create")
@on("organization")
@argument("repository", "What to call the repository.")
@_description
@flag("--public", help="Let everybody read it, without credentials.")
@dry_run
def create(
    place: Organization, repository: str, description: str, public: bool, dry_run: bool
) -> None:
    """Create a repository in an organization."""
    what = f"the {'public ' if public else ''}repository {place.name}/{repository}"
    if dry_run:
        place.list_repositories()
        say(f"Would create {what}.")
        return
    place.create_repository(repository, description, public=public)
    say(f"Created {what}.", "green")


@repositories.command("delete")
@on_repository()
@transfers.deleting("Delete it with all that is in it.")
@pass_state
def delete(state: State, place: Repository, dry_run: bool, **options: Any) -> None:
    """Delete a repository."""
    if dry_run:
        _metadata(state, place)
        say(f"Would delete the repository {place}.")
        return
    transfers.delete(place, "the repository {place}", dry_run=False, **options)


@repositories.command("metadata")
@on_repository()
@emits(Document((Field("name", "Repository"), Field("access", "Access"))))
@pass_state
def metadata(state: State, place: Repository, emit: Emit) -> None:
    """Show what the server says of a repository, and what you may do there."""
    emit(_metadata(state, place))


def _metadata(state: State, place: Repository) -> Record:
    try:
        return place.metadata()
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
