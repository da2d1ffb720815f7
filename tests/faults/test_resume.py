"""Downloads over bad networks and after kills: what was there is not sent again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import RetryPolicy, SinglePlatformRepository, Timeouts
from hatcher.errors import ChecksumMismatchError
from hatcher.testing import BroodProcess, BroodServer, Fault, FaultProxy, FaultyGateway
from hatcher.transfer.hashing import file_sha256

from ..forking import Forks
from .conftest import ARGUMENTS, NAME, Egg, spam, stock


def platform(brood: BroodServer | BroodProcess, url: str = "") -> SinglePlatformRepository:
    retries = RetryPolicy(3, backoff=0.001)
    client = brood.client(url=url or brood.url, timeout=Timeouts(stall=0.3), retries=retries)
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


def assert_only(destination: Path, egg: Egg) -> None:
    assert [path.name for path in destination.iterdir()] == [NAME]
    assert sha256((destination / NAME).read_bytes()).hexdigest() == egg.sha256


@pytest.mark.parametrize("kind", ["cut", "reset", "stall"])
def test_cut_at_random(kind, egg, destination, brood_server, dice):
    stock(brood_server, egg.path)
    rounds = 2 if kind == "stall" else 6
    for _ in range(rounds):
        points = [dice.randrange(len(egg.content)) for _ in range(3)]
        with FaultProxy(brood_server.url, [Fault(kind, after=at) for at in points]) as proxy:
            platform(brood_server, proxy.url).download_egg(*ARGUMENTS, destination, egg.sha256)
        assert_only(destination, egg)
        (destination / NAME).unlink()


def test_a_byte_flipped_at_random(egg, destination, brood_server, dice):
    stock(brood_server, egg.path)
    for _ in range(4):
        # The head of the answer has less than a thousand bytes.
        fault = Fault("flip", after=dice.randrange(1000, len(egg.content)))
        with FaultProxy(brood_server.url, [fault]) as proxy, pytest.raises(ChecksumMismatchError):
            platform(brood_server, proxy.url).download_egg(*ARGUMENTS, destination, egg.sha256)
        assert list(destination.iterdir()) == []


# -- in processes of their own ---------------------------------------------------------------------


def job(brood: BroodProcess, egg: Egg, destination: Path, **options: object) -> dict[str, Any]:
    return {
        "do": "transfer",
        "direction": "down",
        "url": brood.url,
        "auth": [brood.admin_email, brood.admin_password],
        "destination": str(destination),
        "sha256": egg.sha256,
        **options,
    }


@contextmanager
def large_egg(folder: Path, size: int) -> Iterator[Egg]:
    path = spam(folder, size)
    yield Egg(path, b"", file_sha256(path))
    path.unlink()


def test_after_a_kill_the_rest_is_enough(brood_process, destination, tmp_path, dice, forks):
    size = 24_000_000
    with large_egg(tmp_path, size) as egg:
        stock(brood_process, egg.path)
        have = 0
        for _ in range(2):
            kill_after = have + dice.randrange(9_000_000, 11_000_000)
            options = {"filename": NAME, "kill_after": kill_after}
            forks.start(job(brood_process, egg, destination, **options))
            forks.wait(-signal.SIGKILL)
            (left,) = destination.iterdir()
            # What had come, but was not written yet, is lost: some buffers of 1 MB.
            assert have < left.stat().st_size
            assert kill_after - 9_000_000 <= left.stat().st_size < size
            have = left.stat().st_size

        with FaultyGateway(brood_process.url) as gateway:
            node = platform(brood_process, gateway.url)
            node.download_egg(*ARGUMENTS, destination, egg.sha256, NAME)
            (passage,) = gateway.requests
            assert (passage.headers["range"], passage.status) == (f"bytes={have}-", 206)
        assert_only(destination, egg)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_two_processes_at_once(brood_process, destination, tmp_path, forks):
    (tmp_path / "other").mkdir()
    with (
        closing(Forks("tests.faults.jobs", tmp_path / "other")) as others,
        large_egg(tmp_path, 200_000_000) as egg,
    ):
        stock(brood_process, egg.path)
        # At first nothing, so that both have imported all.
        for what in ("nothing", "transfer"):
            for each in (forks, others):
                each.start({**job(brood_process, egg, destination), "do": what})
            taken = [each.wait().get("taken", 0) for each in (forks, others)]
        assert 0 < min(taken) <= max(taken) < 30_000_000
        assert_only(destination, egg)
