"""What the tests of faults share: eggs, places to download them to, and moments."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import SinglePlatformRepository
from hatcher.testing import BroodProcess, BroodServer, write_egg
from hatcher.transfer.hashing import file_sha256


@dataclass(frozen=True)
class Egg:
    """An egg on the disk, with what a server would say of it."""

    path: Path
    content: bytes
    sha256: str


def spam(folder: Path, size: int, **options: Any) -> Path:
    """Write an egg of so many bytes; all of them have one name and version."""
    made: dict[str, Any] = {"platform": "rh8-x86_64", "python_tag": "cp311", **options}
    return write_egg(folder, "Spam", "1.0", payload_bytes=size, **made)


def stock(brood: BroodServer | BroodProcess, *eggs: Path) -> SinglePlatformRepository:
    """Make the repository acme/dev on a Brood, with these eggs."""
    client = brood.client()
    client.create_organization("acme", "").create_repository("dev", "")
    platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
    for egg in eggs:
        platform.upload_egg(egg)
    return platform


@pytest.fixture(scope="session")
def egg(tmp_path_factory: pytest.TempPathFactory) -> Egg:
    """An egg of 1 MB."""
    path = spam(tmp_path_factory.mktemp("eggs"), 1_000_000)
    content = path.read_bytes()
    return Egg(path, content, hashlib.sha256(content).hexdigest())


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], dict[str, Path]]:
    """Makes two eggs of one name and version, and of a size in bytes, by their sha256."""

    def make(size: int) -> dict[str, Path]:
        made = [spam(tmp_path_factory.mktemp("eggs"), size, seed=seed) for seed in (1, 2)]
        return {file_sha256(path): path for path in made}

    return make


@pytest.fixture
def dice() -> random.Random:
    """What chooses faults and moments: others each time, unless the environment says which."""
    seed = int(os.environ.get("HATCHER_FAULTS_SEED", random.SystemRandom().randrange(10**9)))
    print(f"HATCHER_FAULTS_SEED={seed} repeats these faults")  # shown when the test fails
    return random.Random(seed)


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """An empty folder for downloads, inside another one that must stay as it is."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
