"""Data on standard output: tables for people; JSON, JSON lines and CSV for programs.

A command declares what it gives (`Listing` or `Document`), and hands over plain records. How
they are written is decided here, the same for all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import click

from hatcher.characters import shown
from hatcher.cli.terminal import is_terminal, takes_color, write
from hatcher.sizes import human_size
from hatcher.tables import utc_time

if TYPE_CHECKING:
    from rich.console import Console

Format: TypeAlias = Literal["table", "json", "jsonl", "csv"]
FORMATS: tuple[Format, ...] = ("table", "json", "jsonl", "csv")

Record: TypeAlias = Mapping[str, Any]

#: The dialect of the schemas.
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Field(NamedTuple):
    """A field of each record.

    Attributes
    ----------
    key : str
        Its name for programs.
    heading : str
        Its name for people.
    type : str or list of str, default 'string'
        Its type in JSON Schema.
    in_tables : bool, default True
        Whether people see it in the table of a listing; programs always get it.
    readable : callable, optional
        Makes what people see of a number.
    """

    key: str
    heading: str
    type: str | Sequence[str] = "string"
    in_tables: bool = True
    readable: Callable[[Any], str] | None = None

    @property
    def is_number(self) -> bool:
        """Whether it stands at the right of its column."""
        return not {"integer", "number"}.isdisjoint((self.type, *self.type))

    def cell(self, record: Record) -> str:
        """Return what people see of a record."""
        value = record.get(self.key)
        if self.type == "array" and isinstance(value, list):
            return ", ".join(map(_cell, value))
        if self.readable and isinstance(value, int | float) and not isinstance(value, bool):
            return self.readable(value)
        return _cell(value)


#: Bytes, and when something was stored or made, of which not all that is listed says anything.
SIZE = Field("size", "Size", ("integer", "null"), readable=human_size)
TIME = Field("mtime", "Date (UTC)", ("number", "null"), readable=utc_time)


class Listing(NamedTuple):
    """What a command gives: any number of records, all alike.

    Attributes
    ----------
    fields : tuple of Field
    bare : bool, default False
        Whether people, unless they ask for a table, see neither headings nor lines, nor more than
        the first field, so that each line is a name.
    more : tuple of Field, optional
        What records have besides when it is asked for; see `Emit.long`.
    """

    fields: tuple[Field, ...]
    bare: bool = False
    more: tuple[Field, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its JSON; ``items`` is that of a line of JSON lines."""
        items = _record_schema(self.fields, self.more) | {"additionalProperties": False}
        return {"type": "array", "items": items}

    def write(self, records: Iterable[Record], chosen: Format | None) -> None:
        """Write records as it was asked for; None is for people."""
        keys = [field.key for field in self.fields]
        records = ({key: record.get(key) for key in keys} for record in records)
        if chosen == "jsonl":
            for record in records:
                write(as_json(record) + "\n")  # as it comes
        elif chosen == "json":
            write(_indented(list(records)))
        elif chosen == "csv":
            write_csv(keys, (record.values() for record in records))
        elif self.bare and chosen is None:
            write_names(record[keys[0]] for record in records)
        else:
            write_table([field for field in self.fields if field.in_tables], records)


#: The columns of the table of a document of which nothing is known.
_PAIR = (Field("field", "Field"), Field("value", "Value"))


class Document(NamedTuple):
    """What a command gives: one record, maybe with more in it than the fields that are named.

    Attributes
    ----------
    fields : tuple of Field
        Those that are always there.
    as_row : bool, default False
        Whether people see it as a table with one row, of the fields that are named, and not as
        JSON.
    sentence : callable, optional
        Makes the line that people see, of the record.
    rows : tuple of Field, optional
        The columns of the table of an index. As CSV, as JSON lines and in a table, it is a row for
        each artefact in it; JSON is what the server has said.
    """

    fields: tuple[Field, ...] = ()
    as_row: bool = False
    sentence: Callable[[Record], str] | None = None
    rows: tuple[Field, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its JSON."""
        return _record_schema(self.fields) | {"additionalProperties": True}

    def write(self, document: Record, chosen: Format | None) -> None:
        """Write a record as it was asked for; None is for people."""
        keys = sorted(document)
        if self.rows and chosen in {"table", "csv", "jsonl"}:
            self._write_rows(document, chosen)
        elif chosen == "jsonl":
            write(as_json(document) + "\n")
        elif chosen == "csv":
            write_csv(keys, [[document[key] for key in keys]])
        elif chosen is None and self.sentence is not None:
            write_names([self.sentence(document)])
        elif chosen in {"table", None} and self.as_row:
            write_table(self.fields, [document])
        elif chosen == "table":
            write_table(_PAIR, [{"field": key, "value": document[key]} for key in keys])
        else:
            write(_indented(document))

    def _write_rows(self, index: Any, chosen: Format | None) -> None:
        """Write the rows of an index, with all that the server says of any of them."""
        rows = index.rows()
        keys = dict.fromkeys(chain(index._types(), *rows))
        seen = [field for field in self.rows if field.key in keys]
        fields = seen if chosen == "table" else [Field(key, key) for key in keys]
        Listing(tuple(fields)).write(rows, chosen)


#: An index of any kind of artefact.
INDEX = Document(
    rows=(
        Field("id", "App"),
        Field("implementation", "Runtime"),
        Field("language", "Runtime"),
        Field("name", "Name"),
        Field("version", "Version"),
        Field("build", "Build", "integer"),
        Field("python_tag", "Python Tag"),
        SIZE,
        TIME,
    )
)


def _record_schema(fields: tuple[Field, ...], more: tuple[Field, ...] = ()) -> dict[str, Any]:
    every = (*fields, *more)
    return {
        "type": "object",
        "properties": {field.key: {"title": field.heading, "type": field.type} for field in every},
        "required": [field.key for field in fields],
    }


def schema_of(title: str, declared: Listing | Document) -> dict[str, Any]:
    """Return the JSON Schema of what a command gives with ``--output json``.

    Parameters
    ----------
    title : str
        The command.
    declared : Listing or Document
    """
    return {"$schema": _DIALECT, "title": title, **declared.schema()}


def declared_by(command: click.Command) -> Listing | Document | None:
    """Return what a command declares to give; None when it gives no data.

    Parameters
    ----------
    command : click.Command
    """
    declared: Listing | Document | None = getattr(command.callback, "emits", None)
    return declared


def emits(declared: Listing | Document) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the option ``--output``, and a function ``emit`` to hand its data to.

    Parameters
    ----------
    declared : Listing or Document
        What it gives; kept as ``.emits`` of the function.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def with_emit(*args: Any, output: Format | None, **options: Any) -> Any:
            chosen = output or click.get_current_context().find_root().params.get("output")
            return function(*args, emit=Emit(declared, chosen), **options)

        with_emit.emits = declared  # type: ignore[attr-defined]
        return click.option(
            "-o",
            "--output",
            type=click.Choice(FORMATS),
            help="How data is written: for people, or for programs.",
        )(with_emit)

    return decorate


class Emit(NamedTuple):
    """Writes what a command hands over, as it was asked for.

    Attributes
    ----------
    declared : Listing or Document
    chosen : {'table', 'json', 'jsonl', 'csv'} or None
        None is what people see: the table of a listing, and the JSON of a document that
        declares nothing else.
    """

    declared: Listing | Document
    chosen: Format | None

    @property
    def is_chosen(self) -> bool:
        """Whether somebody said how data are to be written."""
        return self.chosen is not None

    @property
    def long(self) -> Emit:
        """What writes the further fields of a listing, too, as a table for people."""
        assert isinstance(self.declared, Listing)
        return self._replace(declared=Listing((*self.declared.fields, *self.declared.more)))

    @property
    def is_for_people(self) -> bool:
        """Whether it is people who read it: what does not matter to them may be left out."""
        return self.chosen in {"table", None}

    def __call__(self, data: Any) -> None:
        self.declared.write(data, self.chosen)


def _indented(data: Any) -> str:
    return as_json(data, indent=2, sort_keys=True) + "\n"


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

#: What trees are drawn with, where that cannot be written.
_PLAIN = str.maketrans("├└│─", "|`|-")

#: What is between two columns of a plain table.
_GAP = "  "


def write_table(fields: Sequence[Field], records: Iterable[Record]) -> None:
    """Write a table: with lines and colors in a terminal, and plainly into a file or a pipe.

    Parameters
    ----------
    fields : sequence of Field
        The columns; numbers stand at their right.
    records : iterable of mapping
        None is an empty cell.
    """
    write_as = _write_for_people if is_terminal(sys.stdout) else _write_plainly
    write_as(fields, [[field.cell(record) for field in fields] for record in records])


def write_names(names: Iterable[str]) -> None:
    """Write names, each on a line of its own.

    Parameters
    ----------
    names : iterable of str
    """
    write("".join(f"{shown(name)}\n" for name in names))


def write_tree(drawn: str) -> None:
    """Write a tree that is drawn; with what every encoding has, where one lacks its lines.

    Parameters
    ----------
    drawn : str
    """
    try:
        drawn.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        drawn = drawn.translate(_PLAIN)
    write_names(drawn.split("\n"))


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


def _write_plainly(fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
    # As the existing command line does: there are scripts that cut it up.
    headings = [field.heading for field in fields]
    widths = [
        max([len(heading) + 2, *map(len, cells)])
        for heading, *cells in zip(headings, *rows, strict=True)
    ]
    lines = (headings, ["-" * width for width in widths], *rows)
    write("".join(f"{_laid_out(line, fields, widths, _GAP)}\n" for line in lines))


def _laid_out(
    cells: Iterable[str], fields: Iterable[Field], widths: Iterable[int], gap: str
) -> str:
    padded = (
        cell.rjust(width) if field.is_number else cell.ljust(width)
        for cell, field, width in zip(cells, fields, widths, strict=True)
    )
    return gap.join(padded).rstrip()


def _write_for_people(fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
    # Imported here, where somebody looks: it takes as long as everything else together.
    from rich.console import Console

    console = Console(highlight=False, no_color=not takes_color(sys.stdout))
    gaps = len(_WIDE_GAP) * (len(fields) - 1)
    if len(rows) > _LONG:
        write_as = _write_long
    elif sum(_narrowest(fields, rows)) + gaps > console.width:
        write_as = _write_fields
    else:
        write_as = _write_folded
    write_as(console, fields, rows)


def _widths(fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> list[int]:
    headings = [field.heading for field in fields]
    return [max(map(len, column)) for column in zip(headings, *rows, strict=True)]


def _narrowest(fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how narrow each column may be."""
    return [min(_NARROW, width) for width in _widths(fields, rows)]


def _write_long(console: Console, fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
    """Write a table that rich would take seconds for; the terminal wraps what is too wide."""
    widths = _widths(fields, rows)
    headings = [field.heading for field in fields]
    heading = _laid_out(headings, fields, widths, _WIDE_GAP)
    console.print(heading, style=_HEADING, soft_wrap=True)
    whole = sum(widths) + len(_WIDE_GAP) * (len(widths) - 1)
    lines = (_laid_out(row, fields, widths, _WIDE_GAP) for row in rows)
    line = "-" if console.options.ascii_only else "─"
    write("\n".join((line * min(whole, console.width), *lines)) + "\n")


def _write_fields(console: Console, fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
    """Write one field on each line, where a table's columns would be single letters."""
    from rich.text import Text

    for row in rows:
        for field, cell in zip(fields, row, strict=True):
            console.print(Text.assemble((f"{field.heading}: ", _HEADING), cell), soft_wrap=True)
        console.print()


def _write_folded(console: Console, fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
    """Write a table whose long cells are folded, and never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style=_HEADING)
    for field, width in zip(fields, _narrowest(fields, rows), strict=True):
        justify: Literal["right", "left"] = "right" if field.is_number else "left"
        table.add_column(field.heading, overflow="fold", min_width=width, justify=justify)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
