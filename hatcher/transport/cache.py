"""Indices kept on disk, so that one that has not changed is not sent again.

The server is asked every time, with the ETag of what is kept; when it answers 304, the
rest comes from the disk, packed as it had come. Nothing is ever used without that.

Each file belongs to one server, path, identity and way of verifying certificates: its
name is a keyed hash of them, with a key of the folder's own. So what one user may see
never reaches another, and no name tells a secret. The folder is its owner's alone.

A file is written under another name and then renamed, and holds checksums: processes
may read, write and delete in one folder at once, and what is damaged is fetched anew.
The cache is a convenience: where it cannot be used, everything works without it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar, cast
from zlib import crc32

from hatcher.errors import InvalidDestinationError
from hatcher.files.atomic import replacing
from hatcher.files.cache import add_parts, evict, kept_files, keyed_name, private_folder, touch
from hatcher.files.folders import user_folder
from hatcher.transport.auth import proof_of
from hatcher.transport.parsing import collector_held, copies_of, expect
from hatcher.transport.request import Request
from hatcher.transport.urls import ServerURL

logger = logging.getLogger("hatcher")

T = TypeVar("T")

#: Sends a request; returns the status, the headers and the body of its answer.
Fetch: TypeAlias = Callable[[Request], tuple[int, Mapping[str, str], bytes]]

#: Makes objects of the body of an answer with these headers.
Parse: TypeAlias = Callable[[Mapping[str, str], bytes], T]

#: Where the cache is; empty for nowhere.
VARIABLE = "HATCHER_CACHE_DIR"

#: Bytes that all files may take; those that were used longest ago go first.
SPACE = 256 << 20

#: Bytes, as they come, below which an index is as quickly here from the server.
SMALLEST = 4 << 10

#: The format of a file: what it is, and how long; then a condition, then what came.
_HEAD = Struct(">8sHQII")
_MAGIC = b"hatcher1"
_NAME = re.compile(r"[0-9a-f]{48}\.index")
_ETAG = re.compile(r'(?:W/)?"[!#-~]{0,500}"')


def open_cache(
    place: bool | Path,
    server: ServerURL,
    verify_ssl: bool | str | Path,
    auth: object,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> IndexCache | None:
    """Return the cache for what somebody sees of a server.

    Parameters
    ----------
    place : bool or pathlib.Path
        The folder; True for the one that the environment names, or the user's own.
    server : ServerURL
    verify_ssl : bool, str or pathlib.Path
        How certificates are verified. What came over a connection that was not verified
        is not for those that are.
    auth : object
        Who is asking; None for nobody.
    headers : mapping of str to str, optional
        What else the server is told with every request.

    Returns
    -------
    IndexCache or None
        None when there shall be none, there can be none, or it is not known who asks.
    """
    identity = proof_of(auth)
    if identity is None:
        return None
    with _or_without("cannot be used"):
        folder = cache_folder(place)
        if folder is not None:
            told = (part for header in sorted(headers.items()) for part in header)
            return IndexCache(folder, (str(server), str(verify_ssl), *identity, *told))
    return None


def cache_folder(place: bool | Path) -> Path | None:
    """Return the folder that all caches are in; None when there shall be none.

    Raises OSError when there can be none.
    """
    if place is True:
        return user_folder("cache", VARIABLE)
    return place or None


class IndexCache:
    """The indices of one server as one user sees them.

    Parameters
    ----------
    folder : pathlib.Path
        Is made when it is not there.
    view : tuple of str
        Server, identity, and what else may make an answer another one. It is not kept.
    space : int, optional
        Bytes that all files in the folder may take, those of others included.

    Raises
    ------
    OSError
        The folder cannot be made or used, or is not its user's alone.
    """

    def __init__(self, folder: Path, view: tuple[str, ...], space: int = SPACE) -> None:
        self._space = space
        #: Bytes that may be written before the folder is looked at again.
        self._room = 0
        #: What was asked for last; and what makes copies of it, when it was asked for again.
        self._last: tuple[object, Callable[[], object] | None] = None, None
        self._folder = private_folder(folder, "indices")
        self._view = keyed_name(self._folder, *view)

    def get(self, request: Request, fetch: Fetch, parse: Parse[T], read: Callable[[bytes], T]) -> T:
        """Return an index, from the disk when the server says that it has not changed.

        Parameters
        ----------
        request : Request
            Asks for the index.
        fetch : callable
            Sends a request. Its errors are passed on, and change nothing here.
        parse : callable
            Makes objects of the body of an answer with these headers, by `read`. An index that
            it fails on is not kept.
        read : callable
            Tells what `parse` makes from what other calls make of the same index.

        Returns
        -------
        object
            What `parse` returned, or a copy of it.
        """
        name = self._view.copy()
        add_parts(
            name, request.path, *(part for pair in sorted(request.params.items()) for part in pair)
        )
        path = self._folder / f"{name.hexdigest()}.index"
        kept = _read(path)
        if kept is None:
            status, headers, content = fetch(request)
        else:
            expect(4 * len(kept.content))  # as text, since it is packed
            status, headers, content = fetch(_with(request, *kept.condition))
            if status == 304 and kept.is_meant_by(headers):
                touch(path)
                return self._again(kept.content, read, partial(parse, headers, kept.content))
        if status == 304:  # it is of something else
            status, headers, content = fetch(_with(request, "Cache-Control", "no-cache"))
        condition = _condition(headers)
        if status != 200 or condition is None or not SMALLEST <= len(content) <= self._space:
            with _or_without("kept what is out of date"):
                path.unlink(missing_ok=True)
            return parse(headers, content)
        result = parse(headers, content)
        with _or_without("took nothing"):
            with replacing(path, private=True, sync=False) as file:
                line = ": ".join(condition).encode("ascii")
                sums = crc32(line), crc32(content)
                file.write(_HEAD.pack(_MAGIC, len(line), len(content), *sums) + line + content)
            self._make_room(len(content))
        return result

    def _make_room(self, written: int) -> None:
        """Let the oldest files go, when there may be too much; many indices may be read at once."""
        self._room -= written
        if self._room <= 0:
            files = sorted(kept_files(self._folder, _NAME))
            used = sum(file.size for file in files)
            evict(files, used - self._space)
            # Half of what is free: another process may fill the other half without looking.
            self._room = (self._space - used) // 2

    def _again(self, content: bytes, read: Callable[[bytes], T], parse: Callable[[], T]) -> T:
        """Return what a kept index says: a copy, when the same was asked again and again."""
        mark, copy = self._last
        if mark != (read, content):
            self._last = (read, content), None
            return parse()
        with collector_held(4 * len(content)):
            if copy is None:
                copy = copies_of(parse())
                self._last = mark, copy
            return cast(T, copy())

    def __repr__(self) -> str:
        return f"<IndexCache '{self._folder}'>"


# -- one file --------------------------------------------------------------------------


class _Kept(NamedTuple):
    """A kept index."""

    condition: tuple[str, str]
    content: bytes

    def is_meant_by(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer of 304 is about this one, as far as it says."""
        name, value = self.condition
        etag = headers.get("ETag")
        return (
            name != "If-None-Match"
            or etag is None
            or etag.removeprefix("W/") == value.removeprefix("W/")
        )


def _read(path: Path) -> _Kept | None:
    """Return what a file keeps; None if there is none, or it is damaged."""
    with _or_without("cannot be read"), suppress(FileNotFoundError, StructError):
        data = path.read_bytes()
        magic, length, *told = _HEAD.unpack_from(data)
        start = _HEAD.size + length
        line, content = data[_HEAD.size : start], data[start:]
        if magic == _MAGIC and told == [len(content), crc32(line), crc32(content)]:
            name, _, value = line.decode("ascii").partition(": ")
            return _Kept((name, value), content)
    return None


# -- helpers ---------------------------------------------------------------------------


def _condition(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the header that asks whether an answer is still right; None: do not keep it."""
    if "no-store" in _words(headers.get("Cache-Control")) or "*" in _words(headers.get("Vary")):
        return None
    etag = headers.get("ETag")
    if etag is not None:
        return ("If-None-Match", etag) if _ETAG.fullmatch(etag) else None
    return _dated(headers.get("Last-Modified"), headers.get("Date"))


def _words(header: str | None) -> list[str]:
    return [word.strip().lower() for word in (header or "").split(",")]


def _dated(modified: str | None, sent: str | None) -> tuple[str, str] | None:
    """Return the condition by date, for servers that know no ETags."""
    if modified is None or sent is None:
        return None
    from email.utils import parsedate_to_datetime

    try:
        age = parsedate_to_datetime(sent) - parsedate_to_datetime(modified)
    except (TypeError, ValueError):
        return None
    # Dates are whole seconds: it may have changed once more in that one.
    return ("If-Modified-Since", modified) if age.total_seconds() >= 2 else None


def _with(request: Request, name: str, value: str) -> Request:
    return request._replace(headers={**request.headers, name: value})


@contextmanager
def _or_without(fault: str) -> Iterator[None]:
    """Go on without the cache when it fails: it is no more than a convenience."""
    try:
        yield
    except (OSError, InvalidDestinationError) as error:
        logger.info("the cache of indices %s: %s", fault, error)
