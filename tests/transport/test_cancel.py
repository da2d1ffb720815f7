"""A token ends one operation, wherever that is, and touches nothing else."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from hatcher import cancel
from hatcher.api import RetryPolicy, Timeouts
from hatcher.cancel import Cancelled, CancelToken
from hatcher.testing import Answer, Request, ScriptedServer
from hatcher.transport import pool
from hatcher.transport.channel import ChannelError
from hatcher.transport.http_channel import HTTPChannel
from hatcher.transport.proxies import Proxy

from .common import PAIR, default, scripted, through_httpx, token
from .proxying import HTTPProxy, SOCKSProxy, TLSServer, cleared, server_context
from .wires import (
    EMPTY,
    HEAD,
    OK,
    PATIENCE,
    WIRES,
    Wire,
    acting,
    answering,
    get,
    post,
    receive,
    whole,
)

#: Far beyond the time that any of these tests takes.
FOREVER = Timeouts(connect=300, read=300, write=300, pool=300, stall=300)

NO_PLATFORMS = Answer(body=b'{"platforms": []}')


class Under:
    """Something that runs in a thread of its own, under a token."""

    def __init__(self, token: CancelToken, do: Callable[[], object]) -> None:
        self.result: object = None
        self.error: BaseException | None = None

        def run() -> None:
            with token.joined():
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
            assert isinstance(self.error, Cancelled)


@contextmanager
def hanging(
    wire: Wire, sent: bytes = b"", **options: Any
) -> Iterator[tuple[str, HTTPChannel, threading.Semaphore]]:
    """A server that says something, and then nothing more; with what tells of that."""
    over, come = threading.Event(), threading.Semaphore(0)
    serve = acting(lambda client: client.recv(1), sent, lambda _: come.release(), over)
    with wire.link(serve, FOREVER, **options) as (url, made):
        try:
            yield url, made, come
        finally:
            over.set()


class TestTokens:
    def test_an_end_is_called_once_or_forgotten(self):
        token, called = CancelToken(), []
        forget, forget_another = (token.attach(partial(called.append, name)) for name in "ab")
        assert forget()
        token.cancel()
        token.cancel()
        assert called == ["b"]
        assert not forget_another()
        assert not forget()
        assert not token.attach(partial(called.append, "late"))()  # which ends at once
        assert called == ["b", "late"]

    def test_outside_of_all_operations_nothing_is_cancelled(self):
        called: list[str] = []
        assert cancel.watch(lambda: called.append("a"))()
        assert cancel.current() is None
        assert not cancel.is_cancelled()
        assert called == []

    def test_an_inner_one_ends_with_the_outer_one_and_not_the_other_way_round(self):
        outer, called = CancelToken(), []
        with outer.active():
            inner, sibling = CancelToken(), CancelToken()
            with inner.active():
                innermost = CancelToken()
        for each, name in ((outer, "o"), (inner, "i"), (sibling, "s"), (innermost, "m")):
            each.attach(partial(called.append, name))
        inner.cancel()
        assert sorted(called) == ["i", "m"]
        assert not outer.is_cancelled and not sibling.is_cancelled
        outer.cancel()
        assert sorted(called) == ["i", "m", "o", "s"]
        assert sibling.is_cancelled
        with outer.joined():
            assert CancelToken().is_cancelled  # which is made too late

    def test_each_thread_has_its_own(self):
        token = CancelToken()
        with token.active(), ThreadPoolExecutor(1) as threads:
            assert threads.submit(cancel.current).result() is None
            assert cancel.current() is token
        assert cancel.current() is None

    def test_an_outer_one_does_not_keep_the_inner_ones(self):
        outer = CancelToken()
        with outer.active():
            inner = weakref.ref(CancelToken())
        gc.collect()
        assert inner() is None
        assert not outer._ends

    def test_an_end_that_cancels_and_attaches(self):
        token, called = CancelToken(), []

        def end() -> None:
            called.append("end")
            token.cancel()
            token.attach(lambda: called.append("late"))

        token.attach(end)
        token.cancel()
        assert called == ["end", "late"]

    def test_many_threads_at_a_time(self):
        for _ in range(30):
            token, called, kept = CancelToken(), [], []

            def work(token: CancelToken = token, called: Any = called) -> list[bool]:
                return [token.attach(lambda: called.append(1))() for _ in range(50)]

            with ThreadPoolExecutor(4) as threads:
                working = [threads.submit(work) for _ in range(4)]
                token.cancel()
                for each in working:
                    kept += each.result()
            # Each was either called or forgotten, and none both.
            assert len(called) + kept.count(True) == len(kept) == 200


class TestWhereverItIs:
    def check(self, do: Callable[[], object], come: threading.Semaphore) -> None:
        """It is ended when it has come so far."""
        token = CancelToken()
        asking = Under(token, do)
        assert come.acquire(timeout=PATIENCE)
        time.sleep(0.05)
        token.cancel()
        asking.check_interrupted()

    @pytest.mark.parametrize(
        "sent",
        [
            b"",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 200 O",
            OK + b"Content-Length: 9\r\n\r\n",
            OK + b"Content-Length: 9\r\n\r\nhello",
            OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX:",
            OK + b"\r\nhello",
        ],
    )
    @pytest.mark.parametrize("ask", [whole, receive])
    def test_receiving(self, wire, sent, ask):
        with hanging(wire, sent) as (url, made, come):
            self.check(lambda: ask(made, get(url)), come)

    def test_sending(self, wire):
        with hanging(wire) as (url, made, come):
            self.check(lambda: made.exchange(post(url, [b"x" * 1_000_000] * 30)), come)

    def test_shaking_hands(self):
        with hanging(WIRES["TLS"], shakes_hands=False) as (url, made, come):
            self.check(lambda: made.exchange(get(url)), come)

    @pytest.mark.parametrize("target", ["https://localhost:1/", "http://localhost:1/"])
    def test_waiting_for_a_proxy(self, target):
        with hanging(WIRES["plain"]) as (url, _, come):
            proxy = Proxy("http", "127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
            made = HTTPChannel(FOREVER, ssl.create_default_context, lambda origin: proxy)
            self.check(lambda: made.exchange(get(target)), come)
            made.close()

    def test_before_anything_begins(self, wire):
        token, heads = CancelToken(), list[bytes]()
        token.cancel()
        with wire.link(answering(EMPTY, kept=True, heads=heads), FOREVER) as (url, made):
            for number in range(2):  # then there is a kept connection
                Under(token, lambda: made.exchange(get(url))).check_interrupted()
                assert len(heads) == number
                assert whole(made, get(url))[0] == 200

    def test_connecting(self):
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

    def test_waiting_for_a_free_connection(self, wire, monkeypatch):
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 1)
        with wire.link(answering(EMPTY, kept=True), FOREVER) as (url, made):
            held = made.exchange(get(url))
            self.check(lambda: made.exchange(get(url)), threading.Semaphore(1))
            held.close()
            assert whole(made, get(url))[0] == 200

    @pytest.mark.parametrize(
        "before",
        [
            [],
            [Answer(200, {"Content-Length": "99"}, b'{"token')],
            [token("t"), NO_PLATFORMS, Answer(401)],
        ],
        ids=["exchange", "answer", "renewal"],
    )
    def test_getting_a_token(self, before):
        over, come = threading.Event(), threading.Semaphore(len(before) == 1)

        def hang(request: Request) -> Answer:
            come.release()
            over.wait(PATIENCE)
            return token("t") if request.method == "POST" else NO_PLATFORMS

        options = {"login": PAIR, "timeout": FOREVER}
        with scripted(*before, hang, **options) as (_, client):
            if len(before) == 3:
                assert client.list_platforms() == []
            self.check(client.list_platforms, come)
            over.set()
            # Nobody else has to do with it: the next one gets a token of its own.
            assert client.list_platforms() == []

    def test_waiting_for_the_token_that_another_gets(self):
        over, come = threading.Event(), threading.Semaphore(0)

        def hang(request: Request) -> Answer:
            come.release()
            over.wait(PATIENCE)
            return token("t") if request.method == "POST" else NO_PLATFORMS

        answers = [token("t"), NO_PLATFORMS, Answer(401), hang]
        with scripted(*answers, login=PAIR, timeout=FOREVER) as (_, client):
            assert client.list_platforms() == []
            first, second = CancelToken(), CancelToken()
            getting = Under(first, client.list_platforms)
            assert come.acquire(timeout=PATIENCE)
            waiting, begun = Under(second, client.list_platforms), time.monotonic()
            time.sleep(0.1)
            second.cancel()
            waiting.check_interrupted()
            assert time.monotonic() - begun < PATIENCE / 2
            first.cancel()
            getting.check_interrupted()
            over.set()
            assert client.list_platforms() == []

    @pytest.mark.parametrize("is_first", [True, False], ids=["first", "kept"])
    @pytest.mark.parametrize("sent", [0, 20_000])
    def test_an_httpx_client_of_the_users_own(self, is_first, sent):
        over, come = threading.Event(), threading.Semaphore(0)

        def hang(request: Request) -> Answer:
            come.release()
            over.wait(PATIENCE)
            return NO_PLATFORMS

        half = Answer(200, {"Content-Length": "99999"}, b" " * sent)
        before = [NO_PLATFORMS] * (not is_first)
        options = {"make": through_httpx, "timeout": FOREVER}
        with scripted(*before, half if sent else hang, NO_PLATFORMS, **options) as (_, client):
            for _ in before:
                assert client.list_platforms() == []
            self.check(client.list_platforms, threading.Semaphore(1) if sent else come)
            over.set()
            assert client.list_platforms() == []

    @pytest.mark.parametrize("target", ["http", "https"])
    @pytest.mark.parametrize("scheme", ["https", "socks5"])
    def test_waiting_behind_a_proxy(self, scheme, target, monkeypatch):
        if scheme == "socks5":
            pytest.importorskip("socksio")
        come, over = threading.Semaphore(0), threading.Event()

        def hang(request: Request) -> Answer:
            come.release()
            over.wait(PATIENCE)
            return NO_PLATFORMS

        name, context = "brood.example", server_context("brood.example", "127.0.0.1")
        made = TLSServer(hang, context=context) if target == "https" else ScriptedServer(hang)
        with made as server:
            port = int(server.url.rpartition(":")[2])
            places = dict.fromkeys((name, f"{name}:80", f"{name}:443"), port)
            through = (
                SOCKSProxy(places) if scheme == "socks5" else HTTPProxy(places, context=context)
            )
            with through as proxy:
                cleared(monkeypatch).setenv("all_proxy", proxy.at(scheme))
                client = default(f"{target}://{name}", verify_ssl=False, timeout=FOREVER)
                self.check(client.list_platforms, come)
                over.set()
                client.close()

    @pytest.mark.parametrize("status", [503, 429])
    def test_pausing(self, status):
        come = threading.Semaphore(0)

        def answer(_: object) -> Answer:
            come.release()
            return Answer(status, {"Retry-After": "25"})

        with scripted(answer, retries=RetryPolicy()) as (server, client):
            begun = time.monotonic()
            self.check(client.list_platforms, come)
            assert time.monotonic() - begun < 20
            assert len(server.requests) == 1


class TestNothingElse:
    """Over the same channel, another operation goes on."""

    @pytest.mark.parametrize("ask", [whole, receive])
    def test_another_thread(self, wire, ask):
        come, may_end = threading.Semaphore(0), threading.Event()
        content = b"0123456789abcdef" * 100_000
        head = OK + b"Content-Length: %d\r\n\r\n" % len(content)
        pause = lambda _: come.release()  # noqa: E731
        serve = acting(HEAD, head, content[:100_000], pause, may_end, content[100_000:])
        mine, other, nobodys = CancelToken(), CancelToken(), CancelToken()
        with wire.link(serve, FOREVER) as (url, made):
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

    def test_a_connection_that_was_given_back_meanwhile(self, wire):
        """Between the word and the deed, it may have become another operation's."""
        content = b"x" * 300_000
        may_end = threading.Event()
        may_end.set()
        head = OK + b"Content-Length: %d\r\n\r\n" % len(content)
        serve = acting(*[HEAD, head, may_end, content] * 3)
        token, taken = CancelToken(), []
        with wire.link(serve, FOREVER) as (url, made):

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

    def test_whatever_the_moment(self, wire):
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
                with token.joined():
                    try:
                        timer.start()
                        while True:
                            assert whole(made, get(url))[2] == b"x" * 20_000
                    except (ChannelError, Cancelled) as trouble:
                        assert isinstance(trouble, Cancelled) or trouble.kind == "cancelled"
                        count[1] += 1
                timer.join()

        nobodys = CancelToken()
        serve = answering(OK + b"Content-Length: 20000\r\n\r\n" + b"x" * 20_000, kept=True)
        with wire.link(serve) as (url, made):
            threads = [Under(nobodys, do) for do in (go_on, go_on, be_cancelled, be_cancelled)]
            time.sleep(1.5)
            over.set()
            for thread in threads:
                assert thread.join().error is None, repr(thread.error)
        assert min(count) > 5


def test_ctrl_c_in_an_operation_that_nobody_cancelled_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt), CancelToken().active():
        raise KeyboardInterrupt
