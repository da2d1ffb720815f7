"""Each fault of the wire is an exception of its own, and leaves no file under its final name."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from hatcher import errors
from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth, RetryPolicy
from hatcher.testing import Answer, BroodServer, Fault, FaultProxy, ScriptedServer

from ..transport import common
from ..transport.common import JSON, default, platform_of
from .conftest import Egg, stock

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"<html><title>It's raining</title><body>Gateway trouble</body></html>"
NAMED = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": 'attachment; filename="Spam-1.0-1.egg"',
}
SECRET = "s3cret-in-no-message"

#: Quick, but otherwise as by default.
RETRIES = RetryPolicy(3, backoff=0.01)

#: A client of a server, and one of a server that answers as it is told.
client = partial(default, auth=("coyote", SECRET), retries=RETRIES)
scripted = partial(common.scripted, auth=("coyote", SECRET), retries=RETRIES)


def download(brood: BroodClient, egg: Egg, destination: Path) -> None:
    platform_of(brood).download_egg("cp311", "Spam", "1.0-1", destination, egg.sha256)
    assert (destination / "Spam-1.0-1.egg").read_bytes() == egg.content


@pytest.fixture
def stocked(brood_server: BroodServer, egg: Egg) -> BroodServer:
    """A server with the egg in acme/dev."""
    stock(brood_server, egg.path)
    return brood_server


def check(error: errors.HatcherException) -> None:
    """What holds for every exception: it tells no secret, and can be pickled."""
    chain: BaseException | None = error
    while chain is not None:
        assert SECRET not in str(chain) + repr(chain) + repr(vars(chain))
        chain = chain.__cause__ or chain.__context__
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


@contextmanager
def raising(*kinds: type[errors.HatcherException], match: str | None = None) -> Iterator[Any]:
    """Expect an exception of these kinds."""
    with pytest.raises(kinds, match=match) as caught:
        yield caught
    check(caught.value)


#: As large as the egg, but not what its hash says.
CONTENT = b"x" * 1_000_000

#: What comes instead of the egg, and what is raised.
INSTEAD: dict[str, tuple[Answer | None, type[errors.HatcherException]]] = {
    "cut in the body": (Answer(200, NAMED, CONTENT, cut=400_000), errors.IncompleteDownloadError),
    "cut before the body": (Answer(200, NAMED, CONTENT, cut=0), errors.IncompleteDownloadError),
    "cut with chunked framing": (
        Answer(200, {**NAMED, "Transfer-Encoding": "chunked"}, b"64\r\n" + b"x" * 50, cut=60),
        errors.IncompleteDownloadError,
    ),
    "cut without a length": (
        Answer(
            raw=b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; "
            b'filename="Spam-1.0-1.egg"\r\n\r\nhalf an egg'
        ),
        errors.ChecksumMismatchError,
    ),
    "reset in the body": (
        Answer(200, NAMED, CONTENT, cut=400_000, end="reset"),
        errors.BroodConnectionError,
    ),
    "another egg": (Answer(200, NAMED, b"another egg"), errors.ChecksumMismatchError),
    "no body": (Answer(200, NAMED), errors.ChecksumMismatchError),
    "no Content-Disposition": (Answer(200, {}, CONTENT), errors.MissingFilenameError),
    "Content-Disposition without a name": (
        Answer(200, {"Content-Disposition": "attachment"}, CONTENT),
        errors.MissingFilenameError,
    ),
    "a name of another folder": (
        Answer(200, {"Content-Disposition": "attachment; filename*=UTF-8''..%2Fx.egg"}, CONTENT),
        errors.MissingFilenameError,
    ),
    "an HTML page as the egg": (Answer(200, {**NAMED, **HTML}, PAGE), errors.ChecksumMismatchError),
    "an HTML page": (Answer(200, HTML, PAGE), errors.MissingFilenameError),
    "404 in HTML": (Answer(404, HTML, PAGE), errors.NotFoundError),
    "401": (Answer(401, JSON, b'{"error": "Who?"}'), errors.AuthenticationError),
    "403": (Answer(403, JSON, b'{"error": "No."}'), errors.PermissionDeniedError),
    "429": (Answer(429, {"Retry-After": "3600"}), errors.RateLimitedError),
    "502 in HTML": (Answer(502, HTML, PAGE), errors.ServerError),
    "a status of its own": (Answer(499, HTML, PAGE), errors.BroodHTTPError),
    "a redirect to nowhere": (Answer(302, {"Location": "gopher://x.com/"}), errors.RedirectError),
    "a redirect to itself": (Answer(302, {"Location": "/again"}), errors.RedirectError),
    "a redirect without a place": (Answer(302), errors.HatcherException),
    "no HTTP": (Answer(raw=b"220 SMTP ready\r\n\r\n"), errors.InvalidResponseError),
    "nothing": (Answer(raw=b""), errors.BroodConnectionError),
    "half a header": (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Len"), errors.BroodConnectionError),
    "no server": (None, errors.NotConnectedError),
}


class TestDownloads:
    """Whatever comes instead of the egg, nothing of it is kept."""

    @pytest.mark.parametrize("case", INSTEAD)
    @pytest.mark.parametrize("before", [b"", b"an older one"], ids=["new", "over an older one"])
    def test_fault(self, case, before, egg, destination):
        answer, expected = INSTEAD[case]
        if before:
            (destination / "Spam-1.0-1.egg").write_bytes(before)
        with scripted(answer or Answer()) as (server, brood):
            if answer is None:
                server.refuse()
            with raising(expected):
                download(brood, egg, destination)
            assert len(server.requests) <= 1 + 5  # no fault is asked for again without end
        assert [path.read_bytes() for path in destination.iterdir()] == [before] * bool(before)

    def test_a_passing_fault_before_the_body_is_gone_over(self, egg, destination):
        faults = [Answer(503, HTML, PAGE), Answer(raw=b""), Answer(429, {"Retry-After": "0"})]
        with scripted(*faults, Answer(200, NAMED, egg.content)) as (server, brood):
            download(brood, egg, destination)
            assert len(server.requests) == 4


def test_a_byte_that_is_flipped_on_its_way_up_is_noticed(egg, stocked):
    own = platform_of(stocked.client())
    own.delete_egg("cp311", "Spam", "1.0-1")
    auth = (stocked.admin_email, stocked.admin_password)
    fault = Fault("flip", after=500_000, direction="up")
    with FaultProxy(stocked.url, [fault]) as proxy, client(proxy.url, auth=auth) as brood:
        with raising(errors.BadRequestError):
            platform_of(brood).upload_egg(egg.path)
        assert own.egg_index("cp311") == {}
        platform_of(brood).upload_egg(egg.path)
    assert own.egg_index("cp311")["Spam-1.0-1.egg"]["sha256"] == egg.sha256


class TestAnswers:
    """Reading JSON from servers and gateways that give something else."""

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, JSON, b""),
            Answer(200, JSON, b'{"organizations": ["acme"'),
            Answer(200, JSON, b'{"organizations": "acme"}'),
            Answer(200, JSON, b'{"organisations": ["acme"]}'),
            Answer(200, JSON, b'["acme"]'),
            Answer(200, JSON, b"null"),
            Answer(200, JSON, b"\xff\xfe{}"),
            Answer(200, JSON, gzip.compress(PAGE, mtime=0)),
            Answer(200, JSON, b"\x1f\x8b" + b"no gzip at all" * 3),
            Answer(204),
        ],
        ids=lambda answer: repr(answer.body[:20]),
    )
    def test_no_json_or_another(self, answer):
        with scripted(answer) as (server, brood):
            with raising(errors.InvalidJSONError):
                brood.list_organizations()
            assert len(server.requests) == 1

    def test_an_error_page_of_any_size_is_shown_in_short(self):
        page = Answer(500, HTML, b"<html><title>Down</title>" + b"x" * 5_000_000)
        with scripted(page) as (_, brood), raising(errors.ServerError, match="Down") as caught:
            brood.list_organizations()
        assert len(str(caught.value)) < 1000


class TestRedirects:
    @pytest.mark.parametrize("kind", ["basic", "bearer", "exchange", "user's own httpx client"])
    def test_credentials_go_to_no_other_server(self, kind, egg, destination):
        with ScriptedServer(Answer(200, NAMED, egg.content)) as other:
            away = Answer(302, {"Location": f"{other.url}/bucket/egg?signature=1"})
            token = Answer(200, JSON, b'{"token": "session-' + SECRET.encode() + b'"}')
            with ScriptedServer(*([token] if kind == "exchange" else []), away) as server:
                pair = ("coyote", SECRET)
                headers = {"Authorization": f"Bearer {SECRET}"}
                own = httpx.Client(auth=pair, headers=headers, cookies={"session": SECRET})
                auth: Any = {
                    "bearer": BroodBearerTokenAuth(SECRET),
                    "exchange": BroodClientAuth(server.url, pair),
                }.get(kind, pair)
                brood = client(server.url, auth=auth)
                if "own" in kind:
                    brood = BroodClient.from_session(server.url, own, api_version=1)
                with own, brood:
                    download(brood, egg, destination)
                assert "authorization" in server.requests[-1].headers
            (request,) = other.requests
        assert SECRET not in str(request)
        assert not request.headers.keys() & {"authorization", "cookie"}


def test_bad_input_sends_nothing(tmp_path, egg):
    no_egg = tmp_path / "Spam-1.0-1.egg"
    no_egg.write_bytes(b"no zip file")
    with scripted() as (server, brood):
        node = platform_of(brood)
        for wrong in (
            lambda: node.upload_egg(tmp_path / "missing-1.0-1.egg"),
            lambda: node.upload_egg(no_egg),
            lambda: node.reindex([egg.path, no_egg]),
            lambda: node.reindex(str(egg.path)),
            lambda: node.download_egg("cp311", "Spam", "1.0-1", tmp_path / "nowhere"),
            lambda: node.download_egg("cp311", "Spam", "1.0-1", no_egg),
            lambda: node.download_egg("cp311", "Spam", "1.0-1", tmp_path, "no sha256"),
            lambda: node.download_egg("cp311", "..", "1.0-1", tmp_path),
            lambda: node.egg_index(""),
            lambda: node.delete_egg("cp311", "", "1.0-1"),
            lambda: brood.organization(""),
            lambda: brood.organization(".."),
        ):
            with raising(errors.InvalidArgumentError, errors.ArtefactError):
                wrong()
        assert server.connections == 0
