"""`hatcher` as a process, and one run of its command line, to the exit code."""

from __future__ import annotations

import _thread
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import click

from hatcher.cli.explaining import show
from hatcher.cli.groups import RUNNING
from hatcher.cli.refusals import ExitCode, Terminated
from hatcher.cli.root import PROGRAM, VARIABLES, hatcher
from hatcher.cli.terminal import discard, say, show_all, write

#: The formats that are JSON, and how they are asked for.
_JSON = frozenset({"json", "jsonl"})
_ASKS_FOR_JSON = re.compile(r"(?:^|\0)(?:-o|--output[=\0])[=\0]?jsonl?(?:\0|$)")

#: Seconds after which an interruption that Python has dropped comes again.
_AGAIN = 0.02


def process(arguments: Sequence[str]) -> int:
    """Run a command as all that this process does; return the exit code.

    Parameters
    ----------
    arguments : sequence of str
        What stands behind ``hatcher``.
    """
    # With `>&-` Python has None there. In their order, which keeps the numbers as usual.
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            # Open for as long as the process.
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115
    signal.signal(signal.SIGTERM, _terminate)
    sys.unraisablehook = _not_raised
    try:
        code = run(arguments)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED  # another one, while the first was told
    # From here on a signal ends the process at once, and without a traceback.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    return _flushed(code)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _not_raised(dropped: sys.UnraisableHookArgs) -> None:
    """Interrupt again what Python has not: signals that came during a finalizer or a callback."""
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    number = signal.SIGTERM if issubclass(dropped.exc_type, Terminated) else signal.SIGINT

    main = _thread.get_ident()

    def interrupt() -> None:
        time.sleep(_AGAIN)  # when the finalizer has ended
        if os.name == "nt":
            _thread.interrupt_main(number)
        else:
            signal.pthread_kill(main, number)  # which ends its waiting, too

    # Not by `threading`, whose locks the finalizer may have interrupted.
    _thread.start_new_thread(interrupt, ())


def _flushed(code: int) -> int:
    """Write what is left; what a full disk has not taken makes the exit code, and no traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            discard(sys.stdout)
        return code or ExitCode.FAILED
    return code


def run(arguments: Sequence[str]) -> int:
    """Run a command; return the exit code.

    Parameters
    ----------
    arguments : sequence of str
        What stands behind ``hatcher``.
    """
    show_all()
    root: click.Context | None = None
    try:
        root = hatcher.make_context(PROGRAM, list(arguments), auto_envvar_prefix=VARIABLES)
        with root:
            if root.params["debug"]:
                from hatcher.cli.logs import listen

                listen(root)
            hatcher.invoke(root)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        # Who names no command wants to know which there are; that is no failure.
        try:
            write(f"{asked.format_message()}\n")
        except click.exceptions.Exit as stop:
            return stop.exit_code
    except BrokenPipeError:
        # Of click's own texts, such as --help; `write` sees to the rest.
        discard(sys.stdout)
        return ExitCode.READER_GONE
    except (Exception, KeyboardInterrupt) as error:
        if root and root.params["debug"] and not isinstance(error, click.ClickException):
            import traceback

            # Never the values of variables.
            say("".join(traceback.format_exception(error)).rstrip(), always=True)
        running = root and root.meta.get(RUNNING)
        contexts = (getattr(error, "ctx", None), running, root)
        return show(error, running, as_data=_wants_json(contexts, arguments))
    return ExitCode.DONE


def _wants_json(contexts: Iterable[click.Context | None], arguments: Sequence[str]) -> bool:
    """Whether data were to be JSON: as the contexts know, or a command line that went wrong."""
    known = (ctx.params.get("output") for ctx in contexts if ctx is not None)
    return not _JSON.isdisjoint(known) or _ASKS_FOR_JSON.search("\0".join(arguments)) is not None
