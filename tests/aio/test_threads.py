"""The worker threads of the async graph, and the event loops that they serve."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest

from hatcher import cancel
from hatcher.aio import threads as engine
from hatcher.aio.threads import Threads
from hatcher.aio.twin import Iteration
from hatcher.errors import HatcherException, InvalidArgumentError, TransferInterruptedError

from .hits import WAYS, cancelled, deaf, mute

pytestmark = pytest.mark.anyio

#: Seconds after which something has not come that comes at once.
PATIENCE = 60.0

ROOT = Path(__file__).resolve().parents[2]


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "hatcher-aio"]


async def until(holds) -> None:
    with anyio.fail_after(PATIENCE):
        while not holds():
            await anyio.sleep(0.005)


class Gate:
    """Work that goes on until it is let through, or is cancelled."""

    def __init__(self) -> None:
        self.entered, self.most, self._at_work = 0, 0, 0
        self._opened, self._lock = threading.Event(), threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self.entered += 1
            self._at_work += 1
            self.most = max(self.most, self._at_work)
        try:
            while not self._opened.is_set():
                cancel.sleep(0.005)
            return "through"
        finally:
            with self._lock:
                self._at_work -= 1

    def open(self) -> None:
        self._opened.set()


async def test_work_is_done_in_another_thread_which_is_used_again():
    threads = Threads()
    first = await threads.run(threading.current_thread)
    assert first is not threading.current_thread()
    assert {await threads.run(threading.current_thread) for _ in range(5)} == {first}


async def test_results_and_errors_come_out_and_are_not_kept():
    threads = Threads()

    class Thing:
        pass

    def fail() -> None:
        raise ValueError("no", Thing())

    gc.disable()
    try:
        with pytest.raises(ValueError, match="no") as failed:
            await threads.run(fail)
        thing = weakref.ref(failed.value.args[1])
        del failed
        # The thread has told of it before it lets go of it.
        await until(lambda: thing() is None)
    finally:
        gc.enable()


async def test_no_more_calls_run_at_once_than_there_may_be():
    threads, gate = Threads(3), Gate()
    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(threads.run, gate)
        await until(lambda: gate.entered == 3)
        gate.open()
    assert (gate.entered, gate.most) == (12, 3)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, None, "2"])
def test_a_number_of_threads_that_is_none(limit):
    with pytest.raises(InvalidArgumentError, match="threads is"):
        Threads(limit)


async def test_a_cancelled_call_counts_until_its_thread_is_free(monkeypatch):
    monkeypatch.setattr(engine, "_GRACE", 0.01)
    threads, free = Threads(1), threading.Event()
    with anyio.move_on_after(0.05):
        await threads.run(free.wait)  # which hears of no token
    gate = Gate()
    gate.open()
    async with anyio.create_task_group() as group:
        group.start_soon(threads.run, gate)
        await anyio.sleep(0.1)
        assert gate.entered == 0
        free.set()
    assert gate.entered == 1


async def test_each_way_to_cancel_a_call_whose_thread_goes_on(monkeypatch, anyio_backend):
    monkeypatch.setattr(engine, "_GRACE", 0.05)
    threads, free = Threads(), threading.Event()
    try:
        for way in WAYS[anyio_backend]:
            assert await cancelled(way, partial(threads.run, free.wait), 0.05) >= 0.04, way
            if anyio_backend == "asyncio":
                task = asyncio.current_task()
                assert task is not None
                assert task.cancelling() == 0, way
            await anyio.sleep(0)
    finally:
        free.set()


async def test_many_calls_are_cancelled_at_once():
    threads, gate = Threads(20), Gate()
    async with anyio.create_task_group() as group:
        for _ in range(300):
            group.start_soon(threads.run, gate)
        await until(lambda: gate.entered == 20)
        group.cancel_scope.cancel()
    assert await threads.run(lambda: "fine") == "fine"
    assert gate.entered == 20


async def test_what_has_to_be_done_waits_for_no_thread():
    threads, gate = Threads(1), Gate()
    async with anyio.create_task_group() as group:
        group.start_soon(threads.run, gate)
        await until(lambda: gate.entered)
        assert await threads.finish(lambda: "done") == "done"
        group.cancel_scope.cancel()


async def test_what_has_to_be_done_is_done_in_a_cancelled_task():
    threads, done = Threads(), []
    with anyio.CancelScope() as scope:
        scope.cancel()
        await threads.finish(lambda: done.append(1))
    assert done == [1]


async def test_a_thread_that_cannot_be_started_costs_no_permit(monkeypatch):
    threads = Threads(1)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="can't start"):
        patch.setattr(threading.Thread, "start", _no_thread)
        await threads.run(threading.current_thread)
    assert await threads.run(lambda: "fine") == "fine"


def _no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


async def test_threads_that_have_nothing_to_do_end():
    before = len(own_threads())
    threads, gate = Threads(), Gate()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(threads.run, gate)
        await until(lambda: gate.entered == 5)
        gate.open()
    await threads.close(lambda: None)
    await until(lambda: len(own_threads()) <= before)
    await threads.run(lambda: None)
    del threads
    await until(lambda: len(own_threads()) <= before)


async def test_threads_that_had_nothing_to_do_for_long_end(monkeypatch):
    before = len(own_threads())
    threads, gate = Threads(), Gate()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(threads.run, gate)
        await until(lambda: gate.entered == 5)
        gate.open()
    monkeypatch.setattr(engine, "_KEPT_FOR", 0)
    await threads.run(lambda: None)
    await until(lambda: len(own_threads()) <= before + 1)


def test_two_event_loops():
    threads = Threads()
    anyio.run(threads.run, int)
    with pytest.raises(HatcherException, match="two event loops"):
        anyio.run(threads.run, int)


# -- iterations ------------------------------------------------------------------------------


class Things:
    """An iterator of the sync graph: one thing at once, and another one much later."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self._steps = self._all()

    def _all(self) -> Iterator[int]:
        try:
            yield 1
            cancel.sleep(PATIENCE)
            yield 2
        finally:
            self.closed.set()

    def __next__(self) -> int:
        return next(self._steps)

    def close(self) -> None:
        self._steps.close()


async def test_an_iteration_is_closed_while_another_task_waits():
    things = Things()
    iteration: Iteration[int] = Iteration._of(things, Threads())
    assert await anext(iteration) == 1

    async def drive() -> None:
        with pytest.raises(TransferInterruptedError):
            await anext(iteration)

    async with anyio.create_task_group() as group:
        group.start_soon(drive)
        await until(iteration._lock.locked)
        with pytest.raises(HatcherException, match="Another task"):
            await anext(iteration)
        await iteration.aclose()
    assert things.closed.is_set()


async def test_an_iteration_that_is_closed_is_at_its_end():
    things = Things()
    async with Iteration._of(things, Threads()) as iteration:
        assert await anext(iteration) == 1
    assert things.closed.is_set()
    with pytest.raises(StopAsyncIteration):
        await anext(iteration)


async def test_an_iteration_that_is_collected_is_closed_in_a_thread():
    things, threads = Things(), Threads()
    iteration: Iteration[int] = Iteration._of(things, threads)
    assert await anext(iteration) == 1
    del iteration
    await until(things.closed.is_set)


def test_an_iteration_that_outlasts_its_event_loop():
    things = Things()

    async def begin() -> Iteration[int]:
        iteration: Iteration[int] = Iteration._of(things, Threads())
        assert await anext(iteration) == 1
        return iteration

    iteration = anyio.run(begin)
    assert not things.closed.is_set()
    del iteration
    assert things.closed.is_set()


async def test_an_iteration_whose_cancelled_step_comes_late_is_closed_by_its_thread(monkeypatch):
    monkeypatch.setattr(engine, "_GRACE", 0.01)
    free, closed = threading.Event(), threading.Event()

    def all_of_them() -> Iterator[int]:
        try:
            free.wait(PATIENCE)  # which hears of no token
            yield 1
        finally:
            closed.set()

    iteration: Iteration[int] = Iteration._of(all_of_them(), Threads())
    with anyio.move_on_after(0.05):
        await anext(iteration)
    await iteration.close()
    assert not closed.is_set()
    with pytest.raises(TransferInterruptedError):
        await anext(iteration)
    free.set()
    await until(closed.is_set)


async def test_an_iteration_is_over_when_a_step_is_cancelled_before_it_begins():
    iteration: Iteration[int] = Iteration._of(Things(), Threads())
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anext(iteration)
    with pytest.raises(TransferInterruptedError):
        await anext(iteration)


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_entered_in_a_cancelled_task_is_left(monkeypatch, late):
    monkeypatch.setattr(engine, "_GRACE", 0.01 if late else PATIENCE)
    free, events = threading.Event(), []

    @contextmanager
    def lent() -> Iterator[str]:
        token = cancel.current()
        assert token is not None
        token.wait(PATIENCE)
        free.wait(PATIENCE if late else 0)
        events.append("entered")
        try:
            yield "it"
        finally:
            events.append("left")

    iteration: Iteration[int] = Iteration._of(iter(()), Threads())
    with anyio.move_on_after(0.05):
        async with iteration._within(lent):
            events.append("used")
    free.set()
    await until(lambda: len(events) == 2)
    assert events == ["entered", "left"]


# -- the end of programs ---------------------------------------------------------------------

PROGRAM = """
    import asyncio, contextlib, sys
    import anyio
    from hatcher.aio import AsyncBroodClient
    from hatcher.api import Timeouts

    def client():
        return AsyncBroodClient.from_url(
            {url!r}, ("a", "b"), api_version=1, cache=False, verify_ssl=False,
            timeout=Timeouts(300, 300, 300, 300, 300),
        )

    async def main(ask=lambda client: client.list_platforms()):
        async with client() as own:
            print("begun", flush=True)
            await ask(own)
"""


class Program:
    """A program that calls a server that does not answer, in a process of its own."""

    def __init__(self, url: str, end: str) -> None:
        text = textwrap.dedent(PROGRAM.format(url=url)) + textwrap.dedent(end)
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", text],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "begun\n"

    def interrupt(self) -> None:
        time.sleep(0.3)
        self.process.send_signal(signal.SIGINT)

    def errors(self) -> str:
        """Wait for its end, which comes soon, and return what it wrote."""
        return self.process.communicate(timeout=PATIENCE)[1]


@pytest.fixture(params=[mute, deaf])
def silent(request: pytest.FixtureRequest) -> Iterator[str]:
    with request.param() as url:
        yield url


@pytest.mark.parametrize("run", ["asyncio.run(main())", "anyio.run(main, backend='trio')"])
def test_ctrl_c(silent, run):
    program = Program(silent, run)
    program.interrupt()
    errors = program.errors()
    assert program.process.returncode in (1, -signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    check_tidy(errors)


def check_tidy(errors: str) -> None:
    for words in ("never", "destroyed", "Exception ignored", "ResourceWarning", "in thread"):
        assert words not in errors, errors


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_thread_that_still_connects_at_the_exit(backend):
    end = f"""
        async def soon():
            with anyio.move_on_after(0.2):
                await main()

        anyio.run(soon, backend={backend!r})
    """
    with deaf() as url:
        assert Program(url, end).errors() == ""


def test_an_event_loop_that_is_left_behind(silent):
    end = """
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(main())
        except KeyboardInterrupt:
            sys.exit(3)
    """
    program = Program(silent, end)
    program.interrupt()
    program.errors()
    assert program.process.returncode == 3
