"""The database: its tables, its engine, and the one writer.

Everything here is SQLAlchemy Core in words that PostgreSQL knows as well; what
concerns SQLite alone stands in `_tune_sqlite`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from hatcher.server.folder import UnusableFolderError, private
from hatcher.server.refusals import conflict, unavailable

#: Raised with every change of the tables; a data folder of a later version is refused.
SCHEMA_VERSION = 2

#: How long a writer waits for the others of this process, and for other programs, in seconds.
_TURN = 30.0
_LOCKED = 10.0

metadata = sa.MetaData()

# Text is ordered by its bytes in every database; SQLite does not do otherwise.
String = sa.types.String().with_variant(sa.types.String(collation="C"), "postgresql")
Text = sa.types.Text().with_variant(sa.types.Text(collation="C"), "postgresql")


def _table(name: str, *contents: Any) -> sa.Table:
    # Numbers of deleted rows are never given again: caches remember them.
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        *contents,
        sqlite_autoincrement=True,
    )


def _reference(name: str, target: sa.Table, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(
        name, sa.ForeignKey(target.c.id, ondelete="CASCADE"), nullable=nullable, index=True
    )


schema = sa.Table("schema", metadata, sa.Column("version", sa.Integer, primary_key=True))

users = _table(
    "users",
    sa.Column("email", String, nullable=False),  # as it was given
    sa.Column("key", String, nullable=False, unique=True),  # without case
    sa.Column("password", String, nullable=False),  # Argon2, as argon2-cffi writes it
    sa.Column("server_administrator", sa.Boolean, nullable=False, default=False),
    sa.Column("created", String, nullable=False),
)

api_tokens = _table(
    "api_tokens",
    _reference("user_id", users),
    sa.Column("name", String, nullable=False),
    sa.Column("sha256", String, nullable=False, unique=True),  # of the token
    sa.Column("created", String, nullable=False),
    sa.Column("last_used", String),
    sa.UniqueConstraint("user_id", "name"),
)

session_tokens = _table(
    "session_tokens",
    _reference("user_id", users),
    # The API token it was given for: the session ends with it.
    _reference("api_token_id", api_tokens, nullable=True),
    sa.Column("sha256", String, nullable=False, unique=True),
    sa.Column("expires", String, nullable=False),
)

organizations = _table(
    "organizations",
    sa.Column("name", String, nullable=False, unique=True),
    sa.Column("description", Text, nullable=False),
    sa.Column("created", String, nullable=False),
)

repositories = _table(
    "repositories",
    _reference("organization_id", organizations),
    sa.Column("name", String, nullable=False),
    sa.Column("description", Text, nullable=False),
    sa.Column("created", String, nullable=False),
    sa.Column("public", String),  # the access level that everybody has
    # Counts the changes of the artefacts, so that a cached index is known to be stale.
    sa.Column("generation", sa.Integer, nullable=False, default=0),
    sa.UniqueConstraint("organization_id", "name"),
)

members = _table(
    "members",
    _reference("organization_id", organizations),
    _reference("user_id", users),
    sa.UniqueConstraint("organization_id", "user_id"),
)

teams = _table(
    "teams",
    _reference("organization_id", organizations),
    sa.Column("name", String, nullable=False),
    sa.Column("group", String, nullable=False),  # the access level its members have
    sa.UniqueConstraint("organization_id", "name"),
)

team_members = _table(
    "team_members",
    _reference("team_id", teams),
    _reference("user_id", users),
    sa.UniqueConstraint("team_id", "user_id"),
)

team_repositories = _table(
    "team_repositories",
    _reference("team_id", teams),
    _reference("repository_id", repositories),
    sa.UniqueConstraint("team_id", "repository_id"),
)

artefacts = _table(
    "artefacts",
    _reference("repository_id", repositories),
    sa.Column("kind", String, nullable=False),  # a value of hatcher.server.artefacts.Kind
    # What identifies one, in the words of a URL:
    sa.Column("platform", String, nullable=False),
    sa.Column("key", String, nullable=False),  # the name without case
    sa.Column("version", String, nullable=False),  # with the build
    sa.Column("python_tag", String, nullable=False),  # "none" for none: NULLs are never equal
    sa.Column("name", String, nullable=False),
    sa.Column("filename", String, nullable=False),
    sa.Column("sha256", String, nullable=False, index=True),  # of the blob
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("changed", String, nullable=False),
    # JSON as it is sent: an index of 50,000 is put together as text and never parsed.
    sa.Column("entry", Text, nullable=False),
    sa.Column("details", Text, nullable=False),  # what the metadata say beyond the entry
    sa.UniqueConstraint("repository_id", "kind", "platform", "key", "version", "python_tag"),
)

#: What makes tables of one version into those of the next.
_MIGRATIONS = {1: ("ALTER TABLE repositories ADD COLUMN public VARCHAR",)}


class Database:
    """The database of one server.

    Parameters
    ----------
    url : sqlalchemy.engine.URL or str
        Where it is.
    """

    def __init__(self, url: URL | str) -> None:
        self._engine = sa.create_engine(
            url,
            pool_size=10,
            max_overflow=40,
            hide_parameters=True,  # which hold the hashes of passwords, from logs
        )
        # SQLite has one writer. Queueing for it here, in order, is far fairer than its
        # own waiting, which is by chance and sleeps.
        self._writer = threading.RLock()
        if self._engine.dialect.name == "sqlite":
            _tune_sqlite(self._engine)

    @classmethod
    def in_file(cls, path: Path) -> Database:
        """Return the database in an SQLite file, made when missing."""
        # Made here, since SQLite would make it readable for others; its other files follow it.
        with open(path, "ab", opener=private) as file:
            os.fsync(file.fileno())
        return cls(URL.create("sqlite", database=str(path)))

    def version(self) -> int | None:
        """Return the version of the tables; None when there are none.

        Raises
        ------
        UnusableFolderError
            There are tables, but not of Brood.
        """
        with self.read() as connection:
            tables = sa.inspect(connection).get_table_names()
            found = connection.scalar(sa.select(schema.c.version)) if "schema" in tables else None
        if tables and found is None:
            raise UnusableFolderError(
                f"The database '{self._engine.url.database}' is none of Brood. Choose another "
                "folder with --data, or restore the database from a backup."
            )
        return found

    def create_tables(self) -> None:
        """Make the tables when there are none; bring those of an older version up to date.

        Raises
        ------
        UnusableFolderError
            The tables were made by a later version of the server.
        """
        found = self.version()
        if found is None:
            with self.write() as connection:
                metadata.create_all(connection)
                connection.execute(sa.insert(schema).values(version=SCHEMA_VERSION))
        elif found == SCHEMA_VERSION:
            return
        elif found in _MIGRATIONS:
            # One transaction: a start that fails leaves the tables as they were.
            with self.write() as connection:
                for version in range(found, SCHEMA_VERSION):
                    for statement in _MIGRATIONS[version]:
                        connection.exec_driver_sql(statement)
                connection.execute(sa.update(schema).values(version=SCHEMA_VERSION))
        else:
            raise UnusableFolderError(
                f"The data folder holds tables of version {found}, but this hatcher knows "
                f"version {SCHEMA_VERSION}. Start the hatcher that made it, or choose "
                "another folder with --data."
            )

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one unchanging state."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, wait: float = _TURN) -> Iterator[sa.Connection]:
        """Give the one connection that may change something; commit at the end.

        An exception undoes everything.

        Parameters
        ----------
        wait : float
            How long to wait for other writers, in seconds.

        Raises
        ------
        Refusal
            503: it is not to be had in that time.
        """
        with self.alone(wait) as left, self._engine.connect() as connection:
            connection.execution_options(brood_writes=True, brood_wait=min(left, _LOCKED))
            with connection.begin():
                yield connection

    @contextmanager
    def alone(self, wait: float = _TURN) -> Iterator[float]:
        """Keep every other writer out, for steps that span more than one transaction.

        Gives what is left of `wait`.
        """
        end = time.monotonic() + wait
        if not self._writer.acquire(timeout=wait):
            raise unavailable("Too many requests change something at once. Try again in a moment.")
        try:
            yield max(0.0, end - time.monotonic())
        finally:
            self._writer.release()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


@contextmanager
def unique(taken: str) -> Iterator[None]:
    """Answer 409 when what is inserted is there already."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise conflict(taken) from error


def now() -> str:
    """Return the time as Brood writes it: naive ISO 8601 in UTC, with microseconds."""
    return timestamp(datetime.now(UTC))


def user(email: str) -> dict[str, str]:
    """Return what is kept of a new user, but for what they prove themselves with."""
    return {"email": email, "key": email.lower(), "created": now()}


def timestamp(moment: datetime) -> str:
    """Return `moment` as Brood writes it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _tune_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        # BEGIN is ours alone (below); the driver's guesses leave reads outside of it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # NORMAL could lose answered uploads when the power fails. One fsync each is cheap.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # What is sorted for a read needs no room on a disk, which may be full.
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        writes = options.get("brood_writes", False)
        wait = round(1000 * options.get("brood_wait", _LOCKED))
        if connection.info.get("wait") != wait:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {wait}")
            connection.info["wait"] = wait
        # A deferred writer that has read already cannot wait for another: it fails.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")
