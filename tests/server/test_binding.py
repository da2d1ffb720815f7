"""The server and the description: neither has an operation that the other does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hatcher.server.app import create_app
from hatcher.server.binding import HANDLERS, UnboundOperationsError, operation
from hatcher.server.calls import Call, done
from hatcher.server.description import Description
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings

from .conftest import ADMIN, client_of

OPERATIONS = Description.installed().operations


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundServer]:
    data = tmp_path_factory.mktemp("shared")
    with BackgroundServer(Settings(data, port=0, admin_password=ADMIN[1])) as server:
        yield server


def test_every_operation_has_a_handler():
    assert {operation.operation_id for operation in OPERATIONS} == HANDLERS.keys()


def test_an_operation_without_handler_stops_the_start(settings):
    handlers = dict(HANDLERS)
    del handlers["v1_get_team"], handlers["v0_list_platforms"]
    with pytest.raises(
        UnboundOperationsError, match="without a handler: v0_list_platforms, v1_get_team"
    ):
        create_app(settings, handlers=handlers)
    # Nothing is left open: the next start has the folder to itself.
    with BackgroundServer(settings) as server, client_of(server) as admin:
        assert admin.get("/metadata/platforms").status_code == 200


def test_a_handler_without_operation_stops_the_start(settings):
    handlers = {**HANDLERS, "v1_hatch": HANDLERS["v1_get_team"]}
    with pytest.raises(UnboundOperationsError, match="v1_hatch"):
        create_app(settings, handlers=handlers)


def test_an_operation_has_one_handler_only(monkeypatch):
    monkeypatch.setitem(HANDLERS, "v1_list_platforms", HANDLERS["v1_list_platforms"])

    def another(call: Call) -> object:
        return done()

    with pytest.raises(UnboundOperationsError, match="v1_list_platforms has two"):
        operation("list_platforms", versions=(1,))(another)  # type: ignore[arg-type]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.operation_id)
@pytest.mark.sampled(3)
def test_what_an_operation_takes_stands_in_its_allow(operation, shared):
    with client_of(shared) as admin:
        response = admin.request("PATCH", shared.url + re.sub(r"\{\w+\}", "x", operation.path))
    assert response.status_code == 405
    described = {each.method for each in OPERATIONS if each.path == operation.path}
    described |= {"HEAD"} & {each.replace("GET", "HEAD") for each in described}
    assert set(response.headers["allow"].split(", ")) == described
    assert set(response.json()) == {"error"}
