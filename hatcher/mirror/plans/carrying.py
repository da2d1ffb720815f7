"""Getting each artefact from the source once, and handing it to wherever it is wanted."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hatcher.mirror.documents import DOCUMENTS
from hatcher.mirror.ends.base import End
from hatcher.mirror.ends.receiving import Delivery, Receiver
from hatcher.transfer.batch import Item, Tally

if TYPE_CHECKING:
    from hatcher.mirror.cache import Cache


class Load:
    """What is wanted at one or several places, and is one file.

    Parameters
    ----------
    items : list of Item
        With the same sha256.
    """

    def __init__(self, items: list[Item[Delivery]]) -> None:
        self.items = items
        self.file: Path | None = None


class Carrier:
    """Gets artefacts from a source.

    Parameters
    ----------
    source : End
    receiver : Receiver
    folder : pathlib.Path
        For files that go on to a server.
    cache : Cache or None
    """

    def __init__(self, source: End, receiver: Receiver, folder: Path, cache: Cache | None) -> None:
        self._source = source
        self._receiver = receiver
        self._folder = folder
        self._cache = cache
        self._numbers = itertools.count()

    def carry(self, load: Load, tally: Tally) -> None:
        """Write a load to all places that want it, and note what becomes of that.

        Parameters
        ----------
        load : Load
        tally : Tally
            Of the calling thread.
        """
        with self._place_for(load) as folder:
            for item in load.items:
                self._receiver.attempts(item).attempt(
                    item,
                    tally,
                    lambda: self._receiver.put(
                        item,  # noqa: B023 - called at once
                        lambda: self._obtain(load, item, folder, tally),  # noqa: B023
                        tally,
                    ),
                )

    @contextmanager
    def _place_for(self, load: Load) -> Iterator[Path | None]:
        """Give a folder for the file, if it has no place of its own; it is removed at the end."""
        if self._receiver.is_local:
            yield None
            return
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _obtain(self, load: Load, item: Item[Delivery], folder: Path | None, tally: Tally) -> Path:
        wanted, path = item.file.wanted, item.file.path
        assert wanted is not None
        name = path.rpartition("/")[2]
        into = item.path if folder is None else folder / name
        file = load.file
        if file is None:
            file = load.file = self._fetch(item, into, tally)
            item.size = file.stat().st_size
        if folder is not None and file.name != name:
            # A server is told the name of the file.
            if not into.exists():
                shutil.copyfile(file, into)
            file = into
        return file

    def _fetch(self, item: Item[Delivery], into: Path, tally: Tally) -> Path:
        wanted, path = item.file.wanted, item.file.path
        assert wanted is not None
        cache = None if self._source.kind(path) in DOCUMENTS else self._cache
        if cache is not None and wanted.sha256 and cache.copy(wanted.sha256, into, progress=tally):
            return into
        file = self._source.obtain(path, wanted, into, tally)
        if cache is not None and wanted.sha256 and file == into:
            # On its way to a server it is only ours, and removed afterwards.
            cache.add(file, wanted.sha256, own=not self._receiver.is_local)
        return file


def loads_of(source: End, items: Sequence[Item[Delivery]]) -> list[Load]:
    """Put together what is the same file.

    Parameters
    ----------
    source : End
    items : sequence of Item
    """
    loads: dict[object, Load] = {}
    for item in items:
        wanted = item.file.wanted
        assert wanted is not None
        is_file = source.kind(item.file.path) not in DOCUMENTS
        key = wanted.sha256 if is_file and wanted.sha256 else id(item)
        if key in loads:
            loads[key].items.append(item)
        else:
            loads[key] = Load([item])
    return list(loads.values())
