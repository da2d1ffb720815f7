"""What the command line refuses by itself, and the exit codes: what everything else here needs."""

from __future__ import annotations

from enum import IntEnum

import click


class ExitCode(IntEnum):
    """What a script can tell from the exit code.

    The manual and the reference of the command line name them; they do not change.

    Attributes
    ----------
    DONE
        All went well.
    FAILED
        Anything without a code of its own: a local file, a request that the server does not
        accept, a fault of the server's or of hatcher's.
    USAGE
        The command cannot be carried out as it was written; nothing was sent.
    AUTHENTICATION
        The server does not know who asks, or does not allow it: 401, 403.
    NOT_FOUND
        There is no such thing, or it may not be seen: 404.
    CONFLICT
        What is there already stands in the way: 409, another sha256, a file of that name.
    NETWORK
        No answer of Brood's: no connection, TLS, a timeout, a lost connection, another server;
        or one that says to come later: 408, 429, 502, 503, 504.
    PARTIAL
        Some files of many failed, or all of them; the others are done.
    DIFFERENCES
        What was looked at is not as it should be; the looking itself went well.
    INTERRUPTED, READER_GONE, TERMINATED
        Ended by Ctrl-C, by a pipe that nobody reads, by SIGTERM: 128 and the signal's number.
    """

    DONE = 0
    FAILED = 1
    USAGE = 2
    AUTHENTICATION = 3
    NOT_FOUND = 4
    CONFLICT = 5
    NETWORK = 6
    PARTIAL = 7
    DIFFERENCES = 8
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM came: it ends all that Ctrl-C ends."""


class Refusal(click.ClickException):
    """Something that cannot be done as it was asked for.

    Parameters
    ----------
    what : str
        What is wrong, in a sentence.
    hint : str
        What to do next, in a sentence.
    code : ExitCode, default ExitCode.USAGE
    """

    def __init__(self, what: str, hint: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(what)
        self.hint = hint
        self.exit_code = int(code)  # type: ignore[misc]


def missing_extra(what: str, error: ModuleNotFoundError, extra: str) -> Refusal:
    """Return the refusal of what needs a package that comes with an extra of hatcher."""
    return Refusal(
        f"{what} needs the package {error.name}, which is not installed.",
        f"It comes with hatcher's extra '{extra}'. In a checkout of hatcher, run: "
        f"python -m pip install '.[{extra}]'",
        ExitCode.FAILED,
    )
