"""Client and server are killed, as by kill -9, in the middle of uploads and downloads.

Two eggs of the same name and version replace each other, so that at every moment one of them must
be there, and whole. The moments are random; a failing test says the seed, and
``HATCHER_FAULTS_SEED`` sets it. ``HATCHER_KILLS`` sets how many kills must hit in each test.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

if not hasattr(os, "fork"):
    pytest.skip("client processes are forked", allow_module_level=True)

from hatcher.api import BroodClient, RetryPolicy, SinglePlatformRepository
from hatcher.errors import HatcherException
from hatcher.testing import BroodProcess
from hatcher.transfer.download import KEPT_FROM

#: Kills that hit a transfer under way, per test; there are four.
KILLS = int(os.environ.get("HATCHER_KILLS", "13"))

#: How many of them must leave an unfinished file behind, where one can be seen.
IN_THE_BODY = KILLS // 3

#: Bytes of an egg: large enough that a transfer takes much longer than a kill.
SIZE = 12_000_000

FILENAME = "Spam-1.0-1.egg"
ARGUMENTS = ("cp311", "Spam", "1.0-1")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def eggs(twins: Callable[[int], dict[str, Path]]) -> dict[str, Path]:
    """Two eggs of one name and version, by their sha256."""
    return twins(SIZE)


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("HATCHER_FAULTS_SEED", random.SystemRandom().randrange(10**9)))
    print(f"HATCHER_FAULTS_SEED={seed} repeats these moments")  # shown when the test fails
    return random.Random(seed)


def platform(client: BroodClient) -> SinglePlatformRepository:
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


@pytest.fixture
def stocked(brood_process: BroodProcess, eggs: dict[str, Path]) -> BroodProcess:
    """A Brood that has one of the eggs."""
    client = brood_process.client()
    client.create_organization("acme", "").create_repository("dev", "")
    platform(client).upload_egg(next(iter(eggs.values())))
    return brood_process


def impatient(brood: BroodProcess) -> BroodClient:
    """A client that tries once, so that a kill is not outlived by a retry."""
    auth = (brood.admin_email, brood.admin_password)
    return BroodClient.from_url(brood.url, auth, api_version=1, retries=RetryPolicy(0))


def check_server(brood: BroodProcess, eggs: dict[str, Path], scratch: Path) -> str:
    """Every blob under its name is whole, the index names one egg, and it can be had."""
    for blob in (brood.data / "blobs").rglob("*"):
        if blob.is_file():
            assert sha256(blob) == blob.parent.name + blob.name
    with BroodClient.from_url(
        brood.url, (brood.admin_email, brood.admin_password), api_version=1
    ) as client:
        index = platform(client).egg_index("cp311")
        assert list(index) == [FILENAME]
        stored = index[FILENAME]["sha256"]
        assert stored in eggs
        assert platform(client).egg_metadata(*ARGUMENTS)["sha256"] == stored
        platform(client).download_egg(*ARGUMENTS, scratch, stored)
    assert sha256(scratch / FILENAME) == stored
    (scratch / FILENAME).unlink()
    assert list(scratch.iterdir()) == []
    return stored


def settle(brood: BroodProcess) -> None:
    """Wait until the server has done with what a killed client had sent before its end."""
    quiet = 0
    while quiet < 10:
        time.sleep(0.02)
        quiet = 0 if any((brood.data / "incoming").iterdir()) else quiet + 1


def check_database(brood: BroodProcess) -> None:
    """The database is intact, and each of its rows has its blob."""
    with sqlite3.connect(brood.data / "brood.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = database.execute("SELECT sha256, size FROM artefacts").fetchall()
    database.close()
    assert len(rows) == 1
    for digest, size in rows:
        assert (brood.data / "blobs" / digest[:2] / digest[2:]).stat().st_size == size


def partials(destination: Path) -> int:
    """How many unfinished downloads are there."""
    return len(list(destination.glob("*.hatcher-partial")))


def check_destination(destination: Path, eggs: dict[str, Path]) -> None:
    """What bears its final name is whole; what is not, does not."""
    for path in destination.iterdir():
        if not path.name.endswith(".hatcher-partial"):
            assert path.name == FILENAME
            assert sha256(path) in eggs


def duration(transfer: Callable[[], object]) -> float:
    """How long a transfer takes undisturbed, in seconds: the median of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        transfer()
        times.append(time.perf_counter() - start)
    return sorted(times)[1]


def moments(dice: random.Random, whole: float) -> Iterator[float]:
    """Random moments within a transfer; no more than four times as many as have to hit."""
    for _ in range(4 * KILLS):
        yield dice.uniform(0, whole)
    pytest.fail(f"Of {4 * KILLS} kills too few came in the middle of a transfer.")


class Clients:
    """Makes client processes that upload or download an egg."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("transfer.py")
        self._maker = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def begin(
        self, brood: BroodProcess, direction: str, egg: Path, destination: Path | None = None
    ) -> int:
        """Begin a transfer, and return the id of its process."""
        job = {
            "url": brood.url,
            "auth": [brood.admin_email, brood.admin_password],
            "direction": direction,
            "egg": str(egg),
            "sha256": sha256(egg),
            "destination": str(destination),
        }
        assert self._maker.stdin is not None
        self._maker.stdin.write(json.dumps(job) + "\n")
        self._maker.stdin.flush()
        return self._number()

    def wait(self) -> None:
        """Wait for the end of the transfer, which must be a good one."""
        assert self._number() == 0

    def kill(self, pid: int) -> bool:
        """Kill the process, and tell whether it was still at work."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = self._number()
        assert status in (0, -signal.SIGKILL)
        return status != 0

    def close(self) -> None:
        self._maker.communicate()

    def _number(self) -> int:
        assert self._maker.stdout is not None
        return int(self._maker.stdout.readline())


@pytest.fixture
def clients() -> Iterator[Clients]:
    clients = Clients()
    yield clients
    clients.close()


@pytest.mark.long
def test_the_client_is_killed_while_it_uploads(
    stocked: BroodProcess,
    eggs: dict[str, Path],
    clients: Clients,
    dice: random.Random,
    tmp_path: Path,
) -> None:
    stored = check_server(stocked, eggs, tmp_path)

    def other() -> Path:
        return next(path for digest, path in eggs.items() if digest != stored)

    def upload() -> None:
        clients.begin(stocked, "up", other())
        clients.wait()

    whole = duration(upload)
    stored = check_server(stocked, eggs, tmp_path)
    hits = 0
    for moment in moments(dice, whole):
        client = clients.begin(stocked, "up", other())
        time.sleep(moment)
        hits += clients.kill(client)
        settle(stocked)
        stored = check_server(stocked, eggs, tmp_path)
        if hits >= KILLS:
            break

    upload()
    assert check_server(stocked, eggs, tmp_path) != stored
    stocked.stop()
    check_database(stocked)


@pytest.mark.long
def test_the_client_is_killed_while_it_downloads(
    stocked: BroodProcess,
    eggs: dict[str, Path],
    clients: Clients,
    dice: random.Random,
    tmp_path: Path,
) -> None:
    (stored, egg), (_, older) = eggs.items()
    number = iter(range(1000))

    def destination() -> Path:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        return folder

    def download() -> None:
        clients.begin(stocked, "down", egg, destination())
        clients.wait()

    hits = in_the_body = 0
    for moment in moments(dice, duration(download)):
        folder = destination()
        if replaces := dice.random() < 0.5:
            (folder / FILENAME).write_bytes(older.read_bytes())
        client = clients.begin(stocked, "down", egg, folder)
        time.sleep(moment)
        hits += clients.kill(client)

        in_the_body += partials(folder) > 0
        check_destination(folder, eggs)
        assert (folder / FILENAME).exists() or not replaces
        clients.begin(stocked, "down", egg, folder)
        clients.wait()
        assert sha256(folder / FILENAME) == stored
        assert partials(folder) == 0
        if hits >= KILLS and in_the_body >= IN_THE_BODY:
            break

    stocked.stop()
    check_database(stocked)


def killed_at(brood: BroodProcess, moment: float, transfer: Callable[[], object]) -> bool:
    """Kill the server at that moment of a transfer; tell whether the transfer failed of it."""
    killer = threading.Timer(moment, brood.kill)
    killer.start()
    try:
        transfer()
    except HatcherException:
        return True
    finally:
        killer.join()
    return False


@pytest.mark.long
def test_the_server_is_killed_while_it_receives(
    stocked: BroodProcess, eggs: dict[str, Path], dice: random.Random, tmp_path: Path
) -> None:
    stored = check_server(stocked, eggs, tmp_path)

    def upload_other() -> None:
        other = next(path for digest, path in eggs.items() if digest != stored)
        with impatient(stocked) as client:
            platform(client).upload_egg(other, overwrite=True)

    def and_back() -> None:
        nonlocal stored
        upload_other()
        stored = next(digest for digest in eggs if digest != stored)

    hits = in_the_body = 0
    for moment in moments(dice, duration(and_back)):
        hits += killed_at(stocked, moment, upload_other)
        in_the_body += any((stocked.data / "incoming").iterdir())
        check_database(stocked)
        stocked.restart()
        stored = check_server(stocked, eggs, tmp_path)
        if hits >= KILLS and in_the_body >= IN_THE_BODY:
            break

    upload_other()
    assert check_server(stocked, eggs, tmp_path) != stored
    assert list((stocked.data / "incoming").iterdir()) == []


@pytest.mark.long
def test_the_server_is_killed_while_it_sends(
    stocked: BroodProcess, eggs: dict[str, Path], dice: random.Random, tmp_path: Path
) -> None:
    stored = check_server(stocked, eggs, tmp_path)

    def download() -> None:
        (tmp_path / FILENAME).unlink(missing_ok=True)
        with impatient(stocked) as client:
            platform(client).download_egg(*ARGUMENTS, tmp_path, stored)

    hits = 0
    for moment in moments(dice, duration(download)):
        hits += killed_at(stocked, moment, download)
        # The client lives: of what it could not complete it keeps only what is much.
        for path in tmp_path.glob("*.hatcher-partial"):
            assert path.stat().st_size >= KEPT_FROM
        check_destination(tmp_path, eggs)
        stocked.restart()
        download()
        assert sha256(tmp_path / FILENAME) == stored
        if hits >= KILLS:
            break

    (tmp_path / FILENAME).unlink()
    assert check_server(stocked, eggs, tmp_path) == stored
    stocked.stop()
    check_database(stocked)
