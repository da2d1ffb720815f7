#!/usr/bin/env python
"""Tell of each operation who asks for it, who answers it and which tests show it.

::

    python -m scripts.operations              write docs/operations.md
    python -m scripts.operations --missing    change nothing; say what each operation still needs

What follows from the sources (operations, raw functions, handlers, faults, examples) is found anew
each time. Which methods of the graph and which commands send what is recorded by two tests that
call every one of them, tests/contract/test_operations.py. Which tests show an operation stands on
the page, and the tests hold it to be true, see tests/conftest.py; for an operation that has none
there, the few that may show it are run. scripts/operations.toml says what is left out on purpose.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common import has_test, parsed

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/operations.md")
REASONS = Path("scripts/operations.toml")

#: How many tests and commands are named for an operation, and how many tests are tried.
MOST_NAMED = 2
MOST_TRIED = 10

#: The tests that call every method of the graph, and every command.
RECORDING = [
    f"tests/contract/test_operations.py::test_the_{what}_it_says"
    for what in ("graph_sends_what", "commands_ask_for_what")
]
#: Where the tests of an operation are looked for; those in tests/contract show all operations alike.
SHOWING = ("core/", "server/", "cli/", "transfer/", "interop/")

HEAD = """\
# Operations

Every operation of the description, `openapi/brood.yaml`: the methods of the graph that send it,
commands that do, after `hatcher`, the function of the [raw client](raw-client.md) below
`brood_api.api`, what answers it in the embedded server below `hatcher.server.handlers`, and tests
that show it, below `tests`. Whether all of it is so is tested; `make operations` writes this page.
"""
COLUMNS = ("operation", "request", "graph", "command", "raw function", "handler", "tests")


class Row(NamedTuple):
    """What is told of one operation; what is empty is missing."""

    operation: str
    tag: str
    request: str
    graph: tuple[str, ...]
    command: tuple[str, ...]
    raw: str
    handler: str
    tests: tuple[str, ...]


class Told(NamedTuple):
    """What does not follow from the sources, by operationId."""

    graph: Mapping[str, Iterable[str]]
    command: Mapping[str, Iterable[str]]
    tests: Mapping[str, Iterable[str]]


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--missing", action="store_true", help="only say what is missing")
    options = parser.parse_args(arguments)
    page = ROOT / PAGE
    text = page.read_text("utf-8")
    told = read_page(text)
    if not options.missing:
        told = record(told)
        text = render(table(told))
        page.write_text(text, "utf-8")
    rows = table(told)
    problems = [*missing(rows)]
    if render(rows) != text:
        problems.append(f"{PAGE} is out of date: make operations")
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

    def row(name: str, operation: Any) -> Row:
        raw, handler = import_module(operation.module), HANDLERS.get(name)
        has_raw = hasattr(raw, "sync_detailed")
        answers = f"{handler.__module__}.{handler.__name__}" if handler else ""
        return Row(
            operation=name,
            tag=operation.tag,
            request=f"{operation.method} {operation.path}",
            graph=tuple(sorted(told.graph.get(name, ()))),
            command=tuple(told.command.get(name, ())),
            raw=raw.__name__.removeprefix("brood_api.api.") if has_raw else "",
            handler=answers.removeprefix("hatcher.server.handlers."),
            tests=tuple(told.tests.get(name, ())),
        )

    return [row(name, operation) for name, operation in OPERATIONS.items()]


def reasons() -> dict[tuple[str, str], str]:
    """Return why an operation has no method of the graph, or no command, on purpose."""
    listed = tomllib.loads((ROOT / REASONS).read_text("utf-8"))["without"]
    return {(each["operation"], each["what"]): each["reason"] for each in listed}


def bare(operation: str) -> str:
    """Return the name of an operation without its version, if it has one."""
    return re.sub(r"^v\d+_", "", operation)


# What is missing ------------------------------------------------------------------------------


def missing(rows: Iterable[Row]) -> Iterator[str]:
    """Yield what is missing, where it belongs, and what is no longer there."""
    left_out = reasons()
    for row in rows:
        yield from (f"{row.operation}: {what}" for what in lacking(row, left_out))
    for name, what in left_out:
        yield f"{REASONS}: there is no operation {name} that could be without {what}"


def lacking(row: Row, left_out: dict[tuple[str, str], str]) -> Iterator[str]:
    """Yield what an operation lacks, and take out the reasons for what it may lack."""
    from tests.contract.world import OWN, parameters
    from tests.faults.acts import ACTS
    from tests.faults.table import group_of

    name = row.operation
    if not row.handler:
        together = row.tag in ("apps", "bundles", "eggs", "runtimes")
        yield f"handler: hatcher/server/handlers/{'artefacts' if together else row.tag}.py"
    if not row.raw:
        yield "raw function: make generate"
    if not set(re.findall(r"{(\w+)}", row.request)) <= parameters(name, OWN).keys():
        yield "values for its path: parameters of tests/contract/world.py"
    if not has_body(name):
        yield "a body: World.body of tests/contract/world.py"
    for what, found, where in (
        ("graph", row.graph, "graph method: hatcher/core/, then make operations"),
        ("command", row.command, "command: hatcher/cli/commands/, then make operations"),
    ):
        reason = left_out.pop((name, what), None)
        if not found and not reason:
            yield f"{where}; or a reason: {REASONS}"
        if found and reason:
            yield f"{REASONS} says that it has no {what}, and it has {found[0]}"
        if what == "graph" and not reason and bare(name) not in ACTS:
            yield "an act, by which its faults are tried: tests/faults/acts.py"
    try:
        group_of(name)
    except ValueError:
        yield "a row for its x-safety: tests/faults/retries.toml"
    page, example = in_the_manual(row)
    if row.graph and not page:
        yield "page of the manual that names {py:class}`.Class`: docs/graph/"
    elif row.graph and not example:
        yield f"example on its page of the manual: {page}"
    if not row.tests:
        yield "test: tests/core/ or tests/server/, then make operations"
    for test in row.tests:
        if not exists(test):
            yield f"test: {test} is no longer there: make operations"


def has_body(operation: str) -> bool:
    """Say whether the tests know what to send it, if it takes anything."""
    from tests.contract.world import OWN, UPLOADS, World

    try:
        return operation in UPLOADS or World.body(object.__new__(World), operation, OWN) is not ...
    except KeyError:
        return False


def in_the_manual(row: Row) -> tuple[str, str]:
    """Return a page about one of the classes that send it, and one with an example on such a page."""
    page = example = ""
    for path, (text, code) in _manual().items():
        for kind, _, method in (name.rpartition(".") for name in row.graph):
            # Signing in has no method.
            if f"{{py:class}}`.{kind or method}`" in text:
                page = page or path
                if (f".{method}(" if kind else f"{method}(") in code:
                    example = example or path
    return page, example


@cache
def _manual() -> dict[str, tuple[str, str]]:
    """The pages of the manual, each with the code in it, but for what scripts write."""
    fence = re.compile(r"^```(?:python|pycon)$(.*?)^```$", re.MULTILINE | re.DOTALL)
    pages = (ROOT / "docs").rglob("*.md")
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(pages)}
    return {path: (text, "".join(fence.findall(text))) for path, text in texts.items()}


def exists(test: str) -> bool:
    """Say whether there is a test, by its id below ``tests``, of those that may show something."""
    return test.startswith(SHOWING) and has_test(ROOT / "tests", test)


# What is recorded -----------------------------------------------------------------------------


def record(told: Told) -> Told:
    """Return what methods and commands send, and the tests of operations that have none."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run_tests(folder, RECORDING)
        graph, command = (
            json.loads((folder / f"{name}.json").read_text("utf-8"))
            for name in ("graph", "commands")
        )
    kept = {name: [*filter(exists, tests)] for name, tests in told.tests.items()}
    new = [row for row in table(Told(graph, command, kept)) if not row.tests]
    tried = [test for row in new for test in candidates(row)]
    if tried:
        with tempfile.TemporaryDirectory() as temporary:
            run_tests(Path(temporary), sorted(set(tried)))
            kept |= shown_by(Path(temporary), {row.operation for row in new})
    return Told(graph, command, kept)


def run_tests(folder: Path, tests: list[str]) -> None:
    """Run tests that record to a folder what they are answered."""
    options = ("-q", "-m", "", "--record-operations", str(folder))
    if subprocess.call([sys.executable, "-m", "pytest", *options, *tests], cwd=ROOT):
        sys.exit(f"{PAGE} is as it was: the tests that it is made from have failed")


def candidates(row: Row) -> list[str]:
    """Return the tests that may show an operation: they name a method, or the end of its path."""
    tail = row.request.rpartition("}")[2]
    names = [f".{method.rpartition('.')[2]}(" for method in row.graph]
    names += [bare(row.operation), *([tail] if tail else [])]
    found = []
    for folder in SHOWING:
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
            text = path.read_text("utf-8")
            for node in parsed(path):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    source = ast.get_source_segment(text, node) or ""
                    if any(name in source for name in names):
                        found.append(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return sorted(found, key=lambda test: _about(test, row.operation))[:MOST_TRIED]


def _about(test: str, operation: str) -> int:
    """Return how little the name of a test is about an operation."""
    return -sum(word.rstrip("s") in test for word in bare(operation).split("_")[1:])


def shown_by(folder: Path, operations: set[str]) -> dict[str, list[str]]:
    """Return the best tests of operations: what is about it, then what shows little else."""
    answered: dict[str, list[str]] = json.loads((folder / "tests.main.json").read_text("utf-8"))
    tests = defaultdict(list)
    for test, names in answered.items():
        # Parameters may be anything, also what would break a table.
        if not set(test) & set("`|"):
            for name in operations & {*names}:
                tests[name].append((_about(test, name), len(names), test))
    return {name: [each[-1] for each in sorted(ts)[:MOST_NAMED]] for name, ts in tests.items()}


def read_page(text: str) -> Told:
    """Return what the page tells."""
    told: dict[str, dict[str, list[str]]] = {name: {} for name in Told._fields}
    columns: list[str] = []
    for line in text.splitlines():
        cells = line.strip("|").split(" | ")
        if line.startswith("| operation"):
            columns = [cell.strip() for cell in cells]
        elif line.startswith("| `"):
            found = dict(
                zip(columns, (re.findall("`([^`]+)`", cell) for cell in cells), strict=True)
            )
            for name in told.keys() & found.keys():
                told[name][found["operation"][0]] = found[name]
    return Told(**told)


# The page -------------------------------------------------------------------------------------


def render(rows: Iterable[Row]) -> str:
    """Return the page."""
    left_out = reasons()
    parts = [HEAD]
    for tag, some in groupby(rows, key=lambda row: row.tag):
        parts += [f"\n## {tag.capitalize()}\n\n", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
        for row in some:
            names = [(row.operation,), (row.request,), row.graph, row.command]
            cells = [_code(*each) for each in (*names, (row.raw,), (row.handler,), row.tests)]
            for number, what in ((2, "graph"), (3, "command")):
                cells[number] = cells[number] or left_out.get((row.operation, what), "")
            parts.append(_line(cells))
    return "".join(parts)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _code(*texts: str) -> str:
    return "<br>".join(f"`{text}`" for text in texts if text)


if __name__ == "__main__":
    sys.exit(main())
