"""The command `hatcher` itself: its options, and where its commands are."""

from __future__ import annotations

from importlib import import_module

import click

from hatcher import __version__

#: The module of each command: a room for everyone, opened when it is entered.
_COMMANDS = {
    "serve": "hatcher.cli.serve",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is called, or its help is shown.

    The module of a command holds it under the command's own name.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hatcher")
def hatcher() -> None:
    """Work with Brood, the server for Python artefacts."""
