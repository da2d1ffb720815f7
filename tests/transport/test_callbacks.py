"""Headers and callbacks of the user's own, on both channels and on the raw client."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from brood_api.api.platforms import v1_list_platforms
from hatcher.api import (
    BroodBearerTokenAuth,
    BroodClient,
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

from .common import AT_ONCE, JSON, PLATFORMS, SECRET, platform_of

Make = Callable[..., BroodClient]


def default(url: str, **options: Any) -> BroodClient:
    return BroodClient.from_url(url, **{"api_version": 1, "retries": AT_ONCE, **options})


def through_httpx(url: str, **options: Any) -> BroodClient:
    own = httpx.Client(headers={"Authorization": f"Bearer {SECRET}"})
    return BroodClient.from_session(url, own, **{"api_version": 1, "retries": AT_ONCE, **options})


both = pytest.mark.parametrize("make", [default, through_httpx])


class Log:
    """What the callbacks of a client were given, in order."""

    def __init__(self) -> None:
        self.requests: list[RequestEvent] = []
        self.responses: list[ResponseEvent] = []

    def options(self) -> dict[str, Any]:
        return {"on_request": self.requests.append, "on_response": self.responses.append}

    def statuses(self) -> list[int | None]:
        return [response.status_code for response in self.responses]


class TestHeaders:
    def test_they_go_with_every_request_to_the_server(self) -> None:
        with ScriptedServer(PLATFORMS) as server:
            with default(server.url, headers={"X-Team": "build", "user-agent": "mine"}) as client:
                client.list_platforms()
            (request,) = server.requests
        assert request.headers["x-team"] == "build"
        assert request.headers["user-agent"] == "mine"

    def test_also_with_exchanges_and_uploads_and_after_a_redirect_there(
        self, tmp_path: Path
    ) -> None:
        token = Answer(200, JSON, b'{"token": "t"}')
        with ScriptedServer(token, Answer(307, {"Location": "/x"}), Answer(201)) as server:
            auth = BroodClientAuth(server.url, ("ada", SECRET))
            with default(server.url, auth=auth, headers={"X-Team": "build"}) as client:
                place = platform_of(client)
                place.upload_egg(write_egg(tmp_path))
            assert [r.headers.get("x-team") for r in server.requests] == ["build"] * 3

    def test_they_do_not_go_elsewhere(self) -> None:
        with ScriptedServer(PLATFORMS) as other:
            away = Answer(302, {"Location": f"{other.url}/x"})
            with (
                ScriptedServer(away) as server,
                default(server.url, headers={"X-Team": "build"}) as client,
            ):
                client.list_platforms()
            (request,) = other.requests
        assert "x-team" not in request.headers

    def test_nor_with_exchanges_elsewhere(self) -> None:
        with ScriptedServer(Answer(200, JSON, b'{"token": "t"}')) as other:
            auth = BroodClientAuth(other.url, ("ada", SECRET))
            with (
                ScriptedServer(PLATFORMS) as server,
                default(server.url, auth=auth, headers={"X-Team": "build"}) as client,
            ):
                client.list_platforms()
            (request,) = other.requests
        assert "x-team" not in request.headers

    @pytest.mark.parametrize(
        ("headers", "named"),
        [
            ({"Authorization": SECRET}, "Authorization"),
            ({"AUTHORIZATION": SECRET}, "AUTHORIZATION"),
            ({"Proxy-Authorization": SECRET}, "Proxy-Authorization"),
            ({"host": "evil"}, "host"),
            ({"Content-Length": "5"}, "Content-Length"),
            ({"Transfer-Encoding": "chunked"}, "Transfer-Encoding"),
            ({"Connection": "close"}, "Connection"),
            ({"Expect": "100-continue"}, "Expect"),
            ({"Range": "bytes=0-1"}, "Range"),
            ({"Accept-Encoding": "br"}, "Accept-Encoding"),
            ({"If-None-Match": "*"}, "If-None-Match"),
            ({"Content-Type": "text/plain"}, "Content-Type"),
            ({"X-A": f"{SECRET}\r\nX-B: c"}, "X-A"),
            ({"X-A": f"{SECRET}\n"}, "X-A"),
            ({"X-A": f"{SECRET}\0"}, "X-A"),
            ({"X-A": f" {SECRET}"}, "X-A"),
            ({"X-A": f"{SECRET}€"}, "X-A"),
            ({"X-A": f"{SECRET}\udce9"}, "X-A"),
            ({"X A": SECRET}, "X A"),
            ({"X-A:": SECRET}, "X-A:"),
            ({"X-Ä": SECRET}, "X-Ä"),
            ({"": SECRET}, "''"),
            ({"X-A": 5}, "X-A"),
            ({"X-A": SECRET.encode()}, "X-A"),
            ({5: SECRET}, "5"),
            ([("X-A", SECRET)], "list"),
            (SECRET, "str"),
        ],
    )
    def test_what_cannot_be_given_is_refused_before_anything_is_sent(
        self, headers: Any, named: str
    ) -> None:
        with pytest.raises(InvalidArgumentError, match=named) as caught:
            default("http://brood.invalid", headers=headers)
        assert SECRET not in str(caught.value)

    def test_they_survive_with_auth_and_pickling(self) -> None:
        with ScriptedServer(PLATFORMS) as server:
            client = default(server.url, headers={"X-Team": "build"})
            client.with_auth(BroodBearerTokenAuth("token")).list_platforms()
            pickle.loads(pickle.dumps(client)).list_platforms()
            assert [request.headers["x-team"] for request in server.requests] == ["build"] * 2

    def test_what_is_kept_is_not_for_those_who_send_others(self, tmp_path: Path) -> None:
        index = {f"spam-{n}-1.egg": {"name": "spam", "version": str(n)} for n in range(1000)}
        headers = {**JSON, "ETag": '"1"'}
        with ScriptedServer(Answer(200, headers, json.dumps(index).encode())) as server:
            for given in ({"X-User": "ada"}, {"X-User": "eve"}, {"X-User": "ada"}):
                with default(server.url, headers=given, cache=tmp_path) as client:
                    place = platform_of(client)
                    place.egg_index("cp311")
            assert ["if-none-match" in r.headers for r in server.requests] == [False, False, True]


class TestWhatTheyAreTold:
    @both
    def test_of_a_request_and_its_answer(self, make: Make) -> None:
        log = Log()
        with ScriptedServer(PLATFORMS) as server, make(server.url, **log.options()) as client:
            client.list_platforms()
            (request,), (response,) = log.requests, log.responses
            assert request.method == "GET"
            assert request.url == f"{server.url}/api/v1/json/metadata/platforms"
        assert request.operation == "v1_list_platforms"
        assert request.headers["accept"] == request.headers["Accept"] == "application/json"
        assert response.request is request
        assert response.status_code == 200
        assert response.headers["content-type"] == response.headers["Content-Type"]
        assert response.error is None
        assert 0 <= response.elapsed < 60

    @both
    def test_of_each_try(self, make: Make) -> None:
        log = Log()
        with (
            ScriptedServer(Answer(503), Answer(raw=b""), PLATFORMS) as server,
            make(server.url, **log.options()) as client,
        ):
            client.list_platforms()
        assert log.statuses() == [503, None, 200]
        assert isinstance(log.responses[1].error, BroodConnectionError)
        assert log.responses[1].headers == {}
        assert len({id(request) for request in log.requests}) == 3

    @both
    def test_of_each_step_of_a_redirect(self, make: Make) -> None:
        log = Log()
        with ScriptedServer(PLATFORMS) as other:
            signed = Answer(302, {"Location": f"{other.url}/bucket?signature={SECRET}"})
            with (
                ScriptedServer(Answer(307, {"Location": "/b"}), signed) as server,
                make(server.url, **log.options()) as client,
            ):
                client.list_platforms()
                here, there = server.url, other.url
        assert [request.url for request in log.requests] == [
            f"{here}/api/v1/json/metadata/platforms",
            f"{here}/b",
            f"{there}/bucket",
        ]
        assert log.statuses() == [307, 302, 200]
        assert SECRET not in str([dict(response.headers) for response in log.responses])

    @both
    def test_of_what_is_refused_afterwards(self, make: Make) -> None:
        log = Log()
        with (
            ScriptedServer(Answer(302, {"Location": ""})) as server,
            make(server.url, **log.options()) as client,
            pytest.raises(RedirectError),
        ):
            client.list_platforms()
        assert log.statuses() == [302]

    @pytest.mark.parametrize("verify_ssl", [None, False])
    def test_of_exchanges(self, verify_ssl: bool | None) -> None:
        log = Log()
        token = Answer(200, JSON, json.dumps({"token": SECRET}).encode())
        with ScriptedServer(Answer(404), token, PLATFORMS) as server:
            auth = BroodClientAuth(server.url, ("ada", SECRET), verify_ssl=verify_ssl)
            with default(server.url, auth=auth, **log.options()) as client:
                client.list_platforms()
        assert [request.operation for request in log.requests] == [
            "v1_create_session_token",
            "v1_create_session_token",
            "v1_list_platforms",
        ]
        assert log.statuses() == [404, 200, 200]
        assert SECRET not in told(log)

    def test_of_exchanges_through_httpx_and_not_of_what_answers_repeat(self) -> None:
        log = Log()
        echo = {**JSON, "X-Echo": f"Bearer {SECRET}", "X-Other": f"<{SECRET}>"}
        token = Answer(200, JSON, json.dumps({"token": SECRET}).encode())
        with ScriptedServer(token, Answer(200, echo, PLATFORMS.body)) as server:
            client = BroodClient.from_session(
                server.url, httpx.Client(), api_version=1, **log.options()
            )
            client.with_auth(BroodClientAuth(server.url, ("ada", SECRET))).list_platforms()
        operations = [request.operation for request in log.requests]
        assert operations == ["v1_create_session_token", "v1_list_platforms"]
        assert log.responses[1].headers["x-echo"] == "[redacted]"
        assert SECRET not in told(log)

    def test_when_there_is_no_server(self) -> None:
        log = Log()
        with ScriptedServer() as server:
            url = server.url
        with (
            default(url, retries=0, **log.options()) as client,
            pytest.raises(NotConnectedError) as caught,
        ):
            client.list_platforms()
        (response,) = log.responses
        assert isinstance(response.error, NotConnectedError)
        assert str(response.error) == str(caught.value)

    @pytest.mark.parametrize(
        "auth", [("ada", SECRET), BroodBearerTokenAuth(SECRET)], ids=["basic", "bearer"]
    )
    @both
    def test_never_of_the_secret(self, make: Make, auth: Any) -> None:
        log = Log()
        cookie = Answer(200, {**JSON, "Set-Cookie": f"session={SECRET}"}, PLATFORMS.body)
        with ScriptedServer(cookie) as server:
            client = make(server.url, **log.options())
            client = client.with_auth(auth)
            client.list_platforms()
            assert server.requests[0].headers["authorization"]
        assert SECRET not in told(log)
        assert "authorization" not in log.requests[0].headers

    @both
    def test_of_an_upload_that_is_ended_by_its_progress(self, make: Make, tmp_path: Path) -> None:
        log = Log()

        def progress(done: int, total: int | None, phase: str) -> None:
            raise LookupError("enough")

        with ScriptedServer(Answer(201)) as server, make(server.url, **log.options()) as client:
            place = platform_of(client)
            with pytest.raises(LookupError, match="enough"):
                place.upload_egg(write_egg(tmp_path), progress=progress)
        assert isinstance(log.responses[-1].error, LookupError)

    def test_their_reprs(self) -> None:
        log = Log()
        with ScriptedServer(PLATFORMS) as server, default(server.url, **log.options()) as client:
            client.list_platforms()
            url = f"{server.url}/api/v1/json/metadata/platforms"
        assert repr(log.requests[0]) == f"<RequestEvent v1_list_platforms: GET {url}>"
        assert repr(log.responses[0]) == f"<ResponseEvent 200 to {log.requests[0]!r}>"


def told(log: Log) -> str:
    """All that the callbacks were told."""
    events: list[Any] = [*log.requests, *log.responses]
    return str(
        [(e, dict(e.headers), getattr(e, "url", ""), getattr(e, "error", "")) for e in events]
    )


class TestWhatTheyDo:
    @both
    def test_what_they_put_into_the_headers_is_sent(self, make: Make) -> None:
        def on_request(event: RequestEvent) -> None:
            event.headers["traceparent"] = "00-1-2-01"
            event.headers["ACCEPT"] = "text/json"
            del event.headers["Accept-Encoding"]

        with ScriptedServer(PLATFORMS) as server, make(server.url, on_request=on_request) as client:
            client.list_platforms()
            (request,) = server.requests
        assert request.headers["traceparent"] == "00-1-2-01"
        assert request.headers["accept"] == "text/json"
        assert request.headers["authorization" if make is through_httpx else "host"]

    @both
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Authorization", SECRET),
            ("authorization", SECRET),
            ("Host", SECRET),
            ("content-length", SECRET),
            ("X-A", f"{SECRET}\r\nX-B: c"),
            ("X-A", 5),
            ("X A", SECRET),
        ],
    )
    def test_what_cannot_be_sent_is_refused(self, make: Make, name: str, value: Any) -> None:
        def on_request(event: RequestEvent) -> None:
            event.headers[name] = value

        with ScriptedServer(PLATFORMS) as server, make(server.url, on_request=on_request) as client:
            with pytest.raises(InvalidArgumentError, match=name) as caught:
                client.list_platforms()
            assert SECRET not in str(caught.value)
            assert server.requests == []

    @both
    @pytest.mark.parametrize(
        "error", [LookupError("mine"), BroodConnectionError("mine"), KeyboardInterrupt("mine")]
    )
    @pytest.mark.parametrize("which", ["on_request", "on_response"])
    def test_what_they_raise_leaves_as_it_is(
        self, make: Make, which: str, error: BaseException
    ) -> None:
        calls: list[object] = []

        def callback(event: object) -> None:
            calls.append(event)
            if len(calls) == 1:
                raise error

        with ScriptedServer(PLATFORMS) as server, make(server.url, **{which: callback}) as client:
            with pytest.raises(type(error)) as caught:
                client.list_platforms()
            assert caught.value is error
            assert len(calls) == 1
            assert len(server.requests) == (which == "on_response")
            client.list_platforms()  # and the connection is not in use any more

    @both
    def test_no_connection_leaks(self, make: Make) -> None:
        def callback(event: object) -> None:
            raise LookupError

        with ScriptedServer(PLATFORMS) as server, make(server.url, on_response=callback) as client:
            for _ in range(100):  # more than there may be at once
                with pytest.raises(LookupError):
                    client.list_platforms()

    def test_what_is_raised_after_a_failure_leaves_too(self) -> None:
        def callback(event: ResponseEvent) -> None:
            raise LookupError(type(event.error).__name__)

        with ScriptedServer() as server:
            url = server.url
        with (
            default(url, on_response=callback) as client,
            pytest.raises(LookupError, match="NotConnectedError"),
        ):
            client.list_platforms()

    @both
    def test_an_answer_that_is_not_read_ends_a_download(self, make: Make, tmp_path: Path) -> None:
        seen = []

        def callback(event: ResponseEvent) -> None:
            seen.append(event)
            raise BroodTimeoutError("mine")

        named = {"Content-Disposition": 'attachment; filename="spam-1.0-1.egg"'}
        with (
            ScriptedServer(Answer(200, named, b"x" * 1_000_000)) as server,
            make(server.url, on_response=callback) as client,
        ):
            place = platform_of(client)
            with pytest.raises(BroodTimeoutError, match="mine"):
                place.download_egg("cp311", "spam", "1.0-1", tmp_path, "0" * 64)
        assert len(seen) == 1
        assert list(tmp_path.iterdir()) == []

    @both
    def test_a_callback_may_use_another_client(self, make: Make) -> None:
        with ScriptedServer(PLATFORMS) as server, default(server.url) as other:
            asked = []
            with make(
                server.url, on_request=lambda event: asked.append(other.list_platforms())
            ) as client:
                assert client.list_platforms() == ["rh8-x86_64"]
        assert asked == [["rh8-x86_64"]]

    @both
    def test_many_threads(self, make: Make) -> None:
        lock, pairs = threading.Lock(), []

        def on_response(event: ResponseEvent) -> None:
            with lock:
                pairs.append((event.request.headers["x-thread"], threading.get_ident()))

        def on_request(event: RequestEvent) -> None:
            event.headers["x-thread"] = str(threading.get_ident())

        with (
            ScriptedServer(PLATFORMS) as server,
            make(server.url, on_request=on_request, on_response=on_response) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            for done in [pool.submit(client.list_platforms) for _ in range(64)]:
                done.result()
        assert len(pairs) == 64
        assert all(name == str(thread) for name, thread in pairs)

    @pytest.mark.parametrize("callback", [5, "print", object()])
    @pytest.mark.parametrize("which", ["on_request", "on_response"])
    @both
    def test_what_cannot_be_called_is_refused(
        self, make: Make, which: str, callback: object
    ) -> None:
        with pytest.raises(InvalidArgumentError, match=which):
            make("http://brood.invalid", **{which: callback})

    @both
    def test_they_survive_with_auth(self, make: Make) -> None:
        log = Log()
        with ScriptedServer(PLATFORMS) as server:
            make(server.url, **log.options()).with_auth(("ada", SECRET)).list_platforms()
        assert log.statuses() == [200]

    def test_they_survive_pickling(self) -> None:
        SEEN.clear()
        with ScriptedServer(Answer(404), PLATFORMS) as server:
            client = default(server.url, on_request=note, on_response=note)
            with pytest.raises(NotFoundError):
                client.list_platforms()
            pickle.loads(pickle.dumps(client)).list_platforms()
        assert len(SEEN) == 4

    def test_one_that_cannot_be_pickled_says_so(self) -> None:
        client = default("http://brood.invalid", on_request=lambda event: None)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(client)


SEEN: list[object] = []


def note(event: object) -> None:
    SEEN.append(event)


class TestTheRawClient:
    def test_it_has_them(self) -> None:
        log = Log()
        headers = {"X-Team": "build"}
        with (
            ScriptedServer(PLATFORMS) as server,
            default(server.url, auth=("ada", SECRET), headers=headers, **log.options()) as client,
        ):
            v1_list_platforms.sync(client=client.raw)

            async def ask() -> None:
                async with client.raw as raw:
                    await v1_list_platforms.asyncio(client=raw)

            asyncio.run(ask())
            assert [r.headers["x-team"] for r in server.requests] == ["build"] * 2
            assert all("authorization" in r.headers for r in server.requests)
            url = f"{server.url}/api/v1/json/metadata/platforms"
        assert [(r.method, r.url, r.operation) for r in log.requests] == [("GET", url, "")] * 2
        assert log.statuses() == [200, 200]
        assert SECRET not in told(log)
        assert "authorization" not in log.requests[0].headers

    def test_what_they_add_is_sent_and_what_they_raise_leaves(self) -> None:
        def on_request(event: RequestEvent) -> None:
            event.headers["traceparent"] = "00-1-2-01"
            del event.headers["user-agent"]

        def on_response(event: ResponseEvent) -> None:
            if event.status_code == 404:
                raise LookupError("mine")

        with (
            ScriptedServer(PLATFORMS, Answer(404)) as server,
            default(server.url, on_request=on_request, on_response=on_response) as client,
        ):
            v1_list_platforms.sync(client=client.raw)
            assert server.requests[0].headers["traceparent"] == "00-1-2-01"
            assert "user-agent" not in server.requests[0].headers
            with pytest.raises(LookupError, match="mine"):
                v1_list_platforms.sync(client=client.raw)

    def test_headers_do_not_go_elsewhere(self) -> None:
        with (
            ScriptedServer(PLATFORMS) as other,
            default("http://brood.invalid", headers={"X-Team": "build"}) as client,
        ):
            client.raw.get_httpx_client().get(other.url)
            assert "x-team" not in other.requests[0].headers

    def test_a_client_of_the_users_own_has_none(self) -> None:
        log = Log()
        with ScriptedServer(PLATFORMS) as server:
            client = through_httpx(server.url, **log.options())
            v1_list_platforms.sync(client=client.raw)
        assert log.requests == []
