"""Odd input at every door, for as long as HATCHER_FUZZ_SECONDS says: `make fuzz SECONDS=600`."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hatcher.testing import BroodProcess

from ..transport.proxying import server_context
from ..transport.wires import authority
from . import requests, wire
from .readers import TARGETS

#: For all targets together.
SECONDS = float(os.environ.get("HATCHER_FUZZ_SECONDS", "20"))
SHARE = SECONDS / (len(TARGETS) + 12)

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
def test_readers(target):
    feed(target.inputs, target.check, SHARE)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[BroodProcess, str]]:
    """A Brood with one of each, and a token of its administrator."""
    with BroodProcess() as running:
        client = running.client()
        client.create_organization("acme", "Makers").create_repository("dev", "Builds")
        yield running, client.create_api_token("fuzz")["token"]


@pytest.mark.parametrize("kind", ["requests", "junk"])
def test_server(server, kind):
    running, token = server
    inputs = requests.requests(token) if kind == "requests" else requests.junk
    feed(inputs, lambda sent: requests.check(running, sent), 3 * SHARE)
    assert "Traceback" not in running.log, running.log[-5000:]
    running.client().list_platforms()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("is_safe", [False, True], ids=["plain", "TLS"])
def test_answers_over_the_wire(is_safe, tmp_path):
    """Whatever a server says: an error of hatcher's at most, in time, and in little memory."""
    pem = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(pem))
    speaker = wire.Speaker(server_context("localhost") if is_safe else None)
    asking = subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.wire"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    url = f"http{'s' * is_safe}://localhost:{speaker.url.rpartition(':')[2]}"
    job = {"url": url, "verify_ssl": str(pem) if is_safe else ""}

    def ask(what: str) -> dict[str, Any]:
        assert asking.stdin is not None and asking.stdout is not None
        asking.stdin.write(json.dumps({**job, "what": what}) + "\n")
        asking.stdin.flush()
        outcome: dict[str, Any] = json.loads(asking.stdout.readline())
        return outcome

    def check(given: tuple[str, tuple[list[bytes], int, str]]) -> None:
        what, told = given
        speaker.tell(told)
        outcome = ask(what)
        assert not outcome["wrong"]
        # Each of a few requests may wait for some answers, each part of which comes in time.
        assert outcome["seconds"] < 30
        assert outcome["peak"] - before < 100_000_000

    try:
        for what in wire.KINDS:  # imports
            before = ask(what)["peak"]
        feed(st.tuples(st.sampled_from(wire.KINDS), wire.conversations), check, 3 * SHARE)
    finally:
        speaker.close()
        asking.communicate()
