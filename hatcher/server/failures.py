"""What the disk and the database refuse, translated once: 507 for no room, 503 for the rest."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)

from hatcher.server.refusals import Refusal, unavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: SQLite calls only ENOSPC a full disk; a quota or a limit on files is one of the others.
_NO_ROOM_SQLITE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_NO_ROOM_POSTGRESQL = "53100"
#: Errors in what the server asks for, rather than in what it asks.
_OWN_FAULTS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


def is_no_room(error: BaseException) -> bool:
    """Say whether an error means that a disk is full, or as good as full."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlite_errorcode", None)
        return code in _NO_ROOM_SQLITE or (
            getattr(error.orig, "sqlstate", None) == _NO_ROOM_POSTGRESQL
        )
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def refusal_of(error: BaseException) -> Refusal | None:
    """Return the answer to a failure of the disk or the database; None for any other error."""
    if is_no_room(error):
        return Refusal(
            507,
            "The server has no room for it. Delete what is no longer needed, or ask the server's "
            "administrator for more.",
        )
    if isinstance(error, _OWN_FAULTS):
        return None
    if isinstance(error, DBAPIError | TimeoutError):
        return unavailable(
            "The server's database is busy, read-only or damaged. Try again in a moment; if that "
            "does not help, ask the server's administrator, whose log says more."
        )
    if isinstance(error, OSError):
        return unavailable(
            "The server's disk does not do what it should. Try again in a moment; if that does "
            "not help, ask the server's administrator, whose log says more."
        )
    return None
