"""Indices: dicts that have rows, and that notebooks show as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from hatcher.tables import MAX_ROWS, data_frame, html_table
from hatcher.transport.parsing import load_nested

T = TypeVar("T")

#: The columns of the table, as far as there is anything to put in.
_COLUMNS = ("full_version", "version", "build", "python_tag", "platform", "description", "size")

#: A key of an index that stands for a number has no more digits.
_DIGITS = 9


class Layout(NamedTuple):
    """How an index is laid out.

    Attributes
    ----------
    keys : tuple of str
        What the keys say that lead to an entry, outermost first.
    entry : str
        The type of an entry, in `hatcher.core.documents`.
    """

    keys: tuple[str, ...]
    entry: str

    def read(self, text: bytes) -> dict[str, Any]:
        """Parse an index that should be laid out so."""
        return load_nested(text, len(self.keys))


EGGS = Layout(("filename",), "EggIndexEntry")
APPS = Layout(("python_tag", "id", "version", "build"), "AppIndexEntry")
RUNTIMES = Layout(("implementation", "version"), "RuntimeIndexEntry")
LEGACY_RUNTIMES = Layout(("language", "version", "build"), "LegacyRuntimeIndexEntry")
BUNDLES = Layout(("python_tag", "name", "version", "build"), "BundleIndexEntry")


def leaves(index: Mapping[str, Any], depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give what stands in dicts that stand in each other, with the keys that lead there."""
    for key, inner in index.items():
        if depth == 1:
            yield (key,), inner
        else:
            yield from (((key, *keys), leaf) for keys, leaf in leaves(inner, depth - 1))


class Index(dict[str, T]):
    """What a server's index says: a plain dict, with a row for each artefact in it.

    Examples
    --------
    >>> index = platform.egg_index('cp311')
    >>> sum(row['size'] for row in index.rows())
    5403211
    >>> index.to_frame().groupby('name')['size'].sum()
    """

    _layout: Layout

    def __init__(self, entries: Mapping[str, T], layout: Layout) -> None:
        super().__init__(entries)
        self._layout = layout

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each artefact, in the server's order.

        Returns
        -------
        list of dict
            What the index says of it, with what addresses it there, such as its ``filename``.
            Every row has all fields of the description; one that the server does not tell is
            None. Sizes are in bytes, times in seconds since 1970.
        """
        keys, types = self._layout.keys, self._types()
        numbered = {name for name in keys if types[name] is int}
        unsaid = dict.fromkeys(types)
        return [
            unsaid
            | {
                name: int(key) if name in numbered and _is_number(key) else key
                for name, key in zip(keys, path, strict=True)
            }
            | entry
            for path, entry in leaves(self, len(keys))
        ]

    def to_frame(self) -> Any:
        """Return a data frame of pandas with the rows; see `rows`.

        Numbers are ``Int64``, texts ``string``, and ``mtime`` a time in UTC; what the server does
        not tell is missing.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        HatcherException
            pandas is not installed; it comes with the extra ``pandas``.
        """
        types = self._types()
        return data_frame(self.rows(), {**types, **({"mtime": "time"} if "mtime" in types else {})})

    def _types(self) -> dict[str, object]:
        """Return the types of a row's fields, as the description tells them."""
        # Imported here, for those who want rows: it takes 10 ms.
        from typing import get_args, get_origin, get_type_hints

        from hatcher.core import documents

        hints = get_type_hints(getattr(documents, self._layout.entry))
        return dict.fromkeys(self._layout.keys, str) | {
            name: hint if get_origin(hint) in {None, list} else get_args(hint)[0]
            for name, hint in hints.items()
        }

    def _repr_html_(self) -> str:
        entries = list(leaves(self, len(self._layout.keys)))
        columns = [
            name
            for name in _COLUMNS
            if any(entry.get(name) is not None for _, entry in islice(entries, MAX_ROWS))
        ]
        rows = ([" ".join(path), *map(entry.get, columns)] for path, entry in entries)
        return html_table(["", *columns], rows, len(entries))


def _is_number(key: str) -> bool:
    return key.isdecimal() and len(key) <= _DIGITS
