"""What the tests of the graph share."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.api import BroodClient, Organization, Repository, SinglePlatformRepository
from hatcher.testing import BroodServer


@pytest.fixture(params=[0, 1])
def client(request: pytest.FixtureRequest, brood_server: BroodServer) -> BroodClient:
    """The administrator's client, in both API versions."""
    return brood_server.client(api_version=request.param)


@pytest.fixture
def organization(client: BroodClient) -> Organization:
    return client.create_organization("acme", "Makers of everything")


@pytest.fixture
def repository(organization: Organization) -> Repository:
    return organization.create_repository("dev", "Builds of the night")


@pytest.fixture
def platform(repository: Repository) -> SinglePlatformRepository:
    return repository.platform("rh8-x86_64")


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
