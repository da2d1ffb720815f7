"""Progress of async calls: told in the caller's task, and to its end."""

from __future__ import annotations

import functools
import io
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from hatcher import cancel
from hatcher.aio import AsyncBroodClient
from hatcher.aio.threads import Teller, Threads
from hatcher.api import ProgressBar
from hatcher.testing import BroodServer, write_egg

from .hits import PLATFORM, TAG, check_free

pytestmark = pytest.mark.anyio

WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture(scope="module")
def egg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eggs")
    return write_egg(
        folder,
        name="Spam",
        version="1.0",
        payload_bytes=3_000_000,
        platform=PLATFORM,
        python_tag=TAG,
    )


@pytest.fixture(scope="module")
def brood(egg: Path) -> Iterator[BroodServer]:
    with BroodServer() as brood:
        brood.client().create_organization("acme", "").create_repository("dev", "")
        brood.client().at(f"acme/dev/{PLATFORM}").upload_egg(egg)
        yield brood


@pytest.fixture
async def client(brood):
    auth = brood.admin_email, brood.admin_password
    async with AsyncBroodClient.from_url(brood.url, auth, api_version=1, threads=1) as client:
        yield client


@pytest.fixture
async def download(client, tmp_path):
    """Downloads the egg, and tells a callback."""

    async def download(progress, **options):
        platform = client.at(f"acme/dev/{PLATFORM}")
        await platform.download_egg(TAG, "Spam", "1.0-1", tmp_path, progress=progress, **options)

    yield download
    await check_free(client)


class Told:
    """What a callback was told, and from where."""

    def __init__(self) -> None:
        self.calls, self.threads, self.tasks, self.callers = [], set(), set(), set()

    def __call__(self, done, total, phase):
        self.calls.append((done, total, phase))
        self.threads.add(threading.current_thread())
        self.tasks.add(anyio.get_current_task().id)
        self.callers.add(WHO.get())

    def check(self, egg: Path) -> None:
        size = egg.stat().st_size
        assert self.calls[-1] == (size, size, "downloading")
        assert [done for done, *_ in self.calls] == sorted(done for done, *_ in self.calls)
        assert self.threads == {threading.current_thread()}
        assert self.tasks == {anyio.get_current_task().id}
        assert self.callers == {"ada"}


class Calling(Told):
    """The same, awaited."""

    async def __call__(self, done, total, phase):  # type: ignore[override]
        await anyio.sleep(0)
        super().__call__(done, total, phase)


async def function(told, done, total, phase):
    told(done, total, phase)


CALLBACKS = {
    "plain": lambda told: told,
    "object that is awaited": lambda told: told,
    "partial": lambda told: functools.partial(function, told),
    "lambda": lambda told: lambda *about: told(*about) or len(about),
}


@pytest.mark.parametrize("kind", CALLBACKS)
async def test_callbacks_of_all_kinds(download, egg, kind):
    WHO.set("ada")
    told = Calling() if kind == "object that is awaited" else Told()
    await download(CALLBACKS[kind](told))
    told.check(egg)


async def test_a_progress_bar(download):
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with ProgressBar("Spam", console=console) as bar:
        await download(bar)
    assert "100%" in console.file.getvalue() or "3.0/3.0 MB" in console.file.getvalue()


@pytest.mark.parametrize("is_async", [False, True])
async def test_an_error_of_a_callback_comes_out(download, tmp_path, is_async):
    def fail(*_):
        raise ZeroDivisionError("mine")

    async def fail_later(*_):
        await anyio.sleep(0)
        fail()

    with pytest.raises(ZeroDivisionError, match="mine"):
        await download(fail_later if is_async else fail)
    assert list(tmp_path.iterdir()) == []


async def test_a_callback_that_hangs_is_cancelled(download, tmp_path):
    events = []

    async def hang(*_):
        events.append("begun")
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.02)
            events.append("ended")

    async with anyio.create_task_group() as group:
        group.start_soon(download, hang)
        while not events:
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    assert events == ["begun", "ended"]  # the call outlasts no callback, and the other way round
    assert list(tmp_path.iterdir()) == []


async def test_nobody_is_told_after_the_end(download):
    ended, late = False, []

    def tell(*about):
        if ended:
            late.append(about)

    for after in (0.0, 0.002, 0.005, 0.01, 0.02):
        with anyio.move_on_after(after):
            await download(tell)
        ended = True
        await anyio.sleep(0.02)
        ended = False
    assert late == []


async def test_nobody_is_told_of_a_call_that_is_cancelled():
    told = []

    def work() -> None:
        token = cancel.current()
        assert token is not None
        token.wait(60)
        Teller(lambda *about: told.append(about))(1, 1, "hashing")

    with anyio.move_on_after(0.05):
        await Threads().run(work)
    assert told == []


async def test_a_callback_may_call_the_client_although_it_has_but_one_thread(client, download):
    asked = []

    async def ask(*_):
        asked.append(await client.list_platforms())

    with anyio.fail_after(60):
        await download(ask)
    assert PLATFORM in asked[0]


async def test_what_a_callback_asks_is_cancelled_with_the_call(client, download):
    async def ask(*_):
        while True:
            await client.list_platforms()

    with anyio.move_on_after(0.3) as scope:
        await download(ask)
    assert scope.cancelled_caught


async def test_batches_tell(client, egg, tmp_path):
    WHO.set("ada")
    told = Calling()
    platform = client.at(f"acme/dev/{PLATFORM}")
    await platform.download_eggs(TAG, tmp_path, progress=told)
    told.check(egg)


# -- callbacks that hold the event loop ------------------------------------------------------


def hold(*_):
    time.sleep(0.15)


async def test_a_blocking_callback_is_borne_without_debug_mode(download, anyio_backend):
    if anyio_backend == "trio" and sys.flags.dev_mode:
        pytest.skip("Python is in debug mode")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await download(hold)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"debug": True})], ids=["asyncio"])
async def test_a_blocking_callback_is_warned_of_in_debug_mode(download, anyio_backend):
    with pytest.warns(RuntimeWarning, match="held the event loop for 0"):
        await download(hold)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await download(lambda *_: None)


DEV_MODE = """
import sys, time, warnings
import anyio
from hatcher.aio.threads import Teller, Threads

async def main():
    teller = Teller(lambda *_: time.sleep(0.15))
    with warnings.catch_warnings(record=True) as caught:
        await Threads().run(lambda: teller(1, 1, "hashing"))
    print(*[each.category.__name__ for each in caught])

anyio.run(main, backend=sys.argv[1])
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("mode", ["dev", "frozen_modules=off"])
def test_dev_mode(backend, mode):
    said = "RuntimeWarning\n" if mode == "dev" else "\n"
    command = [sys.executable, "-X", mode, "-c", DEV_MODE, backend]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == said
