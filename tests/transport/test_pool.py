"""Kept connections: given back from finalizers, closed when they are old, left to the parent."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from hatcher.cancel import CancelToken
from hatcher.transport import pool
from hatcher.transport.channel import ChannelError
from hatcher.transport.http_channel import HTTPAnswer, HTTPChannel
from hatcher.transport.timeouts import Timeouts

from .wires import OK, PATIENCE, Incoming, Wire, get, kept, receive, whole

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class Serving:
    """A server that counts connections; ``/large`` is an answer that is too large for buffers."""

    LARGE = b"0123456789abcdef" * 500_000

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._lock = threading.Lock()
        self.begun = 0
        self.open = 0
        #: Set it, and answers wait for it.
        self.may_answer: threading.Event | None = None

    def link(self, timeouts: Timeouts = Timeouts()) -> AbstractContextManager[Any]:
        """Run it; give its URL, and a channel."""
        return self._wire.link(self._serve, timeouts)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.begun += 1
            self.open += 1
        try:
            incoming = Incoming(connection)
            while head := incoming.head():
                if self.may_answer is not None:
                    self.may_answer.wait(PATIENCE)
                content = self.LARGE if b" /large " in head else b"small"
                answer = OK + b"Content-Length: %d\r\n\r\n" % len(content)
                connection.sendall(answer + content)
        finally:
            with self._lock:
                self.open -= 1

    def wait_for(self, number: int) -> None:
        """Wait until no more connections are open than that."""
        until = time.monotonic() + PATIENCE
        while self.open > number:
            assert time.monotonic() < until, f"{self.open} are open, instead of {number}"
            time.sleep(0.01)
        assert self.open == number


@pytest.fixture
def serving(wire: Wire) -> Serving:
    return Serving(wire)


def together(number: int, do: Callable[[], object]) -> None:
    """Do something in so many threads."""
    threads = [threading.Thread(target=do) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def burst(made: HTTPChannel, url: str, number: int) -> None:
    """So many requests at the same time, each on a connection of its own."""
    answers = [made.exchange(get(url)) for _ in range(number)]
    for answer in answers:
        assert answer.read(100) == b"small"
        answer.close()


class TestAge:
    @pytest.mark.parametrize("who", ["this thread", "another thread", "a finalizer"])
    def test_a_burst_leaves_nothing_behind(self, serving, monkeypatch, who):
        with serving.link() as (url, made):
            burst(made, url, 16)
            for _ in range(20):  # the young ones stay
                whole(made, get(url))
            assert serving.begun == serving.open == 16
            monkeypatch.setattr(pool, "KEPT_FOR", 0.0)
            if who == "another thread":
                together(1, lambda: whole(made, get(url)))
            elif who == "this thread":
                whole(made, get(url))
            else:
                made.exchange(get(url)).read(100)  # nobody closes it, nor may use its connection
            serving.wait_for(0 if who == "a finalizer" else 1)
            assert serving.begun == 17

    def test_other_servers_connections_grow_old_too(self, wire, monkeypatch):
        monkeypatch.setattr(pool, "KEPT_FOR", 0.2)
        first, second = Serving(wire), Serving(wire)
        with first.link() as (url, made), second.link() as (other, _):
            whole(made, get(url))
            time.sleep(0.25)
            whole(made, get(other))
            first.wait_for(0)
            second.wait_for(1)

    def test_closing_closes_all(self, serving):
        with serving.link() as (url, made):
            burst(made, url, 16)
            under_way = made.exchange(get(url))
            made.close()
            serving.wait_for(1)
            assert under_way.read(100) == b"small"
            under_way.close()
            serving.wait_for(0)


class Cycle:
    """Garbage that holds an answer, which only the collector finds."""

    def __init__(self, answer: HTTPAnswer) -> None:
        self.answer = answer
        self.me = self


class TestFinalizers:
    """An answer that nobody holds any more gives its connection up, whatever is going on."""

    def test_at_every_line_of_the_pool(self, serving, monkeypatch):
        """A finalizer runs between any two lines, in a thread that is in the middle of it."""
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 40)
        abandoned: list[HTTPAnswer] = []
        files = {"pool.py", "http_channel.py", "cancel.py", "threading.py"}
        finalized = 0

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal finalized
            if Path(frame.f_code.co_filename).name not in files:
                return None
            if event == "line" and abandoned:
                sys.settrace(None)
                abandoned.pop()
                finalized += 1
                sys.settrace(trace)
            return trace

        def ask(made: HTTPChannel, url: str) -> None:
            for number in range(60):
                abandoned.extend(made.exchange(get(url)) for _ in range(10))
                for answer in abandoned[::2]:
                    answer.read(100)  # its connection can be used again
                del answer
                sys.settrace(trace)
                try:
                    with CancelToken().active():
                        assert whole(made, get(url))[2] == b"small"
                    if number % 20 == 0:
                        made._pool._drop(0.0)
                finally:
                    sys.settrace(None)
                abandoned.clear()

        with serving.link() as (url, made):
            together(1, lambda: ask(made, url))
            assert finalized > 100
            gc.collect()
            burst(made, url, 40)

    def test_with_its_socket(self, serving):
        """In one cycle, the socket is finalized with the answer: nobody must get it."""
        with serving.link() as (url, made):
            for _ in range(10):
                answer = made.exchange(get(url))
                assert answer.read(100) == b"small"
                Cycle(answer)
                del answer
                gc.collect()
                assert whole(made, get(url))[2] == b"small"

    @pytest.mark.parametrize("read", [False, True])
    @pytest.mark.long
    def test_by_the_collector_in_any_thread(self, serving, monkeypatch, read):
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 64)
        before = gc.get_threshold()
        gc.set_threshold(20, 2, 2)
        found: list[bool] = []

        def ask() -> None:
            for _ in range(20):
                answer = made.exchange(get(url))
                if read:
                    answer.read(100)
                Cycle(answer)
                del answer
                whole(made, get(url))
            found.append(True)

        try:
            with serving.link() as (url, made):
                together(8, ask)
                gc.collect()
                assert len(found) == 8
                burst(made, url, 64)
        finally:
            gc.set_threshold(*before)

    @pytest.mark.long
    def test_from_callbacks(self, serving, monkeypatch):
        """What a weak reference calls may send a request, and collect garbage, in its turn."""
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 8)
        heard = []

        class Thing:
            pass

        def hear(_: object) -> None:
            gc.collect()
            heard.append(whole(made, get(url))[2])

        with serving.link() as (url, made):
            for _ in range(10):
                thing = Thing()
                reference = weakref.ref(thing, hear)
                Cycle(made.exchange(get(url)))
                del thing
                assert reference() is None
            assert heard == [b"small"] * 10
            gc.collect()
            burst(made, url, 8)


@needs_fork
class TestForks:
    """A child has connections of its own; the parent's stay the parent's."""

    def child(self, do: Callable[[], object]) -> None:
        """Do something in a child, which must go well."""
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                do()
                status = 0
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(status)
        until = time.monotonic() + PATIENCE
        while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < until:
            time.sleep(0.001)
        if ended[0] == 0:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail("the child hangs")
        assert os.waitstatus_to_exitcode(ended[1]) == 0

    def test_kept_ones_are_closed_in_the_child_and_work_in_the_parent(self, serving):
        with serving.link() as (url, made):
            burst(made, url, 5)
            connections = kept(made)

            def ask() -> None:
                assert whole(made, get(url))[2] == b"small"
                assert {connection.sock.fileno() for connection in connections} == {-1}
                assert whole(made, get(url))[2] == b"small"

            self.child(ask)
            assert serving.begun == 6
            serving.wait_for(5)
            for _ in range(2):
                burst(made, url, 5)
            assert serving.begun == 6

    @pytest.mark.parametrize(
        "do",
        [
            lambda made, url, token, answer: answer.pop().close(),
            lambda made, url, token, answer: answer.pop() and gc.collect(),
            lambda made, url, token, answer: made.close(),
            lambda made, url, token, answer: (token.cancel(), answer.pop().close()),
            lambda made, url, token, answer: whole(made, get(url)) and answer.pop().close(),
            lambda made, url, token, answer: receive(made, get(url + "large"), 100_000),
        ],
        ids=["closes it", "lets it go", "closes all", "cancels", "asks", "asks for the same"],
    )
    def test_an_open_answer_goes_on_in_the_parent(self, serving, do):
        token = CancelToken()
        with serving.link() as (url, made):
            with token.active():
                answer = made.exchange(get(url + "large"))
            buffer = bytearray(100_000)
            received = bytearray(buffer[: answer.readinto(buffer)])
            answers = [answer]
            del answer
            self.child(lambda: do(made, url, token, answers))
            (answer,) = answers
            while size := answer.readinto(buffer):
                received += buffer[:size]
            answer.close()
            assert received == serving.LARGE
            assert whole(made, get(url))[2] == b"small"

    def test_while_other_threads_are_at_it(self, serving):
        over = threading.Event()
        wrong: list[object] = []

        def ask() -> None:
            while not over.is_set():
                content = whole(made, get(url))[2]
                if content != b"small":
                    wrong.append(content)

        with serving.link() as (url, made):
            # Nobody shakes hands at a fork: a child would inherit locks that OpenSSL holds meanwhile.
            burst(made, url, 4)
            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(10):
                    self.child(lambda: whole(made, get(url)))
            finally:
                over.set()
                for thread in threads:
                    thread.join(PATIENCE)
            assert wrong == []

    def test_permits_are_not_shared(self, serving, monkeypatch):
        """What is in use in the parent is free in the child."""
        monkeypatch.setattr(pool, "MAX_CONNECTIONS", 2)
        with serving.link(Timeouts(pool=0.3)) as (url, made):
            taken = [made.exchange(get(url)) for _ in range(2)]
            self.child(lambda: whole(made, get(url)))
            with pytest.raises(ChannelError):
                made.exchange(get(url))
            for answer in taken:
                assert answer.read(100) == b"small"
                answer.close()
            assert whole(made, get(url))[2] == b"small"


def test_who_sends_to_a_connection_that_was_shut_down_hears_of_its_end():
    """Also where all that had come was read, so that the kernel sees nothing to complain of."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for _ in range(30):
            near = socket.create_connection(listening.getsockname())
            far, _ = listening.accept()
            with near, far:
                sender = threading.Thread(target=_send_until_it_ends, args=[far])
                sender.start()
                for _ in range(3):
                    near.recv(1 << 16)
                time.sleep(0.01)  # until the sender waits for room
                pool.shut_down(near)
                with contextlib.suppress(ConnectionError):
                    while near.recv(1 << 20):
                        pass
                near.close()
                sender.join(PATIENCE / 3)
                has_ended = not sender.is_alive()
                pool.shut_down(far)
                assert has_ended


def _send_until_it_ends(side: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            side.sendall(bytes(1 << 16))
