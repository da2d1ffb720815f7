"""Data on standard output: tables for people; JSON, JSON lines and CSV for programs.

A command declares what it gives (`Listing` or `Document`), and hands over plain records. How
they are written is decided here, the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, Literal, NamedTuple, TypeAlias

import click

from hatcher.cli import tables
from hatcher.cli.terminal import write

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
    """

    key: str
    heading: str
    type: str | Sequence[str] = "string"
    in_tables: bool = True


class Listing(NamedTuple):
    """What a command gives: any number of records, all alike.

    Attributes
    ----------
    fields : tuple of Field
    bare : bool, default False
        Whether people, unless they ask for a table, see neither headings nor lines, nor more than
        the first field, so that each line is a name.
    """

    fields: tuple[Field, ...]
    bare: bool = False

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its JSON; ``items`` is that of a line of JSON lines."""
        items = _record_schema(self.fields) | {"additionalProperties": False}
        return {"type": "array", "items": items}


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
    """

    fields: tuple[Field, ...] = ()
    as_row: bool = False
    sentence: Callable[[Record], str] | None = None

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its JSON."""
        return _record_schema(self.fields) | {"additionalProperties": True}


def _record_schema(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            field.key: {
                "title": field.heading,
                "type": field.type if isinstance(field.type, str) else list(field.type),
            }
            for field in fields
        },
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
    declared = getattr(command.callback, "emits", None)
    assert declared is None or isinstance(declared, (Listing, Document))
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


class Emit:
    """Writes what a command hands over, as it was asked for.

    Parameters
    ----------
    declared : Listing or Document
    chosen : {'table', 'json', 'jsonl', 'csv'} or None
        None is what people see: the table of a listing, and the JSON of a document that
        declares nothing else.
    """

    def __init__(self, declared: Listing | Document, chosen: Format | None) -> None:
        self._declared = declared
        self._chosen = chosen

    @property
    def is_chosen(self) -> bool:
        """Whether somebody said how data are to be written."""
        return self._chosen is not None

    def __call__(self, data: Iterable[Record] | Record) -> None:
        if isinstance(self._declared, Listing):
            assert not isinstance(data, Mapping)
            self._listing(self._declared, data)
        else:
            assert isinstance(data, Mapping)
            self._document(self._declared, data)

    def _listing(self, declared: Listing, records: Iterable[Record]) -> None:
        keys = [field.key for field in declared.fields]
        records = ({key: record.get(key) for key in keys} for record in records)
        if self._chosen == "jsonl":
            for record in records:
                write(_line(record))  # as it comes
        elif self._chosen == "json":
            write(_indented(list(records)))
        elif self._chosen == "csv":
            tables.write_csv(keys, (record.values() for record in records))
        elif declared.bare and self._chosen is None:
            tables.write_names(record[keys[0]] for record in records)
        else:
            shown = [field for field in declared.fields if field.in_tables]
            rows = [[record[field.key] for field in shown] for record in records]
            tables.write_table([field.heading for field in shown], rows)

    def _document(self, declared: Document, document: Record) -> None:
        keys = sorted(document)
        if self._chosen == "jsonl":
            write(_line(document))
        elif self._chosen == "csv":
            tables.write_csv(keys, [[document[key] for key in keys]])
        elif self._chosen is None and declared.sentence is not None:
            tables.write_names([declared.sentence(document)])
        elif self._chosen in {"table", None} and declared.as_row:
            headings = [field.heading for field in declared.fields]
            tables.write_table(headings, [[document.get(field.key) for field in declared.fields]])
        elif self._chosen == "table":
            tables.write_table(["Field", "Value"], [[key, document[key]] for key in keys])
        else:
            write(_indented(document))


def _line(record: Record) -> str:
    return tables.as_json(record) + "\n"


def _indented(data: Any) -> str:
    return tables.as_json(data, indent=2, sort_keys=True) + "\n"
