"""The newest version of the API that a server speaks, found out when it is first needed."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hatcher.api import BroodClient, RetryPolicy, SinglePlatformRepository
from hatcher.errors import (
    AuthenticationError,
    BroodTimeoutError,
    InvalidArgumentError,
    InvalidJSONError,
    NotConnectedError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import Answer, Request, ScriptedServer, write_bundle, write_runtime

JSON = {"Content-Type": "application/json"}
SAID = {"platforms": [], "organizations": ["acme"], "sha256": "ab" * 32}


def speaking(*versions: int, otherwise: int = 404) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        if any(request.target.startswith(f"/api/v{version}/json/") for version in versions):
            is_index = "/indices/" in request.target
            return Answer(200, JSON, b"{}" if is_index else json.dumps(SAID).encode())
        return Answer(otherwise)

    return answer


def newest(url: str, **options: Any) -> BroodClient:
    return BroodClient.from_url(url, api_version="newest", retries=RetryPolicy(0), **options)


def room(client: BroodClient) -> SinglePlatformRepository:
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


def asked(server: ScriptedServer) -> list[str]:
    return [
        request.target.removeprefix("/api/").replace("/json", "") for request in server.requests
    ]


@pytest.mark.parametrize(
    ("versions", "otherwise", "questions"),
    [
        ((0, 1), 404, ["v1/metadata/platforms"]),
        ((1,), 404, ["v1/metadata/platforms"]),
        ((0,), 404, ["v1/metadata/platforms", "v0/metadata/platforms"]),
        ((0,), 405, ["v1/metadata/platforms", "v0/metadata/platforms"]),
    ],
)
def test_the_first_request_finds_it_out(versions, otherwise, questions):
    with ScriptedServer(speaking(*versions, otherwise=otherwise)) as server:
        client = newest(server.url)
        platform = room(client)
        assert repr(client).endswith("api_version='newest'>")
        assert repr(client._session).endswith("api_version='newest'>")
        hashes = {client: 1, platform: 2}
        assert dir(client) and str(platform) and platform._repr_html_() and not server.requests
        platform.list_eggs("cp311")
        platform.list_eggs("cp38")
        version = max(versions)
        assert asked(server) == [
            *questions,
            *(f"v{version}/indices/acme/dev/rh8-x86_64/{tag}/eggs" for tag in ("cp311", "cp38")),
        ]
        assert client.api_version == version and repr(client).endswith(f"api_version={version}>")
        # It stays the same place.
        assert hashes == {client: 1, platform: 2} and room(newest(server.url)) == platform
        assert room(BroodClient.from_url(server.url, api_version=version)) != platform
        client.close()


def test_it_can_be_asked_for():
    with ScriptedServer(speaking(0)) as server, newest(server.url) as client:
        assert (client.api_version, client.api_version) == (0, 0)
        assert len(server.requests) == 2


def test_others_of_the_same_server_know_it_and_pickles_ask_anew():
    with ScriptedServer(speaking(0, 1)) as server, newest(server.url) as client:
        early = client.with_auth(("ada", "secret"))
        assert not server.requests
        client.list_organizations()
        late = client.with_auth(("ada", "secret"))
        copied = pickle.loads(pickle.dumps(room(client)))
        assert copied == room(client) and len(server.requests) == 2
        late.list_organizations()
        assert len(server.requests) == 3
        early.list_organizations()
        copied.list_eggs("cp311")
        assert len(server.requests) == 7
        for each in (early, late):
            each.close()


def test_threads_that_start_together_ask_once():
    start = threading.Barrier(8)

    def ask(_: int) -> list[str]:
        start.wait()
        return client.list_organizations()

    with ScriptedServer(speaking(0)) as server, newest(server.url) as client:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(8))) == [["acme"]] * 8
        assert len([target for target in asked(server) if target.endswith("platforms")]) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(404), NotFoundError),
        (Answer(401), AuthenticationError),
        (Answer(403), PermissionDeniedError),
        (Answer(503), ServerError),
        (Answer(200, {"Content-Type": "text/html"}, b"<title>Log in</title>"), InvalidJSONError),
        (Answer(200, JSON, b'{"platforms": null}'), InvalidJSONError),
    ],
)
def test_what_says_nothing_is_an_error_and_is_asked_again(answer, error):
    answers = [answer]

    def reply(request: Request) -> Answer:
        return answers[0] if answers else speaking(1)(request)

    with ScriptedServer(reply) as server, newest(server.url) as client:
        for ask in (client.list_organizations, lambda: client.api_version):
            with pytest.raises(error):
                ask()
        answers.clear()
        assert client.list_organizations() == ["acme"] and client.api_version == 1


def test_a_server_that_is_not_there_is_an_error():
    with (
        newest("http://127.0.0.1:9") as client,
        pytest.raises((NotConnectedError, BroodTimeoutError)),
    ):
        client.list_organizations()


@pytest.mark.parametrize("given", ["Newest", "newest ", "", "latest", "1", b"newest", None, 2, []])
def test_another_word_is_refused(given):
    with pytest.raises(UnsupportedAPIVersionError, match="'newest'"):
        BroodClient.from_url("https://brood.example.com", api_version=given)


def test_ones_own_httpx_client_finds_it_out_too():
    with ScriptedServer(speaking(0)) as server, httpx.Client() as own:
        client = BroodClient.from_session(server.url, own, api_version="newest")
        assert client.list_organizations() == ["acme"] and client.api_version == 0


@pytest.mark.parametrize("version", [0, 1])
def test_a_runtime_is_addressed_as_the_server_has_it(version):
    with ScriptedServer(speaking(*range(version + 1))) as server, newest(server.url) as client:
        runtime = room(client).runtime("cp27", "2.7.10-1")
        with pytest.raises(InvalidArgumentError, match="version 0 only"):
            room(client).runtime(python_tag="cp27", version="2.7.10-1")
        assert not server.requests
        assert runtime.exists() and runtime.sha256() == "ab" * 32
        assert (
            asked(server)[-1] == f"v{version}/metadata/acme/dev/rh8-x86_64/runtimes/cp27/2.7.10-1"
        )


def test_all_is_there_that_the_version_has(brood_server, tmp_path):
    auth = (brood_server.admin_email, brood_server.admin_password)
    with newest(brood_server.url, auth=auth) as client:
        repository = client.create_organization("acme", "-").create_repository("dev", "-")
        repository.upload_runtime(write_runtime(tmp_path))
        repository.upload_bundle(write_bundle(tmp_path))
        platform = repository.platform("rh8-x86_64")
        assert platform.list_runtimes() == [("cpython", "3.8.17+1")]
        assert [bundle.name for bundle in platform.bundles] == ["tools"]
        assert client.whoami()["api_version"] == 1
