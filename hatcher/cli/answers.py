"""What a server has answered, kept for the next press of the same key.

Each file holds the answer to one question of one user to one server; its name is a hash of them.
A kept answer is used as it is for a minute. Then the server is asked again, and what is kept
serves only where it does not answer in time. A server that fails is left alone for a while: a
key that is pressed again must not wait again, and a wrong password must not be tried again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from hatcher.characters import all_show
from hatcher.cli.deadline import within

Row: TypeAlias = tuple[str, ...]

#: Seconds for which an answer is used without asking.
FRESH = 60.0

#: Seconds that a shell waits for the server, unless the variable says otherwise.
PATIENCE = 1.0
PATIENCE_VARIABLE = "HATCHER_COMPLETION_TIMEOUT"

#: Seconds for which a server that failed is not asked again.
LEFT_ALONE = 15.0

#: Seconds after which nobody wants an answer any more.
_FORGOTTEN = 7 * 24 * 3600.0


def find(
    folder: Path | None,
    user: Sequence[str],
    question: Sequence[str],
    ask: Callable[[], Iterable[Row]],
) -> list[Row]:
    """Return the answer to a question: a kept one, or the server's.

    Parameters
    ----------
    folder : pathlib.Path or None
        Where answers are kept; None for nowhere.
    user : sequence of str
        Which server, and who asks.
    question : sequence of str
    ask : callable
        Asks the server.

    Returns
    -------
    list of tuple of str
        Empty when nothing is kept and the server does not answer.
    """
    if folder is None:
        return _asked(ask) or []
    place = folder / _name(*user, "?", *question)
    failed = folder / _name(*user, "failed")
    if _age(place) < FRESH:
        return _read(place)
    if _age(failed) >= LEFT_ALONE:
        rows = _asked(ask)
        _keep(place if rows is not None else failed, rows or [])
        if rows is not None:
            return rows
    return _read(place)


def _asked(ask: Callable[[], Iterable[Row]]) -> list[Row] | None:
    """Return the server's answer; None when it does not give one in time."""
    # Imported here, since what is kept needs no client; and before the clock runs.
    import hatcher.api
    from hatcher.errors import NotFoundError, PermissionDeniedError

    for name in ("BroodClient", "Organization", "SinglePlatformRepository"):
        getattr(hatcher.api, name)
    try:
        # No timeout of the client's covers the search for a server's address.
        rows = within(PATIENCE_VARIABLE, PATIENCE, lambda: list(ask()))
    except (NotFoundError, PermissionDeniedError):
        return []  # an answer, too: there is no such place
    except Exception:  # whatever it is: a shell has no use for it
        return None
    # Others would steer the terminal, or break the lines of the files and of the shells.
    return [row for row in rows if all(name and all_show(name) for name in row)]


def _name(*parts: str) -> str:
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def _age(place: Path) -> float:
    try:
        age = time.time() - place.stat().st_mtime
    except OSError:
        return float("inf")
    return age if age >= 0 else float("inf")


def _read(place: Path) -> list[Row]:
    try:
        lines = place.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [tuple(line.split("\t")) for line in lines]


def _keep(place: Path, rows: Iterable[Row]) -> None:
    """Write an answer; without it, the next question takes longer."""
    # Imported here, as the client: what is kept needs neither.
    from hatcher.cli.refusals import Refusal
    from hatcher.cli.settings.private_files import write_private
    from hatcher.errors import InvalidDestinationError

    with suppress(OSError, InvalidDestinationError, Refusal):
        write_private(place, "".join("\t".join(row) + "\n" for row in rows))
        _clear(place.parent)


def _clear(folder: Path) -> None:
    from hatcher.files.cache import kept_files, remove

    for answer in kept_files(folder, re.compile("[0-9a-f]{64}")):
        if answer.used < time.time() - _FORGOTTEN:
            remove(answer.path)
