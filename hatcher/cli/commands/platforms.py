"""`hatcher platforms`."""

from __future__ import annotations

from hatcher.cli.groups import group
from hatcher.cli.output.data import Emit, Field, Listing, emits
from hatcher.cli.state import State, pass_state

PLATFORMS = Listing((Field("name", "Platforms"),))


@group("platforms")
def platforms() -> None:
    """List platforms."""


@platforms.command("list")
@emits(PLATFORMS)
@pass_state
def list_(state: State, emit: Emit) -> None:
    """List the platforms that the server knows."""
    emit({"name": name} for name in state.client.list_platforms())
