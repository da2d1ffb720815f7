"""What the tests of the server share: servers on real sockets, and plain httpx clients."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings
from hatcher.testing.eggs import write_egg

ADMIN = ("admin@example.com", "admin-password")
PLATFORM = "rh8-x86_64"


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def error_of(response: httpx.Response, status: int) -> str:
    """Return what an error says, which comes in the one form of errors."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert list(document) == ["error"]
    assert isinstance(document["error"], str)
    return document["error"]


class Client(httpx.Client):
    """A plain client."""

    def upload(
        self, url: str, path: Path, *, data: dict[str, object] | None = None, **query: str
    ) -> httpx.Response:
        """Upload a file as the protocol says."""
        data = {"sha256": sha256_of(path), **(data or {})}
        parts = [
            ("file", (path.name, path.read_bytes(), "")),
            ("data", ("", json.dumps(data), "application/json; charset=UTF-8")),
        ]
        # httpx leaves the empty file name out, as some clients do.
        return self.post(url, files=parts, params=query)

    def upload_egg(self, path: Path, platform: str = PLATFORM, **query: str) -> httpx.Response:
        """Upload an egg to acme/dev."""
        return self.upload(f"/data/acme/dev/{platform}/eggs/upload", path, **query)

    def create(self, below: str = "", status: int = 201, **document: object) -> dict[str, str]:
        """Make an organization, or something of one; return what the server says."""
        response = self.post(f"/admin/organizations{below}", json=document)
        assert response.status_code == status, response.text
        return response.json()

    def index(self, tag: str = "cp311", platform: str = PLATFORM) -> dict[str, dict[str, object]]:
        """Get the egg index of acme/dev."""
        response = self.get(f"/indices/acme/dev/{platform}/{tag}/eggs")
        assert response.status_code == 200, response.text
        return response.json()


def client_of(
    server: BackgroundServer, auth: tuple[str, str] | None = ADMIN, version: int = 1
) -> Client:
    return Client(base_url=f"{server.url}/api/v{version}/json", auth=auth, timeout=30)


def connect(server: BackgroundServer | Client) -> socket.socket:
    url = httpx.URL(server.url) if isinstance(server, BackgroundServer) else server.base_url
    return socket.create_connection((url.host, url.port), timeout=30)


def make_repository(client: Client, description: str = "") -> None:
    """Make the repository acme/dev."""
    client.create(name="acme")
    client.create("/acme/repositories", name="dev", description=description)


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """What the server is told; a parameter says whether it is strict."""
    strict = getattr(request, "param", False)
    return Settings(
        tmp_path / "brood", port=0, admin=ADMIN[0], admin_password=ADMIN[1], strict_platforms=strict
    )


@pytest.fixture
def server(settings: Settings) -> Iterator[BackgroundServer]:
    with BackgroundServer(settings) as running:
        yield running


@pytest.fixture
def admin(server: BackgroundServer) -> Iterator[Client]:
    """The administrator, with the repository acme/dev."""
    with client_of(server) as client:
        make_repository(client, "Ours")
        yield client


@pytest.fixture
def person(server: BackgroundServer, admin: Client) -> Iterator[Callable[..., Client]]:
    """Make users of acme, each in a team of their own with some access to acme/dev."""
    clients = []

    def make(email: str, group: str | None = None) -> Client:
        teams = [] if group is None else [f"team of {email}"]
        for team in teams:
            admin.create("/acme/teams", name=team, group=group)
            assert admin.put(f"/admin/teams/acme/{team}/repositories/dev").status_code == 204
        created = admin.create("/acme/users", email=email, teams=teams)
        client = client_of(server, (email, created["one_time_password"]))
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def egg(tmp_path: Path) -> Path:
    return write_egg(tmp_path, "Spam", "1.0.0", python_tag="cp311", packages=["eggs 2.0-1"])
