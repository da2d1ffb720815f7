"""The pages for people, which need nothing from anywhere else."""

from __future__ import annotations

import re

import httpx
import pytest

from hatcher import __version__
from hatcher.server.description import Description
from hatcher.server.runner import BackgroundServer


def get(server: BackgroundServer, path: str) -> httpx.Response:
    response = httpx.get(server.url + path)
    assert response.status_code == 200
    return response


def test_the_documentation_needs_no_network(server):
    page = get(server, "/docs")
    assert page.headers["content-type"].startswith("text/html")
    found = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)
    assets = [link for link in found if not link.startswith("data:")]
    assert {link.rpartition(".")[2] for link in assets} == {"css", "js", "json"}
    for link in assets:
        assert "//" not in link
        asset = get(server, f"/{link}")
        assert asset.content
    script = get(server, "/static/docs.js").text
    assert "http" not in script
    assert '"openapi.json"' in script
    assert "validatorUrl: null" in script


def test_the_vendored_assets_have_their_licence(server):
    folder = "/static/swagger-ui"
    assert "Apache License" in get(server, f"{folder}/LICENSE").text
    assert "SmartBear" in get(server, f"{folder}/NOTICE").text
    style = get(server, f"{folder}/swagger-ui.css").text
    outside = re.findall(r"@import|url\(\s*[\"']?(?:https?:)?//", style)
    assert outside == []


def test_the_description_is_served_as_it_is(server):
    response = get(server, "/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == Description.installed().document


def test_home(server):
    page = get(server, "/").text
    assert __version__ in page
    assert server.url in page
    for link in re.findall(r'href="([^"]+)"', page):
        if not link.startswith("data:"):
            get(server, f"/{link}")


def test_what_a_client_says_of_itself_is_no_markup(server):
    response = httpx.get(server.url + "/", headers={"Host": 'x"><script>alert(1)</script>'})
    assert "<script" not in response.text


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
def test_what_browsers_are_told(server, path):
    head = httpx.head(server.url + path)
    assert (head.status_code, head.content) == (200, b"")
    headers = get(server, path).headers
    policy = dict(
        part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    # The scripts are files of the server; none stands in a page.
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_pages_keep_to_their_policy(server):
    for path in ("/", "/docs"):
        page = get(server, path).text
        assert not re.search(r"<script>|<script [^>]*(?<!src=)>[^<]|\son\w+=|javascript:", page)


def test_every_answer_is_what_it_says(server):
    for path in ("/nowhere", "/api/v1/json/metadata/platforms", "/static/docs.js"):
        assert httpx.get(server.url + path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["[", "x y", "[::1", "a:b", "\xe4", "", "x" * 5000])
def test_hosts_that_are_none(server, host):
    for path in ("/", "/docs", "/nowhere", "/static/../x"):
        response = httpx.get(server.url + path, headers={"Host": host.encode("latin-1")})
        assert response.status_code in (200, 400, 404)


@pytest.mark.parametrize("path", ["/docs", "/static/docs.js", "/openapi.json", "/"])
def test_pages_change_nothing(server, path):
    response = httpx.post(server.url + path)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}
