"""`hatcher search`."""

from __future__ import annotations

import click

from hatcher.cli.data import SIZE, Emit, Field, Listing, emits
from hatcher.cli.groups import command
from hatcher.cli.parameters import argument, choices, completes
from hatcher.cli.plans import raise_for
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.state import State, pass_state

FOUND = Listing(
    (
        Field("name", "Name"),
        Field("version", "Version"),
        Field("python_tag", "Python Tag", ("string", "null")),
        Field("kind", "Kind"),
        Field("place", "Place"),
        SIZE,
        Field("sha256", "SHA-256", ("string", "null"), in_tables=False),
    )
)


@command("search")
@argument("requirement", "A name or a pattern, and comparisons: 'numpy', 'num*', 'numpy>=1.26,<2'.")
@argument(
    "place",
    "Where: acme, acme/dev or acme/dev/rh8-x86_64. Everywhere when it is left out.",
    "places",
    required=False,
    default=None,
)
@click.option(
    "--python-tag",
    "-t",
    metavar="TAG",
    shell_complete=completes("python tags"),
    help="Of the Python that is to use it, such as cp311. Without it, for every one.",
)
@click.option(
    "--platform",
    "-p",
    metavar="PATTERN",
    shell_complete=completes("platforms"),
    help="A platform, or several: 'rh8-*'. Without it all that the server knows.",
)
@choices(
    "--kind",
    "-a",
    "kinds",
    type=click.Choice(["egg", "runtime", "app", "bundle"]),
    help="A kind of artefact; may be repeated. Without it all.",
)
@emits(FOUND)
@pass_state
def search(
    state: State,
    requirement: str,
    place: str | None,
    python_tag: str | None,
    platform: str | None,
    kinds: tuple[str, ...],
    emit: Emit,
) -> None:
    """Find artefacts by name and version.

    Versions are compared without their build, unless the comparison has one: '==1.26.*', '~=1.26',
    '>=1.26.4-2'. Pre-releases are found only where a comparison names one: '>=2.0rc1'.

    A server is asked for the index of each place, and without --python-tag for that of each tag
    that it knows: with --python-tag and --platform the answer comes sooner. With '-o jsonl' what
    is found is written as it comes.

    \b
    For example:
    hatcher search 'numpy>=1.26,<2' -t cp311 -p 'rh8-*'
    hatcher search '*' acme/dev/rh8-x86_64 --kind bundle -o jsonl
    """
    where = state.client if place is None else state.client.at(place)
    results = where.search(
        requirement, python_tag=python_tag, platform=platform, kind=kinds or None
    )
    with results:
        found = results if emit.chosen == "jsonl" else sorted(results)
        if found or emit.is_chosen:
            keys = [field.key for field in FOUND.fields]
            emit({key: getattr(one, key) for key in keys} for one in found)
    raise_for(results.unreadable, f"Searched for '{requirement}'")
    if results.advice:
        raise Refusal(
            results.advice,
            "Check what you search for, or search more: without --python-tag, --platform or --kind.",
            ExitCode.NOT_FOUND,
        )
