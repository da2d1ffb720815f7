"""The recipes of the page on async programs, as they are printed: a web service, a backup on trio."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import uvicorn
from trio.testing import MockClock

from hatcher.testing import FaultyGateway, RequestFault, write_egg

from ..examples import SERVER, Example, Reader, examples_of, reading

PAGE = Path(__file__).parents[2] / "docs" / "async.md"
LARGE = 20_000_000
#: Brood falls silent in the middle of an egg.
SILENCE = RequestFault("stall", at="answer body", method="GET", path="*/data/*/spam/1.0.0-1")


def recipe(section: str) -> list[Example]:
    return [each for each in examples_of(PAGE) if each.section == section]


def until(is_so: Callable[[], Any]) -> None:
    """Wait for something that takes a moment."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "It has not come about within a minute."
        time.sleep(0.01)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Run a web service on a real socket; yield its URL."""
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive())
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Somebody who reads the page, beside a server that has what it speaks of."""
    with reading(tmp_path, furnished=True) as made:
        yield made


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@contextmanager
def service(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, *faults: RequestFault
) -> Iterator[tuple[httpx.Client, FaultyGateway]]:
    """Run the service of the page; yield a user's client, and the gateway to its Brood."""
    with reader.client() as client:
        monkeypatch.setenv("BROOD_TOKEN", client.create_api_token("service")["token"])
    with FaultyGateway(reader.addresses[SERVER], *faults) as gateway:
        reader.addresses[SERVER] = gateway.url
        reader.run(recipe("A web service"))
        with served(reader.namespace["app"]) as url, httpx.Client(base_url=url, timeout=60) as user:
            yield user, gateway


def put(user: httpx.Client, egg: Path) -> httpx.Response:
    """Upload an egg through the service, in pieces."""
    with egg.open("rb") as file:
        return user.put(f"/eggs/{egg.name}", content=iter(lambda: file.read(1 << 16), b""))


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_the_service_publishes_eggs_and_hands_them_out(reader, scratch, monkeypatch):
    made = {
        name: write_egg(reader.folder, name, payload_bytes=LARGE, seed=seed)
        for seed, name in enumerate(("spam", "ham", "bacon"))
    }
    with service(reader, monkeypatch) as (user, _), ThreadPoolExecutor() as several:
        answers = list(several.map(lambda egg: put(user, egg), made.values()))
        assert [answer.status_code for answer in answers] == [201] * 3, answers[0].text
        fetched = several.map(lambda name: user.get(f"/eggs/none/{name}/1.0.0-1"), made)
        for egg, answer in zip(made.values(), fetched, strict=True):
            assert answer.status_code == 200
            assert int(answer.headers["Content-Length"]) == egg.stat().st_size
            assert answer.content == egg.read_bytes()
        until(lambda: not list(scratch.iterdir()))


def test_the_service_says_what_is_wrong(reader, scratch, monkeypatch):
    egg = write_egg(reader.folder, "spam", payload_bytes=1000)
    other = write_egg(reader.folder / "downloads", "spam", payload_bytes=1000, seed=2)
    no_egg = reader.folder / "ham-1.0.0-1.egg"
    no_egg.write_bytes(b"no egg")
    with service(reader, monkeypatch) as (user, gateway):
        assert put(user, egg).status_code == 201
        assert put(user, egg).status_code == 201  # the same content
        answers = {
            409: put(user, other),
            422: put(user, no_egg),
            404: user.get("/eggs/none/spam/2.0.0-1"),
        }
        for status, answer in answers.items():
            assert (answer.status_code, set(answer.json())) == (status, {"error", "advice"})
            assert gateway.url not in answer.text and str(scratch) not in answer.text
        for name in ("spam.txt", "%2e%2e", "%2e%2e%2fspam-1.0.0-1.egg", ".egg"):
            assert user.put(f"/eggs/{name}", content=b"").status_code in (404, 422)
        reader.namespace["LARGEST"] = 1000
        assert put(user, egg).status_code == 413
        gateway.refuse()
        assert user.get("/eggs/none/spam/1.0.0-1").status_code == 502
        until(lambda: not list(scratch.iterdir()))


def test_a_user_who_goes_away_cancels_the_download(reader, scratch, monkeypatch, caplog):
    egg = write_egg(reader.folder, "spam", payload_bytes=LARGE)
    with service(reader, monkeypatch, SILENCE) as (user, gateway):
        assert put(user, egg).status_code == 201
        with user.stream("GET", "/eggs/none/spam/1.0.0-1") as answer:
            assert answer.status_code == 200
            assert list(scratch.iterdir())
        gateway.settle(30)  # sooner than the silence would be an error
        until(lambda: not list(scratch.iterdir()))
        assert user.get("/eggs/none/spam/1.0.0-1").content == egg.read_bytes()
    assert errors_in(caplog) == []


def test_a_user_who_goes_away_sends_nothing_on(reader, scratch, monkeypatch, caplog):
    egg = write_egg(reader.folder, "spam", payload_bytes=LARGE)

    def half() -> Iterator[bytes]:
        yield egg.read_bytes()[: LARGE // 2]
        until(lambda: list(scratch.glob("*/*.egg")))
        raise EOFError

    with service(reader, monkeypatch) as (user, gateway):
        with pytest.raises(EOFError):
            user.put(f"/eggs/{egg.name}", content=half())
        until(lambda: not list(scratch.iterdir()))
        assert gateway.sent("POST", "*/eggs/upload") == 0
        assert put(user, egg).status_code == 201
    assert errors_in(caplog) == []


def test_an_egg_that_is_damaged_is_not_handed_out(reader, scratch, monkeypatch):
    egg = write_egg(reader.folder, "spam", payload_bytes=LARGE)
    damaged = RequestFault("flip", method="GET", path="*/data/*/spam/1.0.0-1", times=9)
    with service(reader, monkeypatch, damaged) as (user, _):
        assert put(user, egg).status_code == 201
        with pytest.raises(httpx.RemoteProtocolError):
            user.get("/eggs/none/spam/1.0.0-1")
        until(lambda: not list(scratch.iterdir()))


def test_the_backup_on_trio_goes_on_the_next_night(reader):
    backup = reader.folder / "backup"
    egg = write_egg(reader.folder, "spam", payload_bytes=LARGE)
    with FaultyGateway(reader.addresses[SERVER], SILENCE) as gateway:
        reader.addresses[SERVER] = gateway.url
        reader.run(recipe("On trio"))
        assert reader.namespace["in_time"]
        with reader.client() as client:
            client.platform("acme/dev/rh8-x86_64").upload_egg(egg)
        nightly, clock = reader.namespace["nightly"], MockClock(rate=1)

        async def at_the_egg_comes_the_morning() -> None:
            while not gateway.reached(SILENCE.method, SILENCE.path):
                await trio.sleep(0.01)
            clock.jump(5 * 3600)

        async def first_night() -> bool:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(at_the_egg_comes_the_morning)
                in_time: bool = await nightly(5)
                return in_time

        assert trio.run(first_night, clock=clock) is False
        assert not list(backup.rglob("*.egg"))
        gateway.settle(30)  # sooner than the silence would be an error
        assert trio.run(nightly, 5)
    (kept,) = backup.rglob("*.egg")
    assert kept.read_bytes() == egg.read_bytes()
    assert not list(backup.rglob("*hatcher-partial*"))
