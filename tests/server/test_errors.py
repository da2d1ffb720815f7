"""Errors: always {"error": …}, always application/json, never more than is meant to be told."""

from __future__ import annotations

import logging

import httpx
import pytest
from starlette.responses import Response

from hatcher.server.binding import HANDLERS
from hatcher.server.calls import Call
from hatcher.server.runner import BackgroundServer

from .conftest import Client, client_of


def refused(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert list(document) == ["error"]
    assert isinstance(document["error"], str)
    return document["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api/v1/json",
        "/api/v2/json/metadata/platforms",
        "/api/v1/json/metadata/platforms/",
        "/api/v1/json/metadata//platforms",
        "/static/nowhere.css",
        "/static/../app.py",
    ],
)
def test_unknown_places(admin: Client, server: BackgroundServer, path: str) -> None:
    refused(admin.get(server.url + path), 404)


def test_pages_take_only_what_they_can(admin: Client, server: BackgroundServer) -> None:
    response = admin.post(server.url + "/docs")
    refused(response, 405)
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "is not of type 'object'"),
        (b"{}", "'name' is a required property"),
        (b'{"name": 1}', "at ['name']"),
        (b'{"name": ""}', "at ['name']"),
        (b'{"name": " x"}', "blank"),
        (b'{"name": ".."}', "another place"),
        (b'{"name": "a/b"}', "slash"),
        (b'{"name": "a\\nb"}', "do not show"),
        (b'{"name": "' + b"x" * 201 + b'"}', "200 characters"),
    ],
)
def test_documents_that_are_not_as_described(admin: Client, body: bytes, says: str) -> None:
    assert says in refused(admin.post("/admin/organizations", content=body), 400)


def test_documents_that_never_end(admin: Client) -> None:
    endless = (b" " * (1 << 20) for _ in range(40))
    assert "larger than 16 MiB" in refused(admin.post("/admin/organizations", content=endless), 400)


@pytest.mark.parametrize("word", ["", "yes", "1", "Truee", "true", "FALSE"])
def test_flags_that_are_none(admin: Client, word: str) -> None:
    url = "/admin/repositories/acme/dev"
    assert "True or False" in refused(admin.delete(url, params={"force": word}), 400)


@pytest.mark.parametrize("word", ["True", "False"])
def test_flags(admin: Client, word: str) -> None:
    assert admin.delete("/admin/repositories/acme/dev", params={"force": word}).status_code == 204


def test_paths_that_are_not_text(admin: Client) -> None:
    assert "UTF-8" in refused(admin.get("/admin/teams/acme/%ff"), 400)


def test_faults_of_the_server_tell_nothing(
    server: BackgroundServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(call: Call) -> Response:
        raise RuntimeError("something private")

    server.__exit__(None, None, None)
    monkeypatch.setitem(HANDLERS, "v1_list_platforms", fail)
    with server, client_of(server) as admin, caplog.at_level(logging.ERROR, "hatcher.server"):
        assert "private" not in refused(admin.get("/metadata/platforms"), 500)
        # The server goes on.
        assert admin.get("/metadata/python-tags").status_code == 200
    assert "something private" in caplog.text
