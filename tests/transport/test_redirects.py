"""Redirects: which are followed, and where odd Locations lead."""

from __future__ import annotations

from typing import Any

import pytest

from hatcher.errors import HatcherException, InvalidResponseError, RedirectError
from hatcher.testing import Answer, ScriptedServer
from hatcher.transport.redirects import MAX_REDIRECTS, resolved
from hatcher.transport.request import Request, Safety

from .common import PAIR, PLATFORMS, SECRET, Make, both, default, scripted
from .proxying import TLSServer

pytestmark = pytest.mark.sampled(3)


def sent_on(status: int, location: str, *, method: str = "GET", make: Make = default) -> list[Any]:
    """What a server is asked that answers the first request of a method with a redirect."""
    safety: Safety = "ambiguous" if method == "POST" else "idempotent"
    request = Request("v1_test", method, "/api/v1/json/a/b", safety, json={"a": "b"})
    if method == "GET":
        request = request._replace(json=None)
    # Answers' headers are written as Latin-1.
    away = Answer(status, {"Location": location.encode().decode("latin-1")})
    auth = PAIR if make is default else None
    with scripted(away, PLATFORMS, auth=auth, make=make) as (server, client):
        client._session.send(request)
        return server.requests


@both
class TestMethods:
    @pytest.mark.parametrize(
        ("method", "status"),
        [
            *((method, status) for method in ("PUT", "DELETE") for status in (301, 302, 307, 308)),
            *(("POST", status) for status in (307, 308)),
            *(("GET", status) for status in (301, 302, 303, 307, 308)),
        ],
    )
    def test_what_is_sent_on_stays_what_it_is(self, make, method, status):
        first, second = sent_on(status, "/x", method=method, make=make)
        assert (second.method, second.target, second.body) == (method, "/x", first.body)
        assert second.body == (b"" if method == "GET" else b'{"a":"b"}')
        for name in ("content-type", "authorization"):
            assert second.headers.get(name) == first.headers.get(name)

    @pytest.mark.parametrize(
        ("method", "status"),
        [("POST", 301), ("POST", 302), ("POST", 303), ("PUT", 303), ("DELETE", 303)],
    )
    def test_none_becomes_a_get(self, make, method, status):
        with pytest.raises(RedirectError, match="into a GET"):
            sent_on(status, "/x", method=method, make=make)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_only_a_get_goes_elsewhere(self, make, method, status):
        with ScriptedServer(PLATFORMS) as other:
            with pytest.raises(RedirectError):
                sent_on(status, other.url, method=method, make=make)
            assert other.connections == 0

    @pytest.mark.parametrize("status", [300, 305, 306, 310, 399])
    def test_other_statuses_are_no_redirects(self, make, status):
        with pytest.raises(HatcherException, match=str(status)):
            sent_on(status, "/x", make=make)
        assert len(sent_on(304, "/x", make=make)) == 1

    def test_there_is_an_end(self, make):
        with scripted(Answer(302, {"Location": "/again"}), make=make) as (server, client):
            with pytest.raises(RedirectError, match="more than"):
                client.list_platforms()
            assert len(server.requests) == MAX_REDIRECTS + 1


class TestOddLocations:
    @both
    @pytest.mark.parametrize(
        ("location", "target"),
        [
            ("#fragment", "/api/v1/json/a/b"),
            ("/x?q=1#fragment?y", "/x?q=1"),
            ("?q=1", "/api/v1/json/a/b?q=1"),
            ("./c", "/api/v1/json/a/c"),
            ("../c", "/api/v1/json/c"),
            ("../../../../../../c", "/c"),
            ("/", "/"),
            ("/a b", "/a%20b"),
            ("/a%20b", "/a%20b"),
            ("/ü/日本", "/%C3%BC/%E6%97%A5%E6%9C%AC"),
            ("/x?ü=ü", "/x?%C3%BC=%C3%BC"),
            ('/"<>^`{|}', "/%22%3C%3E%5E%60%7B%7C%7D"),
            ("/x;y=1?a=b&c=d%26e+f", "/x;y=1?a=b&c=d%26e+f"),
            pytest.param("/" + "x" * 60_000, "/" + "x" * 60_000, id="long"),
        ],
    )
    def test_on_the_same_server(self, make, location, target):
        assert [request.target for request in sent_on(302, location, make=make)][1:] == [target]

    @both
    @pytest.mark.parametrize("start", ["http:", "", "HTTP:"])
    def test_on_another_server(self, make, start):
        with ScriptedServer(PLATFORMS) as other:
            sent_on(302, f"{start}{other.url.removeprefix('http:')}/x?q=1#f", make=make)
            (request,) = other.requests
        assert request.target == "/x?q=1"
        assert "authorization" not in request.headers

    @both
    @pytest.mark.parametrize(
        "location",
        [
            "http://[::1/x",
            "http://[zz]/x",
            "http://127.0.0.1:99999/x",
            "http://127.0.0.1:+80/x",
            "http://127.0.0.1:0/x",
            "http://brood..example/x",
            "http://127.0.0.1:٨٠/x",
            "http://127.0.0.1:x/x",
            "ftp://127.0.0.1/x",
            "mailto:ada@example.com",
            "data:,x",
            "https:///x",
            f"http://ada:{SECRET}@127.0.0.1/x",
            "http://ada@127.0.0.1/x",
            "http://exa%20mple.invalid/x",
            "http://-€-.invalid/x",
            f"//ada:{SECRET}@[::1/x",
        ],
    )
    def test_what_leads_nowhere(self, make, location):
        with pytest.raises(RedirectError) as caught:
            sent_on(302, location, make=make)
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize(
        ("lines", "outcome"),
        [
            (b"Location: /caf\xe9\x85", "/caf%E9%85"),
            (b"Location: /a\r\n\tb", "/a%20b"),
            (b"Location: /a\r\nLocation: //b:x", "/a,%20//b:x"),
            (b"Location: /a\rb", InvalidResponseError),
            (b"Location: /a\0b", InvalidResponseError),
            pytest.param(b"Location: /" + b"x" * (64 << 10), InvalidResponseError, id="too long"),
            (b"Location: ", RedirectError),
            (b"Location: /a\tb", RedirectError),
            (b"Location: /a\x01b", RedirectError),
            (b"Location: /a\x7fb", RedirectError),
            (b"Location: /a\xc2\x85b", RedirectError),
            (b"Location: \x1b[31m", RedirectError),
            (b"X: none", HatcherException),
        ],
    )
    def test_what_heads_may_hold(self, lines, outcome):
        away = Answer(raw=b"HTTP/1.1 302 Found\r\n" + lines + b"\r\n\r\n")
        with scripted(away, PLATFORMS) as (server, client):
            if isinstance(outcome, str):
                client.list_platforms()
                assert server.requests[1].target == outcome
                return
            with pytest.raises(outcome) as caught:
                client.list_platforms()
            assert len(server.requests) == 1
        assert str(caught.value).replace("\n", " ").isprintable()
        assert len(str(caught.value)) < 1000

    def test_the_query_of_a_refused_one_is_not_shown(self):
        location = f"ftp://other.invalid/x?signature={SECRET}#{SECRET}"
        with pytest.raises(RedirectError, match=r"ftp://other\.invalid/x'") as caught:
            sent_on(302, location)
        assert SECRET not in str(caught.value)

    def test_an_international_host_is_gone_to_by_its_other_name(self):
        origin, target = resolved("http://a.invalid/b", "//Bücher.invalid:81/ü")
        assert (origin, target) == (("http", "xn--bcher-kva.invalid", 81), "/%C3%BC")


@pytest.mark.sampled(1)
@pytest.mark.parametrize("way", ["there", "to it", "away from it"])
def test_where_encryption_begins_it_goes_on(way, pem):
    with ScriptedServer(PLATFORMS) as plain:
        location = {"there": "/caf\xc3\xa9#x", "to it": "", "away from it": f"{plain.url}/x"}[way]
        answers = (
            [PLATFORMS] if way == "to it" else [Answer(302, {"Location": location}), PLATFORMS]
        )
        with TLSServer(*answers) as secure:
            away = Answer(307, {"Location": f"{secure.url}/x"})
            with (
                ScriptedServer(away) as first,
                default((first if way == "to it" else secure).url, PAIR, verify_ssl=pem) as client,
            ):
                if way != "away from it":
                    assert client.list_platforms() == ["rh8-x86_64"]
                    return
                with pytest.raises(RedirectError, match="not encrypted"):
                    client.list_platforms()
                assert plain.connections == 0
