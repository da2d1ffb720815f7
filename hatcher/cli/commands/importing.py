"""`hatcher import`."""

from __future__ import annotations

import click

from hatcher.cli.groups import command
from hatcher.cli.output.data import Emit, emits
from hatcher.cli.parameters import completes, dry_run
from hatcher.cli.state import State, pass_state
from hatcher.cli.transfers import TRANSFERS, batch, concurrency


@command("import")
@click.option(
    "artefact_kinds",
    "-a",
    "--artefact-kind",
    multiple=True,
    type=click.Choice(["eggs", "runtimes", "apps", "bundles"]),
    help="A kind of artefact; may be repeated. Without it all.",
)
@click.option(
    "requested_repos",
    "-r",
    "--repository",
    multiple=True,
    metavar="ORGANIZATION/REPOSITORY",
    shell_complete=completes,
    help="A repository; may be repeated. Without it all in the folder.",
)
@click.option(
    "requested_platforms",
    "-p",
    "--platform",
    multiple=True,
    metavar="PLATFORM",
    shell_complete=completes,
    help="A platform such as rh8-x86_64; may be repeated. Without it all in the folder.",
)
@click.option(
    "-f",
    "--force",
    is_flag=True,
    default=False,
    help="Replace what the server has with other content.",
)
@click.option(
    "-c",
    "--create-missing",
    is_flag=True,
    default=False,
    help="Create repositories that are missing; organizations are not created.",
)
@click.argument("root-dir", type=click.Path(exists=True, file_okay=False))
@concurrency
@dry_run
@emits(TRANSFERS)
@pass_state
def import_(
    state: State,
    artefact_kinds: tuple[str, ...],
    requested_repos: tuple[str, ...],
    requested_platforms: tuple[str, ...],
    force: bool,
    create_missing: bool,
    root_dir: str,
    concurrency: int | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Upload a folder that was exported.

    By 'hatcher export' of any version: the folder has a v1 in it. Files that the server has
    with the same sha256 are not sent again; the same command goes on with what was
    interrupted. The eggs of a platform appear together.

    When a repository is missing on the server, the others go on, and the exit code is 7.
    """
    from hatcher import mirror

    batch(
        emit,
        "Import",
        lambda progress: mirror.import_(
            state.client,
            root_dir,
            kinds=artefact_kinds or None,
            repositories=requested_repos,
            platforms=requested_platforms,
            overwrite=force,
            create_missing=create_missing,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
        ),
    )
