"""`hatcher serve`: run an embedded Brood."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from hatcher.cli import demo as demonstration
from hatcher.cli.groups import command
from hatcher.cli.parameters import flag
from hatcher.cli.refusals import missing_extra
from hatcher.errors import InvalidArgumentError

PASSWORD_VARIABLE = "HATCHER_SERVER_ADMIN_PASSWORD"  # noqa: S105 - a name, not a password


@command("serve")
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
@click.option(
    "--max-upload",
    type=click.IntRange(min=1),
    metavar="BYTES",
    envvar="HATCHER_SERVER_MAX_UPLOAD",
    show_envvar=True,
    help="The largest file that can be uploaded; by default, there is no limit.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    metavar="NETWORK",
    multiple=True,
    help="Address or network of a proxy whose X-Forwarded-For is believed; may be repeated.",
)
@flag(
    "--strict-platforms",
    help="Refuse an egg that names another platform than the one that it is uploaded to.",
)
@flag(
    "--demo",
    help="Have something to try things out with; in a temporary folder unless --data is given.",
)
@click.pass_context
def serve(ctx: click.Context, /, data: Path, host: str, demo: bool, **options: Any) -> None:
    """Run a Brood of your own until Ctrl-C.

    The administrator's password is taken from the environment variable
    HATCHER_SERVER_ADMIN_PASSWORD. Without it, one is made up at the first start and shown
    once.

    With --demo there are repositories, eggs, a runtime and a bundle to try things out with, and
    the password is a known one: nobody but this machine can reach it.

    \b
    For example:
    hatcher serve --demo
    hatcher serve --data brood --admin ada@example.com
    """
    try:
        from attrs import evolve

        from hatcher.server.folder import UnusableFolderError
        from hatcher.server.runner import CannotListenError
        from hatcher.server.runner import serve as serve_until_stopped
        from hatcher.server.settings import Settings
    except ModuleNotFoundError as error:
        raise missing_extra("The server", error, "server") from error
    # Out of the environment at once: no child process needs it.
    password = os.environ.pop(PASSWORD_VARIABLE, None) or None
    try:
        if demo or (not password and demonstration.is_one(data)):
            demonstration.check_host(host)
        settings = Settings(data, host, admin_password=password, **options)
        if not demo:
            serve_until_stopped(settings)
            return
        temporary = ctx.get_parameter_source("data") is click.core.ParameterSource.DEFAULT
        with demonstration.folder(None if temporary else data) as folder:
            settings = evolve(settings, data=folder, admin_password=demonstration.PASSWORD)
            demonstration.run(settings, is_temporary=temporary)
    except (CannotListenError, UnusableFolderError, InvalidArgumentError) as error:
        raise click.ClickException(str(error)) from error
