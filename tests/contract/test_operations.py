"""docs/operations.md: whole and true.

That the tests named in it are answered by what they are to show is seen to in tests/conftest.py.
"""

from __future__ import annotations

import json
from types import ModuleType

import pytest

from hatcher.testing import BroodServer

from ..conftest import operations_script
from .graph import used
from .world import OPERATIONS, World


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return operations_script()


def test_it_has_everything(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    status = script.main(["--check"])
    output = capsys.readouterr()
    assert status == 0, output.err
    assert f"{len(OPERATIONS)} operations" in output.out


def test_the_graph_sends_what_it_says(
    script: ModuleType, brood_server: BroodServer, request: pytest.FixtureRequest
) -> None:
    administrator = (brood_server.admin_email, brood_server.admin_password)
    world = World(brood_server.url, brood_server.data, administrator)
    found = {name: sorted(methods) for name, methods in used(world).items()}
    world.close()
    record = request.config.getoption("--record-operations")
    if record is not None:
        record.mkdir(parents=True, exist_ok=True)
        (record / "graph.json").write_text(json.dumps(found))
        return
    page = script.read_page((script.ROOT / script.PAGE).read_text("utf-8")).graph
    assert {name: [*methods] for name, methods in page.items() if methods} == found


def test_what_is_missing_is_told(script: ModuleType) -> None:
    whole = script.table(script.read_page((script.ROOT / script.PAGE).read_text("utf-8")))
    row = next(row for row in whole if row.operation == "v1_delete_egg")
    test = row.tests[0]
    for change, says in (
        ({"handler": ""}, "has no handler"),
        ({"raw": ""}, "has no raw function"),
        ({"graph": ()}, "is sent by no method"),
        ({"tests": ()}, "is shown by no test"),
        ({"tests": (f"{test}x",)}, "which does not exist"),
        ({"tests": (f"x{test}",)}, "which does not exist"),
    ):
        (problem,) = script.missing([row._replace(**change)])
        assert "v1_delete_egg" in problem
        assert says in problem


def test_an_operation_that_is_not_on_the_page(
    script: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (script.ROOT / script.PAGE).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("| `v0_delete_team`")]
    rows = script.table(script.read_page("\n".join(lines)))
    assert [*script.missing(rows)] == [
        "v0_delete_team is sent by no method of the graph",
        "v0_delete_team is shown by no test",
    ]
