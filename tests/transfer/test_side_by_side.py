"""The file and its metadata are asked for at the same time, where nothing is known of the file."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BroodClientAuth, RetryPolicy
from hatcher.cancel import CancelToken
from hatcher.errors import (
    AuthenticationError,
    ChecksumMismatchError,
    HatcherException,
    InvalidJSONError,
    MissingFilenameError,
    NotFoundError,
    TransferInterruptedError,
)
from hatcher.files.partial import Partial
from hatcher.testing import Answer, ScriptedServer
from hatcher.testing.faults import Request
from hatcher.transport import http_channel

from .common import AT_ONCE, JSON, platform_at

NAME = "Spam-1.0-1.egg"
CONTENT = random.Random(0).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()

#: How long one of two requests waits for the other one, before the test fails.
PATIENCE = 10.0


class Site:
    """A server of one egg, which tells in what order it was asked, and may wait for the other."""

    def __init__(self, **said: Any) -> None:
        self.metadata = Answer(200, JSON, json.dumps({"sha256": SHA256, **said}).encode())
        self.file: Answer | Callable[[Request], Answer] = Answer(
            200,
            {
                "Content-Disposition": f'attachment; filename="{NAME}"',
                "ETag": f'"{SHA256}"',
                "Accept-Ranges": "bytes",
            },
            CONTENT,
        )
        self.asked: list[str] = []
        self.ranges: list[str | None] = []
        self.waits = False
        self.began = threading.Event()
        self.is_at_once: list[bool] = []

    def __call__(self, request: Request) -> Answer:
        if "/data/" in request.target:
            self.asked.append("file")
            self.ranges.append(request.headers.get("range"))
            self.began.set()
            return self.file(request) if callable(self.file) else self.file
        if "/metadata/" not in request.target or "platforms" in request.target:
            return Answer(200, JSON, b'{"platforms": [], "token": "t"}')
        self.asked.append("metadata")
        if self.waits:
            self.is_at_once.append(self.began.wait(PATIENCE))
        return self.metadata


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server(site: Site) -> Iterator[ScriptedServer]:
    with ScriptedServer(site) as server:
        yield server


def download(server: ScriptedServer, destination: Path, auth: Any = None, **options: Any) -> None:
    node = platform_at(server.url, auth)
    if auth is not None:
        node._session.send(node._request("list_platforms"))
    node.download_egg("cp311", "Spam", "1.0-1", destination, **options)


def assert_same_either_way(
    error: type[Exception],
    server: ScriptedServer,
    destination: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A download fails in the same words with both at the same time and one after the other."""
    said = []
    for begins in (True, False):
        if not begins:
            monkeypatch.setattr(http_channel.HTTPChannel, "begin", lambda *_: None)
        with pytest.raises(error) as caught:
            download(server, destination)
        said.append((type(caught.value), str(caught.value)))
        assert list(destination.iterdir()) == []
    assert said[0] == said[1]


def nothing_is_open() -> bool:
    """Whether no thread is sending something that nobody waits for."""
    names = [thread.name for thread in threading.enumerate()]
    return "hatcher-begin" not in names


AUTHS = {
    "nobody": lambda url: None,
    "password": lambda url: ("ada", "secret"),
    "session": lambda url: BroodClientAuth(url, "secret-token"),
}


@pytest.mark.parametrize("who", AUTHS)
@pytest.mark.parametrize("filename", [None, "mine.egg"])
def test_both_are_under_way_at_the_same_time(who, filename, site, server, destination):
    site.waits = True
    download(server, destination, AUTHS[who](server.url), filename=filename)
    assert site.is_at_once == [True]
    assert sorted(site.asked) == ["file", "metadata"]
    assert server.connections == 2
    assert (destination / (filename or NAME)).read_bytes() == CONTENT
    assert nothing_is_open()


def test_the_next_one_goes_over_the_same_connections(site, server, tmp_path):
    node, site.waits = platform_at(server.url), True
    for number in range(3):
        site.began.clear()
        folder = tmp_path / str(number)
        folder.mkdir()
        node.download_egg("cp311", "Spam", "1.0-1", folder)
    assert server.connections == 2
    assert len(server.requests) == 6


def test_step_by_step(site, server, destination):
    site.waits = True
    node = platform_at(server.url)
    length, steps = node.iter_download_egg("cp311", "Spam", "1.0-1", destination)
    assert sum(steps) == length == len(CONTENT)
    assert site.is_at_once == [True]


def test_a_runtime(site, server, destination):
    site.waits = True
    name = "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
    assert isinstance(site.file, Answer)
    site.file.headers["Content-Disposition"] = f'attachment; filename="{name}"'  # type: ignore[index]
    platform_at(server.url).download_runtime("cpython", "3.8.17+1", destination)
    assert (destination / name).read_bytes() == CONTENT
    assert site.is_at_once == [True]


class TestOneAfterTheOther:
    """What is known already is not asked for, and what may be there is not sent in vain."""

    def test_credentials_that_were_never_used(self, site, server, destination):
        node = platform_at(server.url, ("ada", "secret"))
        node.download_egg("cp311", "Spam", "1.0-1", destination)
        assert site.asked == ["metadata", "file"]
        assert server.connections == 1

    def test_refused_ones_are_one_failed_login(self, site, server, destination):
        site.metadata = site.file = Answer(401, JSON, b"{}")
        node = platform_at(server.url, ("ada", "wrong"))
        with pytest.raises(AuthenticationError):
            node.download_egg("cp311", "Spam", "1.0-1", destination)
        assert site.asked == ["metadata"]

    @pytest.mark.parametrize("content", [CONTENT, b"older"])
    @pytest.mark.parametrize("filename", [None, "mine.egg"])
    def test_a_file_that_is_there(self, content, filename, site, server, destination):
        (destination / (filename or NAME)).write_bytes(content)
        download(server, destination, filename=filename)
        assert site.asked[0] == "metadata"
        assert (destination / (filename or NAME)).read_bytes() == CONTENT

    def test_what_a_killed_process_has_left(self, site, server, destination):
        partial = Partial.claim(destination / NAME)
        partial.write(CONTENT[:2_000_000])
        partial.remember(SHA256, f'"{SHA256}"')
        partial.release()
        download(server, destination)
        assert site.asked[0] == "metadata"
        assert site.ranges[0] == "bytes=2000000-"
        assert (destination / NAME).read_bytes() == CONTENT

    def test_a_sha256_that_is_known(self, site, server, destination):
        download(server, destination, expected_sha256=SHA256)
        assert site.asked == ["file"]


class TestFailures:
    """They are what they were when one was asked after the other, and leave nothing."""

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (Answer(404, JSON, b'{"error": "no such egg"}'), NotFoundError),
            (Answer(500, JSON, b"{}"), HatcherException),
            (Answer(200, JSON, b"{}"), InvalidJSONError),
            (Answer(200, JSON, b"{"), InvalidJSONError),
            (Answer(200, JSON, json.dumps({"sha256": "ab" * 32}).encode()), ChecksumMismatchError),
        ],
        ids=["none", "error", "no sha256", "no JSON", "another sha256"],
    )
    def test_of_the_metadata(self, answer, error, site, server, destination, monkeypatch):
        site.metadata = answer
        assert_same_either_way(error, server, destination, monkeypatch)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (Answer(404, JSON, b'{"error": "no such egg"}'), NotFoundError),
            (Answer(200, {}, CONTENT), MissingFilenameError),
            (Answer(raw=b"no HTTP"), HatcherException),
        ],
        ids=["none", "no name", "no HTTP"],
    )
    def test_of_the_file(self, answer, error, site, server, destination, monkeypatch):
        site.file = answer
        assert_same_either_way(error, server, destination, monkeypatch)

    @pytest.mark.parametrize("end", ["close", "reset"])
    def test_a_connection_that_ends_is_made_good(self, end, site, server, destination):
        good = site.file

        def once(_: Request) -> Answer:
            site.file = good
            return Answer(raw=b"", end=end)

        site.file, site.waits = once, True
        node = platform_at(server.url, retries=RetryPolicy(0))
        node.download_egg("cp311", "Spam", "1.0-1", destination)
        assert (destination / NAME).read_bytes() == CONTENT
        assert site.asked.count("file") == 2

    def test_a_session_that_ends_meanwhile(self, site, server, destination):
        auth = BroodClientAuth(server.url, "secret-token")
        node = platform_at(server.url, auth)
        node._session.send(node._request("list_platforms"))
        auth._use("another", 240.0)  # as if another thread had renewed it
        good, refusals = site.metadata, [Answer(401, JSON, b"{}")]

        def meta(request: Request) -> Answer:
            return refusals.pop() if refusals and "/eggs/" in request.target else good

        whole = site.__call__

        def answer(request: Request) -> Answer:
            site.metadata = meta(request) if "/metadata/" in request.target else site.metadata
            return whole(request)

        server._answers[0] = answer
        node.download_egg("cp311", "Spam", "1.0-1", destination)
        assert (destination / NAME).read_bytes() == CONTENT
        tokens = [request.headers["authorization"] for request in server.requests[-2:]]
        assert tokens == ["Bearer t"] * 2  # what was begun with the old token is not used

    def test_a_cancelled_one(self, site, server, destination):
        token = CancelToken()

        def cancel(request: Request) -> Answer:
            token.cancel()
            return Answer(200, JSON, b"{}")

        server._answers[0] = cancel
        with pytest.raises(TransferInterruptedError), token.active():
            download(server, destination)
        assert list(destination.iterdir()) == []

    def test_more_threads_than_connections(self, site, server, tmp_path):
        node = platform_at(server.url, retries=AT_ONCE)
        failed: list[BaseException] = []

        def work(number: int) -> None:
            folder = tmp_path / str(number)
            folder.mkdir()
            try:
                node.download_egg("cp311", "Spam", "1.0-1", folder)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=[number]) for number in range(80)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        channel = node._session._channel
        assert isinstance(channel, http_channel.HTTPChannel)
        assert len(channel._begun) == http_channel._BEGUN
