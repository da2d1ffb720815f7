"""Places that many of these tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.api import Repository, SinglePlatformRepository
from hatcher.testing import BroodServer


@pytest.fixture
def repository(brood_server: BroodServer) -> Repository:
    """The repository acme/dev of a Brood, without content."""
    return brood_server.client().create_organization("acme", "-").create_repository("dev", "-")


@pytest.fixture
def platform(repository: Repository) -> SinglePlatformRepository:
    return repository.platform("rh8-x86_64")


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """An empty folder for downloads."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
