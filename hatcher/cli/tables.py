"""Tables: in a terminal, in a pipe, and as CSV."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hatcher.characters import shown
from hatcher.cli.terminal import is_terminal, takes_color, write

if TYPE_CHECKING:
    from rich.console import Console

#: No column of a table in a terminal is narrower, unless its cells are.
_NARROW = 16

#: What is between two of them there.
_WIDE_GAP = "   "

#: How many rows are laid out with care; more of them scroll by anyway.
_LONG = 500

#: What headings look like in a terminal.
_HEADING = "bold cyan"

#: What a formula begins with, in the spreadsheets of some countries in full width.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: What is between two columns of a plain table.
_GAP = "  "


def write_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a table: with lines and colors in a terminal, and plainly into a file or a pipe.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequence
        None is an empty cell.
    """
    write_as = _write_for_people if is_terminal(sys.stdout) else _write_plainly
    write_as(headings, [[_cell(value) for value in row] for row in rows])


def write_names(names: Iterable[str]) -> None:
    """Write names, each on a line of its own.

    Parameters
    ----------
    names : iterable of str
    """
    write("".join(f"{shown(name)}\n" for name in names))


def write_csv(headings: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write comma-separated values, the headings first.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of iterable
        None is an empty cell; what is neither text nor a number is JSON.
    """
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(map(_for_spreadsheets, row) for row in (headings, *rows))
    write(text.getvalue())


def _for_spreadsheets(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula; a number stays one."""
    cell = _cell(value)
    is_formula = isinstance(value, str) and cell.lstrip().startswith(_FORMULA)
    return f"'{cell}" if is_formula else cell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return shown(value) if isinstance(value, str) else as_json(value)


def as_json(value: Any, **options: Any) -> str:
    """Return JSON in which every character shows: others are escaped, with the same value.

    Parameters
    ----------
    value
        What JSON can hold.
    **options
        Of `json.dumps`.
    """
    # Imported where it is written: help and completion need none.
    import json

    # ASCII alone, of which one that does not show is no control character to JSON.
    return json.dumps(value, **options).replace("\x7f", "\\u007f")


def _write_plainly(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # As the existing command line does: there are scripts that cut it up.
    widths = [
        max([len(heading) + 2, *map(len, cells)])
        for heading, *cells in zip(headings, *rows, strict=True)
    ]
    lines = (headings, ["-" * width for width in widths], *rows)
    write("".join(f"{_laid_out(line, widths, _GAP)}\n" for line in lines))


def _laid_out(cells: Iterable[str], widths: Iterable[int], gap: str) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return gap.join(padded).rstrip()


def _write_for_people(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # Imported here, where somebody looks: it takes as long as everything else together.
    from rich.console import Console

    console = Console(highlight=False, no_color=not takes_color(sys.stdout))
    columns = list(zip(headings, *rows, strict=True))
    narrowest = [min(_NARROW, max(map(len, column))) for column in columns]
    if len(rows) > _LONG:
        _write_long(console, headings, rows, [max(map(len, column)) for column in columns])
    elif sum(narrowest) + len(_WIDE_GAP) * (len(narrowest) - 1) > console.width:
        _write_fields(console, headings, rows)
    else:
        _write_folded(console, headings, rows, narrowest)


def _write_long(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
) -> None:
    """Write a table that rich would take seconds for; the terminal wraps what is too wide."""
    console.print(_laid_out(headings, widths, _WIDE_GAP), style=_HEADING, soft_wrap=True)
    whole = sum(widths) + len(_WIDE_GAP) * (len(widths) - 1)
    lines = (_laid_out(row, widths, _WIDE_GAP) for row in rows)
    line = "-" if console.options.ascii_only else "─"
    write("\n".join((line * min(whole, console.width), *lines)) + "\n")


def _write_fields(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write one field on each line, where a table's columns would be single letters."""
    from rich.text import Text

    for row in rows:
        for heading, cell in zip(headings, row, strict=True):
            console.print(Text.assemble((f"{heading}: ", _HEADING), cell), soft_wrap=True)
        console.print()


def _write_folded(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    narrowest: Sequence[int],
) -> None:
    """Write a table whose long cells are folded, and never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style=_HEADING)
    for heading, width in zip(headings, narrowest, strict=True):
        table.add_column(heading, overflow="fold", min_width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
