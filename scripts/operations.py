#!/usr/bin/env python
"""Tell of each operation who asks for it, who answers it and which tests show it.

::

    python scripts/operations.py RECORD     write docs/operations.md from a record of the tests
    python scripts/operations.py --check    change nothing; fail if something is missing in it

``make operations`` runs the tests that make the record, and then this. What follows from the
project's sources (operations, raw functions, handlers) is found anew each time; which methods of
the graph send what, and which tests are answered what, is taken from the record, or with --check
from the page itself, and there the tests hold it to be true: see tests/conftest.py and
tests/contract/test_operations.py.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/operations.md")

#: What the graph does not send: only clients read the older index that know no other.
UNSENT = ("get_legacy_index", "download_legacy_egg")

#: How many tests are named for an operation.
MOST_TESTS = 2

HEAD = """\
# Operations

Every operation of the description, `openapi/brood.yaml`: the methods of the graph that send it,
the function of the [raw client](raw-client.md) below `brood_api.api`, what answers it in the
embedded server below `hatcher.server.handlers`, and tests that show it, below `tests`. Whether all
of it is so is tested; `make operations` writes this page.
"""
COLUMNS = ("operation", "request", "graph", "raw function", "handler", "tests")


class Row(NamedTuple):
    """What is told of one operation; what is empty is missing."""

    operation: str
    tag: str
    request: str
    graph: tuple[str, ...]
    raw: str
    handler: str
    tests: tuple[str, ...]


class Told(NamedTuple):
    """What does not follow from the sources, by operationId."""

    graph: Mapping[str, Iterable[str]]
    tests: Mapping[str, Iterable[str]]


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("record", nargs="?", type=Path, help="a folder that the tests wrote")
    what.add_argument("--check", action="store_true", help="only say whether the page is right")
    options = parser.parse_args(arguments)
    page = ROOT / PAGE
    if not options.check:
        rows = table(read_record(options.record))
        page.write_text(render(rows), "utf-8")
        problems = [*missing(rows)]
    else:
        text = page.read_text("utf-8")
        rows = table(read_page(text))
        problems = [*missing(rows)]
        if render(rows) != text:
            problems.append(f"{PAGE} is out of date. Run: make operations")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{PAGE}: {len(rows)} operations, each with all that belongs to it")
    return 1 if problems else 0


# What is so -----------------------------------------------------------------------------------


def table(told: Told) -> list[Row]:
    """Return a row for each operation of the description, in its order."""
    import hatcher.server.handlers  # noqa: F401 - registers them
    from brood_api.operations import OPERATIONS
    from hatcher.server.binding import HANDLERS

    rows = []
    for name, operation in OPERATIONS.items():
        raw = import_module(operation.module)
        handler = HANDLERS.get(name)
        rows.append(
            Row(
                operation=name,
                tag=operation.tag,
                request=f"{operation.method} {operation.path}",
                graph=tuple(sorted(told.graph.get(name, ()))),
                raw=_below("brood_api.api", raw.__name__) if hasattr(raw, "sync_detailed") else "",
                handler=_below("hatcher.server.handlers", handler.__module__, handler.__name__)
                if handler
                else "",
                tests=tuple(told.tests.get(name, ())),
            )
        )
    return rows


def missing(rows: Iterable[Row]) -> Iterator[str]:
    """Yield what is missing, or no longer there."""
    for row in rows:
        if not row.handler:
            yield f"{row.operation} has no handler in the embedded server"
        if not row.raw:
            yield f"{row.operation} has no raw function"
        if not row.graph and row.operation not in UNSENT:
            yield f"{row.operation} is sent by no method of the graph"
        if not row.tests:
            yield f"{row.operation} is shown by no test"
        for test in row.tests:
            if not exists(test):
                yield f"{row.operation} is to be shown by {test}, which does not exist"


def exists(test: str) -> bool:
    """Say whether there is a test, by its id below ``tests``."""
    file, _, names = test.partition("::")
    path = ROOT / "tests" / file
    if not path.is_file():
        return False
    found: list[ast.stmt] = ast.parse(path.read_text("utf-8")).body
    for name in names.partition("[")[0].split("::"):
        inner = [each for each in found if getattr(each, "name", None) == name]
        if not inner:
            return False
        found = getattr(inner[0], "body", [])
    return True


def _below(package: str, *names: str) -> str:
    return ".".join(names).removeprefix(f"{package}.")


# What was recorded ----------------------------------------------------------------------------


def read_record(folder: Path) -> Told:
    """Return what the tests wrote to a folder."""
    graph = json.loads((folder / "graph.json").read_text("utf-8"))
    answered: dict[str, list[str]] = {}
    for path in folder.glob("tests.*.json"):
        answered |= json.loads(path.read_text("utf-8"))
    tests = defaultdict(list)
    for test, operations in answered.items():
        # Parameters may be anything, also what would break a table.
        if not set(test) & set("`|"):
            for operation in operations:
                tests[operation].append(test)

    def rank(test: str, operation: str) -> tuple[bool, int, int, str]:
        # First what is about the operation, then what shows little else; what shows every
        # operation in turn comes last.
        words = operation.split("_")[2:]
        about = sum(word.rstrip("s") in test for word in words)
        return test.startswith("contract/"), -about, len(answered[test]), test

    return Told(
        graph,
        {
            operation: sorted(found, key=lambda test: rank(test, operation))[:MOST_TESTS]
            for operation, found in tests.items()
        },
    )


def read_page(text: str) -> Told:
    """Return what the page tells."""
    graph, tests = {}, {}
    for line in text.splitlines():
        if line.startswith("| `"):
            name, _, methods, _, _, shown = (
                re.findall("`([^`]+)`", cell) for cell in line.strip("|").split(" | ")
            )
            graph[name[0]] = methods
            tests[name[0]] = shown
    return Told(graph, tests)


# The page -------------------------------------------------------------------------------------


def render(rows: Iterable[Row]) -> str:
    """Return the page."""
    parts = [HEAD]
    for tag, some in groupby(rows, key=lambda row: row.tag):
        parts += [f"\n## {tag.capitalize()}\n\n", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
        parts += [
            _line(
                [
                    _code(row.operation),
                    _code(row.request),
                    _code(*row.graph),
                    _code(row.raw),
                    _code(row.handler),
                    _code(*row.tests),
                ]
            )
            for row in some
        ]
    return "".join(parts)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _code(*texts: str) -> str:
    return "<br>".join(f"`{text}`" for text in texts if text)


if __name__ == "__main__":
    sys.exit(main())
