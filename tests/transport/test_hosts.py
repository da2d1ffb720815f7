"""Hosts beyond plain names: what is connected to, what Host says, and what certificates are for.

Names are looked up by what stands for the name server; the connections are real.
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from hatcher.api import BroodClientAuth
from hatcher.errors import TLSError
from hatcher.testing import Answer, ScriptedServer

from .common import PLATFORMS, token
from .proxying import TLSServer, ask, cleared, server_context

#: As given, as looked up, as in Host, and as a certificate names it.
HOSTS = [
    ("bücher.example", "xn--bcher-kva.example", None, None),
    ("B%C3%BCcher.Example", "xn--bcher-kva.example", None, None),
    ("brood.example.", "brood.example.", None, "brood.example"),
    ("[fe80::1%25eth9]", "fe80::1%eth9", "[fe80::1]", "fe80::1"),
    ("[fe80::1%eth9]", "fe80::1%eth9", "[fe80::1]", "fe80::1"),
    ("[2001:DB8::1]", "2001:db8::1", "[2001:db8::1]", None),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every host is this one; return which were looked up."""
    cleared(monkeypatch)
    hosts: list[str] = []
    look_up = socket.getaddrinfo

    def answer(host: str | bytes, port: int, family: int = 0, *args: Any, **options: Any) -> Any:
        hosts.append(host if isinstance(host, str) else host.decode())
        return look_up("127.0.0.1", port, socket.AF_INET, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return hosts


@pytest.mark.parametrize("sends", ["graph", "raw", "httpx", "async raw"])
@pytest.mark.parametrize(("given", "looked_up", "sent", "certified"), HOSTS)
def test_all_know_the_same_host(asked, sends, given, looked_up, sent, certified, pem):
    if (sends, certified) == ("async raw", None) and ":" in given:
        pytest.skip("anyio connects to it without looking it up")
    name = certified or looked_up
    wrong = TLSServer(context=server_context("other.example"))
    with (
        ScriptedServer(PLATFORMS) as plain,
        TLSServer(context=server_context(name)) as safe,
        wrong,
    ):
        port = plain.url.rpartition(":")[2]
        assert ask(f"http://{given}:{port}", sends) == ["rh8-x86_64"]
        assert plain.requests[0].headers["host"] == f"{sent or looked_up}:{port}"
        assert ask(f"https://{given}:{safe.port}", sends, verify_ssl=pem) == ["rh8-x86_64"]
        assert safe.requests[0].headers["host"] == f"{sent or looked_up}:{safe.port}"
        assert safe.names == [None if ":" in name else name]
        with pytest.raises((TLSError, httpx.ConnectError), match="mismatch"):
            ask(f"https://{given}:{wrong.port}", sends, verify_ssl=pem)
    assert set(asked) == {looked_up}


@pytest.mark.parametrize("given", [host[0] for host in HOSTS])
def test_redirects_and_tokens_know_the_same_host(asked, given):
    """However it is written, it is the same server, which may see credentials."""

    def moved(request: Any) -> Answer:
        place = f"{given}:{port}".upper().replace("ETH", "eth")
        return Answer(307, {"Location": f"http://{quote(place, safe='[]:%.')}/moved"})

    with ScriptedServer(token("t"), moved, PLATFORMS) as server:
        port = server.url.rpartition(":")[2]
        url = f"http://{given}:{port}"
        assert ask(url, auth=BroodClientAuth(url, ("ada", "x"))) == ["rh8-x86_64"]
        assert [request.target for request in server.requests[2:]] == ["/moved"]
        assert server.requests[2].headers["authorization"] == "Bearer t"
