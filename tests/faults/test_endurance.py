"""Kills and faults by the hundred, plain and over TLS; after them all is as it was before.

The moments and the faults follow from a seed, the same each time unless ``HATCHER_FAULTS_SEED``
sets another.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

if not hasattr(os, "fork"):
    pytest.skip("client processes are forked", allow_module_level=True)

from hatcher.api import BroodClient, RetryPolicy, Timeouts
from hatcher.errors import HatcherException
from hatcher.testing import Answer, BroodProcess, FaultyGateway, RequestFault
from hatcher.transfer.hashing import file_sha256

from ..forking import Forks
from .tls import over_tls

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="all is counted in /proc"),
]

SEED = int(os.environ.get("HATCHER_FAULTS_SEED", "20250701"))

#: On each of the two wires.
KILLS, FAULTS = 100, 500

SIZE = 3_000_000
NAME = "Spam-1.0-1.egg"
MB = 1_000_000


class Held(NamedTuple):
    """What a process holds."""

    descriptors: int
    threads: int
    memory: int

    @classmethod
    def by(cls, pid: int) -> Held:
        gc.collect()
        about = Path("/proc", str(pid))
        pages = int((about / "statm").read_text().split()[1])
        count = {name: len(list((about / name).iterdir())) for name in ("fd", "task")}
        return cls(count["fd"], count["task"], pages * os.sysconf("SC_PAGE_SIZE"))


def check_same(pid: int, before: Held, *, threads: int, memory: int) -> None:
    """What was held is let go of; a pool of threads, or of memory, may have grown a little."""
    until = time.monotonic() + 60
    while True:
        now = Held.by(pid)
        if now.descriptors <= before.descriptors and now.threads <= before.threads + threads:
            break
        assert time.monotonic() < until, (before, now)
        time.sleep(0.1)
    assert now.memory - before.memory < memory, (before, now)


@pytest.fixture(scope="module")
def eggs(twins: Callable[[int], dict[str, Path]]) -> dict[str, Path]:
    """Two eggs of one name and version, by their sha256."""
    return twins(SIZE)


@pytest.fixture
def brood(eggs: dict[str, Path]) -> Iterator[BroodProcess]:
    with BroodProcess() as running:
        running.client().create_organization("acme", "").create_repository("dev", "")
        platform = running.client().at("acme/dev/rh8-x86_64")
        platform.upload_egg(next(iter(eggs.values())))
        yield running


@contextmanager
def reached(url: str, wire: str, folder: Path) -> Iterator[tuple[str, bool | str]]:
    """The URL by which a server is reached, and how its certificate is verified."""
    with ExitStack() as stack:
        if wire == "plain":
            yield url, True
        else:
            safe, pem = stack.enter_context(over_tls(url, folder))
            yield safe, str(pem)


def stored(brood: BroodProcess) -> str:
    with brood.client() as client:
        index = client.at("acme/dev/rh8-x86_64").egg_index("cp311")
    assert list(index) == [NAME]
    return str(index[NAME]["sha256"])


@pytest.mark.parametrize("wire", ["plain", "TLS"])
def test_kills(brood: BroodProcess, eggs: dict[str, Path], tmp_path: Path, wire: str) -> None:
    dice = random.Random(SEED)
    before = Held.by(os.getpid())
    with reached(brood.url, wire, tmp_path) as (url, verify_ssl), ExitStack() as stack:
        forks = Forks("tests.faults.enduring", tmp_path)
        stack.callback(forks.close)

        def begin(direction: str, folder: Path) -> int:
            return forks.start(
                {
                    "url": url,
                    "verify_ssl": verify_ssl,
                    "auth": [brood.admin_email, brood.admin_password],
                    "direction": direction,
                    "egg": str(dice.choice([*eggs.values()])),
                    "destination": str(folder),
                }
            )

        begun = time.monotonic()
        for direction in ("up", "down"):
            begin(direction, tmp_path)
            forks.wait()
        whole = (time.monotonic() - begun) / 2
        hits = tries = 0
        server = None
        while hits < KILLS:
            tries += 1
            assert tries < 4 * KILLS, f"Only {hits} of {tries} kills came in the middle."
            folder = tmp_path / f"to{tries}"
            folder.mkdir()
            client = begin(dice.choice(["up", "down"]), folder)
            time.sleep(dice.uniform(0, whole))
            hits += forks.kill(client)
            sha256 = stored(brood)
            assert sha256 in eggs
            for path in folder.iterdir():
                assert path.name.endswith(".hatcher-partial") or file_sha256(path) in eggs
            if tries % 10 == 0:
                begin("down", folder)
                forks.wait()
                assert file_sha256(folder / NAME) == stored(brood)
                assert [path.name for path in folder.iterdir()] == [NAME]
            shutil.rmtree(folder)
            if tries == 20:
                server = Held.by(brood.pid)
    assert server is not None
    check_same(os.getpid(), before, threads=0, memory=50 * MB)
    check_same(brood.pid, server, threads=20, memory=50 * MB)


def some_fault(dice: random.Random) -> RequestFault:
    kind, at = dice.choice(
        [
            ("reset", "request"),
            ("reset", "request body"),
            ("reset", "answer"),
            ("reset", "answer body"),
            ("reset", "end"),
            ("cut", "request"),
            ("cut", "request body"),
            ("cut", "answer"),
            ("cut", "answer body"),
            ("stall", "answer"),
            ("stall", "answer body"),
            ("replace", "request"),
            ("replace", "answer"),
            ("flip", "answer body"),
        ]
    )
    method = dice.choice(["*", "*", "GET", "POST"])
    answer = Answer(dice.choice([307, 401, 408, 413, 429, 500, 502, 503, 504]))
    return RequestFault(
        kind,  # type: ignore[arg-type]
        at=at,  # type: ignore[arg-type]
        method=method,
        skip=dice.choice([0, 0, 1]),
        times=dice.choice([1, 1, 2]),
        answer=answer,
    )


@pytest.mark.parametrize("wire", ["plain", "TLS"])
def test_faults(brood: BroodProcess, eggs: dict[str, Path], tmp_path: Path, wire: str) -> None:
    dice = random.Random(SEED)
    begun = Held.by(os.getpid())
    outcomes: Counter[str] = Counter()
    destination = tmp_path / "to"
    destination.mkdir()
    threads = threading.active_count()
    with (
        FaultyGateway(brood.url) as gateway,
        reached(gateway.url, wire, tmp_path) as (url, verify_ssl),
        BroodClient.from_url(
            url,
            (brood.admin_email, brood.admin_password),
            api_version=1,
            verify_ssl=verify_ssl,
            timeout=Timeouts(10, 1.0, 10, 10, 1.0),
            retries=RetryPolicy(1, backoff=0),
            cache=False,
        ) as client,
    ):
        platform = client.at("acme/dev/rh8-x86_64")
        acts: dict[str, Any] = {
            "list": lambda: client.list_platforms(),
            "index": lambda: platform.egg_index("cp311"),
            "upload": lambda: platform.upload_egg(dice.choice([*eggs.values()]), overwrite=True),
            "download": lambda: platform.download_egg("cp311", "Spam", "1.0-1", destination),
            "download many": lambda: platform.download_eggs("cp311", destination, concurrency=2),
        }
        struck, before, server = 0, None, None
        while struck < FAULTS:
            gateway.clear()
            gateway.add(some_fault(dice), some_fault(dice))
            name = dice.choice([*acts])
            try:
                acts[name]()
                outcomes["fine"] += 1
            except HatcherException as error:
                outcomes[type(error).__name__] += 1
            gateway.settle()
            struck += sum(passage.fault is not None for passage in gateway.requests)
            assert stored(brood) in eggs
            for path in destination.iterdir():
                if not path.name.endswith(".hatcher-partial"):
                    assert file_sha256(path) in eggs
                path.unlink()
            if before is None and struck > FAULTS // 5:
                before, server = Held.by(os.getpid()), Held.by(brood.pid)
        gateway.clear()
        for act in acts.values():
            act()
        assert file_sha256(destination / NAME) == stored(brood)
    print(outcomes)
    assert outcomes["fine"] > 20
    assert len(outcomes) > 5, outcomes
    assert before is not None and server is not None
    check_same(os.getpid(), begun._replace(memory=before.memory), threads=0, memory=50 * MB)
    check_same(brood.pid, server, threads=20, memory=50 * MB)
    assert threading.active_count() <= threads
