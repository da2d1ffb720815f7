"""httpx clients of the user's own: mocks, caches, what httpx raises, timeouts and retries."""

from __future__ import annotations

import gzip
import hashlib
import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hishel
import httpx
import pytest
import respx
from hishel.httpx import CacheClient

from hatcher.api import BroodClient, RetryPolicy, Timeouts
from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    ConflictError,
    HatcherException,
    IncompleteDownloadError,
    InvalidJSONError,
    InvalidResponseError,
    InvalidURLError,
    NoSpaceError,
    NotConnectedError,
    NotFoundError,
    ProxyError,
    RedirectError,
    ServerError,
)
from hatcher.testing import Answer, ScriptedServer, write_egg
from hatcher.transport import answers

from .common import AT_ONCE, JSON, NAMED, SECRET, platform_of

URL = "http://brood.invalid"
PLATFORMS = {"platforms": ["rh8-x86_64"]}

Handler = Callable[[httpx.Request], httpx.Response]


def mocked(handler: Handler, **options: Any) -> BroodClient:
    own = httpx.Client(
        transport=httpx.MockTransport(handler), headers={"Authorization": f"Bearer {SECRET}"}
    )
    return BroodClient.from_session(URL, own, api_version=1, **{"retries": 0, **options})


def raising(error: Exception) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


class Pieces(httpx.SyncByteStream):
    """A body that arrives in pieces, as those of real transports do."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        self.is_closed = True


def packed(how: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
    """The same body as a mock may have it: read or not, compressed or not."""
    if how == "read":
        return httpx.Response(200, content=content, headers=headers)
    if how == "arriving":
        return httpx.Response(200, stream=Pieces(content[:3], b"", content[3:]), headers=headers)
    headers = {**headers, "Content-Encoding": "gzip"}
    content = gzip.compress(content)
    if how == "gzip, read":
        return httpx.Response(200, content=content, headers=headers)
    headers["Content-Length"] = str(len(content))
    return httpx.Response(200, stream=Pieces(content), headers=headers)


WAYS = ["read", "arriving", "gzip, read", "gzip, arriving"]


class TestMocks:
    @pytest.mark.parametrize("how", WAYS)
    def test_json(self, how: str) -> None:
        text = json.dumps(PLATFORMS).encode()
        client = mocked(lambda request: packed(how, text, JSON))
        assert client.list_platforms() == ["rh8-x86_64"]

    @pytest.mark.parametrize("how", WAYS)
    def test_an_index(self, how: str) -> None:
        index: Any = {"spam-1.0-1.egg": {"name": "spam", "version": "1.0"}}
        client = mocked(lambda request: packed(how, json.dumps(index).encode(), JSON))
        assert platform_of(client).egg_index("cp311") == index

    @pytest.mark.parametrize("how", WAYS)
    def test_a_download(self, how: str, tmp_path: Path) -> None:
        content = b"an egg" * 100_000
        client = mocked(lambda request: packed(how, content, NAMED))
        platform_of(client).download_egg(
            "cp311", "spam", "1.0-1", tmp_path, hashlib.sha256(content).hexdigest()
        )
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == content

    def test_an_upload(self, tmp_path: Path) -> None:
        bodies = []

        def handler(request: httpx.Request) -> httpx.Response:
            bodies.append(request.read())
            return httpx.Response(201)

        path = write_egg(tmp_path)
        platform_of(mocked(handler)).upload_egg(path)
        assert path.read_bytes() in bodies[-1]

    def test_an_upload_that_the_mock_does_not_read(self, tmp_path: Path) -> None:
        client = mocked(lambda request: httpx.Response(201))
        platform_of(client).upload_egg(write_egg(tmp_path))

    @pytest.mark.parametrize("is_read", [False, True])
    def test_a_download_that_goes_on(self, is_read: bool, tmp_path: Path) -> None:
        content, asked = b"an egg" * 100_000, []

        def handler(request: httpx.Request) -> httpx.Response:
            asked.append(request.headers.get("Range"))
            headers = {**NAMED, "ETag": '"1"', "Content-Length": str(len(content))}
            if len(asked) == 1:
                begun = Pieces(content[:1000], httpx.ReadError("reset"))
                return httpx.Response(200, stream=begun, headers=headers)
            rest = content[1000:]
            headers["Content-Range"] = f"bytes 1000-{len(content) - 1}/{len(content)}"
            headers["Content-Length"] = str(len(rest))
            if is_read:
                return httpx.Response(206, content=rest, headers=headers)
            return httpx.Response(206, stream=Pieces(rest), headers=headers)

        platform_of(mocked(handler, retries=AT_ONCE)).download_egg(
            "cp311", "spam", "1.0-1", tmp_path, hashlib.sha256(content).hexdigest()
        )
        assert asked == [None, "bytes=1000-"]
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == content

    def test_errors(self) -> None:
        words = {"error": "There is one."}
        client = mocked(lambda request: httpx.Response(409, json=words))
        with pytest.raises(ConflictError, match=r"There is one\."):
            client.create_organization("acme", "")

    def test_what_is_no_json(self) -> None:
        with pytest.raises(InvalidJSONError):
            mocked(lambda request: httpx.Response(200, html="<title>Hi</title>")).list_platforms()

    def test_304(self) -> None:
        with pytest.raises(InvalidJSONError, match="empty"):
            mocked(lambda request: httpx.Response(304)).list_platforms()

    @pytest.mark.parametrize("location", ["/elsewhere", f"{URL}/elsewhere", "http://other/x"])
    def test_redirects(self, location: str) -> None:
        def handler(request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/api"):
                return httpx.Response(302, headers={"Location": location})
            assert ("authorization" in request.headers) == (request.url.host == "brood.invalid")
            return httpx.Response(200, json=PLATFORMS)

        assert mocked(handler).list_platforms() == ["rh8-x86_64"]

    def test_one_answer_that_is_given_again_and_again(self) -> None:
        answer = httpx.Response(200, json=PLATFORMS)
        client = mocked(lambda request: answer)
        for _ in range(3):
            assert client.list_platforms() == ["rh8-x86_64"]

    def test_what_is_longer_than_it_says(self, tmp_path: Path) -> None:
        named = {**NAMED, "Content-Length": "10"}
        given = iter([b"0123456789", *[b"x" * 1_000_000] * 100])

        class Endless(Pieces):
            def __iter__(self) -> Iterator[bytes]:
                return given

        client = mocked(lambda request: httpx.Response(200, stream=Endless(), headers=named))
        with pytest.raises(InvalidResponseError, match="more than the 10 bytes"):
            platform_of(client).download_egg("cp311", "spam", "1.0-1", tmp_path, "0" * 64)
        assert list(tmp_path.iterdir()) == []
        assert len(list(given)) > 90

    @pytest.mark.parametrize(
        "length", [str(2**63 - 1), str(10**15), str(10**19), "9" * 400, "+5", "5, 5", "five"]
    )
    def test_absurd_lengths(self, length: str, tmp_path: Path) -> None:
        stream = Pieces(b"{}")

        def handler(request: httpx.Request) -> httpx.Response:
            named = {**NAMED, "Content-Length": length}
            return httpx.Response(200, stream=stream, headers=named)

        client = mocked(handler)
        if length.isdecimal() and len(length) < 20:
            with pytest.raises(InvalidResponseError, match="larger than any"):
                client.list_platforms()
        else:
            with pytest.raises(InvalidJSONError):
                client.list_platforms()
        assert stream.is_closed
        with pytest.raises(HatcherException) as caught:
            platform_of(client).download_egg("cp311", "spam", "1.0-1", tmp_path, "0" * 64)
        if length in (str(2**63 - 1), str(10**15)):
            assert type(caught.value) is NoSpaceError
        assert list(tmp_path.iterdir()) == []

    def test_more_than_any_answer_has(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(answers, "MAX_CONTENT", 1000)
        stream = Pieces(*[b" " * 300] * 4, AssertionError("more was asked for"))
        with pytest.raises(InvalidResponseError, match="larger than any"):
            mocked(lambda request: httpx.Response(200, stream=stream)).list_platforms()
        assert stream.is_closed


class TestRespx:
    def test_json_and_errors(self) -> None:
        with respx.mock(base_url=URL) as router, httpx.Client() as own:
            router.get("/api/v1/json/metadata/platforms").respond(json=PLATFORMS)
            router.post("/api/v1/json/admin/organizations").respond(409, json={"error": "No."})
            client = BroodClient.from_session(URL, own, api_version=1)
            assert client.list_platforms() == ["rh8-x86_64"]
            with pytest.raises(ConflictError, match=r"No\."):
                client.create_organization("acme", "")

    def test_a_download(self, tmp_path: Path) -> None:
        content = b"an egg" * 1000
        with respx.mock(base_url=URL) as router, httpx.Client() as own:
            router.get(path__regex=r".*/download.*|.*/eggs/.*").respond(
                content=content, headers=NAMED
            )
            client = BroodClient.from_session(URL, own, api_version=1)
            platform_of(client).download_egg(
                "cp311", "spam", "1.0-1", tmp_path, hashlib.sha256(content).hexdigest()
            )
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == content

    def test_what_it_raises(self) -> None:
        with respx.mock(base_url=URL) as router, httpx.Client() as own:
            router.get().mock(side_effect=[httpx.ReadTimeout, httpx.Response(200, json=PLATFORMS)])
            client = BroodClient.from_session(URL, own, api_version=1, retries=AT_ONCE)
            assert client.list_platforms() == ["rh8-x86_64"]


class TestCaches:
    @pytest.mark.parametrize("compressed", [False, True])
    def test_a_cache_answers_the_second_time(self, compressed: bool, tmp_path: Path) -> None:
        text = json.dumps(PLATFORMS).encode()
        headers = {**JSON, "Cache-Control": "max-age=3600"}
        if compressed:
            text, headers["Content-Encoding"] = gzip.compress(text), "gzip"
        storage = hishel.SqliteStorage(database_path=tmp_path / "cache.db")
        with (
            ScriptedServer(Answer(200, headers, text)) as server,
            CacheClient(storage=storage) as own,
        ):
            client = BroodClient.from_session(server.url, own, api_version=1)
            for _ in range(3):
                assert client.list_platforms() == ["rh8-x86_64"]
            assert len(server.requests) == 1

    def test_a_cache_that_asks_whether_it_has_changed(self, tmp_path: Path) -> None:
        headers = {**JSON, "ETag": '"1"', "Cache-Control": "no-cache"}
        storage = hishel.SqliteStorage(database_path=tmp_path / "cache.db")

        def answer(request: Any) -> Answer:
            if request.headers.get("if-none-match") == '"1"':
                return Answer(304, {"ETag": '"1"'})
            return Answer(200, headers, json.dumps(PLATFORMS).encode())

        with ScriptedServer(answer) as server, CacheClient(storage=storage, rfc=True) as own:
            client = BroodClient.from_session(server.url, own, api_version=1)
            for _ in range(3):
                assert client.list_platforms() == ["rh8-x86_64"]
            assert len(server.requests) == 3


class TestHooksOfTheClient:
    def hooked(self, hook: Callable[[httpx.Response], object], answer: Handler) -> BroodClient:
        own = httpx.Client(transport=httpx.MockTransport(answer), event_hooks={"response": [hook]})
        return BroodClient.from_session(URL, own, api_version=1, retries=0)

    def test_one_that_reads(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            return packed("gzip, arriving", json.dumps(PLATFORMS).encode(), JSON)

        assert self.hooked(httpx.Response.read, answer).list_platforms() == ["rh8-x86_64"]

    def test_one_that_reads_and_keeps_nothing(self) -> None:
        def hook(response: httpx.Response) -> None:
            for _ in response.iter_raw():
                pass

        def answer(request: httpx.Request) -> httpx.Response:
            return packed("arriving", json.dumps(PLATFORMS).encode(), JSON)

        with pytest.raises(InvalidResponseError):
            self.hooked(hook, answer).list_platforms()

    def test_one_that_raises_for_the_status(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(404, json={"error": "No."})

        client = self.hooked(httpx.Response.raise_for_status, answer)
        with pytest.raises(NotFoundError, match=r"No\."):
            client.organization("acme").list_repositories()

    def test_one_that_raises_something_else(self) -> None:
        def hook(response: httpx.Response) -> None:
            raise LookupError("mine")

        client = self.hooked(hook, lambda request: httpx.Response(200, json=PLATFORMS))
        with pytest.raises(LookupError, match="mine"):
            client.list_platforms()


class TestWhatHttpxRaises:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (httpx.ConnectTimeout(""), BroodTimeoutError),
            (httpx.ReadTimeout(""), BroodTimeoutError),
            (httpx.WriteTimeout(""), BroodTimeoutError),
            (httpx.PoolTimeout(""), BroodTimeoutError),
            (httpx.ConnectError("refused"), NotConnectedError),
            (httpx.ProxyError("407"), ProxyError),
            (httpx.ReadError("reset"), BroodConnectionError),
            (httpx.WriteError("reset"), BroodConnectionError),
            (httpx.CloseError("reset"), BroodConnectionError),
            (httpx.RemoteProtocolError("incomplete chunked read"), IncompleteDownloadError),
            (httpx.RemoteProtocolError("illegal status line"), InvalidResponseError),
            (httpx.LocalProtocolError("illegal header"), InvalidResponseError),
            (httpx.UnsupportedProtocol("ftp"), InvalidResponseError),
            (httpx.DecodingError("gzip"), InvalidResponseError),
            (httpx.TooManyRedirects("20"), BroodConnectionError),
            (httpx.TransportError("own"), BroodConnectionError),
            (httpx.RequestError("own"), BroodConnectionError),
            (httpx.StreamConsumed(), InvalidResponseError),
            (httpx.StreamClosed(), InvalidResponseError),
            (httpx.ResponseNotRead(), InvalidResponseError),
            (httpx.RequestNotRead(), InvalidResponseError),
            (httpx.CookieConflict("two"), InvalidResponseError),
            (httpx.InvalidURL("of a Location"), RedirectError),
        ],
    )
    def test_it_leaves_as_one_of_hatchers(
        self, error: Exception, kind: type[HatcherException]
    ) -> None:
        with pytest.raises(kind) as caught:
            mocked(raising(error)).list_platforms()
        assert SECRET not in shown(caught.value)

        client = mocked(lambda request: httpx.Response(200, stream=Pieces(b"{", error)))
        with pytest.raises(kind) as caught:
            client.list_platforms()
        assert SECRET not in shown(caught.value)

    def test_also_in_a_download_and_in_an_explanation(self, tmp_path: Path) -> None:
        pieces = Pieces(b"sp", httpx.StreamClosed())
        client = mocked(lambda request: httpx.Response(200, stream=pieces, headers=NAMED))
        with pytest.raises(InvalidResponseError):
            platform_of(client).download_egg("cp311", "spam", "1.0-1", tmp_path, "0" * 64)
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ServerError, match="500"):
            mocked(lambda request: httpx.Response(500, stream=pieces)).list_platforms()

    def test_a_closed_client(self) -> None:
        own = httpx.Client()
        own.close()
        client = BroodClient.from_session(URL, own, api_version=1)
        with pytest.raises(HatcherException, match="was closed"):
            client.list_platforms()

    def test_a_url_that_is_too_long(self) -> None:
        client = mocked(lambda request: httpx.Response(200, json=PLATFORMS))
        with pytest.raises(InvalidURLError, match="httpx does not take") as caught:
            client.organization("x" * 70_000).list_repositories()
        assert len(str(caught.value)) < 500

    def test_what_is_no_error_of_httpx_leaves_as_it_is(self) -> None:
        for error in (LookupError("mine"), RuntimeError("mine")):
            with pytest.raises(type(error), match="mine"):
                mocked(raising(error)).list_platforms()

    def test_frames_below_hold_no_secret_when_it_is_interrupted(self) -> None:
        def handler(request: httpx.Request) -> httpx.Response:
            authorization = request.headers["authorization"]
            assert authorization
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as caught:
            mocked(handler).list_platforms()
        files = {frame.f_code.co_filename for frame, _ in traceback.walk_tb(caught.tb)}
        assert not any("httpx/" in name for name in files)


def shown(error: BaseException) -> str:
    """All that a traceback with the locals of each frame shows, but for those of the test."""
    shown = ""
    seen: BaseException | None = error
    while seen is not None:
        shown += f"{seen!r} {seen}"
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            if frame.f_code.co_filename != __file__:
                shown += repr(frame.f_locals)
        seen = seen.__cause__ or seen.__context__
    return shown


class TestTimeoutsAndRetries:
    def test_the_clients_own_timeouts_hold(self) -> None:
        seen = []

        def handler(request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions["timeout"])
            return httpx.Response(200, json=PLATFORMS)

        own = httpx.Client(transport=httpx.MockTransport(handler), timeout=7)
        BroodClient.from_session(URL, own).list_platforms()
        BroodClient.from_session(URL, own, timeout=3).list_platforms()
        BroodClient.from_session(URL, own, timeout=None).list_platforms()
        few = Timeouts(connect=1, read=2, write=3, pool=4)
        BroodClient.from_session(URL, own, timeout=few).with_auth(None).list_platforms()
        assert seen == [
            dict.fromkeys(("connect", "read", "write", "pool"), 7),
            dict.fromkeys(("connect", "read", "write", "pool"), 3),
            dict.fromkeys(("connect", "read", "write", "pool"), None),
            {"connect": 1, "read": 2, "write": 3, "pool": 4},
        ]
        assert own.timeout == httpx.Timeout(7)

    @pytest.mark.parametrize("retries", [0, 2, RetryPolicy(2, backoff=0)])
    def test_retries(self, retries: int | RetryPolicy) -> None:
        seen = []

        def handler(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            raise httpx.ConnectError("refused")

        if retries == 2:
            retries = RetryPolicy(2, backoff=0.001)
        with pytest.raises(NotConnectedError):
            mocked(handler, retries=retries).list_platforms()
        assert len(seen) == (1 if retries == 0 else 3)

    @pytest.mark.parametrize("timeout", [0, -1, float("nan")])
    def test_a_timeout_that_is_none(self, timeout: float) -> None:
        with pytest.raises(HatcherException, match="timeout"):
            BroodClient.from_session(URL, httpx.Client(), timeout=timeout)


def test_what_the_client_adds_goes_to_its_own_server_alone() -> None:
    own = httpx.Client(
        transport=httpx.HTTPTransport(),
        headers={"X-Key": SECRET, "Authorization": SECRET},
        params={"key": SECRET},
        cookies={"key": SECRET},
        timeout=7,
    )
    with ScriptedServer(Answer(200, JSON, json.dumps(PLATFORMS).encode())) as other:
        away = Answer(302, {"Location": f"{other.url}/x?q=1"})
        with ScriptedServer(away) as server, own:
            BroodClient.from_session(server.url, own, api_version=1).list_platforms()
            (first,), (second,) = server.requests, other.requests
    assert first.target.endswith(f"?key={SECRET}")
    assert [first.headers[name] for name in ("x-key", "authorization")] == [SECRET] * 2
    assert first.headers["cookie"] == f"key={SECRET}"
    assert second.target == "/x?q=1"
    assert second.headers["user-agent"].startswith("hatcher/")
    assert SECRET not in str(second)


def test_headers_are_read_as_the_other_channel_does() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/caf%C3%A9" or request.url.path == "/café":
            return httpx.Response(200, json=PLATFORMS)
        return httpx.Response(302, headers=[(b"Location", "/café".encode())])

    assert mocked(handler).list_platforms() == ["rh8-x86_64"]


def test_a_redirect_of_a_post_is_refused() -> None:
    with pytest.raises(RedirectError):
        mocked(lambda request: httpx.Response(302, headers={"Location": "/x"})).create_organization(
            "acme", ""
        )
