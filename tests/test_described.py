"""The observer of answers: it notices what is not as described."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from .described import Notes, Observer, faults, operation_of

NAMED = {"x-request-id": "1"}
JSON = {"content-type": "application/json", **NAMED}
ERROR = {**JSON, "cache-control": "no-store"}
TAGS = {"etag": 'W/"1"', "vary": "Accept-Encoding"}
INDEX = {**JSON, **TAGS}
SCOPE = {
    "type": "http",
    "method": "GET",
    "raw_path": b"/api/v1/json/indices/acme/dev%2Fx/rh8-x86_64/cp311/eggs",
}
OPERATION = operation_of(SCOPE)
ENTRY = {"name": "spam", "version": "1.0", "build": 1}


def path_of(method: str, path: str) -> dict[str, Any]:
    return operation_of({"method": method, "raw_path": f"/api/v1/json/{path}".encode()})


TOKENS = path_of("GET", "auth/tokens/api")
TEAM = path_of("GET", "admin/teams/acme/builders")
BUNDLE = path_of("GET", "metadata/acme/dev/rh8/bundles/cp311/analysis/1.0-1")
UPLOAD = path_of("POST", "data/acme/dev/rh8/eggs/upload")
DELETION = path_of("DELETE", "auth/tokens/api/laptop")


def test_what_is_as_described():
    assert OPERATION["operationId"] == "v1_get_egg_index"
    body = json.dumps({"spam-1.0-1.egg": ENTRY}).encode()
    assert not [*faults(OPERATION, 200, INDEX, body)]
    compressed = {**INDEX, "content-encoding": "gzip"}
    assert not [*faults(OPERATION, 200, compressed, gzip.compress(body))]
    assert not [*faults(OPERATION, 304, {**NAMED, **TAGS}, b"")]
    assert not [*faults(OPERATION, 503, ERROR, b'{"error": "no"}')]
    assert not [*faults(OPERATION, 200, INDEX, b"", head=True)]


@pytest.mark.parametrize(
    ("status", "headers", "body", "says"),
    [
        (418, ERROR, b"{}", "the description knows"),
        (409, ERROR, b'{"error": ""}', "the description knows"),
        (500, ERROR, b'{"error": ""}', "the description knows"),
        (502, ERROR, b'{"error": ""}', "the description knows"),
        (429, ERROR, b'{"error": ""}', "without the header Retry-After"),
        (405, ERROR, b'{"error": ""}', "without the header Allow"),
        (404, JSON, b'{"error": ""}', "without the header Cache-Control"),
        (404, {**ERROR, "etag": ""}, b'{"error": ""}', "with the header etag"),
        (404, {**ERROR, "location": "/"}, b'{"error": ""}', "with the header location"),
        (404, {**ERROR, "allow": "GET"}, b'{"error": ""}', "with the header allow"),
        (404, {**ERROR, "x-new": ""}, b'{"error": ""}', "with the header x-new"),
        (200, {**JSON, "vary": ""}, b"{}", "without the header ETag"),
        (200, {**INDEX, "content-type": "text/html"}, b"{}", "with text/html"),
        (200, INDEX, b"[]", "is not of type 'object'"),
        (200, INDEX, b"", "without a body"),
        (200, INDEX, b'{"x": {"name": "x"}}', "'version' is a required"),
        (404, {**ERROR, "content-type": "application/json; charset=utf-8"}, b"{}", "described are"),
        (404, ERROR, b"{}", "'error' is a required"),
        (404, ERROR, b'{"error": "", "code": 4}', "the field ['code'] is not described"),
        (200, INDEX, json.dumps({"x": {**ENTRY, "new": 1}}).encode(), "field ['x']['new'] is not"),
        (304, {**NAMED, **TAGS, "content-type": "text/plain"}, b"x", "none is described"),
        (304, {**NAMED, **TAGS, "content-type": "application/json"}, b"{}", "none is described"),
    ],
)
def test_what_is_not(status, headers, body, says):
    found = [*faults(OPERATION, status, headers, body)]
    assert any(says in fault for fault in found), found
    assert all("v1_get_egg_index" in fault for fault in found)


CREATED = "2024-03-01T09:30:00.123456"
TEAM_LINE = {"name": "t", "group": "read_index"}
BUNDLE_OF = {"name": "b", "version": "1.0", "data": {"of": ["its", {"author's": "own"}]}}


@pytest.mark.parametrize(
    ("operation", "status", "document", "says"),
    [
        (TOKENS, 200, {"tokens": [{"name": "n", "created": CREATED, "last_used": None}]}, None),
        (TOKENS, 200, {"tokens": [{"name": "n", "created": f"{CREATED}Z"}]}, "does not match"),
        (TOKENS, 200, {"tokens": [{"name": "n", "created": "now"}]}, "does not match"),
        (TOKENS, 200, {"tokens": [{"name": "n", "created": CREATED, "id": 1}]}, "[0]['id'] is"),
        (TEAM, 200, {**TEAM_LINE, "members": ["a@b"]}, None),
        (TEAM, 200, {**TEAM_LINE, "users": ["a@b"]}, "['users'] is not described"),
        (BUNDLE, 200, BUNDLE_OF, None),
        (BUNDLE, 200, {**BUNDLE_OF, "new": 1}, "['new'] is not described"),
        (UPLOAD, 201, {"filename": "x", "sha256": "0"}, None),
        (UPLOAD, 201, {"filename": "x", "size": 1}, "['size'] is not described"),
        # The range is for other servers.
        (UPLOAD, 202, {"filename": "x"}, "the description knows"),
        (DELETION, 204, {}, "none is described"),
    ],
)
def test_documents(operation, status, document, says):
    found = [*faults(operation, status, ERROR, json.dumps(document).encode())]
    assert len(found) == (says is not None), found
    assert says is None or says in found[0]


def test_what_never_reaches_the_application_is_as_described(brood_server, wire_notes):
    """The connection itself refuses heads; nothing of it passes the observer."""
    address = urlsplit(brood_server.url)
    line = b"GET /api/v1/json/metadata/platforms HTTP/1.1\r\nHost: x\r\n"
    for sent, status in ((line + b"X: " + b"x" * (70 << 10), 431), (b"junk\r\n\r\n", 400)):
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.sendall(sent)
            answer = HTTPResponse(connection)
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            platforms = path_of("GET", "metadata/platforms")
            assert [*faults(platforms, answer.status, headers, answer.read())] == []
            assert answer.status == status


def test_every_server_of_a_test_is_observed(brood_server, wire_notes):
    assert wire_notes.operations == set()
    brood_server.client().list_platforms()
    brood_server.client(api_version=0).list_platforms()
    assert wire_notes.operations == {"v1_list_platforms", "v0_list_platforms"}
    assert wire_notes.faults == []


def test_faults_are_noted():
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
    assert notes.faults == [
        f"v1_get_egg_index answered 200 without the header {name}"
        for name in ("ETag", "Vary", "X-Request-ID")
    ]
