"""`hatcher repositories`."""

from __future__ import annotations

from difflib import get_close_matches

import click

from hatcher.cli.failures.explaining import ExitCode
from hatcher.cli.failures.refusals import Refusal
from hatcher.cli.groups import group
from hatcher.cli.output.chatter import confirm, say
from hatcher.cli.output.data import Document, Emit, Field, Listing, Record, emits
from hatcher.cli.parameters import arguments, assume_yes, dry_run
from hatcher.cli.state import State, pass_state
from hatcher.errors import HatcherException

REPOSITORIES = Listing((Field("name", "Repository"),), bare=True)
REPOSITORY = Document((Field("name", "Repository"), Field("access", "Access")))


@group("repositories")
def repositories() -> None:
    """Create, delete and list repositories."""


@repositories.command("list")
@arguments("organization")
@emits(REPOSITORIES)
@pass_state
def list_(state: State, organization: str, emit: Emit) -> None:
    """List the repositories of an organization."""
    names = state.organization(organization).list_repositories()
    emit({"name": name} for name in sorted(names))


@repositories.command("create")
@arguments("organization", "repository", "description")
@click.option(
    "--public", is_flag=True, default=False, help="Let everybody read it, without credentials."
)
@dry_run
@pass_state
def create(
    state: State,
    organization: str,
    repository: str,
    description: str,
    public: bool,
    dry_run: bool,
) -> None:
    """Create a repository in an organization."""
    place = state.organization(organization)
    kind = "public repository" if public else "repository"
    if dry_run:
        place.list_repositories()
        say(f"Would create the {kind} {organization}/{repository}.")
        return
    place.create_repository(repository, description, public=public)
    say(f"Created the {kind} {organization}/{repository}.", "green")


@repositories.command("delete")
@arguments("organization", "repository")
@click.option("--force", is_flag=True, default=False, help="Delete it with all that is in it.")
@assume_yes
@dry_run
@pass_state
def delete(
    state: State, organization: str, repository: str, force: bool, assume_yes: bool, dry_run: bool
) -> None:
    """Delete a repository."""
    place = state.repository(organization, repository)
    if dry_run:
        _metadata(state, organization, repository)
        say(f"Would delete the repository {place}.")
        return
    confirm(f"The repository {place} will be deleted. Go on?", assume_yes=assume_yes)
    place.delete(force=force)
    say(f"Deleted the repository {place}.", "green")


@repositories.command("metadata")
@arguments("organization", "repository")
@emits(REPOSITORY)
@pass_state
def metadata(state: State, organization: str, repository: str, emit: Emit) -> None:
    """Show what the server says of a repository, and what you may do there."""
    emit(_metadata(state, organization, repository))


def _metadata(state: State, organization: str, repository: str) -> Record:
    place = state.repository(organization, repository)
    try:
        return place.metadata()
    except HatcherException as error:
        if type(error) is not HatcherException:
            raise
        # No answer of the server says so: it is not among those that one may see.
        visible = state.client.list_available_repositories(include_indexable=True)
        close = get_close_matches(str(place), visible, 1)
        raise Refusal(
            f"There is no repository {place} that you may see.",
            f"Did you mean {close[0]}?"
            if close
            else "List them: hatcher user repositories --include-indexable",
            ExitCode.NOT_FOUND,
        ) from None
