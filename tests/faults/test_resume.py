"""Downloads over bad networks and after kills: what was there is not sent again."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from hatcher.api import RetryPolicy, SinglePlatformRepository, Timeouts
from hatcher.errors import ChecksumMismatchError
from hatcher.testing import BroodProcess, BroodServer, Fault, FaultProxy
from hatcher.testing.listener import Listener, host_and_port, shutdown
from hatcher.transfer.hashing import file_sha256

from .conftest import Egg, spam, stock

ARGUMENTS = ("cp311", "Spam", "1.0-1")
NAME = "Spam-1.0-1.egg"


def platform(brood: BroodServer | BroodProcess, url: str = "") -> SinglePlatformRepository:
    retries = RetryPolicy(3, backoff=0.001)
    client = brood.client(url=url or brood.url, timeout=Timeouts(stall=0.3), retries=retries)
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


class CountingGate(Listener):
    """Stands before a server and counts the bytes that come down."""

    def __init__(self, url: str) -> None:
        self.passed = 0
        self._server = host_and_port(url)
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        with socket.create_connection(self._server) as server:
            up = threading.Thread(target=self._pump_up, args=(connection, server), daemon=True)
            up.start()
            while data := server.recv(65536):
                self.passed += len(data)
                connection.sendall(data)
            shutdown(connection, socket.SHUT_WR)
            up.join()

    def _pump_up(self, connection: socket.socket, server: socket.socket) -> None:
        while data := connection.recv(65536):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)


def assert_only(destination: Path, egg: Egg) -> None:
    assert [path.name for path in destination.iterdir()] == [NAME]
    assert sha256((destination / NAME).read_bytes()).hexdigest() == egg.sha256


@pytest.mark.parametrize("kind", ["cut", "reset", "stall"])
def test_cut_at_random(kind, egg, destination, brood_server, dice):
    stock(brood_server, egg.path)
    rounds = 2 if kind == "stall" else 6
    for _ in range(rounds):
        points = [dice.randrange(len(egg.content)) for _ in range(3)]
        with FaultProxy(brood_server.url, [Fault(kind, after=at) for at in points]) as proxy:
            platform(brood_server, proxy.url).download_egg(*ARGUMENTS, destination, egg.sha256)
        assert_only(destination, egg)
        (destination / NAME).unlink()


def test_a_byte_flipped_at_random(egg, destination, brood_server, dice):
    stock(brood_server, egg.path)
    for _ in range(4):
        # The head of the answer has less than a thousand bytes.
        fault = Fault("flip", after=dice.randrange(1000, len(egg.content)))
        with FaultProxy(brood_server.url, [fault]) as proxy, pytest.raises(ChecksumMismatchError):
            platform(brood_server, proxy.url).download_egg(*ARGUMENTS, destination, egg.sha256)
        assert list(destination.iterdir()) == []


# -- in processes of their own ---------------------------------------------------------------------

if sys.platform != "linux":
    pytest.skip("memory is read from /proc", allow_module_level=True)


class Downloader:
    """A process that downloads."""

    def __init__(self, brood: BroodProcess, egg: Egg, destination: Path, **options: object) -> None:
        script = Path(__file__).with_name("downloader.py")
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        job = {
            "url": brood.url,
            "auth": [brood.admin_email, brood.admin_password],
            "egg": ARGUMENTS,
            "destination": str(destination),
            "sha256": egg.sha256,
            **options,
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        self._write(job)
        assert self._process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        self._write(None)

    def end(self) -> tuple[int, int]:
        """Return its status, and the bytes of memory that it has taken."""
        taken, _ = self._process.communicate()
        return self._process.returncode, int(taken or 0)

    def _write(self, job: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()


@contextmanager
def large_egg(folder: Path, size: int) -> Iterator[Egg]:
    path = spam(folder, size)
    yield Egg(path, b"", file_sha256(path))
    path.unlink()


def test_after_a_kill_the_rest_is_enough(brood_process, destination, tmp_path, dice):
    size = 24_000_000
    with large_egg(tmp_path, size) as egg:
        stock(brood_process, egg.path)
        have = 0
        for _ in range(2):
            kill_after = have + dice.randrange(9_000_000, 11_000_000)
            killed = Downloader(
                brood_process, egg, destination, filename=NAME, kill_after=kill_after
            )
            killed.begin()
            assert killed.end()[0] == -signal.SIGKILL
            (left,) = destination.iterdir()
            # What had come, but was not written yet, is lost: some buffers of 1 MB.
            assert have < left.stat().st_size
            assert kill_after - 9_000_000 <= left.stat().st_size < size
            have = left.stat().st_size

        with CountingGate(brood_process.url) as gate:
            platform(brood_process, gate.url).download_egg(
                *ARGUMENTS, destination, egg.sha256, NAME
            )
            assert size - have <= gate.passed < size - have + 10_000
        assert_only(destination, egg)


def test_two_processes_at_once(brood_process, destination, tmp_path):
    with large_egg(tmp_path, 200_000_000) as egg:
        stock(brood_process, egg.path)
        processes = [Downloader(brood_process, egg, destination) for _ in range(2)]
        for process in processes:
            process.begin()
        for process in processes:
            status, taken = process.end()
            assert status == 0
            assert taken < 30_000_000
        assert_only(destination, egg)
