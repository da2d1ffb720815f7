"""Reading JSON that may be large: undoing gzip, and making objects of the text.

The standard library takes 0.1 s to unpack and 0.3 s to parse an index of 50,000 entries, which is
25 MB of text. isal and msgspec take half to a third of that; for smaller texts, importing them
would take longer than they save.
"""

from __future__ import annotations

import gc
import json
import re
import sys
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from hatcher import cancel
from hatcher.transport.lanes import decoding

if TYPE_CHECKING:
    import msgspec

T = TypeVar("T")

#: Bytes of text from which msgspec is faster, although it takes 12 to 20 ms to import.
LARGE_TEXT = 4 << 20

#: Bytes of gzip from which isal is faster, although it takes 1.5 ms to import.
LARGE_GZIP = 256 << 10

#: Bytes that any answer may unpack to; beyond these, MAX_RATIO holds.
ALWAYS_ALLOWED = 64 << 20

#: How many times its size an answer may unpack to; for an index it is 4 to 30 times.
MAX_RATIO = 100

#: Bytes that no answer may unpack to.
MAX_UNPACKED = 1 << 30

#: How many gzip members an answer may consist of: each takes a copy of all after it.
MAX_MEMBERS = 1000

#: Bytes that are unpacked and parsed at a time. While JSON is parsed, no other thread runs: what is
#: large would keep an event loop among them standing still for 0.1 s. And less is in memory at once.
_PACKED = 32 << 10
_TEXT = 256 << 10

#: Bytes at the end of a piece in which an entry should end.
_ENTRY = 16 << 10

#: Bytes of text from which the collector is held while objects are made of it.
_MANY_OBJECTS = 256 << 10

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS

#: What looks like the comma between two objects of an object.
_BORDER = re.compile(rb'(?<=\}),(?=\s*"[^"\\]*"\s*:\s*\{)')


class DamagedError(ValueError):
    """It is not the gzip that it seems to be."""


class BombError(ValueError):
    """A small body unpacks to a huge one, as only a hostile body does."""


class ShapeError(ValueError):
    """It is JSON of another shape; the message continues "the answer"."""


# -- gzip ----------------------------------------------------------------------------


def unpack(content: bytes) -> bytes:
    """Undo gzip, which is recognised by its first bytes: some gateways drop the header.

    Raises BombError for what becomes larger than any answer, DamagedError for what is damaged.
    """
    return b"".join(_unpacked(content)) if content.startswith(_GZIP_MAGIC) else content


def _unpacked(content: bytes) -> Iterator[bytes]:
    """Give what is packed in pieces."""
    codec: Any = zlib
    if len(content) >= LARGE_GZIP or "isal" in sys.modules:
        with suppress(ImportError):  # not every platform has it
            from isal import isal_zlib as codec
    room = min(MAX_UNPACKED, max(ALWAYS_ALLOWED, MAX_RATIO * len(content)))
    at = members = 0
    while at < len(content):  # there may be several members
        member = codec.decompressobj(_GZIP)
        while not member.eof:
            packed = content[at : at + _PACKED]
            if not packed:
                raise DamagedError("the gzip ends too early")
            try:
                # One byte more than there is room for: 0 would mean no limit.
                piece = member.decompress(packed, room + 1)
            except codec.error as error:
                raise DamagedError(f"the gzip is damaged: {error}") from error
            at += len(packed)
            room -= len(piece)
            if room < 0:
                raise BombError(f"its {len(content):,} bytes unpack to far more than is usual")
            yield piece
        members += 1
        if members > MAX_MEMBERS:
            raise BombError("it consists of thousands of gzip files")
        rest = content[at - len(member.unused_data) :].lstrip(b"\0")
        at = len(content) - len(rest)


def size_of(content: bytes) -> int:
    """Return how many bytes `unpack` would, as far as gzip says it."""
    is_packed = content.startswith(_GZIP_MAGIC)
    return int.from_bytes(content[-4:], "little") if is_packed else len(content)


def beginning(content: bytes, size: int) -> bytes:
    """Return the first bytes of what `unpack` would, also of a part; never fails."""
    if content.startswith(_GZIP_MAGIC):
        with suppress(zlib.error):  # it is not gzip after all
            return zlib.decompressobj(_GZIP).decompress(content, size)
    return content[:size]


# -- JSON ----------------------------------------------------------------------------


def expect(size: int) -> None:
    """Prepare to parse a text of that many bytes, while this thread unpacks, reads or waits."""
    if size >= LARGE_TEXT and "msgspec" not in sys.modules:
        with suppress(RuntimeError):  # no more threads
            threading.Thread(target=import_module, args=("msgspec",)).start()


def prepare() -> None:
    """Prepare to parse many texts, which together are a large one."""
    for name in ("msgspec", "isal.isal_zlib"):
        with suppress(ImportError):  # not every platform has isal
            import_module(name)


def loads(text: bytes) -> Any:
    """Parse JSON, which may be packed: quickly, and with the result of `json.loads`."""
    found = _by_msgspec(text, lambda piece: _decoder(None).decode(piece))
    if found is not None:
        return found
    try:
        return _decoded(json.loads, text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def load_object(text: bytes, *texts: str) -> dict[str, Any]:
    """Parse JSON that should be an object, in which some fields are texts."""
    value = loads(text)
    if not isinstance(value, dict):
        raise ShapeError("is no JSON object")
    for name in texts:
        text_in(value, name)
    return value


def load_list(name: str, texts: tuple[str, ...], text: bytes) -> list[Any]:
    """Parse a JSON object, and return a list in it: of texts, or of objects that have `texts`."""
    kind: type[Any] = dict if texts else str
    items = load_object(text).get(name)
    if not isinstance(items, list):
        raise ShapeError(f"has no '{name}' that is a list")
    for item in items:
        if not isinstance(item, kind):
            what = "JSON objects" if texts else "texts"
            raise ShapeError(f"has something else than {what} in '{name}'")
        for field in texts:
            text_in(item, field, f" in '{name}'")
    return items


def load_nested(text: bytes, depth: int) -> dict[str, Any]:
    """Parse JSON that should be objects in objects, so many levels below the outermost."""
    value = load_object(text)
    _check_nested(value, depth)
    return value


def _check_nested(value: dict[str, Any], depth: int, *path: str) -> None:
    if {*map(type, value.values())} - {dict}:
        key = next(key for key, inner in value.items() if not isinstance(inner, dict))
        raise ShapeError(f"has no JSON object under '{'/'.join((*path, key))}'")
    if depth > 1:
        for key, inner in value.items():
            _check_nested(inner, depth - 1, *path, key)


def text_in(entry: dict[str, Any], field: str, where: str = "") -> str:
    """Return a field of parsed JSON that should be a text."""
    value = entry.get(field)
    if not isinstance(value, str):
        raise ShapeError(f"has no '{field}' that is a text{where}")
    return value


def list_of_each(text: bytes, key: str, field: str) -> list[dict[str, Any]]:
    """Parse a JSON object of objects, and list the key and one field of each, None if missing."""
    entries = entries_with(text, (field,))
    return [{key: name, field: entry.get(field)} for name, entry in entries.items()]


def entries_with(text: bytes, fields: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Parse a JSON object of objects, but only some fields of each.

    Nothing is made of the other fields, which would take most of the time and memory.
    """
    found: dict[str, dict[str, Any]] | None = _by_msgspec(
        text, lambda piece: _decoder(fields).decode(piece)
    )
    if found is not None:
        return found
    found = {}
    for name, entry in load_nested(text, 1).items():
        found[name] = {field: entry[field] for field in fields if field in entry}
    return found


def chosen_entries(
    text: bytes, choose: Callable[[Iterable[str]], Iterable[str]]
) -> dict[str, dict[str, Any]]:
    """Parse a JSON object of objects, but only those entries whose keys are chosen of all."""

    def decode(piece: bytes | bytearray) -> dict[str, dict[str, Any]]:
        entries = _decoder(()).decode(piece)
        return {name: load_object(bytes(entries[name])) for name in choose(entries)}

    found: dict[str, dict[str, Any]] | None = _by_msgspec(text, decode)
    if found is None:
        entries = load_object(text)
        found = {name: entries[name] for name in choose(entries)}
        _check_nested(found, 1)
    return found


# -- copies --------------------------------------------------------------------------


def copies_of(index: Any) -> Callable[[], Any]:
    """Return what makes copies of parsed JSON, those of an index in half the time of parsing."""
    if type(index) is not dict:
        return partial(_copied, index)
    # What stands in entries is found once: looking at every field takes as long as parsing.
    # As texts, in which the collector has nothing to follow: an index has 50,000 of them.
    flat: defaultdict[str, list[str]] = defaultdict(list)
    deep: defaultdict[str, list[str]] = defaultdict(list)
    for name, entry in index.items():
        if type(entry) is dict:
            for field, value in entry.items():
                if type(value) is dict or type(value) is list:
                    (flat if _is_flat(value) else deep)[field].append(name)

    def copy() -> Any:
        copied = {
            name: entry.copy() if type(entry) is dict else _copied(entry)
            for name, entry in index.items()
        }
        for field, names in flat.items():
            for name in names:
                entry = copied[name]
                entry[field] = entry[field].copy()
        for field, names in deep.items():
            for name in names:
                copied[name][field] = _copied(copied[name][field])
        return copied

    return copy


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if type(value) is list else value


def _is_container(value: object) -> bool:
    return type(value) in (dict, list)


def _is_flat(value: object) -> bool:
    return type(value) is list and not any(map(_is_container, value))


# -- helpers -------------------------------------------------------------------------


def _by_msgspec(content: bytes, decode: Callable[[bytes | bytearray], Any]) -> Any:
    """Return what is made, by msgspec, of a text; None where the standard library is due.

    That is for small texts; and it also takes NaN, a BOM and UTF-16, or says what is wrong.
    """
    if size_of(content) >= LARGE_TEXT or "msgspec" in sys.modules:
        with _or_otherwise():
            return _decoded(decode, content)
    return None


def _decoded(decode: Callable[[bytes | bytearray], Any], content: bytes) -> Any:
    """Decode a text that may be packed, in pieces where that does."""
    if size_of(content) >= 2 * _TEXT:
        with _or_otherwise():
            return in_pieces(decode, _pieces(content))
    return decode(unpack(content))


@contextmanager
def _or_otherwise() -> Iterator[None]:
    """Let another way be tried where one fails; what cannot be unpacked is none for any."""
    try:
        yield
    except (BombError, DamagedError):
        raise
    except (ValueError, RecursionError):
        pass


def _pieces(content: bytes) -> Iterator[memoryview]:
    for text in _unpacked(content) if content.startswith(_GZIP_MAGIC) else (content,):
        for at in range(0, len(text), _TEXT):
            yield memoryview(text)[at : at + _TEXT]


def in_pieces(decode: Callable[[bytearray], Any], pieces: Iterable[bytes | memoryview]) -> Any:
    """Decode JSON that comes in pieces; of an object of objects, some entries at a time.

    Where it is cut is a guess, which decoding proves: if it is within a text, or deeper down, what
    comes before has no end. Then it fails, also with JSON that is right.
    """
    found: dict[str, Any] = {}
    text = bytearray()
    for piece in pieces:
        text += piece
        if border := _BORDER.search(text, max(len(text) - _ENTRY, 0)):
            rest = bytearray(b"{") + text[border.end() :]
            text[border.start() :] = b"}"
            found.update(decode(text))
            text = rest
    last = decode(text)
    found.update(last if found else ())
    return found or last


@cache
def _decoder(fields: tuple[str, ...] | None) -> msgspec.json.Decoder[Any]:
    import msgspec

    if fields is None:
        return msgspec.json.Decoder()
    if not fields:
        return msgspec.json.Decoder(dict[str, msgspec.Raw])
    # Made from what is known at run time, which type checkers cannot follow.
    entry = TypedDict("Entry", dict.fromkeys(fields, Any), total=False)  # type: ignore[misc]
    return msgspec.json.Decoder(dict[str, entry])


@contextmanager
def collector_held(size: int) -> Iterator[None]:
    """Hold the garbage collector while objects are made of a text of that many bytes.

    It would run hundreds of times over objects that are all in use, and take half of the time:
    "index" and "index again" of the benchmark would miss what they must. It runs as before
    afterwards; this is the only place of the library that touches it. One thread at a time does
    this: many are no quicker, and others in the process wait for all of them.
    """
    if size < _MANY_OBJECTS:
        yield
        return
    with decoding():
        cancel.check()
        with _no_collector():
            yield


@contextmanager
def _no_collector() -> Iterator[None]:
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:
            # Makes all objects old ones, at no cost: they are not looked through at once.
            gc.freeze()
            gc.unfreeze()
        gc.enable()
