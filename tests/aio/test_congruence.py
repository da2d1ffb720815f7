"""Every public call does the same on both graphs: results, errors, requests, progress."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import pytest

import hatcher.access
import hatcher.api
import hatcher.mirror
from hatcher.testing import BroodServer
from scripts.make_async import ATTRIBUTES, PLAIN

from .graphs import TABLE, Graph, Outcome, Row, stock, write_files

#: Which of hundreds of indices it reads depends on which answers come first.
BY_CHANCE = "Repository.list_platforms"

#: What is called, and in which organization: what the table says; the same where nothing is; and
#: with arguments that cannot be used.
WAYS: dict[str, Callable[[], tuple[list[Row], str]]] = {
    "as meant": lambda: (TABLE, "acme"),
    "where nothing is": lambda: (TABLE, "nowhere"),
    "with other arguments": lambda: ([*_spoiled()], "acme"),
}


def _spoiled() -> Iterator[Row]:
    for row in TABLE:
        yield from row.spoiled()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Outcome]]:
    """Return what comes of all calls, on the sync graph or, in an event loop, on the async one."""

    @cache
    def outcomes(how: str, version: int, backend: str = "") -> dict[str, Outcome]:
        rows, organization = WAYS[how]()
        with BroodServer() as server, chdir(tmp_path_factory.mktemp("work")):
            write_files()
            stock(server, Path("stock"))
            graph = Graph(server, version, is_async=bool(backend))
            graph.organization = organization
            return anyio.run(_outcomes, graph, rows, backend=backend or "asyncio")

    return outcomes


async def _outcomes(graph: Graph, rows: list[Row]) -> dict[str, Outcome]:
    done = {}
    for number, row in enumerate(rows):
        outcome = await graph.call(row)
        if f"{row.kind}.{row.method}" == BY_CHANCE:
            outcome = outcome._replace(requests=outcome.requests[-1:])
        done[f"{number} {row}"] = outcome
    await graph.close()
    return done


def _cases() -> Iterator[Any]:
    """Yield all cases; two event loops and two versions hardly differ in what goes wrong."""
    for how in WAYS:
        for version in (1, 0):
            for backend in ("asyncio", "trio"):
                is_long = version == 0 or (backend == "trio" and how != "as meant")
                yield pytest.param(how, version, backend, marks=[pytest.mark.long] * is_long)


@pytest.mark.parametrize(("how", "version", "backend"), [*_cases()])
def test_every_call(how, version, backend, outcomes):
    expected, found = outcomes(how, version), outcomes(how, version, backend)
    differ = [
        f"{row}:\n  {expected[row]}\n  {found[row]}"
        for row in expected
        if expected[row] != found[row]
    ]
    assert not differ, "\n".join(differ)


def public_names(kind: type) -> set[str]:
    """The public attributes of a class and of its objects."""
    bases = (vars(base).get("__annotations__", {}) for base in kind.__mro__)
    names = {*dir(kind), *(name for base in bases for name in base)}
    names.update(ATTRIBUTES.get(kind.__name__, {}))
    return {name for name in names if not name.startswith("_")}


def missing(called: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What of the sync graph is not called, by class, or module of verbs, and name."""
    there: set[tuple[str, str]] = set()
    for module in (hatcher.api, hatcher.mirror, hatcher.access):
        place = module.__name__.rpartition(".")[2]
        for name in set(module.__all__) - PLAIN:
            value: Any = getattr(module, name)
            if inspect.isclass(value):
                kind = f"access.{name}" if module is hatcher.access else name
                there |= {(kind, method) for method in public_names(value)}
            else:
                there.add((place, name))
    return there - called


def test_the_table_has_every_public_name():
    called = {(row.kind, row.method) for row in TABLE}
    assert missing(called) == set()
    # A name that is not called is found: of a method, an attribute, a verb.
    for one in (("Egg", "sha256"), ("LocalBundle", "filepath"), ("mirror", "plan")):
        assert missing(called - {one}) == {one}


def test_what_is_called_goes_well_and_wrong(outcomes):
    """The table would show little if all its calls failed, or none."""
    every = outcomes("as meant", 1).values()
    assert len(every) / 10 < sum(outcome.raised for outcome in every) < len(every) / 4
