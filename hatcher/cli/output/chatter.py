"""What is said to people, on standard error; standard output is for data."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

import click

from hatcher.cli.output.streams import harmless, let_go, takes_color


def say(text: str, color: str | None = None) -> None:
    """Say something; in color, where a terminal shows it.

    Parameters
    ----------
    text : str
    color : str, optional
        A color of `click.style`.
    """
    # A server's words are among them: they must not steer the terminal.
    styled = click.style(harmless(text), fg=color)
    try:
        click.echo(styled, err=True, color=takes_color(sys.stderr))
    except BrokenPipeError:
        # Nobody listens, which is no reason to leave things half done.
        let_go(sys.stderr)


def confirm(question: str, *, assume_yes: bool) -> None:
    """Ask before something is lost; end the command when the answer is no.

    Parameters
    ----------
    question : str
    assume_yes : bool
        Do not ask.

    Raises
    ------
    Refusal
        There is nobody to ask.
    """
    if assume_yes:
        return
    try:
        # Whatever the version of click, no part of the question is data.
        with redirect_stdout(sys.stderr):
            agreed = click.confirm(harmless(question))
    except click.Abort as abort:
        say("")  # the question is the end of no line
        if isinstance(abort.__context__, EOFError):
            # Imported here: what refuses says so with this module.
            from hatcher.cli.failures.refusals import Refusal

            raise Refusal(
                "Nobody is there to answer the question.", "Give --yes to go on without asking."
            ) from None
        raise
    if not agreed:
        say("Nothing was changed.")
        click.get_current_context().exit(0)
