"""How many files a batch has under way at once, and in which order they begin."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hatcher.api import RetryPolicy
from hatcher.errors import BatchInterrupted
from hatcher.testing import Answer, Request, ScriptedServer, write_egg
from hatcher.transfer.batch import ByteCounter, WorkerPool
from hatcher.transfer.concurrency import Todo
from hatcher.transport import pool
from hatcher.transport.retry import turn_left

from .common import JSON, platform_at

SOON = RetryPolicy(backoff=0.05)


class Place(ScriptedServer):
    """A platform with eggs, which says how many are asked for at once.

    Parameters
    ----------
    sizes : list of int
        Of the eggs, in bytes.
    answer : callable
        Given how many are under way, and the answer with the egg; answers for it.
    """

    def __init__(self, sizes: list[int], answer: Callable[[int, Answer], Answer]) -> None:
        self._bodies = {f"e{n:03}-1.0-1.egg": bytes([n]) * size for n, size in enumerate(sizes)}
        self._answer = answer
        self._under_way = 0
        self.changed = threading.Condition()
        #: Of each egg that was asked for: when, its size, and how many were under way then.
        self.asked: list[tuple[float, int, int]] = []
        super().__init__(self._say)

    def _say(self, request: Request) -> Answer:
        if "/indices/" in request.target:
            index = {
                name: {
                    "sha256": hashlib.sha256(body).hexdigest(),
                    "size": len(body),
                    "python_tag": "cp311",
                }
                for name, body in self._bodies.items()
            }
            return Answer(200, JSON, json.dumps(index).encode())
        name = f"{request.target.split('/')[-2]}-1.0-1.egg"
        with self.changed:
            self._under_way += 1
            self.asked.append((time.monotonic(), len(self._bodies[name]), self._under_way))
            self.changed.notify_all()
        try:
            return self._answer(self._under_way, Answer(200, {}, self._bodies[name]))
        finally:
            with self.changed:
                self._under_way -= 1

    def wait_for(self, number: int) -> None:
        """Wait until as many eggs were asked for; for good if they never are."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.asked) >= number, 10)

    @property
    def most(self) -> int:
        return max(under_way for _, _, under_way in self.asked)


def download(place: Place, folder: Path, **options: object) -> None:
    report = platform_at(place.url, retries=SOON).download_eggs("cp311", folder, **options)
    report.raise_for_failures()
    assert len(report.downloaded) == len(list(folder.iterdir()))
    assert [result.name for result in report.results] == sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize(("concurrency", "most"), [(None, 64), (20, 20), (1, 1)])
def test_slow_answers_are_awaited_by_many(destination, concurrency, most):
    def answer(_: int, egg: Answer) -> Answer:
        place.wait_for(most)  # none comes before all have been asked for
        return egg

    with Place([100] * 80, answer) as place:
        download(place, destination, concurrency=concurrency)
    assert place.most == most


def test_large_files_begin_at_once_with_small_ones(destination):
    def answer(_: int, egg: Answer) -> Answer:
        place.wait_for(40)
        return egg

    sizes = [100] * 60 + [(1 << 20) + n for n in range(10)]
    with Place(sizes, answer) as place:
        download(place, destination)
    first = [size for _, size, _ in place.asked[:40]]
    # The largest of them, each by one of four threads, as long as there are small ones.
    assert sorted(first) == [100] * 36 + sizes[-4:]


def test_large_files_are_sixteen_at_once(destination):
    def answer(_: int, egg: Answer) -> Answer:
        place.wait_for(16)
        return egg

    with Place([1 << 20] * 24, answer) as place:
        download(place, destination)
    assert place.most == 16


def test_what_is_turned_away_comes_later_and_less_at_once(destination):
    refused = []

    def answer(under_way: int, egg: Answer) -> Answer:
        if under_way > 4:
            refused.append(under_way)
            place.wait_for(48)
            return Answer(429, JSON, b"{}")
        time.sleep(0.02)
        return egg

    with Place([100] * 100, answer) as place:
        download(place, destination)
    # Those that were under way when it began are turned away, and hardly any other.
    assert 32 <= len(refused) <= 64 + 20
    assert max(under_way for _, _, under_way in place.asked[70:]) <= 32


def test_none_begins_before_the_server_wants_it(destination):
    def answer(_: int, egg: Answer) -> Answer:
        place.wait_for(8)
        with place.changed:
            is_first = not refused
            refused.append(time.monotonic())
        if is_first:
            return Answer(503, {"Retry-After": "1"})
        if len(place.asked) == 8:
            time.sleep(0.5)  # so that all know of it before they go on
        return egg

    refused: list[float] = []
    with Place([100] * 30, answer) as place:
        download(place, destination, concurrency=8)
    later = [when for when, _, _ in place.asked[8:]]
    assert len(later) == 23 and min(later) - refused[0] >= 0.99
    assert max(under_way for _, _, under_way in place.asked[8:12]) <= 4


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_ends_the_waiting_for_a_turn(destination):
    def answer(_: int, egg: Answer) -> Answer:
        place.wait_for(30)
        return Answer(429, {"Retry-After": "20"})

    def press() -> None:
        place.wait_for(30)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    def workers() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name == "hatcher-batch" and t not in before]

    before = threading.enumerate()
    with Place([100] * 99, answer) as place:
        platform = platform_at(place.url, retries=SOON)
        threading.Thread(target=press).start()
        with pytest.raises(BatchInterrupted, match="99 files: 99 not tried"):
            platform.download_eggs("cp311", destination)
    assert not workers() and not list(destination.iterdir())


def test_a_thread_that_pauses_leaves_its_turn():
    """With one turn for two: the second works while the first waits before its next try."""
    done: list[int] = []
    threads = WorkerPool(2, None)
    both = threading.Barrier(2)

    def work(number: int, _: ByteCounter) -> None:
        if number < 2:
            both.wait(10)
        if number == 0:
            threads._turns.turned_away(0.0)
            with turn_left():
                time.sleep(0.2)
        done.append(number)

    threads.each([0, 1, 2], work)
    assert done == [1, 2, 0]


@pytest.mark.parametrize(("far", "opened"), [(-1, 8), (60, 1)])
def test_connections_to_far_away_are_opened_beside_the_first_request(
    tmp_path, monkeypatch, far, opened
):
    monkeypatch.setattr(pool, "_FAR", far)
    monkeypatch.setattr(pool, "_EVERY", 1e-9)
    write = {"platform": "rh8-x86_64", "python_tag": "cp311", "payload_bytes": 100}
    paths = [write_egg(tmp_path, f"Egg{n}", "1.0", seed=n, **write) for n in range(12)]
    beside: list[int] = []

    def answer(request: Request) -> Answer:
        if "/indices/" in request.target:
            until = time.monotonic() + 10
            while server.connections < opened and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.1)  # for one too many
            beside.append(server.connections)
            return Answer(200, JSON, b"{}")
        return Answer(404 if request.method == "GET" else 201, JSON, b"{}")

    with ScriptedServer(answer) as server:
        report = platform_at(server.url).upload_eggs(paths, concurrency=8)
    assert report and beside == [opened]


def test_each_file_begins_once():
    sizes = [None, 5, 1 << 20, 1 << 21, 7, 9]
    todo = Todo(range(6), sizes.__getitem__)
    assert (len(todo), todo.places) == (6, 6)
    assert [todo.take(0), todo.take(1), todo.take(16)] == [3, 1, 4]
    assert [todo.take(3), todo.take(3), todo.take(2)] == [5, 2, 0]
    for number in (0, 1, 16):
        with pytest.raises(IndexError):
            todo.take(number)
