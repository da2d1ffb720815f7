"""Files go out while others come in, large ones too."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository
from hatcher.mirror import loads
from hatcher.mirror.loads import Load, Loads
from hatcher.mirror.records import Step, Task
from hatcher.testing import RequestFault, write_egg
from hatcher.transfer.batch import ByteCounter
from hatcher.transfer.upload import LARGE

from .conftest import PLATFORM, SOME, outcomes

UPLOAD, DOWNLOAD = "POST v1_upload_egg", "GET v1_download_egg"


class Meeting:
    """Holds one request until another one comes, too.

    Parameters
    ----------
    *meet : tuple of (str, int)
        Each is what is asked, and which of the requests for that.
    """

    def __init__(self, *meet: tuple[str, int]) -> None:
        self._meet = meet
        self._barrier = threading.Barrier(len(meet))
        self._begun: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.has_been = False

    def __call__(self, event: Any) -> None:
        # Whether an upload is allowed is asked under its name, too.
        what = f"{event.method} {event.operation}"
        with self._lock:
            self._begun[what] += 1
            mine = what, self._begun[what]
        if mine in self._meet:
            self._barrier.wait(60)
            self.has_been = True

    def place(self, server: Any, repository: Repository) -> Repository:
        """Return a repository by a client whose requests may be held."""
        auth = (server.admin_email, server.admin_password)
        client = BroodClient.from_url(server.url, auth=auth, api_version=1, on_request=self)
        return client.organization(repository.organization_name).repository(repository.name)


def eggs(folder: Path, number: int, size: int = 0) -> list[Path]:
    options: dict[str, Any] = {"platform": PLATFORM, "python_tag": "cp311", "payload_bytes": size}
    return [write_egg(folder, f"egg{n}", seed=n, **options) for n in range(number)]


@pytest.fixture
def source(lab: Any, tmp_path: Path) -> Callable[..., Repository]:
    def make(*files: Path) -> Repository:
        place: Repository = lab.new("source")
        place.platform(PLATFORM).upload_eggs(list(files)).raise_for_failures()
        return place

    return make


@pytest.mark.parametrize(
    ("number", "size", "concurrency"),
    [
        pytest.param(5, 0, 2, id="small ones, two at a time"),
        pytest.param(3, LARGE, None, id="large ones"),
    ],
)
def test_uploads_begin_before_downloads_end(number, size, concurrency, source, lab, tmp_path):
    """None of the three requests is sent before the others: both directions are in use."""
    place, target = source(*eggs(tmp_path, number, size)), lab.target()
    meeting = Meeting((UPLOAD, 1), (UPLOAD, 2), (DOWNLOAD, 3))
    plan = mirror.plan(meeting.place(lab.server, place), meeting.place(lab.other, target), **SOME)
    report = plan.apply(concurrency=concurrency)
    assert list(outcomes(report).values()) == ["uploaded"] * number
    assert meeting.has_been
    assert not mirror.plan(place, target, **SOME)


def test_one_failure_stops_no_other_load(source, lab, tmp_path):
    place, target = source(*eggs(tmp_path, 5)), lab.target()
    broken = RequestFault("flip", path="*/egg2/*", times=99)
    through = lab.behind(broken, of=place, retries=0)
    plan = mirror.plan(through, target, **SOME)
    report = plan.apply(concurrency=1)
    failed = {result.name for result in report.results if result.outcome == "failed"}
    assert len(failed) == 1 and "egg2" in failed.pop()
    assert [step.path for step in mirror.plan(place, target, **SOME).those("copy")] == [
        f"{PLATFORM}/eggs/cp311/egg2-1.0.0-1.egg"
    ]


# -- the order ---------------------------------------------------------------------------------


def load(size: int) -> Load:
    return Load([Task(Step("copy", f"p/eggs/cp311/a-{size}.egg", size), None, None, "")])


@pytest.fixture
def counter() -> ByteCounter:
    return ByteCounter("uploading", threading.Event())


def test_large_ones_first_but_few_and_small_ones_beside_them(counter):
    sizes = [1, LARGE, 2, LARGE + 2, LARGE + 1]
    order = Loads(map(load, sizes), 16, is_one_way=False)
    taken = [order.take(counter) for _ in range(4)]
    assert [one.size for one in taken] == [LARGE + 2, LARGE + 1, 1, 2]
    order.came(taken[1])
    order.came(taken[1])
    assert order.take(counter).size == LARGE


def test_one_way_nothing_waits(counter):
    order = Loads(map(load, [LARGE] * 9), 16, is_one_way=True)
    assert len([order.take(counter) for _ in range(9)]) == 9


def test_no_more_come_in_than_may(counter):
    order = Loads(map(load, [1, 2, 3]), 1, is_one_way=False)
    first = order.take(counter)
    later: list[Load] = []
    thread = threading.Thread(target=lambda: later.append(order.take(counter)))
    thread.start()
    thread.join(0.3)
    assert later == []
    order.came(first)
    thread.join(60)
    assert [one.size for one in later] == [2]


@pytest.mark.parametrize(("rates", "expected"), [([8, 16, 32], 16), ([8, 9, 9], 4)])
def test_more_large_ones_where_that_pays(rates, expected, counter, monkeypatch):
    """Rates are megabytes in a while."""
    clock = [0.0]
    monkeypatch.setattr(loads.time, "monotonic", lambda: clock[0])
    order = Loads([load(LARGE * 100) for _ in range(99)], 99, is_one_way=False)
    coming: list[Load] = []
    done = 0
    for rate in rates:
        while (one := order._next()) is not None:
            order._coming.append(one)
            coming.append(one)
        clock[0] += 1.5
        done += rate << 20
        order.told_of(coming[0], counter)(done, None, "downloading")
    assert order._limit == expected
