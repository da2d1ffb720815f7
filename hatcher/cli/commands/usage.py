"""`hatcher du`: how much room artefacts take on the server."""

from __future__ import annotations

from typing import Any

import click

from hatcher.cli.data import SIZE, Emit, Field, Listing, emits
from hatcher.cli.groups import command
from hatcher.cli.parameters import argument, selecting_some
from hatcher.cli.plans import raise_for
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import say
from hatcher.cli.transfers import as_python

SHARES = Listing(
    (
        Field("name", "Name"),
        Field("artefacts", "Artefacts", "integer"),
        SIZE._replace(type="integer"),
        Field("unsized", "Of unknown size", "integer", in_tables=False),
    )
)


@command("du")
@argument(
    "place",
    "An organization, repository or platform, such as acme/dev; all when it is left out.",
    "places",
    required=False,
    default=None,
)
@click.option(
    "--by",
    type=click.Choice(["organization", "repository", "platform", "name"]),
    help="What to add up for; what is right below PLACE when it is not given.",
)
@selecting_some
@emits(SHARES)
@pass_state
def du(state: State, place: str | None, emit: Emit, **asked: Any) -> None:
    """Show how much room artefacts take on the server.

    It is what the indices say: each egg counts once, and disabled ones do not. Of runtimes, apps
    and bundles they say no size. With platforms and python tags it is quicker.

    The exit code is 7 when not all could be read.

    \b
    For example:
    hatcher du acme -p rh8-x86_64 -t cp311
    hatcher du acme/dev/rh8-x86_64 --by name
    """
    where = state.client if place is None else state.client.at(place)
    from hatcher.mirror import usage

    used = usage(where, **as_python(asked))
    if used.shares or emit.is_chosen:
        emit(
            {field.key: getattr(share, field.key) for field in SHARES.fields}
            for share in used.shares
        )
    summary = str(used).partition("\n")[0]
    raise_for(used.problems, summary)
    say(f"{summary}.")
