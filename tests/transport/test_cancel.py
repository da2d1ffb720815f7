"""A token ends one operation, wherever that is, and touches nothing else."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth, RetryPolicy, Timeouts
from hatcher.errors import TransferInterruptedError
from hatcher.testing import Answer, ScriptedServer
from hatcher.transport import cancel, pool
from hatcher.transport.cancel import CancelToken
from hatcher.transport.channel import ChannelError
from hatcher.transport.http_channel import HTTPChannel
from hatcher.transport.proxies import Proxy

from .wires import (
    EMPTY,
    OK,
    PATIENCE,
    WIRES,
    Incoming,
    Wire,
    answering,
    get,
    post,
    receive,
    whole,
)

#: Far beyond the time that any of these tests takes.
FOREVER = Timeouts(connect=300, read=300, write=300, pool=300, stall=300)


class Under:
    """Something that runs in a thread of its own, under a token."""

    def __init__(self, token: CancelToken, do: Callable[[], object]) -> None:
        self.result: object = None
        self.error: BaseException | None = None

        def run() -> None:
            with token.active():
                try:
                    self.result = do()
                except BaseException as error:  # for the other thread
                    self.error = error

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def join(self) -> Under:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self

    def check_interrupted(self) -> None:
        self.join()
        if isinstance(self.error, ChannelError):
            assert self.error.kind == "cancelled"
        else:
            assert isinstance(self.error, TransferInterruptedError)


@contextmanager
def hanging(
    wire: Wire, sent: bytes = b"", takes: int = 1, *, shakes_hands: bool = True
) -> Iterator[tuple[str, threading.Semaphore]]:
    """A server that says something, and then nothing more; with what tells of that."""
    over, come = threading.Event(), threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        if takes:
            connection.recv(takes)
        connection.sendall(sent)
        come.release()
        over.wait(PATIENCE)

    with wire.talking(serve, shakes_hands=shakes_hands) as url:
        try:
            yield url, come
        finally:
            over.set()


class TestTokens:
    def test_an_end_is_called_once_or_forgotten(self) -> None:
        token, called = CancelToken(), []
        forget = token.attach(lambda: called.append("a"))
        forget_another = token.attach(lambda: called.append("b"))
        assert forget()
        token.cancel()
        token.cancel()
        assert called == ["b"]
        assert not forget_another()
        assert not forget()

    def test_what_comes_too_late_ends_at_once(self) -> None:
        token, called = CancelToken(), []
        token.cancel()
        forget = token.attach(lambda: called.append("a"))
        assert called == ["a"]
        assert not forget()

    def test_outside_of_all_operations_nothing_is_cancelled(self) -> None:
        called: list[str] = []
        assert cancel.watch(lambda: called.append("a"))()
        assert cancel.current() is None
        assert not cancel.is_cancelled()
        assert called == []

    def test_an_inner_one_ends_with_the_outer_one_and_not_the_other_way_round(self) -> None:
        outer, called = CancelToken(), []
        with outer.active():
            inner, sibling = CancelToken(), CancelToken()
            with inner.active():
                innermost = CancelToken()
        for token, name in ((outer, "o"), (inner, "i"), (sibling, "s"), (innermost, "m")):
            token.attach(lambda name=name: called.append(name))  # type: ignore[misc]
        inner.cancel()
        assert sorted(called) == ["i", "m"]
        assert not outer.is_cancelled and not sibling.is_cancelled
        outer.cancel()
        assert sorted(called) == ["i", "m", "o", "s"]
        assert sibling.is_cancelled

    def test_one_that_is_made_too_late_is_cancelled(self) -> None:
        outer = CancelToken()
        outer.cancel()
        with outer.active():
            assert CancelToken().is_cancelled

    def test_each_thread_has_its_own(self) -> None:
        token, others = CancelToken(), []
        with token.active():
            thread = threading.Thread(target=lambda: others.append(cancel.current()))
            thread.start()
            thread.join()
            assert cancel.current() is token
        assert others == [None]
        assert cancel.current() is None

    def test_an_outer_one_does_not_keep_the_inner_ones(self) -> None:
        outer = CancelToken()
        with outer.active():
            inner = weakref.ref(CancelToken())
        gc.collect()
        assert inner() is None
        assert not outer._ends

    def test_an_end_that_cancels_and_attaches(self) -> None:
        token, called = CancelToken(), []

        def end() -> None:
            called.append("end")
            token.cancel()
            token.attach(lambda: called.append("late"))

        token.attach(end)
        token.cancel()
        assert called == ["end", "late"]

    def test_many_threads_at_a_time(self) -> None:
        for _ in range(30):
            token, called, kept = CancelToken(), [], []

            def work(token: CancelToken = token, called: Any = called, kept: Any = kept) -> None:
                for _ in range(50):
                    forget = token.attach(lambda: called.append(1))
                    kept.append(forget())

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            token.cancel()
            for thread in threads:
                thread.join()
            # Each was either called or forgotten, and none both.
            assert len(called) + kept.count(True) == len(kept) == 200


class TestWhereverItIs:
    @pytest.mark.parametrize(
        "sent",
        [
            b"",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 200 O",
            OK + b"Content-Length: 9\r\n\r\n",
            OK + b"Content-Length: 9\r\n\r\nhello",
            OK + b"Transfer-Encoding: chunked\r\n\r\n",
            OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX:",
            OK + b"\r\nhello",
        ],
    )
    @pytest.mark.parametrize("ask", [whole, receive])
    def test_receiving(self, wire: Wire, sent: bytes, ask: Any) -> None:
        token = CancelToken()
        with hanging(wire, sent) as (url, come), wire.channel(FOREVER) as made:
            asking = Under(token, lambda: ask(made, get(url)))
            come.acquire()
            time.sleep(0.05)
            token.cancel()
            asking.check_interrupted()

    def test_sending(self, wire: Wire) -> None:
        token = CancelToken()
        with hanging(wire) as (url, come), wire.channel(FOREVER) as made:
            asking = Under(token, lambda: made.exchange(post(url, [b"x" * 1_000_000] * 30)))
            come.acquire()
            time.sleep(0.05)
            token.cancel()
            asking.check_interrupted()

    def test_before_anything_begins(self, wire: Wire) -> None:
        token = CancelToken()
        token.cancel()
        with ScriptedServer(Answer()) as server, wire.channel(FOREVER) as made:
            Under(token, lambda: made.exchange(get(server.url))).check_interrupted()
            assert server.connections == 0

    def test_before_anything_begins_on_a_kept_connection(self, wire: Wire) -> None:
        token, heads = CancelToken(), list[bytes]()
        serve = answering(EMPTY, kept=True, heads=heads)
        with wire.talking(serve) as url, wire.channel(FOREVER) as made:
            whole(made, get(url))
            token.cancel()
            Under(token, lambda: made.exchange(get(url))).check_interrupted()
            assert whole(made, get(url))[0] == 200
            assert len(heads) == 2

    def test_shaking_hands(self) -> None:
        token, wire = CancelToken(), WIRES["TLS"]
        with (
            hanging(wire, shakes_hands=False) as (url, come),
            wire.channel(FOREVER) as made,
        ):
            asking = Under(token, lambda: made.exchange(get(url)))
            come.acquire()
            token.cancel()
            asking.check_interrupted()

    def test_waiting_for_a_proxy(self) -> None:
        with hanging(WIRES["plain"]) as (url, come):
            port = int(url.rstrip("/").rpartition(":")[2])
            proxy = Proxy("http", "127.0.0.1", port)
            made = HTTPChannel(FOREVER, ssl.create_default_context, lambda origin: proxy)
            for target in ("https://localhost:1/", "http://localhost:1/"):
                token = CancelToken()
                asking = Under(token, lambda target=target: made.exchange(get(target)))  # type: ignore[misc]
                come.acquire()
                token.cancel()
                asking.check_interrupted()
            made.close()

    def test_connecting(self) -> None:
        """The system's own wait for a machine that is silent ends at the connect timeout."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(0)
            address = listening.getsockname()
            waiting = [socket.socket() for _ in range(3)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(address)
            token = CancelToken()
            with WIRES["plain"].channel(Timeouts(connect=0.5)) as made:
                asking = Under(token, lambda: made.exchange(get(f"http://127.0.0.1:{address[1]}/")))
                time.sleep(0.1)
                token.cancel()
                asking.check_interrupted()
            for each in waiting:
                each.close()

    def test_waiting_for_a_free_connection(
        self, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 1)
        token = CancelToken()
        serve = answering(EMPTY, kept=True)
        with wire.talking(serve) as url, wire.channel(FOREVER) as made:
            held = made.exchange(get(url))
            asking = Under(token, lambda: made.exchange(get(url)))
            time.sleep(0.05)
            token.cancel()
            asking.check_interrupted()
            held.close()
            assert whole(made, get(url))[0] == 200

    @pytest.mark.parametrize("step", ["exchange", "answer", "renewal"])
    def test_getting_a_token(self, step: str) -> None:
        token, over, come = CancelToken(), threading.Event(), threading.Event()

        def hang(_: object) -> Answer:
            come.set()
            over.wait(PATIENCE)
            return Answer(200, body=b'{"token": "t"}')

        fine, platforms = Answer(body=b'{"token": "t"}'), Answer(body=b'{"platforms": []}')
        answers = {
            "exchange": [hang],
            "answer": [Answer(200, {"Content-Length": "99"}, b'{"token'), hang],
            "renewal": [fine, platforms, Answer(401), hang],
        }[step]
        with ScriptedServer(*answers) as server:
            if step == "answer":
                come.set()
            auth = BroodClientAuth(server.url, ("ada", "secret"))
            with BroodClient.from_url(
                server.url, auth, api_version=1, timeout=FOREVER, retries=RetryPolicy(0)
            ) as client:
                if step == "renewal":
                    assert client.list_platforms() == []
                asking = Under(token, client.list_platforms)
                assert come.wait(PATIENCE)
                time.sleep(0.1)
                token.cancel()
                asking.check_interrupted()
                over.set()
                # Nobody else has to do with it: the next one gets a token of its own.
                assert auth.lock.acquire(timeout=PATIENCE)
                auth.lock.release()

    @pytest.mark.parametrize(
        "answer", [Answer(503, {"Retry-After": "25"}), Answer(429, {"Retry-After": "25"})]
    )
    def test_pausing(self, answer: Answer) -> None:
        token = CancelToken()
        with ScriptedServer(answer) as server:
            auth = BroodBearerTokenAuth("t")
            with BroodClient.from_url(server.url, auth, api_version=1) as client:
                asking = Under(token, client.list_platforms)
                while not server.requests:
                    time.sleep(0.01)
                time.sleep(0.1)
                begun = time.monotonic()
                token.cancel()
                asking.check_interrupted()
                assert time.monotonic() - begun < 20
            assert len(server.requests) == 1


class TestNothingElse:
    """Over the same channel, another operation goes on."""

    @pytest.mark.parametrize("ask", [whole, receive])
    def test_another_thread(self, wire: Wire, ask: Any) -> None:
        come, may_end = threading.Semaphore(0), threading.Event()
        content = b"0123456789abcdef" * 100_000

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            while incoming.head():
                connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(content))
                connection.sendall(content[:100_000])
                come.release()
                may_end.wait(PATIENCE)
                connection.sendall(content[100_000:])

        mine, other, nobodys = CancelToken(), CancelToken(), CancelToken()
        with wire.talking(serve) as url, wire.channel(FOREVER) as made:
            asking = [
                Under(token, lambda: ask(made, get(url)))
                for token in (mine, other, mine, nobodys, mine)
            ]
            for _ in asking:
                come.acquire()
            mine.cancel()
            for each in asking[::2]:
                each.check_interrupted()
            may_end.set()
            for each in asking[1::2]:
                each.join()
                assert each.error is None
                assert isinstance(each.result, tuple) and each.result[-1] == content

    def test_a_connection_that_was_given_back_meanwhile(self, wire: Wire) -> None:
        """Between the word and the deed, it may have become another operation's."""
        content = b"x" * 300_000
        may_end = threading.Event()
        may_end.set()

        def serve(connection: socket.socket) -> None:
            incoming = Incoming(connection)
            while incoming.head():
                connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(content))
                may_end.wait(PATIENCE)
                connection.sendall(content)

        token, taken = CancelToken(), []
        with wire.talking(serve) as url, wire.channel(FOREVER) as made:

            def hand_over() -> None:
                """Done when the token is already cancelled, before or after the connection."""
                if taken:
                    return
                try:
                    answer.read(1_000_000)
                except ChannelError as trouble:
                    assert trouble.kind == "cancelled"
                answer.close()
                may_end.clear()
                taken.append(made.exchange(get(url)))

            token.attach(hand_over)
            with token.active():
                answer = made.exchange(get(url))
            token.attach(lambda: hand_over())
            token.cancel()
            may_end.set()
            assert taken[0].read(1_000_000) == content
            taken[0].close()

    def test_whatever_the_moment(self, wire: Wire) -> None:
        """Operations begin, end and are cancelled all the time, and the others do not notice."""
        over, count = threading.Event(), [0, 0]

        def go_on() -> None:
            while not over.is_set():
                assert whole(made, get(url))[2] == b"x" * 20_000
                count[0] += 1

        def be_cancelled() -> None:
            while not over.is_set():
                token = CancelToken()
                timer = threading.Thread(target=token.cancel)
                with token.active():
                    try:
                        timer.start()
                        while True:
                            assert whole(made, get(url))[2] == b"x" * 20_000
                    except ChannelError as trouble:
                        assert trouble.kind == "cancelled"
                        count[1] += 1
                timer.join()

        nobodys = CancelToken()
        serve = answering(OK + b"Content-Length: 20000\r\n\r\n" + b"x" * 20_000, kept=True)
        with wire.talking(serve) as url, wire.channel() as made:
            threads = [Under(nobodys, do) for do in (go_on, go_on, be_cancelled, be_cancelled)]
            time.sleep(1.5)
            over.set()
            for thread in threads:
                assert thread.join().error is None, repr(thread.error)
        assert min(count) > 5
