"""Running the command line once, to its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from hatcher.cli.debugging import debugging, trace
from hatcher.cli.failures.explaining import ExitCode, show
from hatcher.cli.groups import RUNNING
from hatcher.cli.output.streams import let_go, show_all, write
from hatcher.cli.root import hatcher

PROGRAM = "hatcher"

#: What the names of environment variables begin with: HATCHER_URL, HATCHER_EGGS_UPLOAD_FORCE.
VARIABLES = "HATCHER"


def run(arguments: Sequence[str]) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str
        What stands behind ``hatcher``.

    Returns
    -------
    int
        The exit code, one of `hatcher.cli.failures.explaining.ExitCode`.
    """
    show_all()
    root: click.Context | None = None
    try:
        root = hatcher.make_context(PROGRAM, list(arguments), auto_envvar_prefix=VARIABLES)
        with root, debugging(root):
            hatcher.invoke(root)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        return _help(asked)
    except BrokenPipeError:
        # Of click's own texts, such as --help; `write` sees to the rest.
        let_go(sys.stdout)
        return ExitCode.READER_GONE
    except (Exception, KeyboardInterrupt) as error:
        trace(error, root)
        return show(error, root and root.meta.get(RUNNING))
    return ExitCode.DONE


def _help(asked: click.exceptions.NoArgsIsHelpError) -> int:
    # Who names no command wants to know which there are; that is no failure.
    try:
        write(f"{asked.format_message()}\n")
    except click.exceptions.Exit as stop:
        return stop.exit_code
    return ExitCode.DONE
