"""Calls that are cancelled end at once, leave nothing half, and disturb nobody."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest

from hatcher.api import RetryPolicy
from hatcher.errors import HatcherException, TransferInterruptedError
from hatcher.testing import BroodServer, FaultyGateway, RequestFault

from .hits import (
    CONNECT,
    KINDS,
    LATER,
    TAG,
    WAYS,
    Scene,
    by_anyio,
    cancelled,
    check_free,
    check_usable,
    check_whole,
    deaf,
    mute,
    seed,
    some_fault,
    stocked,
)

pytestmark = pytest.mark.anyio

#: Calls that are cancelled in the long test, on each event loop.
HITS = 200


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("eggs")


@pytest.fixture(scope="module")
def brood(eggs: Path) -> Iterator[BroodServer]:
    with stocked(eggs) as brood:
        yield brood


@pytest.fixture
async def scene(brood, eggs, tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    with FaultyGateway(brood.url) as gateway:
        scene = Scene(brood, gateway, eggs, folder)
        async with scene.client:
            yield scene


async def hit(scene, name, way, after, *faults, again):
    """Cancel a call; return how long it went on all the same."""
    await scene.client.list_organizations()
    scene.gateway.add(*faults)
    late = await cancelled(way, lambda: KINDS[name].call(scene), after)
    await check_free(scene.client)
    check_whole(scene)
    await check_usable(scene, name if again else "get")
    check_whole(scene)
    return late


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", KINDS)
async def test_a_call_that_waits_for_an_answer(scene, name):
    kind = KINDS[name]
    at = "answer body" if kind.large else "answer"
    stall = RequestFault("stall", at=at, path=kind.path, times=100)
    await hit(scene, name, by_anyio, 0.1, stall, again=True)


async def test_each_way_to_cancel(scene, anyio_backend):
    for way in WAYS[anyio_backend]:
        stall = RequestFault("stall", path="*platforms")
        assert await hit(scene, "get", way, 0.05, stall, again=False) > 0, way


@pytest.mark.long
async def test_calls_of_all_kinds_at_random_moments(scene, anyio_backend):
    dice = random.Random(seed())
    lates = []
    for number in range(HITS):
        name, way = dice.choice([*KINDS]), dice.choice(WAYS[anyio_backend])
        after = dice.choice([0, *[0.3 * dice.random() ** 2] * 7])
        faults = some_fault(dice, KINDS[name])
        # What was uploaded perhaps is always uploaded again.
        again = name == "upload" or dice.random() < 0.2
        print(number, name, way.__name__, round(after, 4), *faults)
        lates.append(await hit(scene, name, way, after, *faults, again=again))
        print("it went on for", lates[-1])
    print("They went on for", [round(late, 4) for late in sorted(lates)])


async def test_a_pause_before_a_retry(scene):
    busy = RequestFault("replace", path="*platforms", answer=LATER)
    assert await hit(scene, "get", by_anyio, 0.1, busy, again=False) > 0


@pytest.mark.parametrize("server", [deaf, mute])
async def test_a_connection_that_does_not_come(scene, server):
    with server() as url:
        async with scene.client_of(url, retries=RetryPolicy(0)) as client:
            begun = time.monotonic()
            assert await cancelled(by_anyio, client.list_platforms, 0.1) > 0
            await check_free(client)
    assert time.monotonic() - begun < 60 * CONNECT  # and not as long as the system waits


async def test_another_call_that_logs_in_first(scene):
    scene.gateway.add(RequestFault("stall", path="*platforms"))
    async with anyio.create_task_group() as group:
        group.start_soon(scene.client.list_platforms)
        while not scene.gateway.sent(path="*platforms"):
            await anyio.sleep(0.01)
        assert await cancelled(by_anyio, scene.client.list_organizations, 0.1) > 0
        assert scene.gateway.sent() == 1
        group.cancel_scope.cancel()
    await check_free(scene.client)
    await check_usable(scene)


async def test_a_queue_for_threads(scene):
    async with scene.client_of(scene.gateway.url, threads=1) as client:
        await client.list_organizations()
        scene.gateway.add(RequestFault("stall", path="*platforms"))
        async with anyio.create_task_group() as group:
            group.start_soon(client.list_platforms)
            while not scene.gateway.sent(path="*platforms"):
                await anyio.sleep(0.01)
            assert await cancelled(by_anyio, client.list_organizations, 0.1) > 0
            group.cancel_scope.cancel()
        assert scene.gateway.sent() == 2
        await check_free(client)
        assert await client.list_organizations() == ["acme"]


async def test_a_call_is_not_begun_in_a_cancelled_task(scene):
    with anyio.CancelScope() as scope:
        scope.cancel()
        await scene.client.list_platforms()
    assert scene.gateway.sent() == 0


async def test_other_calls_go_on(scene):
    fine = 0

    async def others() -> None:
        nonlocal fine
        while True:
            assert await scene.dev.list_eggs(TAG)
            fine += 1

    await scene.client.list_organizations()
    async with anyio.create_task_group() as group:
        group.start_soon(others)
        for at in ("request", "answer", "answer body"):
            scene.gateway.add(RequestFault("stall", at=at, path="*platforms"))
            for after in (0.0, 0.01, 0.1):
                await cancelled(by_anyio, scene.client.list_platforms, after)
        before = fine
        while fine == before:
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()


async def test_an_iteration_that_was_cancelled_is_over(scene):
    scene.gateway.add(RequestFault("stall", at="answer body", path="*/data/*"))
    _, sizes = await scene.dev.iter_download_egg(TAG, "Large", "1.0-1", scene.folder)
    with anyio.move_on_after(0.2):
        async for _ in sizes:
            pass
    with pytest.raises(TransferInterruptedError):
        await anext(sizes)
    await sizes.close()
    check_whole(scene)


@pytest.mark.parametrize("name", ["iterated download", "search"])
async def test_an_iteration_that_is_left_early_ends_when_it_is_collected(scene, name):
    if name == "search":
        things = scene.client.search("*", platform="rh8-x86_64", python_tag=TAG)
    else:
        call = scene.dev.iter_download_egg
        _, things = await call(TAG, "Large", "1.0-1", scene.folder, connections=4)
    async for _ in things:
        break
    del things
    await check_free(scene.client)
    check_whole(scene)


async def test_a_cache_at_many_moments(scene):
    for after in (0.001, 0.02, 0.05, 0.1):
        await cancelled(by_anyio, partial(KINDS["cache"].call, scene), after)
        check_whole(scene)


async def test_a_client_is_closed_in_a_cancelled_task(scene):
    client = scene.client_of(scene.gateway.url)
    await client.list_platforms()
    with anyio.CancelScope() as scope:
        async with client:
            scope.cancel()
    with pytest.raises(HatcherException, match="closed"):
        await client.list_platforms()
