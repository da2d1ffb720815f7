"""Calls of every kind, cancelled at any moment; and what holds afterwards."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import anyio
import trio

from hatcher.aio import AsyncBroodClient, mirror
from hatcher.api import RetryPolicy, Timeouts
from hatcher.testing import (
    Answer,
    BroodProcess,
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_bundle,
    write_egg,
)
from hatcher.transfer.hashing import file_sha256

Brood: TypeAlias = BroodServer | BroodProcess

#: Seconds that connecting may take, after which the thread of a cancelled call is free at the latest.
CONNECT = 1.0

#: Seconds by which an await returns, and a thread ends, on a machine that is busy with other things.
SOON, LATE = 5.0, 60.0

PLATFORM, TAG = "rh8-x86_64", "cp311"

#: Of all indices that there may be, those that have something.
FEW: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": [TAG]}

#: From this size on, a file may come over several connections, and what has come of it is kept.
LARGE = 17_000_000


class Scene:
    """A Brood behind a gateway, what it has, and a client of it in this event loop.

    Attributes
    ----------
    brood : BroodServer or BroodProcess
    gateway : FaultyGateway
    folder : pathlib.Path
        Where calls put what they make; emptied after each.
    """

    def __init__(self, brood: Brood, gateway: FaultyGateway, eggs: Path, folder: Path) -> None:
        self.brood, self.gateway, self.eggs, self.folder = brood, gateway, eggs, folder
        self.client = self.client_of(gateway.url)
        self.dev = self.client.at(f"acme/dev/{PLATFORM}")
        self.up = self.client.at(f"acme/up/{PLATFORM}")

    def client_of(self, url: str, **options: Any) -> AsyncBroodClient:
        options = {
            "timeout": Timeouts(CONNECT, 300, 300, 300, 300),
            "retries": RetryPolicy(3, longest=300),
            "cache": False,
            **options,
        }
        auth = self.brood.admin_email, self.brood.admin_password
        return AsyncBroodClient.from_url(url, auth, api_version=1, **options)

    def egg(self, name: str) -> Path:
        return self.eggs / f"{name}-1.0-1.egg"

    def some_eggs(self) -> list[Path]:
        return [self.egg(f"Egg{number}") for number in range(6)]

    def names(self) -> list[str]:
        return [path.name for path in [*self.some_eggs(), self.egg("Large")]]


@contextmanager
def stocked(eggs: Path, kind: type[Brood] = BroodServer) -> Iterator[Brood]:
    """A Brood with eggs and a bundle in acme/dev, and the empty acme/up."""
    make = partial(write_egg, eggs, version="1.0", platform=PLATFORM, python_tag=TAG)
    small = [make(name=f"Egg{number}", payload_bytes=200_000, seed=number) for number in range(6)]
    large = make(name="Large", payload_bytes=LARGE)
    with kind() as brood:
        acme = brood.client().create_organization("acme", "")
        for name in ("dev", "up"):
            acme.create_repository(name, "")
        platform = acme.repository("dev").platform(PLATFORM)
        platform.upload_eggs([*small, large]).raise_for_failures()
        (eggs / "bundles").mkdir()
        bundle = write_bundle(eggs / "bundles")
        acme.repository("dev").upload_bundle(bundle)
        yield brood


# -- what is called --------------------------------------------------------------------------


async def each(call: Awaitable[tuple[int, Any]]) -> None:
    """Drive a download to its end."""
    _, sizes = await call
    async with sizes:
        async for _ in sizes:
            pass


async def found(scene: Scene) -> None:
    async with scene.client.search("*", platform=PLATFORM, python_tag=TAG) as results:
        async for _ in results:
            pass


async def bundles(scene: Scene) -> None:
    async with aiter(scene.dev.bundles) as all_of_them:
        async for _ in all_of_them:
            pass


async def planned(scene: Scene) -> None:
    plan = await mirror.plan(scene.client.at("acme/dev"), scene.folder / "mirror", **FEW)
    await plan.apply()


async def copied(scene: Scene) -> None:
    plan = await mirror.plan(scene.client.at("acme/dev"), scene.client.at("acme/up"), **FEW)
    await plan.apply()


async def imported(scene: Scene) -> None:
    folder = scene.folder / "export"
    await mirror.export(scene.client, folder, repositories=["acme/dev"], **FEW)
    await mirror.import_(scene.client, folder, overwrite=True)


async def verified(scene: Scene) -> None:
    await mirror.verify(scene.client.at("acme/dev"), download=True, **FEW)


async def kept(scene: Scene) -> None:
    cache = mirror.AsyncCache(scene.folder / "cache")
    for egg in [*scene.some_eggs(), scene.egg("Large")]:
        await cache.add(egg, file_sha256(egg))
    await cache.verify()
    async with cache.lend(file_sha256(scene.egg("Large"))):
        await cache.usage()


async def progressed(scene: Scene) -> None:
    async def tell(*_: object) -> None:
        await anyio.sleep(0.02)

    await scene.dev.download_egg(TAG, "Large", "1.0-1", scene.folder, progress=tell)


class Kind(NamedTuple):
    """A kind of call.

    Attributes
    ----------
    call : callable
        Given the scene, does it.
    path : str
        Which requests of it may meet a fault.
    large : bool
        Whether an answer of it is received bit by bit, or a file sent.
    """

    call: Callable[[Scene], Awaitable[object]]
    path: str = "*"
    large: bool = False


#: An answer after which the request is sent again, but not yet.
LATER = Answer(503, {"Retry-After": "200"})


KINDS = {
    "get": Kind(lambda s: s.client.list_platforms(), "*platforms"),
    "index": Kind(lambda s: s.dev.egg_index(TAG), "*/indices/*"),
    "metadata": Kind(lambda s: s.dev.egg_metadata(TAG, "Egg0", "1.0-1")),
    "upload": Kind(lambda s: s.up.upload_egg(s.egg("Large")), large=True),
    "download": Kind(lambda s: s.dev.download_egg(TAG, "Large", "1.0-1", s.folder), large=True),
    "download by 4": Kind(
        lambda s: s.dev.download_egg(TAG, "Large", "1.0-1", s.folder, connections=4), large=True
    ),
    "download with progress": Kind(progressed, large=True),
    "iterated download": Kind(
        lambda s: each(s.dev.iter_download_egg(TAG, "Large", "1.0-1", s.folder)), large=True
    ),
    "iterated download by 4": Kind(
        lambda s: each(s.dev.iter_download_egg(TAG, "Large", "1.0-1", s.folder, connections=4)),
        large=True,
    ),
    "uploads": Kind(lambda s: s.up.upload_eggs(s.some_eggs(), journal=False), large=True),
    "downloads": Kind(lambda s: s.dev.download_eggs(TAG, s.folder), large=True),
    "deletions": Kind(lambda s: s.up.delete_eggs(s.names(), TAG, missing_ok=True)),
    "search": Kind(found),
    "bundles": Kind(bundles),
    "mirror": Kind(planned, large=True),
    "mirror to a server": Kind(copied, large=True),
    "export and import": Kind(imported, large=True),
    "verification": Kind(verified, large=True),
    "pack": Kind(
        lambda s: mirror.pack(s.client.at("acme/dev"), s.folder / "packed.tar", **FEW), large=True
    ),
    "cache": Kind(kept),
}


def some_fault(dice: random.Random, kind: Kind) -> list[RequestFault]:
    """Choose what makes a call wait, so that it is cancelled there; often nothing does."""
    skip = dice.choice([0, 0, 1, 2, 5])
    at: Any = dice.choice(["request", "answer", "answer body", *["request body"] * kind.large])
    path, times = kind.path, dice.choice([1, 100])
    return dice.choice(
        [
            [],
            [RequestFault("stall", at=at, path=path, skip=skip, times=times)],
            [RequestFault("replace", path=path, skip=skip, times=times, answer=LATER)],
        ]
    )


# -- how it is cancelled ---------------------------------------------------------------------

Call = Callable[[], Awaitable[object]]


async def by_anyio(call: Call, seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await call()


async def by_anyio_group(call: Call, seconds: float) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_after, seconds, group.cancel_scope.cancel)
        await call()
        group.cancel_scope.cancel()


async def _after(seconds: float, act: Callable[[], object]) -> None:
    await anyio.sleep(seconds)
    act()


async def by_asyncio_timeout(call: Call, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await call()


async def by_asyncio_task(call: Call, seconds: float) -> None:
    task = asyncio.ensure_future(call())
    asyncio.get_running_loop().call_later(seconds, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def by_asyncio_wait_for(call: Call, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(call(), seconds)


class EnoughError(Exception):
    """Ends a task group."""


async def by_asyncio_group(call: Call, seconds: float) -> None:
    async def end() -> None:
        await asyncio.sleep(seconds)
        raise EnoughError

    with suppress(BaseExceptionGroup):
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(end())
            await call()
            ending.cancel()


async def by_trio_timeout(call: Call, seconds: float) -> None:
    with suppress(trio.TooSlowError):
        with trio.fail_after(seconds):
            await call()


async def by_trio_nursery(call: Call, seconds: float) -> None:
    async def end() -> None:
        await trio.sleep(seconds)
        raise EnoughError

    with suppress(BaseExceptionGroup):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end)
            await call()
            nursery.cancel_scope.cancel()


WAYS = {
    "asyncio": (
        *(by_anyio, by_anyio_group, by_asyncio_timeout),
        *(by_asyncio_task, by_asyncio_wait_for, by_asyncio_group),
    ),
    "trio": (by_anyio, by_anyio_group, by_trio_timeout, by_trio_nursery),
}


async def cancelled(
    way: Callable[[Call, float], Awaitable[None]], call: Call, after: float
) -> float:
    """Cancel a call after so many seconds; return how long it has gone on all the same."""
    begun, done = time.monotonic(), False

    async def run() -> None:
        nonlocal done
        await call()
        done = True

    await way(run, after)
    late = time.monotonic() - begun - after
    assert late < SOON, (way, late)
    return -math.inf if done else late


# -- what holds afterwards -------------------------------------------------------------------


def threads_at_work() -> list[str]:
    """The threads that do something for a call of hatcher; idle ones do not."""
    own = ("hatcher-batch", "hatcher-transfer", "hatcher-begin")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(own)]


async def check_free(*clients: AsyncBroodClient) -> float:
    """All threads are free; return after how many seconds."""
    begun = time.monotonic()
    while True:
        pools = [client._threads._pool for client in clients]
        at_work = sum(pool.permits.borrowed_tokens for pool in pools if pool is not None)
        took = time.monotonic() - begun
        if not at_work and not threads_at_work():
            return took
        assert took < LATE, (at_work, threads_at_work())
        await anyio.sleep(0.005)


def check_whole(scene: Scene) -> None:
    """What is on the disk is whole, or kept to go on with, or is no artefact; it is cleared."""
    hashes = {file_sha256(path) for path in scene.eggs.rglob("*.*") if path.is_file()}
    for path in sorted(scene.folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
            continue
        if path.suffix == ".egg":
            assert file_sha256(path) in hashes, path
        if path.suffix == ".bundle":  # which the server writes in its own way
            assert json.loads(path.read_bytes())
        if path.suffix == ".hatcher-partial":
            assert path.stat().st_size > 0
        path.unlink()
    scene.folder.mkdir(exist_ok=True)


async def check_usable(scene: Scene, name: str = "get") -> None:
    """The client works, and so does the same call again; what it has uploaded goes."""
    scene.gateway.clear()
    assert PLATFORM in await scene.client.list_platforms()
    await KINDS[name].call(scene)
    await scene.up.delete_eggs(scene.names(), TAG, missing_ok=True)


@contextmanager
def deaf() -> Iterator[str]:
    """A server that lets nobody connect: those that wait are as many as may."""
    with ExitStack() as opened, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(listening.getsockname())
        yield "http://{}:{}".format(*listening.getsockname())


@contextmanager
def mute(scheme: str = "https") -> Iterator[str]:
    """A server that lets connect, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"


def seed() -> int:
    """What the moments follow from: other ones each time, unless the environment says which."""
    chosen = int(os.environ.get("HATCHER_FAULTS_SEED", random.SystemRandom().randrange(10**9)))
    print(f"HATCHER_FAULTS_SEED={chosen} repeats these moments")  # shown when the test fails
    return chosen
