"""The arguments and options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import click

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def completes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Offer what a shell may put in the place of a parameter: its ``shell_complete``.

    Parameters
    ----------
    ctx : click.Context
    parameter : click.Parameter
        An argument or option that `hatcher.cli.arguments` knows.
    incomplete : str
        What has been typed of it.

    Returns
    -------
    list of click.shell_completion.CompletionItem
    """
    # Imported here: no command needs it.
    from hatcher.cli.completion.names import matching

    return matching(ctx, parameter.name or "", incomplete)


#: Instead of a question before something is lost.
assume_yes = click.option(
    "assume_yes", "-y", "--yes", is_flag=True, default=False, help="Ask nothing; do it."
)

#: Say what would be done, and do nothing.
dry_run = click.option(
    "-n",
    "--dry-run",
    is_flag=True,
    default=False,
    help="Say what would be done, and change nothing.",
)


def arguments(*names: str) -> Decorator:
    """Give a command required arguments, in this order.

    Parameters
    ----------
    *names : str
        Such as ``organization``; `hatcher.cli.arguments` says what they are.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            function = click.argument(name, shell_complete=completes)(function)
        return function

    return decorate
