"""Lengths and dates in heads that are none, or absurd: the right result, or an error; and no memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher.errors import (
    HatcherException,
    InvalidResponseError,
    NoSpaceError,
    RateLimitedError,
    ServerError,
)
from hatcher.testing import Answer

from .common import AT_ONCE, JSON, NAMED, PLATFORMS, download, platform_of, scripted
from .wires import HEAD, WIRES, acting

pytestmark = pytest.mark.sampled(2)

#: More than any disk has, and than any answer in JSON.
HUGE = [str(10**15), str(2**63 - 1), str(10**19 - 1)]

#: What says no length at all; one is U+0665 in UTF-8.
NONE = [str(2**64), "9" * 5000, "+5", "-5", "5, 6", "5,", "5 5", "0x5", "5.0", "\xd9\xa5", ""]


class TestLengths:
    """A length that nothing has is noticed at once; what says none is an error."""

    def ask(
        self, folder: Path, answer: Answer, kind: type[Exception], match: str | None = None
    ) -> None:
        with scripted(answer) as (_, client), pytest.raises(kind, match=match) as caught:
            if "Content-Disposition" in answer.headers:
                download(client, folder, b"spam")
            client.list_platforms()
        assert len(str(caught.value)) < 1000
        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize("length", HUGE)
    def test_huge_ones(self, length, tmp_path):
        huge, words = {"Content-Length": length}, b'{"error": "Out of eggs."}'
        answer = Answer(200, {**JSON, **huge}, PLATFORMS.body)
        self.ask(tmp_path, answer, InvalidResponseError, "larger than any")
        self.ask(tmp_path, Answer(200, {**NAMED, **huge}, b"spam"), NoSpaceError, "no room")
        answer = Answer(500, {**JSON, **huge}, words, end="close")
        self.ask(tmp_path, answer, ServerError, r"500.*Out of eggs")

    @pytest.mark.parametrize("length", NONE)
    @pytest.mark.parametrize("status", [200, 500])
    @pytest.mark.parametrize("headers", [JSON, NAMED], ids=["JSON", "download"])
    def test_none(self, length, status, headers, tmp_path):
        answer = Answer(status, {**headers, "Content-Length": length}, PLATFORMS.body, end="close")
        self.ask(tmp_path, answer, HatcherException)

    @pytest.mark.parametrize(
        "extent",
        [
            f"bytes 4-{10**15}/{10**15 + 1}",
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
    def test_the_rest_of_a_download_that_is_none(self, extent, tmp_path):
        """Then all of it is asked for."""
        content = b"spamspam"
        whole = {**NAMED, "ETag": '"1"', "Accept-Ranges": "bytes"}
        rest = {"Content-Range": extent.encode().decode("latin-1"), "ETag": '"1"'}
        answers = [
            Answer(200, whole, content, cut=4),
            Answer(206, rest, b"spam"),
            Answer(200, whole, content),
        ]
        with scripted(*answers, retries=AT_ONCE) as (server, client):
            download(client, tmp_path, content)
            assert len(server.requests) == 3
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == content

    def test_a_download_stops_at_its_length(self, tmp_path):
        """What a server sends beyond it is no part of the file, and of no other answer."""
        answer = Answer(200, {**NAMED, "Content-Length": "4"}, b"spam" * 1000)
        with scripted(answer) as (_, client):
            download(client, tmp_path, b"spam")
            assert (tmp_path / "spam-1.0-1.egg").read_bytes() == b"spam"
            with pytest.raises(HatcherException):
                download(client, tmp_path, b"eggs")
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == b"spam"


SPAM = gzip.compress(b"spam", mtime=0)


class TestPackedDownloads:
    """A gateway that compresses what it was asked not to."""

    def test_several_members_are_one_file(self, tmp_path):
        answer = Answer(200, {**NAMED, "Content-Encoding": "gzip"}, SPAM + gzip.compress(b"eggs"))
        with scripted(answer) as (_, client):
            download(client, tmp_path, b"spameggs")
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == b"spameggs"

    @pytest.mark.sampled(1)
    @pytest.mark.parametrize(
        ("encoding", "body", "says"),
        [
            ("gzip", SPAM + b"x" * 1_000_000, "compressed"),
            ("gzip", SPAM[:-5], "compressed"),
            ("gzip", b"spam", "compressed"),
            ("br", b"spam", "br"),
        ],
        ids=["more follows", "cut off", "no gzip at all", "another way"],
    )
    def test_what_is_no_gzip(self, encoding, body, says, tmp_path):
        answer = Answer(200, {**NAMED, "Content-Encoding": encoding}, body)
        with scripted(answer) as (_, client):
            for _ in range(100 if encoding == "br" else 1):  # more than there may be connections
                with pytest.raises(InvalidResponseError, match=says):
                    download(client, tmp_path, b"spam")
        assert list(tmp_path.iterdir()) == []


class TestRetryAfter:
    @pytest.mark.parametrize(
        "value",
        ["999999999", "31", "5, 31", "31.5", "Fri, 31 Dec 9999 23:59:59 GMT"],
    )
    def test_what_is_too_long_is_an_error_at_once(self, value):
        with scripted(Answer(429, {"Retry-After": value}), retries=3) as (server, client):
            with pytest.raises(RateLimitedError) as caught:
                client.list_platforms()
            assert len(server.requests) == 1
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 30

    def test_several_headers(self):
        raw = b"HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nRetry-After: 40\r\nContent-Length: 0\r\n\r\n"
        with (
            scripted(Answer(raw=raw), retries=3) as (_, client),
            pytest.raises(ServerError) as caught,
        ):
            client.list_platforms()
        assert caught.value.retry_after == 40


@pytest.mark.parametrize("date", ["", "0", "Wed, 99 Oct 99999 07:28:00", "9" * 400, "\xe9"])
@pytest.mark.parametrize("name", ["Date", "Last-Modified", "Expires", "Age", "ETag"])
def test_odd_dates_change_nothing(name, date, tmp_path):
    index = b'{"spam-1.0-1.egg": {"name": "%s"}}' % (b"x" * 5000)
    with scripted(Answer(200, {**JSON, name: date}, index), cache=tmp_path) as (_, client):
        for _ in range(2):
            found = platform_of(client).egg_index("cp311")
            assert found["spam-1.0-1.egg"]["name"] == "x" * 5000


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
_BLANK = b" " * (1 << 20)


def packed() -> Iterator[bytes]:
    packer = zlib.compressobj(1, wbits=31)
    yield from (packer.compress(_BLANK) for _ in range(_MEGABYTES))
    yield packer.flush()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("framing", "parts", "most"),
    [
        (b"Content-Length: %d" % (_MEGABYTES << 20), [_BLANK] * _MEGABYTES, 100),  # it says so
        (b"Transfer-Encoding: chunked", [b"100000\r\n%b\r\n" % _BLANK] * _MEGABYTES, 320),
        (b"X: until the end", [_BLANK] * _MEGABYTES, 320),
        (b"Content-Encoding: gzip", packed(), 320),
    ],
    ids=["length", "chunked", "until the end", "gzip"],
)
def test_blanks_without_end_take_little_memory(framing, parts, most):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing + b"\r\n\r\n"
    with WIRES["plain"].talking(acting(HEAD, head, *parts)) as url:
        command = [sys.executable, "-c", _ASK, url]
        name, megabytes = subprocess.check_output(command, text=True).split()
    assert name == "InvalidResponseError"
    assert int(megabytes) < most
