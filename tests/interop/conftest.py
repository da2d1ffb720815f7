"""The existing client of Brood against our server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from attrs import evolve, frozen

from hatcher.testing import BroodServer

from .environments import NEWEST, WITH_TEAMS, Driver, Process, Release


class PeerError(Exception):
    """The existing client raised; `kind` is its exception's class, `status` the HTTP status."""

    def __init__(self, kind: str, kinds: list[str], message: str, status: int | None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.status = status


@frozen
class Peer:
    """The existing client's Python API."""

    driver: Process
    url: str
    api_version: int
    auth: dict[str, Any] | None

    def methods(self, node: str) -> set[str]:
        """The public methods of a node."""
        connection = {"url": self.url, "api_version": self.api_version}
        question = {"do": "names", "connection": connection, "node": steps(node)}
        names = self.driver(question)["result"]
        return {name for name, parameters in names.items() if parameters is not None}

    def __call__(self, node: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a node and return its result.

        A node is "" (the client), "acme", "acme/dev" or "acme/dev/rh8-x86_64", and further
        steps after that as `steps` makes them.
        """
        answer = self.driver(
            {
                "connection": {
                    "url": self.url,
                    "api_version": self.api_version,
                    "auth": self.auth,
                },
                "node": steps(node),
                "method": method,
                "args": [str(arg) if isinstance(arg, Path) else arg for arg in args],
                "kwargs": kwargs,
            }
        )
        if "error" in answer:
            raise PeerError(**answer["error"])
        return answer["result"]

    def refused(self, status: int, node: str, method: str, *args: Any, **kwargs: Any) -> None:
        """Call a method, which the server must answer with an error status."""
        with pytest.raises(PeerError) as caught:
            self(node, method, *args, **kwargs)
        assert (caught.value.kind, caught.value.status) == ("HTTPError", status), (method, args)

    def with_auth(self, **auth: Any) -> Peer:
        """The same client with other credentials: basic=, bearer=, exchange= or none at all."""
        return evolve(self, auth=auth or None)


def steps(node: str) -> list[list[str]]:
    """The way to a node.

    >>> steps("acme/dev/rh8-x86_64")
    [['organization', 'acme'], ['repository', 'dev'], ['platform', 'rh8-x86_64']]
    >>> steps("acme user:coyote@example.com")
    [['organization', 'acme'], ['user', 'coyote@example.com']]
    >>> steps("acme/dev/rh8-x86_64 bundles get:cp38:tools:1.0.0-1")[3:]
    [['bundles'], ['get', 'cp38', 'tools', '1.0.0-1']]
    """
    place, *further = node.split(" ")
    names = [part for part in place.split("/") if part]
    way = zip(("organization", "repository", "platform"), names, strict=False)
    return [*map(list, way), *(step.split(":") for step in further)]


@pytest.fixture(params=[0, 1], ids=["v0", "v1"])
def api_version(request: pytest.FixtureRequest) -> int:
    return request.param


Processes = Callable[[type[Process], Release], Process]


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """Gives a program that runs in the environment of a release, always the same one."""
    running: dict[tuple[type[Process], Release], Process] = {}

    def process(kind: type[Process], release: Release) -> Process:
        if (kind, release) not in running:
            running[kind, release] = kind(release)
        return running[kind, release]

    yield process
    for program in running.values():
        program.close()


def _peer(driver: Process, server: BroodServer, api_version: int) -> Peer:
    basic = [server.admin_email, server.admin_password]
    return Peer(driver, server.url, api_version, {"basic": basic})


@pytest.fixture
def peer(processes: Processes, brood_server: BroodServer, api_version: int) -> Peer:
    """The existing client's API, as the administrator of a fresh Brood."""
    return _peer(processes(Driver, NEWEST), brood_server, api_version)


@pytest.fixture
def old_peer(processes: Processes, brood_server: BroodServer, api_version: int) -> Peer:
    """The API of the existing client's last release that has teams, likewise."""
    return _peer(processes(Driver, WITH_TEAMS), brood_server, api_version)


@frozen
class CommandLine:
    """The existing client's command line."""

    commands: Process
    server: BroodServer
    api_version: int
    folder: Path

    def __call__(
        self,
        *args: object,
        typed: str = "",
        environment: dict[str, str] | None = None,
    ) -> CompletedProcess[str]:
        """Run a command, by default as the administrator; or as environment variables say."""
        command = []
        if environment is None:
            auth = ["-U", self.server.admin_email, "-p", self.server.admin_password]
            command = ["--url", self.server.url, *auth, "--api-version", str(self.api_version)]
        command += map(str, args)
        done = self.commands(
            {
                "args": command,
                "folder": str(self.folder),
                "typed": typed,
                "environment": environment or {},
            }
        )
        return CompletedProcess(command, **done)
