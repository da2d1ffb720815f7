"""`hatcher api-tokens`."""

from __future__ import annotations

from operator import itemgetter

from hatcher.cli.data import Document, Emit, Field, Listing, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import argument, assume_yes, dry_run
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import confirm, say

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
def create(state: State, name: str, dry_run: bool, emit: Emit) -> None:
    """Create an API token of yours.

    The token is written to standard output, this once; nobody can ask for it again. Whoever has
    it may do what you may do.
    """
    if dry_run:
        state.client.list_api_tokens()
        say(f"Would create the API token {name}.")
        return
    emit(state.client.create_api_token(name))


@api_tokens.command("delete")
@argument("name", "What the token is called.", "API tokens")
@assume_yes
@dry_run
@pass_state
def delete(state: State, name: str, assume_yes: bool, dry_run: bool) -> None:
    """Delete an API token of yours; it stops working at once."""
    if dry_run:
        known = name in map(itemgetter("name"), state.client.list_api_tokens())
        say(f"Would delete the API token {name}{'' if known else ', which there is not'}.")
        return
    confirm(f"The API token {name} will be deleted. Go on?", assume_yes=assume_yes)
    state.client.delete_api_token(name)
    say(f"Deleted the API token {name}.", "green")


@api_tokens.command("list")
@emits(TOKENS)
@pass_state
def list_(state: State, emit: Emit) -> None:
    """List your API tokens, without their secrets; dates are in UTC."""
    emit(sorted(state.client.list_api_tokens(), key=itemgetter("name")))
