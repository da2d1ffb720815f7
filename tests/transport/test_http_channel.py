"""The channel over http.client: framing, kept connections, early answers, waits, limits."""

from __future__ import annotations

import itertools
import os
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatcher.testing import Answer, ScriptedServer
from hatcher.transport import pool
from hatcher.transport.http_channel import MAX_HEAD, HTTPChannel
from hatcher.transport.timeouts import Timeouts

from .wires import (
    EMPTY,
    HEAD,
    OK,
    PATIENCE,
    QUICK,
    WIRES,
    Incoming,
    acting,
    answering,
    authority,
    dripping,
    end,
    failing,
    flooding,
    get,
    kept,
    post,
    receive,
    reset,
    send,
    whole,
)

pytestmark = pytest.mark.sampled(3)

PLAIN = WIRES["plain"]
ASKERS = (whole, receive)
FIVE = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nContent-Length: 7\r\n\r\n"

#: Large blocks, of which no system holds so many.
BLOCKS = [b"x" * 1_000_000] * 30


def chunked(*parts: bytes) -> bytes:
    return CHUNKED + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class TestFraming:
    @pytest.mark.parametrize(
        ("answer", "status", "body"),
        [
            (FIVE, 200, b"hello"),
            (EMPTY, 200, b""),
            (OK + b"Content-Length:5\r\n\r\nhello", 200, b"hello"),
            (OK + b"Content-Length: \t 005 \t\r\n\r\nhello", 200, b"hello"),
            (OK + b"Content-Length:\r\n 5\r\n\r\nhello", 200, b"hello"),
            (b"HTTP/1.1 200\nContent-Length: 5\n\nhello", 200, b"hello"),
            (b"HTTP/1.1   200  OK\r\ncontent-LENGTH: 5\r\n\r\nhello", 200, b"hello"),
            (OK + b"X: a\r\n\t b\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
            (OK + b"X: \xe4\xff\r\nX: b\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
            (CHUNKED + b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", 200, b"hello!"),
            (CHUNKED + b'5 ;a="b"\nhello\n0\n\n', 200, b"hello"),
            (
                CHUNKED + b"0005\r\nhello\r\n0;x\r\nDigest: x\r\nContent-Length: 5\r\n\r\n",
                200,
                b"hello",
            ),
            (OK + b"transfer-encoding: Chunked\r\n\r\n5  \r\nhello\r\n000\r\n\r\n", 200, b"hello"),
            (b"HTTP/1.1 204 No\r\n\r\n", 204, b""),
            (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", 204, b""),
            (b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", 204, b""),
            (b'HTTP/1.1 304 No\r\nETag: "x"\r\nContent-Length: 9\r\n\r\n', 304, b""),
            (b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", 304, b""),
            (HINTS + CONTINUE + FIVE, 200, b"hello"),
            (CONTINUE + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500, b""),
        ],
    )
    @pytest.mark.parametrize("step", [1, 10_000])
    def test_where_a_body_ends(self, wire, answer, status, body, step):
        heads: list[bytes] = []
        with wire.link(answering(answer, kept=True, step=step, heads=heads)) as (url, made):
            for _ in range(2):
                found_status, headers, found = whole(made, get(url))
                assert (found_status, found) == (status, body)
                assert not headers.keys() & {"link", "digest"}
                assert receive(made, get(url), 3) == (status, body)
                assert len(kept(made)) == 1
        assert len(heads) == 4

    def test_headers_are_found_in_any_case_and_joined(self):
        raw = OK + b"CONTENT-length: 0\r\nWarning: a\r\nwarning: b\r\n\r\n"
        with PLAIN.link(answering(raw)) as (url, made):
            _, headers, _ = whole(made, get(url))
        assert headers["Content-Length"] == headers.get("content-LENGTH") == "0"
        assert headers["WARNING"] == "a, b"
        assert "Content-Length" in headers and "X" not in headers and headers.get("X") is None

    def test_a_head_alone_is_what_head_asks_for(self, wire):
        heads = [
            OK + framing + b"\r\n\r\n"
            for framing in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: x")
        ]
        steps = [step for head in heads for step in (HEAD, head)]
        with wire.link(acting(*steps, HEAD)) as (url, made):
            for _ in heads:
                assert whole(made, get(url, "HEAD"))[2] == b""
            assert len(kept(made)) == 1


class TestKeptConnections:
    @pytest.mark.parametrize(
        "answer",
        [
            Answer(headers={"Connection": "close"}, body=b"x"),
            Answer(body=b"x", end="close"),
            Answer(raw=b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            Answer(raw=OK + b"Content-Length: 1\r\n\r\nx" + EMPTY),
            Answer(raw=OK + b"Content-Length: 1\r\n\r\nxgarbage"),
        ],
        ids=["close", "closed", "old", "another answer", "garbage"],
    )
    def test_not_one_that_ended_or_said_too_much(self, answer):
        with ScriptedServer(answer, Answer(body=b"y")) as server, PLAIN.channel() as made:
            assert whole(made, get(server.url))[2] == b"x"
            assert whole(made, get(server.url))[2] == b"y"
            assert server.connections == 2

    def test_not_one_whose_body_was_not_read(self):
        with ScriptedServer(Answer(body=b"x" * 500_000)) as server, PLAIN.channel() as made:
            made.exchange(get(server.url)).close()
            assert len(whole(made, get(server.url))[2]) == 500_000
            assert server.connections == 2

    def test_no_more_than_there_may_be(self, monkeypatch):
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 2)
        few = Timeouts(pool=0.3)
        with ScriptedServer(Answer(body=b"x")) as server, PLAIN.channel(few) as made:
            taken = [made.exchange(get(server.url)) for _ in range(2)]
            with failing("pool timeout"):
                made.exchange(get(server.url))
            taken.pop().close()
            assert whole(made, get(server.url))[0] == 200
            del taken  # an answer that nobody holds gives its connection back, too
            assert whole(made, get(server.url))[0] == 200

    def test_many_threads_share_them(self):
        echo = ScriptedServer(lambda request: Answer(body=request.target.encode()))
        with echo as server, PLAIN.channel() as made, ThreadPoolExecutor(8) as threads:
            targets = [f"/{number}" for number in range(240)]
            bodies = threads.map(lambda target: whole(made, get(server.url + target))[2], targets)
            assert [body.decode() for body in bodies] == targets
            assert server.connections <= 8

    @pytest.mark.parametrize("answer", [FIVE, chunked(b"hello"), b"HTTP/1.1 204 No\r\n\r\n"])
    @pytest.mark.parametrize("pause", [0.0, 0.1])
    def test_garbage_after_an_answer_is_no_answer(self, wire, answer, pause):
        said = threading.Semaphore(0)
        evil = OK + b"Content-Length: 4\r\n\r\nevil"
        first = (answer, lambda _: time.sleep(pause), evil) if pause else (answer + evil,)
        serve = acting(HEAD, *first, lambda _: said.release(), HEAD)
        with wire.link(serve) as (url, made):
            for _ in range(3):
                assert whole(made, get(url))[2] in (b"hello", b"")
                assert said.acquire(timeout=PATIENCE)

    def test_they_survive_session_tickets(self):
        handshakes: list[Any] = []

        def serve(tls: Any) -> None:
            handshakes.append(tls.version())
            answering(OK + b"Content-Length: 1000000\r\n\r\n" + BLOCKS[0], kept=True)(tls)

        with WIRES["TLS"].link(serve) as (url, made):
            for _ in range(3):
                assert whole(made, get(url))[2] == BLOCKS[0]
        assert handshakes == ["TLSv1.3"]

    def test_an_end_that_came_with_the_answer_is_noticed(self):
        heads: list[bytes] = []
        serve = answering(OK + b"Content-Length: 1\r\n\r\nx", heads=heads, then=end)
        with WIRES["TLS"].link(serve) as (url, made):
            for _ in range(3):
                assert whole(made, get(url))[2] == b"x"
                (connection,) = kept(made)
                while connection.is_usable():  # the end may still be on its way
                    select.select([connection.sock], [], [], 10)
        assert len(heads) == 3


class TestBodies:
    def test_small_parts_go_out_together(self):
        received: list[bytes] = []
        parts = [b"a" * 100, b"b" * 100, b"c" * 100]
        serve = acting(lambda connection: received.append(connection.recv(65536)), EMPTY)
        with PLAIN.link(serve) as (url, made):
            whole(made, post(url, parts))
        assert received[0].endswith(b"\r\n\r\n" + b"".join(parts))

    def test_a_wrong_length_is_found_out(self):
        with (
            PLAIN.link(answering(EMPTY)) as (url, made),
            pytest.raises(ValueError, match="3 bytes, not 4"),
        ):
            made.exchange(post(url, [b"123"], 4))

    @pytest.mark.parametrize(
        "error", [RuntimeError, OSError, BrokenPipeError, TimeoutError, ssl.SSLError]
    )
    def test_what_raises_comes_out_as_it_is(self, wire, error):
        def blocks() -> Iterator[bytes]:
            yield b"x" * 100_000
            raise error("the disk is gone")

        with wire.link(acting(HEAD, 100_000)) as (url, made):
            with pytest.raises(error, match="the disk is gone"):
                made.exchange(post(url, blocks(), 200_000))
            assert not kept(made)


class TestWaits:
    def test_nobody_listens(self):
        with ScriptedServer() as server:
            url = server.url
        for nowhere in (url, "http://no-such-host.invalid/"):
            with PLAIN.channel() as made, failing("not connected"):
                made.exchange(get(nowhere))

    @pytest.mark.parametrize("sent", [b"", OK, OK + b"Content-Length: 10\r\n\r\nhello"])
    def test_silence(self, wire, sent):
        over = threading.Event()
        with wire.link(acting(HEAD, sent, over), QUICK) as (url, made):
            with failing("timeout"):
                whole(made, get(url))
            over.set()

    def test_a_server_that_takes_nothing(self, wire):
        over = threading.Event()
        with wire.link(acting(over), QUICK) as (url, made):
            with failing("timeout"):
                made.exchange(post(url, BLOCKS))
            over.set()

    def test_interim_answers_do_not_prolong_them(self, wire):
        over = threading.Event()

        def serve(connection: socket.socket) -> None:
            while not over.wait(0.05):
                connection.sendall(PROCESSING)

        with wire.link(serve, QUICK) as (url, made):
            with failing("timeout"):
                made.exchange(get(url))
            over.set()

    @pytest.mark.parametrize(
        ("start", "drops"),
        [
            (b"", OK + b"X: " + b"x" * 1000),
            (b"", b"HTTP/1.1 102 So\r\n\r\n" * 1000),
            (OK + b"X: 1\r\n", b"X: 1\r\n" * 1000),
            (CHUNKED, b"0" * 1000),
            (CHUNKED + b"1\r\nx\r\n1;", b"x" * 1000),
            (CHUNKED + b"0\r\n", b"X: x\r\n" * 1000),
        ],
    )
    def test_each_byte_in_time_is_too_late_for_all(self, wire, start, drops):
        with wire.link(acting(HEAD, start, dripping(drops, 0.1)), QUICK) as (url, made):
            for ask in ASKERS:
                with failing("timeout"):
                    ask(made, get(url))

    def test_a_body_may_drip(self, wire):
        serve = acting(HEAD, OK + b"Content-Length: 6\r\n\r\n", dripping(b"012345", 0.4))
        few = Timeouts(read=2, stall=2)
        with wire.link(serve, few) as (url, made), ThreadPoolExecutor(2) as threads:
            for asked in [threads.submit(ask, made, get(url)) for ask in ASKERS]:
                assert asked.result()[-1] == b"012345"

    def test_a_server_is_told_that_it_is_not_trusted(self):
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert("localhost").configure_cert(server_side)
        told = []

        def serve(connection: socket.socket) -> None:
            try:
                server_side.wrap_socket(connection, server_side=True).recv(1)
            except ssl.SSLError as error:
                told.append(error.reason)

        with PLAIN.talking(serve) as url:
            made = HTTPChannel(Timeouts(), ssl.create_default_context)
            with failing("TLS"):
                whole(made, get(url.replace("http://127.0.0.1", "https://localhost")))
            made.close()
        assert told == ["TLSV1_ALERT_UNKNOWN_CA"]


class TestInterimAnswers:
    """What comes before an answer, wherever it comes and in whatever pieces, changes nothing."""

    BODY = random.Random(3).randbytes(600_000)

    @pytest.mark.parametrize(
        "interim",
        [CONTINUE, HINTS, b"HTTP/1.0 199\n\n", CONTINUE + HINTS * 9 + PROCESSING],
        ids=["100", "103", "199", "many"],
    )
    @pytest.mark.parametrize("pieces", ["whole", "bytes", "halves"])
    @pytest.mark.parametrize("before", [0, 300_000, len(BODY)])
    def test_an_upload(self, wire, interim, pieces, before):
        received = []

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            incoming.head()
            body = incoming.body(before)
            # The second half comes when the client has gone on.
            first = interim[: len(interim) // 2] if pieces == "halves" else interim
            send(connection, first, 1 if pieces == "bytes" else 10_000)
            body += incoming.body(len(self.BODY) - before)
            connection.sendall(interim[len(first) :])
            received.append(body)
            connection.sendall(FIVE)
            incoming.head()

        with wire.link(serve) as (url, made):
            blocks = [self.BODY[:10], self.BODY[10:400_000], self.BODY[400_000:]]
            status, headers, content = whole(made, post(url, blocks))
        assert (status, dict(headers), content) == (200, {"content-length": "5"}, b"hello")
        assert received == [self.BODY]

    @pytest.mark.parametrize("taken", [0, 3_000_000], ids=["early", "late"])
    def test_another_protocol_is_none(self, wire, taken):
        switch = CONTINUE + b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n" + OK
        serve = acting(HEAD, taken, switch, lambda connection: connection.recv(1))
        with wire.link(serve) as (url, made), failing("protocol"):
            made.exchange(post(url, BLOCKS[:3] if taken else BLOCKS))

    def test_those_without_end_do_not_hold_a_client(self, wire):
        with wire.link(flooding(b"", CONTINUE), QUICK) as (url, made):
            # Nor one that could go on sending, if the server took anything.
            for outgoing in (get(url), post(url, BLOCKS)):
                with failing("timeout", "protocol"):
                    made.exchange(outgoing)


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
    def test_it_ends_the_upload(self, wire, status, framing, then):
        over, given = threading.Event(), []
        answer = {
            "length": FIVE,
            "chunked": chunked(b"he", b"llo"),
            "to the end": OK + b"\r\nhello",
        }
        last = {"waits": [over], "half closes": [end, over], "closes": [end], "resets": [reset]}
        said = answer[framing].replace(b"200 OK", b"%d So" % status)

        def blocks() -> Iterator[bytes]:
            for block in BLOCKS * 10:
                given.append(block)
                yield block

        with wire.link(acting(HEAD, 100_000, said, *last[then])) as (url, made):
            outgoing = post(url, blocks(), 300_000_000)
            assert whole(made, outgoing)[::2] == (status, b"hello")
            assert len(given) < 100
            assert not kept(made)
            over.set()

    def test_it_may_come_before_the_request(self, wire):
        """Servers with too many connections say so at once."""
        connected, come = threading.Event(), threading.Event()
        busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"

        def blocks() -> Iterator[bytes]:
            connected.set()  # a reset could be quicker than the client's connect
            come.wait(PATIENCE)
            time.sleep(0.05)
            yield b"x" * 100_000
            yield b"x" * 100_000

        with wire.link(acting(connected, busy, lambda _: come.set(), reset)) as (url, made):
            assert whole(made, post(url, blocks(), 200_000))[::2] == (503, b"busy")

    def test_it_may_come_in_pieces(self, wire):
        """Its first half does not hold the upload up; with the second half it is the answer."""
        first, *rest = (
            b"HTTP/1.1 413 No\r\nConte",
            *(bytes((b,)) for b in b"nt-Length: 2\r\n\r\nno"),
        )
        with wire.link(acting(HEAD, first, 2_000_000, *rest, 1 << 30)) as (url, made):
            assert whole(made, post(url, BLOCKS * 3))[::2] == (413, b"no")

    def test_a_server_that_only_stops_is_no_answer(self, wire):
        with wire.link(acting(100_000, reset)) as (url, made), failing("lost", "no response"):
            made.exchange(post(url, BLOCKS))

    def test_half_closing_is_no_answer_either(self, wire):
        """A server may have nothing to say for now, as far as TCP goes, and still take all."""
        with wire.link(acting(HEAD, end, lambda _: time.sleep(0.2), 6_000_000)) as (url, made):
            before = time.process_time()
            with failing("no response", "lost"):
                made.exchange(post(url, BLOCKS[:6]))
            assert time.process_time() - before < 10


class TestLimits:
    """Nothing that a server says is held without a limit, or waited for without end."""

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
            (CHUNKED + b"1;\r\n", b"x" * 1000),
            (CHUNKED + b"0\r\n", b"X: x\r\n"),
            (CHUNKED + b"0\r\nX: ", b"x" * 1000),
            (b"SSH-2.0-server\r\n", b"x"),
        ],
    )
    def test_without_end(self, wire, start, again):
        with wire.link(flooding(start, again)) as (url, made):
            for ask in ASKERS:
                with failing("protocol"):
                    ask(made, get(url))

    @pytest.mark.parametrize("number", [90, 101, 2000])
    def test_so_many_headers(self, wire, number):
        head = OK + b"".join(b"X-%d: x\r\n" % each for each in range(number))
        with wire.link(answering(head + b"Content-Length: 0\r\n\r\n")) as (url, made):
            if number < 100:
                assert len(whole(made, get(url))[1]) == number + 1
                return
            with failing("protocol"):
                whole(made, get(url))

    def test_a_large_head_is_one(self, wire):
        value = b"x" * (MAX_HEAD - 200)
        answer = OK + b"X: " + value + b"\r\nContent-Length: 0\r\n\r\n"
        with wire.link(answering(answer)) as (url, made):
            assert whole(made, get(url))[1]["x"] == value.decode()

    @pytest.mark.parametrize(
        ("start", "again"),
        [
            (OK + b"Content-Length: 99999999999\r\n\r\n", b"a"),
            (CHUNKED + b"fffffff\r\n", b"a"),
            (CHUNKED, b"3e8\r\n" + b"a" * 1000 + b"\r\n"),
            (OK + b"\r\n", b"a"),
        ],
        ids=["length", "chunk", "chunks", "end"],
    )
    def test_a_body_that_is_held(self, wire, start, again):
        with wire.link(flooding(start, again * 1000)) as (url, made):
            answer = made.exchange(get(url))
            with failing("too large"):
                answer.read(3_000_000)
            answer.close()


#: What no head says, and no chunk.
ODD = [
    OK + field + b"\r\n\r\nhello"
    for field in (
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 6",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: 5_0",
        b"Content-Length: \xb2",
        b"Content-Length:",
        b"Content-Length: " + b"9" * 400,
        b"Content-Length: 5\r\n 6",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding:",
        b"Transfer-Encoding: xchunked",
        b"X: a\rb",
        b"X: a\0b",
        b"\0: a",
        b"X\r: a",
        b"From me without one",
        b"X: a\r\nno colon\r\nContent-Length: 5",
        b"Content-Length : 5",
        b": nameless",
        b" folded at the start: x",
        b"X\xe9: a",
    )
] + [
    start + b"\r\nContent-Length: 5\r\n\r\nhello"
    for start in (
        b"HTTP/9.9 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 +200 OK",
        b"HTTP/1.1 \xb2\xb2\xb2 OK",
        b"HTTP/1.1 OK",
        b"HTTP/1.1",
        b"HTTP/1.1200 OK",
        b"http/1.1 200 OK",
        b"ICY 200 OK",
        b"SSH-2.0-OpenSSH_9.6",
        b"\r\n",
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
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"5 5\r\nhello\r\n0\r\n\r\n",
    b"5\0\r\nhello\r\n0\r\n\r\n",
    b";x\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhelloX\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"4\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n-0\r\n\r\n",
]


@pytest.mark.parametrize("answer", ODD + [CHUNKED + chunks for chunks in ODD_CHUNKS])
@pytest.mark.parametrize("ends", [True, False], ids=["closed", "open"])
def test_an_odd_answer_is_none(wire, answer, ends):
    """At once, not only when the server has gone."""
    over = threading.Event()
    serve = answering(answer, then=lambda _: ends or over.wait(PATIENCE))
    with wire.link(serve) as (url, made):
        for ask in ASKERS:
            with failing("protocol"):
                ask(made, get(url))
        over.set()


class TestCutAnswers:
    """An answer that ends at any of its bytes is never taken for a whole one."""

    @pytest.mark.parametrize(
        "answer",
        [
            OK + b"Content-Type: a/b\r\nContent-Length: 11\r\n\r\nhello world",
            OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
            b"HTTP/1.0 200 OK\nContent-Length: 5\n\nhello",
            CHUNKED + b"5\r\nhello\r\n6;x\r\n world\r\n0\r\nA: b\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
            CONTINUE + FIVE,
        ],
        ids=["length", "close", "old", "chunked", "none", "interim"],
    )
    @pytest.mark.parametrize("ending", ["orderly", "ragged", "reset"])
    @pytest.mark.parametrize("first", [True, False], ids=["first", "kept"])
    def test_at_every_byte(self, wire, answer, ending, first):
        sizes = iter(range(len(answer)))
        last = {"orderly": [end], "ragged": [], "reset": [reset]}[ending]

        def cut(connection: socket.socket) -> None:
            connection.sendall(answer[: next(sizes)])

        serve = acting(*(() if first else (HEAD, chunked(b"fine"))), HEAD, cut, *last)
        kinds = {"no response", "incomplete", *(["lost"] if ending == "reset" else [])}
        with wire.link(serve) as (url, made):
            for size in range(len(answer)):
                if not first:
                    assert whole(made, get(url))[2] == b"fine"
                with failing(*kinds):
                    ASKERS[size % 2](made, get(url))
                assert not kept(made)

    @pytest.mark.parametrize("name", ["plain", "TLS"])
    @pytest.mark.parametrize("then", [end, reset, bool], ids=["orderly", "reset", "ragged"])
    def test_without_a_length_only_an_orderly_end_is_one(self, name, then):
        with WIRES[name].link(answering(OK + b"\r\nhello world", then=then)) as (url, made):
            for ask in ASKERS:
                if then is end or (then is bool and name == "plain"):  # which cannot tell
                    assert ask(made, get(url))[-1] == b"hello world"
                    continue
                with failing("lost", "incomplete"):
                    ask(made, get(url))

    @pytest.mark.parametrize("framing", ["length", "chunked", "end"])
    @settings(max_examples=25, deadline=None, database=None)
    @given(data=st.data())
    def test_however_a_whole_one_is_cut_to_pieces(self, framing, data):
        """The same answer, whatever the sizes of pieces, chunks and buffers."""
        content = data.draw(st.binary(max_size=300))
        cuts = st.lists(st.integers(1, 80), min_size=1, max_size=12)
        pieces, chunks = data.draw(cuts), data.draw(cuts)
        answer = {
            "length": OK + b"Content-Length: %d\r\n\r\n%s" % (len(content), content),
            "chunked": chunked(*cut(content, chunks)),
            "end": OK + b"\r\n" + content,
        }[framing]
        then = [end] if framing == "end" else []
        wire = WIRES[data.draw(st.sampled_from(["plain", "TLS"]))]
        with wire.link(acting(*[HEAD, *cut(answer, pieces), *then] * 2)) as (url, made):
            assert whole(made, get(url))[2] == content
            size = data.draw(st.integers(1, 400))
            assert receive(made, get(url), size)[1] == content


def cut(content: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Give it in pieces of these sizes, again and again."""
    for size in itertools.cycle(sizes):
        if not content:
            break
        yield content[:size]
        content = content[size:]


def test_addresses_of_version_6():
    heads: list[bytes] = []
    try:
        with PLAIN.link(answering(EMPTY, heads=heads), host="::1") as (url, made):
            assert whole(made, get(url))[0] == 200
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert b"Host: [::1]:" in heads[0]


def test_an_interrupt_while_a_head_is_parsed_stays_one(monkeypatch):
    def interrupted(stream: object) -> None:
        raise KeyboardInterrupt

    with ScriptedServer(Answer(body=b"x")) as server, PLAIN.channel() as made:
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr("http.client.parse_headers", interrupted)
            whole(made, get(server.url))
        assert whole(made, get(server.url))[2] == b"x"
        assert server.connections == 2


def test_a_large_body_goes_into_the_callers_buffer():
    content = os.urandom(3_000_000)
    with ScriptedServer(Answer(body=content)) as server, PLAIN.channel() as made:
        assert receive(made, get(server.url), 1_000_000)[1] == content
        assert whole(made, get(server.url))[2] == content
        assert server.connections == 1
