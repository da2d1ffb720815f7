"""Lengths and dates in heads that are none, or absurd: the right result, or an error; and no memory."""

from __future__ import annotations

import gzip
import hashlib
import socket
import subprocess
import sys
import textwrap
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hatcher.api import BroodClient, RetryPolicy
from hatcher.errors import (
    HatcherException,
    InvalidResponseError,
    NoSpaceError,
    RateLimitedError,
    ServerError,
)
from hatcher.testing import Answer, ScriptedServer

from .common import JSON, NAMED, client_of, platform_of

pytestmark = pytest.mark.sampled(2)

PLATFORMS = b'{"platforms": ["rh8-x86_64"]}'

#: More than any disk has, and than any answer in JSON.
HUGE = [str(10**15), str(2**63 - 1), str(10**19 - 1)]

#: What says no length at all.
NONE = [
    str(2**64),
    "9" * 400,
    "9" * 5000,
    "+5",
    "-5",
    "5, 6",
    "5,",
    "5 5",
    "0x5",
    "5.0",
    "1e3",
    "five",
    "\xd9\xa5",  # U+0665 in UTF-8
    "",
]


def download(brood: BroodClient, folder: Path, content: bytes = b"") -> None:
    platform_of(brood).download_egg(
        "cp311", "spam", "1.0-1", folder, hashlib.sha256(content).hexdigest()
    )


class TestLengths:
    @pytest.mark.parametrize("length", HUGE)
    def test_json_is_given_up_at_once(self, length: str) -> None:
        answer = Answer(200, {**JSON, "Content-Length": length}, PLATFORMS)
        with (
            ScriptedServer(answer) as server,
            client_of(server, timeout=60) as brood,
            pytest.raises(InvalidResponseError, match="larger than any"),
        ):
            brood.list_platforms()

    @pytest.mark.parametrize("length", NONE)
    def test_json(self, length: str) -> None:
        answer = Answer(200, {**JSON, "Content-Length": length}, PLATFORMS, end="close")
        with (
            ScriptedServer(answer) as server,
            client_of(server) as brood,
            pytest.raises(HatcherException) as caught,
        ):
            brood.list_platforms()
        assert len(str(caught.value)) < 1000

    @pytest.mark.parametrize("length", HUGE)
    def test_a_download_has_no_room(self, length: str, tmp_path: Path) -> None:
        answer = Answer(200, {**NAMED, "Content-Length": length}, b"spam")
        with (
            ScriptedServer(answer) as server,
            client_of(server) as brood,
            pytest.raises(NoSpaceError, match="no room"),
        ):
            download(brood, tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("length", NONE)
    def test_a_download(self, length: str, tmp_path: Path) -> None:
        answer = Answer(200, {**NAMED, "Content-Length": length}, b"spam", end="close")
        with (
            ScriptedServer(answer) as server,
            client_of(server) as brood,
            pytest.raises(HatcherException),
        ):
            download(brood, tmp_path, b"spam")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("length", HUGE)
    def test_an_error_keeps_its_status_and_words(self, length: str) -> None:
        answer = Answer(
            500, {**JSON, "Content-Length": length}, b'{"error": "Out of eggs."}', end="close"
        )
        with (
            ScriptedServer(answer) as server,
            client_of(server) as brood,
            pytest.raises(ServerError, match=r"500.*Out of eggs"),
        ):
            brood.list_platforms()

    @pytest.mark.parametrize("length", NONE)
    def test_an_error(self, length: str) -> None:
        answer = Answer(500, {"Content-Length": length}, b"words", end="close")
        with (
            ScriptedServer(answer) as server,
            client_of(server) as brood,
            pytest.raises(HatcherException),
        ):
            brood.list_platforms()

    @pytest.mark.parametrize(
        "extent",
        [
            f"bytes 4-{10**15}/{10**15 + 1}",
            f"bytes 4-{2**63}/{2**63 + 1}",
            f"bytes 4-{'9' * 5000}/{'9' * 5000}",
            f"bytes {'9' * 5000}-5/6",
            "bytes 4-7/9",
            "bytes -4-7/8",
            "bytes 4-3/8",
            "bytes 4-7/٨",
            "bytes */8",
            "",
        ],
    )
    def test_the_rest_of_a_download_that_is_none(self, extent: str, tmp_path: Path) -> None:
        """Then all of it is asked for."""
        content = b"spamspam"
        whole = {**NAMED, "ETag": '"1"', "Accept-Ranges": "bytes"}
        rest = {"Content-Range": extent.encode().decode("latin-1"), "ETag": '"1"'}
        with (
            ScriptedServer(
                Answer(200, whole, content, cut=4),
                Answer(206, rest, b"spam"),
                Answer(200, whole, content),
            ) as server,
            client_of(server, retries=RetryPolicy(3, backoff=0)) as brood,
        ):
            download(brood, tmp_path, content)
            assert len(server.requests) == 3
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == content

    def test_a_download_stops_at_its_length(self, tmp_path: Path) -> None:
        """What a server sends beyond it is no part of the file, and of no other answer."""
        answer = Answer(200, {**NAMED, "Content-Length": "4"}, b"spam" * 1000)
        with ScriptedServer(answer) as server, client_of(server) as brood:
            download(brood, tmp_path, b"spam")
            assert (tmp_path / "spam-1.0-1.egg").read_bytes() == b"spam"
            with pytest.raises(HatcherException):
                download(brood, tmp_path, b"eggs")
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == b"spam"


class TestPackedDownloads:
    """A gateway that compresses what it was asked not to."""

    def packed(self, body: bytes, folder: Path, content: bytes) -> None:
        answer = Answer(200, {**NAMED, "Content-Encoding": "gzip"}, body)
        with ScriptedServer(answer) as server, client_of(server) as brood:
            download(brood, folder, content)

    def test_several_members_are_one_file(self, tmp_path: Path) -> None:
        self.packed(gzip.compress(b"spam") + gzip.compress(b"eggs"), tmp_path, b"spameggs")
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == b"spameggs"

    @pytest.mark.parametrize(
        "body",
        [
            gzip.compress(b"spam", mtime=0) + b"x" * 1_000_000,
            gzip.compress(b"spam", mtime=0)[:-5],
            b"spam",
        ],
        ids=["more follows", "cut off", "no gzip at all"],
    )
    def test_what_is_no_gzip(self, body: bytes, tmp_path: Path) -> None:
        with pytest.raises(InvalidResponseError, match="compressed"):
            self.packed(body, tmp_path, b"spam")
        assert list(tmp_path.iterdir()) == []

    def test_another_way_gives_the_connection_back(self, tmp_path: Path) -> None:
        answer = Answer(200, {**NAMED, "Content-Encoding": "br"}, b"spam")
        with ScriptedServer(answer) as server, client_of(server) as brood:
            for _ in range(100):
                with pytest.raises(InvalidResponseError, match="br"):
                    download(brood, tmp_path)


class TestRetryAfter:
    @pytest.mark.parametrize(
        "value",
        ["9" * 400, "9" * 5000, "soon", "", "1e999", "nan", "Wed, 99 Oct 99999 07:28:00", "\xe9"],
    )
    def test_what_says_nothing_is_as_if_it_were_not_there(self, value: str) -> None:
        self.passes(value)

    @pytest.mark.parametrize(
        "value",
        [
            "0",
            "-5",
            "-5.5",
            "0.001",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 21 Oct 2015 07:28:00",
            "Wed, 21 Oct 0000 07:28:00 GMT",
            "Mon, 01 Jan 0001 00:00:00 +2359",
            "Thu, 01 Jan 1970 00:00:00 -9999",
        ],
    )
    def test_what_is_over(self, value: str) -> None:
        self.passes(value)

    def passes(self, value: str) -> None:
        busy = Answer(429, {"Retry-After": value})
        with (
            ScriptedServer(busy, Answer(200, JSON, PLATFORMS)) as server,
            client_of(server, retries=RetryPolicy(1, backoff=0)) as brood,
        ):
            assert brood.list_platforms() == ["rh8-x86_64"]

    @pytest.mark.parametrize(
        "value",
        ["999999999", "31", "5, 31", "31.5", "Fri, 31 Dec 9999 23:59:59 GMT"],
    )
    def test_what_is_too_long_is_an_error_at_once(self, value: str) -> None:
        with (
            ScriptedServer(Answer(429, {"Retry-After": value})) as server,
            client_of(server, retries=3) as brood,
        ):
            with pytest.raises(RateLimitedError) as caught:
                brood.list_platforms()
            assert len(server.requests) == 1
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 30

    def test_several_headers(self) -> None:
        raw = b"HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nRetry-After: 40\r\nContent-Length: 0\r\n\r\n"
        with (
            ScriptedServer(Answer(raw=raw)) as server,
            client_of(server, retries=3) as brood,
            pytest.raises(ServerError) as caught,
        ):
            brood.list_platforms()
        assert caught.value.retry_after == 40


@pytest.mark.parametrize("date", ["", "0", "Wed, 99 Oct 99999 07:28:00", "9" * 400, "\xe9"])
@pytest.mark.parametrize("name", ["Date", "Last-Modified", "Expires", "Age", "ETag"])
def test_odd_dates_change_nothing(name: str, date: str, tmp_path: Path) -> None:
    index = b'{"spam-1.0-1.egg": {"name": "%s"}}' % (b"x" * 5000)
    with (
        ScriptedServer(Answer(200, {**JSON, name: date}, index)) as server,
        client_of(server, cache=tmp_path) as brood,
    ):
        for _ in range(2):
            place = platform_of(brood)
            assert place.egg_index("cp311")["spam-1.0-1.egg"]["name"] == "x" * 5000


#: Asks a server that answers with 400 MB of blanks; says how it failed, and how much memory it took.
_ASK = """
    import re, sys
    from hatcher.api import BroodClient

    client = BroodClient.from_url(sys.argv[1], api_version=1, retries=0, cache=False)
    try:
        client.list_platforms()
    except Exception as error:
        status = open("/proc/self/status").read()
        print(type(error).__name__, int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) >> 10)
"""

_MEGABYTES = 400


def blanks(framing: str) -> Iterator[bytes]:
    """Give an answer of 400 MB of blanks, a part at a time."""
    blank = b" " * (1 << 20)
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    if framing == "identity":
        yield b"Content-Length: %d\r\n\r\n" % (_MEGABYTES << 20)
        yield from [blank] * _MEGABYTES
    elif framing == "chunked":
        yield b"Transfer-Encoding: chunked\r\n\r\n"
        yield from [b"%x\r\n%b\r\n" % (len(blank), blank)] * _MEGABYTES
        yield b"0\r\n\r\n"
    elif framing == "until the end":
        yield b"\r\n"
        yield from [blank] * _MEGABYTES
    else:
        yield b"Content-Encoding: gzip\r\n\r\n"
        packer = zlib.compressobj(1, wbits=31)
        yield from (packer.compress(blank) for _ in range(_MEGABYTES))
        yield packer.flush()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("framing", ["identity", "chunked", "until the end", "gzip"])
def test_blanks_without_end_take_little_memory(framing: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):  # the client has had enough
                connection.recv(65536)
                for part in blanks(framing):
                    connection.sendall(part)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        command = [sys.executable, "-c", textwrap.dedent(_ASK), url]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        thread.join()
    assert told[0] == "InvalidResponseError"
    assert int(told[1]) < 320
    if framing == "identity":  # it says so
        assert int(told[1]) < 100
