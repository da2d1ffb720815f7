"""What one running server consists of."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from hatcher.server.accounts import Accounts
from hatcher.server.artefacts import Artefacts
from hatcher.server.blobs import Blobs
from hatcher.server.database import Database
from hatcher.server.failures import is_no_room
from hatcher.server.folder import DATABASE, FolderLock, Reserve, UnusableFolderError
from hatcher.server.indices import Indices
from hatcher.server.settings import Settings


class Brood:
    """What one running server consists of; to be closed when it stops.

    Parameters
    ----------
    settings : Settings
        What it was told.

    Attributes
    ----------
    settings : Settings
        The same.
    database : Database
        Everything but the files.
    accounts : Accounts
        The users and their tokens.
    blobs : Blobs
        The files.
    artefacts : Artefacts
        The eggs, apps, runtimes and bundles.
    indices : Indices
        Their indices.
    made_up_password : Secret or None
        The administrator's password, if this start had to make one up.

    Raises
    ------
    UnusableFolderError
        The data folder cannot be served as it is, or another server works in it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with ExitStack() as opened:
            try:
                self._open(settings, opened)
            except (DBAPIError, OSError) as error:
                raise _unusable(settings.data, error) from error
            self._opened = opened.pop_all()

    def _open(self, settings: Settings, opened: ExitStack) -> None:
        opened.callback(FolderLock(settings.data).release)
        self.blobs = Blobs(settings.data)
        reserve = Reserve(settings.data)
        self.database = Database.in_file(settings.data / DATABASE)
        opened.callback(self.database.close)
        try:
            version = self.database.version()
        except DBAPIError as error:
            if not is_no_room(error) or not reserve.give_up():
                raise
            version = self.database.version()
        if version is None and not self.blobs.is_empty():
            raise UnusableFolderError(
                f"The data folder '{settings.data}' holds files of artefacts, but its database "
                f"'{DATABASE}' is missing or empty: nothing says what the files are. Restore the "
                "database from a backup. To begin anew, move the folder 'blobs' elsewhere, or "
                "choose another folder with --data."
            )
        self.database.create_tables()
        self.accounts = Accounts(self.database, settings)
        opened.callback(self.accounts.close)
        self.artefacts = Artefacts(self.database, self.blobs, reserve)
        self.artefacts.sweep()
        self.indices = Indices(self.database)
        self.made_up_password = self.accounts.ensure_administrator(
            settings.admin, settings.admin_password
        )

    def close(self) -> None:
        """Close the database and let another server have the folder."""
        self._opened.close()


def _unusable(data: Path, error: DBAPIError | OSError) -> UnusableFolderError:
    """Say in words why a data folder cannot be served."""
    if isinstance(error, OSError):
        what = f"The data folder '{data}' cannot be used: {error.strerror} ('{error.filename}')."
        advice = "Make the folder readable and writable for the user that runs the server"
    else:
        what = f"The database '{DATABASE}' in '{data}' cannot be used: {error.orig}."
        advice = "Restore it from a backup"
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            advice = "End the other program that works on it"
        elif code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY):
            advice = "Make it readable and writable for the user that runs the server"
    if is_no_room(error):
        advice = "Make room on its disk"
    return UnusableFolderError(f"{what} {advice}, or choose another folder with --data.")
