"""A batch is stopped, and whoever else uses the same client does not notice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

if not hasattr(os, "fork"):
    pytest.skip("client processes are forked", allow_module_level=True)

from hatcher.testing import BroodProcess, FaultyGateway, RequestFault, write_egg
from hatcher.transfer.hashing import file_sha256

from ..forking import Forks
from .tls import reached

FILES = 12

UPLOAD, DOWNLOAD = ("POST", "*/eggs/upload"), ("GET", "*/data/*/Egg*")


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Some small ones, and a large one."""
    folder = tmp_path_factory.mktemp("eggs")
    sizes = {"Large": 30_000_000, **{f"Egg{number}": 60_000 for number in range(FILES)}}
    options: dict[str, Any] = {"platform": "rh8-x86_64", "python_tag": "cp311"}
    return {
        name: write_egg(folder, name, "1.0", payload_bytes=size, **options)
        for name, size in sizes.items()
    }


@pytest.fixture(scope="module")
def brood(eggs: dict[str, Path]) -> Iterator[BroodProcess]:
    with BroodProcess() as running:
        organization = running.client().create_organization("acme", "")
        organization.create_repository("dev", "")
        platform = running.client().at("acme/dev/rh8-x86_64")
        platform.upload_eggs(eggs.values()).raise_for_failures()
        yield running


@pytest.mark.parametrize("wire", ["plain", pytest.param("TLS", marks=pytest.mark.long)])
@pytest.mark.parametrize("how", ["progress", "Ctrl-C"])
@pytest.mark.parametrize("kind", ["uploads", "downloads", "apply", "export"])
def test_a_long_download_goes_on(brood, eggs, tmp_path, monkeypatch, kind, how, wire):
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(tmp_path / "cache"))
    method, path = UPLOAD if kind in ("uploads", "apply") else DOWNLOAD
    place: Any = "request body" if method == "POST" else "answer body"
    stall = RequestFault("stall", at=place, method=method, path=path, skip=4, times=99)
    target = tmp_path.name.replace("_", "").lower()
    brood.client().organization("acme").create_repository(target, "")
    small = [str(egg) for name, egg in eggs.items() if name != "Large"]
    with ExitStack() as stack:
        gateway = stack.enter_context(FaultyGateway(brood.url, stall))
        url, verify_ssl = stack.enter_context(reached(gateway.url, wire, tmp_path))
        forks = Forks("tests.faults.sharing", tmp_path)
        stack.callback(forks.close)
        stack.callback(gateway.close)  # first: what hangs on it ends
        pid = forks.start(
            {
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
        "sha256": file_sha256(eggs["Large"]),
        "eggs": 1 + FILES,
    }
