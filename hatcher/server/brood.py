"""What one running server consists of."""

from __future__ import annotations

from contextlib import ExitStack

from hatcher.server.accounts import Accounts
from hatcher.server.artefacts import Artefacts
from hatcher.server.blobs import Blobs
from hatcher.server.database import Database
from hatcher.server.folder import FolderLock
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
    FolderInUseError
        Another server works in the data folder.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with ExitStack() as opened:
            opened.callback(FolderLock(settings.data).release)
            self.database = Database.in_file(settings.data / "brood.sqlite3")
            opened.callback(self.database.close)
            self.database.create_tables()
            self.accounts = Accounts(self.database, settings)
            opened.callback(self.accounts.close)
            self.blobs = Blobs(settings.data)
            self.artefacts = Artefacts(self.database, self.blobs)
            self.artefacts.sweep()
            self.indices = Indices(self.database)
            self.made_up_password = self.accounts.ensure_administrator(
                settings.admin, settings.admin_password
            )
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the database and let another server have the folder."""
        self._opened.close()
