"""The session on real sockets: TLS, proxies, session tokens, clients of the user's own."""

import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from hatcher import __version__
from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth, RetryPolicy
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    InvalidJSONError,
    NotFoundError,
    PermissionDeniedError,
    RedirectError,
)
from hatcher.testing import Answer, BroodServer, Request, ScriptedServer
from hatcher.transport import auth as auth_module

from .common import JSON, PLATFORMS, token

PASSWORD = ("ada", "password")


class TestSessionTokens:
    def test_one_is_got_first_and_then_used(self) -> None:
        with ScriptedServer(token("one"), PLATFORMS) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with BroodClient.from_url(server.url, auth=auth) as client:
                client.list_platforms()
                client.list_platforms()
            exchange, *others = server.requests
        assert (exchange.method, exchange.target) == ("POST", "/api/v1/json/auth/tokens/auth")
        assert exchange.headers["authorization"].startswith("Basic ")
        assert exchange.headers["content-length"] == "0"
        assert [request.headers["authorization"] for request in others] == ["Bearer one"] * 2

    def test_a_server_without_version_1_is_asked_at_version_0(self) -> None:
        with ScriptedServer(Answer(404), token("one"), PLATFORMS) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with BroodClient.from_url(server.url, auth=auth) as client:
                client.list_platforms()
            targets = [request.target for request in server.requests]
        assert targets == [
            "/api/v1/json/auth/tokens/auth",
            "/api/v0/json/auth/tokens/auth",
            "/api/v0/json/metadata/platforms",
        ]

    def test_an_api_token_is_exchanged_too(self) -> None:
        with ScriptedServer(token("one"), PLATFORMS) as server:
            auth = BroodClientAuth(server.url, "api-token")
            with BroodClient.from_url(server.url, auth=auth) as client:
                client.list_platforms()
            assert server.requests[0].headers["authorization"] == "Bearer api-token"

    def test_one_that_is_refused_is_renewed_once(self) -> None:
        refused = Answer(401, JSON, b'{"error": "expired"}')
        with ScriptedServer(token("one"), PLATFORMS, refused, token("two"), PLATFORMS) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with BroodClient.from_url(server.url, auth=auth) as client:
                client.list_platforms()
                client.list_platforms()
            assert [r.headers["authorization"] for r in server.requests[2:]] == [
                "Bearer one",
                server.requests[0].headers["authorization"],
                "Bearer two",
            ]
        with ScriptedServer(token("one"), PLATFORMS, refused, token("two"), refused) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with BroodClient.from_url(server.url, auth=auth) as client:
                client.list_platforms()
                with pytest.raises(AuthenticationError, match="expired"):
                    client.list_platforms()
            assert len(server.requests) == 5

    def test_it_is_renewed_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with ScriptedServer(token("one"), PLATFORMS, token("two"), PLATFORMS) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with BroodClient.from_url(server.url, auth=auth) as client:
                client.list_platforms()
                now = auth_module.time.monotonic()
                monkeypatch.setattr(auth_module.time, "monotonic", lambda: now + 241)
                client.list_platforms()
            assert server.requests[3].headers["authorization"] == "Bearer two"

    def test_threads_share_one(self, brood_server: BroodServer) -> None:
        auth = BroodClientAuth(
            brood_server.url, (brood_server.admin_email, brood_server.admin_password)
        )
        seen = set()
        with BroodClient.from_url(brood_server.url, auth=auth) as client:

            def ask() -> None:
                client.list_platforms()
                seen.add(auth.authorization())

            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(seen) == 1

    @pytest.mark.parametrize("sends", ["hatcher", "httpx"])
    def test_threads_renew_one_that_has_expired_once(self, sends: str) -> None:
        number = 8
        together = threading.Barrier(number, timeout=60)
        expired = threading.Event()
        exchanged: list[str] = []

        def answer(request: Request) -> Answer:
            if request.method == "POST":
                exchanged.append(f"token-{len(exchanged)}")
                return token(exchanged[-1])
            if request.headers["authorization"] == "Bearer token-0" and expired.is_set():
                together.wait()  # so that each thread is refused with the same token
                return Answer(401, JSON, b'{"error": "expired"}')
            return PLATFORMS

        with ScriptedServer(answer) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with BroodClient.from_url(server.url, auth=auth) as client:
                ask: Callable[[], object] = client.list_platforms
                if sends == "httpx":
                    http = client.raw.get_httpx_client()
                    ask = partial(http.get, "/api/v1/json/metadata/platforms")
                ask()
                expired.set()
                with ThreadPoolExecutor(number) as pool:
                    for asked in [pool.submit(ask) for _ in range(number)]:
                        asked.result()
        assert exchanged == ["token-0", "token-1"]

    def test_a_server_without_tokens_says_what_to_do(self) -> None:
        with ScriptedServer(Answer(404, JSON, b'{"error": "no such path"}')) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with (
                BroodClient.from_url(server.url, auth=auth) as client,
                pytest.raises(HatcherException, match="session tokens"),
            ):
                client.list_platforms()

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"token": 3}', b"{}"])
    def test_an_answer_without_a_token_is_an_error(self, body: bytes) -> None:
        with ScriptedServer(Answer(200, JSON, body)) as server:
            auth = BroodClientAuth(server.url, PASSWORD)
            with (
                BroodClient.from_url(server.url, auth=auth) as client,
                pytest.raises(InvalidJSONError),
            ):
                client.list_platforms()

    @pytest.mark.parametrize(("verify_ssl", "connections"), [(None, 1), (True, 1), (False, 2)])
    def test_one_that_verifies_otherwise_has_its_own_connection(
        self, verify_ssl: bool | None, connections: int
    ) -> None:
        with Peer(token("one"), PLATFORMS) as server:
            auth = BroodClientAuth(server.url, PASSWORD, verify_ssl=verify_ssl)
            with BroodClient.from_url(server.url, auth=auth) as client:
                client.list_platforms()
            assert server.connections == connections
            server.wait_until_alone()

    @pytest.mark.parametrize("verify_ssl", [None, True, False])
    def test_it_goes_through_proxies(
        self, verify_ssl: bool | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_PROXY", raising=False)
        with ScriptedServer(token("one"), PLATFORMS) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            auth = BroodClientAuth("http://brood.invalid", PASSWORD, verify_ssl=verify_ssl)
            with BroodClient.from_url("http://brood.invalid", auth=auth) as client:
                assert client.list_platforms() == ["rh8-x86_64"]
            asked = [request.headers["authorization"].split()[0] for request in proxy.requests]
        assert asked == ["Basic", "Bearer"]


class Peer(ScriptedServer):
    """A server that knows whether somebody is still connected."""

    def wait_until_alone(self) -> None:
        deadline = time.monotonic() + 60
        while self._open:
            assert time.monotonic() < deadline, "a connection stays open"
            time.sleep(0.001)


class TestTheEnd:
    @pytest.mark.parametrize("auth", [None, BroodBearerTokenAuth("token"), "exchanged", PASSWORD])
    def test_who_is_forgotten_has_no_connections(self, auth: Any) -> None:
        """At once: programs that make many clients may not look for garbage for long."""
        with Peer(*([token("once")] if auth == "exchanged" else []), PLATFORMS) as server:
            if auth == "exchanged":
                auth = BroodClientAuth(server.url, PASSWORD)
            client = BroodClient.from_url(server.url, auth=auth)
            gc.disable()
            try:
                client.list_platforms()
                assert server.connections == 1
                del client
                server.wait_until_alone()
            finally:
                gc.enable()

    def test_a_place_keeps_the_connections(self) -> None:
        with Peer(PLATFORMS) as server:
            client = BroodClient.from_url(server.url)
            client.list_platforms()
            place = client.organization("acme")
            del client
            assert BroodClient(place._session).list_platforms() == ["rh8-x86_64"]
            assert server.connections == 1
            del place
            server.wait_until_alone()


class TestWhatGoesOut:
    def test_user_agent_and_path_prefix(self) -> None:
        with ScriptedServer(PLATFORMS) as server:
            auth = BroodBearerTokenAuth("token")
            with BroodClient.from_url(f"{server.url}/some/where/", auth=auth) as client:
                client.list_platforms()
            (request,) = server.requests
        assert request.target == "/some/where/api/v0/json/metadata/platforms"
        assert request.headers["user-agent"].startswith(f"hatcher/{__version__} ")
        assert request.headers["authorization"] == "Bearer token"

    def test_netrc_changes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password evil\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        with ScriptedServer(PLATFORMS) as server:
            for auth in (None, BroodBearerTokenAuth("token")):
                with BroodClient.from_url(server.url, auth=auth) as client:
                    client.list_platforms()
            seen = [request.headers.get("authorization") for request in server.requests]
        assert seen == [None, "Bearer token"]

    def test_proxies_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with ScriptedServer(PLATFORMS) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            monkeypatch.delenv("NO_PROXY", raising=False)
            with BroodClient.from_url("http://brood.invalid") as client:
                assert client.list_platforms() == ["rh8-x86_64"]
            (request,) = proxy.requests
        assert request.target == "http://brood.invalid/api/v0/json/metadata/platforms"

    def test_names_are_quoted_wholly(self) -> None:
        with ScriptedServer(Answer(204)) as server:
            with BroodClient.from_url(server.url) as client:
                platform = client.organization("a/b").repository("c d").platform("p?q#r")
                platform.delete_egg("cp311", "../x", "1+2%3")
            (request,) = server.requests
        assert request.target == (
            "/api/v0/json/data/a%2Fb/c%20d/p%3Fq%23r/cp311/eggs/..%2Fx/1%2B2%253?force=False"
        )


class TestAClientOfOnesOwn:
    def test_it_is_used_as_it_is_and_left_open(self) -> None:
        with ScriptedServer(PLATFORMS) as server, httpx.Client(auth=PASSWORD) as own:
            with BroodClient.from_session(server.url, own) as client:
                client.list_platforms()
            assert not own.is_closed
            (request,) = server.requests
        assert request.headers["authorization"].startswith("Basic ")
        assert request.headers["user-agent"].startswith("hatcher/")

    def test_it_follows_no_redirect_that_hatcher_would_not(self) -> None:
        away = Answer(302, {"Location": "/elsewhere"})
        with ScriptedServer(away) as server, httpx.Client(follow_redirects=True) as own:
            client = BroodClient.from_session(server.url, own)
            with pytest.raises(RedirectError, match="into a GET"):
                client.create_organization("acme", "-")
            assert len(server.requests) == 1

    def test_its_headers_stay_on_the_same_server(self) -> None:
        moved = Answer(307, {"Location": "/brood/api/v0/json/metadata/platforms"})
        with (
            ScriptedServer(moved, PLATFORMS) as server,
            httpx.Client(headers={"Authorization": "Bearer own"}) as own,
        ):
            BroodClient.from_session(server.url, own).list_platforms()
            assert [r.headers["authorization"] for r in server.requests] == ["Bearer own"] * 2

    def test_advice_needs_no_second_connection(self) -> None:
        known = Answer(200, JSON, b'{"organizations": ["acme"]}')
        limits = httpx.Limits(max_connections=1)
        with (
            ScriptedServer(Answer(404, JSON, b'{"error": "no acne"}'), known) as server,
            httpx.Client(limits=limits, timeout=httpx.Timeout(5, pool=1)) as own,
            pytest.raises(NotFoundError, match="'acme'"),
        ):
            BroodClient.from_session(server.url, own).organization("acne").list_repositories()


def test_an_explanation_that_is_cut_does_not_hide_the_status() -> None:
    refused = Answer(403, JSON, b'{"error": "You may not do that."}', cut=10)
    with (
        ScriptedServer(refused) as server,
        BroodClient.from_url(server.url) as client,
        pytest.raises(PermissionDeniedError, match="403 Forbidden"),
    ):
        client.list_platforms()


def test_a_closed_client_says_so(brood_server: BroodServer) -> None:
    client = brood_server.client()
    organization = client.organization("acme")
    client.close()
    client.close()
    with pytest.raises(HatcherException, match="closed"):
        organization.list_repositories()


def test_a_url_with_credentials_authenticates(brood_server: BroodServer) -> None:
    user, password = brood_server.admin_email.replace("@", "%40"), brood_server.admin_password
    url = brood_server.url.replace("://", f"://{user}:{password}@")
    with BroodClient.from_url(url) as client:
        assert client.list_organizations() == []


def test_a_passing_failure_is_not_noticed() -> None:
    with ScriptedServer(Answer(503), Answer(raw=b""), PLATFORMS) as server:
        with BroodClient.from_url(server.url, retries=RetryPolicy(backoff=0.01)) as client:
            assert client.list_platforms() == ["rh8-x86_64"]
        assert len(server.requests) == 3


def test_nothing_is_retried_when_that_is_asked_for() -> None:
    with ScriptedServer(Answer(503), PLATFORMS) as server:
        with (
            BroodClient.from_url(server.url, retries=0) as client,
            pytest.raises(HatcherException, match="503"),
        ):
            client.list_platforms()
        assert len(server.requests) == 1
