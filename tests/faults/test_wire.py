"""Each fault of the wire is an exception of its own, and leaves no file under its final name."""

from __future__ import annotations

import gzip
import json
import pickle
import time
from collections.abc import Callable
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

from .conftest import Egg

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


def platform(brood: BroodClient) -> SinglePlatformRepository:
    return brood.organization("acme").repository("dev").platform("rh8-x86_64")


def download(url: str, egg: Egg, destination: Path, **options: Any) -> None:
    with client(url, **options) as brood:
        platform(brood).download_egg("cp311", "Spam", "1.0-1", destination, egg.sha256)


def stock(server: BroodServer, egg: Egg) -> None:
    """Put the egg into a fresh repository acme/dev."""
    brood = server.client()
    brood.create_organization("acme", "").create_repository("dev", "")
    platform(brood).upload_egg(egg.path)


def check(error: errors.HatcherException) -> None:
    """What holds for every exception: it tells no secret, and can be pickled."""
    chain: BaseException | None = error
    while chain is not None:
        assert SECRET not in str(chain) + repr(chain) + repr(vars(chain))
        chain = chain.__cause__ or chain.__context__
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


#: What comes instead of the egg, and what is raised.
INSTEAD: dict[str, tuple[Callable[[Egg], Answer], type[errors.HatcherException]]] = {
    "cut in the body": (
        lambda egg: Answer(200, NAMED, egg.content, cut=400_000),
        errors.IncompleteDownloadError,
    ),
    "cut before the body": (
        lambda egg: Answer(200, NAMED, egg.content, cut=0),
        errors.IncompleteDownloadError,
    ),
    "cut with chunked framing": (
        lambda egg: Answer(
            200, {**NAMED, "Transfer-Encoding": "chunked"}, b"64\r\n" + egg.content[:50], cut=60
        ),
        errors.IncompleteDownloadError,
    ),
    "cut without a length": (
        lambda egg: Answer(
            raw=b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; "
            b'filename="Spam-1.0-1.egg"\r\n\r\n' + egg.content[:400_000]
        ),
        errors.ChecksumMismatchError,
    ),
    "reset in the body": (
        lambda egg: Answer(200, NAMED, egg.content, cut=400_000, end="reset"),
        errors.BroodConnectionError,
    ),
    "one bit wrong": (
        lambda egg: Answer(200, NAMED, egg.content[:-1] + bytes([egg.content[-1] ^ 1])),
        errors.ChecksumMismatchError,
    ),
    "another egg": (
        lambda egg: Answer(200, NAMED, b"another egg"),
        errors.ChecksumMismatchError,
    ),
    "no body": (lambda egg: Answer(200, NAMED), errors.ChecksumMismatchError),
    "no Content-Disposition": (
        lambda egg: Answer(200, {}, egg.content),
        errors.MissingFilenameError,
    ),
    "Content-Disposition without a name": (
        lambda egg: Answer(200, {"Content-Disposition": "attachment"}, egg.content),
        errors.MissingFilenameError,
    ),
    "an HTML page as the egg": (
        lambda egg: Answer(200, {**HTML, **NAMED, **HTML}, PAGE),
        errors.ChecksumMismatchError,
    ),
    "an HTML page": (lambda egg: Answer(200, HTML, PAGE), errors.MissingFilenameError),
    "404 in HTML": (lambda egg: Answer(404, HTML, PAGE), errors.NotFoundError),
    "401": (lambda egg: Answer(401, JSON, b'{"error": "Who?"}'), errors.AuthenticationError),
    "403": (lambda egg: Answer(403, JSON, b'{"error": "No."}'), errors.PermissionDeniedError),
    "429": (
        lambda egg: Answer(429, {"Retry-After": "3600"}),
        errors.RateLimitedError,
    ),
    "502 in HTML": (lambda egg: Answer(502, HTML, PAGE), errors.ServerError),
    "a status of its own": (lambda egg: Answer(499, HTML, PAGE), errors.BroodHTTPError),
    "a redirect to nowhere": (
        lambda egg: Answer(302, {"Location": "gopher://example.com/"}),
        errors.RedirectError,
    ),
    "a redirect to itself": (
        lambda egg: Answer(302, {"Location": "/again"}),
        errors.RedirectError,
    ),
    "a redirect without a place": (lambda egg: Answer(302), errors.HatcherException),
    "no HTTP": (lambda egg: Answer(raw=b"220 SMTP ready\r\n\r\n"), errors.InvalidResponseError),
    "nothing": (lambda egg: Answer(raw=b""), errors.BroodConnectionError),
    "half a header": (
        lambda egg: Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Len"),
        errors.BroodConnectionError,
    ),
    "a wrong content encoding": (
        lambda egg: Answer(200, {**NAMED, "Content-Encoding": "gzip"}, egg.content),
        errors.InvalidResponseError,
    ),
}


class TestDownloads:
    """Whatever comes instead of the egg, nothing of it is kept."""

    @pytest.mark.parametrize("case", INSTEAD)
    def test_fault(self, case: str, egg: Egg, destination: Path) -> None:
        answer, expected = INSTEAD[case]
        with ScriptedServer(answer(egg)) as server:
            with pytest.raises(expected) as caught:
                download(server.url, egg, destination)
            check(caught.value)
            assert len(server.requests) <= 1 + 5  # no fault is asked for again without end
        assert list(destination.iterdir()) == []

    @pytest.mark.parametrize(
        "name",
        [
            "../x",
            "..",
            ".",
            "/etc/passwd",
            "a/b.egg",
            "a\\b.egg",
            "C:x.egg",
            "..\\\\..\\\\x.egg",
            "%2e%2e%2fx",
            "x\x00.egg",
            "CON",
            " ",
            ".hidden/../../x",
        ],
    )
    def test_a_name_that_leads_elsewhere(
        self, name: str, egg: Egg, destination: Path, tmp_path: Path
    ) -> None:
        before = set(tmp_path.rglob("*"))
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        with ScriptedServer(Answer(200, headers, egg.content)) as server:
            try:
                download(server.url, egg, destination)
            except errors.InvalidResponseError as error:
                check(error)
                assert set(tmp_path.rglob("*")) == before
            else:
                # A strange but harmless name may be used, in the folder and nowhere else.
                (new,) = set(tmp_path.rglob("*")) - before
                assert new.parent == destination
                assert new.read_bytes() == egg.content

    def test_a_name_in_the_extended_form(self, egg: Egg, destination: Path) -> None:
        headers = {"Content-Disposition": "attachment; filename*=UTF-8''..%2Fx.egg"}
        answer = Answer(200, headers, egg.content)
        with ScriptedServer(answer) as server, pytest.raises(errors.MissingFilenameError):
            download(server.url, egg, destination)
        assert list(destination.parent.rglob("*")) == [destination]

    def test_what_was_there_before_stays(self, egg: Egg, destination: Path) -> None:
        (destination / "Spam-1.0-1.egg").write_bytes(b"an older one")
        answer = Answer(200, NAMED, egg.content, cut=400_000)
        with ScriptedServer(answer) as server, pytest.raises(errors.IncompleteDownloadError):
            download(server.url, egg, destination)
        assert [path.name for path in destination.iterdir()] == ["Spam-1.0-1.egg"]
        assert (destination / "Spam-1.0-1.egg").read_bytes() == b"an older one"

    def test_a_download_that_is_given_up(self, egg: Egg, destination: Path) -> None:
        with ScriptedServer(Answer(200, NAMED, egg.content)) as server, client(server.url) as brood:
            length, chunks = platform(brood).iter_download_egg(
                "cp311", "Spam", "1.0-1", destination, egg.sha256
            )
            assert length == len(egg.content)
            next(chunks)
            (partial,) = destination.iterdir()
            assert partial.name.endswith(".hatcher-partial")
            chunks.close()  # type: ignore[attr-defined]
        assert list(destination.iterdir()) == []

    def test_silence_is_a_timeout(
        self, egg: Egg, destination: Path, brood_server: BroodServer
    ) -> None:
        brood_server.client().create_organization("acme", "").create_repository("dev", "")
        own = platform(brood_server.client())
        own.upload_egg(egg.path)
        with FaultProxy(brood_server.url, [Fault("stall", after=300_000)]) as proxy:
            auth = (brood_server.admin_email, brood_server.admin_password)
            once = RetryPolicy(0)
            with client(proxy.url, auth=auth, timeout=1.0, retries=once) as brood:
                with pytest.raises(errors.BroodTimeoutError):
                    platform(brood).download_egg("cp311", "Spam", "1.0-1", destination, egg.sha256)
                assert list(destination.iterdir()) == []
                platform(brood).download_egg("cp311", "Spam", "1.0-1", destination, egg.sha256)
        assert (destination / "Spam-1.0-1.egg").read_bytes() == egg.content

    def test_a_passing_fault_before_the_body_is_gone_over(
        self, egg: Egg, destination: Path
    ) -> None:
        answers = [
            Answer(503, HTML, PAGE),
            Answer(raw=b""),
            Answer(429, {"Retry-After": "0"}),
            Answer(200, NAMED, egg.content),
        ]
        with ScriptedServer(*answers) as server:
            download(server.url, egg, destination)
            assert len(server.requests) == 4
        assert (destination / "Spam-1.0-1.egg").read_bytes() == egg.content

    @pytest.mark.parametrize("kind", ["cut", "reset", "flip"])
    def test_through_a_bad_network(
        self, kind: Any, egg: Egg, destination: Path, brood_server: BroodServer
    ) -> None:
        stock(brood_server, egg)
        auth = (brood_server.admin_email, brood_server.admin_password)
        with FaultProxy(brood_server.url, [Fault(kind, after=500_000)]) as proxy:
            with pytest.raises((errors.BroodConnectionError, errors.ChecksumMismatchError)):
                download(proxy.url, egg, destination, auth=auth, retries=RetryPolicy(0))
            assert list(destination.iterdir()) == []
            download(proxy.url, egg, destination, auth=auth)
        assert (destination / "Spam-1.0-1.egg").read_bytes() == egg.content


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
            (Answer(303, {"Location": "/"}), errors.RedirectError),
        ],
        ids=lambda value: getattr(value, "__name__", None) or f"{value.status}{value.end}",
    )
    def test_it_is_never_blindly_repeated(
        self, answer: Answer, expected: type[errors.HatcherException], egg: Egg
    ) -> None:
        with ScriptedServer(answer, Answer(201)) as server, client(server.url) as brood:
            with pytest.raises(expected) as caught:
                platform(brood).upload_egg(egg.path)
            check(caught.value)
            uploads = [request for request in server.requests if request.method == "POST"]
            assert len(uploads) == 1
            assert {request.method for request in server.requests} <= {"POST", "GET"}

    def test_an_answer_before_the_body_has_been_read(self, tmp_path: Path) -> None:
        large = write_egg(tmp_path, platform="rh8-x86_64", payload_bytes=30_000_000)
        answer = Answer(413, JSON, b'{"error": "Too large."}', early=True)
        # The first one is the question whether it is allowed, which this server does not know.
        with ScriptedServer(Answer(404), answer) as server, client(server.url) as brood:
            with pytest.raises(errors.BroodHTTPError, match=r"Too large\.") as caught:
                platform(brood).upload_egg(large)
            assert caught.value.status_code == 413
            assert [request.method for request in server.requests] == ["GET", "POST"]

    def test_a_large_upload_that_is_refused(
        self, tmp_path: Path, brood_server: BroodServer
    ) -> None:
        """The server refuses before it has read the body; its words arrive all the same."""
        large = write_egg(tmp_path, "Spam", "1.0", platform="rh8-x86_64", payload_bytes=30_000_000)
        nobody = brood_server.client(auth=("nobody@example.com", SECRET))
        for brood, refusal in (
            (nobody, errors.AuthenticationError),
            (brood_server.client(), errors.NotFoundError),
        ):
            with pytest.raises(refusal) as caught:
                platform(brood).upload_egg(large)
            assert caught.value.error

    def test_the_words_of_the_server_are_shown(self, egg: Egg) -> None:
        answer = Answer(507, JSON, b'{"error": "The disk is full."}')
        with ScriptedServer(answer) as server, client(server.url) as brood:
            with pytest.raises(errors.ServerError, match=r"507.*The disk is full\.") as caught:
                platform(brood).upload_egg(egg.path)
            assert caught.value.error == "The disk is full."

    @pytest.mark.parametrize("kind", ["cut", "reset", "flip"])
    def test_through_a_bad_network(self, kind: Any, egg: Egg, brood_server: BroodServer) -> None:
        own = brood_server.client()
        own.create_organization("acme", "").create_repository("dev", "")
        auth = (brood_server.admin_email, brood_server.admin_password)
        fault = Fault(kind, after=500_000, direction="up")
        with FaultProxy(brood_server.url, [fault]) as proxy, client(proxy.url, auth=auth) as brood:
            if kind == "flip":
                with pytest.raises(errors.BadRequestError):
                    platform(brood).upload_egg(egg.path)
                assert platform(own).egg_index("cp311") == {}
            platform(brood).upload_egg(egg.path)
        assert platform(own).egg_index("cp311")["Spam-1.0-1.egg"]["sha256"] == egg.sha256


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
    def test_no_json_or_another(self, answer: Answer) -> None:
        with ScriptedServer(answer) as server, client(server.url) as brood:
            with pytest.raises(errors.InvalidJSONError) as caught:
                brood.list_organizations()
            check(caught.value)
            assert len(server.requests) == 1

    @pytest.mark.parametrize("declared", [True, False])
    def test_gzip_with_and_without_its_header(self, declared: bool) -> None:
        headers = {**JSON, **({"Content-Encoding": "gzip"} if declared else {})}
        body = gzip.compress(json.dumps({"organizations": ["b", "a"]}).encode())
        with ScriptedServer(Answer(200, headers, body)) as server, client(server.url) as brood:
            assert brood.list_organizations() == ["a", "b"]

    def test_a_passing_fault_is_gone_over(self) -> None:
        good = Answer(200, JSON, b'{"organizations": []}')
        answers = [Answer(503, HTML, PAGE), Answer(502, HTML, PAGE), Answer(504), good]
        with ScriptedServer(*answers) as server, client(server.url) as brood:
            assert brood.list_organizations() == []
            assert len(server.requests) == 4

    def test_a_lasting_fault_is_not(self) -> None:
        with ScriptedServer(Answer(503, HTML, PAGE)) as server, client(server.url) as brood:
            with pytest.raises(errors.ServerError, match="It's raining"):
                brood.list_organizations()
            assert len(server.requests) == 4

    def test_it_waits_as_long_as_the_server_asks(self) -> None:
        good = Answer(200, JSON, b'{"organizations": []}')
        answers = [Answer(429, {"Retry-After": "1"}), good]
        with ScriptedServer(*answers) as server, client(server.url) as brood:
            start = time.monotonic()
            assert brood.list_organizations() == []
            assert time.monotonic() - start >= 1.0

    def test_it_does_not_wait_for_hours(self) -> None:
        answer = Answer(429, {"Retry-After": "7200"})
        with ScriptedServer(answer) as server, client(server.url) as brood:
            with pytest.raises(errors.RateLimitedError) as caught:
                brood.list_organizations()
            assert caught.value.retry_after == 7200
            assert len(server.requests) == 1

    def test_a_creation_is_not_repeated(self) -> None:
        with ScriptedServer(Answer(503), Answer(201)) as server, client(server.url) as brood:
            with pytest.raises(errors.ServerError):
                brood.create_organization("acme", "Road runner traps")
            assert len(server.requests) == 1

    def test_an_error_page_of_any_size_is_shown_in_short(self) -> None:
        page = b"<html><title>Down</title>" + b"x" * 5_000_000
        with ScriptedServer(Answer(500, HTML, page)) as server, client(server.url) as brood:
            with pytest.raises(errors.ServerError, match="Down") as caught:
                brood.list_organizations()
            assert len(str(caught.value)) < 1000


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303])
    def test_a_post_does_not_become_a_get(self, status: int) -> None:
        answers = [Answer(status, {"Location": "/elsewhere"}), Answer(200, JSON, b"{}")]
        with ScriptedServer(*answers) as server, client(server.url) as brood:
            with pytest.raises(errors.RedirectError):
                brood.create_organization("acme", "")
            assert [request.method for request in server.requests] == ["POST"]

    @pytest.mark.parametrize("status", [307, 308])
    def test_one_that_keeps_the_method_is_followed_on_the_same_server(self, status: int) -> None:
        answers = [Answer(status, {"Location": "/elsewhere"}), Answer(201, JSON, b"{}")]
        with ScriptedServer(*answers) as server, client(server.url) as brood:
            brood.create_organization("acme", "traps")
            first, second = server.requests
        assert (second.method, second.target) == ("POST", "/elsewhere")
        assert (
            json.loads(second.body)
            == json.loads(first.body)
            == {
                "name": "acme",
                "description": "traps",
            }
        )
        assert second.headers["authorization"] == first.headers["authorization"]

    @pytest.mark.parametrize("status", [307, 308])
    def test_a_post_goes_to_no_other_server(self, status: int) -> None:
        with ScriptedServer(Answer(201)) as other:
            away = Answer(status, {"Location": other.url})
            with ScriptedServer(away) as server, client(server.url) as brood:
                with pytest.raises(errors.RedirectError) as caught:
                    brood.create_organization("acme", "")
                check(caught.value)
            assert other.connections == 0

    @pytest.mark.parametrize(
        "auth",
        [
            ("coyote", SECRET),
            BroodBearerTokenAuth(SECRET),
            "exchange",
            "session",
        ],
        ids=["basic", "bearer", "exchange", "user's own httpx client"],
    )
    def test_credentials_go_to_no_other_server(
        self, auth: Any, egg: Egg, destination: Path
    ) -> None:
        with ScriptedServer(Answer(200, NAMED, egg.content)) as other:
            away = Answer(302, {"Location": f"{other.url}/bucket/egg?signature=1"})
            token = Answer(200, JSON, b'{"token": "session-' + SECRET.encode() + b'"}')
            answers = [token, away] if auth == "exchange" else [away]
            with ScriptedServer(*answers) as server:
                if auth == "session":
                    own = httpx.Client(
                        auth=("coyote", SECRET),
                        headers={"Authorization": f"Bearer {SECRET}"},
                        cookies={"session": SECRET},
                    )
                    brood = BroodClient.from_session(server.url, own, api_version=1)
                else:
                    if auth == "exchange":
                        auth = BroodClientAuth(server.url, ("coyote", SECRET))
                    brood = client(server.url, auth=auth)
                with brood:
                    platform(brood).download_egg("cp311", "Spam", "1.0-1", destination, egg.sha256)
                assert "authorization" in server.requests[-1].headers
            (request,) = other.requests
        assert SECRET not in str(request)
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers
        assert (destination / "Spam-1.0-1.egg").read_bytes() == egg.content


class TestNoServer:
    @pytest.fixture
    def dead(self) -> str:
        """A URL at which nobody listens."""
        with ScriptedServer() as server:
            return server.url

    def test_reading(self, dead: str) -> None:
        with client(dead) as brood, pytest.raises(errors.NotConnectedError) as caught:
            brood.list_organizations()
        check(caught.value)

    def test_downloading(self, dead: str, egg: Egg, destination: Path) -> None:
        with pytest.raises(errors.NotConnectedError):
            download(dead, egg, destination)
        assert list(destination.iterdir()) == []

    def test_uploading(self, dead: str, egg: Egg) -> None:
        with client(dead) as brood, pytest.raises(errors.NotConnectedError) as caught:
            platform(brood).upload_egg(egg.path)
        check(caught.value)


class TestLaziness:
    @pytest.mark.parametrize("api_version", [0, 1])
    def test_building_the_graph_sends_nothing(self, api_version: int, tmp_path: Path) -> None:
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

            # The same socket does see what is sent: the test can fail.
            with BroodClient.from_url(server.url, api_version=api_version) as brood:
                assert brood.list_organizations() == []
            assert server.connections == 1

    def test_bad_input_sends_nothing(self, tmp_path: Path, egg: Egg) -> None:
        no_egg = tmp_path / "Spam-1.0-1.egg"
        no_egg.write_bytes(b"no zip file")
        with ScriptedServer() as server, client(server.url) as brood:
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
                with pytest.raises((errors.InvalidArgumentError, errors.ArtefactError)) as caught:
                    wrong()
                check(caught.value)
            assert server.connections == 0
