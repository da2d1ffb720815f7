"""Client and server are killed, as by kill -9, and interrupted, in the middle of batches.

At every moment the index shows all of a batch or nothing of it, what has been downloaded is whole,
and the same call finishes the work without sending again what is there. The moments are random; a
failing test says the seed, and ``HATCHER_FAULTS_SEED`` sets it. ``HATCHER_KILLS`` sets how many
kills each test has to survive.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

if not hasattr(os, "fork"):
    pytest.skip("client processes are forked", allow_module_level=True)

from hatcher.api import BroodClient, RetryPolicy, SinglePlatformRepository
from hatcher.testing import BroodProcess, FaultyGateway, RequestFault, write_egg
from hatcher.transfer.hashing import file_sha256

from ..forking import Forks

#: Kills that hit a batch under way, per test.
KILLS = int(os.environ.get("HATCHER_KILLS", "3"))

#: Files of a batch, and the bytes of each.
FILES, SIZE = 24, 60_000

CONCURRENCY = 4

UPLOAD = ("POST", "*/eggs/upload")
DOWNLOAD = ("GET", "*/data/*")


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of a batch, by their names."""
    folder = tmp_path_factory.mktemp("eggs")
    paths = [
        write_egg(
            folder,
            f"Egg{number}",
            "1.0",
            platform="rh8-x86_64",
            python_tag="cp311",
            payload_bytes=SIZE,
            seed=number,
        )
        for number in range(FILES)
    ]
    return {path.name: path for path in paths}


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("HATCHER_FAULTS_SEED", random.SystemRandom().randrange(10**9)))
    print(f"HATCHER_FAULTS_SEED={seed} repeats these moments")  # shown when the test fails
    return random.Random(seed)


@pytest.fixture(scope="module")
def brood() -> Iterator[BroodProcess]:
    with BroodProcess() as brood:
        brood.client().create_organization("acme", "")
        yield brood


@pytest.fixture
def gateway(brood: BroodProcess) -> Iterator[FaultyGateway]:
    """What counts the requests on their way to the server."""
    with FaultyGateway(brood.url) as gateway:
        yield gateway


class World:
    """A server, and a new repository for each batch."""

    def __init__(self, brood: BroodProcess, eggs: dict[str, Path]) -> None:
        self.brood = brood
        self.eggs = eggs
        self._numbers = itertools.count()

    def new(self) -> str:
        """Make a repository."""
        name = f"dev{next(self._numbers)}"
        with self.client() as client:
            client.organization("acme").create_repository(name, "")
        return name

    def client(self, url: str | None = None) -> BroodClient:
        """Make a client that tries once, so that a kill is not outlived by a retry."""
        auth = (self.brood.admin_email, self.brood.admin_password)
        return BroodClient.from_url(
            url or self.brood.url, auth, api_version=1, retries=RetryPolicy(0)
        )

    def shown(self, repository: str) -> int:
        """Check the index, and return how many eggs it shows."""
        with self.client() as client:
            index = at(client, repository).egg_index("cp311")
        for name, entry in index.items():
            assert entry["sha256"] == file_sha256(self.eggs[name])
        return len(index)

    def stored(self, repository: str) -> int:
        """Return how many eggs are stored, shown or not; the database is intact."""
        with closing(sqlite3.connect(self.brood.data / "brood.sqlite3")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = database.execute(
                "SELECT sha256, size FROM artefacts JOIN repositories"
                " ON repositories.id = repository_id WHERE repositories.name = ?",
                (repository,),
            ).fetchall()
        for digest, size in rows:
            assert (self.brood.data / "blobs" / digest[:2] / digest[2:]).stat().st_size == size
        return len(rows)


@pytest.fixture(scope="module")
def world(brood: BroodProcess, eggs: dict[str, Path]) -> World:
    return World(brood, eggs)


def at(client: BroodClient, repository: str) -> SinglePlatformRepository:
    return client.organization("acme").repository(repository).platform("rh8-x86_64")


class Clients(Forks):
    """Makes client processes that upload or download the batch."""

    def __init__(self, world: World, scratch: Path) -> None:
        self._world = world
        super().__init__("tests.faults.batching", scratch)

    def begin(
        self, url: str, direction: str, repository: str, destination: Path | None = None
    ) -> int:
        """Begin a batch, and return the id of its process."""
        brood = self._world.brood
        job = {
            "url": url,
            "auth": [brood.admin_email, brood.admin_password],
            "direction": direction,
            "repository": repository,
            "eggs": list(map(str, self._world.eggs.values())),
            "destination": str(destination),
            "concurrency": CONCURRENCY,
        }
        return self.start(job)


@pytest.fixture
def clients(world: World, tmp_path: Path) -> Iterator[Clients]:
    clients = Clients(world, tmp_path)
    yield clients
    clients.close()


def moments(dice: random.Random, whole: float) -> Iterator[float]:
    """Random moments within a batch; no more than four times as many as have to hit."""
    for _ in range(4 * KILLS):
        yield dice.uniform(0, whole)
    pytest.fail(f"Of {4 * KILLS} kills too few came in the middle of a batch.")


def duration(batch: Callable[[], object]) -> float:
    start = time.perf_counter()
    batch()
    return time.perf_counter() - start


def folders(parent: Path) -> Iterator[Path]:
    """Give empty folders."""
    for number in range(1000):
        folder = parent / f"downloads{number}"
        folder.mkdir()
        yield folder


def whole_files(folder: Path, eggs: dict[str, Path]) -> int:
    """Check what bears its final name, and return how many do."""
    names = [path.name for path in folder.iterdir() if path.suffix == ".egg"]
    for name in names:
        assert file_sha256(folder / name) == file_sha256(eggs[name])
    return len(names)


def finish_upload(world: World, gateway: FaultyGateway, repository: str) -> None:
    """Repeat a batch: all is shown, and nothing was sent that was there."""
    gateway.settle()
    stored = world.stored(repository)
    sent = gateway.sent(*UPLOAD)
    with world.client(gateway.url) as client:
        report = at(client, repository).upload_eggs(world.eggs.values())
    if not report:
        print(world.brood.log)  # shown when the test fails
    report.raise_for_failures()
    assert world.shown(repository) == FILES
    assert gateway.sent(*UPLOAD) - sent <= FILES - stored


def finish_download(world: World, gateway: FaultyGateway, repository: str, folder: Path) -> None:
    """Repeat a batch: all is there, and nothing was sent that was there."""
    gateway.settle()
    present = whole_files(folder, world.eggs)
    sent = gateway.sent(*DOWNLOAD)
    with world.client(gateway.url) as client:
        at(client, repository).download_eggs("cp311", folder).raise_for_failures()
    assert whole_files(folder, world.eggs) == FILES
    assert gateway.sent(*DOWNLOAD) - sent <= FILES - present
    assert [path.name for path in folder.iterdir() if path.suffix != ".egg"] == []


@pytest.mark.long
def test_the_client_is_killed_while_it_uploads(world, clients, gateway, dice):
    def upload() -> None:
        clients.begin(gateway.url, "up", world.new())
        assert clients.wait()["complete"]

    hits = 0
    for moment in moments(dice, duration(upload)):
        repository = world.new()
        client = clients.begin(gateway.url, "up", repository)
        time.sleep(moment)
        hits += clients.kill(client)
        assert world.shown(repository) in (0, FILES)
        finish_upload(world, gateway, repository)
        if hits >= KILLS:
            break


@pytest.mark.long
def test_the_client_is_killed_while_it_downloads(world, clients, gateway, dice, tmp_path):
    repository = world.new()
    finish_upload(world, gateway, repository)
    destinations = folders(tmp_path)

    def download() -> None:
        clients.begin(gateway.url, "down", repository, next(destinations))
        assert clients.wait()["complete"]

    hits = 0
    for moment in moments(dice, duration(download)):
        folder = next(destinations)
        client = clients.begin(gateway.url, "down", repository, folder)
        time.sleep(moment)
        hits += clients.kill(client)
        finish_download(world, gateway, repository, folder)
        if hits >= KILLS:
            break


def killed_at(brood: BroodProcess, moment: float, batch: Callable[[], bool]) -> bool:
    """Kill the server at that moment of a batch; tell whether the batch suffered from it."""
    killer = threading.Timer(moment, brood.kill)
    killer.start()
    try:
        return not batch()
    finally:
        killer.join()
        brood.restart()


@pytest.mark.long
def test_the_server_is_killed_while_it_receives(world, gateway, dice):
    def upload(repository: str) -> bool:
        with world.client(gateway.url) as client:
            try:
                eggs = world.eggs.values()
                return bool(at(client, repository).upload_eggs(eggs, concurrency=CONCURRENCY))
            except ConnectionError:
                return False  # not even the index could be had

    repository = world.new()
    hits = 0
    for moment in moments(dice, duration(lambda: upload(world.new()))):
        hits += killed_at(world.brood, moment, lambda name=repository: upload(name))  # type: ignore[misc]
        assert world.shown(repository) in (0, FILES)
        finish_upload(world, gateway, repository)
        repository = world.new()
        if hits >= KILLS:
            break


@pytest.mark.long
def test_the_server_is_killed_while_it_sends(world, gateway, dice, tmp_path):
    repository = world.new()
    finish_upload(world, gateway, repository)
    destinations = folders(tmp_path)

    def download(folder: Path) -> bool:
        with world.client(gateway.url) as client:
            try:
                platform = at(client, repository)
                return bool(platform.download_eggs("cp311", folder, concurrency=CONCURRENCY))
            except ConnectionError:
                return False

    hits = 0
    for moment in moments(dice, duration(lambda: download(next(destinations)))):
        folder = next(destinations)
        hits += killed_at(world.brood, moment, lambda into=folder: download(into))  # type: ignore[misc]
        # The client lives: nothing is left of what it could not complete.
        assert [path.name for path in folder.iterdir() if path.suffix != ".egg"] == []
        finish_download(world, gateway, repository, folder)
        if hits >= KILLS:
            break


@pytest.mark.parametrize("stalled", [False, True])
def test_ctrl_c_ends_a_batch_of_uploads(world, clients, gateway, stalled):
    repository = world.new()
    if stalled:
        # Nothing moves any more, and the timeouts are far away.
        gateway.add(RequestFault("stall", at="request body", path=UPLOAD[1], skip=8, times=99))
    client = clients.begin(gateway.url, "up", repository)
    under_way(gateway, UPLOAD)
    interrupt(clients, client)
    assert world.shown(repository) == 0
    sent = gateway.sent(*UPLOAD)
    time.sleep(0.1)
    assert gateway.sent(*UPLOAD) == sent < FILES
    gateway.clear()
    finish_upload(world, gateway, repository)


@pytest.mark.parametrize("stalled", [False, True])
def test_ctrl_c_ends_a_batch_of_downloads(world, clients, gateway, tmp_path, stalled):
    repository = world.new()
    finish_upload(world, gateway, repository)
    folder = next(folders(tmp_path))
    if stalled:
        gateway.add(RequestFault("stall", at="answer body", path=DOWNLOAD[1], skip=8, times=99))
    client = clients.begin(gateway.url, "down", repository, folder)
    under_way(gateway, DOWNLOAD)
    interrupt(clients, client)
    assert [path.name for path in folder.iterdir() if path.suffix != ".egg"] == []
    gateway.clear()
    finish_download(world, gateway, repository, folder)


def under_way(gateway: FaultyGateway, request: tuple[str, str]) -> None:
    """Wait until the batch is in the middle of its transfers."""
    deadline = time.monotonic() + 60
    while gateway.sent(*request) < 8 + CONCURRENCY:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def interrupt(clients: Clients, pid: int) -> None:
    """Press Ctrl-C: the batch ends soon, with its threads."""
    begin = time.monotonic()
    os.kill(pid, signal.SIGINT)
    outcome = clients.wait()
    # Far from the timeouts of 30 s and 60 s; how far, is for a quieter machine to tell.
    print(f"ended after {time.monotonic() - begin:.2f} s")
    assert time.monotonic() - begin < 25
    assert outcome == {"interrupted": True, "threads": ["MainThread"]}
