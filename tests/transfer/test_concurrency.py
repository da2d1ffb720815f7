"""How many threads a batch is worth."""

from __future__ import annotations

import threading
import time

import pytest

from hatcher.transfer.batch import ByteCounter, WorkerPool
from hatcher.transfer.concurrency import enough


@pytest.mark.parametrize(
    ("threads", "files", "took", "used", "wanted"),
    [
        (1, 9, 0.005, 0.005, 1),  # Python is busy
        (2, 9, 0.005, 0.006, 2),  # and more so, with what goes on beside it
        (1, 6, 0.005, 0.0025, 2),  # half of the time goes by with waiting
        (3, 9, 0.005, 0.001, 15),
    ],
)
def test_small_files_get_as_many_threads_as_keep_python_busy(threads, files, took, used, wanted):
    assert enough(threads, files, took, used) == wanted


@pytest.mark.parametrize(
    ("threads", "files", "took", "used"),
    [(1, 0, 0.005, 0.0), (1, 0, 0.02, 0.02), (16, 8, 0.02, 0.00001)],
)
def test_as_long_as_nothing_comes_there_are_more_and_more_threads(threads, files, took, used):
    assert enough(threads, files, took, used) > 1000


@pytest.mark.parametrize(
    ("threads", "files", "took", "used", "wanted"),
    [
        (2, 1, 0.02, 0.04, 16),  # hashing goes on beside Python, which looks busy
        (4, 1, 0.005, 0.005, 16),
        (20, 16, 0.02, 0.02, 20),  # a link of 20 ms that Python fills
        (20, 5, 0.02, 0.006, 67),  # one of 80 ms
    ],
)
def test_what_takes_long_gets_some_threads_and_more_if_python_waits(
    threads, files, took, used, wanted
):
    assert enough(threads, files, took, used) == wanted


def test_a_batch_that_waits_has_all_threads():
    threads: set[int] = set()

    def job(_: int, counter: ByteCounter) -> None:
        threads.add(threading.get_ident())
        time.sleep(0.02)

    WorkerPool(16, None).each(range(60), job)
    assert len(threads) == 16
