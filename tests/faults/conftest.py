"""What the tests of faults share: an egg, and a place to download it to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatcher.testing import write_egg
from hatcher.transfer.hashing import file_sha256


@dataclass(frozen=True)
class Egg:
    """An egg on the disk, with what a server would say of it."""

    path: Path
    content: bytes
    sha256: str


@pytest.fixture(scope="session")
def egg(tmp_path_factory: pytest.TempPathFactory) -> Egg:
    """An egg of 1 MB."""
    folder = tmp_path_factory.mktemp("eggs")
    path = write_egg(
        folder, "Spam", "1.0", platform="rh8-x86_64", python_tag="cp311", payload_bytes=1_000_000
    )
    content = path.read_bytes()
    return Egg(path, content, hashlib.sha256(content).hexdigest())


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], dict[str, Path]]:
    """Makes two eggs of one name and version, and of a size in bytes, by their sha256."""

    def make(size: int) -> dict[str, Path]:
        made = {}
        for seed in (1, 2):
            path = write_egg(
                tmp_path_factory.mktemp("eggs"),
                "Spam",
                "1.0",
                platform="rh8-x86_64",
                python_tag="cp311",
                payload_bytes=size,
                seed=seed,
            )
            made[file_sha256(path)] = path
        return made

    return make


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """An empty folder for downloads, inside another one that must stay as it is."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
