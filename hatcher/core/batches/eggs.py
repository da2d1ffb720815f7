"""Uploading many eggs, which appear together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hatcher.artefacts.egg import EggFile, read_egg
from hatcher.core.batches.sending import Sending, is_same
from hatcher.core.eggs import NO_PYTHON_TAG, Eggs
from hatcher.errors import (
    BadRequestError,
    HatcherException,
    NotFoundError,
    ServerError,
    TransportError,
)
from hatcher.transfer.batch import Item, Tally
from hatcher.transfer.journal import Claim, Journal, open_journal
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import BatchReport, reporting
from hatcher.transport.request import Request

if TYPE_CHECKING:
    from hatcher.core.documents import EggIndexEntry

#: The index of each python tag; None for one that cannot be had.
_Known: TypeAlias = "dict[str | None, dict[str, EggIndexEntry] | None]"

#: Files that are noted in the journal at a time: a write for each would cost more.
TOGETHER = 32

#: After these nobody knows whether the server has stored the file.
UNKNOWN_END = (TransportError, ServerError, OSError)


class EggUpload:
    """The uploads of eggs to one platform of a repository.

    Eggs that the index does not show yet are sent disabled, and enabled by one
    request at the end, so that they appear together. Those that replace a visible
    one are sent after all others, and enabled: the old one stays until the new one
    takes its place.

    Parameters
    ----------
    eggs : Eggs
        Where they go to.
    overwrite, enabled : bool
        As for `SinglePlatformRepository.upload_eggs`.
    sending : Sending
    journal : Journal or None
    """

    def __init__(
        self,
        eggs: Eggs,
        *,
        overwrite: bool,
        enabled: bool,
        sending: Sending[EggFile],
        journal: Journal | None,
    ) -> None:
        self.eggs = eggs
        self.overwrite = overwrite
        self.enabled = enabled
        self.sending = sending
        self.journal = journal
        self._visible: set[int] = set()
        self._hidden: list[Item[EggFile]] = []
        self._lock = threading.Lock()
        self._noted = 0

    @classmethod
    def run(
        cls,
        eggs: Eggs,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool,
        enabled: bool,
        concurrency: int | None,
        progress: Progress | None,
        journal: str | os.PathLike[str] | bool | None,
        dry_run: bool,
    ) -> BatchReport:
        """Upload them; see `SinglePlatformRepository.upload_eggs`."""
        sending: Sending[EggFile] = Sending(eggs._session, paths, concurrency, progress, dry_run)
        opened = None
        if journal is not False and sending.items and enabled and not dry_run:
            place = (str(eggs._session.server), *eggs._names.values(), "eggs")
            opened = open_journal(place, None if journal is True else journal)
        try:
            batch = cls(eggs, overwrite=overwrite, enabled=enabled, sending=sending, journal=opened)
            with reporting(sending.report):
                return batch._run()
        finally:
            if opened is not None:
                opened.close()

    def _run(self) -> BatchReport:
        sending = self.sending
        # The index of a tag is read as soon as an egg has it, while others are checked.
        known: _Known = {}
        sending.read(lambda path: self._read(path, known), _claim)
        if sending.open:
            asked = [item for item in sending.open if self._is_worth_asking(item, known)]
            sending.compare(asked, lambda item, tally: self._is_there(item, tally, known))
            self._send()
            self._enable()
        self._settle()
        return sending.report()

    # -- what the server has -------------------------------------------------------------

    def _read(self, path: Path, known: _Known) -> EggFile:
        """Read an egg, and the index of its python tag when it is the first one with it."""
        egg = read_egg(path)
        tag = egg.python_tag
        with self._lock:
            is_first = tag not in known
            known.setdefault(tag, None)
        if is_first:
            try:
                known[tag] = self.eggs.egg_index(tag or NO_PYTHON_TAG)
            except (BadRequestError, NotFoundError):
                # Some servers give indices for real Pythons only: each egg is asked for.
                if tag is not None:
                    raise
        return egg

    def _is_worth_asking(
        self,
        item: Item[EggFile],
        known: _Known,
    ) -> bool:
        """Whether the server may have the egg: it is shown, or may be there disabled."""
        index = known[item.file.python_tag]
        if index is None or _entry(index, item) is not None or not self.enabled:
            return True
        return self.journal is None or _claim(item.file) in self.journal.begun

    def _is_there(
        self,
        item: Item[EggFile],
        tally: Tally,
        known: _Known,
    ) -> bool:
        """Whether the server has the egg; raises when it has another, which must stay."""
        egg = item.file
        there = self.eggs.egg(egg.python_tag, egg.name, egg.full_version)
        entry = _entry(known[egg.python_tag] or {}, item)
        if entry is not None and entry.get("sha256") is not None and "python_tag" in entry:
            sha256, is_visible = there._sha256_in(entry), True
        else:
            metadata = there._found()
            if metadata is None or metadata.get("python_tag", egg.python_tag) != egg.python_tag:
                return False
            sha256 = there._sha256_in(metadata)
            is_visible = metadata.get("enabled", entry is not None)
        if is_visible:
            self._visible.add(id(item))
        same = is_same(item.path, sha256, str(self.eggs), tally, overwrite=self.overwrite)
        if same and not is_visible:
            self._hidden.append(item)
        return same

    # -- sending and showing -------------------------------------------------------------

    def _send(self) -> None:
        missing = self.sending.open
        replacing = [item for item in missing if self.enabled and id(item) in self._visible]
        new = [item for item in missing if not self.enabled or id(item) not in self._visible]
        numbers = {id(item): number for number, item in enumerate(new)}
        hidden = self._request(enabled=False)

        def send(item: Item[EggFile], tally: Tally) -> bool:
            if self.journal is not None:
                self._note(self.journal, new, numbers[id(item)])
            return self.eggs._send_egg(item.file, self.overwrite, False, tally, hidden)

        self.sending.send(new, send)
        # Others may have sent one meanwhile, and not have shown it yet.
        self._hidden += [item for item in new if item.outcome in ("uploaded", "already there")]
        shown = self._request(enabled=True)
        self.sending.send(
            replacing,
            lambda item, tally: self.eggs._send_egg(item.file, self.overwrite, True, tally, shown),
        )

    def _request(self, *, enabled: bool) -> Request:
        return self.eggs._request("upload_egg", overwrite=self.overwrite, enabled=enabled)

    def _note(self, journal: Journal, items: list[Item[EggFile]], number: int) -> None:
        """See to it that the journal names an egg that is about to be sent."""
        if number < self._noted:
            return
        with self._lock:
            while number >= self._noted:
                some = items[self._noted : self._noted + TOGETHER]
                journal.begin([_claim(item.file) for item in some])
                self._noted += TOGETHER

    def _enable(self) -> None:
        """Show all that is stored and disabled, in one request."""
        if not self.enabled or not self._hidden or self.sending.dry_run:
            return
        total = sum(item.size or 0 for item in self._hidden)
        self.sending.crew.tell(0, total, "indexing")
        try:
            self.eggs._enable([item.file for item in self._hidden])
        except HatcherException as error:
            for item in self._hidden:
                stored = HatcherException(
                    f"{item.path.name} is stored, but not shown yet: {error} Call it again: it is "
                    "not sent a second time."
                )
                stored.__cause__ = error
                item.fail(stored)
            return
        self.sending.crew.tell(total, total, "indexing")

    def _settle(self) -> None:
        """Forget in the journal what needs no further question."""
        if self.journal is None:
            return
        self.journal.settle(
            _claim(item.file)
            for item in self.sending.items
            if hasattr(item, "file") and not self._is_unknown(item)
        )

    def _is_unknown(self, item: Item[EggFile]) -> bool:
        if item.outcome == "failed":
            return isinstance(item.error, UNKNOWN_END) or item in self._hidden
        return item.outcome == "not tried"


def _claim(egg: EggFile) -> Claim:
    return egg.name.lower(), egg.full_version, egg.python_tag or NO_PYTHON_TAG


def _entry(index: dict[str, EggIndexEntry], item: Item[EggFile]) -> EggIndexEntry | None:
    """Return what an index says of an egg: of this one, not of one with another tag."""
    entry = index.get(item.file.filename) or index.get(item.path.name)
    if entry is None or entry.get("python_tag", item.file.python_tag) != item.file.python_tag:
        return None
    return entry
