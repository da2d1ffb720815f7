"""Certificates: whom they are verified against, which are refused, and what TLS says of an end."""

from __future__ import annotations

import os
import pickle
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from hatcher.api import BroodClient, BroodClientAuth
from hatcher.errors import BroodConnectionError, InvalidArgumentError, TLSError
from hatcher.testing import ScriptedServer
from hatcher.transport.tls import ssl_context

from .common import PLATFORMS
from .proxying import TLSServer, ask, each_way, server_context
from .wires import WIRES, authority

#: What is refused, over httpx too.
refused = pytest.raises((TLSError, httpx.ConnectError), match="certificate verify failed")


@pytest.fixture
def url() -> Iterator[str]:
    with TLSServer() as server:
        yield server.url


@pytest.fixture
def folder(tmp_path: Path, pem: Path) -> Path:
    """A folder with a certificate, and with what holds none."""
    for name in ("empty", "keys"):
        (tmp_path / name).mkdir()
    (tmp_path / "note.txt").write_text("no certificate")
    (tmp_path / "empty.pem").touch()
    (tmp_path / "broken.pem").write_bytes(pem.read_bytes()[:300])
    for name in ("key.pem", "keys/key.pem"):
        authority().private_key_pem.write_to_path(tmp_path / name)
    (tmp_path / "other").mkdir()
    trustme.CA().cert_pem.write_to_path(tmp_path / "other" / "other.pem")
    return tmp_path


@pytest.fixture
def hashed(pem: Path, tmp_path: Path) -> Path:
    """A folder whose certificate is named as OpenSSL looks for it."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", pem]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    folder = tmp_path / "hashed"
    folder.mkdir()
    shutil.move(pem, folder / f"{done.stdout.strip()}.0")
    return folder


class TestVerifySSL:
    @each_way
    def test_a_file_or_a_folder(self, sends, url, pem, folder):
        for given in (pem, str(pem), folder, str(folder), f"{folder}/"):
            assert ask(url, sends, verify_ssl=given) == ["rh8-x86_64"]

    def test_an_unknown_authority_and_another_host(self, url, pem, folder):
        with pytest.raises(TLSError, match="verify_ssl"):
            ask(url)
        with pytest.raises(TLSError, match=r"127\.0\.0\.1"):
            ask(url.replace("localhost", "127.0.0.1"), verify_ssl=pem)
        with refused:
            ask(url, verify_ssl=folder / "other")

    def test_a_folder_as_openssl_has_them(self, url, hashed):
        assert ask(url, verify_ssl=hashed) == ["rh8-x86_64"]

    @pytest.mark.parametrize("given", ["", " ", 0, 1.5, b"x", (), ["x"], object, None])
    def test_what_is_neither_a_bool_nor_a_path(self, given):
        with pytest.raises(InvalidArgumentError, match="verify_ssl"):
            BroodClient.from_url("https://brood.invalid", verify_ssl=given)
        if given is not None:  # it means the client's own
            with pytest.raises(InvalidArgumentError, match="verify_ssl"):
                BroodClientAuth("https://brood.invalid", ("ada", "x"), verify_ssl=given)

    @pytest.mark.parametrize(
        ("given", "trouble"),
        [
            ("missing.pem", "No such file"),
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
    def test_a_path_without_certificates(self, given, trouble, folder):
        for path in (str(folder / given), folder / given):
            with pytest.raises(InvalidArgumentError, match=trouble) as caught:
                BroodClient.from_url("https://brood.invalid", verify_ssl=path)
            assert str(caught.value).startswith(f"'{folder}")
            with pytest.raises(InvalidArgumentError, match=trouble):
                BroodClientAuth("https://brood.invalid", ("a", "b"), verify_ssl=str(path))

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="It takes users.")
    def test_a_path_that_cannot_be_read(self, folder, pem):
        (folder / "empty").chmod(0)
        pem.chmod(0)
        user = os.geteuid()
        if user == 0:  # who may read everything
            os.seteuid(65534)
        try:
            for path in (pem, folder / "empty"):
                with pytest.raises(InvalidArgumentError, match="Permission denied"):
                    BroodClient.from_url("https://brood.invalid", verify_ssl=path)
        finally:
            os.seteuid(user)

    def test_the_current_folder(self, folder, monkeypatch):
        monkeypatch.chdir(folder / "empty")
        with pytest.raises(InvalidArgumentError, match="not a folder with certificates"):
            BroodClient.from_url("https://brood.invalid", verify_ssl=Path())

    def test_a_path_is_pickled_as_a_path(self, pem):
        client = BroodClient.from_url("https://brood.invalid", verify_ssl=pem)
        pem.unlink()
        # It may be there where the pickle arrives.
        assert pickle.loads(pickle.dumps(client))._session.verify_ssl == str(pem)


@each_way
class TestEnvironment:
    @pytest.mark.parametrize(
        ("file", "folders"),
        [
            ("authority.pem", None),
            (None, "."),
            ("authority.pem", "other"),
            ("other/other.pem", "."),
        ],
    )
    def test_a_file_and_a_folder(self, environment, sends, url, folder, file, folders):
        for variable, name in (("SSL_CERT_FILE", file), ("SSL_CERT_DIR", folders)):
            if name is not None:
                environment.setenv(variable, str(folder / name))
        assert ask(url, sends) == ["rh8-x86_64"]

    def test_several_folders(self, environment, sends, url, hashed):
        folders = [str(hashed / "missing"), str(hashed), ""]
        environment.setenv("SSL_CERT_DIR", os.pathsep.join(folders))
        assert ask(url, sends) == ["rh8-x86_64"]

    @pytest.mark.parametrize("name", ["authority.pem", "."])
    @pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_those_of_requests_and_curl(self, environment, sends, url, folder, variable, name):
        environment.setenv(variable, str(folder / name))
        assert ask(url, sends) == ["rh8-x86_64"]
        environment.setenv("SSL_CERT_FILE", str(folder / "other" / "other.pem"))
        with refused:
            ask(url, sends)

    def test_blanks_name_nothing(self, environment, sends, url):
        environment.setenv("SSL_CERT_FILE", "")
        environment.setenv("SSL_CERT_DIR", os.pathsep)
        environment.setenv("REQUESTS_CA_BUNDLE", "")
        with refused:
            ask(url, sends)

    def test_they_do_not_count_beside_an_argument(self, environment, sends, url, pem):
        environment.setenv("SSL_CERT_FILE", "/missing.pem")
        environment.setenv("SSL_CERT_DIR", "/missing")
        for verify_ssl in (pem, False):
            assert ask(url, sends, verify_ssl=verify_ssl) == ["rh8-x86_64"]

    @pytest.mark.parametrize(
        ("variable", "value", "trouble"),
        [
            ("SSL_CERT_FILE", "missing.pem", "No such file"),
            ("SSL_CERT_FILE", ".", "Is a directory"),
            ("SSL_CERT_FILE", "note.txt", "PEM"),
            ("SSL_CERT_FILE", "empty.pem", "PEM"),
            ("SSL_CERT_FILE", "note.txt/x", "Not a directory"),
            ("SSL_CERT_FILE", "x" * 5000, "too long"),
            ("SSL_CERT_DIR", "note.txt", "not a folder"),
            ("REQUESTS_CA_BUNDLE", "missing.pem", "No such file"),
            ("CURL_CA_BUNDLE", "empty", "not a folder"),
            ("SSL_CERT_DIR", f"missing{os.pathsep}empty", "not a folder"),
        ],
    )
    def test_what_names_no_certificates(self, environment, sends, folder, variable, value, trouble):
        environment.chdir(folder / "empty")
        names = [str(folder / name) for name in value.split(os.pathsep)]
        environment.setenv(variable, os.pathsep.join(names))
        with TLSServer() as server, ScriptedServer(PLATFORMS) as plain:
            with pytest.raises(InvalidArgumentError, match=trouble) as caught:
                ask(server.url, sends)
            assert variable in str(caught.value) and names[0] in str(caught.value)
            assert server.connections == 0
            # Without TLS it does not matter.
            assert ask(plain.url, sends) == ["rh8-x86_64"]


@each_way
def test_a_certificate_with_a_common_name_only_is_refused(sends, pem, environment):
    environment.setenv("SSL_CERT_FILE", str(pem))
    for names in (("other.example",), ()):
        context = server_context(*names, common_name="localhost")
        for verify_ssl in (pem, True):
            with (
                TLSServer(context=context) as server,
                pytest.raises((TLSError, httpx.ConnectError), match="mismatch"),
            ):
                ask(server.url, sends, verify_ssl=verify_ssl)


def test_no_context_looks_at_common_names(environment, pem):
    contexts = [ssl_context(True), ssl_context(pem), ssl_context(pem.parent)]
    environment.setenv("SSL_CERT_FILE", str(pem))
    contexts.append(ssl_context(True))
    for context in contexts:
        assert not context.hostname_checks_common_name and context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    "early", [b"", b"\x16\x03\x03\x00\x7a", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
)
def test_an_end_within_the_handshake(environment, early):
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(early)

    with (
        WIRES["TLS"].talking(serve, shakes_hands=False) as url,
        pytest.raises(BroodConnectionError),
    ):
        ask(url)
