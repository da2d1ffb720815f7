"""Proxies and a TLS server on real sockets, which write down what they are asked."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from hatcher.testing import ScriptedServer
from hatcher.testing.listener import Listener, shutdown

from . import common
from .common import PLATFORMS, default
from .wires import authority

VARIABLES = [
    spelled
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for spelled in (name, name.upper())
] + ["REQUEST_METHOD", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]


def cleared(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return the environment, without proxies and authorities."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def server_context(*names: str, common_name: str | None = None) -> ssl.SSLContext:
    """Return what a TLS server is set up with; its certificate may have but a common name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if names:
        authority().issue_cert(*names, common_name=common_name).configure_cert(context)
        return context
    signer = x509.load_pem_x509_certificate(authority().cert_pem.bytes())
    pem = authority().private_key_pem.bytes()
    key: Any = load_pem_private_key(pem, None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, str(common_name))])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder(signer.subject, name, key.public_key(), 1)
        .not_valid_before(signer.not_valid_before_utc)
        .not_valid_after(signer.not_valid_after_utc)
        .add_extension(issuer, critical=False)
        .sign(key, hashes.SHA256())
    )
    with TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        context.load_cert_chain(path)
    return context


def head_of(connection: socket.socket) -> str:
    """Receive the head of a request; empty when there is none."""
    head = b""
    while b"\r\n\r\n" not in head:
        block = connection.recv(65536)
        if not block:
            return ""
        head += block
    return head.decode("latin-1")


class TLSServer(ScriptedServer):
    """A scripted server with a certificate of the tests' authority, for localhost by default."""

    def __init__(self, *answers: Any, context: ssl.SSLContext | None = None) -> None:
        self._context = context or server_context("localhost")
        #: The names that clients asked for in the handshake.
        self.names: list[str | None] = []
        self._context.sni_callback = lambda _, name, __: self.names.append(name)
        super().__init__(*(answers or (PLATFORMS,)))

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def port(self) -> int:
        return self._port

    def _serve(self, connection: socket.socket) -> None:
        # The client may not like the certificate; and a ragged end is none of TLS.
        with (
            suppress(ssl.SSLError, ConnectionError),
            self._context.wrap_socket(connection, server_side=True) as wrapped,
        ):
            super()._serve(wrapped)


class _Through(Listener):
    """What all proxies do: connect to where they are told, and pass on bytes."""

    def __init__(self, places: dict[str, int] | None = None) -> None:
        #: Ports of this machine, by the addresses that clients name.
        self.places = places or {}
        #: What clients wanted to be connected to.
        self.targets: list[str] = []
        super().__init__()

    def at(self, scheme: str, credentials: str = "") -> str:
        """Return how a variable names it."""
        return f"{scheme}://{credentials}127.0.0.1:{self._port}"

    def _onward(self, target: str) -> socket.socket:
        self.targets.append(target)
        port = self.places.get(target) or int(target.rpartition(":")[2])
        return socket.create_connection(("127.0.0.1", port))

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        def copy(source: socket.socket, sink: socket.socket) -> None:
            with suppress(OSError):
                while block := source.recv(65536):
                    sink.sendall(block)
            shutdown(sink, socket.SHUT_WR)

        back = threading.Thread(target=copy, args=(server, client), daemon=True)
        back.start()
        copy(client, server)
        back.join()


class HTTPProxy(_Through):
    """A proxy that is spoken with in HTTP, or in HTTP over TLS.

    Parameters
    ----------
    places : dict of str to int, optional
    credentials : str, optional
        ``user:password``, without which it answers 407.
    context : ssl.SSLContext, optional
        With which it speaks TLS itself.
    answer : bytes, optional
        What it answers to CONNECT instead of connecting; `forever` is repeated after it.
    """

    def __init__(
        self,
        places: dict[str, int] | None = None,
        *,
        credentials: str | None = None,
        context: ssl.SSLContext | None = None,
        answer: bytes | None = None,
        forever: bytes = b"",
    ) -> None:
        self.credentials = credentials
        self.context = context
        self.answer = answer
        self.forever = forever
        self.heads: list[str] = []
        super().__init__(places)

    def _serve(self, connection: socket.socket) -> None:
        if self.context is not None:
            try:
                connection = self.context.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                return
        with connection:
            head = head_of(connection)
            if not head:
                return
            self.heads.append(head)
            if self.answer is not None:
                connection.sendall(self.answer)
                while self.forever:
                    connection.sendall(self.forever)
                if not self.answer:
                    connection.recv(1)  # silence, until the client goes
                return
            if self.credentials is not None:
                pair = b64encode(self.credentials.encode()).decode()
                if f"Proxy-Authorization: Basic {pair}\r\n" not in head:
                    connection.sendall(
                        b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                        b"Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
                    )
                    return
            method, target, _ = head.split(" ", 2)
            if method == "CONNECT":
                with self._onward(target) as server:
                    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    self._pass_on(connection, server)
            else:
                host, _, path = target.removeprefix("http://").partition("/")
                with self._onward(host) as server:
                    line, rest = head.split("\r\n", 1)
                    line = f"{method} /{path} {line.rpartition(' ')[2]}"
                    server.sendall(f"{line}\r\n{rest}".encode("latin-1"))
                    self._pass_on(connection, server)


class SOCKSProxy(_Through):
    """A proxy that is spoken with in SOCKS 5.

    Parameters
    ----------
    places : dict of str to int, optional
    credentials : str, optional
        ``user:password``, without which it connects nobody.
    answers : list of bytes, optional
        What it says instead, one block for each that it is told; then it falls silent.
    """

    def __init__(
        self,
        places: dict[str, int] | None = None,
        *,
        credentials: str | None = None,
        answers: list[bytes] | None = None,
    ) -> None:
        self.credentials = credentials
        self.answers = answers
        super().__init__(places)

    def _serve(self, connection: socket.socket) -> None:
        for answer in self.answers or ():
            connection.recv(4096)
            connection.sendall(answer)
            if not answer:
                return
        if self.answers is not None:
            while connection.recv(4096):
                pass
            return
        stream = connection.makefile("rb")
        _, count = stream.read(2)
        wanted = 0 if self.credentials is None else 2
        connection.sendall(bytes([5, wanted if wanted in stream.read(count) else 255]))
        if self.credentials is not None:
            stream.read(1)
            found = ":".join(stream.read(*stream.read(1)).decode() for _ in range(2))
            connection.sendall(bytes([1, found != self.credentials]))
            if found != self.credentials:
                return
        kind = stream.read(4)[3]
        if kind == 3:
            host = stream.read(*stream.read(1)).decode()
        elif kind == 4:
            host = f"[{socket.inet_ntop(socket.AF_INET6, stream.read(16))}]"
        else:
            host = socket.inet_ntoa(stream.read(4))
        (port,) = struct.unpack("!H", stream.read(2))
        try:
            server = self._onward(f"{host}:{port}")
        except OSError:
            connection.sendall(b"\5\5\0\1\0\0\0\0\0\0")
            return
        with server:
            connection.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            self._pass_on(connection, server)


@contextmanager
def nobody() -> Iterator[int]:
    """Give a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class ByHttpx(httpx.Auth):
    """A way of authentication that only httpx carries out."""


def ask(url: str, sends: str = "graph", **options: Any) -> Any:
    """Ask for platforms by a client of its own, in one of the ways."""
    if sends == "httpx":
        options, sends = {"auth": ByHttpx(), **options}, "graph"
    with default(url, **options) as client:
        return common.ask(client, sends)


each_way = pytest.mark.parametrize("sends", ["graph", "raw", "async raw", "httpx"])
