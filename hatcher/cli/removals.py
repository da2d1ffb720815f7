"""Deleting: said before, asked for, said after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hatcher.cli.output.chatter import confirm, say

if TYPE_CHECKING:
    from hatcher.api import Bundle, Egg, Runtime, Team, User

force = click.option(
    "--force",
    is_flag=True,
    default=False,
    help="Delete it even where the server would keep it.",
)


def remove(
    thing: Egg | Runtime | Bundle | Team | User,
    what: str,
    *,
    force: bool,
    assume_yes: bool,
    dry_run: bool,
) -> None:
    """Delete something from the server.

    Parameters
    ----------
    thing : Egg, Runtime, Bundle, Team or User
    what : str
        What it is called, such as ``the egg nose-1.3.0-1 (cp311) of acme/dev/rh8-x86_64``.
    force : bool
        Also where the server would rather keep it.
    assume_yes : bool
        Do not ask.
    dry_run : bool
        Only look whether it is there.
    """
    if dry_run:
        thing.metadata()
        say(f"Would delete {what}.")
        return
    confirm(f"{what[0].upper()}{what[1:]} will be deleted. Go on?", assume_yes=assume_yes)
    thing.delete(force)
    say(f"Deleted {what}.", "green")
