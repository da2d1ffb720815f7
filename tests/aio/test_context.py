"""Context variables of the caller are there in threads, hooks and callbacks."""

from __future__ import annotations

from contextvars import ContextVar

import anyio
import pytest

from hatcher.aio import AsyncBroodClient
from hatcher.aio.threads import Threads
from hatcher.testing import write_egg

from .hits import PLATFORM

pytestmark = pytest.mark.anyio

WHO: ContextVar[str] = ContextVar("who", default="nobody")


async def test_each_call_sees_the_variables_of_its_task():
    threads, seen = Threads(), {}

    async def ask(name: str) -> None:
        WHO.set(name)
        for _ in range(20):
            seen.setdefault(name, set()).add(await threads.run(WHO.get))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(ask, f"user {number}")
    assert seen == {name: {name} for name in seen}
    assert len(seen) == 8


async def test_what_a_thread_sets_is_its_own():
    threads = Threads()
    await threads.run(lambda: WHO.set("the thread"))
    assert (WHO.get(), await threads.run(WHO.get)) == ("nobody", "nobody")


async def test_no_event_loop_is_taken_to_run_in_a_thread(anyio_backend):
    async def inner() -> str:
        await anyio.sleep(0)
        return "fine"

    assert await Threads().run(lambda: anyio.run(inner)) == "fine"


async def test_hooks_see_them_in_calls_batches_and_iterations(brood_server, tmp_path):
    sides = {"before": [], "after": []}
    client = AsyncBroodClient.from_url(
        brood_server.url,
        (brood_server.admin_email, brood_server.admin_password),
        api_version=1,
        on_request=lambda event: sides["before"].append(WHO.get()),
        on_response=lambda event: sides["after"].append(WHO.get()),
    )
    eggs = [
        write_egg(tmp_path, name=f"Egg{number}", version="1.0", platform=PLATFORM)
        for number in range(5)
    ]
    WHO.set("ada")
    async with client:
        organization = await client.create_organization("acme", "")
        repository = await organization.create_repository("dev", "")
        platform = repository.platform(PLATFORM)
        await platform.upload_eggs(eggs, concurrency=3)
        (tmp_path / "to").mkdir()
        await platform.download_eggs(None, tmp_path / "to", concurrency=3)
        async for _ in client.search("*", platform=PLATFORM, python_tag="cp311"):
            pass
    assert len(sides["before"]) >= 12
    assert {*sides["before"], *sides["after"]} == {"ada"}
