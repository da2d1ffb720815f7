"""The existing client of Brood, in an environment of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hatcher.testing import BroodServer

#: The client that no one here wrote; it breaks on newer versions of click.
PINS = ("hatcher==0.17.0", "click<8.2")

ROOT = Path(__file__).parents[2]


def _install() -> Path:
    """Make the environment once, and return its Python."""
    key = hashlib.sha256(repr((PINS, sys.version_info[:3], sys.prefix)).encode()).hexdigest()[:12]
    home = ROOT / ".cache" / f"interop-{key}"
    scripts, python = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    if not home.is_dir():
        home.parent.mkdir(exist_ok=True)
        # Under another name until it is complete, so that an interrupted run leaves none behind
        # that seems to be. Only `python -m` is used, which does not mind being moved.
        unfinished = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
        try:
            venv.create(unfinished, with_pip=True)
            command = [unfinished / scripts / python, "-I", "-m", "pip", "install", *PINS]
            command += ["--quiet", "--disable-pip-version-check", "--no-input"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                pytest.fail(
                    f"Could not install {' '.join(PINS)} for the interoperability tests; they "
                    f"need a package index. pip ended with {done.returncode}:\n{done.stderr}",
                    pytrace=False,
                )
            try:
                unfinished.rename(home)
            except OSError:
                if not home.is_dir():  # or else another run was faster
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return home / scripts / python


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """The Python of the environment with the existing client."""
    return _install()


class PeerError(Exception):
    """The existing client raised; `kind` is its exception's class, `status` the HTTP status."""

    def __init__(self, kind: str, message: str, status: int | None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.status = status


@dataclass
class Peer:
    """The existing client's Python API, driven over a pipe."""

    process: subprocess.Popen[str]
    url: str
    api_version: int
    auth: dict[str, Any] | None

    def __call__(self, node: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a node and return its result.

        A node is "" (the client), "acme", "acme/dev" or "acme/dev/rh8-x86_64".
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        call = {
            "url": self.url,
            "api_version": self.api_version,
            "auth": self.auth,
            "node": [part for part in node.split("/") if part],
            "method": method,
            "args": [str(arg) if isinstance(arg, Path) else arg for arg in args],
            "kwargs": kwargs,
        }
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise PeerError(**answer["error"])
        return answer["result"]

    def with_auth(self, **auth: Any) -> Peer:
        """The same client with other credentials: basic=, exchange= or none at all."""
        return Peer(self.process, self.url, self.api_version, auth or None)


@pytest.fixture(scope="session")
def peer_process(peer_python: Path) -> Iterator[subprocess.Popen[str]]:
    driver = Path(__file__).with_name("drive_existing_client.py")
    process = subprocess.Popen(
        [peer_python, "-I", driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.communicate()
    assert process.returncode == 0


@pytest.fixture(params=[0, 1], ids=["v0", "v1"])
def api_version(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def peer(peer_process: subprocess.Popen[str], brood_server: BroodServer, api_version: int) -> Peer:
    """The existing client's API, as the administrator of a fresh Brood."""
    basic = [brood_server.admin_email, brood_server.admin_password]
    return Peer(peer_process, brood_server.url, api_version, {"basic": basic})


CommandLine = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command_line(
    peer_python: Path, brood_server: BroodServer, api_version: int, tmp_path: Path
) -> CommandLine:
    """The existing client's command line, as the administrator of a fresh Brood."""

    def run(*args: object, auth: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        if auth is None:
            auth = ["-U", brood_server.admin_email, "-p", brood_server.admin_password]
        command = [peer_python, "-I", "-m", "hatcher", "--url", brood_server.url, *auth]
        command += ["--api-version", str(api_version), *map(str, args)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL
        )

    return run
