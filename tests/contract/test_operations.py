"""docs/operations.md: whole and true.

That the tests named in it are answered by what they are to show is seen to in tests/conftest.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from brood_api.operations import OPERATIONS
from hatcher.server.binding import HANDLERS
from scripts import operations

from ..faults import acts
from ..faults import table as faults
from . import commands, graph, world


@pytest.fixture(scope="module")
def page() -> operations.Told:
    """What the page tells."""
    return operations.read_page((operations.ROOT / operations.PAGE).read_text("utf-8"))


def recorded(request: pytest.FixtureRequest, name: str, found: dict[str, list[str]]) -> bool:
    """Write down what was found, if that is wanted."""
    record: Path | None = request.config.getoption("--record-operations")
    if record is None:
        return False
    record.mkdir(parents=True, exist_ok=True)
    (record / f"{name}.json").write_text(json.dumps(found))
    return True


def told(column: Any) -> dict[str, list[str]]:
    return {name: [*found] for name, found in column.items() if found}


def test_the_graph_sends_what_it_says(brood_server, request, page):
    administrator = (brood_server.admin_email, brood_server.admin_password)
    full = world.World(brood_server.url, brood_server.data, administrator)
    found = {name: sorted(methods) for name, methods in graph.used(full).items()}
    full.close()
    if not recorded(request, "graph", found):
        assert told(page.graph) == found


def test_the_commands_ask_for_what_it_says(tmp_path, wire_notes, request, page):
    found = commands.used(tmp_path, wire_notes)
    if not recorded(request, "commands", found):
        assert told(page.command) == found


def test_nothing_is_missing(capsys):
    assert operations.main(["--missing"]) == 0, capsys.readouterr().err
    assert f"{len(OPERATIONS)} operations" in capsys.readouterr().out


def without_handler(patch: pytest.MonkeyPatch, name: str) -> None:
    patch.delitem(HANDLERS, name)


def without_act(patch: pytest.MonkeyPatch, name: str) -> None:
    patch.delitem(acts.ACTS, operations.bare(name))


def without_row(patch: pytest.MonkeyPatch, name: str) -> None:
    patch.setattr(faults, "TABLE", {"uploads": faults.TABLE["uploads"]})


def without_example(patch: pytest.MonkeyPatch, name: str) -> None:
    page = "{py:class}`.SinglePlatformRepository`", "platform.upload_egg()"
    patch.setattr(operations, "_manual", lambda: {"docs/page.md": page})


def without_page(patch: pytest.MonkeyPatch, name: str) -> None:
    patch.setattr(operations, "_manual", lambda: {"docs/page.md": ("Eggs", "egg.delete()")})


def without_values(patch: pytest.MonkeyPatch, name: str) -> None:
    patch.setitem(OPERATIONS, name, OPERATIONS[name]._replace(path="/api/v1/json/{planet}"))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (without_handler, "handler: hatcher/server/handlers/artefacts.py"),
        (without_act, "an act, by which its faults are tried: tests/faults/acts.py"),
        (without_row, "a row for its x-safety: tests/faults/retries.toml"),
        (without_example, "example on its page of the manual: docs/page.md"),
        (without_page, "page of the manual that names {py:class}`.Class`: docs/graph/"),
        (without_values, "values for its path: parameters of tests/contract/world.py"),
    ],
)
def test_what_is_missing_in_the_sources_is_told(page, monkeypatch, spoil, problem):
    spoil(monkeypatch, "v1_delete_egg")
    assert f"v1_delete_egg: {problem}" in operations.missing(operations.table(page))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"raw": ""}, "raw function: make generate"),
        (
            {"graph": ()},
            "graph method: hatcher/core/, then make operations; or a reason: "
            "scripts/operations.toml",
        ),
        (
            {"command": ()},
            "command: hatcher/cli/commands/, then make operations; or a reason: "
            "scripts/operations.toml",
        ),
        ({"tests": ()}, "test: tests/core/ or tests/server/, then make operations"),
        (
            {"tests": ("core/test_graph.py::test_nothing",)},
            "test: core/test_graph.py::test_nothing is no longer there: make operations",
        ),
        (
            {"tests": ("contract/test_authorization.py::test_who_may_call_it[v1_delete_egg]",)},
            "test: contract/test_authorization.py::test_who_may_call_it[v1_delete_egg] is no "
            "longer there: make operations",
        ),
    ],
)
def test_what_is_missing_on_the_page_is_told(page, change, problem):
    rows = [
        row._replace(**change) if row.operation == "v1_delete_egg" else row
        for row in operations.table(page)
    ]
    assert [*operations.missing(rows)] == [f"v1_delete_egg: {problem}"]


def test_all_that_a_new_operation_needs_is_told(page, monkeypatch, capsys):
    like = OPERATIONS["v1_list_teams"]
    monkeypatch.setitem(OPERATIONS, "v1_list_planets", like._replace(path="/api/v1/json/planets"))
    monkeypatch.setitem(world.OPERATIONS, "v1_list_planets", world.OPERATIONS["v1_list_teams"])
    assert operations.main(["--missing"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in told if line.startswith("v1_list_planets: ")] == [
        "handler",
        "graph method",
        "an act, by which its faults are tried",
        "command",
        "test",
    ]
    assert told[-1] == "docs/operations.md is out of date: make operations"


def test_reasons_are_for_what_is_so(page, monkeypatch):
    reasons = {
        **operations.reasons(),
        ("v1_delete_egg", "graph"): "no reason",
        ("get_old_index", "command"): "no operation",
    }
    monkeypatch.setattr(operations, "reasons", lambda: dict(reasons))
    assert [*operations.missing(operations.table(page))] == [
        "v1_delete_egg: scripts/operations.toml says that it has no graph, and it has Egg.delete",
        "scripts/operations.toml: there is no operation get_old_index that could be without command",
    ]


def test_an_operation_without_a_version_may_be_left_out(page, monkeypatch):
    (row,) = [each for each in operations.table(page) if each.operation == "v1_get_egg_index"]
    old = row._replace(operation="get_legacy_index", graph=(), command=())
    reasons = {("get_legacy_index", what): "read by old clients" for what in ("graph", "command")}
    monkeypatch.setattr(operations, "reasons", lambda: dict(reasons))
    for table in (OPERATIONS, world.OPERATIONS):
        monkeypatch.setitem(table, "get_legacy_index", table["v1_get_egg_index"])
    assert [*operations.missing([old])] == []
    assert operations.render([old]).count("| read by old clients ") == 2


def test_only_what_is_new_is_looked_for(monkeypatch, tmp_path):
    """What is recorded anew: two tests, and of the others those that name what lacks one."""
    ran: list[list[str]] = []
    told = operations.read_page((operations.ROOT / operations.PAGE).read_text("utf-8"))

    def run(folder: Path, tests: list[str]) -> None:
        ran.append(tests)
        for name, found in (("graph", told.graph), ("commands", told.command)):
            (folder / f"{name}.json").write_text(json.dumps(found))
        answered = {
            "core/test_people.py::test_teams_are_a_list": ["v1_list_teams"],
            "core/test_people.py::test_a_team_from_its_creation_to_its_deletion": [
                "v1_create_team",
                "v1_list_teams",
            ],
            "core/test_people.py::test_of_something_else": ["v1_get_team"],
        }
        (folder / "tests.main.json").write_text(json.dumps(answered))

    monkeypatch.setattr(operations, "run_tests", run)
    assert operations.record(told) == told
    assert ran == [operations.RECORDING]
    lacking = told._replace(tests={**told.tests, "v1_list_teams": []})
    found = operations.record(lacking).tests
    assert found["v1_list_teams"] == [
        "core/test_people.py::test_teams_are_a_list",
        "core/test_people.py::test_a_team_from_its_creation_to_its_deletion",
    ]
    assert found["v1_get_team"] == told.tests["v1_get_team"]
    assert 0 < len(ran[-1]) <= operations.MOST_TRIED
    assert "tests/core/test_people.py::test_a_team_from_its_creation_to_its_deletion" in ran[-1]
