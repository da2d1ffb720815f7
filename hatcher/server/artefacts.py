"""What is stored in repositories: eggs, apps, runtimes and bundles, all in one way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

from attrs import frozen
from sqlalchemy import Connection, Row, Select, delete, insert, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from hatcher.artefacts.python_tags import NO_TAG, preference, usable_tags
from hatcher.server.access import Repository
from hatcher.server.blobs import Blobs, Incoming
from hatcher.server.database import Database, artefacts, now, repositories
from hatcher.server.failures import is_no_room
from hatcher.server.folder import Reserve
from hatcher.server.names import canonical_tag, legacy_rank
from hatcher.server.refusals import conflict, not_found

T = TypeVar("T")


class Kind(StrEnum):
    """The kinds of artefacts."""

    egg = "egg"
    app = "app"
    runtime = "runtime"
    runtime_v0 = "runtime of v0"
    bundle = "bundle"


@frozen
class Artefact:
    """What is to be stored about a file.

    Attributes
    ----------
    platform : str
        The canonical name of its platform.
    name : str
        What it is called in a URL; compared without case.
    version : str
        Its version as in a URL, with the build.
    python_tag : str
        Its python tag; ``none`` when it has none.
    entry : mapping
        What the index says of it.
    details : mapping
        What its metadata say beyond that.
    enabled : bool
        Whether it is in the index.
    """

    platform: str
    name: str
    version: str
    python_tag: str
    entry: Mapping[str, Any]
    details: Mapping[str, Any]
    enabled: bool = True

    @property
    def filename(self) -> str:
        """What the file is called, as the index or the metadata say."""
        return str({**self.entry, **self.details}["filename"])

    @property
    def identity(self) -> dict[str, Any]:
        """What no other artefact of its kind has in a repository, as columns."""
        same = {"platform": self.platform, "version": self.version, "python_tag": self.python_tag}
        return {"key": self.name.lower(), **same}

    @property
    def values(self) -> dict[str, Any]:
        """What else it says of itself, as columns."""
        texts = {"entry": json.dumps(self.entry), "details": json.dumps(self.details)}
        return {"name": self.name, "filename": self.filename, "enabled": self.enabled, **texts}

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.platform}, {self.python_tag})"


class Artefacts:
    """The artefacts of all repositories.

    Parameters
    ----------
    database : Database
        Where they are described.
    blobs : Blobs
        Where their files are.
    reserve : Reserve
        The room to delete something on a full disk.
    """

    def __init__(self, database: Database, blobs: Blobs, reserve: Reserve) -> None:
        self._database = database
        self._blobs = blobs
        self._reserve = reserve

    def sweep(self) -> None:
        """Put aside the files that no artefact has: a server that died may leave some."""
        with self._database.read() as connection:
            rows = connection.execute(select(artefacts.c.sha256, artefacts.c.size))
            sizes = {row.sha256: row.size for row in rows}
        self._blobs.sweep(sizes)

    def store(
        self,
        repository: Repository,
        kind: Kind,
        artefact: Artefact,
        incoming: Incoming,
        *,
        overwrite: bool,
    ) -> bool:
        """Store a file and what it says of itself.

        Parameters
        ----------
        repository : Repository
            Where to.
        kind : Kind
            What it is.
        artefact : Artefact
            What it says of itself.
        incoming : Incoming
            The file, arrived and checked.
        overwrite : bool
            Whether it may take the place of other content.

        Returns
        -------
        bool
            Whether something was stored; False when the same content is there already.

        Raises
        ------
        Refusal
            409: there is other content; 404: the repository is gone.
        """
        identity = {"repository_id": repository.id, "kind": kind, **artefact.identity}
        content = {"sha256": incoming.sha256, "size": incoming.size}
        values = {**artefact.values, **content, "changed": now()}
        incoming.finish()
        sound = self._blobs.has_content_of(incoming)
        with self._database.alone(), self._tidied(incoming.sha256):
            with self._database.write() as connection:
                old = connection.execute(select(artefacts).filter_by(**identity)).first()
                if old is not None and old.sha256 == incoming.sha256:
                    if not sound:  # damaged, or gone
                        self._blobs.place(incoming)
                    return False
                if old is not None and not overwrite:
                    raise conflict(
                        f"{repository.name} has the {kind} {artefact} already, with other content "
                        f"(sha256 {old.sha256}). Give it another build number, or replace it "
                        "with overwrite=True."
                    )
                _changed(connection, repository)
                self._blobs.place(incoming)
                if old is None:
                    connection.execute(insert(artefacts).values(**identity, **values))
                    return True
                connection.execute(update(artefacts).filter_by(id=old.id).values(**values))
            self._remove_unnamed([old.sha256])
        return True

    def find(
        self,
        connection: Connection,
        repository: Repository,
        kind: Kind,
        platform: str,
        name: str | None,
        version: str,
        python_tag: str = NO_TAG,
        *,
        own_tag: bool = False,
    ) -> Row[Any]:
        """Return the row of an artefact.

        Parameters
        ----------
        connection : sqlalchemy.Connection
            What to read with.
        repository : Repository
            Where it is.
        kind, platform, name, version
            What it is, as in `Artefact`; without a name, any.
        python_tag : str
            Its tag, or that of a runtime that can use it: of several, the one that
            suits best.
        own_tag : bool
            Take only an artefact that has the very tag: what changes an artefact must
            not meet another one that merely suits.

        Raises
        ------
        Refusal
            404: there is none.
        """
        tag = canonical_tag(python_tag)
        usable = usable_tags(tag)
        wanted = of_kind(repository, kind, platform).filter_by(version=version)
        if name is not None:
            wanted = wanted.filter_by(key=name.lower())
        ranked = [
            (rank, row)
            for row in connection.execute(wanted)
            if (rank := preference(row.python_tag, usable)) is not None
        ]
        missing = (
            f"{repository.name} has no {kind} {f'{name} ' if name else ''}{version} for "
            f"{platform} and the python tag '{python_tag}'."
        )
        if not ranked:
            raise not_found(missing)
        row = min(ranked, key=lambda ranked_row: ranked_row[0])[1]
        if own_tag and row.python_tag != tag:
            raise not_found(
                f"{missing} One that suits it has the tag '{row.python_tag}': to change it, "
                "give that."
            )
        return row

    def find_file(
        self,
        connection: Connection,
        repository: Repository,
        kind: Kind,
        platform: str,
        filename: str,
    ) -> Row[Any]:
        """Return the row of an enabled artefact by its file name: of several the legacy one.

        Raises
        ------
        Refusal
            404: there is none.
        """
        named = of_kind(repository, kind, platform).filter_by(filename=filename, enabled=True)
        found = connection.execute(named).all()
        if not found:
            raise not_found(f"{repository.name} has no {kind} '{filename}' for {platform}.")
        return min(found, key=lambda row: legacy_rank(row.python_tag))

    def delete(self, repository: Repository, row: Row[Any]) -> None:
        """Delete an artefact, and its file when nothing else has it.

        Parameters
        ----------
        repository : Repository
            Where it is.
        row : sqlalchemy.Row
            The row that `find` gave.
        """

        def act() -> None:
            with self._database.write() as connection:
                # Since it was found, it may have been overwritten.
                gone = delete(artefacts).filter_by(id=row.id).returning(artefacts.c.sha256)
                sha256s = connection.scalars(gone).all()
                _changed(connection, repository)
            self._remove_unnamed(sha256s)

        self._free(act)

    def delete_repository(self, repository: Repository, *, force: bool) -> None:
        """Delete a repository with everything in it.

        Raises
        ------
        Refusal
            409: something is in it, and `force` is not given.
        """

        def act() -> None:
            with self._database.write() as connection:
                held = select(artefacts.c.sha256).filter_by(repository_id=repository.id)
                sha256s = connection.scalars(held).all()
                if sha256s and not force:
                    raise conflict(
                        f"{repository.name} is not empty: it holds {len(sha256s)} artefact(s). "
                        "Delete them first, or delete it with all of them with force=True."
                    )
                connection.execute(delete(repositories).filter_by(id=repository.id))
            self._remove_unnamed(sha256s)

        self._free(act)

    def enable(
        self,
        repository: Repository,
        kind: Kind,
        platform: str,
        wanted: Iterable[tuple[str, str, str]],
    ) -> None:
        """Show artefacts in the index; all of them, or none when one is missing.

        Parameters
        ----------
        repository : Repository
            Where they are.
        kind, platform
            What they are.
        wanted : iterable of tuple of str
            The name, version and python tag of each; the tag is the very one that it has.

        Raises
        ------
        Refusal
            404: one is not there.
        """
        # By what identifies each in the database, as it was asked for.
        left = {
            (name.lower(), version, canonical_tag(tag)): (name, version, tag)
            for name, version, tag in wanted
        }
        identity = (artefacts.c.key, artefacts.c.version, artefacts.c.python_tag)
        told = of_kind(repository, kind, platform, *identity, artefacts.c.id, artefacts.c.enabled)
        disabled = []
        with self._database.write() as connection:
            for batch in batches(list(left)):
                these = told.where(tuple_(*identity).in_(batch))
                for *found, number, enabled in connection.execute(these):
                    del left[tuple(found)]
                    if not enabled:
                        disabled.append(number)
            for missing in left.values():
                self.find(connection, repository, kind, platform, *missing, own_tag=True)
            for numbers in batches(disabled):
                shown = update(artefacts).values(enabled=True, changed=now())
                connection.execute(shown.where(artefacts.c.id.in_(numbers)))
            _changed(connection, repository)

    def _free(self, act: Callable[[], None]) -> None:
        """Delete something, alone; on a full disk with the room that is kept for that."""
        with self._database.alone():
            try:
                act()
            except (OSError, DBAPIError) as error:
                if not is_no_room(error) or not self._reserve.give_up():
                    raise
                act()
            finally:
                self._reserve.keep()

    @contextmanager
    def _tidied(self, sha256: str) -> Iterator[None]:
        """Remove a blob that no row came to name, when the disk was full for that."""
        try:
            yield
        except (OSError, DBAPIError) as error:
            if is_no_room(error):
                self._remove_unnamed([sha256])
            raise

    def _remove_unnamed(self, sha256s: Iterable[str]) -> None:
        with self._database.read() as connection:
            for batch in batches(set(sha256s)):
                named = select(artefacts.c.sha256).where(artefacts.c.sha256.in_(batch))
                self._blobs.remove(set(batch).difference(connection.scalars(named)))


def metadata_of(row: Row[Any]) -> dict[str, Any]:
    """Return what the metadata of an artefact say: the entry of the index and more."""
    return {**json.loads(row.entry), **json.loads(row.details)}


def of_kind(repository: Repository, kind: Kind, platform: str, *columns: Any) -> Select[Any]:
    """Return what selects the artefacts of a kind in a repository."""
    place = {"repository_id": repository.id, "kind": kind, "platform": platform}
    return select(*columns or (artefacts,)).filter_by(**place)


def _changed(connection: Connection, repository: Repository) -> None:
    """Make every cached index of the repository stale."""
    changed = update(repositories).values(generation=repositories.c.generation + 1)
    if not connection.execute(changed.filter_by(id=repository.id)).rowcount:
        raise not_found(f"There is no repository '{repository.name}' any more.")


def batches(values: Iterable[T], size: int = 5000) -> Iterator[list[T]]:
    """Yield lists of so many: by default few enough for one statement, with three parameters each."""
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch
