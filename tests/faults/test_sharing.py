"""A batch is stopped, and whoever else uses the same client does not notice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hatcher.testing import BroodProcess, FaultyGateway, RequestFault
from hatcher.transfer.hashing import file_sha256

from .conftest import spam, stock, write_eggs
from .tls import reached

FILES = 12

UPLOAD, DOWNLOAD = ("POST", "*/eggs/upload"), ("GET", "*/data/*/Egg*")


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Some small ones, and a large one."""
    folder = tmp_path_factory.mktemp("eggs")
    paths = write_eggs(folder, range(FILES), 60_000)
    return {path.name: path for path in [*paths, spam(folder, 30_000_000, name="Large")]}


@pytest.fixture(scope="module")
def brood(eggs: dict[str, Path]) -> Iterator[BroodProcess]:
    with BroodProcess() as running:
        stock(running, *eggs.values())
        yield running


@pytest.mark.parametrize("wire", ["plain", pytest.param("TLS", marks=pytest.mark.long)])
@pytest.mark.parametrize("how", ["progress", "Ctrl-C"])
@pytest.mark.parametrize("kind", ["uploads", "downloads", "apply", "export"])
def test_a_long_download_goes_on(brood, eggs, tmp_path, forks, kind, how, wire):
    method, path = UPLOAD if kind in ("uploads", "apply") else DOWNLOAD
    place: Any = "request body" if method == "POST" else "answer body"
    stall = RequestFault("stall", at=place, method=method, path=path, skip=4, times=99)
    target = tmp_path.name.replace("_", "").lower()
    brood.client().organization("acme").create_repository(target, "")
    small = [str(egg) for name, egg in eggs.items() if "Large" not in name]
    with (
        FaultyGateway(brood.url, stall) as gateway,
        reached(gateway.url, wire, tmp_path) as (url, verify_ssl),
        closing(gateway),  # first: what hangs on it ends
    ):
        pid = forks.start(
            {
                "do": "stop_beside_a_download",
                "url": url,
                "verify_ssl": verify_ssl,
                "auth": [brood.admin_email, brood.admin_password],
                "destination": str(tmp_path),
                "eggs": small,
                "target": target,
                "kind": kind,
                "how": how,
            }
        )
        if how == "Ctrl-C":
            deadline = time.monotonic() + 15
            while gateway.sent(method, path) < 8:
                assert time.monotonic() < deadline, gateway.requests
                time.sleep(0.01)
            os.kill(pid, signal.SIGINT)
        outcome = forks.wait()
    assert outcome["ended"] != "done", outcome
    assert gateway.sent(method, path) > 4
    assert outcome == {
        "ended": outcome["ended"],
        "threads": [],
        "failures": [],
        "sha256": file_sha256(eggs["Large-1.0-1.egg"]),
        "eggs": 1 + FILES,
    }
