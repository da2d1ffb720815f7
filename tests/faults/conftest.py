"""What the tests of faults share: eggs, places to download them to, and moments."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import SinglePlatformRepository
from hatcher.testing import Answer, BroodProcess, BroodServer, RequestFault, write_egg
from hatcher.transfer.hashing import file_sha256

from ..forking import Forks

#: What spam() writes is called and asked for like this.
NAME, ARGUMENTS = "Spam-1.0-1.egg", ("cp311", "Spam", "1.0-1")


@dataclass(frozen=True)
class Egg:
    """An egg on the disk, with what a server would say of it."""

    path: Path
    content: bytes
    sha256: str


def spam(folder: Path, size: int, **options: Any) -> Path:
    """Write an egg of so many bytes; all of them have one version, and one name by default."""
    made: dict[str, Any] = {"name": "Spam", "platform": "rh8-x86_64", "python_tag": "cp311"}
    return write_egg(folder, version="1.0", payload_bytes=size, **{**made, **options})


def stock(brood: BroodServer | BroodProcess, *eggs: Path) -> SinglePlatformRepository:
    """Make the repository acme/dev on a Brood, with these eggs."""
    client = brood.client()
    client.create_organization("acme", "").create_repository("dev", "")
    platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
    for egg in eggs:
        platform.upload_egg(egg)
    return platform


def write_eggs(folder: Path, numbers: Iterable[int], size: int) -> list[Path]:
    """Write eggs of so many bytes, whose names have these numbers."""
    return [spam(folder, size, name=f"Egg{number}", seed=number) for number in numbers]


def some_fault(
    dice: random.Random, places: dict[Any, list[Any]], statuses: list[int], **options: Any
) -> RequestFault:
    """Choose what happens, among some places of each kind, and what is answered instead."""
    kind, at = dice.choice([(kind, at) for kind, some in places.items() for at in some])
    return RequestFault(kind, at=at, answer=Answer(dice.choice(statuses)), **options)


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
def forks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forks]:
    """Processes that do what jobs.py says; they keep indices where no other test does."""
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(tmp_path / "cache"))
    if not hasattr(os, "fork"):
        pytest.skip("client processes are forked")
    with closing(Forks("tests.faults.jobs", tmp_path)) as forks:
        yield forks


def sha256_of(path: Path) -> str:
    """Return the hash of a file, which hatcher has not made."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stored(brood: BroodProcess, repository: str) -> list[tuple[str, str]]:
    """The file names and hashes in the database, which is intact; the files hold what it says."""
    with closing(sqlite3.connect(brood.data / "brood.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        rows: list[tuple[str, str, int]] = database.execute(
            "SELECT filename, sha256, size FROM artefacts JOIN repositories"
            " ON repositories.id = repository_id WHERE repositories.name = ?",
            (repository,),
        ).fetchall()
    for _, sha256, size in rows:
        blob = brood.data / "blobs" / sha256[:2] / sha256[2:]
        assert (sha256_of(blob), blob.stat().st_size) == (sha256, size)
    return [(filename, sha256) for filename, sha256, _ in rows]


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """An empty folder for downloads, inside another one that must stay as it is."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
