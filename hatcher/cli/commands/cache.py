"""`hatcher cache`: the artefacts that are kept so that they are fetched once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from hatcher.cli.data import SIZE, Document, Emit, Field, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import dry_run
from hatcher.cli.refusals import ExitCode
from hatcher.cli.terminal import say
from hatcher.cli.transfers import progress_bar
from hatcher.sizes import human_size

if TYPE_CHECKING:
    from hatcher.mirror import CacheReport

CACHE = Document(
    (
        Field("folder", "Folder", ("string", "null")),
        Field("files", "Artefacts", "integer"),
        SIZE._replace(type="integer"),
        Field("limit", "Limit", "integer", readable=human_size),
    ),
    as_row=True,
)
REPORT = Document(
    (
        Field("files", "Artefacts", "integer"),
        Field("size", "Bytes", "integer"),
        Field("removed", "Removed", "array"),
        Field("freed", "Bytes removed", "integer"),
        Field("damaged", "Damaged", "array"),
    )
)


_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def _size(ctx: click.Context, param: click.Parameter, given: str | None) -> int | None:
    """Return a number of bytes, which may have been given with a unit."""
    if given is None:
        return None
    said = _SIZE.fullmatch(given.strip())
    if said is None:
        raise click.BadParameter(
            f"{given!r} is no size. Give one such as 500MB or 10GiB.", ctx, param
        )
    number, unit, binary = said.groups()
    power = " kmgt".index(unit.lower() or " ")
    return int(float(number) * (1024 if binary else 1000) ** power)


@group("cache")
def cache() -> None:
    """Look after the artefacts that are kept here.

    With --cache, 'hatcher mirror apply', 'hatcher promote' and 'hatcher bundles fetch' keep what
    they fetch, by its sha256, so that the same bytes are fetched once, whatever repository or
    server they are on. They are in the folder that HATCHER_CACHE_DIR names, or in your own cache
    folder. Everything in it can be removed at any time.
    """


@cache.command("show")
@emits(CACHE)
def show(emit: Emit) -> None:
    """Show where the artefacts are kept, how many, and how large they are.

    \b
    For example:
    hatcher cache show
    """
    from hatcher.mirror import Cache

    kept = Cache()
    folder = None if kept.folder is None else str(kept.folder)
    used = kept.usage()
    emit({"folder": folder, "files": used.files, "size": used.size, "limit": kept.limit})


@cache.command("verify")
@dry_run
@emits(REPORT)
@click.pass_context
def verify(ctx: click.Context, dry_run: bool, emit: Emit) -> None:
    """Hash all artefacts anew, and remove what is damaged.

    The exit code is 8 when something was. It is not needed for safety: what is damaged is never
    used, and is fetched anew.

    \b
    For example:
    hatcher cache verify
    """
    from hatcher.mirror import Cache

    with progress_bar("Cache") as bar:
        report = Cache().verify(progress=bar, dry_run=dry_run)
    for sha256 in report.damaged:
        say(f"damaged: {sha256}", "red")
    _tell(report, emit, dry_run)
    if report.damaged:
        ctx.exit(ExitCode.DIFFERENCES)


@cache.command("prune")
@click.option(
    "--limit",
    callback=_size,
    metavar="SIZE",
    help="What may stay, such as 500MB or 10GiB; 10GiB when it is not given.",
)
@dry_run
@emits(REPORT)
def prune(limit: int | None, dry_run: bool, emit: Emit) -> None:
    """Remove the artefacts that were used longest ago, down to a limit.

    \b
    For example:
    hatcher cache prune --limit 20GiB
    """
    from hatcher.mirror import Cache

    _tell(Cache().prune(limit, dry_run=dry_run), emit, dry_run)


@cache.command("clear")
@dry_run
@emits(REPORT)
def clear(dry_run: bool, emit: Emit) -> None:
    """Remove all artefacts that are kept.

    What another command is using at this moment stays.

    \b
    For example:
    hatcher cache clear
    """
    from hatcher.mirror import Cache

    _tell(Cache().clear(dry_run=dry_run), emit, dry_run)


def _tell(report: CacheReport, emit: Emit, dry_run: bool) -> None:
    would = "Would remove" if dry_run else "Removed"
    say(
        f"{would} {len(report.removed):,} of {human_size(report.freed)}; "
        f"{report.files:,} of {human_size(report.size)} stay."
        if report.removed
        else f"Nothing to remove: {report}.",
        None if dry_run or report.damaged else "green",
    )
    # For people this says it all; programs want it in their own way.
    if emit.is_chosen:
        emit({name: getattr(report, name) for name in report.__match_args__})
