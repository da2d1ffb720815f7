"""Faults and kills by the hundred, held against a ledger that is none of hatcher's.

Batches are uploaded and mirrored while the client, the server and the network between them fail at
random moments, the disk is full and the database locked. A client that is killed shows all of its
batch or nothing; after each round nothing that was answered as stored is missing, nothing is
there that was not sent, and nothing is there twice. ``HATCHER_LEDGER_FAULTS`` sets how many faults,
``HATCHER_FAULTS_SEED`` repeats them.
"""

from __future__ import annotations

import hashlib
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

if not hasattr(os, "fork"):
    pytest.skip("client processes are forked", allow_module_level=True)

from hatcher.testing import Answer, BroodProcess, FaultyGateway, RequestFault, write_egg

from ..disks import mounted
from ..forking import Forks
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

    def __init__(self, disk: Path, scratch: Path, dice: random.Random) -> None:
        self.dice = dice
        self.disk = disk
        self.scratch = scratch
        self.struck = 0
        self.kinds: dict[str, int] = {}
        self._numbers = itertools.count()
        self._eggs = itertools.count()

    def run(self, faults: int) -> None:
        """Go through rounds until there were so many faults."""
        with BroodProcess(self.disk / "data") as self.brood, ledger(self.brood.url) as self.ledger:
            self.brood.client().create_organization("acme", "")
            self.forks = Forks("tests.faults.ledgered", self.scratch)
            try:
                while self.struck < faults:
                    self.round()
            finally:
                self.forks.close()

    def round(self) -> None:
        """Upload a batch and mirror it, with faults; then look at everything."""
        number = next(self._numbers)
        source, target = f"dev{number}", f"copy{number}"
        with self.brood.client() as client:
            for name in (source, target):
                client.organization("acme").create_repository(name, "")
        folder = self.scratch / source
        folder.mkdir()
        eggs = [self._egg(folder) for _ in range(FILES)]
        hashes = {egg.name: hashlib.sha256(egg.read_bytes()).hexdigest() for egg in eggs}
        upload = {"kind": "upload", "repository": source, "eggs": [str(egg) for egg in eggs]}
        copy = {"kind": "mirror", "repository": target, "source": source}
        for job in (upload, copy):
            for _ in range(ROUND // 2):
                self._strike(job, hashes)
            self._finish(job, hashes)
        shutil.rmtree(folder)

    def _egg(self, folder: Path) -> Path:
        number = next(self._eggs)
        made: dict[str, Any] = {"platform": "rh8-x86_64", "python_tag": "cp311"}
        return write_egg(folder, f"Egg{number}", "1.0", payload_bytes=SIZE, seed=number, **made)

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
        return self.forks.start({**job, "url": url or self.ledger.url, "auth": auth})

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
        kind, at = self.dice.choice(
            [
                *(("reset", at) for at in ("request", "request body", "answer")),
                *(("cut", at) for at in ("request body", "answer body")),
                *(("replace", at) for at in ("request", "answer")),
                ("flip", "answer body"),
            ]
        )
        method, path = self.dice.choice(
            [("POST", "*/eggs/upload"), ("POST", "*/re-index"), ("GET", "*/data/*"), ("GET", "*")]
        )
        answer = Answer(self.dice.choice([408, 429, 500, 502, 503, 504]))
        return RequestFault(
            kind,  # type: ignore[arg-type]
            at=at,  # type: ignore[arg-type]
            method=method,
            path=path,
            skip=self.dice.randrange(FILES),
            times=self.dice.choice([1, 1, 2, 9]),
            answer=answer,
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
        seconds = self.dice.choice([0.2, 1.0, 7.0])
        with closing(sqlite3.connect(self._database, isolation_level=None, timeout=30)) as other:
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
        stored = self._stored(repository)
        assert sorted(stored) == sorted(hashes.items()), "lost, doubled or corrupt"
        assert {sha256 for _, sha256 in stored} <= sent, "there is what nobody sent"
        with self.brood.client() as client, tempfile.TemporaryDirectory() as folder:
            platform = client.at(f"{place}/rh8-x86_64")
            for filename, sha256 in hashes.items():
                name, version, build = filename.removesuffix(".egg").rsplit("-", 2)
                platform.download_egg("cp311", name, f"{version}-{build}", folder)
                found = Path(folder, filename).read_bytes()
                assert hashlib.sha256(found).hexdigest() == sha256, "corrupt"
        uploads = len(self.ledger.uploads)
        self._start(job)
        assert self.forks.wait()["complete"]
        assert len(self.ledger.uploads) == uploads, "what is there was sent again"

    @property
    def _database(self) -> Path:
        return self.brood.data / "brood.sqlite3"

    def _shown(self, repository: str) -> dict[str, str]:
        with self.brood.client() as client:
            index = client.at(f"acme/{repository}/rh8-x86_64").egg_index("cp311")
        return {name: entry["sha256"] for name, entry in index.items()}

    def _stored(self, repository: str) -> list[tuple[str, str]]:
        """What is in the database; the files are there, and hold what it says."""
        with closing(sqlite3.connect(self._database)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = database.execute(
                "SELECT filename, sha256 FROM artefacts JOIN repositories"
                " ON repositories.id = repository_id WHERE repositories.name = ?",
                (repository,),
            ).fetchall()
        for _, sha256 in rows:
            blob = self.brood.data / "blobs" / sha256[:2] / sha256[2:]
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == sha256
        return rows


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep indices where no other test does."""
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.programs
def test_nothing_is_lost(disk, tmp_path, dice):
    World(disk, tmp_path, dice).run(8)


@pytest.mark.programs
@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_lost_in_the_long_run(part, disk, tmp_path, dice):
    world = World(disk, tmp_path, dice)
    world.run(-(-FAULTS // PARTS))
    print(f"{world.struck} faults: {world.kinds}; {len(world.ledger.uploads)} uploads came")
