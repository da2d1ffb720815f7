"""Client and server are killed, as by kill -9, in the middle of uploads and downloads.

Two eggs of the same name and version replace each other, so that at every moment one of them must
be there, and whole. The moments are random; a failing test says the seed, and
``HATCHER_FAULTS_SEED`` sets it. ``HATCHER_KILLS`` sets how many kills must hit in each test.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hatcher.api import RetryPolicy, SinglePlatformRepository
from hatcher.errors import HatcherException
from hatcher.testing import BroodProcess
from hatcher.transfer.download import KEPT_FROM
from hatcher.transfer.hashing import file_sha256

from .conftest import ARGUMENTS, NAME, stock, stored
from .held import Held, check_same
from .tls import reached

pytestmark = pytest.mark.long

#: Kills that hit a transfer under way, per test; there are six.
KILLS = int(os.environ.get("HATCHER_KILLS", "25"))

#: How many of them must leave an unfinished file behind, where one can be seen.
IN_THE_BODY = KILLS // 4

#: Bytes of an egg: large enough that a transfer takes much longer than a kill.
SIZE = 12_000_000


@pytest.fixture(scope="module")
def eggs(twins: Callable[[int], dict[str, Path]]) -> dict[str, Path]:
    """Two eggs of one name and version, by their sha256."""
    return twins(SIZE)


@pytest.fixture
def stocked(brood_process: BroodProcess, eggs: dict[str, Path]) -> BroodProcess:
    """A Brood that has one of the eggs."""
    stock(brood_process, next(iter(eggs.values())))
    return brood_process


@contextmanager
def platform(brood: BroodProcess) -> Iterator[SinglePlatformRepository]:
    """Through a client that tries once, so that a kill is not outlived by a retry."""
    with brood.client(retries=RetryPolicy(0)) as client:
        yield client.organization("acme").repository("dev").platform("rh8-x86_64")


def other(brood: BroodProcess, eggs: dict[str, Path]) -> Path:
    """The egg that the server does not have."""
    with platform(brood) as place:
        (entry,) = place.egg_index("cp311").values()
    return next(path for sha256, path in eggs.items() if sha256 != entry["sha256"])


def check_server(brood: BroodProcess, eggs: dict[str, Path], scratch: Path) -> str:
    """Every blob under its name is whole, the index names one egg, and it can be had."""
    for blob in (brood.data / "blobs").rglob("*"):
        if blob.is_file():
            assert file_sha256(blob) == blob.parent.name + blob.name
    folder = scratch / "checked"
    folder.mkdir()
    with platform(brood) as place:
        index = place.egg_index("cp311")
        assert list(index) == [NAME]
        sha256 = str(index[NAME]["sha256"])
        assert sha256 in eggs
        assert place.egg_metadata(*ARGUMENTS)["sha256"] == sha256
        place.download_egg(*ARGUMENTS, folder, sha256)
    check_folder(folder, eggs)
    shutil.rmtree(folder)
    return sha256


def check_folder(folder: Path, eggs: dict[str, Path]) -> None:
    """What bears its final name is whole; what is not, does not."""
    for path in folder.iterdir():
        assert path.suffix == ".hatcher-partial" or path.name == NAME
        assert path.suffix == ".hatcher-partial" or file_sha256(path) in eggs


def partials(folder: Path) -> list[Path]:
    return list(folder.glob("*.hatcher-partial"))


def moments(dice: random.Random, transfer: Callable[[], object]) -> Iterator[float]:
    """Random moments within a transfer; no more than four times as many as have to hit."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        transfer()
        times.append(time.perf_counter() - start)
    for _ in range(4 * KILLS):
        yield dice.uniform(0, sorted(times)[1])
    pytest.fail(f"Of {4 * KILLS} kills too few came in the middle of a transfer.")


def settle(brood: BroodProcess) -> None:
    """Wait until the server has done with what a killed client had sent before its end."""
    quiet = 0
    while quiet < 10:
        time.sleep(0.02)
        quiet = 0 if any((brood.data / "incoming").iterdir()) else quiet + 1


@pytest.mark.parametrize(
    ("direction", "connections"),
    [("up", 1), ("down", 1), ("down", 4)],
    ids=["up", "down", "down-4"],
)
@pytest.mark.parametrize("wire", ["plain", "TLS"])
def test_the_client_is_killed(stocked, eggs, dice, tmp_path, forks, wire, direction, connections):
    before, server = Held.by(os.getpid()), None
    older = next(iter(eggs.values()))
    with reached(stocked.url, wire, tmp_path) as (url, verify_ssl):
        folder = tmp_path / "to"
        auth = [stocked.admin_email, stocked.admin_password]
        job = {"do": "transfer", "url": url, "verify_ssl": verify_ssl, "auth": auth}
        job |= {"destination": str(folder), "connections": connections, "split_from": 1_000_000}

        def begin() -> int:
            """Start with an empty folder, or with an older file in it."""
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if dice.random() < 0.5:
                shutil.copy(older, folder / NAME)
            egg = str(other(stocked, eggs))
            return forks.start({**job, "direction": direction, "egg": egg})

        def transfer() -> None:
            begin()
            forks.wait()

        hits = in_the_body = 0
        for number, moment in enumerate(moments(dice, transfer)):
            pid = begin()
            was_there = (folder / NAME).exists()
            time.sleep(moment)
            hits += forks.kill(pid)
            in_the_body += bool(partials(folder))
            check_folder(folder, eggs)
            assert (folder / NAME).exists() or not was_there
            settle(stocked)
            sha256 = check_server(stocked, eggs, tmp_path)
            forks.start({**job, "direction": "down", "egg": ""})  # where it was left
            forks.wait()
            assert file_sha256(folder / NAME) == sha256
            assert [path.name for path in folder.iterdir()] == [NAME]
            server = Held.by(stocked.pid) if number <= 5 else server
            if hits >= KILLS and (direction == "up" or in_the_body >= IN_THE_BODY):
                break
    check_same(os.getpid(), before, threads=0)
    check_same(stocked.pid, server, threads=20)
    stocked.stop()
    assert len(stored(stocked, "dev")) == 1


@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_server_is_killed(stocked, eggs, dice, tmp_path, direction):
    incoming, folder = stocked.data / "incoming", tmp_path / "to"
    folder.mkdir()

    def transfer(egg: Path) -> None:
        (folder / NAME).unlink(missing_ok=True)
        with platform(stocked) as place:
            if direction == "up":
                place.upload_egg(egg, overwrite=True)
            else:
                place.download_egg(*ARGUMENTS, folder)

    hits = in_the_body = 0
    for moment in moments(dice, lambda: transfer(other(stocked, eggs))):
        egg = other(stocked, eggs)
        killer = threading.Timer(moment, stocked.kill)
        killer.start()
        try:
            transfer(egg)
        except HatcherException:
            hits += 1
        killer.join()
        in_the_body += any(incoming.iterdir())
        # The client lives: of what it could not complete it keeps only what is much.
        assert all(path.stat().st_size >= KEPT_FROM for path in partials(folder))
        check_folder(folder, eggs)
        assert len(stored(stocked, "dev")) == 1
        stocked.restart()
        sha256 = check_server(stocked, eggs, tmp_path)
        if direction == "down":
            transfer(egg)
            assert file_sha256(folder / NAME) == sha256
        if hits >= KILLS and (direction == "down" or in_the_body >= IN_THE_BODY):
            break

    assert list(incoming.iterdir()) == []
    stocked.stop()
    assert len(stored(stocked, "dev")) == 1
