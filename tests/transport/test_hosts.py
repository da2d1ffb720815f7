"""Hosts beyond plain names: what is connected to, what Host says, and what certificates are for.

Names are looked up by what stands for the name server; the connections are real.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import trustme

from hatcher.api import BroodClientAuth
from hatcher.errors import RedirectError, TLSError
from hatcher.testing import Answer, ScriptedServer

from .proxying import ASKERS, PLATFORMS, Ask, TLSServer, ask, ask_awaiting, cleared, server_context

#: As given, as looked up, as in Host, and as a certificate names it.
HOSTS = [
    ("bücher.example", "xn--bcher-kva.example", None, None),
    ("B%C3%BCcher.Example", "xn--bcher-kva.example", None, None),
    ("brood.example.", "brood.example.", None, "brood.example"),
    ("[fe80::1%25eth9]", "fe80::1%eth9", "[fe80::1]", "fe80::1"),
    ("[fe80::1%eth9]", "fe80::1%eth9", "[fe80::1]", "fe80::1"),
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


#: What stands in a host with its port, beside letters.
_SIGNS = "[]:%."


#: What anyio connects to without looking it up.
ADDRESS = ("[2001:DB8::1]", "2001:db8::1", "[2001:db8::1]", None)
CASES = [(ask, *host) for ask in ASKERS for host in HOSTS] + [
    (ask, *ADDRESS) for ask in ASKERS if ask is not ask_awaiting
]


@pytest.mark.parametrize(("ask", "given", "looked_up", "sent", "certified"), CASES)
class TestHosts:
    def test_without_tls(
        self,
        asked: list[str],
        ask: Ask,
        given: str,
        looked_up: str,
        sent: str | None,
        certified: str | None,
    ) -> None:
        with ScriptedServer(Answer(raw=PLATFORMS)) as server:
            port = server.url.rpartition(":")[2]
            assert ask(f"http://{given}:{port}") == ["rh8-x86_64"]
            assert server.requests[0].headers["host"] == f"{sent or looked_up}:{port}"
        assert set(asked) == {looked_up}

    def test_with_tls(
        self,
        asked: list[str],
        ask: Ask,
        given: str,
        looked_up: str,
        sent: str | None,
        certified: str | None,
        tmp_path: Path,
    ) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        name = certified or looked_up
        with TLSServer(server_context(authority, name)) as server:
            url = f"https://{given}:{server.port}"
            assert ask(url, verify_ssl=tmp_path / "authority.pem") == ["rh8-x86_64"]
            assert f"\r\nhost: {sent or looked_up}:{server.port}\r\n" in server.heads[0].lower()
            assert server.names == [None if ":" in name else name]
        with TLSServer(server_context(authority, "other.example")) as server:
            url = f"https://{given}:{server.port}"
            with pytest.raises((TLSError, httpx.ConnectError), match="mismatch"):
                ask(url, verify_ssl=tmp_path / "authority.pem")


@pytest.mark.parametrize("given", [host[0] for host in (*HOSTS, ADDRESS)])
def test_redirects_and_tokens_know_the_same_host(asked: list[str], given: str) -> None:
    """However it is written, it is the same server, which may see credentials."""
    token = Answer(200, {"Content-Type": "application/json"}, json.dumps({"token": "t"}).encode())

    def moved(request: Any) -> Answer:
        place = f"{given}:{port}".upper().replace("ETH", "eth")
        return Answer(307, {"Location": f"http://{quote(place, safe=_SIGNS)}/moved"})

    with ScriptedServer(token, moved, Answer(raw=PLATFORMS)) as server:
        port = server.url.rpartition(":")[2]
        url = f"http://{given}:{port}"
        assert ask(url, auth=BroodClientAuth(url, ("ada", "x"))) == ["rh8-x86_64"]
        assert [request.target for request in server.requests[2:]] == ["/moved"]
        assert server.requests[2].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "location",
    ["http://brood.example:0/x", "http://brood..example/x", "http://brood.example:99999/x"],
)
def test_a_redirect_to_no_host_is_an_error(asked: list[str], location: str) -> None:
    with (
        ScriptedServer(Answer(307, {"Location": location})) as server,
        pytest.raises(RedirectError, match="not a valid web address"),
    ):
        ask(server.url)
