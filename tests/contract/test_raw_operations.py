"""Every operation of the description, through the generated functions, against a running server."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest

from brood_api import AuthenticatedClient, models
from brood_api.operations import OPERATIONS
from brood_api.types import File, Response
from hatcher.testing import BroodServer
from hatcher.testing.faults import Answer, ScriptedServer

from ..described import by_version
from .world import OWN, UPLOADS, World, parameters

FORMS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with BroodServer() as server:
        world = World(server.url, server.data, (server.admin_email, server.admin_password))
        yield world
        world.close()


@pytest.mark.parametrize("operation_id", by_version(OPERATIONS))
@pytest.mark.sampled(2)
def test_it_succeeds_in_all_four_forms(world, operation_id):
    module = import_module(OPERATIONS[operation_id].module)
    found, statuses = [], set()
    for form in FORMS:
        if operation_id.endswith("_delete_api_token"):
            world.administrator.post("/api/v1/json/auth/tokens/api", json={"name": "spare"})
        answer = call(world, operation_id, getattr(module, form))
        if OPERATIONS[operation_id].method == "DELETE":
            world.restore(operation_id, OWN)
        if form.endswith("_detailed"):
            assert isinstance(answer, Response)
            assert answer.raise_for_status() is answer and 200 <= answer.status_code < 300
            statuses.add(answer.status_code)
            answer = answer.parsed
        assert not isinstance(answer, models.Error), answer
        found.append(answer)
    assert {type(answer) for answer in found} == {type(found[0])}
    if OPERATIONS[operation_id].method == "GET":
        assert (found[0] is None) == (statuses == {204})


@pytest.mark.parametrize("operation_id", UPLOADS)
def test_an_upload_has_the_exact_form_of_the_protocol(world, operation_id):
    module = import_module(OPERATIONS[operation_id].module)
    name, content, told = world.file(operation_id, OWN)
    sent = {"sha256": hashlib.sha256(content).hexdigest(), **told}
    boundaries = set()
    with ScriptedServer(Answer(201)) as server:
        for form in FORMS:
            call(world, operation_id, getattr(module, form), server.url)
            request = server.requests[-1]
            media_type, _, boundary = request.headers["content-type"].partition("; boundary=")
            first, second = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{part}'
                for part in ("file", "data")
            )
            data, end = request.body.removeprefix(
                f'{first}"; filename="{name}"\r\n\r\n'.encode()
                + content
                + f'\r\n{second}"; filename=""\r\n'.encode()
                + b"Content-Type: application/json; charset=UTF-8\r\n\r\n"
            ).split(b"\r\n", 1)
            assert json.loads(data) == sent
            assert end == f"--{boundary}--\r\n".encode()
            assert media_type == "multipart/form-data"
            assert request.headers["content-length"] == str(len(request.body))
            assert "transfer-encoding" not in request.headers
            boundaries.add(boundary)
    assert len(boundaries) == len(FORMS)


def call(world: World, operation_id: str, function: Callable[..., Any], url: str = "") -> Any:
    """Call a function of an operation with what it can answer with success."""
    wanted = inspect.signature(function).parameters
    known = {**parameters(operation_id, OWN), "force": "True"}
    given = {name: known[name] for name in wanted if name in known}
    if "body" in wanted:
        annotation = wanted["body"].annotation
        name = annotation if isinstance(annotation, str) else annotation.__name__
        given["body"] = body(world, operation_id, getattr(models, name))
    token = world.people["server_administrator"].headers["Authorization"].partition(" ")[2]
    # Certificates take longer to load than a request takes.
    client = AuthenticatedClient(url or world.url, token=token, verify_ssl=False)
    if not inspect.iscoroutinefunction(function):
        with client:
            return function(client=client, **given)

    async def ask() -> Any:
        async with client:
            return await function(client=client, **given)

    return asyncio.run(ask())


def body(world: World, operation_id: str, model: Any) -> Any:
    """Make the document, or the form, that an operation takes."""
    if operation_id not in UPLOADS:
        return model.from_dict(world.body(operation_id, OWN)["json"])
    name, content, told = world.file(operation_id, OWN)
    data = getattr(models, model.__annotations__["data"])
    described = {"sha256": hashlib.sha256(content).hexdigest(), **told}
    return model(File(BytesIO(content), name), data.from_dict(described))
