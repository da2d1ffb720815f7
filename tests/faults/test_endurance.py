"""Faults by the hundred, plain and over TLS; after them all is as it was before.

The faults follow from a seed, the same each time unless ``HATCHER_FAULTS_SEED`` sets another.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BroodClient, RetryPolicy, Timeouts
from hatcher.errors import HatcherException
from hatcher.testing import BroodProcess, FaultyGateway, RequestFault
from hatcher.transfer.hashing import file_sha256
from hatcher.transport.session import _REFUSED_FOR

from .conftest import ARGUMENTS, NAME, some_fault, stock
from .held import Held, check_same
from .tls import reached

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="all is counted in /proc"),
]

SEED = int(os.environ.get("HATCHER_FAULTS_SEED", "20250701"))

#: On each of the two wires.
FAULTS = 500

SIZE = 3_000_000


@pytest.fixture(scope="module")
def eggs(twins: Callable[[int], dict[str, Path]]) -> dict[str, Path]:
    """Two eggs of one name and version, by their sha256."""
    return twins(SIZE)


@pytest.fixture
def brood(eggs: dict[str, Path]) -> Iterator[BroodProcess]:
    with BroodProcess() as running:
        stock(running, next(iter(eggs.values())))
        yield running


def stored(brood: BroodProcess) -> str:
    with brood.client() as client:
        index = client.at("acme/dev/rh8-x86_64").egg_index("cp311")
    assert list(index) == [NAME]
    return str(index[NAME]["sha256"])


def fault(dice: random.Random) -> RequestFault:
    return some_fault(
        dice,
        {
            "reset": ["request", "request body", "answer", "answer body", "end"],
            "cut": ["request", "request body", "answer", "answer body"],
            "stall": ["answer", "answer body"],
            "replace": ["request", "answer"],
            "flip": ["answer body"],
        },
        [307, 401, 408, 413, 429, 500, 502, 503, 504],
        method=dice.choice(["*", "*", "GET", "POST"]),
        skip=dice.choice([0, 0, 1]),
        times=dice.choice([1, 1, 2]),
    )


@pytest.mark.parametrize("wire", ["plain", "TLS"])
def test_faults(brood, eggs, tmp_path, wire):
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
            "download": lambda: platform.download_egg(*ARGUMENTS, destination),
            "download many": lambda: platform.download_eggs("cp311", destination, concurrency=2),
        }
        struck, before, server = 0, None, None
        while struck < FAULTS:
            gateway.clear()
            gateway.add(fault(dice), fault(dice))
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
        time.sleep(_REFUSED_FOR)  # a thread of the last batch may have been refused
        for act in acts.values():
            act()
        assert file_sha256(destination / NAME) == stored(brood)
    print(outcomes)
    assert outcomes["fine"] > 20
    assert len(outcomes) > 5, outcomes
    assert before is not None
    check_same(os.getpid(), begun._replace(memory=before.memory), threads=0)
    check_same(brood.pid, server, threads=20)
    assert threading.active_count() <= threads
