"""Redirects: which are followed, and where odd Locations lead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from hatcher.api import BroodClient
from hatcher.errors import HatcherException, InvalidResponseError, RedirectError
from hatcher.testing import Answer, ScriptedServer
from hatcher.testing.faults import Request as Incoming
from hatcher.transport.redirects import MAX_REDIRECTS, resolved
from hatcher.transport.request import Request, Safety

from .common import PLATFORMS, SECRET
from .tls_server import TLSServer

pytestmark = pytest.mark.sampled(3)


Make = Callable[..., BroodClient]


def default(url: str) -> BroodClient:
    return BroodClient.from_url(url, ("ada", SECRET), api_version=1, retries=0)


def through_httpx(url: str) -> BroodClient:
    own = httpx.Client(auth=("ada", SECRET), trust_env=False)
    return BroodClient.from_session(url, own, api_version=1, retries=0)


both = pytest.mark.parametrize("make", [default, through_httpx])


def sent_on(status: int, location: str, *, method: str = "GET", make: Make = default) -> list[Any]:
    """What a server is asked that answers the first request of a method with a redirect."""
    safety: Safety = "ambiguous" if method == "POST" else "idempotent"
    request = Request("v1_test", method, "/api/v1/json/a/b", safety, json={"a": "b"})
    if method == "GET":
        request = request._replace(json=None)
    # Answers' headers are written as Latin-1.
    away = Answer(status, {"Location": location.encode().decode("latin-1")})
    with ScriptedServer(away, PLATFORMS) as server, make(server.url) as client:
        client._session.send(request)
        return server.requests


class TestMethods:
    @both
    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_put_and_delete_stay_what_they_are(self, make: Make, method: str, status: int) -> None:
        first, second = sent_on(status, "/x", method=method, make=make)
        assert (second.method, second.target, second.body) == (method, "/x", first.body)
        assert second.body == b'{"a":"b"}'
        assert second.headers["content-type"] == "application/json"
        assert second.headers["authorization"] == first.headers["authorization"]

    @both
    @pytest.mark.parametrize("status", [307, 308])
    def test_post_is_sent_on_where_it_stays_one(self, make: Make, status: int) -> None:
        first, second = sent_on(status, "/x", method="POST", make=make)
        assert (second.method, second.body) == ("POST", first.body)

    @both
    @pytest.mark.parametrize(
        ("method", "status"),
        [("POST", 301), ("POST", 302), ("POST", 303), ("PUT", 303), ("DELETE", 303)],
    )
    def test_none_becomes_a_get(self, make: Make, method: str, status: int) -> None:
        with pytest.raises(RedirectError, match="into a GET"):
            sent_on(status, "/x", method=method, make=make)

    @both
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_get_is_sent_on(self, make: Make, status: int) -> None:
        _, second = sent_on(status, "/x", make=make)
        assert (second.method, second.target) == ("GET", "/x")

    @both
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_only_a_get_goes_elsewhere(self, make: Make, method: str, status: int) -> None:
        with ScriptedServer(PLATFORMS) as other:
            with pytest.raises(RedirectError):
                sent_on(status, other.url, method=method, make=make)
            assert other.connections == 0

    @both
    @pytest.mark.parametrize("status", [300, 304, 305, 306, 310, 399])
    def test_other_statuses_are_no_redirects(self, make: Make, status: int) -> None:
        if status == 304:
            first = sent_on(status, "/x", make=make)
            assert len(first) == 1
            return
        with pytest.raises(HatcherException, match=str(status)):
            sent_on(status, "/x", make=make)

    @both
    def test_there_is_an_end(self, make: Make) -> None:
        with ScriptedServer(Answer(302, {"Location": "/again"})) as server:
            with make(server.url) as client, pytest.raises(RedirectError, match="more than"):
                client.list_platforms()
            assert len(server.requests) == MAX_REDIRECTS + 1


class TestOddLocations:
    @both
    @pytest.mark.parametrize(
        ("location", "target"),
        [
            ("/x#fragment", "/x"),
            ("#fragment", "/api/v1/json/a/b"),
            ("/x?q=1#fragment?y", "/x?q=1"),
            ("?q=1", "/api/v1/json/a/b?q=1"),
            ("c", "/api/v1/json/a/c"),
            ("./c", "/api/v1/json/a/c"),
            ("../c", "/api/v1/json/c"),
            ("../../../../../../c", "/c"),
            ("/", "/"),
            ("/a b", "/a%20b"),
            ("/a%20b", "/a%20b"),
            ("/ü/日本", "/%C3%BC/%E6%97%A5%E6%9C%AC"),
            ("/x?ü=ü", "/x?%C3%BC=%C3%BC"),
            ("/%C3%BC", "/%C3%BC"),
            ('/"<>^`{|}', "/%22%3C%3E%5E%60%7B%7C%7D"),
            ("/x?a=b&c=d%26e+f", "/x?a=b&c=d%26e+f"),
            ("/x;y=1", "/x;y=1"),
        ],
    )
    def test_on_the_same_server(self, make: Make, location: str, target: str) -> None:
        assert [request.target for request in sent_on(302, location, make=make)][1:] == [target]

    def test_what_is_no_utf_8_is_kept(self) -> None:
        away = Answer(302, {"Location": "/caf\xe9\x85"})
        with ScriptedServer(away, PLATFORMS) as server, default(server.url) as client:
            client.list_platforms()
            assert server.requests[1].target == "/caf%E9%85"

    @both
    def test_as_long_as_a_head_may_be(self, make: Make) -> None:
        long = "/" + "x" * 60_000
        assert sent_on(302, long, make=make)[1].target == long

    @pytest.mark.parametrize("size", [64 * 1024, 100 * 1024])
    def test_longer_than_a_head_may_be(self, size: int) -> None:
        with pytest.raises(InvalidResponseError) as caught:
            sent_on(302, "/" + "x" * size)
        assert len(str(caught.value)) < 1000

    @both
    @pytest.mark.parametrize("how", ["absolute", "without a scheme", "upper case"])
    def test_on_another_server(self, make: Make, how: str) -> None:
        with ScriptedServer(PLATFORMS) as other:
            location = {
                "absolute": f"{other.url}/x?q=1#f",
                "without a scheme": f"{other.url.removeprefix('http:')}/x?q=1",
                "upper case": f"HTTP{other.url.removeprefix('http')}/x?q=1",
            }[how]
            sent_on(302, location, make=make)
            (request,) = other.requests
        assert request.target == "/x?q=1"
        assert "authorization" not in request.headers

    @both
    @pytest.mark.parametrize(
        "location",
        [
            "http://[::1",
            "http://[::1/x",
            "http://[zz]/x",
            "http://127.0.0.1:99999/x",
            "http://127.0.0.1:-1/x",
            "http://127.0.0.1:+80/x",
            "http://127.0.0.1:0/x",
            "http://127.0.0.1:٨٠/x",
            "http://127.0.0.1:x/x",
            "ftp://127.0.0.1/x",
            "mailto:ada@example.com",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:,x",
            "https:///x",
            "http://ada:abracadabra@127.0.0.1/x",
            "//ada:abracadabra@127.0.0.1/x",
            "http://ada@127.0.0.1/x",
            "http://exa mple.invalid/x",
            "http://exa%20mple.invalid/x",
            "http://-€-.invalid/x",
            "//ada:abracadabra@[::1/x",
        ],
    )
    def test_what_leads_nowhere(self, make: Make, location: str) -> None:
        with pytest.raises(RedirectError) as caught:
            sent_on(302, location, make=make)
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize(
        "location", ["", "/a\tb", "/a\x01b", "/a\x7fb", "/a\xc2\x85b", "\x1b[31m"]
    )
    def test_control_characters_and_nothing(self, location: str) -> None:
        away = Answer(302, {"Location": location})
        with (
            ScriptedServer(away, PLATFORMS) as server,
            default(server.url) as client,
            pytest.raises(RedirectError) as caught,
        ):
            client.list_platforms()
        assert str(caught.value).isprintable()
        assert len(server.requests) == 1

    @pytest.mark.parametrize("raw", [b"/a\rb", b"/a\0b", b"/a\r\n\tb"])
    def test_what_no_head_may_hold(self, raw: bytes) -> None:
        away = Answer(raw=b"HTTP/1.1 302 Found\r\nLocation: " + raw + b"\r\n\r\n")
        with ScriptedServer(away, PLATFORMS) as server, default(server.url) as client:
            if b"\t" in raw:  # folded
                client.list_platforms()
                assert server.requests[1].target == "/a%20b"
                return
            with pytest.raises(InvalidResponseError):
                client.list_platforms()

    def test_two_of_them(self) -> None:
        raw = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: //b:x\r\n\r\n"
        with (
            ScriptedServer(Answer(raw=raw), PLATFORMS) as server,
            default(server.url) as client,
        ):
            client.list_platforms()
            assert server.requests[1].target == "/a,%20//b:x"

    def test_none_is_the_error_of_its_status(self) -> None:
        with (
            ScriptedServer(Answer(302)) as server,
            default(server.url) as client,
            pytest.raises(HatcherException, match="302"),
        ):
            client.list_platforms()

    def test_the_query_of_a_refused_one_is_not_shown(self) -> None:
        location = f"ftp://other.invalid/x?signature={SECRET}#{SECRET}"
        with pytest.raises(RedirectError, match=r"ftp://other\.invalid/x'") as caught:
            sent_on(302, location)
        assert SECRET not in str(caught.value)


class TestTLS:
    """Where encryption begins, it goes on."""

    def secure(self, folder: Path, location: str) -> TLSServer:
        """Return a server with TLS, which sends on what it is asked, and answers it elsewhere."""

        def answer(request: Incoming) -> Answer:
            moved = request.target.startswith("/api")
            return Answer(302, {"Location": location}) if moved else PLATFORMS

        return TLSServer(answer, tls=True, folder=folder)

    def list_platforms(self, url: str, folder: Path) -> list[str]:
        pem = folder / "authority.pem"
        with BroodClient.from_url(url, ("ada", SECRET), verify_ssl=pem, retries=0) as client:
            return client.list_platforms()

    def test_there(self, tmp_path: Path) -> None:
        with self.secure(tmp_path, "/caf\xc3\xa9#x") as server:
            assert self.list_platforms(server.url, tmp_path) == ["rh8-x86_64"]

    def test_to_it(self, tmp_path: Path) -> None:
        with (
            self.secure(tmp_path, "") as secure,
            ScriptedServer(Answer(307, {"Location": f"{secure.url}/x"})) as server,
        ):
            assert self.list_platforms(server.url, tmp_path) == ["rh8-x86_64"]

    def test_not_away_from_it(self, tmp_path: Path) -> None:
        with (
            ScriptedServer(PLATFORMS) as server,
            self.secure(tmp_path, f"{server.url}/x") as secure,
        ):
            with pytest.raises(RedirectError, match="not encrypted"):
                self.list_platforms(secure.url, tmp_path)
            assert server.connections == 0


def test_an_international_host_is_gone_to_by_its_other_name() -> None:
    origin, target = resolved("http://a.invalid/b", "//Bücher.invalid:81/ü")
    assert (origin, target) == (("http", "xn--bcher-kva.invalid", 81), "/%C3%BC")
