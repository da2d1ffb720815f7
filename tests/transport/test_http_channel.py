"""The channel over http.client: framing, kept connections, early answers, waits, cancelling."""

from __future__ import annotations

import os
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme

from hatcher.testing import Answer, ScriptedServer
from hatcher.transport import pool
from hatcher.transport.cancel import CancelToken
from hatcher.transport.channel import Headers, Outgoing, Trouble
from hatcher.transport.http_channel import MAX_HEAD, HTTPChannel
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import split

#: For what is to time out; anything else may take its time, on a busy machine too.
QUICK = Timeouts(connect=2, read=0.3, write=0.3, pool=0.3, stall=0.3)
OK = b"HTTP/1.1 200 OK\r\n"


def no_tls() -> ssl.SSLContext:
    raise AssertionError("plain http needs no TLS")


def get(url: str, method: str = "GET") -> Outgoing:
    origin, target = split(url)
    return Outgoing(method, origin, target or "/", {})


def post(url: str, blocks: list[bytes]) -> Outgoing:
    origin, target = split(url)
    return Outgoing("POST", origin, target, {}, blocks, sum(map(len, blocks)))


@contextmanager
def channel(timeouts: Timeouts = Timeouts()) -> Iterator[HTTPChannel]:
    made = HTTPChannel(timeouts, no_tls)
    yield made
    made.close()


def whole(made: HTTPChannel, outgoing: Outgoing) -> tuple[int, Headers, bytes]:
    answer = made.exchange(outgoing)
    try:
        return answer.status_code, answer.headers, answer.read(1 << 30)
    finally:
        answer.close()


@contextmanager
def talking(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that serves each connection with a function, one after the other."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                serve(connection)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


class TestFraming:
    @pytest.mark.parametrize(
        ("raw", "status", "body"),
        [
            (OK + b"Content-Length: 5\r\n\r\nhello", 200, b"hello"),
            (OK + b"Content-Length: 0\r\n\r\n", 200, b""),
            (OK + b"\r\nuntil the end", 200, b"until the end"),
            (
                OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
                200,
                b"hello!",
            ),
            (
                OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\nDigest: x\r\n\r\n",
                200,
                b"!",
            ),
            (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
            (b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 9\r\n\r\n', 304, b""),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
            (
                b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\n1",
                200,
                b"1",
            ),
            (
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
                500,
                b"",
            ),
        ],
    )
    @pytest.mark.parametrize("step", [1, 7, 10_000])
    def test_where_a_body_ends(self, raw: bytes, status: int, body: bytes, step: int) -> None:
        def serve(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(raw), step):
                connection.sendall(raw[start : start + step])

        with talking(serve) as url, channel() as made:
            found_status, headers, found = whole(made, get(url))
        assert (found_status, found) == (status, body)
        assert "link" not in headers

    @pytest.mark.parametrize(
        ("raw", "kind"),
        [
            (b"220 mail ready\r\n\r\n", "no HTTP"),
            (b"HTTP/9.9 200 OK\r\n\r\n", "no HTTP"),
            (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "no HTTP"),
            (OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", "no HTTP"),
            (OK + b"Content-Length: five\r\n\r\nhello", "no HTTP"),
            (OK + b"Content-Length: -5\r\n\r\nhello", "no HTTP"),
            (OK + b"no colon\r\n\r\n", "no HTTP"),
            (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", "no HTTP"),
            (b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "no HTTP"),
            (OK + b"X: " + b"x" * 2 * MAX_HEAD, "no HTTP"),
            (b"", "no answer"),
            (OK, "ended early"),
            (OK + b"Content-Length: 10\r\n\r\nhello", "ended early"),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "ended early"),
        ],
    )
    def test_what_is_no_whole_answer(self, raw: bytes, kind: str) -> None:
        with (
            ScriptedServer(Answer(raw=raw)) as server,
            channel() as made,
            pytest.raises(Trouble) as caught,
        ):
            whole(made, get(server.url))
        assert caught.value.kind == kind

    def test_headers_are_found_in_any_case_and_joined(self) -> None:
        raw = OK + b"CONTENT-length: 0\r\nWarning: a\r\nwarning: b\r\n\r\n"
        with ScriptedServer(Answer(raw=raw)) as server, channel() as made:
            _, headers, _ = whole(made, get(server.url))
        assert headers["Content-Length"] == headers.get("content-LENGTH") == "0"
        assert headers["WARNING"] == "a, b"
        assert "Content-Length" in headers and "X" not in headers and headers.get("X") is None

    def test_a_large_body_goes_into_the_callers_buffer(self) -> None:
        content = os.urandom(3_000_000)
        with ScriptedServer(Answer(body=content)) as server, channel() as made:
            answer = made.exchange(get(server.url))
            buffer, received = memoryview(bytearray(1_000_000)), bytearray()
            while size := answer.readinto(buffer):
                received += buffer[:size]
            answer.close()
            assert received == content
            assert whole(made, get(server.url))[2] == content
            assert server.connections == 1


class TestKeptConnections:
    def test_one_is_used_again(self) -> None:
        with ScriptedServer(Answer(body=b"x")) as server, channel() as made:
            for _ in range(5):
                assert whole(made, get(server.url))[0] == 200
            assert server.connections == 1

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(headers={"Connection": "close"}, body=b"x"),
            Answer(body=b"x", end="close"),
            Answer(raw=b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            Answer(raw=OK + b"Content-Length: 1\r\n\r\nx" + OK + b"Content-Length: 0\r\n\r\n"),
            Answer(raw=OK + b"Content-Length: 1\r\n\r\nxgarbage"),
        ],
    )
    def test_not_one_that_ended_or_said_too_much(self, answer: Answer) -> None:
        with ScriptedServer(answer, Answer(body=b"y")) as server, channel() as made:
            assert whole(made, get(server.url))[2] == b"x"
            assert whole(made, get(server.url))[2] == b"y"
            assert server.connections == 2

    def test_not_one_whose_body_was_not_read(self) -> None:
        with ScriptedServer(Answer(body=b"x" * 500_000)) as server, channel() as made:
            made.exchange(get(server.url)).close()
            assert len(whole(made, get(server.url))[2]) == 500_000
            assert server.connections == 2

    def test_not_one_that_was_idle_for_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pool, "KEPT_FOR", 0.0)
        with ScriptedServer(Answer(body=b"x")) as server, channel() as made:
            whole(made, get(server.url))
            whole(made, get(server.url))
            assert server.connections == 2

    def test_no_more_than_there_may_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 2)
        with ScriptedServer(Answer(body=b"x")) as server, channel(QUICK) as made:
            taken = [made.exchange(get(server.url)) for _ in range(2)]
            with pytest.raises(Trouble) as caught:
                made.exchange(get(server.url))
            assert caught.value.kind == "no free connection"
            taken.pop().close()
            assert whole(made, get(server.url))[0] == 200
            del taken  # an answer that nobody holds gives its connection back, too
            assert whole(made, get(server.url))[0] == 200

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_fork_makes_its_own(self) -> None:
        with ScriptedServer(Answer(body=b"x")) as server, channel() as made:
            whole(made, get(server.url))
            child = os.fork()
            if child == 0:
                status = whole(made, get(server.url))[0]
                os._exit(0 if status == 200 else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert server.connections == 2
            assert whole(made, get(server.url))[0] == 200
            assert server.connections == 2

    def test_many_threads_share_them(self) -> None:
        echo = ScriptedServer(lambda request: Answer(body=request.target.encode()))
        with echo as server, channel() as made:
            wrong: list[bytes] = []

            def ask(name: int) -> None:
                for number in range(30):
                    target = f"/{name}/{number}"
                    body = whole(made, get(server.url + target))[2]
                    if body != target.encode():
                        wrong.append(body)

            threads = [threading.Thread(target=ask, args=(name,)) for name in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert wrong == []
            assert server.connections <= 8


class TestBodies:
    def test_small_parts_go_out_together(self) -> None:
        received: list[bytes] = []

        def serve(connection: socket.socket) -> None:
            received.append(connection.recv(65536))
            connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

        with talking(serve) as url, channel() as made:
            whole(made, post(url, [b"a" * 100, b"b" * 100, b"c" * 100]))
        assert received[0].endswith(b"\r\n\r\n" + b"a" * 100 + b"b" * 100 + b"c" * 100)

    def test_a_wrong_length_is_found_out(self) -> None:
        with ScriptedServer(Answer()) as server, channel() as made:
            outgoing = post(server.url, [b"123"])._replace(content_length=4)
            with pytest.raises(ValueError, match="3 bytes, not 4"):
                made.exchange(outgoing)

    def test_an_early_answer_stops_the_body(self) -> None:
        given = 0

        def blocks() -> Iterator[bytes]:
            nonlocal given
            for _ in range(300):
                given += 1
                yield b"x" * 1_000_000

        origin, _ = split("http://x/")
        with ScriptedServer(Answer(401, body=b"no", early=True)) as server, channel() as made:
            origin, target = split(server.url)
            outgoing = Outgoing("POST", origin, target, {}, blocks(), 300_000_000)
            assert whole(made, outgoing)[::2] == (401, b"no")
        assert given < 100

    def test_an_error_in_the_body_ends_the_connection(self) -> None:
        def blocks() -> Iterator[bytes]:
            yield b"x" * 100_000
            raise RuntimeError("the disk is gone")

        with ScriptedServer(Answer()) as server, channel() as made:
            origin, target = split(server.url)
            with pytest.raises(RuntimeError, match="disk"):
                made.exchange(Outgoing("POST", origin, target, {}, blocks(), 200_000))
            assert whole(made, get(server.url))[0] == 200
            assert server.connections == 2

    def test_a_server_that_takes_nothing(self) -> None:
        hold = threading.Event()
        with (
            talking(lambda connection: bool(hold.wait(10)) and None) as url,
            channel(QUICK) as made,
        ):
            with pytest.raises(Trouble) as caught:
                made.exchange(post(url, [b"x" * 1_000_000] * 30))
            hold.set()
        assert caught.value.kind == "silence"


class TestWaits:
    def test_nobody_listens(self) -> None:
        with ScriptedServer() as server:
            url = server.url
        with channel() as made, pytest.raises(Trouble) as caught:
            made.exchange(get(url))
        assert caught.value.kind == "not connected"

    def test_no_such_host(self) -> None:
        with channel() as made, pytest.raises(Trouble) as caught:
            made.exchange(get("http://no-such-host.invalid/"))
        assert caught.value.kind == "not connected"

    @pytest.mark.parametrize("sent", [b"", OK, OK + b"Content-Length: 10\r\n\r\nhello"])
    def test_silence(self, sent: bytes) -> None:
        hold = threading.Event()

        def serve(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(sent)
            hold.wait(10)

        with talking(serve) as url, channel(QUICK) as made:
            with pytest.raises(Trouble) as caught:
                whole(made, get(url))
            hold.set()
        assert caught.value.kind == "silence"

    @pytest.mark.parametrize(
        "sent", [b"", OK + b"\r\nhello", OK + b"Content-Length: 9\r\n\r\nhello"]
    )
    def test_an_interruption_ends_any_wait(self, sent: bytes) -> None:
        hold, waiting = threading.Event(), threading.Event()

        def serve(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(sent)
            waiting.set()
            hold.wait(10)

        kinds = []

        token = CancelToken()

        def ask(made: HTTPChannel, url: str) -> None:
            try:
                with token.active():
                    whole(made, get(url))
            except Trouble as trouble:
                kinds.append(trouble.kind)

        with talking(serve) as url, channel() as made:
            thread = threading.Thread(target=ask, args=(made, url))
            thread.start()
            waiting.wait()
            token.cancel()
            thread.join(10)
            hold.set()
        assert kinds == ["interrupted"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class TestTLS:
    @contextmanager
    def talking(
        self,
        authority: trustme.CA,
        serve: Callable[[ssl.SSLSocket], None],
        timeouts: Timeouts = Timeouts(),
    ) -> Iterator[tuple[HTTPChannel, str]]:
        """A server that serves each connection with a function, and a client that trusts it."""
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(server_side)
        client_side = ssl.create_default_context()
        authority.configure_trust(client_side)

        def run(connection: socket.socket) -> None:
            with server_side.wrap_socket(connection, server_side=True) as tls:
                serve(tls)

        with talking(run) as url:
            made = HTTPChannel(timeouts, lambda: client_side)
            yield made, url.replace("http://127.0.0.1", "https://localhost")
            made.close()

    def test_kept_connections_survive_session_tickets(self, authority: trustme.CA) -> None:
        handshakes = []

        def serve(tls: ssl.SSLSocket) -> None:
            handshakes.append(tls.version())
            while tls.recv(65536):
                tls.sendall(OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)

        with self.talking(authority, serve) as (made, url):
            for _ in range(3):
                assert len(whole(made, get(url))[2]) == 1_000_000
        assert handshakes == ["TLSv1.3"]

    def test_an_end_that_came_with_the_answer_is_noticed(self, authority: trustme.CA) -> None:
        handshakes = []

        def serve(tls: ssl.SSLSocket) -> None:
            handshakes.append(tls.version())
            tls.recv(65536)
            tls.sendall(OK + b"Content-Length: 1\r\n\r\nx")
            with suppress(OSError):  # the client may be gone already
                tls.unwrap()

        with self.talking(authority, serve) as (made, url):
            for _ in range(3):
                assert whole(made, get(url))[2] == b"x"
        assert len(handshakes) == 3

    def test_a_large_body_goes_up(self, authority: trustme.CA) -> None:
        body = random.Random(5).randbytes(3_000_000)
        received = bytearray()

        def serve(tls: ssl.SSLSocket) -> None:
            while len(received.partition(b"\r\n\r\n")[2]) < len(body):
                received.extend(tls.recv(65536))
            tls.sendall(OK + b"Content-Length: 0\r\n\r\n")

        with self.talking(authority, serve) as (made, url):
            assert whole(made, post(url, [body[:7], body[7:]]))[0] == 200
        assert received.partition(b"\r\n\r\n")[2] == body

    def test_a_body_that_is_cut_is_no_whole_one(self, authority: trustme.CA) -> None:
        def serve(tls: ssl.SSLSocket) -> None:
            tls.recv(65536)
            tls.sendall(OK + b"Content-Length: 100000\r\n\r\n" + b"x" * 60_000)

        with self.talking(authority, serve) as (made, url), pytest.raises(Trouble) as trouble:
            whole(made, get(url))
        assert trouble.value.kind == "ended early"

    def test_silence_is_not_waited_for(self, authority: trustme.CA) -> None:
        over = threading.Event()

        def serve(tls: ssl.SSLSocket) -> None:
            tls.recv(65536)
            over.wait(10)

        with self.talking(authority, serve, QUICK) as (made, url):
            with pytest.raises(Trouble) as trouble:
                whole(made, get(url))
            over.set()
        assert trouble.value.kind == "silence"

    def test_a_server_is_told_that_it_is_not_trusted(self, authority: trustme.CA) -> None:
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(server_side)
        told = []

        def serve(connection: socket.socket) -> None:
            try:
                server_side.wrap_socket(connection, server_side=True).recv(1)
            except ssl.SSLError as error:
                told.append(error.reason)

        with talking(serve) as url:
            made = HTTPChannel(Timeouts(), ssl.create_default_context)
            with pytest.raises(Trouble) as trouble:
                whole(made, get(url.replace("http://127.0.0.1", "https://localhost")))
            made.close()
        assert trouble.value.kind == "not safe"
        assert told == ["TLSV1_ALERT_UNKNOWN_CA"]


def test_addresses_of_version_6() -> None:
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    received = []

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            received.append(connection.recv(65536))
            connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    port = listening.getsockname()[1]
    with channel() as made:
        assert whole(made, get(f"http://[::1]:{port}/"))[0] == 200
    thread.join()
    listening.close()
    assert f"Host: [::1]:{port}\r\n".encode() in received[0]


def test_an_interrupt_while_a_head_is_parsed_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(stream: object) -> None:
        raise KeyboardInterrupt

    with ScriptedServer(Answer(body=b"x")) as server, channel() as made:
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr("http.client.parse_headers", interrupted)
            whole(made, get(server.url))
        assert whole(made, get(server.url))[2] == b"x"
        assert server.connections == 2
