"""The ends that a command writes to: a terminal, a file, a pipe that nobody reads any more."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

import click

#: The exit code of a command whose reader went away, as shells know it from SIGPIPE.
READER_GONE = 141

#: What could move a terminal's cursor, or break the line of a table.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            # A name that the terminal's encoding lacks is still better shown than not.
            encoding = sys.stdout.encoding
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
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
    """Return a text without characters that end a line or steer a terminal; they are spelled out.

    Parameters
    ----------
    text : str
    """
    return _CONTROL.sub(_spelled, text)


def harmless(text: str) -> str:
    """Return a text of some lines without characters that steer a terminal.

    Parameters
    ----------
    text : str
    """
    return _CONTROL_BUT_LINES.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


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
