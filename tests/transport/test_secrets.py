"""No secret shows: in no repr, frame, message, chain, pickle or log, whatever goes wrong."""

import base64
import gzip
import json
import logging
import pickle
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
import requests.auth

from brood_api import AuthenticatedClient, Client
from hatcher.api import (
    BasicAuth,
    BroodBearerTokenAuth,
    BroodClient,
    BroodClientAuth,
    RetryPolicy,
    Timeouts,
)
from hatcher.errors import (
    HatcherException,
    IncompleteDownloadError,
    InvalidArgumentError,
    InvalidResponseError,
    MissingFilenameError,
)
from hatcher.testing import Answer, ScriptedServer, write_egg
from hatcher.transport.request import Request
from hatcher.transport.secret import Redactor, Secret

from .common import JSON, ask, by_each, platform_of, scripted, token
from .leaking import leaks, renderings
from .wires import PATIENCE, acting, reset

pytestmark = pytest.mark.sampled(4)

SECRET = "hunter-two-hunter"
PASSWORD = "correct-horse-battery"
PAIR = base64.b64encode(f"ada:{SECRET}".encode()).decode()


def key(request: Any) -> None:
    request.headers["X-Api-Key"] = SECRET


def bearer(request: Any) -> Any:
    request.headers["Authorization"] = f"Bearer {SECRET}"
    return request


class KeyOfRequests(requests.auth.AuthBase):
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["X-Api-Key"] = SECRET
        return r


class Kept:
    """Keeps a session token, as the command line does."""

    def load(self) -> tuple[str, float]:
        return SECRET, 100.0

    def save(self, token: str) -> None:
        pass

    def forget(self) -> None:
        pass


def kept(url: str) -> BroodClientAuth:
    auth = BroodClientAuth(url, "another-key")
    auth._keeper = Kept()
    return auth


#: What a client is made with, given the URL of the server.
KINDS: dict[str, Callable[[str], Any]] = {
    "pair": lambda url: ("ada", SECRET),
    "bytes": lambda url: (b"ada", SECRET.encode()),
    "token": lambda url: BroodBearerTokenAuth(SECRET),
    "session token": lambda url: BroodClientAuth(url, "another-key"),
    "session that was kept": kept,
    "session of a pair": lambda url: BroodClientAuth(url, ("ada", SECRET)),
    "callable": lambda url: bearer,
    "callable with another header": lambda url: key,
    "requests": lambda url: requests.auth.HTTPBasicAuth("ada", SECRET),
    "requests with another header": lambda url: KeyOfRequests(),
    "httpx": lambda url: httpx.BasicAuth("ada", SECRET),
}
#: Those of a user's own httpx client.
OWN: dict[str, dict[str, Any]] = {
    "own httpx client": {"auth": ("ada", SECRET)},
    "own httpx client with headers": {"headers": {"Authorization": f"Bearer {SECRET}"}},
}


@contextmanager
def connected(kind: str, url: str, **options: Any) -> Iterator[BroodClient]:
    options = {"retries": 0, "timeout": Timeouts(read=0.3), "api_version": 1, **options}
    if kind in OWN:
        with httpx.Client(timeout=0.3, **OWN[kind]) as own:
            yield BroodClient.from_session(url, own, api_version=1)
    else:
        with BroodClient.from_url(url, auth=KINDS[kind](url), cache=False, **options) as client:
            yield client


def giving_tokens(*answers: Any) -> Any:
    """Return what answers exchanges with a token, and other requests as laid out."""
    rest = iter(answers)
    last: list[Any] = []

    def answer(request: Any) -> Answer:
        if request.target.endswith("/auth/tokens/auth"):
            return token(SECRET)
        last[:] = [next(rest, *last)]
        laid_out: Answer = last[0](request) if callable(last[0]) else last[0]
        return laid_out

    return answer


@contextmanager
def answering(kind: str, *answers: Any, **options: Any) -> Iterator[BroodClient]:
    """Give a client of a server that answers so."""
    with (
        ScriptedServer(giving_tokens(*answers)) as server,
        connected(kind, server.url, **options) as client,
    ):
        yield client


def echo(status: int, headers: dict[str, str] | None = None) -> Callable[[Any], Answer]:
    """Return what answers with all that it was sent, in JSON."""

    def answer(request: Any) -> Answer:
        words = " ".join(f"{name}={value}" for name, value in request.headers.items())
        if PAIR in words:
            words += f" ada:{SECRET}"
        given = {name: value.replace("ECHO", words) for name, value in (headers or JSON).items()}
        body = f"<title>{words}</title>" if headers else json.dumps({"error": words})
        return Answer(status, given, body.encode())

    return answer


ALL = [*KINDS, *OWN]
by_kind = pytest.mark.parametrize("kind", ALL)
#: A session would be refused its token already.
by_simple_kind = pytest.mark.parametrize("kind", [kind for kind in ALL if "session" not in kind])


class Unpickled(Exception):  # noqa: N818
    """Something that hatcher does not know."""


FAULTS: dict[str, Any] = {
    "401": echo(401),
    "403": echo(403),
    "404": echo(404),
    "500": echo(500),
    "a page": echo(403, {"Content-Type": "text/html; ECHO", "X-Request-ID": "ECHO"}),
    "no JSON": echo(200, {"Content-Type": "text/html"}),
    "odd type": echo(200, {"Content-Type": "x/ECHO"}),
    "no object": lambda r: Answer(200, JSON, json.dumps([str(r.headers), SECRET]).encode()),
    "no field": lambda r: Answer(200, JSON, json.dumps({"tokens": str(r.headers)}).encode()),
    "sent on": echo(301, {"Location": "ftp://elsewhere/ECHO/x"}),
    "sent on within": echo(308, {"Location": "http://user:ECHO@[/ECHO"}),
    "no HTTP": lambda r: Answer(raw=f"HTTQ/1.1 {r.headers}\r\n\r\n".encode()),
    "no status": lambda r: Answer(raw=f"HTTP/1.1 {r.headers}\r\n\r\n".encode()),
    "no length": lambda r: Answer(200, {"Content-Length": SECRET}),
    "no header": lambda r: Answer(
        raw=f"HTTP/1.1 200 OK\r\n{str(r.headers).replace(':', '=')}\r\n\r\n".encode()
    ),
    "a bad chunk": lambda r: Answer(
        raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET.encode()
    ),
    "no gzip": echo(200, {"Content-Encoding": "gzip", "Content-Type": "ECHO"}),
    "an ending": Answer(raw=b""),
    "a reset": Answer(200, JSON, b"{", end="reset", cut=0),
}


#: A password in JSON, which no operation of the graph has.
CHANGE = Request(
    "v1_change_password", "POST", "/api/v1/json/password", "ambiguous", json={"new": PASSWORD}
)

ACTS: list[Callable[[BroodClient], object]] = [
    lambda c: c.list_platforms(),
    lambda c: c.create_api_token("nightly"),
    lambda c: c.organization("acme").create_user("eve@example.com"),
    lambda c: c.at("acme/dev/rh8-x86_64").egg_index("cp311"),  # type: ignore[union-attr]
    lambda c: c._session.json_object(CHANGE),
]


@pytest.mark.parametrize("fault", FAULTS)
@by_kind
def test_an_answer_leaves_no_secret(kind, fault):
    failures = 0
    with answering(kind, FAULTS[fault]) as client:
        for act in ACTS:
            try:
                act(client)
            except HatcherException as error:
                failures += 1
                assert not leaks(error, SECRET, PAIR, PASSWORD)
                if fault in ("401", "403", "404", "500"):
                    assert "[redacted]" in str(error)
                    assert "[redacted]" in error.response.json()["error"]  # type: ignore[attr-defined]
    # Creating a user needs no answer in JSON.
    assert failures >= (1 if fault == "no field" else len(ACTS) - 1)


@pytest.mark.parametrize("fault", ["refused", "ending", "silence", "reset"])
@by_each
@by_kind
def test_no_answer_leaves_no_secret(kind, sends, fault):
    if kind in OWN and sends != "graph":
        pytest.skip("the raw client is that httpx client itself")
    over = threading.Event()

    def silent(_: Any) -> Answer:
        over.wait(PATIENCE)
        return Answer(500)

    answer = {"silence": silent, "reset": Answer(raw=b"", end="reset")}.get(fault, Answer(raw=b""))
    with ScriptedServer(giving_tokens(answer)) as server:
        if fault == "refused":
            server.refuse()
        with (
            connected(kind, server.url) as client,
            pytest.raises((HatcherException, httpx.TransportError)) as caught,
        ):
            if sends == "graph":
                client._session.send(CHANGE)
            ask(client, sends)
        over.set()
    assert not leaks(caught.value, SECRET, PAIR, PASSWORD)


@by_simple_kind
def test_a_reset_in_the_middle_of_an_upload_leaves_no_secret(kind, wire, pem, tmp_path):
    if wire.is_safe and kind in OWN:
        pytest.skip("its TLS is its own")
    egg = write_egg(tmp_path, "spam", "1.0", 1, payload_bytes=8 << 20)
    options: dict[str, Any] = {"verify_ssl": pem} if wire.is_safe else {}
    with (
        wire.talking(acting(lambda connection: connection.recv(100), reset)) as url,
        connected(kind, url, **options) as client,
        pytest.raises(HatcherException) as caught,
    ):
        platform_of(client).upload_egg(egg, verify=False)
    assert not leaks(caught.value, SECRET, PAIR)


@pytest.mark.parametrize("sends", ["graph", "raw"])
@by_kind
@pytest.mark.parametrize("where", ["sendall", "send", "recv_into", "settimeout", "recv"])
def test_ctrl_c_leaves_no_secret(kind, where, sends, monkeypatch):
    """No real server presses keys: the socket does, once the head of the request is there."""
    if kind in OWN and sends == "raw":
        pytest.skip("the raw client is that httpx client itself")
    original = getattr(socket.socket, where)
    main = threading.get_ident()
    armed = [False]

    def interrupted(self: socket.socket, *arguments: Any) -> Any:
        if threading.get_ident() == main and armed[0] and self.type == socket.SOCK_STREAM:
            raise KeyboardInterrupt
        return original(self, *arguments)

    with answering(kind, Answer(200, JSON, b'{"platforms": []}')) as client:
        ask(client, sends)
        monkeypatch.setattr(socket.socket, where, interrupted, raising=False)
        armed[0] = True
        try:
            if sends == "raw":
                ask(client, sends)
            else:
                client._session.send(CHANGE)
        except KeyboardInterrupt as error:
            assert not leaks(error, SECRET, PAIR, PASSWORD)
        else:
            assert where != "settimeout"  # of the others, each library uses some
        finally:
            armed[0] = False
            monkeypatch.undo()


@pytest.mark.parametrize(
    "answer",
    [
        echo(401),
        echo(403, {"Content-Type": "text/html"}),
        echo(500),
        echo(302, {"Location": "/ECHO"}),
        echo(200, {"Content-Type": "text/html"}),
        token(f"{SECRET}\r\nX: y"),
        token([SECRET]),
        Answer(200, JSON, f'{{"token": "{SECRET}"'.encode()),
        Answer(raw=f"HTTP/1.1 {SECRET}\r\n\r\n".encode()),
    ],
)
@pytest.mark.parametrize("login", [("ada", SECRET), SECRET], ids=["pair", "token"])
@by_each
def test_a_failed_exchange_leaves_no_secret(sends, login, answer):
    with (
        scripted(answer, login=login) as (_, client),
        pytest.raises(HatcherException) as caught,
    ):
        ask(client, sends)
    assert not leaks(caught.value, SECRET, PAIR)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BasicAuth(f"ada:{SECRET}", SECRET),
        lambda: BasicAuth("ada", f"{SECRET}\udc80"),
        lambda: BasicAuth(f"{SECRET}\ud800", "x"),
        lambda: BasicAuth("ada", [SECRET]),  # type: ignore[arg-type]
        lambda: BroodBearerTokenAuth(f"{SECRET}\n"),
        lambda: BroodBearerTokenAuth(SECRET * 10_000),
        lambda: BroodBearerTokenAuth([SECRET]),  # type: ignore[arg-type]
        lambda: BroodClientAuth("https://brood.example.com", f"{SECRET} "),
        lambda: BroodClientAuth("https://brood.example.com", ("a:b", SECRET)),
        lambda: BroodClientAuth("https://brood.example.com", [SECRET]),
        lambda: BroodClientAuth(f"https://ada:{SECRET}@brood.example.com/?q", "token"),
        lambda: BroodClientAuth(f"https://ada:{SECRET}@[::1", "token"),
        lambda: BroodClient.from_url("brood.example.com", auth=("a:b", SECRET)),
        lambda: BroodClient.from_url("brood.example.com", auth=("ada", f"{SECRET}\udc80")),
        lambda: BroodClient.from_url("brood.example.com", auth=SECRET),  # type: ignore[arg-type]
        lambda: BroodClient.from_url("brood.example.com", auth={"password": SECRET}),  # type: ignore[arg-type]
        lambda: BroodClient.from_url("brood.example.com", ("ada", SECRET), api_version=7),
        lambda: BroodClient.from_url("brood.example.com", ("ada", SECRET), timeout=-1),
        lambda: BroodClient.from_url("brood.example.com", ("ada", SECRET), cache=3),  # type: ignore[arg-type]
        lambda: BroodClient.from_url(f"https://ada:{SECRET}@brood.example.com:port"),
        lambda: BroodClient.from_url(f"https://ada:{SECRET}@brood.example.com/?query"),
        lambda: BroodClient.from_url(f"https://ada:{SECRET}\n@brood.example.com"),
        lambda: BroodClient.from_url(f"ftp://ada:{SECRET}@brood.example.com"),
        lambda: BroodClient.from_session(f"https://ada:{SECRET}@[::1", httpx.Client()),
        lambda: BroodClient.from_session(f"https://ada:{SECRET}@brood.example.com", None),
        lambda: BroodClient.from_url("brood.example.com").with_auth((f"{SECRET}:", SECRET)),
    ],
)
def test_what_cannot_be_used_is_refused_without_leaving_a_secret(make):
    with pytest.raises(InvalidArgumentError) as caught:
        make()
    assert not leaks(caught.value, SECRET)


def test_json_that_cannot_be_sent_is_refused_without_leaving_it():
    with scripted(Answer(201)) as (server, client):
        with pytest.raises(InvalidArgumentError, match="Unicode") as caught:
            client._session.send(CHANGE._replace(json={"new": f"{PASSWORD}\udc80"}))
        with pytest.raises(InvalidArgumentError, match="create organization"):
            client.create_organization("acme", "\ud800")
        assert not server.requests
    assert not leaks(caught.value, PASSWORD)


def raised_by(error: BaseException, name: str) -> bool:
    return any(frame.name == name for frame in traceback.extract_tb(error.__traceback__))


@by_each
@pytest.mark.parametrize("kind", ["callable", "callable with another header"])
def test_what_a_callable_raises_leaves_as_it_is_and_with_no_secret(kind, sends):
    error = Unpickled("mine")

    def failing(request: Any) -> None:
        KINDS[kind]("")(request)
        raise error

    with scripted(Answer(200), auth=failing) as (server, client):
        with pytest.raises(Unpickled) as caught:
            ask(client, sends)
        assert not server.requests
    assert caught.value is error and raised_by(error, "failing")
    assert not leaks(error, SECRET)


@by_simple_kind
def test_what_a_progress_callback_raises_leaves_with_no_secret(kind, tmp_path):
    error = Unpickled("mine")
    egg = write_egg(tmp_path, "spam", "1.0", 1, payload_bytes=1 << 20)

    def progress(done: int, total: int | None, phase: object) -> None:
        if done:
            raise error

    with answering(kind, Answer(201)) as client, pytest.raises(Unpickled) as caught:
        platform_of(client).upload_egg(egg, verify=False, progress=progress)
    assert caught.value is error and raised_by(error, "progress")
    assert not leaks(error, SECRET, PAIR)


@pytest.mark.parametrize("kind", KINDS)
def test_what_ones_own_transport_raises_leaves_with_no_secret(kind):
    def failing(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/tokens/auth"):
            content = json.dumps({"token": SECRET}).encode()
            return httpx.Response(200, headers=JSON, stream=httpx.ByteStream(content))
        raise Unpickled("mine")

    with httpx.Client(transport=httpx.MockTransport(failing)) as own:
        url = "https://brood.example.com"
        client = BroodClient.from_session(url, own).with_auth(KINDS[kind](url))
        with pytest.raises(Unpickled) as caught:
            client.list_platforms()
    assert not leaks(caught.value, SECRET, PAIR)


@pytest.mark.sampled(1)
@by_kind
def test_logs_and_objects_show_no_secret(kind, caplog):
    answers = [echo(503), Answer(200, JSON, b'{"platforms": []}'), echo(401)]
    once_more = RetryPolicy(1, backoff=0.01)
    with caplog.at_level(logging.DEBUG), answering(kind, *answers, retries=once_more) as client:
        for _ in range(2):
            with suppress(HatcherException):
                client.list_platforms()
        assert "503" in caplog.text
        if kind not in OWN:
            assert SECRET.encode() not in pickle.dumps(client)
        assert not shown_by(client)
    assert SECRET not in caplog.text and PAIR not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_the_raw_client_shows_no_secret(kind):
    url = f"https://ada:{SECRET}@brood.example.com"
    clients: list[object] = [
        BroodClient.from_url("https://brood.example.com", KINDS[kind](url)).raw,
        AuthenticatedClient(url, token=SECRET, headers={"X-Key": SECRET}),
        Client(url, cookies={"key": SECRET}, httpx_args={"auth": ("ada", SECRET)}),
    ]
    for text in (text for client in clients for text in renderings(client)):
        assert SECRET not in text and "brood.example.com" in text


def shown_by(root: object) -> list[str]:
    """Return which of hatcher's objects that can be reached from here show a secret."""
    rest, seen, found = [root], set(), []
    while rest:
        value = rest.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        module = type(value).__module__ or ""
        if module.startswith("hatcher"):
            found += [
                type(value).__name__ for text in renderings(value) if SECRET in text or PAIR in text
            ]
            rest += getattr(value, "__dict__", {}).values()
            slots = [n for c in type(value).__mro__ for n in getattr(c, "__slots__", ())]
            rest += [getattr(value, name) for name in slots if hasattr(value, name)]
        elif isinstance(value, dict):
            rest += value.values()
        elif isinstance(value, list | tuple | set | frozenset):
            rest += value
    return [name for name in found if name not in ("str", "dict")]


@by_kind
def test_a_file_name_that_repeats_a_secret_is_redacted(kind, tmp_path):
    def named(request: Any) -> Answer:
        words = "".join(request.headers.values()).replace('"', "")
        return Answer(200, {"Content-Disposition": f'attachment; filename="../{words}"'}, b"x")

    with answering(kind, named) as client, pytest.raises(MissingFilenameError) as caught:
        platform_of(client).download_runtime("cpython", "3.8", tmp_path, filename=lambda _: True)
    assert not leaks(caught.value, SECRET, PAIR)


@pytest.mark.parametrize(
    "said",
    [
        "pass&word+1 €/?",
        "pass&amp;word+1 €/?",
        "pass%26word%2B1%20%E2%82%AC%2F%3F",
        "pass%26word%2B1+%E2%82%AC%2F%3F",
        "pass&word+1 \\u20ac/?",
        "ada:pass&word+1 €/?",
        base64.b64encode("ada:pass&word+1 €/?".encode()).decode(),
        "Basic " + base64.b64encode("ada:pass&word+1 €/?".encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_written(said):
    redactor = Redactor()
    redactor.learn(BasicAuth("ada", "pass&word+1 €/?").header)
    assert redactor(f"We got <{said}>, which is wrong.") == "We got <[redacted]>, which is wrong."


def test_what_is_no_secret_stays():
    redactor = Redactor()
    assert redactor("Nothing was sent.") == "Nothing was sent."
    redactor.learn(BasicAuth("ada", "wrong").header)
    redactor.learn(BroodBearerTokenAuth("a1").header)
    assert redactor("The password is wrong: a1, ca1.") == "The password is wrong: [redacted], ca1."
    assert redactor("ada:wrong") == "[redacted]"


@pytest.mark.parametrize("password", ["incomplete", "timeout", "protocol", "cancelled", "gzip"])
def test_a_password_that_is_a_word_of_hatchers_own_does_no_harm(password):
    body = gzip.compress(b'{"platforms": []}')
    packed = Answer(200, {**JSON, "Content-Encoding": "gzip"}, body)
    answers = [packed, Answer(raw=b"HTTP/1.1 200 OK\r\n"), Answer(raw=b"no\r\n\r\n")]
    with scripted(*answers, auth=("ada", password)) as (_, client):
        assert client.list_platforms() == []
        for kind in (IncompleteDownloadError, InvalidResponseError):
            with pytest.raises(kind):
                client.list_platforms()


def test_only_so_many_secrets_are_remembered():
    redactor = Redactor()
    for number in range(1000):
        redactor.learn(Secret(f"secret-number-{number}."))
        redactor.learn(Secret(f"secret-number-{number}."))
    assert redactor("secret-number-0. secret-number-999.") == "secret-number-0. [redacted]"


def test_the_search_finds_what_there_is():
    """Else all of the above would prove nothing."""
    names: dict[str, Any] = {}
    text = "def outer(secret):\n    kept = [secret]\n    raise ValueError('outer')"
    exec(compile(text, "elsewhere.py", "exec"), names)
    with pytest.raises(ValueError, match="outer") as caught:
        names["outer"](SECRET)
    assert len(leaks(caught.value, SECRET)) >= 2
    hidden = HatcherException("no")
    hidden.__cause__ = ValueError(SECRET)
    assert leaks(hidden, SECRET)
    hidden.__cause__ = None
    hidden.__context__ = UnicodeEncodeError("ascii", SECRET, 0, 1, "no")
    assert leaks(hidden, SECRET)
    assert not leaks(HatcherException("no"), SECRET)
