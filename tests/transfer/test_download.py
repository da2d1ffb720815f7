"""Downloads: going on after faults, what is asked for, what is told, and what is left behind."""

from __future__ import annotations

import gc
import hashlib
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BroodClient, RetryPolicy, Timeouts
from hatcher.errors import (
    BroodTimeoutError,
    ChecksumMismatchError,
    HatcherException,
    IncompleteDownloadError,
    InvalidDestinationError,
    InvalidResponseError,
    MissingFilenameError,
    PermissionDeniedError,
)
from hatcher.files.partial import Partial
from hatcher.testing import Answer, ScriptedServer, write_egg
from hatcher.testing.faults import Request
from hatcher.transfer.download import KEPT_FROM

from .common import AT_ONCE, hashing_threads, platform_at

NAME = "Spam-1.0-1.egg"
NAMED = {"Content-Disposition": f'attachment; filename="{NAME}"'}
ETAG = '"v1"'

#: More than one buffer, and so received with a thread.
CONTENT = random.Random(0).randbytes(5_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Ranges:
    """A server of one file, with ranges as RFC 9110 has them; it spoils the first answers.

    Attributes
    ----------
    asked : list of (str or None, str or None)
        Range and If-Range of each request.
    sent : int
        Bytes of bodies, as far as it sent them.
    """

    def __init__(self, *spoils: Callable[[Answer], Answer], etag: str | None = ETAG) -> None:
        self.content = CONTENT
        self.etag = etag
        self.asked: list[tuple[str | None, str | None]] = []
        self.sent = 0
        self._spoils = list(spoils)

    def __call__(self, request: Request) -> Answer:
        wanted, condition = request.headers.get("range"), request.headers.get("if-range")
        self.asked.append((wanted, condition))
        headers = {**NAMED, "Accept-Ranges": "bytes"}
        if self.etag is not None:
            headers["ETag"] = self.etag
        answer = Answer(200, headers, self.content)
        if wanted is not None and condition in (None, self.etag):
            match = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert match is not None
            first, size = int(match[1]), len(self.content)
            headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
            answer = Answer(206, headers, self.content[first:])
            if first >= size:
                answer = Answer(416, {"Content-Range": f"bytes */{size}"}, b'{"error": "beyond"}')
        if self._spoils:
            answer = self._spoils.pop(0)(answer)
        self.sent += len(answer.body[: answer.cut])
        return answer

    @property
    def starts(self) -> list[int]:
        """Where each request began."""
        return [int(wanted[6:-1]) if wanted else 0 for wanted, _ in self.asked]


def cut(after: int) -> Callable[[Answer], Answer]:
    """End the connection after so many bytes of the body."""
    return lambda answer: Answer(answer.status, answer.headers, answer.body, cut=after)


def with_headers(**headers: str) -> Callable[[Answer], Answer]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: Answer(answer.status, {**answer.headers, **names}, answer.body)


def flipped(at: int) -> Callable[[Answer], Answer]:
    def spoil(answer: Answer) -> Answer:
        body = answer.body[:at] + bytes([answer.body[at] ^ 1]) + answer.body[at + 1 :]
        return Answer(answer.status, answer.headers, body)

    return spoil


def download(
    server: Ranges,
    destination: Path,
    sha256: str = SHA256,
    retries: RetryPolicy = AT_ONCE,
    **options: Any,
) -> None:
    with ScriptedServer(server) as scripted:
        node = platform_at(scripted.url, retries=retries)
        node.download_egg("cp311", "Spam", "1.0-1", destination, sha256, **options)


def assert_downloaded(destination: Path) -> None:
    assert [path.name for path in destination.iterdir()] == [NAME]
    assert (destination / NAME).read_bytes() == CONTENT


def leave(destination: Path, content: bytes, sha256: str = SHA256, etag: str | None = ETAG) -> None:
    """Leave what a killed process would have left."""
    partial = Partial.claim(destination / NAME)
    partial.write(content)
    partial.remember(sha256, etag)
    partial.release()


def in_parts(answer: Answer) -> Answer:
    """Send a million bytes of the rest that was asked for."""
    first = len(CONTENT) - len(answer.body)
    said = f"bytes {first}-{first + 999_999}/{len(CONTENT)}"
    return Answer(206, {**answer.headers, "Content-Range": said}, answer.body[:1_000_000])


def whole(cut: int | None = None, **headers: str) -> Callable[[Answer], Answer]:
    """Send the whole, whatever was asked for, and say nothing of ranges."""
    return lambda _: Answer(200, {**NAMED, **headers}, CONTENT, cut=cut)


def with_status(status: int) -> Callable[[Answer], Answer]:
    return lambda answer: Answer(status, answer.headers, b"{}")


#: The bytes that were sent before the connection is lost.
LOST = 1_000_000
REST = f"bytes={LOST}-"
AGAIN = [(None, None), (REST, ETAG), (None, None)]


class TestGoingOn:
    """The connection is lost in the body."""

    def test_only_what_is_missing_is_sent_again(self, destination):
        server = Ranges(cut(1_234_567), cut(2_000_001), cut(0))
        download(server, destination)
        assert_downloaded(destination)
        assert server.asked[0] == (None, None)
        assert server.starts == [0, 1_234_567, 3_234_568, 3_234_568]
        assert {condition for _, condition in server.asked[1:]} == {ETAG}
        assert server.sent == len(CONTENT)

    def test_headway_makes_up_for_faults(self, destination):
        server = Ranges(*[cut(400_000)] * 11)
        download(server, destination, retries=RetryPolicy(1, backoff=0))
        assert_downloaded(destination)
        assert server.sent == len(CONTENT)

    @pytest.mark.parametrize(
        ("etag", "spoils", "asked"),
        [
            pytest.param(None, [cut(LOST)], [(None, None), (REST, None)], id="no ETag"),
            pytest.param('W/"v1"', [cut(LOST)], [(None, None), (REST, None)], id="a weak one"),
            pytest.param(ETAG, [whole(LOST), whole()], [(None, None)] * 2, id="no ranges"),
            pytest.param(
                ETAG,
                [whole(LOST, ETag=ETAG), whole(ETag=ETAG)],
                [(None, None), (REST, ETAG)],
                id="the whole instead",
            ),
        ],
    )
    def test_it_asks_for_as_much_as_the_server_can_tell(self, etag, spoils, asked, destination):
        server = Ranges(*spoils, etag=etag)
        download(server, destination)
        assert_downloaded(destination)
        assert server.asked == asked

    def test_the_file_changes_meanwhile(self, destination):
        server = Ranges()
        other = CONTENT[::-1]

        def change(answer: Answer) -> Answer:
            server.content, server.etag = other, '"v2"'
            return cut(LOST)(answer)

        server._spoils = [change]
        download(server, destination, hashlib.sha256(other).hexdigest())
        assert (destination / NAME).read_bytes() == other
        assert server.asked == AGAIN[:2]  # answered with the whole

    @pytest.mark.parametrize(
        "spoil",
        [
            with_headers(Content_Range=f"bytes 999999-{len(CONTENT) - 1}/{len(CONTENT)}"),
            with_headers(Content_Range=f"bytes 1000000-{len(CONTENT)}/{len(CONTENT) + 1}"),
            with_headers(Content_Range="bytes 1000000-1000009/*"),
            with_headers(Content_Range="lines 1-2/3"),
            with_headers(Content_Range=""),
            with_headers(ETag='"v2"'),
            with_headers(Content_Encoding="gzip"),
            lambda answer: Answer(416, {}, b"{}"),
            lambda answer: Answer(204, {}),
            flipped(2_000_000),
        ],
        ids=["start", "total", "length", "unit", "none", "etag", "encoding", "416", "204", "bytes"],
    )
    def test_a_rest_that_does_not_fit(self, spoil, destination):
        server = Ranges(cut(LOST), spoil)
        download(server, destination)
        assert_downloaded(destination)
        assert server.asked == AGAIN

    def test_a_server_that_sends_the_rest_in_parts(self, destination):
        server = Ranges(cut(LOST), in_parts, in_parts)
        download(server, destination)
        assert_downloaded(destination)
        assert server.starts == [0, 1_000_000, 2_000_000, 3_000_000]

    def test_another_file_of_the_same_size_is_replaced(self, destination):
        (destination / NAME).write_bytes(bytes(len(CONTENT)))
        download(Ranges(), destination)
        assert_downloaded(destination)

    @pytest.mark.parametrize(
        ("spoils", "retries", "error", "starts"),
        [
            ([cut(LOST), *[cut(100)] * 20], 3, IncompleteDownloadError, 4),
            ([cut(LOST)], 0, IncompleteDownloadError, 1),
            ([with_status(206)], 3, InvalidResponseError, 1),
            ([flipped(2_000_000)], 3, ChecksumMismatchError, 1),
            ([cut(LOST), flipped(2_000_000), flipped(2_000_000)], 3, ChecksumMismatchError, 3),
            ([cut(LOST), with_status(403)], 3, PermissionDeniedError, 2),
        ],
        ids=[
            "no headway",
            "no retries",
            "a part that was not asked for",
            "wrong in one piece",
            "wrong again",
            "an error instead of the rest",
        ],
    )
    def test_what_ends_it_leaves_nothing(self, spoils, retries, error, starts, destination):
        server = Ranges(*spoils)
        with pytest.raises(error) as caught:
            download(server, destination, retries=RetryPolicy(retries, backoff=0))
        assert len(server.asked) == starts
        assert list(destination.iterdir()) == []
        if isinstance(caught.value, ChecksumMismatchError):
            assert caught.value.expected == SHA256


class TestLeftovers:
    """An earlier process was killed."""

    @pytest.mark.parametrize(
        ("left", "of", "filename", "asked"),
        [
            (CONTENT[:3_000_000], (SHA256, ETAG), NAME, [("bytes=3000000-", ETAG)]),
            # What it will be called is known beforehand.
            (CONTENT[:3_000_000], (SHA256, ETAG), None, [("bytes=3000000-", ETAG)]),
            (CONTENT, (SHA256, ETAG), NAME, []),
            (CONTENT, (SHA256, ETAG), None, []),
            (bytes(3_000_000), (SHA256, ETAG), None, [("bytes=3000000-", ETAG), AGAIN[0]]),
            (CONTENT[:3_000_000], ("ab" * 32, ETAG), None, [AGAIN[0]]),
            (bytes(3_000_000), (SHA256, ETAG), NAME, [("bytes=3000000-", ETAG), AGAIN[0]]),
            (CONTENT + b"more", (SHA256, ETAG), NAME, [("bytes=5000004-", ETAG), AGAIN[0]]),
            (bytes(3_000_000), ("ab" * 32, ETAG), NAME, [AGAIN[0]]),
            (CONTENT[:1000], (SHA256, ETAG), None, [AGAIN[0]]),
        ],
        ids=[
            *("rest", "unnamed", "complete", "unnamed and complete", "unnamed and corrupt"),
            *("unnamed and of another file", "corrupt", "too long", "another file", "too small"),
        ],
    )
    def test_what_is_left_of_it_is_used(self, left, of, filename, asked, destination):
        leave(destination, left, *of)
        server = Ranges()
        download(server, destination, filename=filename)
        assert_downloaded(destination)
        assert server.asked == asked

    def test_the_server_calls_it_in_its_own_way(self, destination):
        leave(destination, CONTENT[:3_000_000])
        (destination / f"{NAME}.0.hatcher-partial").rename(
            destination / "spam-1.0-1.egg.0.hatcher-partial"
        )
        server = Ranges()
        with ScriptedServer(server) as scripted:
            node = platform_at(scripted.url, retries=AT_ONCE)
            node.download_egg("cp311", "spam", "1.0-1", destination, SHA256)
        assert_downloaded(destination)
        assert server.starts == [3_000_000]

    def test_none_stands_in_for_a_file_that_is_there(self, destination):
        leave(destination, CONTENT[:3_000_000])
        (destination / NAME).write_bytes(CONTENT)
        server = Ranges()
        download(server, destination)
        assert_downloaded(destination)
        assert server.asked == [AGAIN[0]]

    def test_a_runtime_is_found_by_what_is_there(self, destination):
        name = "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
        leave(destination, CONTENT[:3_000_000])
        (destination / f"{NAME}.0.hatcher-partial").rename(
            destination / f"{name}.0.hatcher-partial"
        )
        server = Ranges(with_headers(Content_Disposition=f'attachment; filename="{name}"'))
        with ScriptedServer(server) as scripted:
            node = platform_at(scripted.url, retries=AT_ONCE)
            node.download_runtime("cpython", "3.8.17+1", destination, SHA256)
        assert [path.name for path in destination.iterdir()] == [name]
        assert server.starts == [3_000_000]

    def test_one_of_an_older_version_on_the_server(self, destination):
        leave(destination, bytes(3_000_000), etag='"v0"')
        server = Ranges()
        download(server, destination, filename=NAME)
        assert_downloaded(destination)
        assert len(server.asked) <= 2  # one, where the file system keeps the ETag

    def test_one_in_use_is_left_alone(self, destination):
        other = Partial.claim(destination / NAME)
        other.write(CONTENT[:3_000_000])
        server = Ranges()
        download(server, destination, filename=NAME)
        assert server.asked == [(None, None)]
        assert (destination / NAME).read_bytes() == CONTENT
        assert Path(other.path).read_bytes() == CONTENT[:3_000_000]
        other.discard()
        assert_downloaded(destination)

    def test_all_are_swept_when_the_file_is_there(self, destination):
        first, second = Partial.claim(destination / NAME), Partial.claim(destination / NAME)
        first.release()
        second.release()
        (destination / NAME).write_bytes(CONTENT)
        server = Ranges()
        download(server, destination, filename=NAME)
        assert_downloaded(destination)
        assert server.asked == []

    def test_the_server_is_ours(self, destination, platform):
        egg = write_egg(destination.parent, "Spam", "1.0", payload_bytes=3_000_000)
        platform.upload_egg(egg)
        content = egg.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        leave(destination, content[:2_000_000], sha256, f'"{sha256}"')
        told: list[tuple[int, int | None, str]] = []
        platform.download_egg(
            None, "Spam", "1.0-1", destination, progress=lambda *step: told.append(step)
        )
        assert (destination / egg.name).read_bytes() == content
        assert ("hashing", 2_000_000) in [(phase, done) for done, _, phase in told]
        assert [path.name for path in destination.iterdir()] == [egg.name]


class TestKeeping:
    """The network fails for good: what is much is kept for another time."""

    CONTENT = random.Random(1).randbytes(KEPT_FROM + 2_000_000)
    SHA256 = hashlib.sha256(CONTENT).hexdigest()

    def test_much_is_kept_and_gone_on_with(self, destination):
        server = Ranges(cut(KEPT_FROM + 5), *[cut(0)] * 20)
        server.content = self.CONTENT
        with pytest.raises(IncompleteDownloadError, match="16,777,221") as caught:
            download(server, destination, self.SHA256)
        (kept,) = destination.iterdir()
        assert str(kept) in str(caught.value)
        assert kept.stat().st_size == KEPT_FROM + 5

        # What has nothing to do with the network changes nothing of it.
        server = Ranges(lambda answer: Answer(401, {}, b"{}"))
        with pytest.raises(HatcherException, match="kept"):
            download(server, destination, self.SHA256, filename=NAME)
        assert list(destination.iterdir()) == [kept]

        server = Ranges()
        server.content = self.CONTENT
        download(server, destination, self.SHA256, filename=NAME)
        assert server.sent == len(self.CONTENT) - KEPT_FROM - 5
        assert (destination / NAME).read_bytes() == self.CONTENT
        assert [path.name for path in destination.iterdir()] == [NAME]

    def test_it_is_not_when_the_bytes_are_wrong(self, destination):
        server = Ranges(flipped(5))
        server.content = self.CONTENT
        with pytest.raises(ChecksumMismatchError):
            download(server, destination, self.SHA256)
        assert list(destination.iterdir()) == []


class TestIterators:
    """The caller drives, and may stop at any time."""

    @pytest.fixture
    def server(self) -> Iterator[ScriptedServer]:
        with ScriptedServer(Ranges()) as server:
            yield server

    def begin(self, server: ScriptedServer, destination: Path) -> tuple[int, Iterator[int]]:
        return platform_at(server.url).iter_download_egg(
            "cp311", "Spam", "1.0-1", destination, SHA256
        )

    def assert_nothing_left(self, destination: Path) -> None:
        gc.collect()
        assert list(destination.iterdir()) == []
        assert not hashing_threads()

    def test_the_steps_are_all_bytes(self, server, destination):
        length, chunks = self.begin(server, destination)
        assert not (destination / NAME).exists()
        assert sum(chunks) == length == len(CONTENT)
        assert_downloaded(destination)

    def test_the_steps_are_all_bytes_also_of_pieces(self, destination):
        with ScriptedServer(Ranges(cut(3_000_000), flipped(100), cut(1_500_000))) as server:
            length, chunks = self.begin(server, destination)
            assert sum(chunks) == length
        assert_downloaded(destination)

    def test_a_file_that_is_there(self, server, destination):
        (destination / NAME).write_bytes(CONTENT)
        length, chunks = self.begin(server, destination)
        assert list(filter(None, chunks)) == [length] == [len(CONTENT)]

    @pytest.mark.parametrize("steps", [0, 1, 2])
    @pytest.mark.parametrize("how", ["close", "forget", "throw"])
    def test_given_up(self, how, steps, server, destination):
        _, chunks = self.begin(server, destination)
        for _ in range(steps):
            next(chunks)
        assert len(list(destination.iterdir())) == 1
        if how == "close":
            chunks.close()  # type: ignore[attr-defined]
        elif how == "throw":
            with pytest.raises(KeyboardInterrupt):
                chunks.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
        del chunks
        self.assert_nothing_left(destination)

    def test_alive_at_the_end_of_the_interpreter(self, server, destination):
        code = (
            "import sys\n"
            "from hatcher.api import BroodClient\n"
            "client = BroodClient.from_url(sys.argv[1], api_version=1)\n"
            "platform = client.organization('acme').repository('dev').platform('rh8-x86_64')\n"
            "_, chunks = platform.iter_download_egg('cp311', 'Spam', '1.0-1', *sys.argv[2:])\n"
            "print(next(chunks) > 0)\n"
        )
        arguments = [sys.executable, "-c", code, server.url, str(destination), SHA256]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
        self.assert_nothing_left(destination)


class TestProgress:
    def test_it_is_told_all(self, destination):
        told: list[tuple[int, int | None, str]] = []
        download(Ranges(cut(3_000_000)), destination, progress=lambda *step: told.append(step))
        assert_downloaded(destination)
        assert {phase for _, _, phase in told} == {"downloading"}
        assert {total for _, total, _ in told} == {len(CONTENT)}
        bytes_done = [done for done, _, _ in told]
        assert bytes_done == sorted(bytes_done)
        assert bytes_done[-1] == len(CONTENT)

    def test_it_is_told_of_hashing(self, destination):
        (destination / NAME).write_bytes(CONTENT)
        told: list[tuple[int, int | None, str]] = []
        download(Ranges(), destination, progress=lambda *step: told.append(step))
        size = len(CONTENT)
        assert (size, size, "hashing") in told
        assert told[-1] == (size, size, "downloading")

    @pytest.mark.parametrize("phase", ["hashing", "downloading"])
    def test_it_may_end_it(self, phase, destination):
        leave(destination, CONTENT[:3_000_000])

        def refuse(done: int, total: int | None, now: str) -> None:
            if now == phase:
                raise BrokenPipeError("enough")

        with pytest.raises(BrokenPipeError, match="enough"):
            download(Ranges(), destination, progress=refuse)
        assert list(destination.iterdir()) == []
        assert not hashing_threads()


class TestRefusals:
    def test_the_target_is_a_directory(self, destination):
        (destination / NAME).mkdir()
        with pytest.raises(InvalidDestinationError, match="is a directory"):
            download(Ranges(), destination)
        assert [path.name for path in destination.iterdir()] == [NAME]

    def test_a_name_that_leads_elsewhere_asks_nothing(self, destination):
        with ScriptedServer() as server, pytest.raises(MissingFilenameError):
            node = platform_at(server.url)
            node.download_egg("cp311", "Spam", "1.0-1", destination, filename="../x")
        assert server.requests == []

    def test_silence_lasts_no_longer_than_the_stall_timeout(self, destination):
        # The head and a first part come at once, and then nothing.
        with ScriptedServer(Answer(200, {**NAMED, "Content-Length": "99"}, b"x" * 9)) as server:
            timeout, retries = Timeouts(stall=0.2), RetryPolicy(1, backoff=0)
            node = platform_at(server.url, timeout=timeout, retries=retries)
            with pytest.raises(BroodTimeoutError):
                node.download_egg("cp311", "Spam", "1.0-1", destination, SHA256)
            assert len(server.requests) == 2
        assert list(destination.iterdir()) == []


def test_with_an_httpx_client_of_the_users_own(destination):
    import httpx

    server = Ranges(cut(3_000_000))
    with ScriptedServer(server) as scripted, httpx.Client() as own:
        client = BroodClient.from_session(scripted.url, own, api_version=1)
        node = client.organization("acme").repository("dev").platform("rh8-x86_64")
        node.download_egg("cp311", "Spam", "1.0-1", destination, SHA256)
    assert_downloaded(destination)
    assert server.starts == [0, 3_000_000]
