"""Connections: what clients may send and how long they may take, over sockets as they come."""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from hatcher.server import connections, runner
from hatcher.server.runner import BackgroundServer
from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, Client, connect
from .test_running import process, ready
from .test_uploads import file_part, head_of, multipart, wait_until

GET = b"GET /docs HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/json/auth/tokens/api HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client does is worth a line."""
    with caplog.at_level(logging.INFO):
        yield
    loud = [
        record
        for record in caplog.records
        if "hatcher" in record.name or "uvicorn" in record.name or "asyncio" in record.name
    ]
    assert [record.getMessage() for record in loud if record.levelno >= logging.WARNING] == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of this process gives up soon."""
    monkeypatch.setattr(connections, "HEAD_TIME", 0.3)
    monkeypatch.setattr(connections, "BODY_TIME", 0.6)
    monkeypatch.setattr(runner, "_TICK", 0.05)


def everything(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(1 << 16):
            received += chunk
    return received


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """The first status of what comes, and all of it."""
    received = everything(connection)
    return int(received.split(b" ", 2)[1]) if received else 0, received


def ask(server: BackgroundServer, sent: bytes) -> tuple[int, bytes]:
    with connect(server) as connection:
        with contextlib.suppress(ConnectionError):  # it may have had enough
            connection.sendall(sent)
        return answer(connection)


LARGE = connections.MAX_HEAD + 1


@pytest.mark.parametrize(
    "sent",
    [
        GET + b"X: " + b"x" * LARGE,
        GET + b"X: " + b"x" * LARGE + b"\r\n\r\n",
        GET + b"x" * LARGE,
        GET + b"X: 0123456789\r\n" * (LARGE // 15) + b"\r\n",
        GET + b"X:\r\n" * (connections.MAX_HEADER_LINES + 1) + b"\r\n",
        b"GET /" + b"x" * LARGE,
        b"GET /" + b"x" * LARGE + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?" + b"x" * LARGE + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=lambda sent: f"{sent[:8]}{len(sent)}{sent[-4:]}",
)
def test_heads_that_are_too_large(server, sent):
    status, received = ask(server, sent)
    assert status == 431
    assert received.endswith(b'"}')
    assert b'{"error":"' in received.replace(b" ", b"")
    assert b"content-type: application/json\r\n" in received


def test_large_heads(server):
    lines = b"X: 0123456789\r\n" * 90
    sent = GET + lines + b"Y: " + b"y" * 60_000 + b"\r\nConnection: close\r\n\r\n"
    assert ask(server, sent)[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"GET /\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
        GET + b"X\x00: y\r\n\r\n",
        GET + b"X: a\x00b\r\n\r\n",
        GET + b"Content-Length: -1\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        GET + b"Content-Length: 99999999999999999999999\r\n\r\n",
        GET + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_what_is_no_request(server, sent):
    status, received = ask(server, sent)
    assert status == 400
    assert b"connection: close" in received
    assert httpx.get(server.url + "/").status_code == 200


def test_junk_after_a_request_leaves_it_its_answer(server):
    status, received = ask(server, GET + b"\r\n" + b"\x00\x01junk" * 100)
    assert status == 200
    assert received.count(b"HTTP/1.1 ") == 1


def test_many_requests_at_once_are_answered_in_part(server):
    status, received = ask(server, (GET + b"\r\n") * 2000)
    assert status == 200
    assert 2 <= received.count(b"HTTP/1.1 200") <= 500


def test_a_protocol_that_is_not_spoken_here(server):
    for upgrade in (b"websocket", b"h2c"):
        sent = GET + b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n"
        assert ask(server, sent + b"\x00" * 100)[0] == 200


def test_a_client_that_has_said_all(server):
    """It closes its own half; that is no reason to keep the answer from it."""
    with connect(server) as connection:
        connection.sendall(GET + b"\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection)[0] == 200


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"", 0), (b"\r\n", 408), (b"GET", 408), (GET, 408), (GET + b"X: y", 408), (POST, 401)],
)
def test_requests_that_do_not_come(server, sent, status):
    assert ask(server, sent)[0] == status


@pytest.mark.usefixtures("impatient")
def test_heads_that_come_slowly(server):
    """A byte now and then makes no request."""
    with connect(server) as connection:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for byte in GET:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        assert answer(connection)[0] in (0, 408)  # sending to a closed one may lose the answer
        assert time.monotonic() - began < 8


@pytest.mark.usefixtures("impatient")
def test_bodies_that_end_in_silence(admin, server, egg):
    with connect(server) as connection:
        connection.sendall(head_of(admin, 1 << 20) + b"--limit\r\nContent-")
        assert answer(connection)[0] == 408
    wait_until(lambda: not list((server.settings.data / "incoming").iterdir()))


@pytest.mark.usefixtures("impatient")
def test_bodies_that_come_slowly(admin, server, egg):
    form = multipart(file_part(egg), ('name="data"', b"{}"))
    content = form["content"]
    with connect(server) as connection:
        connection.sendall(head_of(admin, len(content)))
        for at in range(8):
            connection.sendall(content[at : at + 1] if at < 7 else content[7:])
            time.sleep(0.2)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_connection_is_kept_after_a_body_that_nobody_took(server, monkeypatch):
    """It is answered before it is sent, what follows is dropped, and then it is closed unused."""
    monkeypatch.setattr(connections, "KEEP_ALIVE", 0.5)
    with connect(server) as connection:
        connection.sendall(POST)
        assert connection.recv(12) == b"HTTP/1.1 401"
        connection.sendall(b" " * 99 + GET + b"\r\n")
        assert b"HTTP/1.1 200 " in everything(connection)


def half_open(connect: Callable[[], socket.socket], count: int) -> list[socket.socket]:
    """Connections of which nobody will hear more."""
    opened = []
    for number in range(count):
        connection = connect()
        opened.append(connection)
        connection.sendall([b"", b"GET / HT", GET, POST][number % 4])
    return opened


def test_half_open_connections_keep_nobody_out(tmp_path):
    with process(tmp_path / "brood") as started, ready(started) as client:
        opened = half_open(lambda: connect(client), 500)
        for _ in range(3):
            with Client(base_url=client.base_url, auth=client.auth) as other:
                assert other.get("/metadata/platforms", timeout=10).status_code == 200
        assert client.get("/metadata/platforms", timeout=10).status_code == 200
        for connection in opened:
            connection.close()
        started.terminate()
        _, log = started.communicate(timeout=30)
    assert log == ""


@pytest.mark.usefixtures("impatient")
def test_half_open_connections_are_closed(server):
    opened = half_open(lambda: connect(server), 100)
    assert httpx.get(server.url + "/").status_code == 200
    assert [answer(connection)[0] for connection in opened] == [0, 408, 408, 401] * 25
    for connection in opened:
        connection.close()


def test_too_many_connections(server, admin, monkeypatch):
    """Those that wait make way, the one that has waited longest first."""
    monkeypatch.setattr(connections, "most_connections", lambda: 16)
    opened = half_open(lambda: connect(server), 40)
    for _ in range(5):
        assert httpx.get(server.url + "/").status_code == 200
    for connection in opened:
        connection.close()
    # Uploads do not make way; who comes then is told to come again.
    opened = []
    here = server._server.server_state.connections
    for number in range(16):
        connection = connect(server)
        connection.sendall(head_of(admin, 1 << 20) + b"--limit\r\n")
        opened.append(connection)
        wait_until(lambda: sum(not each.waits for each in list(here)) > number)  # noqa: B023
    wait_until(lambda: refused_at(server))
    for connection in opened:
        connection.close()
    wait_until(lambda: not refused_at(server))


def refused_at(server: BackgroundServer) -> bool:
    with connect(server) as connection:
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            return connection.recv(100).startswith(b"HTTP/1.1 503 ")
    return False


def test_downloads_that_nobody_takes(admin, server, tmp_path, monkeypatch):
    """The client goes, or stays and takes nothing: the file is not read to its end for it."""
    monkeypatch.setattr(connections, "ANSWER_TIME", 0.5)
    monkeypatch.setattr(runner, "_TICK", 0.05)
    egg = write_egg(tmp_path, "big", payload_bytes=24 << 20)
    assert admin.upload_egg(egg).status_code == 201
    url = f"/data/acme/dev/{PLATFORM}/none/eggs/big/1.0.0-1"
    for leaves in (True, False):
        head = head_of(admin, 0).replace(b"POST", b"GET", 1)
        path = admin.base_url.path.rstrip("/") + url
        with connect(server) as connection:
            connection.sendall(head.replace(head.split(b" ")[1], path.encode()))
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
            if not leaves:
                wait_until(lambda: len(server._server.server_state.connections) <= 1)
    assert admin.get(url).content == egg.read_bytes()


def test_head_is_answered_as_get_without_the_body(admin, tmp_path):
    egg = write_egg(tmp_path, "spam")
    assert admin.upload_egg(egg).status_code == 201
    for url in (
        f"/data/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1",
        f"/indices/acme/dev/{PLATFORM}/cp311/eggs",
        f"/metadata/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1",
        "/metadata/platforms",
        "/metadata/nowhere",
        f"/data/acme/dev/{PLATFORM}/none/eggs/spam/9-9",
    ):
        get, head = admin.get(url), admin.head(url)
        assert head.content == b""
        assert head.status_code == get.status_code
        for headers in (get.headers, head.headers):
            del headers["date"], headers["x-request-id"]
        assert head.headers == get.headers
    part = admin.head(
        f"/data/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1", headers={"Range": "bytes=0-9"}
    )
    assert (part.status_code, part.headers["content-length"]) == (206, "10")


def test_secrets_are_kept_by_nobody_between(admin):
    for response in (
        admin.post("/auth/tokens/auth"),
        admin.post("/auth/tokens/api", json={"name": "mine"}),
        admin.get("/auth/tokens/api"),
        admin.post("/admin/organizations/acme/users", json={"email": "ada@example.com"}),
    ):
        assert response.is_success
        assert response.headers["cache-control"] == "no-store"
