"""`hatcher export` and `hatcher import`: whole repositories, out into a folder and back."""

from __future__ import annotations

from typing import Any

import click

from hatcher.cli import transfers
from hatcher.cli.groups import command
from hatcher.cli.parameters import argument, choices, flag, selecting
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import say

#: What people ask for, by the version of the API that exports it.
_KINDS = {"eggs": (0, 1), "runtimes": (1,), "bundles": (1,)}


@command("export")
@choices(
    "-a",
    "--artefact-kinds",
    default=["eggs", "runtimes"],
    show_default=True,
    type=click.Choice(list(_KINDS)),
    help="A kind of artefact; may be repeated.",
)
@selecting("repository", "-r", "--repositories", otherwise="all that you may see")
@selecting("platform", "-p", "--platforms")
@selecting("python tag", "-t", "--python-tags")
@argument("target-dir", "The folder to export to.", type=click.Path(file_okay=False))
@transfers.batching
@transfers.moving
@pass_state
def export(state: State, artefact_kinds: tuple[str, ...], target_dir: str, **options: Any) -> None:
    """Download whole repositories into a folder.

    The folder is made when it is missing; 'hatcher import' reads it. What stands there:

    \b
    v1/ORGANIZATION/REPOSITORY/PLATFORM/eggs/TAG/FILE
    v1/ORGANIZATION/REPOSITORY/PLATFORM/runtimes/FILE
    v1/ORGANIZATION/REPOSITORY/PLATFORM/bundles/TAG/FILE

    Files that are there already, with the right sha256, are not downloaded again; the same
    command goes on with what was interrupted. Nothing in the folder is deleted. Eggs that are
    disabled are in no index, and so are not exported; apps cannot be downloaded.

    \b
    For example:
    hatcher export backup --repositories acme/dev --platforms rh8-x86_64
    """
    version = state.settings.api_version
    kinds = [kind for kind in artefact_kinds if version in _KINDS[kind]]
    if left_out := [kind for kind in artefact_kinds if kind not in kinds]:
        said = f"With API version {version}, {' and '.join(left_out)} cannot be exported."
        if not kinds:
            raise click.UsageError(f"{said} Give --api-version 1 before 'export'.")
        say(f"{said} They are left out.", "yellow")
    from hatcher import mirror

    transfers.batch("Export", mirror.export, state.client, target_dir, kinds=kinds, **options)


_IN_FOLDER = "all in the folder"


@command("import")
@choices(
    "-a",
    "--artefact-kind",
    "artefact_kinds",
    type=click.Choice(["eggs", "runtimes", "apps", "bundles"]),
    help="A kind of artefact; may be repeated. Without it all.",
)
@selecting("repository", "-r", "--repository", "requested_repos", otherwise=_IN_FOLDER)
@selecting("platform", "-p", "--platform", "requested_platforms", otherwise=_IN_FOLDER)
@flag("-f", "--force", help="Replace what the server has with other content.")
@flag(
    "-c",
    "--create-missing",
    help="Create repositories that are missing; organizations are not created.",
)
@argument(
    "root-dir", "The folder that was exported.", type=click.Path(exists=True, file_okay=False)
)
@transfers.batching
@transfers.moving
@pass_state
def import_(state: State, root_dir: str, **options: Any) -> None:
    """Upload a folder that was exported.

    By 'hatcher export' of any version: the folder has a v1 in it. Files that the server has
    with the same sha256 are not sent again; the same command goes on with what was
    interrupted. The eggs of a platform appear together.

    When a repository is missing on the server, the others go on, and the exit code is 7.

    \b
    For example:
    hatcher import exported
    """
    from hatcher import mirror

    transfers.batch("Import", mirror.import_, state.client, root_dir, **options)
