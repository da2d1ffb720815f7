"""What the tests of the command line share: `hatcher` as a user runs it, and a Brood to run it on."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import keyring
import pytest
import trustme
from keyring.backends import fail

from hatcher.api import BroodClient, Repository
from hatcher.cli.run import run
from hatcher.testing import (
    Answer,
    BroodServer,
    ScriptedServer,
    write_bundle,
    write_egg,
    write_runtime,
)

from .keyrings import FileKeyring


class Result(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON on standard output, of a command that went well."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def told(self) -> list[str]:
        """The lines on standard error, but for those of retries."""
        return [line for line in self.err.splitlines() if not line.startswith("Trying again in ")]


class Cli:
    """Runs `hatcher` as the server's administrator, in a home of its own.

    In this process, which is quick; `process` is for what only a process can show.
    """

    def __init__(
        self, server: BroodServer, home: Path, folder: Path, patch: pytest.MonkeyPatch
    ) -> None:
        self.server = server
        self.home = home
        self._patch = patch
        for name in [name for name in os.environ if name.startswith("HATCHER_")]:
            if name != "HATCHER_CACHE_DIR":
                patch.delenv(name)
        # Of this test alone: other servers may have had the same port, and so the same name.
        self.setenv("HATCHER_CACHE_DIR", Path(os.environ["HATCHER_CACHE_DIR"], folder.parent.name))
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            patch.delenv(name, raising=False)
        self.setenv("HOME", home)
        for kind in ("CONFIG", "CACHE", "DATA", "STATE", "RUNTIME"):
            self.setenv(f"XDG_{kind}_{'DIR' if kind == 'RUNTIME' else 'HOME'}", home / kind.lower())
        self.setenv("HATCHER_URL", server.url)
        self.setenv("HATCHER_USERNAME", server.admin_email)
        self.setenv("HATCHER_PASSWORD", server.admin_password)
        patch.chdir(folder)

    def setenv(self, name: str, value: object) -> None:
        """Set an environment variable until the test ends."""
        self._patch.setenv(name, str(value))

    def delenv(self, *names: str) -> None:
        """Unset environment variables until the test ends."""
        for name in names:
            self._patch.delenv(name, raising=False)

    def client(self, api_version: int = 1) -> BroodClient:
        """A client of the administrator, to see what a command has done."""
        return self.server.client(api_version=api_version)

    def __call__(self, *arguments: object, input: str = "") -> Result:
        """Run a command in this process; neither end is a terminal."""
        out, err = _text(), _text()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "stdin", _text(input))
            code = run([str(argument) for argument in arguments])
        return Result(int(code), _written(out), _written(err))

    def process(
        self,
        *arguments: object,
        input: str | bytes = "",
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a command in a process of its own; neither end is a terminal."""
        done = subprocess.run(
            self.command(*arguments),
            input=input if isinstance(input, bytes) else input.encode(),
            capture_output=True,
            timeout=120,
            env={**os.environ, **(env or {})},
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def fails(self, code: int, said: str, *arguments: object, input: str = "") -> Result:
        """Run a command that fails: with this code, with no data, and saying this."""
        result = self(*arguments, input=input)
        assert (result.code, result.out) == (code, "") and said in result.err, result
        return result

    def answered(self, answer: Answer, *arguments: object) -> Result:
        """Run a command without credentials, and with a server that always says the same."""
        self.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
        with ScriptedServer(answer) as server:
            return self("--url", server.url, *arguments)

    def command(self, *arguments: object) -> list[str]:
        """The command line of a process; it takes the environment of this one."""
        return [sys.executable, "-m", "hatcher", *map(str, arguments)]


def _text(content: str = "") -> TextIOWrapper:
    return TextIOWrapper(BytesIO(content.encode()), "utf-8", newline="", write_through=True)


def _written(stream: TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()


def outcomes(records: str | list[dict[str, str]]) -> dict[str, str]:
    """What became of each file, as JSON says it."""
    read = json.loads(records) if isinstance(records, str) else records
    return {record["file"]: record["outcome"] for record in read}


def furnish(repository: Repository, folder: Path, egg: str) -> None:
    """Upload two eggs, of which one is pure, a runtime and a bundle."""
    for name, tag in [(egg, "cp311"), ("pure", None)]:
        made = write_egg(folder, name, platform="rh8-x86_64", python_tag=tag)
        repository.platform("rh8-x86_64").upload_egg(made)
    repository.upload_runtime(write_runtime(folder, version="3.11.9+2", python_tag="cp311"))
    repository.upload_bundle(write_bundle(folder))


def keep(cli: Cli, server: BroodServer, profile: str) -> None:
    """Log in to another server, under the name of a profile."""
    done = cli(
        *("login", server.url, "--username", server.admin_email, "--password-stdin"),
        *("--insecure-storage", "--profile", profile),
        input=f"{server.admin_password}\n",
    )
    assert done.code == 0, done


@contextmanager
def command_line(server: BroodServer, parent: Path) -> Iterator[Cli]:
    """`hatcher`, with a home and a current folder below another folder."""
    home, folder = parent / "home", parent / "folder"
    home.mkdir()
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        yield Cli(server, home, folder, patch)


@pytest.fixture
def cli(brood_server: BroodServer, tmp_path: Path) -> Iterator[Cli]:
    """`hatcher`, and a Brood of this test alone; the current folder is an empty one.

    ``cli("eggs", "list", …)`` returns ``.code``, ``.out``, ``.err`` and ``.data``, the JSON;
    ``cli.process(…)`` the same from a process of its own.
    """
    with command_line(brood_server, tmp_path) as made:
        yield made


@pytest.fixture
def keyring_of_tests(cli: Cli) -> Iterator[FileKeyring]:
    """A keyring that works."""
    ring = FileKeyring(cli.home / "keyring.json")
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(fail.Keyring())


@pytest.fixture
def dev(cli: Cli) -> str:
    """A repository ``dev`` in an organization ``acme``; its name for people."""
    organization = cli.client().create_organization("acme", "Makers of everything")
    return str(organization.create_repository("dev", "Builds of the night"))


@pytest.fixture
def https(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A server with a certificate of an authority that nobody knows."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "29")
            self.end_headers()
            self.wfile.write(b'{"platforms": ["rh8-x86_64"]}')

        def log_message(self, *_: object) -> None:
            pass

    authority = trustme.CA()
    pem = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield SimpleNamespace(url=f"https://localhost:{server.server_port}", pem=pem)
        server.shutdown()
        thread.join()


@pytest.fixture(params=[0, 1])
def api_version(request: pytest.FixtureRequest, cli: Cli) -> int:
    """Each version of the API, which commands take."""
    cli.setenv("HATCHER_API_VERSION", request.param)
    return int(request.param)


@pytest.fixture
def nobody() -> Iterator[str]:
    """The URL of a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
