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

import hashlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812
from types import MappingProxyType
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from hatcher.files.cache import evict, kept_files, private_folder, touch
from hatcher.files.folders import user_folder
from hatcher.files.partial import Partial
from hatcher.transport.auth import BasicAuth, BroodBearerTokenAuth, BroodClientAuth
from hatcher.transport.parsing import checksum, collector_held, expect
from hatcher.transport.request import Request
from hatcher.transport.urls import ServerURL

logger = logging.getLogger("hatcher")

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: Sends a request; returns the status, the headers and the body of its answer.
Fetch: TypeAlias = Callable[[Request], tuple[int, Mapping[str, str], bytes]]

#: Makes objects of the body of an answer with these headers.
Read: TypeAlias = Callable[[Mapping[str, str], bytes], T]

#: Where the cache is; empty for nowhere.
VARIABLE = "HATCHER_CACHE_DIR"

#: Bytes that all files may take; those that were used longest ago go first.
SPACE = 256 << 20

#: Bytes, as they come, below which an index is as quickly here from the server.
SMALLEST = 4 << 10

#: Bytes from which on a file is written in a thread of its own.
_WORTH_A_THREAD = 1 << 20

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
    identity = _identity(auth)
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

    Parameters
    ----------
    place : bool or pathlib.Path
        As for `open_cache`.

    Raises
    ------
    OSError
        There can be none.
    """
    if place is False:
        return None
    if place is not True:
        return place
    return user_folder("cache", VARIABLE)


def _identity(auth: object) -> tuple[str, ...] | None:
    """Return what tells one asker from all others; None for who cannot be told."""
    # A subclass may add what is not known here.
    if auth is None:
        return ("nobody",)
    if type(auth) in (BasicAuth, BroodBearerTokenAuth):
        return "themselves", auth.authorization()  # type: ignore[attr-defined]
    if type(auth) is BroodClientAuth and (credentials := _identity(auth.credentials)):
        return "session", str(auth.server), *credentials
    return None


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
        self._folder = private_folder(folder, "indices")
        self._last: _Last | None = None
        self._view = hashlib.blake2b(key=_key(self._folder), digest_size=24)
        _add(self._view, *view)

    def get(
        self,
        request: Request,
        fetch: Fetch,
        read: Read[T],
        keep: Callable[[T], Copies[T]] | None = None,
    ) -> T:
        """Return an index, from the disk when the server says that it has not changed.

        Parameters
        ----------
        request : Request
            Asks for the index.
        fetch : callable
            Sends a request. Its errors are passed on, and change nothing here.
        read : callable
            Makes objects of the body. An index that it fails on is not kept.
        keep : callable, optional
            Makes copies of what `read` returned possible. The last index, when it is asked
            for again and again and has not changed, is then copied in memory.

        Returns
        -------
        object
            What `read` returned: every time another one.
        """
        path = self._path(request)
        with _opened(path) as kept:
            if kept is None:
                status, headers, content = fetch(request)
            else:
                expect(4 * kept.size)  # as text, since it is packed
                status, headers, content = fetch(_with(request, *kept.condition))
                if status == 304 and kept.is_meant_by(headers):
                    last = self._recall(path, kept)
                    if last is not None:
                        touch(path)
                        return last.make(headers, read, keep)
        if status == 304:
            # It is of something else, or of what is damaged here.
            status, headers, content = fetch(_with(request, "Cache-Control", "no-cache"))
        condition = _condition(headers)
        if status != 200 or condition is None or not SMALLEST <= len(content) <= self._space:
            with _or_without("kept what is out of date"):
                path.unlink(missing_ok=True)
            return read(headers, content)
        # The disk has time while the index is unpacked and parsed.
        with _Draft(path, condition, content) as draft:
            result = read(headers, content)
            with _or_without("took nothing"):
                draft.keep()
                files = sorted(kept_files(self._folder, _NAME))
                evict(files, sum(file.size for file in files) - self._space)
                self._last = _Last((path, condition, draft.checksum), content)
        return result

    def _recall(self, path: Path, kept: _Kept) -> _Last | None:
        """Return a kept index, from memory if it is the last one; None when it is damaged."""
        mark = path, kept.condition, kept.checksum
        last = self._last  # another thread may replace it meanwhile
        if last is not None and last.mark == mark:
            return last
        content = kept.content()
        if content is None:
            return None
        self._last = last = _Last(mark, content)
        return last

    def _path(self, request: Request) -> Path:
        name = self._view.copy()
        _add(
            name, request.path, *(part for pair in sorted(request.params.items()) for part in pair)
        )
        return self._folder / f"{name.hexdigest()}.index"

    def __repr__(self) -> str:
        return f"<IndexCache '{self._folder}'>"


# -- one file --------------------------------------------------------------------------


class Copies(Protocol[T_co]):
    """Something of which there can be copies."""

    def copy(self) -> T_co:
        """Return one more."""


#: Tells one version of one index from all others.
_Mark: TypeAlias = tuple[Path, tuple[str, str], int]


class _Last:
    """The last index, in memory: as it came, and its objects when they are wanted again and again.

    Parameters
    ----------
    mark : tuple
        Which version of which index it is.
    content : bytes
    """

    def __init__(self, mark: _Mark, content: bytes) -> None:
        self.mark = mark
        self._content = content
        self._copies: Copies[object] | None = None
        self._uses = 0

    def make(
        self, headers: Mapping[str, str], read: Read[T], keep: Callable[[T], Copies[T]] | None
    ) -> T:
        """Return what `read` makes of it, or a copy of what it has made before."""
        self._uses += 1
        if keep is None or self._uses == 1:
            return read(headers, self._content)
        with collector_held(4 * len(self._content)):
            if self._copies is None:
                self._copies = keep(read(headers, self._content))
            return cast("T", self._copies.copy())


class _Kept(NamedTuple):
    """A kept index: open, so that it stays while the server is asked."""

    file: BinaryIO
    condition: tuple[str, str]
    size: int
    checksum: int

    def is_meant_by(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer of 304 is about this one, as far as it says."""
        name, value = self.condition
        etag = headers.get("ETag")
        return (
            name != "If-None-Match"
            or etag is None
            or etag.removeprefix("W/") == value.removeprefix("W/")
        )

    def content(self) -> bytes | None:
        """Return what came then; None when it is damaged."""
        content = None
        with _or_without("cannot be read"):
            content = self.file.read()
        if content is None or len(content) != self.size or checksum(content) != self.checksum:
            return None
        return content


@contextmanager
def _opened(path: Path) -> Iterator[_Kept | None]:
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115 - its own errors are told apart
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        _log("cannot be read", error)
        yield None
        return
    with file:
        kept = None
        with _or_without("cannot be read"):
            kept = _read_head(file)
        yield kept


def _read_head(file: BinaryIO) -> _Kept | None:
    try:
        head = file.read(_HEAD.size)
        magic, length, size, line_sum, content_sum = _HEAD.unpack(head)
    except StructError:
        return None
    line = file.read(length)
    if magic != _MAGIC or checksum(line) != line_sum:
        return None
    name, _, value = line.decode("ascii").partition(": ")
    return _Kept(file, (name, value), size, content_sum)


class _Draft:
    """A file that is written in a thread of its own, and may get its name when it is.

    Parameters
    ----------
    path : pathlib.Path
        What it is called in the end.
    condition : tuple of (str, str)
    content : bytes

    Attributes
    ----------
    checksum : int
        The content's, once it is kept.
    """

    def __init__(self, path: Path, condition: tuple[str, str], content: bytes) -> None:
        self.checksum = 0
        self._path = path
        self._condition = condition
        self._content = content
        self._partial: Partial | None = None
        self._error: OSError | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> _Draft:
        if len(self._content) < _WORTH_A_THREAD:
            self._write()
        else:
            self._thread = threading.Thread(target=self._write, name="hatcher-cache")
            self._thread.start()
        return self

    def keep(self) -> None:
        """Give it its name.

        Raises
        ------
        OSError
            It could not be written.
        """
        self._wait()
        if self._error is not None:
            raise self._error
        assert self._partial is not None
        self._partial.publish(self._path, sync=False)

    def __exit__(self, *_: object) -> None:
        self._wait()
        if self._partial is not None:
            with suppress(OSError):
                self._partial.discard()

    def _wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _write(self) -> None:
        line = ": ".join(self._condition).encode("ascii")
        self.checksum = checksum(self._content)
        sums = checksum(line), self.checksum
        head = _HEAD.pack(_MAGIC, len(line), len(self._content), *sums)
        try:
            self._partial = Partial.claim(self._path, private=True)
            self._partial.write(head + line)
            self._partial.write(self._content)
        except OSError as error:
            self._error = error


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


def _add(name: hashlib.blake2b, *parts: str) -> None:
    for part in parts:
        encoded = part.encode()
        name.update(len(encoded).to_bytes(8) + encoded)


def _key(own: Path) -> bytes:
    """Return what the names of the files in a folder are hashed with."""
    path = own / "key"
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) == 32:
            return key
    partial = Partial.claim(path, private=True)
    partial.write(os.urandom(32))
    partial.publish(path, sync=False)
    # Another process may have done the same: the last one counts.
    return path.read_bytes()


@contextmanager
def _or_without(trouble: str) -> Iterator[None]:
    """Go on without the cache when it fails: it is no more than a convenience."""
    try:
        yield
    except OSError as error:
        _log(trouble, error)


def _log(trouble: str, error: OSError) -> None:
    logger.info("the cache of indices %s: %s", trouble, error)
