"""Headers and callbacks of the user's own, on both channels and on the raw client."""

from __future__ import annotations

import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hatcher.api import (
    BroodBearerTokenAuth,
    BroodClientAuth,
    RequestEvent,
    ResponseEvent,
)
from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    InvalidArgumentError,
    NotConnectedError,
    NotFoundError,
    RedirectError,
)
from hatcher.testing import Answer, ScriptedServer, write_egg

from .common import (
    AT_ONCE,
    BAD_HEADERS,
    JSON,
    NAMED,
    PAIR,
    PLATFORMS,
    SECRET,
    ask,
    both,
    by_each,
    default,
    download,
    platform_of,
    scripted,
    through_httpx,
    token,
)

TEAM = {"X-Team": "build"}


class Log:
    """What the callbacks of a client were given, in order."""

    def __init__(self) -> None:
        self.requests: list[RequestEvent] = []
        self.responses: list[ResponseEvent] = []

    def options(self) -> dict[str, Any]:
        return {"on_request": self.requests.append, "on_response": self.responses.append}

    def statuses(self) -> list[int | None]:
        return [response.status_code for response in self.responses]

    def told(self) -> str:
        """All that the callbacks were told."""
        events: list[Any] = [*self.requests, *self.responses]
        return str(
            [(e, dict(e.headers), getattr(e, "url", ""), getattr(e, "error", "")) for e in events]
        )


class TestHeaders:
    def test_they_go_with_exchanges_and_uploads_and_after_a_redirect_there(self, tmp_path):
        answers = [token("t"), Answer(307, {"Location": "/x"}), Answer(201)]
        headers = {**TEAM, "user-agent": "mine"}
        with scripted(*answers, login=PAIR, headers=headers) as (server, client):
            platform_of(client).upload_egg(write_egg(tmp_path), verify=False)
            sent = [[r.headers[name] for name in ("x-team", "user-agent")] for r in server.requests]
        assert sent == [["build", "mine"]] * 3

    @pytest.mark.parametrize("what", ["redirect", "exchange", "raw"])
    def test_they_do_not_go_elsewhere(self, what):
        with ScriptedServer(token("t") if what == "exchange" else PLATFORMS) as other:
            auth = BroodClientAuth(other.url, PAIR) if what == "exchange" else None
            away = Answer(302, {"Location": f"{other.url}/x"})
            answer = away if what == "redirect" else PLATFORMS
            with scripted(answer, auth=auth, headers=TEAM) as (server, client):
                client.list_platforms()
                assert server.requests[0].headers["x-team"] == "build"
                if what == "raw":
                    client.raw.get_httpx_client().get(other.url)
            assert "x-team" not in other.requests[0].headers

    @pytest.mark.parametrize(
        "headers",
        [
            *({name: value} for name, value in BAD_HEADERS),
            *({name: SECRET} for name in ("Authorization", "Proxy-Authorization", "Range")),
            *({name: SECRET} for name in ("Accept-Encoding", "If-None-Match", "Content-Type")),
            {"X-A": SECRET.encode()},
            {5: SECRET},
            [("X-A", SECRET)],
            SECRET,
        ],
    )
    def test_what_cannot_be_given_is_refused_before_anything_is_sent(self, headers):
        with pytest.raises(InvalidArgumentError) as caught:
            default("http://brood.invalid", headers=headers)
        for name in headers if isinstance(headers, dict) else [type(headers).__name__]:
            assert repr(name)[1:-1] in str(caught.value)
        assert SECRET not in str(caught.value)

    def test_they_survive_with_auth_and_pickling(self):
        with scripted(PLATFORMS, headers=TEAM) as (server, client):
            client.with_auth(BroodBearerTokenAuth("token")).list_platforms()
            pickle.loads(pickle.dumps(client)).list_platforms()
            assert [request.headers["x-team"] for request in server.requests] == ["build"] * 2

    def test_what_is_kept_is_not_for_those_who_send_others(self, tmp_path):
        index = {f"spam-{n}-1.egg": {"name": "spam", "version": str(n)} for n in range(1000)}
        kept = Answer(200, {**JSON, "ETag": '"1"'}, json.dumps(index).encode())
        with ScriptedServer(kept) as server:
            for user in ("ada", "eve", "ada"):
                with default(server.url, headers={"X-User": user}, cache=tmp_path) as client:
                    platform_of(client).egg_index("cp311")
            assert ["if-none-match" in r.headers for r in server.requests] == [False, False, True]


class TestWhatTheyAreTold:
    @pytest.fixture
    def log(self) -> Log:
        return Log()

    @both
    def test_of_a_request_and_its_answer(self, make, log):
        with scripted(PLATFORMS, make=make, **log.options()) as (server, client):
            client.list_platforms()
            (request,), (response,) = log.requests, log.responses
            url = f"{server.url}/api/v1/json/metadata/platforms"
        assert (request.method, request.url) == ("GET", url)
        assert request.operation == "v1_list_platforms"
        assert request.headers["accept"] == request.headers["Accept"] == "application/json"
        assert (response.request, response.status_code, response.error) == (request, 200, None)
        assert response.headers["content-type"] == response.headers["Content-Type"]
        assert 0 <= response.elapsed < 60
        assert repr(request) == f"<RequestEvent v1_list_platforms: GET {url}>"
        assert repr(response) == f"<ResponseEvent 200 to {request!r}>"

    @both
    def test_of_each_try(self, make, log):
        options = {"make": make, "retries": AT_ONCE, **log.options()}
        with scripted(Answer(503), Answer(raw=b""), PLATFORMS, **options) as (_, client):
            client.list_platforms()
        assert log.statuses() == [503, None, 200]
        assert isinstance(log.responses[1].error, BroodConnectionError)
        assert log.responses[1].headers == {}
        assert len({id(request) for request in log.requests}) == 3

    @both
    def test_of_each_step_of_a_redirect(self, make, log):
        with ScriptedServer(PLATFORMS) as other:
            signed = Answer(302, {"Location": f"{other.url}/bucket?signature={SECRET}"})
            moved = Answer(307, {"Location": "/b"})
            with scripted(moved, signed, make=make, **log.options()) as (server, client):
                client.list_platforms()
                steps = [f"{server.url}/api/v1/json/metadata/platforms", f"{server.url}/b"]
        assert [request.url for request in log.requests] == [*steps, f"{other.url}/bucket"]
        assert log.statuses() == [307, 302, 200]
        assert SECRET not in str([dict(response.headers) for response in log.responses])

    @both
    def test_of_what_is_refused_afterwards(self, make, log):
        away = Answer(302, {"Location": ""})
        with (
            scripted(away, make=make, **log.options()) as (_, client),
            pytest.raises(RedirectError),
        ):
            client.list_platforms()
        assert log.statuses() == [302]

    @both
    @pytest.mark.parametrize("verify_ssl", [None, False])
    def test_of_exchanges_and_not_of_what_answers_repeat(self, make, log, verify_ssl):
        echo = {**JSON, "X-Echo": f"Bearer {SECRET}", "X-Other": f"<{SECRET}>"}
        answers = [Answer(404), token(SECRET), Answer(200, echo, PLATFORMS.body)]
        with ScriptedServer(*answers) as server:
            auth = BroodClientAuth(server.url, PAIR, verify_ssl=verify_ssl)
            with make(server.url, auth, **log.options()) as client:
                client.list_platforms()
        operations = [request.operation for request in log.requests]
        assert operations == ["v1_create_session_token"] * 2 + ["v1_list_platforms"]
        assert log.statuses() == [404, 200, 200]
        assert log.responses[2].headers["x-echo"] == "[redacted]"
        assert SECRET not in log.told()

    def test_when_there_is_no_server(self, log):
        with scripted(**log.options()) as (server, client):
            server.refuse()
            with pytest.raises(NotConnectedError) as caught:
                client.list_platforms()
        (response,) = log.responses
        assert isinstance(response.error, NotConnectedError)
        assert str(response.error) == str(caught.value)

    @pytest.mark.parametrize("auth", [PAIR, BroodBearerTokenAuth(SECRET)], ids=["pair", "token"])
    @both
    def test_never_of_the_secret(self, make, log, auth):
        cookie = Answer(200, {**JSON, "Set-Cookie": f"session={SECRET}"}, PLATFORMS.body)
        with scripted(cookie, make=make, auth=auth, **log.options()) as (server, client):
            client.list_platforms()
            assert server.requests[0].headers["authorization"]
        assert SECRET not in log.told()
        assert "authorization" not in log.requests[0].headers

    @both
    def test_of_an_upload_that_is_ended_by_its_progress(self, make, log, tmp_path):
        def progress(done: int, total: int | None, phase: str) -> None:
            raise LookupError("enough")

        with (
            scripted(Answer(201), make=make, **log.options()) as (_, client),
            pytest.raises(LookupError, match="enough"),
        ):
            platform_of(client).upload_egg(write_egg(tmp_path), progress=progress)
        assert isinstance(log.responses[-1].error, LookupError)

    @pytest.mark.parametrize("sends", ["raw", "async raw"])
    def test_of_what_the_raw_client_sends(self, sends, log):
        options = {"auth": PAIR, "headers": TEAM, **log.options()}
        with scripted(PLATFORMS, **options) as (server, client):
            ask(client, sends)
            (sent,), (request,) = server.requests, log.requests
            url = f"{server.url}/api/v1/json/metadata/platforms"
        assert sent.headers["x-team"] == "build" and "authorization" in sent.headers
        assert (request.method, request.url, request.operation) == ("GET", url, "")
        assert log.statuses() == [200]
        assert SECRET not in log.told()
        assert "authorization" not in request.headers

    def test_not_of_what_a_raw_client_of_the_users_own_sends(self, log):
        with scripted(PLATFORMS, make=through_httpx, **log.options()) as (_, client):
            ask(client, "raw")
        assert log.requests == []


class TestWhatTheyDo:
    @both
    def test_what_they_put_into_the_headers_is_sent(self, make):
        def on_request(event: RequestEvent) -> None:
            event.headers["traceparent"] = "00-1-2-01"
            event.headers["X-Name"] = "Zürich"
            event.headers["ACCEPT"] = "text/json"
            del event.headers["User-Agent"]

        for sends in ("graph", "raw")[: 2 if make is default else 1]:
            with scripted(PLATFORMS, make=make, on_request=on_request) as (server, client):
                ask(client, sends)
                sent = server.requests[0].headers
            assert (sent["traceparent"], sent["x-name"]) == ("00-1-2-01", "Zürich")
            assert sent["accept"] == "text/json"
            assert make is through_httpx or "user-agent" not in sent

    @both
    @pytest.mark.parametrize(("name", "value"), [("authorization", SECRET), *BAD_HEADERS])
    def test_what_cannot_be_sent_is_refused(self, make, name, value):
        def on_request(event: RequestEvent) -> None:
            event.headers[name] = value

        for sends in ("graph", "raw")[: 2 if make is default else 1]:
            with scripted(PLATFORMS, make=make, on_request=on_request) as (server, client):
                with pytest.raises(InvalidArgumentError) as caught:
                    ask(client, sends)
                assert repr(name)[1:-1] in str(caught.value)
                assert SECRET not in str(caught.value)
                assert server.requests == []

    @both
    @pytest.mark.parametrize(
        "error", [LookupError("mine"), BroodConnectionError("mine"), KeyboardInterrupt("mine")]
    )
    @pytest.mark.parametrize("which", ["on_request", "on_response"])
    def test_what_they_raise_leaves_as_it_is(self, make, which, error):
        calls: list[object] = []

        def callback(event: object) -> None:
            calls.append(event)
            if len(calls) == 1:
                raise error

        options = {"make": make, "retries": AT_ONCE, which: callback}
        with scripted(PLATFORMS, **options) as (server, client):
            with pytest.raises(type(error)) as caught:
                client.list_platforms()
            assert caught.value is error
            assert len(calls) == 1
            assert len(server.requests) == (which == "on_response")
            client.list_platforms()  # and the connection is not in use any more

    @by_each
    @pytest.mark.parametrize("answer", [Answer(404), None], ids=["404", "no connection"])
    def test_what_is_raised_after_a_failure_leaves_too(self, sends, answer):
        def callback(event: ResponseEvent) -> None:
            if event.status_code != 200:
                raise LookupError(f"{type(event.error).__name__} {event.status_code}")

        says = "404" if answer else "NotConnectedError"
        if answer is None and sends != "graph":
            pytest.skip("the raw client is told of answers alone")
        with scripted(answer or PLATFORMS, on_response=callback) as (server, client):
            if answer is None:
                server.refuse()
            with pytest.raises(LookupError, match=says):
                ask(client, sends)

    @both
    def test_no_connection_leaks(self, make):
        def callback(event: object) -> None:
            raise LookupError

        with scripted(PLATFORMS, make=make, on_response=callback) as (_, client):
            for _ in range(100):  # more than there may be at once
                with pytest.raises(LookupError):
                    client.list_platforms()

    @both
    def test_an_answer_that_is_not_read_ends_a_download(self, make, tmp_path):
        seen = []

        def callback(event: ResponseEvent) -> None:
            seen.append(event)
            raise BroodTimeoutError("mine")

        egg = Answer(200, NAMED, b"x" * 1_000_000)
        options = {"make": make, "retries": AT_ONCE, "on_response": callback}
        with (
            scripted(egg, **options) as (_, client),
            pytest.raises(BroodTimeoutError, match="mine"),
        ):
            download(client, tmp_path)
        assert len(seen) == 1
        assert list(tmp_path.iterdir()) == []

    @both
    def test_a_callback_may_use_another_client(self, make):
        with ScriptedServer(PLATFORMS) as server, default(server.url) as other:
            asked = []
            with make(server.url, on_request=lambda _: asked.append(ask(other))) as client:
                assert client.list_platforms() == ["rh8-x86_64"]
        assert asked == [["rh8-x86_64"]]

    @both
    def test_many_threads(self, make):
        pairs = []

        def on_response(event: ResponseEvent) -> None:
            pairs.append((event.request.headers["x-thread"], threading.get_ident()))

        def on_request(event: RequestEvent) -> None:
            event.headers["x-thread"] = str(threading.get_ident())

        callbacks = {"on_request": on_request, "on_response": on_response}
        with (
            scripted(PLATFORMS, make=make, **callbacks) as (_, client),
            ThreadPoolExecutor(8) as pool,
        ):
            for done in [pool.submit(client.list_platforms) for _ in range(64)]:
                done.result()
        assert len(pairs) == 64
        assert all(name == str(thread) for name, thread in pairs)

    @pytest.mark.parametrize("callback", [5, "print", object()])
    @pytest.mark.parametrize("which", ["on_request", "on_response"])
    @both
    def test_what_cannot_be_called_is_refused(self, make, which, callback):
        with pytest.raises(InvalidArgumentError, match=which):
            make("http://brood.invalid", **{which: callback})

    def test_they_survive_pickling(self):
        SEEN.clear()
        options = {"on_request": note, "on_response": note}
        with scripted(Answer(404), PLATFORMS, **options) as (_, client):
            with pytest.raises(NotFoundError):
                client.list_platforms()
            pickle.loads(pickle.dumps(client)).list_platforms()
        assert len(SEEN) == 4

    def test_one_that_cannot_be_pickled_says_so(self):
        client = default("http://brood.invalid", on_request=lambda event: None)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(client)


SEEN: list[object] = []


def note(event: object) -> None:
    SEEN.append(event)
