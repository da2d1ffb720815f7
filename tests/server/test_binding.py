"""The server and the description: neither has an operation that the other does not know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hatcher.server.app import create_app
from hatcher.server.binding import HANDLERS, UnboundOperationsError, operation
from hatcher.server.calls import Call, done
from hatcher.server.description import Description, Operation
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings

from .conftest import ADMIN, client_of

OPERATIONS = Description.installed().operations


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundServer]:
    data = tmp_path_factory.mktemp("shared")
    with BackgroundServer(Settings(data, port=0, admin_password=ADMIN[1])) as server:
        yield server


def path_of(operation: Operation) -> str:
    return operation.path.format_map(
        {
            "organization": "acme",
            "repository": "dev",
            "platform": "rh8-x86_64",
            "python_tag": "cp311",
            "name": "spam",
            "version": "1-1",
            "implementation": "cpython",
            "app_id": "spam",
            "team": "builders",
            "email": "ada@example.com",
            "filename": "spam-1-1.egg",
        }
    )


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
    with BackgroundServer(settings):
        pass


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
        response = admin.request("PATCH", shared.url + path_of(operation))
    assert response.status_code == 405
    described = {each.method for each in OPERATIONS if each.path == operation.path}
    described |= {"HEAD"} & {each.replace("GET", "HEAD") for each in described}
    assert set(response.headers["allow"].split(", ")) == described
    assert set(response.json()) == {"error"}


def test_a_path_of_many_methods_is_one_route(admin):
    response = admin.request("PATCH", "/admin/teams/acme/builders/members/ada@example.com")
    assert response.headers["allow"] == "DELETE, GET, HEAD, PUT"


def test_an_edited_description_without_handler_is_refused(settings):
    document = Description.installed().document
    path = "/api/v1/json/metadata/platforms"
    edited = {**document["paths"][path]["get"], "operationId": "v1_brand_new"}
    paths = {**document["paths"], "/api/v1/json/brand-new": {"get": edited}}
    with pytest.raises(UnboundOperationsError, match="v1_brand_new"):
        create_app(settings, Description({**document, "paths": paths}))


def test_the_data_of_a_refused_start_can_be_used(settings, tmp_path):
    with pytest.raises(UnboundOperationsError):
        create_app(settings, handlers={})
    with BackgroundServer(settings) as server, client_of(server) as admin:
        assert admin.get("/metadata/platforms").status_code == 200
