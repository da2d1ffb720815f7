"""Indices: put together from the entries, compressed once, sent to many.

What is cached is the gzipped text, by repository and generation: any change in a
repository makes its indices stale. The ETag is a hash of the text, so that it outlives
restarts and changes that leave an index as it was.
"""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any
from weakref import WeakValueDictionary

from attrs import frozen
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hatcher.artefacts.python_tags import NO_TAG, preference, usable_tags
from hatcher.server.access import Repository
from hatcher.server.artefacts import Kind, batches, of_kind
from hatcher.server.conditions import matches_none
from hatcher.server.database import Database, artefacts, repositories
from hatcher.server.names import legacy_rank

#: How much the cache may hold, in bytes: some ten indices of 50,000 eggs.
_CACHE_SIZE = 64 << 20

#: How many entries are put together at once.
_BATCH = 1000
_COLUMNS = ("name", "version", "python_tag", "filename", "entry")

_GZIP = 16 + zlib.MAX_WBITS
#: Twice as fast as the default, and hardly larger: indices are remade often.
_LEVEL = 3


@frozen
class IndexText:
    """The text of an index.

    Attributes
    ----------
    gzipped : bytes
        The JSON text, compressed.
    size : int
        Its size before, in bytes.
    etag : str
        What changes with it. Weak, since it is the same however the text is sent.
    """

    gzipped: bytes
    size: int
    etag: str

    @classmethod
    def of(cls, pieces: Iterable[str]) -> IndexText:
        """Return the text that the pieces make."""
        compressor = zlib.compressobj(_LEVEL, wbits=_GZIP)
        digest = hashlib.sha256()
        size = 0
        gzipped = bytearray()
        for piece in pieces:
            encoded = piece.encode()
            digest.update(encoded)
            size += len(encoded)
            gzipped += compressor.compress(encoded)
        gzipped += compressor.flush()
        return cls(bytes(gzipped), size, f'W/"{digest.hexdigest()}"')

    def response(self, request: Request) -> Response:
        """Return the answer to a request for it: whole, gzipped or 304."""
        headers = {"ETag": self.etag, "Vary": "Accept-Encoding"}
        if matches_none(request, self.etag):
            return Response(status_code=304, headers=headers)
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            return Response(self.gzipped, headers=headers, media_type="application/json")
        headers["Content-Length"] = str(self.size)
        return StreamingResponse(self._unzipped(), headers=headers, media_type="application/json")

    def _unzipped(self) -> Iterator[bytes]:
        decompressor = zlib.decompressobj(wbits=_GZIP)
        data = self.gzipped
        while data:
            yield decompressor.decompress(data, 256 << 10)
            data = decompressor.unconsumed_tail


class Indices:
    """The indices of all repositories.

    Parameters
    ----------
    database : Database
        Where the artefacts are described.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: OrderedDict[tuple[object, ...], tuple[int, IndexText]] = OrderedDict()
        self._cache_lock = threading.Lock()
        # Of a repository one is made at a time: two at once would take twice the memory. Its
        # lock goes when nobody holds it any more.
        self._making: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()

    def get(
        self, repository: Repository, kind: Kind, platform: str, python_tag: str | None = None
    ) -> IndexText:
        """Return an index.

        Parameters
        ----------
        repository : Repository
            Of what.
        kind : Kind
            Of which artefacts.
        platform : str
            The canonical name of the platform.
        python_tag : str, optional
            Only what a runtime of this canonical tag can use; without it, for eggs, the older
            index for all Pythons.
        """
        key = (repository.id, kind, platform, python_tag)
        with self._database.read() as connection:
            known = self._recall(key, _generation(connection, repository))
        if known is not None:
            return known
        with self._cache_lock:
            making = self._making.setdefault(repository.id, threading.Lock())
        with making, self._database.read() as connection:
            generation = _generation(connection, repository)
            # Somebody else may have waited for the same one.
            known = self._recall(key, generation)
            if known is not None:
                return known
            columns = [artefacts.c[name] for name in _COLUMNS]
            wanted = of_kind(repository, kind, platform, *columns).filter_by(enabled=True)
            wanted = wanted.order_by(artefacts.c.filename).execution_options(yield_per=_BATCH)
            rows = connection.execute(wanted)
            is_flat = kind is Kind.egg
            made = IndexText.of(_eggs(rows, python_tag) if is_flat else _nested(rows, kind))
            self._remember(key, generation, made)
            return made

    def _recall(self, key: tuple[object, ...], generation: int) -> IndexText | None:
        with self._cache_lock:
            known = self._cache.get(key)
            if known is None or known[0] != generation:
                return None
            self._cache.move_to_end(key)
            return known[1]

    def _remember(self, key: tuple[object, ...], generation: int, text: IndexText) -> None:
        with self._cache_lock:
            self._cache[key] = (generation, text)
            self._cache.move_to_end(key)
            while sum(len(text.gzipped) for _, text in self._cache.values()) > _CACHE_SIZE:
                self._cache.popitem(last=False)


def accepts_gzip(accepted: str) -> bool:
    """Say whether a client that sends this Accept-Encoding takes gzip."""
    qualities: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, value = parameter.partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            quality = 0.0
        qualities[coding.strip()] = quality
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _generation(connection: Connection, repository: Repository) -> int:
    """How often the artefacts of a repository have changed; -1 when it is gone."""
    generation = select(repositories.c.generation).filter_by(id=repository.id)
    found = connection.scalar(generation)
    return -1 if found is None else found


def _eggs(rows: Iterable[Any], python_tag: str | None) -> Iterator[str]:
    """The pieces of ``{file name: entry}``."""
    usable = usable_tags(python_tag or NO_TAG)
    rank: Callable[[str], Any] = cache(
        (lambda tag: preference(tag, usable)) if python_tag else legacy_rank
    )

    def shown() -> Iterator[str]:
        # Of eggs with one file name the most specific is shown.
        for filename, eggs in groupby(rows, key=attrgetter("filename")):
            ranked = [(best, egg) for egg in eggs if (best := rank(egg.python_tag)) is not None]
            if ranked:
                _, egg = min(ranked, key=itemgetter(0))
                yield f"{json.dumps(filename)}: {egg.entry}"

    separator = "{"
    for batch in batches(shown(), _BATCH):
        yield separator
        yield ", ".join(batch)
        separator = ", "
    yield "{}" if separator == "{" else "}"


def _nested(rows: Iterable[Any], kind: Kind) -> Iterator[str]:
    """The pieces of an index that is nested, each kind in its own way."""
    index: dict[str, Any] = {}
    for row in rows:
        *path, last = _path(row, kind)
        level = index
        for step in path:
            level = level.setdefault(step, {})
        level[last] = json.loads(row.entry)
    yield json.dumps(index)


def _path(row: Any, kind: Kind) -> tuple[str, ...]:
    if kind is Kind.runtime:
        return (row.name, row.version)
    version, _, build = row.version.rpartition("-")
    if kind is Kind.runtime_v0:
        return (row.name, version, build)
    return (row.python_tag, row.name, version, build)
