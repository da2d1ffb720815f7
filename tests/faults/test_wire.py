"""Each fault of the wire is an exception of its own, and leaves no file under its final name."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hatcher import errors
from hatcher.api import (
    BroodBearerTokenAuth,
    BroodClient,
    BroodClientAuth,
    RetryPolicy,
    SinglePlatformRepository,
)
from hatcher.testing import Answer, BroodServer, Fault, FaultProxy, ScriptedServer, write_egg

from .conftest import Egg, stock

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"<html><title>It's raining</title><body>Gateway trouble</body></html>"
NAMED = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": 'attachment; filename="Spam-1.0-1.egg"',
}
SECRET = "s3cret-in-no-message"

#: Quick, but otherwise as by default.
RETRIES = RetryPolicy(3, backoff=0.01)


def client(url: str, **options: Any) -> BroodClient:
    options = {"auth": ("coyote", SECRET), "api_version": 1, "retries": RETRIES, **options}
    return BroodClient.from_url(url, **options)


@contextmanager
def scripted(*answers: Answer, **options: Any) -> Iterator[tuple[ScriptedServer, BroodClient]]:
    """A server that answers so, and a client of it."""
    with ScriptedServer(*answers) as server, client(server.url, **options) as brood:
        yield server, brood


def platform(brood: BroodClient) -> SinglePlatformRepository:
    return brood.organization("acme").repository("dev").platform("rh8-x86_64")


def download(brood: BroodClient, egg: Egg, destination: Path) -> None:
    platform(brood).download_egg("cp311", "Spam", "1.0-1", destination, egg.sha256)
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
    "a wrong content encoding": (
        Answer(200, {**NAMED, "Content-Encoding": "gzip"}, CONTENT),
        errors.InvalidResponseError,
    ),
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

    @pytest.mark.parametrize(
        "name",
        [
            "../x",
            "..",
            "/etc/passwd",
            "a/b.egg",
            "a\\b.egg",
            "C:x.egg",
            "%2e%2e%2fx",
            "x\x00.egg",
            "CON",
            " ",
            ".hidden/../../x",
        ],
    )
    def test_a_name_that_leads_elsewhere(self, name, egg, destination, tmp_path):
        before = set(tmp_path.rglob("*"))
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        with scripted(Answer(200, headers, egg.content)) as (_, brood):
            try:
                platform(brood).download_egg("cp311", "Spam", "1.0-1", destination, egg.sha256)
            except errors.InvalidResponseError as error:
                check(error)
                assert set(tmp_path.rglob("*")) == before
            else:
                # A strange but harmless name may be used, in the folder and nowhere else.
                (new,) = set(tmp_path.rglob("*")) - before
                assert (new.parent, new.read_bytes()) == (destination, egg.content)

    def test_a_download_that_is_given_up(self, egg, destination):
        with scripted(Answer(200, NAMED, egg.content)) as (_, brood):
            length, chunks = platform(brood).iter_download_egg(
                "cp311", "Spam", "1.0-1", destination, egg.sha256
            )
            assert length == len(egg.content)
            next(chunks)
            (partial,) = destination.iterdir()
            assert partial.name.endswith(".hatcher-partial")
            chunks.close()  # type: ignore[attr-defined]
        assert list(destination.iterdir()) == []

    def test_a_passing_fault_before_the_body_is_gone_over(self, egg, destination):
        faults = [Answer(503, HTML, PAGE), Answer(raw=b""), Answer(429, {"Retry-After": "0"})]
        with scripted(*faults, Answer(200, NAMED, egg.content)) as (server, brood):
            download(brood, egg, destination)
            assert len(server.requests) == 4

    @pytest.mark.parametrize("kind", ["cut", "reset", "flip", "stall"])
    def test_through_a_bad_network(self, kind, egg, destination, stocked):
        options: dict[str, Any] = {"auth": (stocked.admin_email, stocked.admin_password)}
        expected = (
            errors.BroodTimeoutError if kind == "stall" else errors.BroodConnectionError,
            errors.ChecksumMismatchError,
        )
        with FaultProxy(stocked.url, [Fault(kind, after=500_000)]) as proxy:
            once = {**options, "retries": 0, **({"timeout": 1.0} if kind == "stall" else {})}
            with client(proxy.url, **once) as brood, raising(*expected):
                download(brood, egg, destination)
            assert list(destination.iterdir()) == []
            with client(proxy.url, **options) as brood:
                download(brood, egg, destination)


class TestUploads:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (Answer(503, HTML, PAGE), errors.ServerError),
            (Answer(500, JSON, b'{"error": "Out of disk"}'), errors.ServerError),
            (Answer(409, JSON, b'{"error": "There is another"}'), errors.ConflictError),
            (Answer(401, JSON, b'{"error": "Who?"}'), errors.AuthenticationError),
            (Answer(400, JSON, b'{"error": "Wrong sha256"}'), errors.BadRequestError),
            (Answer(429, {"Retry-After": "3600"}), errors.RateLimitedError),
            (Answer(raw=b""), errors.BroodConnectionError),
            (Answer(raw=b"", end="reset"), errors.BroodConnectionError),
            (Answer(raw=b"220 SMTP ready\r\n\r\n"), errors.InvalidResponseError),
            (Answer(302, {"Location": "/"}), errors.RedirectError),
            (Answer(507, JSON, b'{"error": "The disk is full."}'), errors.ServerError),
        ],
        ids=lambda value: value and (getattr(value, "__name__", None) or f"{value.status}"),
    )
    def test_it_is_never_blindly_repeated(self, answer, expected, egg):
        with scripted(answer, Answer(201)) as (server, brood):
            with raising(expected) as caught:
                platform(brood).upload_egg(egg.path)
            words = getattr(caught.value, "error", None)
            assert not words or words in str(caught.value)
            uploads = [request for request in server.requests if request.method == "POST"]
            assert len(uploads) == 1
            assert {request.method for request in server.requests} <= {"POST", "GET"}

    def test_an_answer_before_the_body_has_been_read(self, tmp_path):
        large = write_egg(tmp_path, platform="rh8-x86_64", payload_bytes=30_000_000)
        answer = Answer(413, JSON, b'{"error": "Too large."}', early=True)
        # The first one is the question whether it is allowed, which this server does not know.
        with scripted(Answer(404), answer) as (server, brood):
            with raising(errors.BroodHTTPError, match=r"Too large\.") as caught:
                platform(brood).upload_egg(large)
            assert caught.value.status_code == 413
            assert [request.method for request in server.requests] == ["GET", "POST"]

    def test_a_large_upload_that_is_refused(self, tmp_path, brood_server):
        """The server refuses before it has read the body; its words arrive all the same."""
        large = write_egg(tmp_path, "Spam", "1.0", platform="rh8-x86_64", payload_bytes=30_000_000)
        nobody = brood_server.client(auth=("nobody@example.com", SECRET))
        for brood, refusal in (
            (nobody, errors.AuthenticationError),
            (brood_server.client(), errors.NotFoundError),
        ):
            with raising(refusal) as caught:
                platform(brood).upload_egg(large)
            assert caught.value.error

    @pytest.mark.parametrize("kind", ["cut", "reset", "flip"])
    def test_through_a_bad_network(self, kind, egg, stocked):
        own = platform(stocked.client())
        own.delete_egg("cp311", "Spam", "1.0-1")
        auth = (stocked.admin_email, stocked.admin_password)
        fault = Fault(kind, after=500_000, direction="up")
        with FaultProxy(stocked.url, [fault]) as proxy, client(proxy.url, auth=auth) as brood:
            if kind == "flip":
                with raising(errors.BadRequestError):
                    platform(brood).upload_egg(egg.path)
                assert own.egg_index("cp311") == {}
            platform(brood).upload_egg(egg.path)
        assert own.egg_index("cp311")["Spam-1.0-1.egg"]["sha256"] == egg.sha256


class TestAnswers:
    """Reading JSON from servers and gateways that give something else."""

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, HTML, PAGE),
            Answer(200, JSON, b""),
            Answer(200, JSON, b'{"organizations": ["acme"'),
            Answer(200, JSON, b'{"organizations": "acme"}'),
            Answer(200, JSON, b'{"organisations": ["acme"]}'),
            Answer(200, JSON, b'["acme"]'),
            Answer(200, JSON, b"null"),
            Answer(200, JSON, b"\xff\xfe{}"),
            Answer(200, JSON, gzip.compress(b'{"organizations": []}', mtime=0)[:-5]),
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

    def test_a_lasting_fault_is_given_up(self):
        with scripted(Answer(503, HTML, PAGE)) as (server, brood):
            with raising(errors.ServerError, match="It's raining"):
                brood.list_organizations()
            assert len(server.requests) == 4

    def test_an_error_page_of_any_size_is_shown_in_short(self):
        page = Answer(500, HTML, b"<html><title>Down</title>" + b"x" * 5_000_000)
        with scripted(page) as (_, brood), raising(errors.ServerError, match="Down") as caught:
            brood.list_organizations()
        assert len(str(caught.value)) < 1000


class TestRedirects:
    @pytest.mark.parametrize("status", [307, 308])
    def test_a_post_goes_to_no_other_server(self, status):
        with ScriptedServer(Answer(201)) as other:
            away = Answer(status, {"Location": other.url})
            with scripted(away) as (_, brood), raising(errors.RedirectError):
                brood.create_organization("acme", "")
            assert other.connections == 0

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


class TestLaziness:
    @pytest.mark.parametrize("api_version", [0, 1])
    def test_building_the_graph_sends_nothing(self, api_version, tmp_path):
        with ScriptedServer(Answer(200, JSON, b'{"organizations": []}')) as server:
            for auth in (None, ("u", "p"), BroodBearerTokenAuth("t"), "exchange"):
                if auth == "exchange":
                    auth = BroodClientAuth(server.url, ("u", "p"))
                with BroodClient.from_url(server.url, auth=auth, api_version=api_version) as brood:
                    organization = brood.organization("acme")
                    repository = organization.repository("dev")
                    node = repository.platform("rh8-x86_64")
                    for place in (brood, organization, repository, node):
                        assert repr(place) + str(place)
                        assert dir(place)
                        assert place == place
                    assert len({organization, repository, node}) == 3
                    assert pickle.loads(pickle.dumps(node)) == node
            assert server.connections == 0
            assert BroodClient.from_url(server.url).list_organizations() == []
            assert server.connections == 1  # it does see what is sent: the test can fail

    def test_bad_input_sends_nothing(self, tmp_path, egg):
        no_egg = tmp_path / "Spam-1.0-1.egg"
        no_egg.write_bytes(b"no zip file")
        with scripted() as (server, brood):
            node = platform(brood)
            for wrong in (
                lambda: node.upload_egg(tmp_path / "missing-1.0-1.egg"),
                lambda: node.upload_egg(no_egg),
                lambda: node.reindex([egg.path, no_egg]),
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
