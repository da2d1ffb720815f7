"""Answers as they come over a real socket: packed, damaged, of another shape, hostile."""

import gzip
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from hatcher.api import BroodClient
from hatcher.errors import (
    BadRequestError,
    InvalidJSONError,
    InvalidResponseError,
    PermissionDeniedError,
)
from hatcher.testing import Answer, ScriptedServer
from hatcher.transport import parsing

from .common import JSON, platform_of

GZIP = {**JSON, "Content-Encoding": "gzip"}
INDEX = {
    f"nose-1.{n}.0-1.egg": {"name": "nose", "python_tag": None if n % 2 else "py3", "size": n}
    for n in range(100)
}
BODY = json.dumps(INDEX).encode()


def ask(answer: Answer, method: str = "egg_index") -> Any:
    with (
        ScriptedServer(answer) as server,
        BroodClient.from_url(server.url, api_version=1, retries=0) as client,
    ):
        found = getattr(platform_of(client), method)("cp311")
        assert server.requests[0].headers["accept-encoding"] == "gzip"
        return found


class TestGzip:
    @pytest.mark.parametrize("headers", [GZIP, JSON], ids=["told", "header stripped"])
    def test_it_is_undone(self, headers: dict[str, str]) -> None:
        assert ask(Answer(200, headers, gzip.compress(BODY))) == INDEX

    def test_a_gateway_may_have_undone_it_and_kept_the_header(self) -> None:
        assert ask(Answer(200, GZIP, BODY)) == INDEX

    def test_what_is_large_comes_too(self) -> None:
        entry = {"python_tag": "cp311", "sha256": "ab" * 32, "packages": ["MKL 2017.0.3"]}
        index = {f"egg-{n}.egg": entry for n in range(40_000)}
        body = json.dumps(index).encode()
        assert len(body) > parsing.LARGE_TEXT
        for content in (body, gzip.compress(body, 1)):
            assert ask(Answer(200, JSON, content)) == index
            listed = ask(Answer(200, JSON, content), "list_eggs")
            assert listed == [{"name": name, "python_tag": "cp311"} for name in index]

    @pytest.mark.parametrize("cut", [5, 100, -3])
    def test_what_is_damaged_is_an_error(self, cut: int) -> None:
        with pytest.raises(InvalidJSONError, match=r"\d+ bytes of"):
            ask(Answer(200, GZIP, gzip.compress(BODY)[:cut]))

    def test_a_bomb_is_given_up(self) -> None:
        bomb = gzip.compress(b"{" + b" " * (parsing.ALWAYS_ALLOWED + 1000))
        with pytest.raises(InvalidResponseError, match=r"rejected.*URL.*connection") as caught:
            ask(Answer(200, GZIP, bomb))
        assert not isinstance(caught.value, InvalidJSONError)
        assert caught.value.method == "GET"

    def test_errors_may_be_packed(self) -> None:
        packed = gzip.compress(b'{"error": "not you"}')
        with pytest.raises(PermissionDeniedError, match="not you") as caught:
            ask(Answer(403, GZIP, packed))
        assert caught.value.response.text == '{"error": "not you"}'

    def test_of_an_error_no_more_than_the_beginning_is_unpacked(self) -> None:
        with pytest.raises(BadRequestError) as caught:
            ask(Answer(400, GZIP, gzip.compress(b"x" * 50_000_000)))
        assert caught.value.response.text == "x" * 65_536


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.usefixtures("unmeasured")
def test_a_bomb_takes_no_more_memory_than_it_may() -> None:
    bomb = gzip.compress(bytes(400 << 20))
    code = (
        "import sys\n"
        "from hatcher.api import BroodClient\n"
        "from hatcher.errors import InvalidResponseError\n"
        "client = BroodClient.from_url(sys.argv[1], cache=False)\n"
        "try:\n"
        "    client.list_platforms()\n"
        "except InvalidResponseError as error:\n"
        "    print(type(error).__name__)\n"
        "print(open('/proc/self/status').read())\n"
    )
    with ScriptedServer(Answer(200, GZIP, bomb)) as server:
        done = subprocess.run([sys.executable, "-c", code, server.url], capture_output=True)
    said = done.stdout.decode()
    assert said.startswith("InvalidResponseError")
    found = re.search(r"VmHWM:\s+(\d+) kB", said)
    assert found is not None
    assert int(found[1]) < 250_000  # of the 400 MB that there would be


class TestOtherShapes:
    @pytest.mark.parametrize("method", ["egg_index", "list_eggs"])
    @pytest.mark.parametrize("body", [b"[]", b"3", b"null", b'"eggs"'])
    def test_an_index_is_an_object(self, method: str, body: bytes) -> None:
        with pytest.raises(InvalidJSONError, match="JSON object"):
            ask(Answer(200, JSON, body), method)

    def test_its_entries_are_objects(self) -> None:
        answer = Answer(200, JSON, b'{"nose-1.0-1.egg": "cp311"}')
        with pytest.raises(InvalidJSONError, match=r"'nose-1\.0-1\.egg'"):
            ask(answer, "list_eggs")
        assert ask(answer) == {"nose-1.0-1.egg": "cp311"}  # who asks for all gets all

    def test_a_python_tag_may_be_missing(self) -> None:
        answer = Answer(200, JSON, b'{"b-1-1.egg": {}, "a-1-1.egg": {"python_tag": "py3"}}')
        assert ask(answer, "list_eggs") == [
            {"name": "b-1-1.egg", "python_tag": None},
            {"name": "a-1-1.egg", "python_tag": "py3"},
        ]

    def test_what_is_nested_too_deeply_is_no_json(self) -> None:
        with pytest.raises(InvalidJSONError):
            ask(Answer(200, JSON, b'{"a":' * 50_000 + b"1" + b"}" * 50_000))

    def test_an_html_page_is_told_by_its_title(self) -> None:
        page = b"<html><head><title>Please log in</title></head></html>"
        with pytest.raises(InvalidJSONError, match="'Please log in'"):
            ask(Answer(200, {"Content-Type": "text/html"}, page))
