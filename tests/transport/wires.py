"""Servers that are functions, on real sockets, plain and with TLS; and channels that trust them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

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
        self, serve: Callable[[socket.socket], None], *, shakes_hands: bool = True
    ) -> Iterator[str]:
        """A server that serves each connection with a function, in a thread of its own."""
        _contexts()  # before threads ask for them
        listening = socket.create_server(("127.0.0.1", 0))
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
            yield f"https://localhost:{port}/" if self.is_safe else f"http://127.0.0.1:{port}/"
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


#: By their names.
WIRES = {name: Wire(name) for name in ("plain", "TLS")}

#: What a test is tried with; over TLS it takes longer.
EITHER = ("plain", pytest.param("TLS", marks=pytest.mark.long))


def get(url: str, method: str = "GET") -> Outgoing:
    origin, target = split(url)
    return Outgoing(method, origin, target or "/", {})


def post(url: str, blocks: list[bytes]) -> Outgoing:
    origin, target = split(url)
    return Outgoing("POST", origin, target or "/", {}, blocks, sum(map(len, blocks)))


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


@contextmanager
def failing(*kinds: str) -> Iterator[None]:
    """Expect a channel error of one of these kinds."""
    with pytest.raises(ChannelError) as caught:
        yield
    assert caught.value.kind in kinds


def answering(
    data: bytes,
    *,
    kept: bool = False,
    step: int = 1 << 30,
    heads: list[bytes] | None = None,
    then: Callable[[socket.socket], object] = bool,
) -> Callable[[socket.socket], None]:
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
