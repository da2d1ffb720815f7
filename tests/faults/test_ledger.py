"""Faults and kills by the hundred, held against a ledger that is none of hatcher's.

Batches are uploaded and mirrored while the client, the server and the network between them fail at
random moments, the disk is full and the database locked. A client that is killed shows all of its
batch or nothing; after each round nothing that was answered as stored is missing, nothing is
there that was not sent, and nothing is there twice. ``HATCHER_LEDGER_FAULTS`` sets how many faults,
``HATCHER_FAULTS_SEED`` repeats them.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from hatcher.testing import BroodProcess, FaultyGateway, RequestFault

from ..disks import mounted
from ..forking import Forks
from .conftest import sha256_of, some_fault, stored, write_eggs
from .ledger import ledger

FAULTS = int(os.environ.get("HATCHER_LEDGER_FAULTS", "1000"))

#: That many worlds share them, side by side.
PARTS = 8

FILES, SIZE = 10, 40_000

#: Faults between two looks at everything.
ROUND = 12

#: Bytes that are left on the full disk.
LEFT = 20_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, where one can be mounted."""
    with mounted(tmp_path / "disk", "64m"):
        yield tmp_path / "disk"


class World:
    """A server with a ledger and a faulty gateway before it, and clients of it."""

    def __init__(self, disk: Path, scratch: Path, dice: random.Random, forks: Forks) -> None:
        self.dice = dice
        self.forks = forks
        self.disk = disk
        self.scratch = scratch
        self.struck = 0
        self.kinds: dict[str, int] = {}
        self._numbers = itertools.count()

    def run(self, faults: int) -> None:
        """Go through rounds until there were so many faults."""
        with BroodProcess(self.disk / "data") as self.brood, ledger(self.brood.url) as self.ledger:
            self.brood.client().create_organization("acme", "")
            while self.struck < faults:
                self.round()

    def round(self) -> None:
        """Upload a batch and mirror it, with faults; then look at everything."""
        number = next(self._numbers)
        source, target = f"dev{number}", f"copy{number}"
        with self.brood.client() as client:
            for name in (source, target):
                client.organization("acme").create_repository(name, "")
        folder = self.scratch / source
        folder.mkdir()
        eggs = write_eggs(folder, range(number * FILES, (number + 1) * FILES), SIZE)
        hashes = {egg.name: sha256_of(egg) for egg in eggs}
        upload = {"kind": "upload", "repository": source, "eggs": [str(egg) for egg in eggs]}
        copy = {"kind": "mirror", "repository": target, "source": source}
        for job in (upload, copy):
            for _ in range(ROUND // 2):
                self._strike(job, hashes)
            self._finish(job, hashes)
        shutil.rmtree(folder)

    def _strike(self, job: dict[str, Any], hashes: dict[str, str]) -> None:
        """Let a fault happen during a job."""
        kinds: dict[str, Callable[[dict[str, Any]], None]] = {
            "client killed": self._kill_client,
            "server killed": self._kill_server,
            "network": self._break_network,
            "disk full": self._fill_disk,
            "database locked": self._lock_database,
        }
        weights = [4, 2, 4, 1, 1]
        name = self.dice.choices(list(kinds), weights)[0]
        before = self._shown(job["repository"])
        kinds[name](job)
        self.struck += 1
        self.kinds[name] = self.kinds.get(name, 0) + 1
        shown = self._shown(job["repository"])
        assert before.items() <= shown.items() <= hashes.items(), f"lost or corrupt after {name}"
        if name == "client killed":  # others end with a report, and show what went well
            assert shown in (before, hashes), "half of a batch is shown"

    def _start(self, job: dict[str, Any], url: str | None = None) -> int:
        auth = [self.brood.admin_email, self.brood.admin_password]
        how = {"do": "upload_or_mirror", "wait": {"read": 10}, "auth": auth}
        return self.forks.start({**job, **how, "url": url or self.ledger.url})

    def _moment(self) -> None:
        time.sleep(self.dice.uniform(0, 0.35))

    def _kill_client(self, job: dict[str, Any]) -> None:
        pid = self._start(job)
        self._moment()
        self.forks.kill(pid)

    def _kill_server(self, job: dict[str, Any]) -> None:
        self._start(job)
        self._moment()
        self.brood.kill()
        self.brood.restart()
        self.forks.wait()

    def _break_network(self, job: dict[str, Any]) -> None:
        with FaultyGateway(self.ledger.url, *(self._fault() for _ in range(3))) as gateway:
            self._start(job, gateway.url)
            self.forks.wait()
            gateway.settle()

    def _fault(self) -> RequestFault:
        method, path = self.dice.choice(
            [("POST", "*/eggs/upload"), ("POST", "*/re-index"), ("GET", "*/data/*"), ("GET", "*")]
        )
        return some_fault(
            self.dice,
            {
                "reset": ["request", "request body", "answer"],
                "cut": ["request body", "answer body"],
                "replace": ["request", "answer"],
                "flip": ["answer body"],
            },
            [408, 429, 500, 502, 503, 504],
            method=method,
            path=path,
            skip=self.dice.randrange(FILES),
            times=self.dice.choice([1, 1, 2, 9]),
        )

    def _fill_disk(self, job: dict[str, Any]) -> None:
        ballast = self.disk / "ballast"
        free = shutil.disk_usage(self.disk)
        if free.total > 1 << 30:  # a disk of somebody else's
            self._kill_client(job)
            return
        try:
            with suppress(OSError), ballast.open("wb") as file:
                file.write(bytes(max(0, free.free - self.dice.randrange(10 * SIZE) - LEFT)))
            self._start(job)
            self.forks.wait()
        finally:
            ballast.unlink(missing_ok=True)

    def _lock_database(self, job: dict[str, Any]) -> None:
        seconds, database = self.dice.choice([0.2, 1.0, 7.0]), self.brood.data / "brood.sqlite3"
        with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            release = threading.Timer(seconds, other.interrupt)
            release.start()
            self._start(job)
            time.sleep(seconds)
            other.execute("ROLLBACK")
            release.cancel()
        self.forks.wait()

    def _finish(self, job: dict[str, Any], hashes: dict[str, str]) -> None:
        """Do a job without faults, and look at what there is."""
        self._start(job)
        outcome = self.forks.wait()
        assert outcome["complete"], (outcome, self.brood.log[-3000:])
        repository = job["repository"]
        assert self._shown(repository) == hashes, "passed over"
        place = f"acme/{repository}"
        answered, sent = self.ledger.answered(place), self.ledger.sent(place)
        assert answered.items() <= hashes.items(), "lost or corrupt on the way"
        found = stored(self.brood, repository)
        assert sorted(found) == sorted(hashes.items()), "lost, doubled or corrupt"
        assert {sha256 for _, sha256 in found} <= sent, "there is what nobody sent"
        with self.brood.client() as client, tempfile.TemporaryDirectory() as folder:
            platform = client.at(f"{place}/rh8-x86_64")
            for filename, sha256 in hashes.items():
                name, version, build = filename.removesuffix(".egg").rsplit("-", 2)
                platform.download_egg("cp311", name, f"{version}-{build}", folder)
                assert sha256_of(Path(folder, filename)) == sha256, "corrupt"
        uploads = len(self.ledger.uploads)
        self._start(job)
        assert self.forks.wait()["complete"]
        assert len(self.ledger.uploads) == uploads, "what is there was sent again"

    def _shown(self, repository: str) -> dict[str, str]:
        with self.brood.client() as client:
            index = client.at(f"acme/{repository}/rh8-x86_64").egg_index("cp311")
        return {name: entry["sha256"] for name, entry in index.items()}


@pytest.mark.programs
def test_nothing_is_lost(disk, tmp_path, dice, forks):
    World(disk, tmp_path, dice, forks).run(8)


@pytest.mark.programs
@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_lost_in_the_long_run(part, disk, tmp_path, dice, forks):
    world = World(disk, tmp_path, dice, forks)
    world.run(-(-FAULTS // PARTS))
    print(f"{world.struck} faults: {world.kinds}; {len(world.ledger.uploads)} uploads came")
