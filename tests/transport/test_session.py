"""The session on real sockets: what goes out, clients of the user's own, and the end."""

import gc
import time

import httpx
import pytest

from hatcher import __version__
from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth
from hatcher.errors import HatcherException, NotFoundError, PermissionDeniedError, RedirectError
from hatcher.testing import Answer, ScriptedServer

from .common import JSON, PAIR, PLATFORMS, scripted, token

TOKEN = BroodBearerTokenAuth("token")


class Peer(ScriptedServer):
    """A server that knows whether somebody is still connected."""

    def wait_until_alone(self) -> None:
        deadline = time.monotonic() + 60
        while self._open:
            assert time.monotonic() < deadline, "a connection stays open"
            time.sleep(0.001)


class TestTheEnd:
    @pytest.mark.parametrize("auth", [None, TOKEN, "exchanged", PAIR])
    def test_who_is_forgotten_has_no_connections(self, auth):
        """At once: programs that make many clients may not look for garbage for long."""
        with Peer(*([token("once")] if auth == "exchanged" else []), PLATFORMS) as server:
            if auth == "exchanged":
                auth = BroodClientAuth(server.url, PAIR)
            client = BroodClient.from_url(server.url, auth=auth)
            gc.disable()
            try:
                client.list_platforms()
                assert server.connections == 1
                del client
                server.wait_until_alone()
            finally:
                gc.enable()

    def test_a_place_keeps_the_connections(self):
        with Peer(PLATFORMS) as server:
            client = BroodClient.from_url(server.url)
            client.list_platforms()
            place = client.organization("acme")
            del client
            assert BroodClient(place._session).list_platforms() == ["rh8-x86_64"]
            assert server.connections == 1
            del place
            server.wait_until_alone()

    def test_a_closed_client_says_so(self, brood_server):
        client = brood_server.client()
        organization = client.organization("acme")
        client.close()
        client.close()
        with pytest.raises(HatcherException, match="closed"):
            organization.list_repositories()


class TestWhatGoesOut:
    def test_user_agent_and_path_prefix(self):
        with ScriptedServer(PLATFORMS) as server:
            with BroodClient.from_url(f"{server.url}/some/where/", auth=TOKEN) as client:
                client.list_platforms()
            (request,) = server.requests
        assert request.target == "/some/where/api/v0/json/metadata/platforms"
        assert request.headers["user-agent"].startswith(f"hatcher/{__version__} ")
        assert request.headers["authorization"] == "Bearer token"

    @pytest.mark.parametrize("auth", [None, TOKEN])
    def test_netrc_changes_nothing(self, auth, tmp_path, monkeypatch):
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password evil\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        with scripted(PLATFORMS, auth=auth) as (server, client):
            client.list_platforms()
            seen = server.requests[0].headers.get("authorization")
        assert seen == (None if auth is None else "Bearer token")

    def test_names_are_quoted_wholly(self):
        with scripted(Answer(204)) as (server, client):
            platform = client.organization("a/b").repository("c d").platform("p?q#r")
            platform.delete_egg("cp311", "../x", "1+2%3")
            (request,) = server.requests
        assert request.target == (
            "/api/v1/json/data/a%2Fb/c%20d/p%3Fq%23r/cp311/eggs/..%2Fx/1%2B2%253?force=False"
        )

    def test_a_url_with_credentials_authenticates(self, brood_server):
        user, password = brood_server.admin_email.replace("@", "%40"), brood_server.admin_password
        url = brood_server.url.replace("://", f"://{user}:{password}@")
        with BroodClient.from_url(url) as client:
            assert client.list_organizations() == []


class TestAClientOfOnesOwn:
    def test_it_is_used_as_it_is_and_left_open(self):
        with ScriptedServer(PLATFORMS) as server, httpx.Client(auth=PAIR) as own:
            with BroodClient.from_session(server.url, own) as client:
                client.list_platforms()
            assert not own.is_closed
            (request,) = server.requests
        assert request.headers["authorization"].startswith("Basic ")
        assert request.headers["user-agent"].startswith("hatcher/")

    def test_it_follows_no_redirect_that_hatcher_would_not(self):
        away = Answer(302, {"Location": "/elsewhere"})
        with ScriptedServer(away) as server, httpx.Client(follow_redirects=True) as own:
            client = BroodClient.from_session(server.url, own)
            with pytest.raises(RedirectError, match="into a GET"):
                client.create_organization("acme", "-")
            assert len(server.requests) == 1

    def test_advice_needs_no_second_connection(self):
        known = Answer(200, JSON, b'{"organizations": ["acme"]}')
        limits = httpx.Limits(max_connections=1)
        with (
            ScriptedServer(Answer(404, JSON, b'{"error": "no acne"}'), known) as server,
            httpx.Client(limits=limits, timeout=httpx.Timeout(60, pool=5)) as own,
            pytest.raises(NotFoundError, match="'acme'"),
        ):
            BroodClient.from_session(server.url, own).organization("acne").list_repositories()


def test_an_explanation_that_is_cut_does_not_hide_the_status():
    refused = Answer(403, JSON, b'{"error": "You may not do that."}', cut=10)
    with (
        scripted(refused) as (_, client),
        pytest.raises(PermissionDeniedError, match="403 Forbidden"),
    ):
        client.list_platforms()
