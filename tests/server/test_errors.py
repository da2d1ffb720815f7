"""Errors: always {"error": …}, always application/json, never more than is meant to be told."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from starlette.responses import Response

from hatcher.api import BroodClient
from hatcher.errors import NotFoundError
from hatcher.server.binding import HANDLERS
from hatcher.server.calls import Call

from .conftest import ADMIN, client_of, error_of

JSON = {"Content-Type": "application/json"}


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
def test_unknown_places(admin, server, path):
    error_of(admin.get(server.url + path), 404)


def test_pages_take_only_what_they_can(admin, server):
    response = admin.post(server.url + "/docs")
    error_of(response, 405)
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
def test_documents_that_are_not_as_described(admin, body, says):
    response = admin.post("/admin/organizations", content=body, headers=JSON)
    assert says in error_of(response, 400)


@pytest.mark.parametrize("text", [r"\ud800", r"\udfff\ud800", r"a\u0000b", r"a\u202eb", "\ufeff"])
def test_text_that_nobody_could_ask_for(admin, text):
    for body in (f'{{"name": "{text}"}}', f'{text}{{"name": "x", "description": "{text}"}}'):
        response = admin.post("/admin/organizations", content=body.encode(), headers=JSON)
        error_of(response, 400)
    assert admin.get("/admin/organizations").json() == {"organizations": ["acme"]}


def test_documents_that_never_end(admin):
    endless = (b" " * (1 << 20) for _ in range(40))
    error_of(admin.post("/admin/organizations", content=endless, headers=JSON), 413)
    error_of(admin.post("/admin/organizations", content=b" " * (17 << 20), headers=JSON), 413)


def test_only_documents_that_are_sent_as_json_are_taken(admin):
    def send(number: int, headers: dict[str, str]) -> Any:
        return admin.post(
            "/admin/organizations", content=b'{"name": "%d"}' % number, headers=headers
        )

    for number, sent in enumerate((None, "", "text/plain", "application/jsonx", "text/json;a=b")):
        error_of(send(number, {} if sent is None else {"Content-Type": sent}), 415)
    good = ("application/json; charset=utf-8", "Application/JSON", "application/json ;a")
    for number, sent in enumerate(good):
        assert send(number, {"Content-Type": sent}).status_code == 201


ELSEWHERE = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{url}"},
]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_pages_of_other_sites_change_nothing(admin, server, headers):
    headers = {name: value.format(url=server.url) for name, value in headers.items()}
    body = {"name": "x", "description": ""}
    error_of(admin.post("/admin/organizations", json=body, headers=headers), 403)
    error_of(admin.post("/auth/tokens/auth", headers=headers), 403)
    error_of(admin.put("/admin/teams/acme/t/members/x@y.z", headers=headers), 403)
    error_of(admin.delete("/admin/repositories/acme/dev", headers=headers), 403)
    assert admin.get("/admin/organizations", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "{url}"},
        {"Origin": "{url}", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        # The server stands behind a proxy that speaks https.
        {"Origin": "https://brood.example", "Host": "brood.example"},
    ],
    ids=str,
)
def test_pages_of_its_own_change_what_they_may(admin, server, headers):
    headers = {name: value.format(url=server.url) for name, value in headers.items()}
    body = {"name": "x", "description": ""}
    assert admin.post("/admin/organizations", json=body, headers=headers).status_code == 201


def test_documents_with_a_fault_in_every_line(admin):
    """The first ones are enough: to find all of them takes minutes."""
    body = b'{"eggs": [' + b"1," * (1 << 20) + b"1]}"
    response = admin.post(
        "/data/acme/dev/rh8-x86_64/eggs/re-index", content=body, headers=JSON, timeout=25
    )
    error_of(response, 400)


def test_what_an_error_echoes_is_bounded(admin):
    long = "x" * 20_000
    for response in (
        admin.get(f"/admin/organizations/{long}/teams"),
        admin.delete("/admin/repositories/acme/dev", params={"force": long}),
        admin.post("/admin/organizations", json={"name": long * 100}),
        admin.post("/admin/organizations", json=[long * 100]),
        admin.post("/admin/organizations", content=b"{}", headers={"Content-Type": long}),
        admin.get("/admin/organizations", headers={"Authorization": long}, auth=None),
        admin.get(f"/nowhere/{long}"),
    ):
        assert len(error_of(response, response.status_code)) < 600
        assert response.status_code in (400, 401, 404, 415)


@pytest.mark.parametrize("word", ["True", "False"])
def test_flags(admin, word):
    url = "/admin/repositories/acme/dev"
    for wrong in ("", "yes", "1", "Truee", "true", "FALSE"):
        assert "True or False" in error_of(admin.delete(url, params={"force": wrong}), 400)
    assert admin.delete(url, params={"force": word}).status_code == 204


@pytest.mark.parametrize(
    "text", ["%ff", "%ed%a0%80", "%00", "a%00b", "%0a", "%1b[31m", "%c2%85", "%e2%80%ae", "%f0%9f"]
)
@pytest.mark.parametrize(
    "url",
    [
        "/admin/teams/acme/{}",
        "/admin/users/acme/{}",
        "/metadata/acme/dev/rh8-x86_64/{}/eggs/spam/1.0-1",
        "/data/acme/dev/{}/cp311/eggs/spam/1.0-1",
        "/metadata/platforms?x={}",
        "/metadata/platforms?{}",
        "/{}",
        "/../../../static/{}",
    ],
)
@pytest.mark.sampled(5)
def test_places_that_are_no_text(admin, url, text):
    error_of(admin.get(url.format(text)), 400)


def test_faults_of_the_server_tell_nothing(server, monkeypatch, caplog):
    def fail(call: Call) -> Response:
        raise RuntimeError("something private")

    server.__exit__(None, None, None)
    monkeypatch.setitem(HANDLERS, "v1_list_platforms", fail)
    with server, client_of(server) as admin, caplog.at_level(logging.ERROR, "hatcher.server"):
        named = {"X-Request-ID": "from-the-gateway.7"}
        assert "private" not in error_of(admin.get("/metadata/platforms", headers=named), 503)
        # The server goes on.
        assert admin.get("/metadata/python-tags").status_code == 200
    assert "something private" in caplog.text
    assert "Request from-the-gateway.7: v1_list_platforms failed" in caplog.text


def test_every_answer_names_its_request(admin, server):
    urls = ("/metadata/platforms", "/nowhere", f"{server.url}/docs", f"{server.url}/%ff")
    names = [admin.get(url).headers["x-request-id"] for url in (*urls, *urls)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)


def test_a_request_may_be_named_by_its_client(admin):
    """With what a log can have."""

    def named(name: str) -> list[str]:
        response = admin.get("/metadata/nowhere", headers={"X-Request-ID": name.encode()})
        return response.headers.get_list("x-request-id")

    for name in ("7", "a.B_c-9", "x" * 64):
        assert named(name) == [name]
    for name in ("", "x" * 65, "a b", "a\tb", "ü", "a;b", '"a"', "a, b"):
        (given,) = named(name)
        assert re.fullmatch("[0-9a-f]{16}", given)


def test_an_error_of_the_client_says_which_request_it_was(server):
    client = BroodClient.from_url(server.url, auth=ADMIN, api_version=1)
    with client, pytest.raises(NotFoundError) as caught:
        client.organization("nowhere").list_repositories()
    assert re.fullmatch("[0-9a-f]{16}", caught.value.request_id)
