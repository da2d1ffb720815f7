"""Credentials: what they look like on the wire, and that they show nowhere else."""

import base64
import hashlib
import pickle
import ssl
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests.auth

from hatcher.api import (
    BasicAuth,
    BroodBearerTokenAuth,
    BroodClient,
    BroodClientAuth,
    RetryPolicy,
)
from hatcher.errors import BroodTimeoutError, InvalidArgumentError
from hatcher.testing import Answer, ScriptedServer, write_egg
from hatcher.transport.secret import Secret

from .common import PLATFORMS
from .leaking import ask, leaks
from .tls_server import TLSServer

pytestmark = pytest.mark.sampled(3)


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {vars(BasicAuth('a', 'hunter2'))}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("other")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_basic_authentication_is_utf8() -> None:
    header = BasicAuth("ada@example.com", "pässword").authorization()
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "ada@example.com:pässword"


@pytest.mark.parametrize(
    "auth",
    [
        BasicAuth("ada", "hunter2"),
        BroodBearerTokenAuth("hunter2"),
        BroodClientAuth("https://brood.example.com", ("ada", "hunter2")),
        BroodClientAuth("https://brood.example.com", "hunter2"),
    ],
)
def test_no_repr_and_no_pickle_holds_a_secret(auth: Any) -> None:
    client = BroodClient.from_url("https://brood.example.com", auth=auth)
    node = client.organization("acme").repository("dev").platform("rh8-x86_64")
    shown = f"{auth!r} {client!r} {client._session!r} {node!r} {node}"
    assert "hunter2" not in shown
    assert b"hunter2" not in pickle.dumps(node)
    assert b"hunter2" not in pickle.dumps(client)


@pytest.mark.parametrize("token", ["", "two words", "line\n", "ünicode"])
def test_what_is_no_token_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        BroodBearerTokenAuth(token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "auth",
    ["a-bare-token", ("only one",), ("a", "b", "c"), 7, ("a", None), b"a:b", {"a": "b"}, [], ""],
)
def test_what_is_no_auth_is_refused_when_the_client_is_made(auth: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="BroodBearerTokenAuth") as caught:
        BroodClient.from_url("https://brood.example.com", auth=auth)
    assert "a-bare-token" not in str(caught.value)


def test_a_user_name_with_a_colon_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="':'"):
        BasicAuth("a:b", "c")


def test_where_tokens_are_exchanged_is_what_the_description_says() -> None:
    from brood_api.operations import OPERATIONS
    from hatcher.transport.auth import EXCHANGE_PATHS

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


class Signer(requests.auth.AuthBase):
    """The same, as requests has it."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        assert type(r) is requests.PreparedRequest
        r.headers["authorization"] = f"Signed {r.method} {r.path_url}"
        r.headers["X-Bytes"] = b"bytes"
        return r


class Copier(requests.auth.AuthBase):
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r = r.copy()
        r.headers["X-Copied"] = "yes"
        return r


def client_of(server: ScriptedServer, auth: Any, **options: Any) -> BroodClient:
    return BroodClient.from_url(server.url, auth, api_version=1, cache=False, **options)


class TestCallables:
    @pytest.mark.parametrize("sends", ["graph", "raw", "async raw"])
    def test_one_is_called_for_each_request_and_what_it_sets_is_sent(self, sends: str) -> None:
        sign = Recorder()
        with ScriptedServer(PLATFORMS) as server:
            with client_of(server, sign) as client:
                ask(client, sends)
                ask(client, sends)
                assert client._session.identity == ("Recorder", None)
            url = f"{server.url}/api/v1/json/metadata/platforms"
            assert sign.seen == [("GET", url)] * 2
            assert [r.headers["authorization"] for r in server.requests] == ["Signed 1", "Signed 2"]
            assert server.requests[0].headers["x-extra"] == "more"

    def test_it_sees_the_query_the_method_and_the_type_of_the_body(self, tmp_path: Path) -> None:
        seen = []

        def look(request: Any) -> Any:
            seen.append((request.method, request.url, request.headers.get("content-TYPE", "")))
            assert request.headers["ACCEPT-encoding"] == "gzip"
            return request

        egg = write_egg(tmp_path, "spam", "1.0", 1)
        with ScriptedServer(Answer(201)) as server:
            with client_of(server, look) as client:
                client.create_organization("acme", "-")
                platform: Any = client.at("acme/dev/rh8-x86_64")
                platform.upload_egg(egg, verify=False, overwrite=True)
            for request, (method, url, content_type) in zip(server.requests, seen, strict=True):
                assert (method, url) == (request.method, server.url + request.target)
                assert content_type == request.headers.get("content-type", "")
        assert any("?" in url and kind.startswith("multipart/") for _, url, kind in seen)

    def test_it_is_called_for_each_try(self) -> None:
        sign = Recorder()
        with ScriptedServer(Answer(503), PLATFORMS) as server:
            with client_of(server, sign, retries=RetryPolicy(1, backoff=0.01)) as client:
                client.list_platforms()
            assert [r.headers["authorization"] for r in server.requests] == ["Signed 1", "Signed 2"]

    def test_it_is_not_called_for_another_server_and_nothing_of_it_goes_there(self) -> None:
        sign = Recorder()
        with ScriptedServer(PLATFORMS) as elsewhere:
            back = Answer(307, {"Location": f"{elsewhere.url}/x"})
            with (
                ScriptedServer(Answer(307, {"Location": "/moved"}), back) as server,
                client_of(server, sign) as client,
            ):
                assert client.list_platforms() == ["rh8-x86_64"]
                assert [url.removeprefix(server.url) for _, url in sign.seen] == [
                    "/api/v1/json/metadata/platforms",
                    "/moved",
                ]
            (request,) = elsewhere.requests
        assert not request.headers.keys() & {"authorization", "x-extra"}

    def test_headers_can_be_deleted_and_replaced(self) -> None:
        def change(request: Any) -> None:
            del request.headers["accept"]
            request.headers["USER-AGENT"] = "mine"
            request.headers.update({"X-A": "a"})
            request.headers.setdefault("x-a", "b")
            assert "x-A" in request.headers and "X-B" not in request.headers
            assert request.headers.pop("X-B", None) is None
            assert "mine" not in repr(request.headers)

        for sends in ("graph", "raw"):
            with ScriptedServer(PLATFORMS) as server, client_of(server, change) as client:
                ask(client, sends)
                (request,) = server.requests
            assert "accept" not in request.headers
            assert request.headers["user-agent"] == "mine"
            assert request.headers["x-a"] == "a"

    @pytest.mark.parametrize("sends", ["graph", "raw", "async raw"])
    def test_auth_of_requests_gets_a_request_of_requests(self, sends: str) -> None:
        with ScriptedServer(PLATFORMS) as server:
            with client_of(server, Signer()) as client:
                ask(client, sends)
            with client_of(server, Copier()) as client:
                ask(client, sends)
            with client_of(server, requests.auth.HTTPBasicAuth("ada", "pass")) as client:
                ask(client, sends)
                assert client._session.identity == ("HTTPBasicAuth", None)
            signed, copied, basic = server.requests
        assert signed.headers["authorization"] == "Signed GET /api/v1/json/metadata/platforms"
        assert signed.headers["x-bytes"] == "bytes"
        assert copied.headers["x-copied"] == "yes"
        assert basic.headers["authorization"] == BasicAuth("ada", "pass").authorization()

    def test_auth_of_requests_sees_the_body_where_it_is_in_memory(self) -> None:
        class Hashing(requests.auth.AuthBase):
            def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
                r.headers["X-Digest"] = hashlib.sha256(r.body or b"").hexdigest()  # type: ignore[arg-type]
                return r

        with ScriptedServer(Answer(201)) as server:
            with client_of(server, Hashing()) as client:
                client.create_organization("acme", "Zürich")
            (request,) = server.requests
        assert request.headers["x-digest"] == hashlib.sha256(request.body).hexdigest()

    def test_auth_of_requests_that_waits_for_answers_is_refused(self) -> None:
        class Hooked(requests.auth.AuthBase):
            def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
                r.register_hook("response", lambda *_, **__: None)
                return r

        digest = requests.auth.HTTPDigestAuth("ada", "pass")
        with pytest.raises(InvalidArgumentError, match=r"httpx\.DigestAuth"):
            BroodClient.from_url("https://brood.example.com", digest)
        with ScriptedServer(PLATFORMS) as server, client_of(server, Hooked()) as client:
            with pytest.raises(InvalidArgumentError, match=r"httpx\.DigestAuth"):
                client.list_platforms()
            assert not server.requests

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
        ],
    )
    @pytest.mark.parametrize("sends", ["graph", "raw"])
    def test_one_that_does_something_else_is_refused(self, sends: str, auth: Any) -> None:
        with ScriptedServer(PLATFORMS) as server, client_of(server, auth) as client:
            with pytest.raises(InvalidArgumentError):
                ask(client, sends)
            assert not server.requests

    def test_headers_that_are_replaced_as_a_whole_are_sent(self) -> None:
        def replace(request: Any) -> None:
            request.headers = {**request.headers, "Authorization": "mine"}

        with ScriptedServer(PLATFORMS) as server, client_of(server, replace) as client:
            client.list_platforms()
            assert server.requests[0].headers["authorization"] == "mine"
            assert server.requests[0].headers["accept"] == "application/json"

    @pytest.mark.parametrize("kind", [BasicAuth, httpx.BasicAuth, dict, Recorder])
    def test_a_class_is_refused(self, kind: type) -> None:
        with pytest.raises(InvalidArgumentError, match="of type type"):
            BroodClient.from_url("https://brood.example.com", auth=kind)

    def test_one_can_be_any_kind_of_callable(self) -> None:
        def put(name: str, request: Any) -> None:
            request.headers["Authorization"] = name

        class Holder:
            def method(self, request: Any) -> Any:
                put("method", request)
                return request

        kinds = [partial(put, "partial"), Holder().method, lambda r: put("lambda", r)]
        with ScriptedServer(PLATFORMS) as server:
            for kind in kinds:
                with client_of(server, kind) as client:
                    client.list_platforms()
            sent = [request.headers["authorization"] for request in server.requests]
        assert sent == ["partial", "method", "lambda"]

    def test_it_holds_for_ones_own_httpx_client_too(self) -> None:
        with ScriptedServer(PLATFORMS) as server, httpx.Client(auth=("eve", "evil")) as own:
            client = BroodClient.from_session(server.url, own).with_auth(Recorder())
            client.list_platforms()
            assert server.requests[0].headers["authorization"] == "Signed 1"

    @pytest.mark.parametrize("sends", ["graph", "raw", "async raw"])
    def test_callbacks_do_not_see_what_it_has_set(self, sends: str) -> None:
        seen: list[str] = []

        def look(event: Any) -> None:
            seen.extend(f"{name}: {value}" for name, value in event.headers.items())
            event.headers["X-Trace"] = "trace"

        def put(request: Any) -> None:
            request.headers["X-Api-Key"] = "a-fine-key"
            request.headers["Authorization"] = "a-fine-signature"

        with (
            ScriptedServer(PLATFORMS) as server,
            client_of(server, put, on_request=look) as client,
        ):
            ask(client, sends)
            sent = server.requests[0].headers
        assert seen and "a-fine" not in str(seen)
        assert (sent["x-api-key"], sent["x-trace"]) == ("a-fine-key", "trace")
        assert sent["authorization"] == "a-fine-signature"

    def test_what_it_raises_is_not_tried_again(self) -> None:
        calls = []
        error = BroodTimeoutError("The key store is slow.")

        def fail(request: Any) -> None:
            calls.append(request)
            raise error

        with ScriptedServer(PLATFORMS) as server, client_of(server, fail) as client:
            with pytest.raises(BroodTimeoutError) as caught:
                client.list_platforms()
            assert not server.requests
        assert caught.value is error and len(calls) == 1

    def test_requests_is_not_imported_for_it(self) -> None:
        program = (
            "import sys\n"
            "from hatcher.api import BroodClient\n"
            "client = BroodClient.from_url('http://127.0.0.1:9', auth=lambda r: None, retries=0)\n"
            "try: client.list_platforms()\n"
            "except ConnectionError: pass\n"
            "assert not {'requests', 'httpx'} & sys.modules.keys()"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "pair",
    [(b"ada", b"pass"), ["ada", "pass"], [b"ada", b"pass"], ("ada", b"pass"), (b"ada", "pass")],
)
@pytest.mark.parametrize("sends", ["graph", "raw"])
def test_bytes_and_lists_are_pairs(sends: str, pair: Any) -> None:
    with ScriptedServer(PLATFORMS) as server, client_of(server, pair) as client:
        ask(client, sends)
        assert client._session.identity == ("password", "ada")
        assert server.requests[0].headers["authorization"] == "Basic YWRhOnBhc3M="


def test_bytes_are_sent_as_they_are() -> None:
    header = BasicAuth(b"ada", b"p\xe4ss").authorization()
    assert base64.b64decode(header.removeprefix("Basic ")) == b"ada:p\xe4ss"


@pytest.mark.parametrize("user", [b"a:b", "a:b"])
def test_a_colon_is_refused_in_bytes_too(user: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="':'"):
        BroodClient.from_url("https://brood.example.com", auth=(user, b"c"))


VALUES = {
    "CR LF": "evil\r\nDELETE / HTTP/1.1\r\nHost: x",
    "CR": "evil\rX",
    "LF": "evil\nX",
    "LF at the end": "evil\n",
    "NUL": "evil\0",
    "DEL": "evil\x7f",
    "euro": "evil€",
    "a lone surrogate": "evil\udc80",
    "a blank before": " evil",
    "a blank after": "evil ",
    "a tab before": "\tevil",
}
NAMES = [
    "X Evil",
    "X-Evil ",
    " X-Evil",
    "X-Evil:",
    "X-Evil\r\n",
    "X-\u00e9vil",
    "X-Evil\0",
    "",
    "X(Evil)",
]
FRAMING = ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "Upgrade"]


def trusting(verify: Any) -> Any:
    return True if verify is True else ssl.create_default_context(cafile=verify)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("sends", ["graph", "raw", "async raw", "own"])
class TestWhatNoHeaderCanHold:
    def refused(self, sends: str, tls: bool, folder: Path, name: Any, value: Any) -> None:
        def put(request: Any) -> None:
            request.headers[name] = value

        with TLSServer(PLATFORMS, tls=tls, folder=folder) as server:
            verify = server.verify
            with (
                httpx.Client(verify=trusting(verify)) as own,
                pytest.raises(InvalidArgumentError) as caught,
            ):
                if sends == "own":
                    BroodClient.from_session(server.url, own).with_auth(put).list_platforms()
                else:
                    with client_of(server, put, verify_ssl=verify) as client:
                        ask(client, sends)
            assert not server.requests
        assert not leaks(caught.value, "evil")

    @pytest.mark.parametrize("header", ["Authorization", "X-Key"])
    @pytest.mark.parametrize("name", VALUES)
    def test_a_value_is_refused(
        self, name: str, header: str, sends: str, tls: bool, tmp_path: Path
    ) -> None:
        self.refused(sends, tls, tmp_path, header, VALUES[name])

    @pytest.mark.parametrize("name", NAMES)
    def test_a_name_is_refused(self, name: str, sends: str, tls: bool, tmp_path: Path) -> None:
        self.refused(sends, tls, tmp_path, name, "evil")

    @pytest.mark.parametrize("name", FRAMING)
    def test_framing_is_not_the_callables(
        self, name: str, sends: str, tls: bool, tmp_path: Path
    ) -> None:
        self.refused(sends, tls, tmp_path, name, "evil")


@pytest.mark.parametrize("own", [False, True])
def test_latin_1_and_nothing_are_sent(own: bool) -> None:
    def put(request: Any) -> None:
        request.headers["X-Name"] = "Zürich\tÖst"
        request.headers["X-Empty"] = ""

    with ScriptedServer(PLATFORMS) as server, httpx.Client() as mine:
        client = BroodClient.from_session(server.url, mine) if own else client_of(server, None)
        with client.with_auth(put) as signed:
            signed.list_platforms()
        (request,) = server.requests
    assert request.headers["x-name"] == "Zürich\tÖst"
    assert request.headers["x-empty"] == ""
