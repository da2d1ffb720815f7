"""Credentials: what they look like on the wire, and that they show nowhere else."""

import base64
import hashlib
import pickle
import subprocess
import sys
from functools import partial
from typing import Any

import httpx
import pytest
import requests.auth

from brood_api.operations import OPERATIONS
from hatcher.api import BasicAuth, BroodClient, RetryPolicy
from hatcher.errors import BroodTimeoutError, InvalidArgumentError
from hatcher.testing import Answer, ScriptedServer, write_egg
from hatcher.transport.auth import EXCHANGE_PATHS
from hatcher.transport.secret import Secret

from .common import BAD_HEADERS, PLATFORMS, SECRET, ask, by_each, platform_of, scripted
from .leaking import leaks
from .proxying import TLSServer

pytestmark = pytest.mark.sampled(3)

URL = "https://brood.example.com"


def test_a_secret_shows_itself_only_when_asked():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {vars(BasicAuth('a', 'hunter2'))}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("other")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    ("user", "password", "sent"),
    [
        ("ada@example.com", "pässword", "ada@example.com:pässword".encode()),
        (b"ada", b"p\xe4ss", b"ada:p\xe4ss"),
    ],
)
def test_basic_authentication_is_utf8_or_bytes(user, password, sent):
    header = BasicAuth(user, password).authorization()
    assert base64.b64decode(header.removeprefix("Basic ")) == sent


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("auth", "says"),
    [
        *(
            (auth, "BroodBearerTokenAuth")
            for auth in ("a-bare-token", ("only one",), ("a", "b", "c"), 7, ("a", None), b"a:b")
        ),
        *((auth, "BroodBearerTokenAuth") for auth in ({"a": "b"}, [], "")),
        *((kind, "of type type") for kind in (BasicAuth, httpx.BasicAuth, dict)),
        (("a:b", "c"), "':'"),
        ((b"a:b", b"c"), "':'"),
        (requests.auth.HTTPDigestAuth("ada", "pass"), r"httpx\.DigestAuth"),
    ],
)
def test_what_is_no_auth_is_refused_when_the_client_is_made(auth, says):
    with pytest.raises(InvalidArgumentError, match=says) as caught:
        BroodClient.from_url(URL, auth=auth)
    assert "a-bare-token" not in str(caught.value)


@by_each
@pytest.mark.parametrize(
    "pair", [(b"ada", b"pass"), ["ada", "pass"], ("ada", b"pass"), (b"ada", "pass")]
)
def test_bytes_and_lists_are_pairs(sends, pair):
    with scripted(PLATFORMS, auth=pair) as (server, client):
        ask(client, sends)
        assert client._session.identity == ("password", "ada")
        assert server.requests[0].headers["authorization"] == "Basic YWRhOnBhc3M="


def test_where_tokens_are_exchanged_is_what_the_description_says():
    operations = ("v1_create_session_token", "v0_create_session_token")
    assert tuple(OPERATIONS[name].path for name in operations) == EXCHANGE_PATHS


class Recorder:
    """A callable that signs requests, and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, request: Any) -> None:
        self.seen.append((request.method, request.url))
        request.headers["Authorization"] = f"Signed {len(self.seen)}"
        request.headers["X-Extra"] = "more"


class AuthOfRequests(requests.auth.AuthBase):
    """The same, as requests has it: a function of its requests."""

    def __init__(self, do: Any) -> None:
        self._do = do

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        assert type(r) is requests.PreparedRequest
        return self._do(r) or r


def copied(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """What is returned counts, be it another one."""
    request = request.copy()
    request.headers["authorization"] = f"Signed {request.method} {request.path_url}"
    request.headers["X-Bytes"] = b"bytes"
    digest = hashlib.sha256(request.body or b"")  # type: ignore[arg-type]
    request.headers["X-Digest"] = digest.hexdigest()
    return request


class TestCallables:
    @by_each
    def test_one_is_called_for_each_request_and_what_it_sets_is_sent(self, sends):
        sign = Recorder()
        with scripted(PLATFORMS, auth=sign) as (server, client):
            ask(client, sends)
            ask(client, sends)
            assert client._session.identity == ("Recorder", None)
            url = f"{server.url}/api/v1/json/metadata/platforms"
            assert sign.seen == [("GET", url)] * 2
            assert [r.headers["authorization"] for r in server.requests] == ["Signed 1", "Signed 2"]
            assert server.requests[0].headers["x-extra"] == "more"

    def test_it_sees_the_query_the_method_and_the_type_of_the_body(self, tmp_path):
        seen = []

        def look(request: Any) -> Any:
            seen.append((request.method, request.url, request.headers.get("content-TYPE", "")))
            assert request.headers["ACCEPT-encoding"] == "gzip"
            return request

        with scripted(Answer(201), auth=look) as (server, client):
            client.create_organization("acme", "-")
            platform_of(client).upload_egg(write_egg(tmp_path), verify=False, overwrite=True)
            for request, (method, url, content_type) in zip(server.requests, seen, strict=True):
                assert (method, url) == (request.method, server.url + request.target)
                assert content_type == request.headers.get("content-type", "")
        assert any("?" in url and kind.startswith("multipart/") for _, url, kind in seen)

    def test_it_is_called_for_each_try(self):
        answers, again = [Answer(503), PLATFORMS], RetryPolicy(1, backoff=0.01)
        with scripted(*answers, auth=Recorder(), retries=again) as (server, client):
            client.list_platforms()
            assert [r.headers["authorization"] for r in server.requests] == ["Signed 1", "Signed 2"]

    def test_it_is_not_called_for_another_server_and_nothing_of_it_goes_there(self):
        sign = Recorder()
        with ScriptedServer(PLATFORMS) as elsewhere:
            moved = [Answer(307, {"Location": to}) for to in ("/moved", f"{elsewhere.url}/x")]
            with scripted(*moved, auth=sign) as (server, client):
                assert client.list_platforms() == ["rh8-x86_64"]
                paths = [url.removeprefix(server.url) for _, url in sign.seen]
            (request,) = elsewhere.requests
        assert paths == ["/api/v1/json/metadata/platforms", "/moved"]
        assert not request.headers.keys() & {"authorization", "x-extra"}

    @pytest.mark.sampled(1)
    @by_each
    def test_headers_can_be_deleted_and_replaced(self, sends):
        def change(request: Any) -> None:
            del request.headers["accept"]
            request.headers["USER-AGENT"] = "mine"
            request.headers.update({"X-A": "a", "X-Name": "Zürich\tÖst", "X-Empty": ""})
            request.headers.setdefault("x-a", "b")
            assert "x-A" in request.headers and "X-B" not in request.headers
            assert request.headers.pop("X-B", None) is None
            assert "mine" not in repr(request.headers)

        with scripted(PLATFORMS, auth=change) as (server, client):
            ask(client, sends)
            sent = server.requests[0].headers
        assert "accept" not in sent
        assert [sent[name] for name in ("user-agent", "x-a", "x-empty")] == ["mine", "a", ""]
        assert sent["x-name"] == "Zürich\tÖst"

    def test_headers_that_are_replaced_as_a_whole_are_sent(self):
        def replace(request: Any) -> None:
            request.headers = {**request.headers, "Authorization": "mine"}

        with scripted(PLATFORMS, auth=replace) as (server, client):
            client.list_platforms()
            assert server.requests[0].headers["authorization"] == "mine"
            assert server.requests[0].headers["accept"] == "application/json"

    @by_each
    def test_auth_of_requests_gets_a_request_of_requests(self, sends):
        for auth, authorization in (
            (AuthOfRequests(copied), "Signed GET /api/v1/json/metadata/platforms"),
            (requests.auth.HTTPBasicAuth("ada", "pass"), "Basic YWRhOnBhc3M="),
        ):
            with scripted(PLATFORMS, auth=auth) as (server, client):
                ask(client, sends)
                assert client._session.identity == (type(auth).__name__, None)
                sent = server.requests[0].headers
            assert sent["authorization"] == authorization
            assert sent.get("x-bytes", "bytes") == "bytes"

    def test_auth_of_requests_sees_the_body_where_it_is_in_memory(self):
        with scripted(Answer(201), auth=AuthOfRequests(copied)) as (server, client):
            client.create_organization("acme", "Zürich")
            (request,) = server.requests
        assert request.headers["x-digest"] == hashlib.sha256(request.body).hexdigest()

    @by_each
    @pytest.mark.parametrize(
        "auth",
        [
            lambda request: "Bearer token",
            lambda request: True,
            lambda request: {"Authorization": "x"},
            lambda request: type(request)("GET", request.url, {}),
            lambda request: setattr(request, "url", request.url + "?token=x"),
            lambda request: setattr(request, "method", "DELETE"),
            lambda request: setattr(request, "headers", None),
            lambda request: setattr(request, "headers", [("Authorization", "x")]),
            lambda request: request.headers.update({"Authorization": 3}),
            lambda request: request.headers.update({"Authorization": None}),
            AuthOfRequests(lambda request: request.register_hook("response", lambda *_: None)),
        ],
    )
    def test_one_that_does_something_else_is_refused(self, sends, auth):
        says = r"httpx\.DigestAuth" if isinstance(auth, AuthOfRequests) else None
        with scripted(PLATFORMS, auth=auth) as (server, client):
            with pytest.raises(InvalidArgumentError, match=says):
                ask(client, sends)
            assert not server.requests

    def test_one_can_be_any_kind_of_callable(self):
        def put(name: str, request: Any) -> None:
            request.headers["Authorization"] = name

        class Holder:
            def method(self, request: Any) -> Any:
                put("method", request)
                return request

        sent = []
        for kind in (partial(put, "partial"), Holder().method, lambda r: put("lambda", r)):
            with scripted(PLATFORMS, auth=kind) as (server, client):
                client.list_platforms()
                sent.append(server.requests[0].headers["authorization"])
        assert sent == ["partial", "method", "lambda"]

    def test_it_holds_for_ones_own_httpx_client_too(self):
        def sign(request: Any) -> None:
            request.headers.update({"Authorization": "Signed", "X-Name": "Zürich\tÖst"})

        with ScriptedServer(PLATFORMS) as server, httpx.Client(auth=("eve", "evil")) as own:
            BroodClient.from_session(server.url, own).with_auth(sign).list_platforms()
            sent = server.requests[0].headers
        assert (sent["authorization"], sent["x-name"]) == ("Signed", "Zürich\tÖst")

    @by_each
    def test_callbacks_do_not_see_what_it_has_set(self, sends):
        seen: list[str] = []

        def look(event: Any) -> None:
            seen.extend(f"{name}: {value}" for name, value in event.headers.items())
            event.headers["X-Trace"] = "trace"

        def put(request: Any) -> None:
            request.headers["X-Api-Key"] = "a-fine-key"
            request.headers["Authorization"] = "a-fine-signature"

        with scripted(PLATFORMS, auth=put, on_request=look) as (server, client):
            ask(client, sends)
            sent = server.requests[0].headers
        assert seen and "a-fine" not in str(seen)
        assert (sent["x-api-key"], sent["x-trace"]) == ("a-fine-key", "trace")
        assert sent["authorization"] == "a-fine-signature"

    def test_what_it_raises_is_not_tried_again(self):
        calls, error = [], BroodTimeoutError("The key store is slow.")

        def fail(request: Any) -> None:
            calls.append(request)
            raise error

        with scripted(PLATFORMS, auth=fail, retries=3) as (server, client):
            with pytest.raises(BroodTimeoutError) as caught:
                client.list_platforms()
            assert not server.requests
        assert caught.value is error and len(calls) == 1

    def test_requests_is_not_imported_for_it(self):
        program = (
            "import sys\n"
            "from hatcher.api import BroodClient\n"
            "client = BroodClient.from_url('http://127.0.0.1:9', auth=lambda r: None, retries=0)\n"
            "try: client.list_platforms()\n"
            "except ConnectionError: pass\n"
            "assert not {'requests', 'httpx'} & sys.modules.keys()"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("kind", [ScriptedServer, TLSServer], ids=["plain", "TLS"])
@pytest.mark.parametrize("sends", ["graph", "raw", "async raw", "own"])
@pytest.mark.parametrize(("name", "value"), [("Authorization", f"{SECRET}\r\n"), *BAD_HEADERS])
def test_what_no_header_can_hold_is_refused(kind, sends, name, value, pem):
    def put(request: Any) -> None:
        request.headers[name] = value

    with kind(PLATFORMS) as server, httpx.Client() as own:
        client = BroodClient.from_url(server.url, put, verify_ssl=pem)
        if sends == "own":
            client, sends = BroodClient.from_session(server.url, own).with_auth(put), "graph"
        with client, pytest.raises(InvalidArgumentError) as caught:
            ask(client, sends)
        assert not server.requests
    assert not leaks(caught.value, SECRET)
