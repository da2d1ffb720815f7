"""`--debug`: the requests as they are sent, and where an error came from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from hatcher.cli.output.chatter import say
from hatcher.cli.output.streams import on_one_line


@contextmanager
def debugging(root: click.Context) -> Iterator[None]:
    """Show what the library logs, when that was asked for: requests, without secrets.

    Parameters
    ----------
    root : click.Context
    """
    if not root.params["debug"]:
        yield
        return
    import logging

    class Spoken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # No line of it is another one: words of the server are among them.
            say(on_one_line(self.format(record)))

    logger = logging.getLogger("hatcher")
    handler, level = Spoken(), logger.level
    handler.setFormatter(logging.Formatter("%(relativeCreated)d ms %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def trace(error: BaseException, root: click.Context | None) -> None:
    """Show the traceback of an error, when that was asked for; never the values of variables.

    Parameters
    ----------
    error : BaseException
    root : click.Context or None
        None when the options of the root could not be read.
    """
    if root is None or not root.params["debug"] or isinstance(error, click.ClickException):
        return
    import traceback

    say("".join(traceback.format_exception(error)).rstrip())
