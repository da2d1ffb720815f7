"""What an operation may wait for or loop over ends with it, and with no other operation."""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hatcher import cancel
from hatcher.api import BroodClient, BroodClientAuth, SinglePlatformRepository
from hatcher.cancel import Cancelled, CancelToken
from hatcher.errors import ChecksumMismatchError, TransferInterruptedError
from hatcher.files.blocks import BLOCK_SIZE, blocks_of
from hatcher.files.locks import locked
from hatcher.testing import BroodServer, FaultyGateway, RequestFault, write_egg
from hatcher.transfer.batch import ByteCounter, WorkerPool
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.multipart import UploadBody

from ..cancelling import FOREVER, PATIENCE, Running, at_work, wait_until
from ..faults.held import descriptors
from .common import platform_at

UPLOAD = ("POST", "*/eggs/upload")
METADATA = ("GET", "*/metadata/*/eggs/*")
INDEX = ("GET", "*/indices/*")
MB = 1 << 20


@pytest.fixture
def gateway(faulty_gateway: Callable[..., FaultyGateway]) -> FaultyGateway:
    return faulty_gateway()


@pytest.fixture
def platform(
    repository: object, brood_server: BroodServer, gateway: FaultyGateway
) -> SinglePlatformRepository:
    """A platform behind the gateway, whose answers nobody ceases to wait for."""
    auth = (brood_server.admin_email, brood_server.admin_password)
    return platform_at(gateway.url, auth, timeout=FOREVER)


@pytest.fixture
def eggs(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "eggs"
    folder.mkdir()
    options: dict[str, Any] = {"platform": "rh8-x86_64", "python_tag": "cp311"}
    return [write_egg(folder, f"egg{n}", payload_bytes=3 * MB, **options) for n in range(4)]


# -- locks, queues and threads -----------------------------------------------------------------


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock])
def test_a_lock_that_another_thread_holds(make):
    lock = make()
    with cancel.holding(lock):
        waiting = Running(cancel.holding(lock).__enter__).start()
        time.sleep(0.1)
        waiting.cancel()
    assert lock.acquire(timeout=0)


def test_a_file_that_another_process_has_locked(tmp_path):
    path = tmp_path / "lock"

    def wait() -> None:
        with locked(path):
            pass

    with locked(path):
        waiting = Running(wait).start()
        time.sleep(0.1)
        waiting.cancel()
        assert path.exists()
    assert not Running(wait).start().is_cancelled()
    assert not path.exists()


def test_what_has_to_be_done_is_done_all_the_same(tmp_path):
    def work() -> None:
        running.token.cancel()
        with cancel.shielded():
            done.append(file_sha256(__file__))
        file_sha256(__file__)

    done: list[str] = []
    running = Running(work)
    assert running.start().is_cancelled()
    assert len(done) == 1


@pytest.mark.parametrize("concurrency", [1, 3])
def test_threads_that_see_nothing_of_it(concurrency):
    """As those that look up a name or connect: they are left alone after a moment."""
    over, begun = threading.Event(), threading.Event()

    def work(_: int, __: ByteCounter) -> None:
        begun.set()
        over.wait(PATIENCE)

    def operate() -> None:
        WorkerPool(concurrency, None).each(range(9), work)

    token, ended = CancelToken(), threading.Event()

    def run() -> None:
        with pytest.raises(TransferInterruptedError), token.active():
            operate()
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert begun.wait(PATIENCE)
    token.cancel()
    assert ended.wait(PATIENCE) and not over.is_set()
    over.set()
    wait_until(lambda: not at_work())


def test_what_a_thread_is_to_give():
    over = threading.Event()

    def produce(put: Callable[[int], None]) -> None:
        put(1)
        over.wait(PATIENCE)

    def operate() -> None:
        came.extend(WorkerPool(2, None).stream(produce))

    came: list[int] = []
    running = Running(operate).start()
    time.sleep(0.1)
    running.token.cancel()
    time.sleep(0.1)
    over.set()
    assert running.is_cancelled()


def test_a_stopped_batch_is_no_report_of_failures(platform, gateway, eggs):
    """Whatever the errors are that come of it."""
    token = CancelToken()

    def progress(done: int, *_: object) -> None:
        token.cancel()

    with pytest.raises(TransferInterruptedError), token.active():
        platform.upload_eggs(eggs, progress=progress)


# -- local files -------------------------------------------------------------------------------


def test_reading_ends_at_the_next_block(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(5 * BLOCK_SIZE))
    token, told = CancelToken(), []

    def progress(done: int, *_: object) -> None:
        told.append(done)
        token.cancel()

    with pytest.raises(TransferInterruptedError), token.active():
        file_sha256(path, progress=progress)
    assert told == [BLOCK_SIZE]
    with open(path, "rb") as file, pytest.raises(Cancelled), token.joined():
        list(blocks_of(file.fileno()))
    # As when the answer to an upload was lost.
    with pytest.raises(Cancelled), token.joined():
        UploadBody(path).sha256()


def test_an_upload_ends_at_the_next_block(platform, gateway, tmp_path):
    large = write_egg(tmp_path, "large", platform="rh8-x86_64", payload_bytes=9 * MB)
    token = CancelToken()

    def progress(done: int, *_: object) -> None:
        if done > 2 * MB:
            token.cancel()
            assert done < 4 * MB

    with pytest.raises(TransferInterruptedError), token.active():
        platform.upload_egg(large, progress=progress)
    wait_until(lambda: not at_work())
    assert platform.list_eggs(None) == []


# -- other operations of the same session ----------------------------------------------------------


@pytest.mark.parametrize("makes_tokens", [False, True])
def test_who_waits_for_the_first_login_of_another(makes_tokens, repository, brood_server, gateway):
    pair = (brood_server.admin_email, brood_server.admin_password)
    auth = BroodClientAuth(gateway.url, pair) if makes_tokens else pair
    first, *others = (
        Running(client.list_platforms)
        for client in [BroodClient.from_url(gateway.url, auth, api_version=1, timeout=FOREVER)] * 3
    )
    gateway.add(RequestFault("stall", at="request"))
    first.start()
    wait_until(lambda: gateway.requests)
    for other in others:
        other.start()
    time.sleep(0.1)
    others[0].cancel()
    assert first.goes_on and others[1].goes_on
    first.cancel()
    assert not others[1].is_cancelled()


def test_one_that_is_cancelled_admits_nobody(repository, brood_server, gateway):
    """Or all others would try credentials that nobody has accepted, which locks accounts."""
    wrong = (brood_server.admin_email, "wrong")
    client = BroodClient.from_url(gateway.url, wrong, api_version=1, timeout=FOREVER)
    gateway.add(RequestFault("stall", at="request"))
    first = Running(client.list_platforms).start()
    wait_until(lambda: gateway.requests)
    first.cancel()
    assert not client._session._is_admitted


def test_others_do_not_notice(platform, eggs, tmp_path):
    """Whenever one is cancelled, others over the same connections, locks and caches go on."""
    platform.upload_eggs(eggs).raise_for_failures()
    dice, over, rounds = random.Random(3), threading.Event(), []

    def work(folder: Path) -> None:
        folder.mkdir()
        platform.download_eggs("cp311", folder).raise_for_failures()
        platform.upload_eggs(eggs).raise_for_failures()
        assert len(list(platform.search("egg*"))) == len(eggs)

    def go_on() -> None:
        while not over.is_set():
            rounds.append(0)
            work(tmp_path / f"whole{len(rounds)}")

    other = Running(go_on).start()
    for number in range(15):
        one = Running(partial(work, tmp_path / f"cancelled{number}")).start()
        time.sleep(dice.random() / 10)
        one.token.cancel()
        assert other.goes_on
    over.set()
    assert not other.is_cancelled()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="nobody says what is open")
def test_nothing_is_left_open(repository, brood_server, eggs, tmp_path):
    def still_open() -> list[str]:
        gc.collect()
        kinds = ("socket:", str(tmp_path))
        return [each for each in descriptors(os.getpid()) if each.startswith(kinds)]

    def work(folder: Path) -> None:
        folder.mkdir()
        platform.download_eggs("cp311", folder)

    dice, before = random.Random(4), len(still_open())
    with brood_server.client() as client:
        platform = client.platform("acme/dev/rh8-x86_64")
        platform.upload_eggs(eggs).raise_for_failures()
        for number in range(24):
            one = Running(partial(work, tmp_path / f"folder{number}")).start()
            time.sleep(dice.random() / 20)
            one.token.cancel()
            one.is_cancelled()
    wait_until(lambda: len(still_open()) <= before)  # the server closes its ends a moment later


# -- uploads that may have happened ----------------------------------------------------------------


def interrupted(how: str, upload: Callable[[], object], gateway: FaultyGateway, at: Any) -> None:
    """Begin an upload, and interrupt it when the server has stored it, or none of it."""
    before = gateway.sent(*UPLOAD)
    gateway.add(RequestFault("stall", at=at, method="POST", path=UPLOAD[1]))
    if how == "token":
        running = Running(upload).start()
        wait_until(lambda: gateway.sent(*UPLOAD) > before)
        time.sleep(0.3)
        running.cancel()
    else:

        def interrupt() -> None:
            wait_until(lambda: gateway.sent(*UPLOAD) > before)
            time.sleep(0.3)
            main = threading.main_thread().ident or 0
            signal.pthread_kill(main, signal.SIGINT)  # which ends what it waits for

        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            upload()
    gateway.clear()


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("how", ["token", "Ctrl-C"])
@pytest.mark.parametrize("size", [1000, 3 * MB])
class TestTheNextUpload:
    def test_looks_first(self, how, size, platform, gateway, tmp_path):
        egg = write_egg(tmp_path, "one", platform="rh8-x86_64", payload_bytes=size)
        interrupted(how, partial(platform.upload_egg, egg), gateway, "answer")
        wait_until(lambda: platform.list_eggs("cp38"))
        sent, asked = gateway.sent(*UPLOAD), gateway.sent(*METADATA)
        platform.upload_egg(egg)
        assert (gateway.sent(*UPLOAD), gateway.sent(*METADATA)) == (sent, asked + 1)
        # From then on it is as any other.
        platform.upload_egg(egg)
        assert (gateway.sent(*UPLOAD), gateway.sent(*METADATA)) == (sent + 1, asked + 1)

    def test_sends_what_is_not_there(self, how, size, platform, gateway, tmp_path):
        egg = write_egg(tmp_path, "one", platform="rh8-x86_64", payload_bytes=size)
        interrupted(how, partial(platform.upload_egg, egg), gateway, "request")
        assert platform.list_eggs("cp38") == []
        platform.upload_egg(egg)
        assert len(platform.list_eggs("cp38")) == 1

    def test_replaces_nothing_else(self, how, size, platform, gateway, tmp_path):
        egg = write_egg(tmp_path, "one", platform="rh8-x86_64", payload_bytes=size)
        interrupted(how, partial(platform.upload_egg, egg), gateway, "answer")
        wait_until(lambda: platform.list_eggs("cp38"))
        write_egg(tmp_path, "one", platform="rh8-x86_64", payload_bytes=size + 1)
        with pytest.raises(ChecksumMismatchError):
            platform.upload_egg(egg)
        platform.upload_egg(egg, overwrite=True)
        assert platform.egg_metadata("cp38", "one", "1.0.0-1")["sha256"] == file_sha256(egg)


def test_the_next_batch_looks_first(platform, gateway, eggs):
    interrupted("token", partial(platform.upload_eggs, eggs, concurrency=2), gateway, "answer")
    report = platform.upload_eggs(eggs)
    report.raise_for_failures()
    assert report.already_there
    assert len(platform.list_eggs("cp311")) == len(eggs)
