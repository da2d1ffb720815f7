"""`hatcher serve`: run an embedded Brood."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hatcher.cli.failures.explaining import ExitCode
from hatcher.cli.failures.refusals import Refusal
from hatcher.errors import InvalidArgumentError

PASSWORD_VARIABLE = "HATCHER_SERVER_ADMIN_PASSWORD"  # noqa: S105 - a name, not a password


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("brood-data"),
    show_default=True,
    help="Folder of everything that the server keeps; made when missing.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen at; 0 takes any free one.",
)
@click.option(
    "--admin",
    metavar="EMAIL",
    default="admin@example.com",
    show_default=True,
    help="The first server administrator.",
)
def serve(data: Path, host: str, port: int, admin: str) -> None:
    """Run a Brood of your own until Ctrl-C.

    The administrator's password is taken from the environment variable
    HATCHER_SERVER_ADMIN_PASSWORD. Without it, one is made up at the first start and shown
    once.
    """
    try:
        from hatcher.server.folder import FolderInUseError
        from hatcher.server.runner import CannotListenError
        from hatcher.server.runner import serve as serve_until_stopped
        from hatcher.server.settings import Settings
    except ModuleNotFoundError as error:
        raise Refusal(
            f"The server needs {error.name}, which is not installed.",
            "Run: python -m pip install 'hatcher[server]'",
            ExitCode.FAILED,
        ) from error
    try:
        settings = Settings(
            data=data,
            host=host,
            port=port,
            admin=admin,
            # Out of the environment at once: no child process needs it.
            admin_password=os.environ.pop(PASSWORD_VARIABLE, None) or None,
        )
        serve_until_stopped(settings)
    except (CannotListenError, FolderInUseError, InvalidArgumentError) as error:
        raise click.ClickException(str(error)) from error
