"""Indices: dicts that notebooks show as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")

#: The columns of the table, as far as there is anything to put in.
_COLUMNS = ("full_version", "version", "build", "python_tag", "platform", "description", "size")

#: Rows of the table; an index may have fifty thousand.
_MAX_ROWS = 100


def leaves(index: Mapping[str, Any], depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give what stands in dicts that stand in each other, with the keys that lead there."""
    for key, inner in index.items():
        if depth == 1:
            yield (key,), inner
        else:
            yield from (((key, *keys), leaf) for keys, leaf in leaves(inner, depth - 1))


class Index(dict[str, T]):
    """What a server's index says: a plain dict, with a table for notebooks."""

    def _repr_html_(self) -> str:
        # Imported here, for notebooks.
        from html import escape

        rows = list(islice(_entries(self), _MAX_ROWS + 1))
        shown = rows[:_MAX_ROWS]
        columns = [
            name for name in _COLUMNS if any(entry.get(name) is not None for _, entry in shown)
        ]
        head = "".join(f"<th>{name}</th>" for name in ("", *columns))
        body = ""
        for name, entry in shown:
            cells = map(_cell, (name, *map(entry.get, columns)))
            body += f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        more = "<p>and more: this is the beginning only</p>" if len(rows) > len(shown) else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _entries(index: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each entry with its path: indices of apps and bundles are nested."""
    for key, value in index.items():
        here = f"{path} {key}".strip()
        if not isinstance(value, Mapping):
            continue
        if value and all(isinstance(inner, Mapping) for inner in value.values()):
            yield from _entries(value, here)
        else:
            yield here, value


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)
