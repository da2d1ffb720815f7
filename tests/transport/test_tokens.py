"""Session tokens: how they are exchanged, renewed and shared, and what may be one."""

import asyncio
import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from brood_api.api.platforms import v1_list_platforms
from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    InvalidArgumentError,
    InvalidJSONError,
    InvalidResponseError,
    NotConnectedError,
    RedirectError,
)
from hatcher.testing import Answer, Request, ScriptedServer
from hatcher.transport import auth as auth_module
from hatcher.transport.auth import MAX_TOKEN
from hatcher.transport.retry import is_unsent

from .common import JSON, PAIR, PLATFORMS, ask, by_each, default, scripted, token
from .leaking import leaks, renderings
from .proxying import TLSServer

pytestmark = pytest.mark.sampled(4)

REFUSED = Answer(401, JSON, b'{"error": "expired"}')
EXCHANGE = "/api/v1/json/auth/tokens/auth"


def sent(server: ScriptedServer) -> list[str]:
    return [request.headers["authorization"] for request in server.requests]


class TestExchanges:
    def test_one_is_got_first_and_then_used(self):
        with scripted(token("one"), PLATFORMS, login=PAIR) as (server, client):
            for sends in ("graph", "raw", "async raw", "graph"):
                ask(client, sends)
            exchange = server.requests[0]
            assert (exchange.method, exchange.target) == ("POST", EXCHANGE)
            assert exchange.headers["content-length"] == "0"
            assert sent(server) == [*sent(server)[:1], *["Bearer one"] * 4]

    @pytest.mark.parametrize(
        ("credentials", "header"),
        [
            (("ada", "pass"), "Basic YWRhOnBhc3M="),
            ((b"ada", b"p\xe4ss"), "Basic YWRhOnDkc3M="),
            (["ada", b"p\xe4ss"], "Basic YWRhOnDkc3M="),
            ("api-token", "Bearer api-token"),
        ],
    )
    def test_what_is_exchanged(self, credentials, header):
        with scripted(token("one"), PLATFORMS, login=credentials) as (server, client):
            client.list_platforms()
            assert sent(server) == [header, "Bearer one"]

    def test_the_header_is_there_with_the_token(self):
        with ScriptedServer(token("one"), PLATFORMS) as server:
            auth = BroodClientAuth(f"{server.url}/", PAIR)
            assert auth.session_token is None and auth.brood_url == server.url
            with pytest.raises(RuntimeError, match="no session token yet"):
                auth.authorization()
            with default(server.url, auth) as client:
                client.list_platforms()
        assert (auth.authorization(), auth.session_token) == ("Bearer one", "one")
        assert type(auth.session_token) is type(auth.brood_url) is str

    @pytest.mark.parametrize("given", [None, True, False])
    def test_how_an_exchange_verifies_can_be_read(self, given):
        auth = BroodClientAuth("https://brood.example.com", "token", given)
        assert auth.verify_ssl is (given is not False)

    def test_a_token_shows_where_it_is_asked_for_and_nowhere_else(self):
        bearer = BroodBearerTokenAuth("api-token")
        auth = BroodClientAuth("https://brood.example.com", bearer)
        auth.remember("session-token")
        assert (bearer.token, auth.session_token) == ("api-token", "session-token")
        assert type(bearer.token) is str
        shown = [text for each in (bearer, auth) for text in (*renderings(each), repr(vars(each)))]
        assert not [text for text in shown if "-token" in text]
        for each in (bearer, auth):
            with pytest.raises(TypeError):
                pickle.dumps(each)

    def test_a_server_without_version_1_is_asked_at_version_0(self):
        answers = [Answer(404), token("one"), PLATFORMS]
        with scripted(*answers, login=PAIR, api_version=0) as (server, client):
            client.list_platforms()
            targets = [request.target for request in server.requests]
        assert targets == [
            EXCHANGE,
            "/api/v0/json/auth/tokens/auth",
            "/api/v0/json/metadata/platforms",
        ]

    @by_each
    def test_the_longest_token_is_used(self, sends):
        longest = "t" * MAX_TOKEN
        with scripted(token(longest), PLATFORMS, login=PAIR) as (server, client):
            ask(client, sends)
            assert sent(server)[1] == f"Bearer {longest}"

    @pytest.mark.parametrize(("verify_ssl", "connections"), [(None, 1), (True, 1), (False, 2)])
    def test_one_that_verifies_otherwise_has_its_own_connection(self, verify_ssl, connections):
        with ScriptedServer(token("one"), PLATFORMS) as server:
            auth = BroodClientAuth(server.url, PAIR, verify_ssl=verify_ssl)
            with default(server.url, auth) as client:
                client.list_platforms()
            assert server.connections == connections

    @by_each
    def test_one_elsewhere_verifies_as_it_is_told(self, sends, pem):
        with TLSServer(token("one")) as login, ScriptedServer(PLATFORMS) as server:
            with (
                default(server.url, BroodClientAuth(login.url, PAIR)) as client,
                pytest.raises(NotConnectedError, match="verify_ssl"),
            ):
                ask(client, sends)
            assert not server.requests
            auth = BroodClientAuth(login.url, PAIR, verify_ssl=pem)
            with default(server.url, auth) as client:
                assert ask(client, sends) == ["rh8-x86_64"]

    def test_ones_own_httpx_client_carries_them_too(self):
        asked = []

        def handle(request: httpx.Request) -> httpx.Response:
            asked.append((request.method, request.headers["authorization"].split()[0]))
            document = {"token": "one", "platforms": []}
            stream = httpx.ByteStream(json.dumps(document).encode())
            return httpx.Response(200, headers=JSON, stream=stream)

        url = "https://brood.example.com"
        with httpx.Client(transport=httpx.MockTransport(handle), auth=("eve", "evil")) as own:
            client = BroodClient.from_session(url, own).with_auth(BroodClientAuth(url, PAIR))
            client.list_platforms()
        assert asked == [("POST", "Basic"), ("GET", "Bearer")]


class TestRenewal:
    def test_one_that_is_refused_is_renewed_once(self):
        answers = [token("one"), PLATFORMS, REFUSED, token("two"), PLATFORMS]
        with scripted(*answers, login=PAIR) as (server, client):
            client.list_platforms()
            client.list_platforms()
            assert sent(server)[2:] == ["Bearer one", sent(server)[0], "Bearer two"]
        with scripted(*answers[:-1], REFUSED, login=PAIR) as (server, client):
            client.list_platforms()
            with pytest.raises(AuthenticationError, match="expired"):
                client.list_platforms()
            assert len(server.requests) == 5

    def test_it_is_renewed_in_time(self, monkeypatch):
        answers = [token("one"), PLATFORMS, token("two"), PLATFORMS]
        with scripted(*answers, login=PAIR) as (server, client):
            client.list_platforms()
            now = auth_module.time.monotonic()
            monkeypatch.setattr(auth_module.time, "monotonic", lambda: now + 241)
            client.list_platforms()
            assert sent(server)[3] == "Bearer two"

    @pytest.mark.sampled(1)
    @pytest.mark.parametrize("same", [False, True], ids=["another token", "the same token"])
    @pytest.mark.parametrize("sends", ["graph", "httpx"])
    def test_threads_renew_one_that_has_expired_once(self, sends, same):
        number = 8
        together = threading.Barrier(number, timeout=60)
        expired = threading.Event()
        exchanged: list[str] = []

        def answer(request: Request) -> Answer:
            if request.method == "POST":
                exchanged.append("token" if same else f"token-{len(exchanged)}")
                return token(exchanged[-1])
            if expired.is_set() and len(exchanged) == 1:
                together.wait()  # so that each thread is refused with the same token
                return REFUSED
            return PLATFORMS

        with (
            scripted(answer, login=PAIR) as (server, client),
            ThreadPoolExecutor(number) as pool,
        ):
            http = client.raw.get_httpx_client()
            target = f"{server.url}/api/v1/json/metadata/platforms"
            ask = client.list_platforms if sends == "graph" else lambda: http.get(target)
            ask()
            expired.set()
            for asked in [pool.submit(ask) for _ in range(number)]:
                asked.result()
        assert len(exchanged) == 2

    @pytest.mark.parametrize("first", ["none", "expired"])
    def test_coroutines_share_one_and_do_not_wait_in_the_loop(self, first):
        exchanged: list[str] = []
        ticked = threading.Event()

        def answer(request: Request) -> Answer:
            if request.method == "POST":
                if exchanged or first == "none":
                    assert ticked.wait(30)  # the loop goes on meanwhile
                exchanged.append(f"token-{len(exchanged)}")
                return token(exchanged[-1])
            was_first = request.headers["authorization"] == "Bearer token-0"
            return REFUSED if first == "expired" and was_first else PLATFORMS

        async def run(client: BroodClient) -> None:
            async def tick() -> None:
                await asyncio.sleep(0.05)
                ticked.set()

            async with client.raw as raw:
                await asyncio.gather(
                    tick(), *(v1_list_platforms.asyncio(client=raw) for _ in range(8))
                )

        with scripted(answer, login=PAIR) as (_, client):
            asyncio.run(run(client))
        assert len(exchanged) == (1 if first == "none" else 2)


BAD = {
    "CR LF": "evil\r\nDELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "LF at the end": "evil-token\n",
    "NUL": "evil\0token",
    "DEL": "evil\x7ftoken",
    "euro": "evil-€-token",
    "latin-1": "evil-é-token",
    "a blank before": " evil-token",
    "a blank after": "evil-token ",
    "a tab": "evil\ttoken",
    "a no-break space": "evil\xa0token",
    "a line separator": "evil\u2028token",
    "a lone surrogate": "evil\ud800token",
    "too long": "e" * (MAX_TOKEN + 1),
    "a megabyte": "e" * (1 << 20),
    "empty": "",
    "a number": 3,
    "true": True,
    "a list": ["evil-token"],
    "null": None,
}


class TestFailures:
    @by_each
    @pytest.mark.parametrize("kind", [ScriptedServer, TLSServer], ids=["plain", "TLS"])
    @pytest.mark.parametrize("name", BAD)
    def test_what_is_no_token_is_refused_and_sent_nowhere(self, name, kind, sends, pem):
        with kind(token(BAD[name])) as server:
            auth = BroodClientAuth(server.url, PAIR)
            with (
                default(server.url, auth, verify_ssl=pem) as client,
                pytest.raises(InvalidResponseError) as caught,
            ):
                ask(client, sends)
            assert [request.method for request in server.requests] == ["POST"]
        assert is_unsent(caught.value)
        assert not leaks(caught.value, "evil", "eeeeeeeeeeee")

    @pytest.mark.parametrize("bad", [bad for bad in BAD.values() if isinstance(bad, str)])
    def test_a_bad_token_of_the_user_is_refused_too(self, bad):
        for make in (BroodBearerTokenAuth, partial(BroodClientAuth, "https://brood.example.com")):
            with pytest.raises(InvalidArgumentError) as caught:
                make(bad)
            assert not leaks(caught.value, "evil")

    @by_each
    @pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
    @pytest.mark.parametrize("location", ["/elsewhere", "https://evil.example/", None, "http://["])
    def test_an_exchange_that_is_sent_on_is_refused(self, location, status, sends):
        headers = {} if location is None else {"Location": location}
        with scripted(Answer(status, headers), PLATFORMS, login=PAIR) as (server, client):
            with pytest.raises(RedirectError, match="log in") as caught:
                ask(client, sends)
            assert len(server.requests) == 1
        assert is_unsent(caught.value)

    @by_each
    @pytest.mark.parametrize(
        ("answer", "kind", "says"),
        [
            (REFUSED, AuthenticationError, "expired"),
            (Answer(404), HatcherException, "session tokens"),
            (Answer(200, JSON, b"<html>"), InvalidJSONError, None),
            (Answer(200, JSON, b"[]"), InvalidJSONError, None),
            (Answer(200, JSON, b"{}"), InvalidJSONError, None),
            (Answer(200, JSON, b'{"token": 3}'), InvalidJSONError, None),
            (
                Answer(200, JSON, b'{"token": "t"%b}' % (b" " * (2 << 20))),
                InvalidResponseError,
                None,
            ),
            (Answer(200, {"Content-Length": str(2**63 - 1)}), InvalidResponseError, None),
            (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{"), HatcherException, None),
            (None, NotConnectedError, None),
        ],
    )
    def test_one_that_fails_is_the_same_error_for_all(self, answer, kind, says, sends):
        with scripted(answer or PLATFORMS, login=PAIR) as (server, client):
            if answer is None:
                server.refuse()
            with pytest.raises(kind, match=says):
                ask(client, sends)
            assert all(request.method == "POST" for request in server.requests)
