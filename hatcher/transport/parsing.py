"""Reading JSON that may be large: undoing gzip, and making objects of the text.

An index of 50,000 entries is 25 MB of text, which the standard library takes 0.1 s to
unpack and 0.3 s to parse. For such sizes, isal and msgspec do it two to three times as
fast; for what is small, importing them would take longer than they save.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

if TYPE_CHECKING:
    import msgspec

T = TypeVar("T")

#: Bytes of text from which on msgspec, which takes 12 to 20 ms to import, is the faster one.
LARGE_TEXT = 4 << 20

#: Bytes of gzip from which on isal, which takes 1.5 ms to import, is the faster one.
LARGE_GZIP = 256 << 10

#: Bytes of text from which on the garbage collector is better kept away.
_MANY_OBJECTS = 256 << 10

#: What any answer may unpack to, in bytes; more needs a body that is a fair part of it.
ALWAYS_ALLOWED = 64 << 20

#: How many times its size an answer may unpack to; an index does so 4 to 30 times.
MAX_RATIO = 100

#: What no answer may unpack to, in bytes; an index of 50,000 entries has 25 MB.
MAX_UNPACKED = 1 << 30

#: How many gzip files an answer may consist of: each takes a copy of all after it.
MAX_MEMBERS = 1000

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


class BombError(ValueError):
    """A small body unpacks to a huge one, as only a hostile one does."""


class ShapeError(ValueError):
    """It is JSON, and of another shape; the message goes on after "the answer"."""


# -- gzip ----------------------------------------------------------------------------


def unpack(content: bytes) -> bytes:
    """Undo gzip, which is told by its first bytes: some gateways drop the header.

    Parameters
    ----------
    content : bytes
        The body of an answer, compressed or not.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        It is damaged, or ends too early.
    BombError
        It would become larger than any answer is.
    """
    if not content.startswith(_GZIP_MAGIC):
        return content
    expect(_stated_size(content))
    return _by_the_fastest(len(content), _unpack, content)


def _unpack(codec: Any, content: bytes) -> bytes:
    room = _room_for(content)
    pieces: list[bytes] = []
    rest = content
    while rest:  # a file of several members is one after all
        member = codec.decompressobj(_GZIP)
        try:
            # One byte more than there is room for: 0 would mean no limit.
            piece = member.decompress(rest, room + 1)
        except codec.error as error:
            raise ValueError(f"the gzip is damaged: {error}") from error
        room -= len(piece)
        if room < 0:
            raise BombError(f"its {len(content):,} bytes unpack to far more than is usual")
        if not member.eof:
            raise ValueError("the gzip ends too early")
        pieces.append(piece)
        if len(pieces) > MAX_MEMBERS:
            raise BombError("it consists of thousands of gzip files")
        rest = member.unused_data.lstrip(b"\0")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def beginning(content: bytes, size: int) -> bytes:
    """Return the first bytes of what `unpack` would, also of a part; never fails.

    Parameters
    ----------
    content : bytes
    size : int
        How many bytes at most.

    Returns
    -------
    bytes
        What is no gzip after all, as it came.
    """
    if content.startswith(_GZIP_MAGIC):
        try:
            return zlib.decompressobj(_GZIP).decompress(content, size)
        except zlib.error:
            pass
    return content[:size]


def _stated_size(content: bytes) -> int:
    """Return the size of the text, with which gzip ends."""
    return int.from_bytes(content[-4:], "little")


def _room_for(content: bytes) -> int:
    return min(MAX_UNPACKED, max(ALWAYS_ALLOWED, MAX_RATIO * len(content)))


def checksum(data: bytes, value: int = 0) -> int:
    """Return the CRC-32 of bytes, by the fastest means at hand.

    Parameters
    ----------
    data : bytes
    value : int, optional
        The checksum of what came before.

    Returns
    -------
    int
    """
    crc32: int = _by_the_fastest(len(data), lambda codec: codec.crc32(data, value))
    return crc32


def _by_the_fastest(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """Call something with the twin of zlib that is right for a size, and other arguments."""
    codec = _zlib_for(size)
    return work(codec, *arguments) if codec is zlib else _aside(work, codec, *arguments)


def _aside(work: Callable[..., T], *arguments: Any) -> T:
    """Do something in a thread of its own, and wait for it.

    isal leaves the wide registers of Intel's processors in a state in which all that the same thread
    does next takes longer: parsing an index, an eighth.
    """
    done: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work(*arguments))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="hatcher-unpack", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads
        return work(*arguments)
    thread.join()
    if errors:
        raise errors[0]
    return done[0]


def _zlib_for(size: int) -> Any:
    """Return isal's twin of zlib where it pays and there is one, or zlib itself."""
    if size >= LARGE_GZIP:
        with suppress(ImportError):  # not every platform has it
            from isal import isal_zlib

            return isal_zlib
    return zlib


# -- JSON ----------------------------------------------------------------------------


def expect(size: int) -> None:
    """Get ready to parse a text of that many bytes, while something else takes its time.

    Parameters
    ----------
    size : int
    """
    if size < LARGE_TEXT or "msgspec" in sys.modules:
        return
    # A thread that imports can do so while this one unpacks, reads or waits. Who needs
    # the module waits for it.
    with suppress(RuntimeError):  # no more threads
        threading.Thread(target=import_module, args=("msgspec",)).start()


def loads(text: bytes) -> Any:
    """Parse JSON: quickly, and with the result of `json.loads`.

    Parameters
    ----------
    text : bytes

    Returns
    -------
    object

    Raises
    ------
    ValueError
        It is no JSON.
    """
    if _is_for_msgspec(text):
        import msgspec

        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError):
            pass  # the standard library also takes NaN, a BOM, UTF-16; or says what is wrong
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def list_of_each(text: bytes, key: str, field: str) -> list[dict[str, Any]]:
    """Parse a JSON object of objects, and list the key and one field of each.

    Nothing is made of the other fields, which would take most of the time.

    Parameters
    ----------
    text : bytes
    key, field : str
        What the key is called in the list, and the field in both.

    Returns
    -------
    list of dict
        ``{key: …, field: …}``, in the order of the text; None where the field is missing.

    Raises
    ------
    ValueError
        It is no JSON.
    ShapeError
        It is no object of objects.
    """
    if _is_for_msgspec(text):
        try:
            entries = _decoder_of(field).decode(text)
        except (ValueError, RecursionError):
            pass  # as in `loads`
        else:
            return [{key: name, field: getattr(entry, field)} for name, entry in entries.items()]
    found: list[dict[str, Any]] = []
    for name, entry in load_object(text).items():
        if not isinstance(entry, dict):
            raise ShapeError(f"has no JSON object under '{name}'")
        found.append({key: name, field: entry.get(field)})
    return found


def entries_with(text: bytes, fields: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Parse a JSON object of objects, but only some fields of each.

    Nothing is made of the other fields, which would take most of the time and memory.

    Parameters
    ----------
    text : bytes
    fields : tuple of str

    Returns
    -------
    dict of str to dict
        In the order of the text; a field that is missing there is missing here.

    Raises
    ------
    ValueError
        It is no JSON.
    ShapeError
        It is no object of objects.
    """
    if _is_for_msgspec(text):
        try:
            return _decoder_with(fields).decode(text)
        except (ValueError, RecursionError):
            pass  # as in `loads`
    found: dict[str, dict[str, Any]] = {}
    for name, entry in load_object(text).items():
        if not isinstance(entry, dict):
            raise ShapeError(f"has no JSON object under '{name}'")
        found[name] = {field: entry[field] for field in fields if field in entry}
    return found


def load_object(text: bytes) -> dict[str, Any]:
    """Parse JSON that should be an object, as `loads` does.

    Raises
    ------
    ValueError
        It is no JSON.
    ShapeError
        It is other JSON.
    """
    value = loads(text)
    if not isinstance(value, dict):
        raise ShapeError("is no JSON object")
    return value


class Original:
    """A parsed index that is kept, and never given out: its copies are.

    To copy it takes less than half as long as to parse it again.

    Parameters
    ----------
    index : dict
        What `load_object` returned.
    """

    def __init__(self, index: dict[str, Any]) -> None:
        self._index = index
        #: The fields of entries that hold what could be changed, such as lists.
        self._deep: set[str] = set()
        for entry in index.values():
            if type(entry) is dict and not _CONTAINERS.isdisjoint(map(type, entry.values())):
                self._deep.update(
                    field
                    for field, value in entry.items()
                    if field not in self._deep and type(value) in _CONTAINERS
                )

    def copy(self) -> dict[str, Any]:
        """Return an equal dict, which shares nothing with it that can be changed."""
        copy = {
            name: entry.copy() if type(entry) is dict else _copied(entry)
            for name, entry in self._index.items()
        }
        for field in self._deep:
            for entry in copy.values():
                if type(entry) is dict and field in entry:
                    entry[field] = _copied(entry[field])
        return copy


_CONTAINERS = frozenset({dict, list})


def _copied(value: Any) -> Any:
    if type(value) is list:
        if _CONTAINERS.isdisjoint(map(type, value)):
            return value[:]
        return [_copied(inner) for inner in value]
    if type(value) is dict:
        return {key: _copied(inner) for key, inner in value.items()}
    return value


@contextmanager
def collector_held(size: int) -> Iterator[None]:
    """Spare the garbage collector what comes of much text.

    It would run hundreds of times to look for garbage among objects that are all in
    use, and take half of the time. What is garbage is found later.

    Parameters
    ----------
    size : int
        Of the text, in bytes.
    """
    if size < _MANY_OBJECTS or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:
            # Together: all objects are old ones from now on, at no cost. Else it would
            # look through them as soon as it may run again, and once more later.
            gc.freeze()
            gc.unfreeze()
        gc.enable()


def _is_for_msgspec(text: bytes) -> bool:
    return len(text) >= LARGE_TEXT or "msgspec" in sys.modules


@cache
def _decoder_of(name: str) -> msgspec.json.Decoder[dict[str, Any]]:
    import msgspec

    entry = msgspec.defstruct("Entry", [(name, Any, None)], gc=False)
    return msgspec.json.Decoder(dict[str, entry])  # type: ignore[valid-type]


@cache
def _decoder_with(fields: tuple[str, ...]) -> msgspec.json.Decoder[dict[str, dict[str, Any]]]:
    import msgspec

    # Made from what is known at run time, which type checkers cannot follow.
    entry = TypedDict("Entry", dict.fromkeys(fields, Any), total=False)  # type: ignore[misc]
    return msgspec.json.Decoder(dict[str, entry])
