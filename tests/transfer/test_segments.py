"""One large file over several connections: what is asked for, what arrives, and what else is done."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hatcher.cancel import CancelToken
from hatcher.errors import (
    BroodConnectionError,
    InvalidArgumentError,
    TransferInterruptedError,
)
from hatcher.files.partial import Partial

from .common import hashing_threads, platform_at

NAME = "Spam-1.0-1.egg"
ETAG = '"v1"'
CONTENT = random.Random(0).randbytes(24_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MIB = 1024 * 1024
INDEX = {
    NAME: {
        "name": "spam",
        "version": "1.0-1",
        "python_tag": "cp311",
        "size": len(CONTENT),
        "sha256": SHA256,
    }
}


class Server(ThreadingHTTPServer):
    """Gives one file; the first answer stops after a MiB, until enough ranges were asked for.

    Parameters
    ----------
    wait_for : int
        How many ranges are enough; 0 never stops.
    spoil : callable, optional
        Given the number of a request for a range, from 1, its status and headers, and the bytes;
        returns others.
    """

    daemon_threads = True

    def __init__(
        self,
        wait_for: int = 0,
        spoil: Callable[[int, int, dict[str, str], bytes], Any] | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spoil = spoil
        self.ranges: list[tuple[int, int]] = []
        self.conditions: set[str | None] = set()
        self.whole = self.connections = self.sent = 0
        self.wait_for = wait_for
        self.lock = threading.Lock()
        self.enough = threading.Event()
        if wait_for == 0:
            self.enough.set()

    def handle_error(self, *_: object) -> None:
        """Keep quiet: who has enough ends the connection."""

    def note(self, first: int, end: int, condition: str | None) -> int:
        """Note a request for a range; return its number."""
        with self.lock:
            self.ranges.append((first, end))
            self.conditions.add(condition)
            if len(self.ranges) >= self.wait_for:
                self.enough.set()
            return len(self.ranges)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Give the file, or a range of it."""
        if "/indices/" in self.path:
            self.give(200, {"Content-Type": "application/json"}, json.dumps(INDEX).encode())
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        headers = {
            "Content-Disposition": f'attachment; filename="{NAME}"',
            "Accept-Ranges": "bytes",
            "ETag": ETAG,
        }
        if wanted is None:
            self.server.whole += 1
            self.give(200, headers, CONTENT, MIB)
            return
        first, end = int(wanted[1]), int(wanted[2] or len(CONTENT) - 1) + 1
        number = self.server.note(first, end, self.headers.get("If-Range"))
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(CONTENT)}"
        answer = 206, headers, CONTENT[first:end]
        self.give(*(self.server.spoil(number, *answer) if self.server.spoil else answer))

    def give(
        self, status: int, headers: dict[str, str], body: bytes, stop: int | None = None
    ) -> None:
        """Send an answer; wait where it is to stop."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            if stop is not None:
                self.wfile.write(body[:stop])
                self.server.enough.wait(20)
            for at in range(stop or 0, len(body), MIB):
                self.wfile.write(body[at : at + MIB])
                with self.server.lock:
                    self.server.sent += len(body[at : at + MIB])
        except OSError:
            self.close_connection = True
        if len(body) < int(headers.get("Content-Length", 0)):
            self.close_connection = True


@contextmanager
def serving(*args: Any) -> Iterator[Server]:
    server = Server(*args)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.enough.set()
        server.shutdown()
        thread.join()
        server.server_close()


def node(server: Server, **options: Any) -> Any:
    return platform_at(f"http://127.0.0.1:{server.server_port}", **options)


def download(server: Server, destination: Path, connections: int | None = 4, **more: Any) -> None:
    platform = node(server)
    platform.download_egg(
        "cp311", "Spam", "1.0-1", destination, SHA256, connections=connections, **more
    )


def assert_downloaded(destination: Path) -> None:
    assert [path.name for path in destination.iterdir()] == [NAME]
    assert (destination / NAME).read_bytes() == CONTENT
    assert hashing_threads() == []


@pytest.mark.parametrize("connections", [True, False, 0, -1, 17, "4", 2.0, [4]])
def test_a_number_of_connections_that_is_none_is_refused_before_anything_is_sent(
    connections: Any, destination: Path
) -> None:
    with serving() as server:
        platform = node(server)
        egg = platform.egg("cp311", "Spam", "1.0-1")
        runtime = platform.runtime("cpython", "3.11.0+1")
        for call in (
            lambda: platform.download_egg(
                "cp311", "Spam", "1.0-1", destination, connections=connections
            ),
            lambda: platform.iter_download_egg(
                "cp311", "Spam", "1.0-1", destination, connections=connections
            ),
            lambda: platform.download_runtime(
                "cpython", "3.11.0+1", destination, connections=connections
            ),
            lambda: egg.download(destination, connections=connections),
            lambda: egg.iter_download(destination, connections=connections),
            lambda: runtime.download(destination, connections=connections),
            lambda: platform.download_eggs("cp311", destination, connections=connections),
            lambda: platform.download_runtimes(destination, connections=connections),
        ):
            with pytest.raises(InvalidArgumentError, match="connections"):
                call()
        assert server.connections == 0


def test_several_connections_bring_one_file(destination: Path) -> None:
    told: list[int] = []
    with serving(4) as server:
        download(server, destination, progress=lambda done, total, phase: told.append(done))
        assert server.whole == 1
        assert server.connections >= 4
        assert server.conditions == {ETAG}
        assert sum(end - first for first, end in server.ranges) < len(CONTENT)
        assert len(set(server.ranges)) == len(server.ranges)
    assert_downloaded(destination)
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)


def test_a_batch_takes_the_number_for_each_file(destination: Path) -> None:
    with serving(3) as server:
        report = node(server).download_eggs("cp311", destination, connections=4)
        report.raise_for_failures()
        assert server.whole == 1
        assert len(server.ranges) >= 3
    assert_downloaded(destination)


def test_connections_that_others_want_are_left_to_them(destination: Path) -> None:
    with serving() as server:
        platform = node(server)
        spare = platform._session.spare_connections
        while spare.acquire(blocking=False):
            pass
        platform.download_egg("cp311", "Spam", "1.0-1", destination, SHA256, connections=8)
        assert server.ranges == []
    assert_downloaded(destination)


def test_cancelling_ends_all_connections(destination: Path) -> None:
    token = CancelToken()

    def cancel(number: int, *answer: Any) -> Any:
        if number == 4:
            token.cancel()
        return answer

    with (
        serving(1_000, cancel) as server,
        pytest.raises(TransferInterruptedError),
        token.active(),
    ):
        download(server, destination)
    assert list(destination.iterdir()) == []
    assert hashing_threads() == []


def test_what_progress_raises_ends_all_connections(destination: Path) -> None:
    def enough(done: int, total: int | None, phase: str) -> None:
        if done > 2 * MIB:
            raise KeyboardInterrupt

    with serving(1_000) as server, pytest.raises(KeyboardInterrupt):
        download(server, destination, progress=enough)
    assert list(destination.iterdir()) == []
    assert hashing_threads() == []


@pytest.mark.parametrize("connections", [None, 1])
def test_one_connection_asks_once(connections: int | None, destination: Path) -> None:
    with serving() as server:
        download(server, destination, connections)
        assert (server.whole, server.ranges) == (1, [])
    assert_downloaded(destination)


def test_steps_sum_up_to_the_size(destination: Path) -> None:
    with serving(3) as server:
        total, steps = node(server).iter_download_egg(
            "cp311", "Spam", "1.0-1", destination, SHA256, connections=4
        )
        assert total == sum(steps) == len(CONTENT)
    assert_downloaded(destination)


def test_closing_the_iterator_early_leaves_nothing(destination: Path) -> None:
    with serving(1_000) as server:
        _, steps = node(server).iter_download_egg(
            "cp311", "Spam", "1.0-1", destination, SHA256, connections=4
        )
        for _ in range(5):
            next(steps)
        steps.close()
    assert list(destination.iterdir()) == []
    assert hashing_threads() == []


def whole(number: int, status: int, headers: dict[str, str], body: bytes) -> Any:
    """Answer with the whole file, as who ignores ranges."""
    return 200, {k: v for k, v in headers.items() if k != "Content-Range"}, CONTENT


def test_a_server_that_ignores_ranges_is_asked_for_one_once(destination: Path) -> None:
    with serving(1, whole) as server:
        platform = node(server)
        for name in ("one", "two"):
            (destination / name).mkdir()
            platform.download_egg(
                "cp311", "Spam", "1.0-1", destination / name, SHA256, connections=8
            )
            assert_downloaded(destination / name)
        assert (server.whole, len(server.ranges)) == (2, 1)


def lie(number: int, status: int, headers: dict[str, str], body: bytes) -> Any:
    return status, {**headers, "Content-Range": f"bytes 0-{len(body) - 1}/{len(CONTENT)}"}, body


def other_version(number: int, status: int, headers: dict[str, str], body: bytes) -> Any:
    return status, {**headers, "ETag": '"v2"'}, body


def failing(status: int) -> Any:
    return lambda *_: (status, {"Content-Type": "text/html"}, b"<html>no</html>")


@pytest.mark.parametrize(
    "spoil",
    [lie, other_version, failing(200), failing(416), failing(500), failing(404), failing(403)],
)
def test_one_connection_goes_on_where_ranges_are_not_to_be_had(
    spoil: Any, destination: Path
) -> None:
    with serving(1, spoil) as server:
        download(server, destination)
        assert server.whole == 1
    assert_downloaded(destination)


@pytest.mark.parametrize("spoil", [lie, other_version, failing(200), failing(500), whole])
def test_some_ranges_that_are_wrong_do_no_harm(spoil: Any, destination: Path) -> None:
    def sometimes(number: int, *answer: Any) -> Any:
        return spoil(number, *answer) if number >= 3 else answer

    with serving(3, sometimes) as server:
        download(server, destination)
    assert_downloaded(destination)


def test_fewer_connections_are_used_where_there_are_too_many(destination: Path) -> None:
    def limited(number: int, *answer: Any) -> Any:
        return failing(429)(number) if number in (2, 3, 4) else answer

    with serving(4, limited) as server:
        download(server, destination)
        assert server.whole == 1
    assert_downloaded(destination)


def test_a_segment_that_breaks_off_is_gone_on_with(destination: Path) -> None:
    def cut(number: int, status: int, headers: dict[str, str], body: bytes) -> Any:
        if number == 2:
            return status, {**headers, "Content-Length": str(len(body))}, body[: MIB // 2]
        return status, headers, body

    with serving(3, cut) as server:
        download(server, destination)
        first = server.ranges[1][0]
        assert (first + MIB // 2, server.ranges[1][1]) in server.ranges
        assert server.whole == 1
    assert_downloaded(destination)


def leave(destination: Path, *pieces: tuple[int, int]) -> None:
    """Leave what a process that was killed would have left."""
    partial = Partial.claim(destination / NAME)
    partial.open_places()
    for first, end in pieces:
        partial.write_at(memoryview(CONTENT)[first:end], first)
    partial.size, partial.beyond = pieces[0][1], list(pieces[1:])
    partial.remember(SHA256, ETAG)
    partial.release()


@pytest.mark.parametrize("connections", [1, 4])
def test_what_is_there_of_each_segment_is_not_asked_for_again(
    connections: int, destination: Path
) -> None:
    pieces = [(0, 5 * MIB), (8 * MIB, 12 * MIB + 17), (20 * MIB, 21 * MIB)]
    leave(destination, *pieces)
    with serving() as server:
        download(server, destination, connections, filename=NAME)
        assert server.whole == 0
        assert server.ranges[0] == (5 * MIB, 8 * MIB)
        for first, end in server.ranges:
            assert all(end <= start or first >= stop for start, stop in pieces)
    assert_downloaded(destination)


def test_without_notes_what_comes_before_the_first_gap_counts(
    destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Partial, "remember", lambda *_: None)
    leave(destination, (0, 5 * MIB), (20 * MIB, 21 * MIB))
    with serving() as server:
        download(server, destination, 1, filename=NAME)
    assert_downloaded(destination)


def test_when_the_network_fails_for_good_what_arrived_is_kept(
    destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hatcher.transfer.download.KEPT_FROM", 4 * MIB)

    def gone(number: int, status: int, headers: dict[str, str], body: bytes) -> Any:
        if number > 4:
            server.enough.set()
            return status, {**headers, "Content-Length": str(len(body))}, b""
        return status, headers, body

    with serving(1_000, gone) as server, pytest.raises(BroodConnectionError, match="are kept in"):
        download(server, destination)
    assert hashing_threads() == []
    assert [path.suffix for path in destination.iterdir()] == [".hatcher-partial"]
    with serving() as again:
        download(again, destination, filename=NAME)
        assert again.whole == 0
    assert_downloaded(destination)
