"""Standard output, which is for data, and standard error, which is for people."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from io import TextIOWrapper
from typing import TextIO

import click

from hatcher.characters import shown
from hatcher.cli.refusals import ExitCode, Refusal

#: The colors of warnings and errors.
_ALARMING = ("red", "yellow")


def show_all() -> None:
    """Let standard output and error spell out what their encodings lack, and never fail for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """Write to standard output at once.

    When nobody reads it any more, as with ``| head -1``, the command ends without a word.

    Raises
    ------
    click.ClickException
        It cannot be written, as on a disk that is full.
    """
    if sys.stdout is None:
        return  # it was closed before: nobody wants it
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
        raise click.exceptions.Exit(ExitCode.READER_GONE) from None
    except OSError as error:
        discard(sys.stdout)
        raise click.ClickException(f"The data could not be written: {error.strerror}.") from error


def discard(stream: TextIO) -> None:
    """Lead a stream that nobody reads to nowhere, so that its last flush does no harm."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def say(text: str, color: str | None = None, *, always: bool = False) -> None:
    """Say something to people; in a color of `click.style`, where a terminal shows it.

    With ``--quiet`` only what is `always` said, and what is red or yellow.
    """
    if not always and color not in _ALARMING and is_wanted("quiet"):
        return
    # A server's words are among them: they must not steer the terminal.
    styled = click.style(shown(text, keep="\n"), fg=color)
    try:
        click.echo(styled, err=True, color=takes_color(sys.stderr))
    except BrokenPipeError:
        # Nobody listens, which is no reason to leave things half done.
        discard(sys.stderr)


def is_wanted(option: str) -> bool:
    """Whether the running command was given a flag of the root, such as 'quiet' or 'verbose'."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.find_root().params.get(option))


def confirm(question: str, *, assume_yes: bool) -> None:
    """Ask before something is lost; end the command when the answer is no.

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
            agreed = click.confirm(shown(question, keep="\n"))
    except click.Abort as abort:
        say("", always=True)  # the question is the end of no line
        if isinstance(abort.__context__, EOFError):
            raise Refusal(
                "Nobody is there to answer the question.", "Give --yes to go on without asking."
            ) from None
        raise
    if not agreed:
        say("Nothing was changed.")
        click.get_current_context().exit(0)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; None is one that was closed before."""
    return stream is not None and stream.isatty()


def takes_color(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal whose user has nothing against color."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and is_terminal(stream)
