"""Certificates: whom they are verified against, which are refused, and what TLS says of an end."""

from __future__ import annotations

import os
import pickle
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from hatcher.api import BroodClient, BroodClientAuth
from hatcher.errors import (
    BroodConnectionError,
    HatcherException,
    IncompleteDownloadError,
    InvalidArgumentError,
    InvalidResponseError,
    TLSError,
)
from hatcher.testing import Answer, ScriptedServer
from hatcher.transport.tls import ssl_context

from .proxying import ASKERS, PLATFORMS, Ask, TLSServer, ask, server_context

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'{"platforms": ["rh8-x86_64"]}'
CHUNKED = b"%x\r\n%b\r\n" % (len(BODY), BODY)


@pytest.fixture
def pem(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[TLSServer]:
    with TLSServer(server_context(authority, "localhost")) as made:
        yield made


@pytest.fixture
def url(server: TLSServer) -> str:
    return f"https://localhost:{server.port}"


def rehash(folder: Path, pem: Path) -> None:
    """Name a certificate as OpenSSL looks for it."""
    done = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", pem],
        capture_output=True,
        text=True,
        check=True,
    )
    pem.rename(folder / f"{done.stdout.strip()}.0")


class TestVerifySSL:
    @pytest.mark.parametrize("ask", ASKERS)
    def test_a_file_or_a_folder(self, ask: Ask, url: str, pem: Path, tmp_path: Path) -> None:
        (tmp_path / "key.pem").write_text("no certificate")
        for given in (pem, str(pem), tmp_path, str(tmp_path), f"{tmp_path}/"):
            assert ask(url, verify_ssl=given) == ["rh8-x86_64"]

    def test_an_unknown_authority_and_another_host(self, url: str, pem: Path) -> None:
        with pytest.raises(TLSError, match="verify_ssl"):
            ask(url)
        with pytest.raises(TLSError, match=r"127\.0\.0\.1"):
            ask(url.replace("localhost", "127.0.0.1"), verify_ssl=pem)

    def test_a_folder_as_openssl_has_them(self, url: str, pem: Path, tmp_path: Path) -> None:
        rehash(tmp_path, pem)
        assert ask(url, verify_ssl=tmp_path) == ["rh8-x86_64"]

    def test_a_folder_with_another_authority(self, url: str, tmp_path: Path) -> None:
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        with pytest.raises(TLSError, match="certificate verify failed"):
            ask(url, verify_ssl=tmp_path)

    @pytest.mark.parametrize("given", ["", " ", 0, 1, 1.5, b"x", b"", (), ["x"], object, None])
    def test_what_is_neither_a_bool_nor_a_path(self, given: Any) -> None:
        with ScriptedServer() as server:
            with pytest.raises(InvalidArgumentError, match="verify_ssl"):
                BroodClient.from_url(server.url, verify_ssl=given)
            if given is not None:  # it means the client's own
                with pytest.raises(InvalidArgumentError, match="verify_ssl"):
                    BroodClientAuth(server.url, ("ada", "x"), verify_ssl=given)
            assert server.connections == 0

    @pytest.mark.parametrize(
        ("given", "trouble"),
        [
            ("missing.pem", "No such file"),
            ("missing/authority.pem", "No such file"),
            ("note.txt/authority.pem", "Not a directory"),
            ("note.txt", "PEM"),
            ("empty.pem", "PEM"),
            ("key.pem", "PEM"),
            ("broken.pem", "PEM"),
            ("empty", "not a folder with certificates"),
            ("keys", "not a folder with certificates"),
            ("x" * 5000, "too long"),
            ("a\0b", "null"),
            ("a\udcff", "No such file"),
        ],
    )
    def test_a_path_without_certificates(
        self, given: str, trouble: str, tmp_path: Path, authority: trustme.CA
    ) -> None:
        (tmp_path / "note.txt").write_text("no certificate")
        (tmp_path / "empty.pem").touch()
        authority.private_key_pem.write_to_path(tmp_path / "key.pem")
        text = authority.cert_pem.bytes().decode()
        (tmp_path / "broken.pem").write_text(text[: len(text) // 2])
        (tmp_path / "empty").mkdir()
        (tmp_path / "keys").mkdir()
        authority.private_key_pem.write_to_path(tmp_path / "keys" / "key.pem")
        for path in (str(tmp_path / given), tmp_path / given):
            with pytest.raises(InvalidArgumentError, match=trouble) as caught:
                BroodClient.from_url("https://brood.invalid", verify_ssl=path)
            assert str(caught.value).startswith(f"'{tmp_path}")
            with pytest.raises(InvalidArgumentError, match=trouble):
                BroodClientAuth("https://brood.invalid", ("a", "b"), verify_ssl=str(path))

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="It takes users.")
    def test_a_path_that_cannot_be_read(self, pem: Path, tmp_path: Path) -> None:
        folder = tmp_path / "closed"
        folder.mkdir(mode=0)
        pem.chmod(0)
        user = os.geteuid()
        if user == 0:  # who may read everything
            os.seteuid(65534)
        try:
            for path in (pem, folder):
                with pytest.raises(InvalidArgumentError, match="Permission denied"):
                    BroodClient.from_url("https://brood.invalid", verify_ssl=path)
        finally:
            os.seteuid(user)

    def test_the_current_folder_without_certificates(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(InvalidArgumentError, match="not a folder with certificates"):
            BroodClient.from_url("https://brood.invalid", verify_ssl=Path())

    def test_a_path_is_pickled_as_a_path(self, pem: Path) -> None:
        client = BroodClient.from_url("https://brood.invalid", verify_ssl=pem)
        pem.unlink()
        # It may be there where the pickle arrives.
        assert pickle.loads(pickle.dumps(client))._session.verify_ssl == str(pem)


@pytest.mark.parametrize("ask", ASKERS)
class TestEnvironment:
    def test_a_file(self, environment: pytest.MonkeyPatch, ask: Ask, url: str, pem: Path) -> None:
        environment.setenv("SSL_CERT_FILE", str(pem))
        assert ask(url) == ["rh8-x86_64"]

    def test_a_folder(
        self, environment: pytest.MonkeyPatch, ask: Ask, url: str, pem: Path, tmp_path: Path
    ) -> None:
        environment.setenv("SSL_CERT_DIR", str(tmp_path))
        assert ask(url) == ["rh8-x86_64"]

    def test_several_folders(
        self, environment: pytest.MonkeyPatch, ask: Ask, url: str, pem: Path, tmp_path: Path
    ) -> None:
        rehash(tmp_path, pem)
        missing = tmp_path / "missing"
        environment.setenv("SSL_CERT_DIR", f"{missing}{os.pathsep}{tmp_path}{os.pathsep}")
        assert ask(url) == ["rh8-x86_64"]

    def test_both(
        self, environment: pytest.MonkeyPatch, ask: Ask, url: str, pem: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        trustme.CA().cert_pem.write_to_path(other / "other.pem")
        environment.setenv("SSL_CERT_FILE", str(pem))
        environment.setenv("SSL_CERT_DIR", str(other))
        assert ask(url) == ["rh8-x86_64"]
        environment.setenv("SSL_CERT_FILE", str(other / "other.pem"))
        environment.setenv("SSL_CERT_DIR", str(tmp_path))
        assert ask(url) == ["rh8-x86_64"]

    def test_blanks_name_nothing(self, environment: pytest.MonkeyPatch, ask: Ask, url: str) -> None:
        environment.setenv("SSL_CERT_FILE", "")
        environment.setenv("SSL_CERT_DIR", os.pathsep)
        with pytest.raises((TLSError, httpx.ConnectError), match="certificate verify failed"):
            ask(url)

    def test_they_do_not_count_beside_an_argument(
        self, environment: pytest.MonkeyPatch, ask: Ask, url: str, pem: Path
    ) -> None:
        environment.setenv("SSL_CERT_FILE", "/missing.pem")
        environment.setenv("SSL_CERT_DIR", "/missing")
        assert ask(url, verify_ssl=pem) == ["rh8-x86_64"]
        assert ask(url, verify_ssl=False) == ["rh8-x86_64"]

    @pytest.mark.parametrize(
        ("variable", "value", "trouble"),
        [
            ("SSL_CERT_FILE", "missing.pem", "No such file"),
            ("SSL_CERT_FILE", ".", "Is a directory"),
            ("SSL_CERT_FILE", "note.txt", "PEM"),
            ("SSL_CERT_FILE", "empty.pem", "PEM"),
            ("SSL_CERT_FILE", "note.txt/x", "Not a directory"),
            ("SSL_CERT_FILE", "x" * 5000, "too long"),
            ("SSL_CERT_DIR", "missing", "not a folder"),
            ("SSL_CERT_DIR", "note.txt", "not a folder"),
            ("SSL_CERT_DIR", "empty", "not a folder"),
            ("SSL_CERT_DIR", f"missing{os.pathsep}empty", "not a folder"),
        ],
    )
    def test_what_names_no_certificates(
        self,
        environment: pytest.MonkeyPatch,
        ask: Ask,
        server: TLSServer,
        url: str,
        tmp_path: Path,
        variable: str,
        value: str,
        trouble: str,
    ) -> None:
        (tmp_path / "note.txt").write_text("no certificate")
        (tmp_path / "empty.pem").touch()
        (tmp_path / "empty").mkdir()
        environment.chdir(tmp_path / "empty")
        folders = [str(tmp_path / name) for name in value.split(os.pathsep)]
        environment.setenv(variable, os.pathsep.join(folders))
        with pytest.raises(InvalidArgumentError, match=trouble) as caught:
            ask(url)
        assert variable in str(caught.value) and folders[0] in str(caught.value)
        assert server.connections == 0
        # Without TLS it does not matter.
        with ScriptedServer(Answer(raw=PLATFORMS)) as plain:
            assert ask(plain.url) == ["rh8-x86_64"]


@pytest.mark.parametrize("ask", ASKERS)
def test_a_certificate_with_a_common_name_only_is_refused(
    ask: Ask, authority: trustme.CA, pem: Path, environment: pytest.MonkeyPatch
) -> None:
    other = server_context(authority, "other.example", common_name="localhost")
    alone = server_context(authority, common_name="localhost")
    for made in (other, alone):
        with TLSServer(made) as server:
            with pytest.raises((TLSError, httpx.ConnectError), match="mismatch"):
                ask(f"https://localhost:{server.port}", verify_ssl=pem)
            environment.setenv("SSL_CERT_FILE", str(pem))
            with pytest.raises((TLSError, httpx.ConnectError), match="mismatch"):
                ask(f"https://localhost:{server.port}")


def test_no_context_looks_at_common_names(environment: pytest.MonkeyPatch, pem: Path) -> None:
    contexts = [ssl_context(True), ssl_context(pem), ssl_context(pem.parent)]
    environment.setenv("SSL_CERT_FILE", str(pem))
    contexts.append(ssl_context(True))
    for context in contexts:
        assert not context.hostname_checks_common_name and context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


class TestEnds:
    """What an end of the connection means, by how TLS says goodbye."""

    @pytest.mark.parametrize("end", ["tls", "tcp", "reset"])
    @pytest.mark.parametrize(
        ("answer", "whole"),
        [
            (OK + b"\r\n" + BODY, False),  # until the end
            (OK + b"Content-Length: 29\r\n\r\n" + BODY, True),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED + b"0\r\n\r\n", True),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED, None),
            (OK + b"Content-Length: 30\r\n\r\n" + BODY, None),
            (OK[:-2], None),
            (OK[:20], None),
            (b"", None),
        ],
    )
    def test_what_is_whole(
        self, authority: trustme.CA, pem: Path, answer: bytes, whole: bool | None, end: str
    ) -> None:
        with TLSServer(server_context(authority, "localhost"), answer, end) as server:
            url = f"https://localhost:{server.port}"
            if whole or (whole is False and end == "tls"):
                assert ask(url, verify_ssl=pem) == ["rh8-x86_64"]
                return
            with pytest.raises((BroodConnectionError, InvalidResponseError)) as caught:
                ask(url, verify_ssl=pem, retries=0)
            if answer and end == "tcp":
                assert isinstance(caught.value, IncompleteDownloadError)

    def test_an_end_within_the_handshake(self, environment: pytest.MonkeyPatch) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        with listening:
            for early in (b"", b"\x16\x03\x03\x00\x7a", b"HTTP/1.1 400 Bad Request\r\n\r\n"):

                def answer(early: bytes = early) -> None:
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(early)

                thread = threading.Thread(target=answer)
                thread.start()
                with pytest.raises(HatcherException) as caught:
                    ask(f"https://127.0.0.1:{listening.getsockname()[1]}", retries=0)
                thread.join()
                assert isinstance(caught.value, BroodConnectionError)
