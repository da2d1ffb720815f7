"""Session tokens: what a server may give out as one, and how clients share it."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from brood_api.api.platforms import v1_list_platforms
from hatcher.api import BroodClient, BroodClientAuth
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
from hatcher.transport.auth import MAX_TOKEN
from hatcher.transport.retry import is_unsent

from .common import JSON, PLATFORMS, token
from .leaking import ask, leaks
from .tls_server import TLSServer

pytestmark = pytest.mark.sampled(4)

PAIR = ("ada", "a-fine-password")
SENDS = pytest.mark.parametrize("sends", ["graph", "raw", "async raw"])


def client_of(url: str, **options: Any) -> BroodClient:
    return BroodClient.from_url(
        url, BroodClientAuth(url, PAIR), retries=0, api_version=1, **options
    )


BAD = {
    "CR LF": "evil\r\nDELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "CR": "evil\rX: y",
    "LF": "evil\nX: y",
    "LF at the end": "evil-token\n",
    "NUL": "evil\0token",
    "DEL": "evil\x7ftoken",
    "euro": "evil-€-token",
    "latin-1": "evil-é-token",
    "a blank": "evil token",
    "a blank before": " evil-token",
    "a blank after": "evil-token ",
    "a tab": "evil\ttoken",
    "a no-break space": "evil\xa0token",
    "a line separator": "evil\u2028token",
    "a lone surrogate": "evil\ud800token",
    "a pair of surrogates": "evil-🥚-token",
    "too long": "e" * (MAX_TOKEN + 1),
    "a megabyte": "e" * (1 << 20),
    "empty": "",
    "a number": 3,
    "true": True,
    "a list": ["evil-token"],
    "null": None,
}


@SENDS
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_token_is_refused_and_sent_nowhere(
    name: str, tls: bool, sends: str, tmp_path: Path
) -> None:
    with TLSServer(token(BAD[name]), tls=tls, folder=tmp_path) as server:
        with (
            client_of(server.url, verify_ssl=server.verify) as client,
            pytest.raises(InvalidResponseError) as caught,
        ):
            ask(client, sends)
        assert [request.method for request in server.requests] == ["POST"]
    assert is_unsent(caught.value)
    assert not leaks(caught.value, "evil", "eeeeeeeeeeee")


@SENDS
def test_the_longest_token_is_used(sends: str) -> None:
    longest = "t" * MAX_TOKEN
    with ScriptedServer(token(longest), PLATFORMS) as server, client_of(server.url) as client:
        ask(client, sends)
        assert server.requests[1].headers["authorization"] == f"Bearer {longest}"


@SENDS
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
@pytest.mark.parametrize("location", ["/elsewhere", "https://evil.example.com/", None, "http://["])
def test_an_exchange_that_is_sent_on_is_refused(
    location: str | None, status: int, sends: str
) -> None:
    headers = {} if location is None else {"Location": location}
    with (
        ScriptedServer(Answer(status, headers), PLATFORMS) as server,
        client_of(server.url) as client,
    ):
        with pytest.raises(RedirectError, match="log in") as caught:
            ask(client, sends)
        assert len(server.requests) == 1
    assert is_unsent(caught.value)


@SENDS
def test_an_exchange_without_a_connection_is_an_error_of_hatcher(sends: str) -> None:
    with ScriptedServer(PLATFORMS) as server, client_of(server.url) as client:
        server.refuse()
        with pytest.raises(NotConnectedError):
            ask(client, sends)


@SENDS
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, JSON, b'{"error": "no"}'), AuthenticationError),
        (Answer(404), HatcherException),
        (Answer(200, JSON, b"{"), InvalidJSONError),
        (Answer(200, JSON, b"[]"), InvalidJSONError),
        (Answer(200, JSON, b'{"token": "t"' + b" " * (2 << 20) + b"}"), InvalidResponseError),
        (Answer(200, {"Content-Length": str(2**63 - 1)}), InvalidResponseError),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"), HatcherException),
    ],
)
def test_an_exchange_that_fails_is_the_same_error_for_all(
    answer: Answer, kind: type[HatcherException], sends: str
) -> None:
    with ScriptedServer(answer) as server, client_of(server.url) as client:
        with pytest.raises(kind) as caught:
            ask(client, sends)
        assert all(request.method == "POST" for request in server.requests)
    assert isinstance(caught.value, HatcherException)


@pytest.mark.parametrize(
    "credentials", [(b"ada", b"p\xe4ss"), ("ada", b"p\xe4ss"), [b"ada", b"p\xe4ss"]]
)
def test_bytes_are_exchanged_as_they_are(credentials: Any) -> None:
    with ScriptedServer(token("one"), PLATFORMS) as server:
        auth = BroodClientAuth(server.url, credentials)
        with BroodClient.from_url(server.url, auth=auth) as client:
            client.list_platforms()
        assert server.requests[0].headers["authorization"] == "Basic YWRhOnDkc3M="


@pytest.mark.parametrize("first", ["none", "expired"])
def test_coroutines_share_one_exchange_and_do_not_wait_in_the_loop(first: str) -> None:
    number = 8
    exchanged: list[str] = []
    ticked = threading.Event()

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            if exchanged or first == "none":
                assert ticked.wait(30)  # the loop goes on meanwhile
            exchanged.append(f"token-{len(exchanged)}")
            return token(exchanged[-1])
        if first == "expired" and request.headers["authorization"] == "Bearer token-0":
            return Answer(401, JSON, b'{"error": "expired"}')
        return PLATFORMS

    async def run(client: BroodClient) -> None:
        async def tick() -> None:
            await asyncio.sleep(0.05)
            ticked.set()

        async with client.raw as raw:
            await asyncio.gather(
                tick(), *(v1_list_platforms.asyncio(client=raw) for _ in range(number))
            )

    with ScriptedServer(answer) as server, client_of(server.url) as client:
        asyncio.run(run(client))
    assert len(exchanged) == (1 if first == "none" else 2)


def test_graph_and_raw_share_one_token() -> None:
    with ScriptedServer(token("one"), PLATFORMS) as server, client_of(server.url) as client:
        for sends in ("graph", "raw", "async raw", "graph"):
            ask(client, sends)
        assert [request.method for request in server.requests] == ["POST"] + ["GET"] * 4


def test_a_renewal_that_gives_the_same_token_is_made_once() -> None:
    number = 6
    together = threading.Barrier(number, timeout=60)
    expired = threading.Event()
    exchanges = []

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            exchanges.append(request)
            return token("always-the-same")
        if expired.is_set() and len(exchanges) == 1:
            if together.wait() == 0:
                expired.clear()
            return Answer(401, JSON, b'{"error": "expired"}')
        return PLATFORMS

    with (
        ScriptedServer(answer) as server,
        client_of(server.url) as client,
        ThreadPoolExecutor(number) as pool,
    ):
        client.list_platforms()
        expired.set()
        for asked in [pool.submit(client.list_platforms) for _ in range(number)]:
            assert asked.result() == ["rh8-x86_64"]
    assert len(exchanges) == 2


def test_ones_own_httpx_client_carries_exchanges_too() -> None:
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


@pytest.mark.parametrize("verify_ssl", [None, "own"])
def test_an_exchange_elsewhere_verifies_as_it_is_told(
    verify_ssl: str | None, tmp_path: Path
) -> None:
    with (
        TLSServer(token("one"), tls=True, folder=tmp_path) as login,
        ScriptedServer(PLATFORMS) as server,
    ):
        verify = None if verify_ssl is None else login.verify
        auth = BroodClientAuth(login.url, PAIR, verify_ssl=verify)
        with BroodClient.from_url(server.url, auth=auth, api_version=1) as client:
            for sends in ("graph", "raw", "async raw"):
                if verify_ssl is None:
                    with pytest.raises(NotConnectedError, match="verify_ssl"):
                        ask(client, sends)
                else:
                    ask(client, sends)
        assert not server.requests if verify_ssl is None else len(server.requests) == 3


def test_a_bad_token_of_the_user_is_refused_before_anything_is_sent() -> None:
    for bad in (text for text in BAD.values() if isinstance(text, str)):
        with pytest.raises(InvalidArgumentError) as caught:
            BroodClientAuth("https://brood.example.com", bad)
        assert not leaks(caught.value, "evil")
