"""The channel over http.client: framing, kept connections, early answers, waits, cancelling."""

from __future__ import annotations

import itertools
import os
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatcher.testing import Answer, ScriptedServer
from hatcher.transport import pool
from hatcher.transport.channel import ChannelError, Outgoing
from hatcher.transport.http_channel import MAX_HEAD, HTTPChannel
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import split

from .wires import (
    OK,
    PATIENCE,
    QUICK,
    WIRES,
    Incoming,
    Wire,
    answering,
    authority,
    end,
    failing,
    get,
    post,
    receive,
    reset,
    send,
    whole,
)

pytestmark = pytest.mark.sampled(3)

channel = WIRES["plain"].channel
talking = WIRES["plain"].talking


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
        with talking(answering(raw, step=step)) as url, channel() as made:
            found_status, headers, found = whole(made, get(url))
        assert (found_status, found) == (status, body)
        assert "link" not in headers

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
            with failing("pool timeout"):
                made.exchange(get(server.url))
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
            with failing("timeout"):
                made.exchange(post(url, [b"x" * 1_000_000] * 30))
            hold.set()


class TestWaits:
    def test_nobody_listens(self) -> None:
        with ScriptedServer() as server:
            url = server.url
        with channel() as made, failing("not connected"):
            made.exchange(get(url))

    def test_no_such_host(self) -> None:
        with channel() as made, failing("not connected"):
            made.exchange(get("http://no-such-host.invalid/"))

    @pytest.mark.parametrize("sent", [b"", OK, OK + b"Content-Length: 10\r\n\r\nhello"])
    def test_silence(self, sent: bytes) -> None:
        hold = threading.Event()
        serve = answering(sent, then=lambda _: hold.wait(10))
        with talking(serve) as url, channel(QUICK) as made:
            with failing("timeout"):
                whole(made, get(url))
            hold.set()


class TestTLS:
    @contextmanager
    def talking(
        self, serve: Callable[[ssl.SSLSocket], None], timeouts: Timeouts = Timeouts()
    ) -> Iterator[tuple[HTTPChannel, str]]:
        """A server that serves each connection with a function, and a client that trusts it."""
        wire = WIRES["TLS"]
        with wire.talking(serve) as url, wire.channel(timeouts) as made:
            yield made, url

    def test_kept_connections_survive_session_tickets(self) -> None:
        handshakes = []

        def serve(tls: ssl.SSLSocket) -> None:
            handshakes.append(tls.version())
            while tls.recv(65536):
                tls.sendall(OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)

        with self.talking(serve) as (made, url):
            for _ in range(3):
                assert len(whole(made, get(url))[2]) == 1_000_000
        assert handshakes == ["TLSv1.3"]

    def test_an_end_that_came_with_the_answer_is_noticed(self) -> None:
        handshakes = []

        def serve(tls: ssl.SSLSocket) -> None:
            handshakes.append(tls.version())
            tls.recv(65536)
            tls.sendall(OK + b"Content-Length: 1\r\n\r\nx")
            with suppress(OSError):  # the client may be gone already
                tls.unwrap()

        with self.talking(serve) as (made, url):
            for _ in range(3):
                assert whole(made, get(url))[2] == b"x"
                ((_, kept),) = next(iter(made._pool._kept.values()))
                while kept.is_usable():  # the end may still be on its way
                    select.select([kept.sock], [], [], 10)
        assert len(handshakes) == 3

    def test_a_large_body_goes_up(self) -> None:
        body = random.Random(5).randbytes(3_000_000)
        received = bytearray()

        def serve(tls: ssl.SSLSocket) -> None:
            while len(received.partition(b"\r\n\r\n")[2]) < len(body):
                received.extend(tls.recv(65536))
            tls.sendall(OK + b"Content-Length: 0\r\n\r\n")

        with self.talking(serve) as (made, url):
            assert whole(made, post(url, [body[:7], body[7:]]))[0] == 200
        assert received.partition(b"\r\n\r\n")[2] == body

    def test_silence_is_not_waited_for(self) -> None:
        over = threading.Event()

        def serve(tls: ssl.SSLSocket) -> None:
            tls.recv(65536)
            over.wait(10)

        with self.talking(serve, QUICK) as (made, url):
            with failing("timeout"):
                whole(made, get(url))
            over.set()

    def test_a_server_is_told_that_it_is_not_trusted(self) -> None:
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert("localhost").configure_cert(server_side)
        told = []

        def serve(connection: socket.socket) -> None:
            try:
                server_side.wrap_socket(connection, server_side=True).recv(1)
            except ssl.SSLError as error:
                told.append(error.reason)

        with talking(serve) as url:
            made = HTTPChannel(Timeouts(), ssl.create_default_context)
            with pytest.raises(ChannelError) as trouble:
                whole(made, get(url.replace("http://127.0.0.1", "https://localhost")))
            made.close()
        assert trouble.value.kind == "TLS"
        assert told == ["TLSV1_ALERT_UNKNOWN_CA"]


class TestInterimAnswers:
    """What comes before an answer, wherever it comes and in whatever pieces, changes nothing."""

    BODY = random.Random(3).randbytes(600_000)
    CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
    PROCESSING = b"HTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n"
    HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nContent-Length: 7\r\n\r\n"

    @pytest.mark.parametrize(
        "interim",
        [CONTINUE, PROCESSING, HINTS, b"HTTP/1.0 199\n\n", CONTINUE + HINTS * 9 + PROCESSING],
        ids=["100", "102", "103", "199", "many"],
    )
    @pytest.mark.parametrize("pieces", ["whole", "bytes", "halves"])
    @pytest.mark.parametrize("place", ["before the body", "in the body", "after the body"])
    def test_an_upload(self, wire: Wire, interim: bytes, pieces: str, place: str) -> None:
        received = []

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            incoming.head()
            size = {"before the body": 0, "in the body": 300_000}.get(place, len(self.BODY))
            body = incoming.body(size)
            # The second half comes when the client has gone on.
            first = interim[: len(interim) // 2] if pieces == "halves" else interim
            send(connection, first, 1 if pieces == "bytes" else 10_000)
            body += incoming.body(len(self.BODY) - size)
            connection.sendall(interim[len(first) :])
            received.append(body)
            connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")
            incoming.head()

        with wire.talking(serve) as url, wire.channel() as made:
            blocks = [self.BODY[:10], self.BODY[10:400_000], self.BODY[400_000:]]
            status, headers, content = whole(made, post(url, blocks))
        assert (status, dict(headers), content) == (200, {"content-length": "2"}, b"ok")
        assert received == [self.BODY]

    @pytest.mark.parametrize("step", [1, 10_000])
    def test_a_kept_connection_goes_on(self, wire: Wire, step: int) -> None:
        heads: list[bytes] = []
        answer = self.HINTS + self.CONTINUE + OK + b"Content-Length: 2\r\n\r\nok"
        serve = answering(answer, kept=True, step=step, heads=heads)
        with wire.talking(serve) as url, wire.channel() as made:
            for _ in range(3):
                assert whole(made, get(url))[::2] == (200, b"ok")
            assert len(made._pool._kept) == len(next(iter(made._pool._kept.values()))) == 1
        assert len(heads) == 3

    @pytest.mark.parametrize("place", ["early", "late"])
    def test_another_protocol_is_none(self, wire: Wire, place: str) -> None:
        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            incoming.head()
            if place == "late":
                incoming.body(3_000_000)
            connection.sendall(self.CONTINUE + b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n" + OK)
            connection.recv(1)

        blocks = [b"x" * 1_000_000] * 3 if place == "late" else [b"x" * 1_000_000] * 30
        with (
            wire.talking(serve) as url,
            wire.channel() as made,
            failing("protocol"),
        ):
            made.exchange(post(url, blocks))

    def test_those_without_end_do_not_hold_a_client(self, wire: Wire) -> None:
        def serve(connection: socket.socket) -> None:
            while True:
                connection.sendall(self.CONTINUE * 100)

        with wire.talking(serve) as url, wire.channel(QUICK) as made:
            with failing("protocol"):
                made.exchange(get(url))
            # Nor one that could go on sending, if the server took anything.
            with failing("timeout", "protocol"):
                made.exchange(post(url, [b"x" * 1_000_000] * 30))

    def test_the_time_for_an_answer_is_not_prolonged(self, wire: Wire) -> None:
        over = threading.Event()

        def serve(connection: socket.socket) -> None:
            while not over.wait(0.05):
                connection.sendall(self.PROCESSING)

        with wire.talking(serve) as url, wire.channel(QUICK) as made:
            with failing("timeout"):
                made.exchange(get(url))
            over.set()


class TestEarlyAnswers:
    @pytest.mark.parametrize("status", [200, 401, 413])
    @pytest.mark.parametrize(
        ("framing", "then"),
        [
            *itertools.product(("length", "chunked"), ("waits", "half closes", "closes", "resets")),
            ("to the end", "half closes"),
            ("to the end", "closes"),
        ],
    )
    def test_it_ends_the_upload(self, wire: Wire, status: int, framing: str, then: str) -> None:
        over = threading.Event()
        given = 0

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            if incoming.head() is None:
                return
            incoming.body(100_000)
            head = {
                "length": b"Content-Length: 5\r\n\r\nwords",
                "chunked": b"Transfer-Encoding: chunked\r\n\r\n2\r\nwo\r\n3\r\nrds\r\n0\r\n\r\n",
                "to the end": b"Connection: close\r\n\r\nwords",
            }[framing]
            connection.sendall(b"HTTP/1.1 %d So\r\n" % status + head)
            if then == "waits":
                over.wait(PATIENCE)
            elif then == "half closes":
                end(connection)
                over.wait(PATIENCE)
            elif then == "resets":
                reset(connection)
            else:
                end(connection)

        def blocks() -> Iterator[bytes]:
            nonlocal given
            for _ in range(300):
                given += 1
                yield b"x" * 1_000_000

        with wire.talking(serve) as url, wire.channel() as made:
            origin, target = split(url)
            outgoing = Outgoing("POST", origin, target, {}, blocks(), 300_000_000)
            assert whole(made, outgoing)[::2] == (status, b"words")
            assert given < 100
            assert not any(made._pool._kept.values())
            over.set()

    def test_it_may_come_before_the_request(self, wire: Wire) -> None:
        """Servers with too many connections say so at once."""
        connected, come = threading.Event(), threading.Event()

        def serve(connection: socket.socket) -> None:
            connected.wait(PATIENCE)  # a reset could be quicker than the client's connect
            connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")
            come.set()
            reset(connection)

        def blocks() -> Iterator[bytes]:
            connected.set()
            come.wait(PATIENCE)
            time.sleep(0.05)
            yield b"x" * 100_000
            yield b"x" * 100_000

        with wire.talking(serve) as url, wire.channel() as made:
            origin, target = split(url)
            outgoing = Outgoing("POST", origin, target, {}, blocks(), 200_000)
            assert whole(made, outgoing)[::2] == (503, b"busy")

    def test_it_may_come_in_pieces(self, wire: Wire) -> None:
        """Its first half does not hold the upload up; with the second half it is the answer."""
        answer = b"HTTP/1.1 413 No\r\nContent-Length: 5\r\n\r\nwords"

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            incoming.head()
            connection.sendall(answer[:20])
            incoming.body(2_000_000)
            send(connection, answer[20:], 1)
            incoming.body(1 << 30)

        with wire.talking(serve) as url, wire.channel() as made:
            blocks = [b"x" * 1_000_000] * 100
            assert whole(made, post(url, blocks))[::2] == (413, b"words")

    def test_a_server_that_only_stops_is_no_answer(self, wire: Wire) -> None:
        def serve(connection: socket.socket) -> None:
            Incoming(connection).body(100_000)
            reset(connection)

        with (
            wire.talking(serve) as url,
            wire.channel() as made,
            pytest.raises(ChannelError) as caught,
        ):
            made.exchange(post(url, [b"x" * 1_000_000] * 30))
        assert caught.value.kind in ("lost", "no response")

    def test_half_closing_is_no_answer_either(self, wire: Wire) -> None:
        """A server may have nothing to say for now, as far as TCP goes, and still take all."""

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            incoming.head()
            end(connection)
            time.sleep(0.2)
            incoming.body(6_000_000)

        with wire.talking(serve) as url, wire.channel() as made:
            before = time.process_time()
            with pytest.raises(ChannelError) as caught:
                made.exchange(post(url, [b"x" * 1_000_000] * 6))
            assert time.process_time() - before < 10
        assert caught.value.kind in ("no response", "lost")

    @pytest.mark.parametrize("error", [OSError, BrokenPipeError, TimeoutError, ssl.SSLError])
    def test_what_the_body_raises_comes_out_as_it_is(
        self, wire: Wire, error: type[Exception]
    ) -> None:
        def blocks() -> Iterator[bytes]:
            yield b"x" * 100_000
            raise error("the disk is gone")

        def serve(connection: socket.socket) -> None:
            Incoming(connection).body(1 << 30)

        with wire.talking(serve) as url, wire.channel() as made:
            origin, target = split(url)
            with pytest.raises(error, match="the disk is gone"):
                made.exchange(Outgoing("POST", origin, target, {}, blocks(), 200_000))


class TestLimits:
    """Nothing that a server says is held without a limit, or waited for without end."""

    CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

    @pytest.mark.parametrize(
        ("start", "again"),
        [
            (OK + b"X: ", b"x" * 1000),
            (OK, b"X: " + b"x" * 1000 + b"\r\n"),
            (OK, b"X: x\r\n"),
            (OK + b"X: x\r\n", b" folded\r\n"),
            (b"HTTP/1.1 200 ", b"OK"),
            (b"HTTP/1.1", b" "),
            (b"", b"HTTP/1.1 103 So\r\n\r\n"),
            (b"HTTP/1.1 102 So\r\nX: ", b"x" * 1000),
            (CHUNKED, b"0"),
            (CHUNKED + b"1", b" "),
            (CHUNKED + b"1;", b"x" * 1000),
            (CHUNKED + b"1;\r\n", b"x" * 1000),
            (CHUNKED + b"0\r\n", b"X: x\r\n"),
            (CHUNKED + b"0\r\nX: ", b"x" * 1000),
            (b"SSH-2.0-server\r\n", b"x"),
        ],
    )
    def test_without_end(self, wire: Wire, start: bytes, again: bytes) -> None:
        def serve(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(start)
            while True:
                connection.sendall(again * 100)

        with wire.talking(serve) as url, wire.channel() as made:
            with failing("protocol"):
                whole(made, get(url))
            with failing("protocol"):
                receive(made, get(url))

    def test_too_many_headers(self, wire: Wire) -> None:
        for number, kind in ((90, None), (101, "protocol"), (2000, "protocol")):
            head = OK + b"".join(b"X-%d: x\r\n" % each for each in range(number))
            answer = head + b"Content-Length: 0\r\n\r\n"
            with wire.talking(answering(answer)) as url, wire.channel() as made:
                if kind is None:
                    assert len(whole(made, get(url))[1]) == number + 1
                    continue
                with failing(kind):
                    whole(made, get(url))

    def test_a_large_head_is_one(self, wire: Wire) -> None:
        value = b"x" * (MAX_HEAD - 200)
        answer = OK + b"X: " + value + b"\r\nContent-Length: 0\r\n\r\n"
        with wire.talking(answering(answer)) as url, wire.channel() as made:
            assert whole(made, get(url))[1]["x"] == value.decode()

    @pytest.mark.parametrize(
        "dripping",
        [
            (b"", OK + b"X: " + b"x" * 1000),
            (b"", b"HTTP/1.1 102 So\r\n\r\n" * 1000),
            (OK + b"X: 1\r\n", b"X: 1\r\n" * 1000),
            (CHUNKED, b"0" * 1000),
            (CHUNKED + b"1\r\nx\r\n1;", b"x" * 1000),
            (CHUNKED + b"0\r\n", b"X: x\r\n" * 1000),
        ],
    )
    def test_dripping(self, wire: Wire, dripping: tuple[bytes, bytes]) -> None:
        """Each byte comes in time, and yet it is too late for all of them."""

        def serve(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(dripping[0])
            for byte in dripping[1]:
                connection.sendall(bytes((byte,)))
                time.sleep(0.1)

        with wire.talking(serve) as url, wire.channel(QUICK) as made:
            for ask in (whole, receive):
                with failing("timeout"):
                    ask(made, get(url))

    def test_a_body_may_drip(self, wire: Wire) -> None:
        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            while incoming.head():
                connection.sendall(OK + b"Content-Length: 10\r\n\r\n")
                for byte in b"0123456789":
                    connection.sendall(bytes((byte,)))
                    time.sleep(0.1)

        timeouts = Timeouts(connect=5, read=0.8, write=5, pool=5, stall=0.8)
        with wire.talking(serve) as url, wire.channel(timeouts) as made:
            assert whole(made, get(url))[2] == receive(made, get(url))[1] == b"0123456789"

    def test_a_body_that_is_held_has_a_limit(self, wire: Wire) -> None:
        def serve(connection: socket.socket) -> None:
            head = Incoming(connection).head() or b""
            connection.sendall(
                {
                    b"/length": OK + b"Content-Length: 99999999999\r\n\r\n",
                    b"/chunked": self.CHUNKED + b"fffffff\r\n",
                    b"/chunk": self.CHUNKED,
                    b"/end": OK + b"\r\n",
                }[head.split()[1]]
            )
            one = b"a" * 1000
            piece = b"3e8\r\n" + one + b"\r\n" if b"/chunk " in head else one
            while True:
                connection.sendall(piece * 100)

        with wire.talking(serve) as url, wire.channel() as made:
            for place in ("length", "chunked", "chunk", "end"):
                answer = made.exchange(get(url + place))
                with pytest.raises(ChannelError) as caught:
                    answer.read(3_000_000)
                answer.close()
                assert caught.value.kind == "too large"

    def test_trailers_are_dropped(self, wire: Wire) -> None:
        answer = self.CHUNKED + b"1\r\n!\r\n0;x\r\nDigest: x\r\nContent-Length: 5\r\n\r\n"
        with wire.talking(answering(answer, kept=True)) as url, wire.channel() as made:
            for _ in range(3):
                status, headers, body = whole(made, get(url))
                assert (status, body) == (200, b"!")
                assert headers.keys() == {"transfer-encoding"}


#: What no head says, and no chunk.
ODD_ANSWERS = [
    OK + field + b"\r\n\r\nhello"
    for field in (
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 6",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: 5_0",
        b"Content-Length: 0x5",
        b"Content-Length: 5.0",
        b"Content-Length: 5e0",
        b"Content-Length: \xb2",
        b"Content-Length:",
        b"Content-Length: five",
        b"Content-Length: " + b"9" * 400,
        b"Content-Length: 5\r\n 6",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding:",
        b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding: xchunked",
        b"X: a\rb",
        b"X: a\r\rb",
        b"X: a\0b",
        b"\0: a",
        b"X\r: a",
        b"no colon",
        b"From me without one",
        b"X: a\r\nno colon\r\nContent-Length: 5",
        b"X: a\r\nFrom me without one",
        b"X : a",
        b"Content-Length : 5",
        b": nameless",
        b" folded at the start: x",
        b"X\xe9: a",
    )
] + [
    start + b"\r\nContent-Length: 5\r\n\r\nhello"
    for start in (
        b"HTTP/9.9 200 OK",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 +200 OK",
        b"HTTP/1.1 2_00 OK",
        b"HTTP/1.1 0200 OK",
        b"HTTP/1.1 \xb2\xb2\xb2 OK",
        b"HTTP/1.1 OK",
        b"HTTP/1.1",
        b"HTTP/1.1200 OK",
        b"http/1.1 200 OK",
        b"HTTPS/1.1 200 OK",
        b"ICY 200 OK",
        b"220 mail.example.com ESMTP",
        b"SSH-2.0-OpenSSH_9.6",
        b"\r\n",
        b"<html>",
        b"\x15\x03\x03\x00\x02\x02\x46",
    )
]
ODD_CHUNKS = [
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"5_0\r\nhello\r\n0\r\n\r\n",
    b"%x\r\nhello\r\n0\r\n\r\n" % 2**70,
    b"\r\nhello\r\n0\r\n\r\n",
    b"  \r\nhello\r\n0\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"five\r\nhello\r\n0\r\n\r\n",
    b"5 5\r\nhello\r\n0\r\n\r\n",
    b"5\0\r\nhello\r\n0\r\n\r\n",
    b"\xb5\r\nhello\r\n0\r\n\r\n",
    b"5.\r\nhello\r\n0\r\n\r\n",
    b";x\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhelloXX0\r\n\r\n",
    b"5\r\nhelloX\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"5\r\nhello\r\n\r\n0\r\n\r\n",
    b"4\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n-0\r\n\r\n",
    b"5\r\nhello\r\nzz\r\n\r\n",
]


class TestOddAnswers:
    @pytest.mark.parametrize(
        "answer", ODD_ANSWERS + [TestLimits.CHUNKED + chunks for chunks in ODD_CHUNKS]
    )
    @pytest.mark.parametrize("ends", [True, False], ids=["closed", "open"])
    def test_it_is_none(self, wire: Wire, answer: bytes, ends: bool) -> None:
        """At once, not only when the server has gone."""
        over = threading.Event()
        serve = answering(answer, then=lambda _: ends or over.wait(PATIENCE))
        with wire.talking(serve) as url, wire.channel() as made:
            for ask in (whole, receive):
                with failing("protocol"):
                    ask(made, get(url))
            over.set()

    @pytest.mark.parametrize(
        ("answer", "body"),
        [
            (OK + b"Content-Length:5\r\n\r\nhello", b"hello"),
            (OK + b"Content-Length: \t 005 \t\r\n\r\nhello", b"hello"),
            (OK + b"Content-Length:\r\n 5\r\n\r\nhello", b"hello"),
            (b"HTTP/1.1 200\nContent-Length: 5\n\nhello", b"hello"),
            (b"HTTP/1.1   200  OK\r\ncontent-LENGTH: 5\r\n\r\nhello", b"hello"),
            (OK + b"transfer-encoding: Chunked\r\n\r\n5  \r\nhello\r\n000\r\n\r\n", b"hello"),
            (OK + b'Transfer-Encoding: chunked\r\n\r\n5 ;a="b"\nhello\n0\n\n', b"hello"),
            (
                OK + b"Transfer-Encoding: chunked\r\n\r\n0005\r\nhello\r\n0;x\r\nA: b\r\n\r\n",
                b"hello",
            ),
            (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", b""),
            (b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
            (b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
            (OK + b"X: a\r\n\t b\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
            (OK + b"X: \xe4\xff\r\nX: b\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
        ],
    )
    @pytest.mark.parametrize("step", [1, 10_000])
    def test_some_are_whole_all_the_same(
        self, wire: Wire, answer: bytes, body: bytes, step: int
    ) -> None:
        serve = answering(answer, kept=True, step=step)
        with wire.talking(serve) as url, wire.channel() as made:
            for _ in range(2):
                assert whole(made, get(url))[2] == receive(made, get(url), 3)[1] == body
            assert len(next(iter(made._pool._kept.values()))) == 1

    def test_a_head_alone_is_what_head_asks_for(self, wire: Wire) -> None:
        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            for framing in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: x"):
                incoming.head()
                connection.sendall(OK + framing + b"\r\n\r\n")
            incoming.head()

        with wire.talking(serve) as url, wire.channel() as made:
            for _ in range(3):
                assert whole(made, get(url, "HEAD"))[2] == b""
            assert len(next(iter(made._pool._kept.values()))) == 1

    @pytest.mark.parametrize("framing", ["length", "chunked", "none"])
    @pytest.mark.parametrize("when", ["at once", "later"])
    def test_garbage_after_an_answer_is_no_answer(
        self, wire: Wire, framing: str, when: str
    ) -> None:
        answer = {
            "length": OK + b"Content-Length: 5\r\n\r\nhello",
            "chunked": chunked(b"hello"),
            "none": b"HTTP/1.1 204 No\r\n\r\n",
        }[framing]
        evil = OK + b"Content-Length: 4\r\n\r\nevil"
        said = threading.Event()

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            incoming.head()
            if when == "at once":
                connection.sendall(answer + evil)
            else:
                connection.sendall(answer)
                time.sleep(0.1)
                connection.sendall(evil)
            said.set()
            incoming.head()

        expected = b"" if framing == "none" else b"hello"
        with wire.talking(serve) as url, wire.channel() as made:
            for _ in range(3):
                assert whole(made, get(url))[2] == expected
                assert said.wait(PATIENCE)
                said.clear()


def chunked(content: bytes) -> bytes:
    chunk = b"%x\r\n%s\r\n" % (len(content), content)
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"


class TestCutAnswers:
    """An answer that ends at any of its bytes is never taken for a whole one."""

    @pytest.mark.parametrize(
        "answer",
        [
            OK + b"Content-Type: a/b\r\nContent-Length: 11\r\n\r\nhello world",
            OK + b"Connection: close\r\nContent-Length: 11\r\n\r\nhello world",
            b"HTTP/1.0 200 OK\nContent-Length: 11\n\nhello world",
            OK
            + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x\r\n world\r\n0\r\nA: b\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello",
            b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
        ],
        ids=["length", "close", "old", "chunked", "none", "interim", "empty"],
    )
    @pytest.mark.parametrize("ending", ["orderly", "ragged", "reset"])
    @pytest.mark.parametrize("kept", [False, True], ids=["first", "kept"])
    def test_at_every_byte(self, wire: Wire, answer: bytes, ending: str, kept: bool) -> None:
        sizes = iter(range(len(answer)))

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            if kept and incoming.head():
                connection.sendall(chunked(b"fine"))
            if not incoming.head():
                return
            connection.sendall(answer[: next(sizes)])
            if ending == "orderly":
                end(connection)
            elif ending == "reset":
                reset(connection)

        with wire.talking(serve) as url, wire.channel() as made:
            for size in range(len(answer)):
                if kept:
                    assert whole(made, get(url))[2] == b"fine"
                ask = whole if size % 2 else receive
                with pytest.raises(ChannelError) as caught:
                    ask(made, get(url))
                expected = {"no response", "incomplete"} | (
                    {"lost"} if ending == "reset" else set()
                )
                assert caught.value.kind in expected, size
                assert not any(made._pool._kept.values())

    def test_without_a_length_only_tls_can_tell(self) -> None:
        answer = OK + b"\r\nhello world"

        wire = Wire("TLS")
        with wire.talking(answering(answer)) as url, wire.channel() as made:
            for ask in (whole, receive):
                with failing("incomplete"):
                    ask(made, get(url))

    def test_one_without_a_length_that_ends_in_order_is_whole(self, wire: Wire) -> None:
        serve = answering(OK + b"\r\nhello world", then=end)
        with wire.talking(serve) as url, wire.channel() as made:
            assert whole(made, get(url))[2] == receive(made, get(url))[1] == b"hello world"

    def test_one_without_a_length_that_is_reset_is_not(self, wire: Wire) -> None:
        serve = answering(OK + b"\r\nhello world", then=reset)
        with wire.talking(serve) as url, wire.channel() as made:
            for ask in (whole, receive):
                with failing("lost", "incomplete"):
                    ask(made, get(url))

    @pytest.mark.parametrize("framing", ["length", "chunked", "end"])
    @settings(max_examples=25, deadline=None, database=None)
    @given(data=st.data())
    def test_however_a_whole_one_is_cut_to_pieces(self, framing: str, data: st.DataObject) -> None:
        """The same answer, whatever the sizes of pieces, chunks and buffers."""
        content = data.draw(st.binary(max_size=300))
        cuts = st.lists(st.integers(1, 80), min_size=1, max_size=12)
        pieces, chunks = data.draw(cuts), data.draw(cuts)
        answer = {
            "length": OK + b"Content-Length: %d\r\n\r\n%s" % (len(content), content),
            "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks(content, chunks),
            "end": OK + b"\r\n" + content,
        }[framing]

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            while incoming.head():
                at = 0
                for size in itertools.cycle(pieces):
                    if at >= len(answer):
                        break
                    connection.sendall(answer[at : at + size])
                    at += size
                if framing == "end":
                    end(connection)

        wire = WIRES[data.draw(st.sampled_from(["plain", "TLS"]))]
        with wire.talking(serve) as url, wire.channel() as made:
            assert whole(made, get(url))[2] == content
            size = data.draw(st.integers(1, 400))
            assert receive(made, get(url), size)[1] == content


def in_chunks(content: bytes, sizes: list[int]) -> bytes:
    made, at = bytearray(), 0
    for size in itertools.cycle(sizes):
        if at >= len(content):
            break
        part = content[at : at + size]
        made += b"%x\r\n%s\r\n" % (len(part), part)
        at += size
    return bytes(made) + b"0\r\n\r\n"


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
