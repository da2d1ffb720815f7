"""Work that nobody waits for longer than for a while."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(variable: str, usual: float, work: Callable[[], T]) -> T:
    """Return what some work returns, or raise what it raises, within so many seconds.

    Parameters
    ----------
    variable : str
        The environment variable that may say another number of seconds.
    usual : float
    work : callable
        Done in a thread, which is left alone after that time and ends with the process.

    Raises
    ------
    TimeoutError
        It takes longer.
    """
    results: list[T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=run, name="hatcher-waiting", daemon=True)
    thread.start()
    thread.join(_seconds(variable, usual))
    for fault in faults:
        raise fault
    for result in results:
        return result
    raise TimeoutError


def _seconds(variable: str, usual: float) -> float:
    try:
        seconds = float(os.environ[variable])
    except (KeyError, ValueError):
        return usual
    return usual if math.isnan(seconds) else max(0.0, min(seconds, threading.TIMEOUT_MAX))
