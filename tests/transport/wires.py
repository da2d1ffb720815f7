"""Servers that are functions, on real sockets, plain and with TLS; and channels that trust them."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeAlias

import pytest
import trustme

from hatcher.testing.listener import reset_on_close
from hatcher.transport.channel import ChannelError, Headers, Outgoing
from hatcher.transport.http_channel import HTTPChannel
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import split

#: For what is to time out; anything else may take its time, on a busy machine too.
QUICK = Timeouts(connect=2, read=0.3, write=0.3, pool=0.3, stall=0.3)

#: Seconds after which a test that hangs has failed.
PATIENCE = 60

Serve: TypeAlias = Callable[[socket.socket], object]

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority().configure_trust(client_side)
    return server_side, client_side


class Wire:
    """One of the two ways to speak: ``plain`` or ``TLS``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_safe = name == "TLS"

    @contextmanager
    def talking(
        self, serve: Serve, *, shakes_hands: bool = True, host: str = "127.0.0.1"
    ) -> Iterator[str]:
        """A server that serves each connection with a function, in a thread of its own."""
        _contexts()  # before threads ask for them
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, 0), family=family)
        threads: list[threading.Thread] = []

        def serve_one(connection: socket.socket) -> None:
            # Clients of these tests go away in the middle.
            with connection, suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(PATIENCE)
                if self.is_safe and shakes_hands:
                    with _contexts()[0].wrap_socket(connection, server_side=True) as tls:
                        serve(tls)
                else:
                    serve(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=serve_one, args=(connection,)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        port = listening.getsockname()[1]
        try:
            plain = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
            yield f"https://localhost:{port}/" if self.is_safe else plain
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            accepting.join()
            for thread in threads:
                thread.join()

    @contextmanager
    def channel(self, timeouts: Timeouts = Timeouts()) -> Iterator[HTTPChannel]:
        made = HTTPChannel(timeouts, lambda: _contexts()[1])
        try:
            yield made
        finally:
            made.close()

    @contextmanager
    def link(
        self, serve: Serve, timeouts: Timeouts = Timeouts(), **options: Any
    ) -> Iterator[tuple[str, HTTPChannel]]:
        """Such a server, and a channel that trusts it."""
        with self.talking(serve, **options) as url, self.channel(timeouts) as made:
            yield url, made


#: By their names.
WIRES = {name: Wire(name) for name in ("plain", "TLS")}

#: What a test is tried with; over TLS it takes longer.
EITHER = ("plain", pytest.param("TLS", marks=pytest.mark.long))


def get(url: str, method: str = "GET") -> Outgoing:
    origin, target = split(url)
    return Outgoing(method, origin, target or "/", {})


def post(url: str, blocks: Iterable[bytes], size: int | None = None) -> Outgoing:
    origin, target = split(url)
    size = sum(map(len, blocks)) if size is None else size
    return Outgoing("POST", origin, target or "/", {}, blocks, size)


def whole(made: HTTPChannel, outgoing: Outgoing) -> tuple[int, Headers, bytes]:
    answer = made.exchange(outgoing)
    try:
        return answer.status_code, answer.headers, answer.read(1 << 30)
    finally:
        answer.close()


def receive(made: HTTPChannel, outgoing: Outgoing, size: int = 1000) -> tuple[int, bytes]:
    """Like `whole`, as downloads do it: into a buffer."""
    answer = made.exchange(outgoing)
    content, buffer = bytearray(), memoryview(bytearray(size))
    try:
        while received := answer.readinto(buffer):
            content += buffer[:received]
    finally:
        answer.close()
    return answer.status_code, bytes(content)


class Incoming:
    """Requests as they come over a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.data = bytearray()

    def head(self) -> bytes | None:
        """Return a head; None when the client has gone."""
        while b"\r\n\r\n" not in self.data:
            if not self._more():
                return None
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        return bytes(head)

    def body(self, size: int) -> bytes:
        """Return so many bytes of a body."""
        while len(self.data) < size and self._more():
            pass
        body = bytes(self.data[:size])
        del self.data[:size]
        return body

    def _more(self) -> bool:
        block = self.connection.recv(65536)
        self.data += block
        return bool(block)


def kept(made: HTTPChannel) -> list[Any]:
    """The connections that a channel keeps."""
    return [one for each in made._pool._kept.values() for _, one in each]


@contextmanager
def failing(*kinds: str) -> Iterator[None]:
    """Expect a channel error of one of these kinds."""
    with pytest.raises(ChannelError) as caught:
        yield
    assert caught.value.kind in kinds


#: What `acting` does first of all: receive the head of a request.
HEAD = "head"


def acting(*steps: Any) -> Serve:
    """Do this on each connection, step by step, until the client goes.

    Bytes are sent, so many bytes of a body are received, an event is waited for; what can be called
    is given the connection.
    """

    def serve(connection: socket.socket) -> None:
        incoming = Incoming(connection)
        for step in steps:
            if step is HEAD:
                if incoming.head() is None:
                    return
            elif isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, int):
                incoming.body(step)
            elif isinstance(step, threading.Event):
                step.wait(PATIENCE)
            else:
                step(connection)

    return serve


def flooding(start: bytes, again: bytes) -> Serve:
    """Send something, and then the same again and again."""

    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(again * 100)

    return acting(HEAD, start, flood)


def dripping(data: bytes, pause: float) -> Serve:
    """Send byte after byte, with pauses."""

    def drip(connection: socket.socket) -> None:
        for byte in data:
            connection.sendall(bytes((byte,)))
            time.sleep(pause)

    return drip


def answering(
    data: bytes,
    *,
    kept: bool = False,
    step: int = 1 << 30,
    heads: list[bytes] | None = None,
    then: Serve = bool,
) -> Serve:
    """Answer one request with these bytes, or each where the connection is kept; note the heads."""

    def serve(connection: socket.socket) -> None:
        incoming = Incoming(connection)
        while (head := incoming.head()) is not None:
            if heads is not None:
                heads.append(head)
            send(connection, data, step)
            if not kept:
                break
        then(connection)

    return serve


def send(connection: socket.socket, data: bytes, step: int) -> None:
    for start in range(0, len(data), step):
        connection.sendall(data[start : start + step])


def reset(connection: socket.socket) -> None:
    """End a connection with a reset, once what was sent has arrived."""
    reset_on_close(connection)
    connection.close()


def end(connection: socket.socket) -> None:
    """Say that nothing more comes, and go on listening."""
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(0)
        # It would wait for the other side to say the same.
        with suppress(ssl.SSLWantReadError):
            connection.unwrap()
        connection.settimeout(PATIENCE)
    else:
        connection.shutdown(socket.SHUT_WR)
