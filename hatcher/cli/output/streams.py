"""The ends that a command writes to: a terminal, a file, a pipe that nobody reads any more."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

import click

from hatcher.characters import shown

#: The exit code of a command whose reader went away, as shells know it from SIGPIPE.
READER_GONE = 141


def show_all() -> None:
    """Let standard output and error spell out what their encodings lack, and never fail for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """Write to standard output at once.

    When nobody reads it any more, as with ``| head -1``, the command ends without a word.

    Parameters
    ----------
    text : str

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
        let_go(sys.stdout)
        raise click.exceptions.Exit(READER_GONE) from None
    except OSError as error:
        let_go(sys.stdout)
        raise click.ClickException(f"The data could not be written: {error.strerror}.") from error


def let_go(stream: TextIO) -> None:
    """Lead a stream that nobody reads to nowhere, so that its last flush does no harm.

    Parameters
    ----------
    stream : io.TextIO
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def on_one_line(text: str) -> str:
    """Return a text without characters that end a line, steer a terminal or do not show.

    Parameters
    ----------
    text : str
    """
    return shown(text)


def harmless(text: str) -> str:
    """Return a text of some lines without characters that steer a terminal or do not show.

    Parameters
    ----------
    text : str
    """
    return shown(text, keep="\n")


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal.

    Parameters
    ----------
    stream : io.TextIO or None
        None is one that was closed before the command began.
    """
    return stream is not None and stream.isatty()


def takes_color(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal whose user has nothing against color.

    Parameters
    ----------
    stream : io.TextIO or None
    """
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and is_terminal(stream)
