"""Indices of many entries, which are read when somebody looks at them.

Of fifty thousand entries most who ask want a few, and making objects of all takes three
times as long as finding where each begins and ends. This module imports msgspec, and
is imported when there is such an index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

from hatcher.core.index import Index
from hatcher.transport import parsing

T = TypeVar("T")

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])

#: Two threads that look at one entry must find the same object.
_lock = threading.RLock()


def read_index(text: bytes) -> Index[Any]:
    """Return the index in a large text.

    Parameters
    ----------
    text : bytes

    Returns
    -------
    Index
        One whose entries are read later, where that changes nothing else.

    Raises
    ------
    ValueError
        It is no JSON object.
    """
    # Only of ASCII is it certain that nothing else can be wrong with an entry later.
    if text.isascii():
        try:
            return UnreadIndex(_decoder.decode(text), text)
        except (ValueError, RecursionError):
            pass  # json takes more than msgspec, and says what is wrong
    return Index(parsing.load_object(text))


class UnreadIndex(Index[T]):
    """An index that reads an entry when it is looked at, and all when several are.

    When all have been read, it is an `Index` like any other, also by its class.

    Parameters
    ----------
    entries : dict of str to msgspec.Raw
        Where the entries are.
    text : bytes
        The whole.
    """

    def __init__(self, entries: dict[str, msgspec.Raw], text: bytes) -> None:
        super().__init__(cast("dict[str, T]", entries))
        self._text = text

    def __getitem__(self, key: str) -> T:
        value = super().__getitem__(key)
        return _entry(self, key) if type(value) is msgspec.Raw else value

    def get(self, key: str, default: Any = None) -> Any:
        """Return the entry of that name, or something else."""
        try:
            return self[key]
        except KeyError:
            return default

    # That there is one of its own lets dict(index) and {**index} ask for each entry.
    def __iter__(self) -> Any:
        return super().__iter__()


def _entry(index: dict[str, Any], key: str) -> Any:
    with _lock:
        value = dict.__getitem__(index, key)
        if type(value) is msgspec.Raw:
            value = parsing.loads(bytes(value))
            dict.__setitem__(index, key, value)
        return value


def _read_all(index: Index[Any]) -> None:
    with _lock:
        if type(index) is not UnreadIndex:
            return  # another thread has done it
        text = index._text
        with parsing.collector_held(text):
            entries = parsing.loads(text)
            for key, value in dict.items(index):
                if type(value) is msgspec.Raw:
                    dict.__setitem__(index, key, entries[key])
        del index._text
        index.__class__ = Index  # type: ignore[assignment]


def _after_reading(name: str) -> Callable[..., Any]:
    def method(self: Index[Any], *args: Any, **options: Any) -> Any:
        _read_all(self)
        return getattr(self, name)(*args, **options)

    method.__name__ = name
    method.__doc__ = getattr(dict, name).__doc__
    return method


for _name in (
    "__eq__",
    "__ne__",
    "__or__",
    "__reduce_ex__",
    "__repr__",
    "__ror__",
    "copy",
    "items",
    "pop",
    "popitem",
    "setdefault",
    "values",
):
    setattr(UnreadIndex, _name, _after_reading(_name))
