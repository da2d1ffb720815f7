"""`hatcher completion`: teach a shell the commands and the server's names."""

from __future__ import annotations

import os
from pathlib import PurePath

import click

from hatcher.cli.groups import command
from hatcher.cli.parameters import argument
from hatcher.cli.terminal import write


@command("completion")
@argument(
    "shell",
    "Which shell; yours when it is left out.",
    type=click.Choice(["bash", "zsh", "fish"]),
    required=False,
)
def completion(shell: str | None) -> None:
    """Print a script that completes commands in your shell.

    It completes commands, options and files; organizations, repositories, platforms, eggs,
    versions and all else that the server knows, with the options, environment variables and
    profile that the command would use. Answers are kept for a minute, and nothing is asked of you.
    A server that takes longer than a second, or HATCHER_COMPLETION_TIMEOUT, is not waited for.

    \b
    bash  put this into ~/.bashrc: eval "$(hatcher completion bash)"
    zsh   put this into ~/.zshrc, after compinit: eval "$(hatcher completion zsh)"
    fish  run: hatcher completion fish > ~/.config/fish/completions/hatcher.fish

    \b
    For example:
    hatcher completion bash > hatcher.bash
    """
    from hatcher.cli.shells import SHELLS, script

    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    if shell not in SHELLS:
        raise click.UsageError(f"Which shell? Give one of {', '.join(SHELLS)}.")
    write(script(shell))
