"""httpx clients of the user's own: mocks, caches, what httpx raises, timeouts and retries."""

from __future__ import annotations

import gzip
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import hishel
import httpx
import pytest
import respx
from hishel.httpx import CacheClient

from hatcher.api import BroodClient, Timeouts
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

from .common import AT_ONCE, JSON, NAMED, SECRET, download, platform_of
from .leaking import leaks

URL = "http://brood.invalid"
PLATFORMS = {"platforms": ["rh8-x86_64"]}
TEXT = json.dumps(PLATFORMS).encode()
EGG = b"an egg" * 100_000

Handler = Callable[[httpx.Request], httpx.Response]


def mocked(handler: Handler | httpx.Response | Exception, **options: Any) -> BroodClient:
    """A client whose requests are answered so."""

    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(handler, Exception):
            raise handler
        return handler if isinstance(handler, httpx.Response) else handler(request)

    hooks = {"response": options.pop("hooks", [])}
    own = httpx.Client(
        transport=httpx.MockTransport(handle),
        headers={"Authorization": f"Bearer {SECRET}"},
        event_hooks=hooks,
    )
    return BroodClient.from_session(URL, own, api_version=1, **{"retries": 0, **options})


def fine() -> httpx.Response:
    return httpx.Response(200, json=PLATFORMS)


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


in_each_way = pytest.mark.parametrize("how", ["read", "arriving", "gzip, read", "gzip, arriving"])


class TestMocks:
    @in_each_way
    def test_json_and_an_index(self, how):
        assert mocked(packed(how, TEXT, JSON)).list_platforms() == ["rh8-x86_64"]
        index: Any = {"spam-1.0-1.egg": {"name": "spam", "version": "1.0"}}
        client = mocked(packed(how, json.dumps(index).encode(), JSON))
        assert platform_of(client).egg_index("cp311") == index

    @in_each_way
    def test_a_download(self, how, tmp_path):
        download(mocked(packed(how, EGG, NAMED)), tmp_path, EGG)
        assert (tmp_path / "spam-1.0-1.egg").read_bytes() == EGG

    @pytest.mark.parametrize("is_read", [True, False])
    def test_an_upload(self, tmp_path, is_read):
        bodies = []

        def handler(request: httpx.Request) -> httpx.Response:
            if is_read:
                bodies.append(request.read())
            return httpx.Response(201)

        path = write_egg(tmp_path)
        platform_of(mocked(handler)).upload_egg(path)
        assert not is_read or path.read_bytes() in bodies[-1]

    def test_errors(self):
        with pytest.raises(ConflictError, match=r"There is one\."):
            conflict = httpx.Response(409, json={"error": "There is one."})
            mocked(conflict).create_organization("acme", "")
        with pytest.raises(InvalidJSONError):
            mocked(httpx.Response(200, html="<title>Hi</title>")).list_platforms()
        with pytest.raises(InvalidJSONError, match="empty"):
            mocked(httpx.Response(304)).list_platforms()

    def test_one_answer_that_is_given_again_and_again(self):
        client = mocked(fine())
        for _ in range(3):
            assert client.list_platforms() == ["rh8-x86_64"]

    def test_what_is_longer_than_it_says(self, tmp_path):
        named = {**NAMED, "Content-Length": "10"}
        given = iter([b"0123456789", *[b"x" * 1_000_000] * 100])

        class Endless(Pieces):
            def __iter__(self) -> Iterator[bytes]:
                return given

        with pytest.raises(InvalidResponseError, match="more than the 10 bytes"):
            download(mocked(httpx.Response(200, stream=Endless(), headers=named)), tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert len(list(given)) > 90

    @pytest.mark.parametrize(
        ("length", "in_json", "in_a_download"),
        [
            (str(2**63 - 1), InvalidResponseError, NoSpaceError),
            (str(10**15), InvalidResponseError, NoSpaceError),
            (str(10**19), InvalidJSONError, HatcherException),
            ("9" * 400, InvalidJSONError, HatcherException),
            ("+5", InvalidJSONError, HatcherException),
            ("5, 5", InvalidJSONError, HatcherException),
            ("five", InvalidJSONError, HatcherException),
        ],
    )
    def test_absurd_lengths(self, length, in_json, in_a_download, tmp_path):
        stream = Pieces(b"{}")
        headers = {**NAMED, "Content-Length": length}
        client = mocked(lambda request: httpx.Response(200, stream=stream, headers=headers))
        with pytest.raises(in_json):
            client.list_platforms()
        assert stream.is_closed
        with pytest.raises(in_a_download):
            download(client, tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_more_than_any_answer_has(self, monkeypatch):
        monkeypatch.setattr(answers, "MAX_CONTENT", 1000)
        stream = Pieces(*[b" " * 300] * 4, AssertionError("more was asked for"))
        with pytest.raises(InvalidResponseError, match="larger than any"):
            mocked(httpx.Response(200, stream=stream)).list_platforms()
        assert stream.is_closed


def test_respx(tmp_path):
    with respx.mock(base_url=URL) as router, httpx.Client() as own:
        client = BroodClient.from_session(URL, own, api_version=1, retries=AT_ONCE)
        silent = [httpx.ReadTimeout, httpx.Response(200, json=PLATFORMS)]
        router.get("/api/v1/json/metadata/platforms").mock(side_effect=silent)
        assert client.list_platforms() == ["rh8-x86_64"]
        router.post("/api/v1/json/admin/organizations").respond(409, json={"error": "No."})
        with pytest.raises(ConflictError, match=r"No\."):
            client.create_organization("acme", "")
        router.get(path__regex=r".*/eggs/.*").respond(content=EGG, headers=NAMED)
        download(client, tmp_path, EGG)
    assert (tmp_path / "spam-1.0-1.egg").read_bytes() == EGG


@pytest.mark.parametrize(
    ("control", "packed", "sent"),
    [("max-age=3600", False, 1), ("max-age=3600", True, 1), ("no-cache", False, 3)],
)
def test_caches(control, packed, sent, tmp_path):
    headers = {**JSON, "ETag": '"1"', "Cache-Control": control}
    if packed:
        headers["Content-Encoding"] = "gzip"
    storage = hishel.SqliteStorage(database_path=tmp_path / "cache.db")

    def answer(request: Any) -> Answer:
        if request.headers.get("if-none-match") == '"1"':
            return Answer(304, {"ETag": '"1"'})
        return Answer(200, headers, gzip.compress(TEXT) if packed else TEXT)

    with ScriptedServer(answer) as server, CacheClient(storage=storage, rfc=True) as own:
        client = BroodClient.from_session(server.url, own, api_version=1)
        for _ in range(3):
            assert client.list_platforms() == ["rh8-x86_64"]
        assert len(server.requests) == sent


class TestHooksOfTheClient:
    def test_one_that_reads(self):
        client = mocked(packed("gzip, arriving", TEXT, JSON), hooks=[httpx.Response.read])
        assert client.list_platforms() == ["rh8-x86_64"]

    def test_one_that_reads_and_keeps_nothing(self):
        def hook(response: httpx.Response) -> None:
            for _ in response.iter_raw():
                pass

        with pytest.raises(InvalidResponseError):
            mocked(packed("arriving", TEXT, JSON), hooks=[hook]).list_platforms()

    def test_one_that_raises(self):
        hooks = [httpx.Response.raise_for_status]
        client = mocked(lambda request: httpx.Response(404, json={"error": "No."}), hooks=hooks)
        with pytest.raises(NotFoundError, match=r"No\."):
            client.organization("acme").list_repositories()

        def hook(response: httpx.Response) -> None:
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            mocked(fine(), hooks=[hook]).list_platforms()


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
    def test_it_leaves_as_one_of_hatchers(self, error, kind):
        for answer in (error, httpx.Response(200, stream=Pieces(b"{", error))):
            with pytest.raises(kind) as caught:
                mocked(answer).list_platforms()
            assert not leaks(caught.value, SECRET)

    def test_also_in_a_download_and_in_an_explanation(self, tmp_path):
        pieces = Pieces(b"sp", httpx.StreamClosed())
        with pytest.raises(InvalidResponseError):
            download(mocked(httpx.Response(200, stream=pieces, headers=NAMED)), tmp_path)
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ServerError, match="500"):
            mocked(httpx.Response(500, stream=pieces)).list_platforms()

    def test_a_closed_client(self):
        own = httpx.Client()
        own.close()
        client = BroodClient.from_session(URL, own, api_version=1)
        with pytest.raises(HatcherException, match="was closed"):
            client.list_platforms()

    def test_a_url_that_is_too_long(self):
        with pytest.raises(InvalidURLError, match="httpx does not take") as caught:
            mocked(fine()).organization("x" * 70_000).list_repositories()
        assert len(str(caught.value)) < 500

    @pytest.mark.parametrize("error", [LookupError("mine"), RuntimeError("mine")])
    def test_what_is_no_error_of_httpx_leaves_as_it_is(self, error):
        with pytest.raises(type(error), match="mine"):
            mocked(error).list_platforms()

    def test_frames_below_hold_no_secret_when_it_is_interrupted(self):
        def handler(request: httpx.Request) -> httpx.Response:
            authorization = request.headers["authorization"]
            assert authorization
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as caught:
            mocked(handler).list_platforms()
        files = {frame.f_code.co_filename for frame, _ in traceback.walk_tb(caught.tb)}
        assert not any("httpx/" in name for name in files)


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        ((), (7, 7, 7, 7)),
        (3, (3, 3, 3, 3)),
        (None, (None,) * 4),
        (Timeouts(1, 2, 3, 4), (1, 2, 3, 4)),
    ],
)
def test_the_clients_own_timeouts_hold_unless_others_are_given(timeout, seconds):
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return fine()

    own = httpx.Client(transport=httpx.MockTransport(handler), timeout=7)
    options = {} if timeout == () else {"timeout": timeout}
    BroodClient.from_session(URL, own, **options).with_auth(None).list_platforms()
    assert seen == [dict(zip(("connect", "read", "write", "pool"), seconds, strict=True))]
    assert own.timeout == httpx.Timeout(7)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_that_is_none(timeout):
    with pytest.raises(HatcherException, match="timeout"):
        BroodClient.from_session(URL, httpx.Client(), timeout=timeout)


def test_what_the_client_adds_goes_to_its_own_server_alone():
    own = httpx.Client(
        transport=httpx.HTTPTransport(),
        headers={"X-Key": SECRET, "Authorization": SECRET},
        params={"key": SECRET},
        cookies={"key": SECRET},
        timeout=7,
    )
    with ScriptedServer(Answer(200, JSON, TEXT)) as other:
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
