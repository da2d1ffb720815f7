"""The works of async programs, in an event loop that stays; `works.py` measures them."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Job = dict[str, Any]
Work = Callable[[], None]

#: How many calls are under way at the same time.
_AT_ONCE = 64
#: Seconds between two ticks.
_TICK = 0.005


class Ours:
    """What a program does with hatcher.aio."""

    def __init__(self, job: Job) -> None:
        from hatcher.aio import AsyncBroodClient

        told = {"verify_ssl": job["verify"], "api_version": 1}
        self.client = AsyncBroodClient.from_url(job["url"], auth=tuple(job["auth"]), **told)
        self._place = self.client.organization(job["platform"][0])
        self._platform = job["platform"][2]
        self.platform = self._of(job["platform"][1])
        self._folder = job.get("destination", "")

    def _of(self, repository: str) -> Any:
        return self._place.repository(repository).platform(self._platform)

    async def once(self) -> None:
        """Do something small."""
        await self.client.list_platforms()

    async def list_eggs(self, repository: str) -> list[Any]:
        """Return the list of a repository's eggs."""
        return list(await self._of(repository).list_eggs("cp311"))

    async def index(self, repository: str) -> Any:
        """Return the index of a repository."""
        return await self._of(repository).egg_index("cp311")

    async def up(self, egg: str) -> None:
        """Send an egg."""
        await self.platform.upload_egg(egg)

    async def down(self, name: str) -> None:
        """Fetch an egg."""
        await self.platform.download_egg("cp311", name, "1.0.0-1", self._folder)


class ByHand:
    """The same with httpx, by hand: as little as gives the same answers."""

    def __init__(self, job: Job) -> None:
        import httpx

        limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE)
        told = {"auth": tuple(job["auth"]), "verify": job["verify"], "limits": limits}
        self._client = httpx.AsyncClient(base_url=f"{job['url']}/api/v1/json", timeout=60, **told)
        self._place, self._repository, self._platform = job["platform"]
        self._folder = Path(job.get("destination", ""))

    async def once(self) -> None:
        (await self._client.get("/metadata/platforms")).raise_for_status().json()

    async def index(self, repository: str) -> Any:
        path = f"/indices/{self._place}/{repository}/{self._platform}/cp311/eggs"
        return (await self._client.get(path)).raise_for_status().json()

    async def list_eggs(self, repository: str) -> list[Any]:
        entries = (await self.index(repository)).items()
        return [{"name": name, "python_tag": each.get("python_tag")} for name, each in entries]

    async def up(self, egg: str) -> None:
        path = f"/data/{self._place}/{self._repository}/{self._platform}/eggs/upload"
        with open(egg, "rb") as file:
            (await self._client.post(path, files={"file": file})).raise_for_status()

    async def down(self, name: str) -> None:
        path = f"/data/{self._place}/{self._repository}/{self._platform}/cp311/eggs/{name}/1.0.0-1"
        digest = hashlib.sha256()
        async with self._client.stream("GET", path) as answer:
            with (self._folder / f"{name}-1.0.0-1.egg").open("wb") as file:
                async for block in answer.raise_for_status().aiter_raw():
                    digest.update(block)
                    file.write(block)


def _made(job: Job, make: Callable[[Any], Awaitable[None]]) -> Work:
    """Return what runs something in a loop in which the client has been used once."""
    runner, client = asyncio.Runner(), (ByHand if job.get("by_hand") else Ours)(job)
    runner.run(client.once())

    async def work() -> None:
        await make(client)

    return lambda: runner.run(work())


def async_gets(job: Job) -> Work:
    """Small requests, one after the other over a connection that is kept."""

    async def work(client: Ours) -> None:
        for _ in range(job["calls"]):
            await client.once()

    return _made(job, work)


def async_lists(job: Job) -> Work:
    """The lists of many small indices."""

    async def work(client: Ours | ByHand) -> None:
        repositories = iter(job["repositories"])

        async def several() -> int:
            return sum([len(await client.list_eggs(each)) for each in repositories])

        found = await asyncio.gather(*(several() for _ in range(_AT_ONCE)))
        if sum(found) != job["eggs"]:
            raise SystemExit(f"There are {sum(found)} eggs, not {job['eggs']}.")

    return _made(job, work)


def async_many_up(job: Job) -> Work:
    """As `works.many_up`."""
    eggs = sorted(map(str, Path(job["eggs"]).iterdir()))

    async def work(client: Ours) -> None:
        (await client.platform.upload_eggs(eggs)).raise_for_failures()

    return _made(job, work)


def async_many_down(job: Job) -> Work:
    """As `works.many_down`."""

    async def work(client: Ours) -> None:
        report = await client.platform.download_eggs("cp311", job["destination"])
        report.raise_for_failures()

    return _made(job, work)


def async_ticker(job: Job) -> Work:
    """How late an event loop is, while much is done in it for some time."""
    eggs = [*Path(job["eggs"]).iterdir()] if job["eggs"] else []
    late: list[float] = []

    async def work(client: Ours | ByHand) -> None:
        end, done = time.perf_counter() + job["seconds"], set[str]()

        async def again(act: Callable[[Any], Awaitable[Any]], what: Any) -> None:
            while time.perf_counter() < end:
                if found := await act(what):  # to free 50,000 entries takes the loop 16 ms
                    await asyncio.to_thread(found.clear)
                done.add(f"{act.__name__} {what}")

        async def down(egg: Path) -> None:
            await asyncio.to_thread(Path(job["destination"], egg.name).unlink, missing_ok=True)
            await client.down(egg.name.partition("-")[0])

        async with asyncio.TaskGroup() as group:
            for egg in eggs:
                group.create_task(again(client.up, str(egg)))
                group.create_task(again(down, egg))
            for act in (client.index, client.list_eggs) if eggs else ():
                group.create_task(again(act, job["index"]))
            while (begun := time.perf_counter()) < end:
                await asyncio.sleep(_TICK)
                late.append(time.perf_counter() - begun - _TICK)
        if len(done) != (2 * len(eggs) + 2) * bool(eggs):
            raise SystemExit("Not everything was done.")
        job["counted"] = {"late": statistics.quantiles(late, n=100)[-1], "latest": max(late)}

    return _made(job, work)
