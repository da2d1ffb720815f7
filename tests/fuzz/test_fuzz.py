"""Odd input at every door, for as long as HATCHER_FUZZ_SECONDS says: `make fuzz SECONDS=600`."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hatcher.testing import BroodProcess

from . import requests
from .readers import TARGETS, Target

#: For all targets together.
SECONDS = float(os.environ.get("HATCHER_FUZZ_SECONDS", "20"))
SHARE = SECONDS / (len(TARGETS) + 6)

_SETTINGS = settings(
    max_examples=100,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def feed(inputs: st.SearchStrategy[Any], check: Callable[[Any], None], seconds: float) -> None:
    """Check inputs until the time is over; hypothesis shows the smallest that fails."""
    end = time.monotonic() + seconds
    failed = False

    def check_one(value: Any) -> None:
        nonlocal failed
        if failed or time.monotonic() < end:
            try:
                check(value)
            except BaseException:
                failed = True  # a smaller input may take longer than there is time
                raise

    while time.monotonic() < end:
        seed(random.randrange(2**32))(_SETTINGS(given(inputs)(check_one)))()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_readers(target: Target) -> None:
    feed(target.inputs, target.check, SHARE)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[BroodProcess, str]]:
    """A Brood with one of each, and a token of its administrator."""
    with BroodProcess() as running:
        client = running.client()
        client.create_organization("acme", "Makers").create_repository("dev", "Builds")
        yield running, client.create_api_token("fuzz")["token"]


@pytest.mark.parametrize("kind", ["requests", "junk"])
def test_server(server: tuple[BroodProcess, str], kind: str) -> None:
    running, token = server
    inputs = requests.requests(token) if kind == "requests" else requests.junk
    feed(inputs, lambda sent: requests.check(running, sent), 3 * SHARE)
    assert "Traceback" not in running.log, running.log[-5000:]
    running.client().list_platforms()
