"""`hatcher user`."""

from __future__ import annotations

import click

from hatcher.cli.groups import group
from hatcher.cli.output.data import Emit, Field, Listing, emits
from hatcher.cli.state import State, pass_state

REPOSITORIES = Listing((Field("name", "Repository"),))


@group("user")
def user() -> None:
    """What you have access to."""


@user.command("repositories")
@click.option(
    "--include-indexable",
    is_flag=True,
    default=False,
    help="Also those of which you may read the index only.",
)
@emits(REPOSITORIES)
@pass_state
def repositories(state: State, include_indexable: bool, emit: Emit) -> None:
    """List the repositories that you have access to, in all organizations."""
    names = state.client.list_available_repositories(include_indexable=include_indexable)
    emit({"name": name} for name in names)
