"""The things that misbehave do so as announced, as seen by a client that no one here wrote."""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from hatcher.testing import Answer, Fault, FaultProxy, FaultyGateway, ScriptedServer

BODY = bytes(range(256)) * 8000  # 2 MB: more than the buffers of a socket pair hold at once


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


class TestScriptedServer:
    def test_it_answers_in_order_and_repeats_the_last(self):
        with ScriptedServer(Answer(503), Answer(200, body=b"one")) as server:
            with pytest.raises(urllib.error.HTTPError, match="503"):
                get(server.url)
            assert [get(server.url), get(server.url)] == [b"one", b"one"]

    def test_it_keeps_what_it_was_asked(self):
        with ScriptedServer(Answer(201)) as server:
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
            for body in (b"abc", b"defg"):
                connection.request("POST", "/a/b?c=d", body, {"X-Thing": "1"})
                assert connection.getresponse().read() == b""
            connection.close()

            assert server.connections == 1
            assert [request.body for request in server.requests] == [b"abc", b"defg"]
            first = server.requests[0]
            assert (first.method, first.target) == ("POST", "/a/b?c=d")
            assert first.headers["x-thing"] == "1"

    def test_an_answer_made_for_its_request(self):
        with ScriptedServer(lambda request: Answer(body=request.target.encode())) as server:
            assert [get(f"{server.url}/a"), get(f"{server.url}/b")] == [b"/a", b"/b"]

    def test_a_cut_body(self):
        with ScriptedServer(Answer(200, body=BODY, cut=1000)) as server:
            with pytest.raises(http.client.IncompleteRead) as caught:
                get(server.url)
            assert len(caught.value.partial) == 1000

    def test_a_reset(self):
        answer = Answer(200, body=BODY, cut=1000, end="reset")
        with ScriptedServer(answer) as server, pytest.raises(ConnectionResetError):
            get(server.url)

    def test_raw_bytes(self):
        answer = Answer(raw=b"SMTP ready\r\n")
        with (
            ScriptedServer(answer) as server,
            pytest.raises(http.client.BadStatusLine, match="SMTP"),
        ):
            get(server.url)

    def test_after_the_end_nobody_listens(self):
        with ScriptedServer() as server:
            parts = urlsplit(server.url)
            assert server.connections == 0
            with pytest.raises(urllib.error.HTTPError, match="500"):
                get(server.url)
            assert server.connections == 1
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((parts.hostname, parts.port), timeout=10)


class TestFaultProxy:
    @pytest.fixture
    def server(self) -> Iterator[ScriptedServer]:
        with ScriptedServer(Answer(200, body=BODY)) as server:
            yield server

    def test_it_passes_everything_when_told_nothing(self, server):
        with FaultProxy(server.url) as proxy:
            assert get(proxy.url + "/path") == BODY
            assert server.requests[0].target == "/path"

    def test_a_cut_ends_the_body_early(self, server):
        with FaultProxy(server.url, [Fault("cut", after=500_000)]) as proxy:
            with pytest.raises(http.client.IncompleteRead) as caught:
                get(proxy.url)
            assert 0 < len(caught.value.partial) < 500_000
            assert get(proxy.url) == BODY

    def test_a_reset_is_seen_as_one(self, server):
        with FaultProxy(server.url) as proxy:
            proxy.add(Fault("reset", after=500_000))
            with pytest.raises(ConnectionResetError):
                get(proxy.url)
            assert get(proxy.url) == BODY

    def test_a_flip_inverts_one_byte(self, server):
        with FaultProxy(server.url, [Fault("flip", after=500_000)]) as proxy:
            received = get(proxy.url)

        different = [i for i, (a, b) in enumerate(zip(received, BODY, strict=True)) if a != b]
        assert len(different) == 1
        assert received[different[0]] ^ BODY[different[0]] == 0xFF

    def test_a_stall_lets_the_client_wait(self, server):
        with FaultProxy(server.url, [Fault("stall", after=500_000)]) as proxy:
            answer = urllib.request.urlopen(proxy.url, timeout=0.3)
            with pytest.raises(TimeoutError), answer:
                answer.read()

    def test_a_fault_of_the_request(self, server):
        with FaultProxy(server.url, [Fault("reset", after=500_000, direction="up")]) as proxy:
            request = urllib.request.Request(proxy.url, data=BODY, method="POST")
            with pytest.raises((urllib.error.URLError, ConnectionError)):
                urllib.request.urlopen(request, timeout=10)
            assert server.requests == [] or len(server.requests[0].body) < len(BODY)

    @pytest.mark.parametrize("kind", [FaultProxy, FaultyGateway])
    def test_a_url_without_a_port(self, kind):
        with pytest.raises(ValueError, match=r"http://127\."):
            kind("https://example.com")
