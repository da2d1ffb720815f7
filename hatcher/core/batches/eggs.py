"""Uploading many eggs, which appear together."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from hatcher.core.batches import BatchOptions
from hatcher.core.batches.uploads import LocalItem, Paths, UploadBatch
from hatcher.core.eggs import NO_PYTHON_TAG, Egg, Eggs
from hatcher.core.local import LocalArtefact
from hatcher.errors import (
    BadRequestError,
    HatcherException,
    NotFoundError,
    ServerError,
    TransportError,
)
from hatcher.transfer.batch import Tally
from hatcher.transfer.journal import Journal, open_journal
from hatcher.transfer.reports import BatchReport, Outcome, reporting

#: Files that are noted in the journal at a time: a write for each would cost more.
TOGETHER = 32

#: After these nobody knows whether the server has stored the file.
UNKNOWN_END = (TransportError, ServerError, OSError)


def upload_eggs(
    eggs: Eggs,
    paths: Paths,
    options: BatchOptions,
    enabled: bool,
    journal: str | os.PathLike[str] | Literal[False] | None,
) -> BatchReport:
    """Upload eggs; see `SinglePlatformRepository.upload_eggs`."""
    batch = _EggBatch(eggs, paths, options, enabled)
    if journal is not False and batch.items and enabled and not options.dry_run:
        place = (str(eggs._session.server), *eggs._names.values(), "eggs")
        batch.journal = open_journal(place, journal)
    try:
        with reporting(batch.report):
            batch.upload()
        return batch.report()
    finally:
        if batch.journal is not None:
            batch.journal.close()


class _EggBatch(UploadBatch):
    """The uploads of eggs to one platform of a repository."""

    journal: Journal | None = None

    def __init__(self, eggs: Eggs, paths: Paths, options: BatchOptions, enabled: bool) -> None:
        super().__init__(paths, options)
        self._eggs = eggs
        self._enabled = enabled
        #: The index of each python tag; None for one that cannot be had.
        self._known: dict[str, Mapping[str, Any] | None] = {}
        self._visible: set[int] = set()
        #: What is stored and disabled, and is to be shown.
        self._hidden: list[LocalItem] = []
        self._lock = threading.Lock()
        #: What is sent disabled, the place of each in it, and how many the journal names.
        self._unsent: list[LocalItem] = []
        self._numbers: dict[int, int] = {}
        self._noted = 0

    def upload(self) -> None:
        """Upload what the server does not have, and show it."""
        self.read(self._read)
        if self.open:
            asked = [item for item in self.open if self._is_worth_asking(item)]
            self.each(asked, self._look, "hashing")
            self._send()
            self._show()
        if self.journal is not None:
            read = [item for item in self.items if hasattr(item, "file")]
            self.journal.settle(_egg(item)._claim for item in read if not self._is_unknown(item))

    # -- what the server has -------------------------------------------------------------

    def _read(self, path: Path) -> LocalArtefact:
        """Read an egg, and the index of its python tag when it is the first one with it."""
        file = self._eggs._local_egg(path)
        tag = cast(Egg, file.there)._names["python_tag"]
        with self._lock:
            is_first = tag not in self._known
            self._known.setdefault(tag, None)
        if is_first:
            try:
                self._known[tag] = self._eggs.egg_index(tag)
            except (BadRequestError, NotFoundError):
                # Some servers give indices for real Pythons only: each egg is asked for.
                if tag != NO_PYTHON_TAG:
                    raise
        return file

    def _is_worth_asking(self, item: LocalItem) -> bool:
        """Whether the server may have the egg: it is shown, or may be there disabled."""
        egg = _egg(item)
        if self._known[egg._names["python_tag"]] is None or self._entry(item) is not None:
            return True
        return not self._enabled or self.journal is None or egg._claim in self.journal.begun

    def _entry(self, item: LocalItem) -> Mapping[str, Any] | None:
        """Return what the index says of an egg: of this one, not of one with another tag."""
        egg = _egg(item)
        index = self._known[egg._names["python_tag"]] or {}
        entry = index.get(egg._filename) or index.get(item.path.name)
        return entry if entry is not None and egg._has_tag(entry) else None

    def _look(self, item: LocalItem, tally: Tally) -> Outcome | None:
        """Find out whether the server has the egg, and shows it."""
        egg, entry = _egg(item), self._entry(item)
        said: Mapping[str, Any] = entry or {}
        is_visible = True
        if said.get("sha256") is None or "python_tag" not in said:
            said = egg._found() or {}
            if not said or not egg._has_tag(said):
                return None
            is_visible = said.get("enabled", entry is not None)
        if is_visible:
            self._visible.add(id(item))
        outcome = self._compare(item, tally, said)
        if outcome is not None and not is_visible:
            self._hidden.append(item)
        return outcome

    # -- sending and showing -------------------------------------------------------------

    def _send(self) -> None:
        missing = self.open
        replacing = [item for item in missing if self._enabled and id(item) in self._visible]
        new = [item for item in missing if not self._enabled or id(item) not in self._visible]
        self._unsent = new
        self._numbers = {id(item): number for number, item in enumerate(new)}
        self.send(new, enabled=False)
        # Others may have sent one meanwhile, and not have shown it yet.
        self._hidden += [item for item in new if item.outcome in ("uploaded", "already there")]
        self.send(replacing, enabled=True)

    def _begin(self, item: LocalItem) -> None:
        """See to it that the journal names an egg that is about to be sent, disabled."""
        number = self._numbers.get(id(item), -1)
        if self.journal is None or number < self._noted:
            return
        with self._lock:
            while number >= self._noted:
                some = self._unsent[self._noted : self._noted + TOGETHER]
                self.journal.begin([_egg(item)._claim for item in some])
                self._noted += TOGETHER

    def _show(self) -> None:
        """Show all that is stored and disabled, in one request."""
        if not self._enabled or not self._hidden or self.options.dry_run:
            return
        total = sum(item.size or 0 for item in self._hidden)
        self._crew.tell(0, total, "indexing")
        try:
            self._eggs._enable(map(_egg, self._hidden))
        except HatcherException as error:
            for item in self._hidden:
                stored = HatcherException(
                    f"{item.path.name} is stored, but not shown yet: {error} Call it again: it is "
                    "not sent a second time."
                )
                stored.__cause__ = error
                item.fail(stored)
            return
        self._crew.tell(total, total, "indexing")

    def _is_unknown(self, item: LocalItem) -> bool:
        """Whether the journal is to keep an egg, for the next call."""
        if item.outcome == "failed":
            return isinstance(item.error, UNKNOWN_END) or item in self._hidden
        return item.outcome == "not tried"


def _egg(item: LocalItem) -> Egg:
    return cast(Egg, item.file.there)
