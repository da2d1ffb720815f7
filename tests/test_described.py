"""The observer of answers: it notices what is not as described."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from starlette.types import Receive, Scope, Send

from hatcher.testing import BroodServer

from .described import Notes, Observer, faults, operation_of

JSON = {"content-type": "application/json"}
SCOPE = {
    "type": "http",
    "method": "GET",
    "raw_path": b"/api/v1/json/indices/acme/dev%2Fx/rh8-x86_64/cp311/eggs",
}
OPERATION = operation_of(SCOPE)
ENTRY = {"name": "spam", "version": "1.0", "build": 1}


def test_what_is_as_described() -> None:
    assert OPERATION["operationId"] == "v1_get_egg_index"
    body = json.dumps({"spam-1.0-1.egg": ENTRY}).encode()
    headers = {**JSON, "etag": '"1"'}
    assert not [*faults(OPERATION, 200, headers, body)]
    compressed = {**headers, "content-encoding": "gzip"}
    assert not [*faults(OPERATION, 200, compressed, gzip.compress(body))]
    assert not [*faults(OPERATION, 304, {"etag": '"1"'}, b"")]
    assert not [*faults(OPERATION, 503, JSON, b'{"error": "no"}')]


@pytest.mark.parametrize(
    ("status", "headers", "body", "says"),
    [
        (418, JSON, b"{}", "the description knows"),
        (409, JSON, b'{"error": ""}', "the description knows"),
        (500, JSON, b'{"error": ""}', "the description knows"),
        (507, JSON, b'{"error": ""}', "the description knows"),
        (405, JSON, b'{"error": ""}', "without the header Allow"),
        (200, JSON, b"{}", "without the header ETag"),
        (200, {"content-type": "text/html", "etag": ""}, b"{}", "with text/html"),
        (200, {**JSON, "etag": ""}, b"[]", "is not of type 'object'"),
        (200, {**JSON, "etag": ""}, b'{"x": {"name": "x"}}', "'version' is a required"),
        (404, {"content-type": "application/json; charset=utf-8"}, b"{}", "described are"),
        (404, JSON, b"{}", "'error' is a required"),
        (304, {"content-type": "text/plain", "etag": ""}, b"x", "none is described"),
    ],
)
def test_what_is_not(status: int, headers: dict[str, str], body: bytes, says: str) -> None:
    found = [*faults(OPERATION, status, headers, body)]
    assert any(says in fault for fault in found), found
    assert all("v1_get_egg_index" in fault for fault in found)


def test_every_server_of_a_test_is_observed(brood_server: BroodServer, wire_notes: Notes) -> None:
    assert wire_notes.operations == set()
    brood_server.client().list_platforms()
    brood_server.client(api_version=0).list_platforms()
    assert wire_notes.operations == {"v1_list_platforms", "v0_list_platforms"}
    assert wire_notes.faults == []


def test_faults_are_noted() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        await send({"type": "http.response.body", "body": b"}"})

    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    notes = Notes()
    asyncio.run(Observer(app, notes)(SCOPE, None, send))
    assert len(sent) == 3
    assert notes.operations == {"v1_get_egg_index"}
    assert notes.faults == ["v1_get_egg_index answered 200 without the header ETag"]
