"""After many calls, cancellations and closes, all is as it was before."""

from __future__ import annotations

import os
import random
import sys
import threading
from functools import partial
from pathlib import Path

import anyio
import pytest

from hatcher.testing import BroodProcess, FaultyGateway

from ..faults.held import Held, check_same
from .hits import KINDS, WAYS, Scene, cancelled, check_free, check_whole, seed, some_fault, stocked

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="all is counted in /proc"),
]


async def used(brood: BroodProcess, eggs: Path, folder: Path, hits: int, backend: str) -> None:
    """Use clients, cancel what they do, close them, and forget them."""
    dice = random.Random(seed())
    with FaultyGateway(brood.url) as gateway:
        for _ in range(2):
            scene = Scene(brood, gateway, eggs, folder)
            async with scene.client:
                for _ in range(hits):
                    name = dice.choice([*KINDS])
                    gateway.add(*some_fault(dice, KINDS[name]))
                    way = dice.choice(WAYS[backend])
                    await cancelled(way, partial(KINDS[name].call, scene), 0.1)
                    gateway.clear()
                await scene.client.list_platforms()
                await check_free(scene.client)
                check_whole(scene)
                await scene.up.delete_eggs(scene.names(), "cp311", missing_ok=True)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("hits", [5, pytest.param(50, marks=pytest.mark.long)])
def test_nothing_is_held(tmp_path, hits, backend):
    (tmp_path / "eggs").mkdir()
    (tmp_path / "made").mkdir()
    with stocked(tmp_path / "eggs", BroodProcess) as brood:

        def use(number: int) -> None:
            arguments = brood, tmp_path / "eggs", tmp_path / "made", number, backend
            anyio.run(used, *arguments, backend=backend)

        use(2)  # what is made once
        before, threads = Held.by(os.getpid()), threading.active_count()
        use(hits)
        check_same(os.getpid(), before, threads=0)
    assert threading.active_count() <= threads
