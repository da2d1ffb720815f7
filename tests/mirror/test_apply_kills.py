"""A mirror is killed, as by kill -9, and interrupted, in the middle.

At every moment the target shows all that is new or nothing of it, what stands in a folder is whole,
and the same mirror again finishes the work without moving again what is there. The moments are
random; a failing test says the seed, and ``HATCHER_FAULTS_SEED`` sets it. ``HATCHER_KILLS`` sets
how many kills each test has to survive.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

if not hasattr(os, "fork"):
    pytest.skip("client processes are forked", allow_module_level=True)

from hatcher import mirror
from hatcher.api import Repository
from hatcher.testing import BroodServer, FaultyGateway, RequestFault, write_bundle, write_egg
from hatcher.transfer.hashing import file_sha256

from ..forking import Forks
from .conftest import PLATFORM

#: Kills that hit a mirror under way, per test.
KILLS = int(os.environ.get("HATCHER_KILLS", "2"))

#: Eggs, and the bytes of each.
EGGS, SIZE = 20, 60_000

CONCURRENCY = 4

SOME: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": ["cp311"], "prune": True}

UPLOAD = ("POST", "*/eggs/upload")
DOWNLOAD = ("GET", "*/data/*")


@pytest.fixture(scope="module")
def source(pair: list[BroodServer], tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("eggs")
    repository = pair[0].client().organization("acme").create_repository("dev", "")
    eggs = [
        write_egg(
            folder,
            f"Egg{number}",
            platform=PLATFORM,
            python_tag="cp311",
            payload_bytes=SIZE,
            seed=number,
        )
        for number in range(EGGS)
    ]
    repository.platform(PLATFORM).upload_eggs(eggs).raise_for_failures()
    repository.upload_bundle(write_bundle(folder))
    return repository


class Mirrors(Forks):
    """Makes processes that mirror."""

    _numbers = itertools.count()

    def __init__(self, pair: list[BroodServer], scratch: Path) -> None:
        self._servers = pair
        super().__init__("tests.mirror.mirroring", scratch)

    def new(self) -> str:
        """Make a repository on the second server."""
        name = f"copy{next(self._numbers)}"
        self._servers[1].client().organization("acme").create_repository(name, "")
        return name

    def at(self, number: int, repository: str, gateway: FaultyGateway) -> dict[str, Any]:
        """Return an end for a process, behind a gateway."""
        server = self._servers[number]
        auth = [server.admin_email, server.admin_password]
        return {"url": gateway.url, "auth": auth, "repository": repository}

    def begin(self, source: dict[str, Any], target: dict[str, Any]) -> int:
        """Begin to mirror, and return the id of the process."""
        return self.start(
            {"source": source, "target": target, "some": SOME, "concurrency": CONCURRENCY}
        )

    def time(self, source: dict[str, Any], target: dict[str, Any]) -> float:
        """Mirror undisturbed, and return how many seconds it took."""
        begin = time.perf_counter()
        self.begin(source, target)
        assert self.wait()["complete"]
        return time.perf_counter() - begin

    def kills(self, dice: random.Random, whole: float) -> Iterator[float]:
        """Give random moments; no more than four times as many as have to hit."""
        for _ in range(4 * KILLS):
            yield dice.uniform(0, whole)
        pytest.fail(f"Of {4 * KILLS} kills too few came in the middle.")


@pytest.fixture
def mirrors(
    pair: list[BroodServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mirrors]:
    # Files on their way are kept where no other test keeps them.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mirrors = Mirrors(pair, tmp_path)
    yield mirrors
    mirrors.close()
    left = [path.name for path in tmp_path.glob("hatcher-mirror-*")]
    # The next one removes what this one has left.
    assert left == []


@pytest.fixture
def gateways(pair: list[BroodServer]) -> Iterator[list[FaultyGateway]]:
    """What counts the requests on their way to the servers."""
    with FaultyGateway(pair[0].url) as one, FaultyGateway(pair[1].url) as two:
        yield [one, two]


def stored(server: BroodServer, repository: str) -> int:
    """Return how many eggs are stored, shown or not."""
    with closing(sqlite3.connect(server.data / "brood.sqlite3")) as database:
        rows = database.execute(
            "SELECT COUNT(*) FROM artefacts JOIN repositories ON repositories.id = repository_id"
            " WHERE repositories.name = ? AND kind = 'egg'",
            (repository,),
        ).fetchone()
    return int(rows[0])


def shown(server: BroodServer, repository: str) -> int:
    """Return how many eggs are shown; the bundle never is before them."""
    place = server.client().organization("acme").repository(repository).platform(PLATFORM)
    bundles = place.bundle_list()
    eggs = len(place.egg_index("cp311"))
    assert eggs == EGGS or not bundles
    return eggs


def finish(
    pair: list[BroodServer], source: Repository, repository: str, gateway: FaultyGateway
) -> None:
    """Mirror once more: all is shown, and nothing was sent that was there."""
    had, sent = stored(pair[1], repository), gateway.sent(*UPLOAD)
    through = pair[1].client(url=gateway.url).organization("acme").repository(repository)
    mirror.plan(source, through, **SOME).apply().raise_for_failures()
    assert shown(pair[1], repository) == EGGS
    assert gateway.sent(*UPLOAD) - sent <= EGGS - had
    assert not mirror.plan(source, through, **SOME)


def finish_folder(pair: list[BroodServer], folder: Path, gateway: FaultyGateway) -> None:
    """Likewise with a folder; nothing in it was torn."""
    source = pair[0].client(url=gateway.url).organization("acme").repository("dev")
    index = source.platform(PLATFORM).egg_index("cp311")
    present = list(folder.rglob("*.egg"))
    for path in present:
        assert file_sha256(path) == index[path.name]["sha256"]
    fetched = gateway.sent(*DOWNLOAD)
    mirror.plan(source, folder, **SOME).apply().raise_for_failures()
    assert gateway.sent(*DOWNLOAD) - fetched <= EGGS - len(present)
    assert not mirror.plan(source, folder, **SOME)
    assert not list(folder.rglob("*.hatcher-partial"))
    assert mirror.verify(folder)


@pytest.mark.long
@pytest.mark.parametrize("to", ["server", "folder"])
def test_a_mirror_is_killed(pair, source, mirrors, gateways, dice, tmp_path, to):
    here = mirrors.at(0, "dev", gateways[0])

    def target(name: str) -> dict[str, Any]:
        folder = {"folder": str(tmp_path / name)}
        return folder if to == "folder" else mirrors.at(1, name, gateways[1])

    # The second time everything is warm, as it is when it is killed.
    whole = min(mirrors.time(here, target(mirrors.new())) for _ in range(2))
    hits = 0
    for moment in mirrors.kills(dice, whole):
        name = mirrors.new()
        process = mirrors.begin(here, target(name))
        time.sleep(moment)
        hits += mirrors.kill(process)
        if to == "folder":
            finish_folder(pair, tmp_path / name, gateways[0])
        else:
            assert shown(pair[1], name) in (0, EGGS)
            finish(pair, source, name, gateways[1])
        if hits >= KILLS:
            break


@pytest.mark.parametrize("to", ["server", "folder"])
def test_ctrl_c_ends_a_mirror(pair, source, mirrors, gateways, tmp_path, to):
    name, folder = mirrors.new(), tmp_path / "folder"
    number, request = (1, UPLOAD) if to == "server" else (0, DOWNLOAD)
    # Nothing moves any more, and the timeouts are far away.
    place: Any = "request body" if to == "server" else "answer body"
    gateways[number].add(RequestFault("stall", at=place, path=request[1], skip=8, times=99))
    target = mirrors.at(1, name, gateways[1]) if to == "server" else {"folder": str(folder)}
    process = mirrors.begin(mirrors.at(0, "dev", gateways[0]), target)
    deadline = time.monotonic() + 60
    while gateways[number].sent(*request) < 8 + CONCURRENCY:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    begin = time.monotonic()
    os.kill(process, signal.SIGINT)
    outcome = mirrors.wait()
    assert time.monotonic() - begin < 25
    assert outcome == {"interrupted": True, "threads": ["MainThread"]}
    gateways[number].clear()
    if to == "server":
        assert shown(pair[1], name) == 0
        finish(pair, source, name, gateways[1])
    else:
        finish_folder(pair, folder, gateways[0])
