"""What people see of much: its first lines, tables in notebooks; and pandas' data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from hatcher.errors import HatcherException

#: Rows of a table in a notebook; an index may have fifty thousand.
MAX_ROWS = 100

#: What pandas calls the columns of values of a type, also where some are missing.
_DTYPES: Mapping[object, str] = {int: "Int64", float: "Float64", bool: "boolean", str: "string"}


def first_lines(lines: Sequence[str], most: int = 20) -> list[str]:
    """Return the first lines, and one that says how many more there are."""
    more = [f"and {len(lines) - most:,} more"] if len(lines) > most else []
    return [*lines[:most], *more]


def brief(self: object) -> str:
    """Return the repr of an object with much in it: the first line of what is said of it."""
    return f"<{type(self).__name__}: {str(self).partition(chr(10))[0]}>"


def utc_time(seconds: float) -> str:
    """Return a time in seconds since 1970 as people read it, in UTC: ``2024-03-01 04:50``."""
    from datetime import UTC, datetime

    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):  # of no year that there is
        return str(seconds)


def html_table(headings: Iterable[str], rows: Iterable[Sequence[object]], total: int) -> str:
    """Return the first rows as a table for notebooks, with how many more there are."""
    # Imported here, for notebooks.
    from html import escape

    shown = [row for row, _ in zip(rows, range(MAX_ROWS), strict=False)]
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row)}</tr>" for row in shown
    )
    left = total - len(shown)
    more = f"<p>and {left:,} more; {total:,} in all</p>" if left else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)


def data_frame(rows: Sequence[Mapping[str, Any]], types: Mapping[str, object]) -> Any:
    """Make a data frame of pandas.

    Parameters
    ----------
    rows : sequence of mapping
    types : mapping of str to type
        Those of the columns that are there in any case; ``'time'`` for seconds since 1970. A
        column with anything else in it stays as it is.

    Raises
    ------
    HatcherException
        pandas is not installed.
    """
    try:
        # Imported here, where it is asked for: it takes half a second, and need not be there.
        import pandas
    except ModuleNotFoundError as error:
        raise HatcherException(
            "Data frames need pandas, which is not installed.",
            advice="It comes with hatcher's extra 'pandas'. In a checkout of hatcher, run: "
            "python -m pip install '.[pandas]'",
        ) from error
    columns = dict.fromkeys(chain(types, *rows))
    frame: Any = pandas.DataFrame(
        {
            column: pandas.Series([row.get(column) for row in rows], dtype=object)
            for column in columns
        }
    )
    for column, kind in types.items():
        try:
            if kind == "time":
                frame[column] = pandas.to_datetime(frame[column], unit="s", utc=True)
            elif kind in _DTYPES:
                frame[column] = frame[column].astype(_DTYPES[kind])
        except (TypeError, ValueError, OverflowError):
            pass  # a server has said something else, which is for people to see
    return frame
