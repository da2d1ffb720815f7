"""Places that many of these tests use."""

from __future__ import annotations

import signal
from collections.abc import Iterator
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


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """What a shell has started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
