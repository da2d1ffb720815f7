"""The gateway fails at the requests that are meant, as seen by a client that no one here wrote."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from hatcher.testing import (
    Answer,
    Fault,
    FaultyGateway,
    Request,
    RequestFault,
    ScriptedServer,
)

BODY = bytes(range(256)) * 8000  # 2 MB: more than the buffers of a socket pair hold at once


def echo(request: Request) -> Answer:
    """Answer with what was asked."""
    return Answer(200, {"X-Method": request.method}, request.body or request.target.encode())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(echo) as server:
        yield server


@pytest.fixture
def gateway(server: ScriptedServer) -> Iterator[FaultyGateway]:
    with FaultyGateway(server.url) as gateway:
        yield gateway


@pytest.fixture
def connection(gateway: FaultyGateway) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=10)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection,
    method: str = "GET",
    target: str = "/a",
    body: bytes | None = None,
    **headers: str,
) -> tuple[int, bytes]:
    connection.request(method, target, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


Connection = http.client.HTTPConnection


@contextlib.contextmanager
def asking(answer: Answer, *faults: RequestFault) -> Iterator[Connection]:
    """Give a connection to a gateway before a server with one answer."""
    with (
        ScriptedServer(answer) as server,
        FaultyGateway(server.url, *faults) as gateway,
        contextlib.closing(Connection(urlsplit(gateway.url).netloc, timeout=10)) as connection,
    ):
        yield connection


def talk(gateway: FaultyGateway, *said: bytes) -> list[bytes]:
    """Say some things over one connection, and wait for something after each."""
    with socket.create_connection(("127.0.0.1", urlsplit(gateway.url).port)) as client:
        client.settimeout(10)
        heard = []
        for words in said:
            client.sendall(words)
            heard.append(client.recv(1000))
        return heard


def talk_to_the_end(gateway: FaultyGateway, said: bytes) -> bytes:
    """Say something, and return all that comes."""
    with socket.create_connection(("127.0.0.1", urlsplit(gateway.url).port)) as client:
        client.settimeout(10)
        client.sendall(said)
        return b"".join(iter(lambda: client.recv(1000), b""))


class TestPassing:
    def test_what_no_fault_is_about_passes_untouched(self, gateway, connection):
        gateway.add(RequestFault("reset", path="/elsewhere"))
        assert ask(connection, target="/a/b?c=d") == (200, b"/a/b?c=d")
        assert ask(connection, "POST", body=BODY) == (200, BODY)
        assert ask(connection, "POST", body=b"x", Expect="") == (200, b"x")
        assert gateway.connections == 1

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (Answer(204), (204, b"")),
            (Answer(304), (304, b"")),
            (
                Answer(200, {"Transfer-Encoding": "chunked"}, b"3\r\nabc\r\n0\r\n\r\n"),
                (200, b"abc"),
            ),
            (Answer(200, {"Connection": "close"}, BODY, end="close"), (200, BODY)),
            (Answer(raw=b"HTTP/1.1 200 OK\r\n\r\nto the end"), (200, b"to the end")),
            (Answer(raw=b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"), (200, b"x")),
            (Answer(raw=b"HTTP/1.1 100 Go\r\n\r\n" + Answer(200, body=b"x").render()), (200, b"x")),
        ],
        ids=["204", "304", "chunked", "closed", "no length", "HTTP/1.0", "interim"],
    )
    def test_answers_of_every_kind(self, answer, expected):
        with asking(answer) as connection:
            for _ in range(2):
                assert ask(connection) == expected
                connection.close()

    def test_the_answer_to_a_head_has_no_body(self):
        answers = Answer(200, {"Content-Length": "5"}), Answer(200, body=b"x")
        with ScriptedServer(*answers) as server, FaultyGateway(server.url) as gateway:
            connection = Connection(urlsplit(gateway.url).netloc, timeout=10)
            assert ask(connection, "HEAD") == (200, b"")
            assert ask(connection) == (200, b"x")
            connection.close()

    def test_an_answer_before_the_end_of_the_body(self):
        early = Answer(413, body=b"Too large.", early=True)
        with ScriptedServer(early) as server, FaultyGateway(server.url) as gateway:
            whole = BODY * 10
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(whole)}\r\n\r\n"
            assert talk_to_the_end(gateway, head.encode()).endswith(b"Too large.")

    def test_a_client_that_asks_before_it_sends_the_body(self, brood_server):
        body = b'{"name": "acme"}'
        pair = f"{brood_server.admin_email}:{brood_server.admin_password}".encode()
        head = (
            "POST /api/v1/json/admin/organizations HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Basic {base64.b64encode(pair).decode()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        with FaultyGateway(brood_server.url) as gateway:
            asked, told = talk(gateway, head.encode(), body)
        assert b" 100 " in asked
        assert b" 201 " in told

    def test_in_a_process_that_has_much_open(self, server):
        """More than select() can take."""
        resource = pytest.importorskip("resource")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 <= hard < 2048:
            pytest.skip(f"a process may have no more than {hard} descriptors here")
        with contextlib.ExitStack() as opened:
            opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
            if 0 <= soft < 2048:
                resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
            taken = 0
            while taken < 1024:
                taken = os.dup(server._listening.fileno())
                opened.callback(os.close, taken)
            with FaultyGateway(server.url) as gateway:
                connection = Connection(urlsplit(gateway.url).netloc, timeout=10)
                assert ask(connection, "POST", body=BODY) == (200, BODY)
                connection.close()

    def test_a_request_without_a_length_is_refused(self, gateway):
        (told,) = talk(gateway, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert b" 411 " in told

    def test_a_server_that_ends_ends_the_connection(self):
        with asking(Answer(200, body=BODY, cut=1000)) as connection:
            with pytest.raises(http.client.IncompleteRead) as caught:
                ask(connection)
            assert len(caught.value.partial) == 1000


class TestStriking:
    @pytest.mark.parametrize(
        ("kind", "error"),
        [("reset", ConnectionResetError), ("cut", http.client.RemoteDisconnected)],
    )
    @pytest.mark.parametrize(
        ("at", "reached"), [("request", 0), ("request body", 0), ("answer", 1)]
    )
    def test_no_answer(self, gateway, server, connection, kind, error, at, reached):
        gateway.add(RequestFault(kind, at=at))
        with pytest.raises(error):
            ask(connection, "POST", body=b"abcdefgh")
        gateway.settle()
        assert (gateway.sent(), gateway.reached()) == (1, reached)
        assert [request.body for request in server.requests] in ([b"abcdefgh"] * reached, [b"abcd"])
        (passage,) = gateway.requests
        assert (passage.status, passage.fault) == (None, RequestFault(kind, at=at))
        connection.close()
        assert ask(connection) == (200, b"/a")

    def test_in_a_request_without_a_body_its_head_is_cut(self, gateway, server, connection):
        gateway.add(RequestFault("cut", at="request body"))
        with pytest.raises(http.client.RemoteDisconnected):
            ask(connection)
        assert (gateway.sent(), gateway.reached()) == (1, 0)

    @pytest.mark.parametrize("after", [None, 100])
    def test_half_of_a_large_request(self, gateway, connection, after):
        gateway.add(RequestFault("reset", at="request body", after=after))
        with pytest.raises(ConnectionError):
            ask(connection, "POST", body=BODY)
        assert gateway.reached() == 0

    @pytest.mark.parametrize(("after", "passed"), [(None, len(BODY) // 2), (7, 7)])
    def test_an_answer_that_is_cut(self, gateway, connection, after, passed):
        gateway.add(RequestFault("cut", at="answer body", after=after))
        with pytest.raises(http.client.IncompleteRead) as caught:
            ask(connection, "POST", body=BODY)
        assert caught.value.partial == BODY[:passed]

    def test_an_answer_that_is_reset(self, gateway, connection):
        gateway.add(RequestFault("reset", at="answer body"))
        with pytest.raises(ConnectionResetError):
            ask(connection, "POST", body=BODY)

    def test_an_answer_without_a_body_is_cut_in_its_head(self):
        cut = RequestFault("cut", at="answer body")
        with ScriptedServer(Answer(204)) as server, FaultyGateway(server.url, cut) as gateway:
            answer = talk_to_the_end(gateway, b"DELETE / HTTP/1.1\r\n\r\n")
            assert Answer(204).render().startswith(answer)
            assert not answer.endswith(b"\r\n\r\n")

    def test_the_end_of_a_kept_connection(self, gateway, connection):
        gateway.add(RequestFault("reset", at="end"))
        assert ask(connection) == (200, b"/a")
        gateway.settle()
        with pytest.raises(ConnectionError):
            ask(connection)
        assert gateway.sent() == 1

    @pytest.mark.parametrize("at", ["request", "request body", "answer", "answer body"])
    def test_silence(self, gateway, connection, at):
        gateway.add(RequestFault("stall", at=at))
        connection.timeout = 0.3
        with pytest.raises(TimeoutError):
            ask(connection, "POST", body=b"abcdefgh")
        connection.close()
        gateway.settle()
        assert gateway.reached() == at.startswith("answer")

    @pytest.mark.parametrize(("at", "reached"), [("request", 0), ("answer", 1)])
    def test_another_answer(self, gateway, connection, at, reached):
        gateway.add(RequestFault("replace", at=at, answer=Answer(502, body=b"Not now")))
        assert ask(connection, "POST", body=BODY) == (502, b"Not now")
        assert ask(connection) == (200, b"/a")
        assert gateway.connections == 1
        assert [passage.status for passage in gateway.requests] == [502, 200]
        assert gateway.reached("POST") == reached

    def test_a_client_that_asks_first_is_answered_at_once(self, gateway):
        gateway.add(RequestFault("replace", at="request", answer=Answer(401)))
        (told,) = talk(
            gateway, b"POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        assert b" 401 " in told

    def test_one_byte_is_another(self, gateway, connection):
        gateway.add(RequestFault("flip"))
        _, received = ask(connection, "POST", body=BODY)
        different = [i for i, (a, b) in enumerate(zip(received, BODY, strict=True)) if a != b]
        assert different == [len(BODY) // 2]

    def test_the_first_byte_of_an_answer_without_a_body(self):
        flip = RequestFault("flip")
        with asking(Answer(204), flip) as connection, pytest.raises(http.client.BadStatusLine):
            ask(connection)

    def test_a_chunked_answer_is_cut(self):
        answer = Answer(200, {"Transfer-Encoding": "chunked"}, b"3\r\nabc\r\n0\r\n\r\n")
        cut = RequestFault("cut", at="answer body")
        with asking(answer, cut) as connection, pytest.raises(http.client.IncompleteRead):
            ask(connection)

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (Answer(200, body=b"abc"), "bytes 1-3/4"),
            (Answer(206, {"Content-Range": "bytes 5-7/9"}, b"abc"), "bytes 6-8/10"),
        ],
    )
    def test_a_range_that_nobody_asked_for(self, answer, said):
        with asking(answer, RequestFault("range")) as connection:
            connection.request("GET", "/")
            given = connection.getresponse()
            assert (given.status, given.headers.get_all("Content-Range")) == (206, [said])
            assert given.read() == b"abc"


class TestChoosing:
    def test_by_method_and_path(self, gateway, connection):
        fault = RequestFault("replace", method="POST", path="/a/{name}/c", times=100)
        gateway.add(fault)
        assert ask(connection, "POST", "/a/b/c?d")[0] == 503
        assert ask(connection, "POST", "/a/b/b/c")[0] == 200
        assert ask(connection, "GET", "/a/b/c")[0] == 200
        assert fault.means("POST", "/a/x/c")
        assert RequestFault("reset", path="*/c").means("GET", "/a/b/c")
        assert not RequestFault("reset", path="*/c").means("GET", "/a/b/c/d")
        assert RequestFault("reset", path="/a+b").means("GET", "/a+b")
        assert gateway.sent("POST") == 2
        assert gateway.sent(path="/a/{name}/c") == 2

    def test_how_often_and_when(self, gateway, connection):
        gateway.add(
            RequestFault("replace", skip=1, times=2, answer=Answer(502)),
            RequestFault("replace", answer=Answer(504)),
        )
        assert [ask(connection)[0] for _ in range(5)] == [504, 502, 502, 200, 200]

    def test_clearing(self, gateway, connection):
        ask(connection)
        gateway.add(RequestFault("reset"))
        gateway.clear()
        assert ask(connection)[0] == 200
        assert gateway.sent() == 1

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ({"kind": "explode"}, "one of reset, cut"),
            ({"kind": "flip", "at": "request"}, "happens at answer body"),
            ({"kind": "stall", "at": "end"}, "happens at request or"),
            ({"kind": "replace", "at": "answer body"}, "request or answer"),
        ],
    )
    def test_what_cannot_be(self, arguments, says):
        with pytest.raises(ValueError, match=says):
            RequestFault(**arguments)

    def test_no_secret_is_shown(self, gateway, connection):
        ask(connection, Authorization="Bearer s3cret")
        (passage,) = gateway.requests
        assert passage.headers["authorization"] == "Bearer s3cret"
        assert "s3cret" not in repr(passage)


class TestRefusing:
    def test_nobody_listens_for_a_while(self, gateway, connection):
        ask(connection)
        gateway.refuse()
        gateway.refuse()
        with pytest.raises(ConnectionError):
            ask(connection)
        connection.close()
        with pytest.raises(ConnectionRefusedError):
            ask(connection)
        connection.close()
        gateway.accept_again()
        gateway.accept_again()
        assert ask(connection) == (200, b"/a")

    def test_closing_while_it_refuses(self, server):
        with FaultyGateway(server.url) as gateway:
            gateway.refuse()
        with pytest.raises(ConnectionRefusedError):
            ask(Connection(urlsplit(gateway.url).netloc, timeout=10))

    def test_waiting_for_what_does_not_end(self, gateway, connection):
        gateway.add(RequestFault("stall"))

        def fail() -> None:
            with pytest.raises((OSError, http.client.HTTPException)):
                ask(connection)

        asking = threading.Thread(target=fail)
        asking.start()
        while not gateway.requests:
            pass
        with pytest.raises(TimeoutError):
            gateway.settle(0.05)
        gateway.close()
        asking.join()


def test_the_fixture_of_a_gateway(brood_server, faulty_gateway):
    gateway = faulty_gateway(RequestFault("cut", at="answer", method="GET"))
    assert brood_server.client(url=gateway.url).list_organizations() == []
    assert (gateway.sent(), gateway.reached()) == (2, 2)


def test_the_fixture_of_a_proxy(brood_server, fault_proxy):
    proxy = fault_proxy(Fault("cut", after=10))
    assert brood_server.client(url=proxy.url, retries=1).list_organizations() == []
    assert proxy.connections == 2
