"""Uploading many eggs, which appear together."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from hatcher.cancel import holding
from hatcher.core.batches.uploads import LocalItem, Paths, UploadBatch
from hatcher.core.eggs import NO_PYTHON_TAG, Egg, Eggs
from hatcher.core.local import LocalArtefact
from hatcher.errors import (
    BadRequestError,
    ConflictError,
    HatcherException,
    NotFoundError,
)
from hatcher.transfer.batch import ByteCounter
from hatcher.transfer.progress import BatchOptions
from hatcher.transfer.reports import BatchReport, Outcome, reporting
from hatcher.transfer.upload import LARGE


def upload_eggs(
    eggs: Eggs, paths: Paths, options: BatchOptions, enabled: bool, *, asks_for_all: bool
) -> BatchReport:
    """Upload eggs; see `SinglePlatformRepository.upload_eggs`."""
    batch = _EggBatch(eggs, paths, options, enabled, asks_for_all or options.dry_run)
    with reporting(batch.report):
        batch.upload()
    return batch.report()


class _EggBatch(UploadBatch):
    """The uploads of eggs to one platform of a repository."""

    def __init__(
        self, eggs: Eggs, paths: Paths, options: BatchOptions, enabled: bool, asks_for_all: bool
    ) -> None:
        super().__init__(paths, options)
        self._eggs = eggs
        self._enabled = enabled
        self._asks_for_all = asks_for_all or not enabled
        #: The index of each python tag; None for one that cannot be had.
        self._known: dict[str, Mapping[str, Any] | None] = {}
        #: The eggs that the server was asked for, those that it shows, and those that are to be
        #: shown, which are stored and disabled.
        self._asked: set[int] = set()
        self._visible: set[int] = set()
        self._hidden: dict[int, LocalItem] = {}
        self._lock = threading.Lock()
        #: Whether some egg was asked for before it was sent; held while it is.
        self._has_looked = False
        self._looking = threading.Lock()

    def upload(self) -> None:
        """Upload what the server does not have, and show it."""
        self.expect()
        self.read(self._read)
        if not self.open:
            return
        self.each(
            [item for item in self.open if self._is_worth_asking(item)], self._look, "hashing"
        )
        self._send()
        self._show()

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
        if self._asks_for_all or (item.size or 0) >= LARGE:
            return True
        is_known = self._known[_egg(item)._names["python_tag"]] is not None
        return not is_known or self._entry(item.file) is not None

    def _entry(self, file: LocalArtefact) -> Mapping[str, Any] | None:
        """Return what the index says of an egg: of this one, not of one with another tag."""
        egg = cast(Egg, file.there)
        index = self._known[egg._names["python_tag"]] or {}
        entry = index.get(egg._filename) or index.get(file.path.name)
        return entry if entry is not None and egg._has_tag(entry) else None

    def _look(self, item: LocalItem, counter: ByteCounter) -> Outcome | None:
        """Find out whether the server has the egg, and shows it."""
        self._asked.add(id(item))
        egg, entry = _egg(item), self._entry(item.file)
        said: Mapping[str, Any] = entry or {}
        is_visible = True
        if said.get("sha256") is None or "python_tag" not in said:
            said = egg._found() or {}
            if not said or not egg._has_tag(said):
                return None
            is_visible = said.get("enabled", entry is not None)
        if is_visible:
            self._visible.add(id(item))
        outcome = self._compare(item, counter, said)
        if outcome is not None and not is_visible:
            self._hidden[id(item)] = item
        return outcome

    def _probe(self, item: LocalItem, counter: ByteCounter) -> Outcome | None:
        """Find it out of an egg that the server has not been asked for."""
        with suppress(HatcherException):  # what is wrong is told when it is sent
            return None if id(item) in self._asked else self._look(item, counter)
        return None

    def _is_left(self, item: LocalItem, counter: ByteCounter) -> bool:
        """Whether the server has the egg, as of an interrupted batch, which has not shown it.

        The first that is sent is asked for, and the others if it is there; they wait for that.
        """
        with holding(self._looking):
            if not self._has_looked and id(item) not in self._asked:
                self._has_looked = True
                is_left = self._probe(item, counter) is not None
                self._asks_for_all |= is_left
                return is_left
        return self._asks_for_all and self._probe(item, counter) is not None

    # -- sending and showing -------------------------------------------------------------

    def _send(self) -> None:
        missing = self.open
        replacing = [item for item in missing if self._enabled and id(item) in self._visible]
        new = [item for item in missing if not self._enabled or id(item) not in self._visible]
        self.send(new, enabled=False)
        # Others may have sent one meanwhile, and not have shown it yet.
        stored = [item for item in new if item.outcome in ("uploaded", "already there")]
        self._hidden.update((id(item), item) for item in stored)
        self.send(replacing, enabled=True)

    def _upload(self, item: LocalItem, counter: ByteCounter, enabled: bool | None) -> Outcome:
        if self._is_left(item, counter):
            return "already there"
        try:
            outcome = super()._upload(item, counter, enabled)
        except ConflictError:
            # Some servers refuse what they have, also where it is the same, and disabled.
            if self._probe(item, counter) is None:
                raise
            outcome = "already there"
        if outcome == "already there":  # so may others be, of a batch that was interrupted
            self._asks_for_all = True
        return outcome

    def _show(self) -> None:
        """Show all that is stored and disabled, in one request."""
        if not self._enabled or not self._hidden or self.options.dry_run:
            return
        hidden = list(self._hidden.values())
        total = sum(item.size or 0 for item in hidden)
        self._pool.tell(0, total, "indexing")
        try:
            self._eggs._enable(map(_egg, hidden))
        except HatcherException as error:
            for item in hidden:
                stored = HatcherException(
                    f"{item.path.name} is stored, but not shown yet: {error} Call it again to show "
                    "it."
                )
                stored.__cause__ = error
                item.fail(stored)
            return
        self._pool.tell(total, total, "indexing")


def _egg(item: LocalItem) -> Egg:
    return cast(Egg, item.file.there)
