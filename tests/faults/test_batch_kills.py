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
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hatcher.api import BatchReport, BroodClient, RetryPolicy
from hatcher.testing import BroodProcess, FaultyGateway, RequestFault
from hatcher.transfer.hashing import file_sha256

from ..forking import Forks
from .conftest import stored, write_eggs

#: Kills that hit a batch under way, per test.
KILLS = int(os.environ.get("HATCHER_KILLS", "3"))

#: Files of a batch, and the bytes of each.
FILES, SIZE = 24, 60_000

CONCURRENCY = 4

#: The requests of a batch, by its direction.
REQUESTS = {"up": ("POST", "*/eggs/upload"), "down": ("GET", "*/data/*")}

both = pytest.mark.parametrize("direction", REQUESTS)


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of a batch, by their names."""
    folder = tmp_path_factory.mktemp("eggs")
    return {path.name: path for path in write_eggs(folder, range(FILES), SIZE)}


@pytest.fixture(scope="module")
def brood() -> Iterator[BroodProcess]:
    with BroodProcess() as brood:
        brood.client().create_organization("acme", "")
        yield brood


class Batches:
    """Batches in one direction, and what is to come of them; each has a place of its own.

    A place is a repository and a folder. For batches up the repository is new, for batches down
    the folder is.
    """

    numbers = itertools.count()

    def __init__(
        self,
        direction: str,
        brood: BroodProcess,
        gateway: FaultyGateway,
        eggs: dict[str, Path],
        scratch: Path,
    ) -> None:
        self.direction = direction
        self.brood = brood
        self.gateway = gateway
        self.eggs = eggs
        self._scratch = scratch
        self._full = ""

    def place(self) -> tuple[str, Path]:
        """Make a place."""
        name = f"dev{next(self.numbers)}"
        folder = self._scratch / name
        folder.mkdir()
        if self.direction == "down" and self._full:
            return self._full, folder
        with self._client() as client:
            client.organization("acme").create_repository(name, "")
        if self.direction == "down":
            self._full = name
            self.do("up", name, folder).raise_for_failures()
        return name, folder

    def _client(self, url: str | None = None) -> BroodClient:
        """Make a client that tries once, so that a kill is not outlived by a retry."""
        auth = (self.brood.admin_email, self.brood.admin_password)
        return BroodClient.from_url(
            url or self.brood.url, auth, api_version=1, retries=RetryPolicy(0)
        )

    def do(self, direction: str, repository: str, folder: Path) -> BatchReport:
        """Do a batch in this process."""
        with self._client(self.gateway.url) as client:
            platform = client.organization("acme").repository(repository).platform("rh8-x86_64")
            if direction == "up":
                return platform.upload_eggs(self.eggs.values(), concurrency=CONCURRENCY)
            return platform.download_eggs("cp311", folder, concurrency=CONCURRENCY)

    def goes_well(self, place: tuple[str, Path]) -> bool:
        try:
            return bool(self.do(self.direction, *place))
        except ConnectionError:
            return False  # not even the index could be had

    def begin(self, forks: Forks, place: tuple[str, Path]) -> int:
        """Begin a batch, and return the id of its process."""
        job = {
            "do": "batch",
            "url": self.gateway.url,
            "auth": [self.brood.admin_email, self.brood.admin_password],
            "direction": self.direction,
            "repository": place[0],
            "eggs": list(map(str, self.eggs.values())),
            "destination": str(place[1]),
            "concurrency": CONCURRENCY,
        }
        return forks.start(job)

    def shown(self, repository: str) -> int:
        """Check the index, and return how many eggs it shows."""
        with self._client() as client:
            index = client.at(f"acme/{repository}/rh8-x86_64").egg_index("cp311")  # type: ignore[union-attr]
        for name, entry in index.items():
            assert entry["sha256"] == file_sha256(self.eggs[name])
        return len(index)

    def arrived(self, repository: str, folder: Path) -> int:
        """Return how many files are where they were to go; they are whole."""
        if self.direction == "up":
            return len(stored(self.brood, repository))
        names = [path.name for path in folder.iterdir() if path.suffix == ".egg"]
        for name in names:
            assert file_sha256(folder / name) == file_sha256(self.eggs[name])
        return len(names)

    def leftovers(self, folder: Path) -> list[str]:
        return [path.name for path in folder.iterdir() if path.suffix != ".egg"]

    def sent(self) -> int:
        return self.gateway.sent(*REQUESTS[self.direction])

    def finish(self, repository: str, folder: Path) -> None:
        """Repeat a batch: all is there, and nothing was sent that was there."""
        if self.direction == "up":
            assert self.shown(repository) in (0, FILES)
        self.gateway.settle()
        arrived, sent = self.arrived(repository, folder), self.sent()
        # Whether anything is left is asked of the first egg: where that one was lost, and those that
        # were sent beside it were not, these are sent again.
        first = self.direction == "down" or next(iter(self.eggs)) in dict(
            stored(self.brood, repository)
        )
        beside = 0 if first else CONCURRENCY - 1
        report = self.do(self.direction, repository, folder)
        if not report:
            print(self.brood.log)  # shown when the test fails
        report.raise_for_failures()
        assert self.shown(repository) == self.arrived(repository, folder) == FILES
        assert self.sent() - sent <= FILES - arrived + beside
        assert self.leftovers(folder) == []


@pytest.fixture
def batches(
    direction: str, brood: BroodProcess, eggs: dict[str, Path], tmp_path: Path
) -> Iterator[Batches]:
    with FaultyGateway(brood.url) as gateway:
        yield Batches(direction, brood, gateway, eggs, tmp_path)


def moments(dice: random.Random, batch: Callable[[], object]) -> Iterator[float]:
    """Random moments within a batch; the first, which is measured, may take far longer than others."""
    start = time.perf_counter()
    batch()
    whole = time.perf_counter() - start
    for _ in range(15 * KILLS):
        yield dice.uniform(0, whole)
    pytest.fail(f"Of {15 * KILLS} kills too few came in the middle of a batch.")


@both
@pytest.mark.long
def test_the_client_is_killed(batches, forks, dice):
    first, hits = batches.place(), 0

    def batch() -> None:
        batches.begin(forks, first)
        assert forks.wait()["complete"]

    for moment in moments(dice, batch):
        place = batches.place()
        client = batches.begin(forks, place)
        time.sleep(moment)
        hits += forks.kill(client)
        batches.finish(*place)
        if hits >= KILLS:
            break


@both
@pytest.mark.long
def test_the_server_is_killed(batches, brood, dice):
    first, hits = batches.place(), 0
    for moment in moments(dice, lambda: batches.goes_well(first)):
        place = batches.place()
        killer = threading.Timer(moment, brood.kill)
        killer.start()
        hits += not batches.goes_well(place)
        killer.join()
        brood.restart()
        # The client lives: nothing is left of what it could not complete.
        assert batches.leftovers(place[1]) == []
        batches.finish(*place)
        if hits >= KILLS:
            break


@both
@pytest.mark.parametrize("stalled", [False, True])
def test_ctrl_c_ends_a_batch(batches, forks, direction, stalled):
    place, gateway = batches.place(), batches.gateway
    before = batches.sent()
    if stalled:
        # Nothing moves any more, and the timeouts are far away.
        at, path = {"up": "request body", "down": "answer body"}[direction], REQUESTS[direction][1]
        gateway.add(RequestFault("stall", at=at, path=path, skip=8, times=99))
    client = batches.begin(forks, place)
    deadline = time.monotonic() + 60
    while batches.sent() - before < 8 + CONCURRENCY:  # in the middle of its transfers
        assert time.monotonic() < deadline
        time.sleep(0.01)
    begin = time.monotonic()
    os.kill(client, signal.SIGINT)
    outcome = forks.wait()
    # Far from the timeouts of 30 s and 60 s; how far, is for a quieter machine to tell.
    print(f"ended after {time.monotonic() - begin:.2f} s")
    assert time.monotonic() - begin < 25
    assert outcome == {"interrupted": True, "threads": ["MainThread"]}
    assert direction == "down" or batches.shown(place[0]) == 0
    assert batches.leftovers(place[1]) == []
    sent = batches.sent()
    time.sleep(0.1)
    assert batches.sent() == sent
    assert direction == "down" or sent < before + FILES
    gateway.clear()
    batches.finish(*place)
