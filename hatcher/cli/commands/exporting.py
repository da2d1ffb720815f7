"""`hatcher export`."""

from __future__ import annotations

import click

from hatcher.cli.groups import command
from hatcher.cli.output.chatter import say
from hatcher.cli.output.data import Emit, emits
from hatcher.cli.parameters import completes, dry_run
from hatcher.cli.state import State, pass_state
from hatcher.cli.transfers import TRANSFERS, batch, concurrency

#: What people ask for, by the version of the API that exports it.
_KINDS = {"eggs": (0, 1), "runtimes": (1,), "bundles": (1,)}


@command("export")
@click.option(
    "-a",
    "--artefact-kinds",
    multiple=True,
    default=["eggs", "runtimes"],
    show_default=True,
    type=click.Choice(list(_KINDS)),
    help="A kind of artefact; may be repeated.",
)
@click.option(
    "-r",
    "--repositories",
    multiple=True,
    metavar="ORGANIZATION/REPOSITORY",
    shell_complete=completes,
    help="A repository; may be repeated. Without it all that you may see.",
)
@click.option(
    "-p",
    "--platforms",
    multiple=True,
    metavar="PLATFORM",
    shell_complete=completes,
    help="A platform such as rh8-x86_64; may be repeated. Without it all.",
)
@click.option(
    "-t",
    "--python-tags",
    multiple=True,
    metavar="TAG",
    shell_complete=completes,
    help="A python tag such as cp311; may be repeated. Without it all.",
)
@click.argument("target-dir", type=click.Path(file_okay=False))
@concurrency
@dry_run
@emits(TRANSFERS)
@pass_state
def export(
    state: State,
    artefact_kinds: tuple[str, ...],
    repositories: tuple[str, ...],
    platforms: tuple[str, ...],
    python_tags: tuple[str, ...],
    target_dir: str,
    concurrency: int | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Download whole repositories into a folder.

    The folder is made when it is missing; 'hatcher import' reads it. What stands there:

    \b
    v1/ORGANIZATION/REPOSITORY/PLATFORM/eggs/TAG/FILE
    v1/ORGANIZATION/REPOSITORY/PLATFORM/runtimes/FILE
    v1/ORGANIZATION/REPOSITORY/PLATFORM/bundles/TAG/FILE

    Files that are there already, with the right sha256, are not downloaded again; the same
    command goes on with what was interrupted. Nothing in the folder is deleted. Eggs that are
    disabled are in no index, and so are not exported; apps cannot be downloaded.
    """
    version = state.settings.api_version
    kinds = [kind for kind in artefact_kinds if version in _KINDS[kind]]
    if left_out := [kind for kind in artefact_kinds if kind not in kinds]:
        said = f"With API version {version}, {' and '.join(left_out)} cannot be exported."
        if not kinds:
            raise click.UsageError(f"{said} Give --api-version 1 before 'export'.")
        say(f"{said} They are left out.", "yellow")
    from hatcher import mirror

    batch(
        emit,
        "Export",
        lambda progress: mirror.export(
            state.client,
            target_dir,
            kinds=kinds,
            repositories=repositories,
            platforms=platforms,
            python_tags=python_tags,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
        ),
    )
