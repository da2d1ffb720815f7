"""What the library logs, as far as somebody wants to see it: retries, requests, without secrets."""

from __future__ import annotations

import logging
from copy import copy

import click

from hatcher.characters import shown
from hatcher.cli.terminal import say
from hatcher.errors import HatcherException

#: The logger of what is sent again; see `hatcher.transport.retry`.
_RETRIES = "hatcher.retry"


class _Spoken(logging.Handler):
    """Says what is logged; each time on one line, as words of the server are among it."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == _RETRIES:
            # Without the advice, which is for those who have to do something.
            record = copy(record)
            record.args = tuple(
                error.what if isinstance(error, HatcherException) else error
                for error in record.args or ()
            )
        say(shown(" ".join(self.format(record).split())), always=True)


def listen(ctx: click.Context | None) -> None:
    """Let people know what the library logs, until the command ends.

    Parameters
    ----------
    ctx : click.Context or None
        Of any command; None for nobody, as while a shell completes.
    """
    root = ctx and ctx.find_root()
    if root is None or root.meta.get(__name__) or root.resilient_parsing:
        return
    is_debug, is_verbose = root.params["debug"], root.params["verbose"]
    if root.params["quiet"] and not is_debug:
        return
    root.meta[__name__] = True
    logger = logging.getLogger("hatcher" if is_debug or is_verbose else _RETRIES)
    handler, level = _Spoken(), logger.level
    if is_debug:
        handler.setFormatter(logging.Formatter("%(relativeCreated)d ms %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if is_debug else logging.INFO)

    def stop() -> None:
        logger.setLevel(level)
        logger.removeHandler(handler)

    root.call_on_close(stop)
