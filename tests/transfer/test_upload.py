"""Uploads as a whole: refused early, given up, and stopped when the file changes."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from hatcher.api import BroodClient, BroodClientAuth, Phase, Repository, SinglePlatformRepository
from hatcher.cancel import CancelToken
from hatcher.errors import (
    AuthenticationError,
    BroodHTTPError,
    FileChangedError,
    HatcherException,
    NotConnectedError,
    NotFoundError,
    PermissionDeniedError,
    TransferInterruptedError,
)
from hatcher.testing import Answer, BroodServer, Request, ScriptedServer, write_egg
from hatcher.testing.listener import Listener
from hatcher.transfer.upload import LARGE

from .common import JSON, hashing_threads, platform_at

MB = 1_000_000
DONE = Answer(200, JSON, b"{}")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return write_egg(tmp_path, "Large", "1.0", 1, payload_bytes=12 * MB)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_egg(tmp_path, "small", "1.0", 1)


def platform_of(url: str, **options: Any) -> SinglePlatformRepository:
    return platform_at(url, **{"auth": ("ada@example.com", "secret"), **options})


# -- the question before a large file --------------------------------------------------------


def listed(*repositories: tuple[str, str]) -> Answer:
    entries = [{"name": name, "access": access} for name, access in repositories]
    return Answer(200, JSON, json.dumps({"repositories": entries}).encode())


def asked(server: ScriptedServer) -> list[str]:
    return [f"{each.method} {each.target.rpartition('/')[2]}" for each in server.requests]


@pytest.mark.parametrize("access", ["read_index", "read_repository"])
@pytest.mark.parametrize("api_version", [0, 1])
def test_who_may_only_read_is_told_so_before_anything_is_sent(large, access, api_version):
    with ScriptedServer(listed(("acme/dev", access), ("acme/x", "read_index"))) as server:
        with pytest.raises(PermissionDeniedError, match="Nothing was sent") as caught:
            platform_of(server.url, api_version=api_version).upload_egg(large)
        assert asked(server) == ["GET repositories"]
    error = caught.value
    assert access in str(error)
    assert "acme/dev" in str(error)
    assert error.status_code == 403
    assert error.url.endswith("/api/v1/json/metadata/user/repositories")


def test_what_is_neither_listed_nor_there_is_not_found(large):
    elsewhere = listed(("acme/other", "upload_repository"))
    with ScriptedServer(elsewhere, Answer(404, JSON, b'{"error": "no acme/dev"}')) as server:
        with pytest.raises(NotFoundError, match=r"upload egg: .* no acme/dev"):
            platform_of(server.url).upload_egg(large)
        assert asked(server)[:2] == ["GET repositories", "GET runtimes"]
        assert "POST" not in {request.method for request in server.requests}


@pytest.mark.parametrize("answer", [DONE, Answer(403), Answer(500)])
def test_what_is_there_without_being_listed_can_be_uploaded_to(large, answer):
    with ScriptedServer(listed(("acme/other", "read_index")), answer, DONE) as server:
        platform_of(server.url).upload_egg(large)
        assert [request.method for request in server.requests] == ["GET", "GET", "POST"]


def test_who_is_not_known_is_told_so_before_anything_is_sent(large):
    with ScriptedServer(Answer(401, JSON, b'{"error": "who?"}')) as server:
        with pytest.raises(AuthenticationError, match="who"):
            platform_of(server.url).upload_egg(large)
        assert asked(server) == ["GET repositories"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, JSON, b'{"error": "no such page"}'),
        Answer(405),
        Answer(403),
        Answer(500),
        Answer(200, {"Content-Type": "text/html"}, b"<html>"),
        Answer(200, JSON, b"{}"),
        Answer(200, JSON, b'{"repositories": ["acme/dev"]}'),
        Answer(200, JSON, b'{"repositories": [{"name": 7}]}'),
        listed(),
        listed(("acme/dev", "upload_repository")),
        listed(("Acme/Dev", "organization_administrator")),
        listed(("acme/dev", "something_new")),
    ],
)
def test_what_the_question_cannot_tell_does_not_stop_an_upload(large, answer):
    with ScriptedServer(answer, DONE) as server:
        platform_of(server.url).upload_egg(large)
        assert asked(server)[0] == "GET repositories"
        assert asked(server)[1].startswith("POST upload?")
        assert len(server.requests) == 2


def test_it_is_asked_once_in_a_while_and_not_for_small_files(large, small):
    with ScriptedServer(listed(("acme/dev", "upload_repository")), DONE) as server:
        platform = platform_of(server.url)
        platform.upload_egg(small)
        platform.upload_egg(large)
        platform.upload_egg(large)
        assert [method[0] for method in asked(server)] == ["P", "G", "P", "P"]


@pytest.mark.parametrize("access", ["upload_repository", "read_index"])
def test_it_is_asked_while_the_server_says_what_it_has(large, access):
    asking = threading.Event()
    at_once: list[bool] = []

    def answer(request: Request) -> Answer:
        if request.target.endswith("/user/repositories"):
            asking.set()
            return listed(("acme/dev", access))
        if "/eggs/Large/" in request.target:
            at_once.append(asking.wait(10))
            return Answer(404, JSON, b"{}")
        return Answer(200, JSON, b'{"platforms": []}')

    with ScriptedServer(answer) as server:
        platform = platform_of(server.url)
        platform._session.send(platform._request("list_platforms"))
        for _ in range(2):
            with suppress(PermissionDeniedError):
                platform.upload_egg(large, verify=True)
        assert at_once == [True, True]
        sent = [each.method for each in server.requests].count("POST")
        assert sent == (2 if access == "upload_repository" else 0)
        assert asked(server).count("GET repositories") == (1 if sent else 2)


@pytest.mark.parametrize(
    ("access", "error"), [("upload_repository", None), ("read_index", PermissionDeniedError)]
)
def test_threads_that_start_together_ask_once(large, access, error):
    def answer(request: Request) -> Answer:
        if request.method == "POST":
            return DONE
        time.sleep(0.7)  # until all of them wait
        return listed(("acme/dev", access))

    def upload() -> object:
        start.wait()
        try:
            platform.upload_egg(large)
        except HatcherException as refusal:
            return refusal
        return None

    start = threading.Barrier(6)
    with ScriptedServer(answer) as server, ThreadPoolExecutor(6) as pool:
        platform = platform_of(server.url)
        results = [future.result() for future in [pool.submit(upload) for _ in range(6)]]
        questions = [each for each in asked(server) if each == "GET repositories"]
        assert len(questions) == 1
        assert {type(result) for result in results} == {error or type(None)}
        assert len({id(result) for result in results}) == (6 if error else 1)
        with suppress(PermissionDeniedError):
            platform.upload_egg(large)
        # Who was refused asks anew: an administrator may have been kind.
        assert asked(server).count("GET repositories") == (2 if error else 1)


def test_who_waits_for_an_answer_can_be_cancelled_and_an_interruption_is_none(large):
    asking, may_answer = threading.Event(), threading.Event()

    def answer(request: Request) -> Answer:
        if request.method == "GET":
            asking.set()
            may_answer.wait(10)
        return listed(("acme/dev", "upload_repository")) if request.method == "GET" else DONE

    def upload(token: CancelToken) -> None:
        with token.active():
            platform.upload_egg(large)

    first, second = CancelToken(), CancelToken()
    with ScriptedServer(answer) as server, ThreadPoolExecutor(2) as pool:
        platform = platform_of(server.url)
        uploads = []
        for token in (first, second):
            uploads.append(pool.submit(upload, token))
            asking.wait(10)
        for token, future in ((second, uploads[1]), (first, uploads[0])):
            token.cancel()
            with pytest.raises(TransferInterruptedError):
                future.result(5)
        may_answer.set()
        platform.upload_egg(large)
        assert [each[0] for each in asked(server)] == ["G", "G", "P"]


def test_a_server_that_is_not_there_is_an_error_of_the_connection(large):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotConnectedError):
        platform_of(f"http://127.0.0.1:{port}", retries=0).upload_egg(large)


def test_a_real_server_refuses_before_the_body(repository, brood_server, large):
    organization = brood_server.client().organization("acme")
    team = organization.create_team("readers", "read_repository")
    team.add_repository("dev")
    user = organization.create_user("reader@example.com", [team])
    reader = user.email, user.one_time_password
    with pytest.raises(PermissionDeniedError, match="read_repository"):
        platform_of(brood_server.url, auth=reader).upload_egg(large)
    with pytest.raises(AuthenticationError):
        platform_of(brood_server.url, auth=("reader@example.com", "wrong")).upload_egg(large)
    missing = organization.repository("dav").platform("rh8-x86_64")
    with pytest.raises(NotFoundError, match="'dev'"):
        missing.upload_egg(large)
    assert repository.platform("rh8-x86_64").list_eggs("cp311") == []


def test_an_old_session_token_is_renewed_by_the_question(repository, brood_server, large):
    credentials = (brood_server.admin_email, brood_server.admin_password)
    auth = BroodClientAuth(brood_server.url, credentials)
    platform = platform_of(brood_server.url, auth=auth)
    assert platform.list_eggs("cp311") == []
    platform.upload_egg(large)
    assert len(platform.list_eggs("cp311")) == 1


# -- answers that come early -------------------------------------------------------------------


class Glutton(Listener):
    """A server that counts what it is sent, and answers before it has all of it."""

    def __init__(self, answer: bytes, after: int) -> None:
        self.received = 0
        self._answer = answer
        self._after = after
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        answered = False
        while data := connection.recv(65536):
            self.received += len(data)
            if self.received >= self._after and not answered:
                connection.sendall(self._answer)
                connection.shutdown(socket.SHUT_WR)
                answered = True


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthenticationError), (403, PermissionDeniedError)]
)
@pytest.mark.parametrize("own", [True, False])
def test_a_refusal_on_the_way_ends_the_sending(tmp_path, status, error, own):
    # Of 7 MB, below which nothing is asked beforehand.
    egg = write_egg(tmp_path, "large", "1.0", 1, payload_bytes=LARGE - MB)
    words = b'{"error": "no more of this"}'
    answer = b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    with Glutton(answer % (status, len(words), words), after=200_000) as server:
        if own:
            platform = platform_of(server.url)
        else:
            client = BroodClient.from_session(server.url, httpx.Client(), api_version=1)
            platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
        with pytest.raises(error, match="no more of this"):
            platform.upload_egg(egg)
    if own:
        assert server.received < egg.stat().st_size - MB
    assert not hashing_threads()


def test_a_refusal_at_the_door_ends_the_sending(tmp_path):
    egg = write_egg(tmp_path, "large", "1.0", 1, payload_bytes=LARGE - MB)
    told: list[int] = []

    def progress(done: int, total: int | None, phase: Phase) -> None:
        told.append(done)
        time.sleep(0.05)  # the answer is on its way

    refusal = Answer(413, JSON, b'{"error": "too much"}', early=True)
    with ScriptedServer(refusal) as server:
        with pytest.raises(BroodHTTPError, match="too much") as caught:
            platform_of(server.url).upload_egg(egg, progress=progress)
        assert len(server.requests) == 1
    assert caught.value.status_code == 413
    assert max(told) < egg.stat().st_size / 2
    assert not hashing_threads()


# -- files that change -----------------------------------------------------------------------


def meddling(path: Path, at: int) -> Any:
    """A progress that cuts the file off when so many bytes are out."""

    def progress(done: int, total: int | None, phase: Phase) -> None:
        if phase == "uploading" and done >= at:
            os.truncate(path, at)

    return progress


def test_a_file_that_is_cut_off_while_it_is_sent_ends_the_connection(platform, large):
    with pytest.raises(FileChangedError, match="size"):
        platform.upload_egg(large, progress=meddling(large, 3 * MB))
    assert platform.list_eggs("cp311") == []
    assert not platform.egg(None, "Large", "1.0-1").exists()
    assert not hashing_threads()


def test_a_file_that_changed_is_not_sent_again(tmp_path):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1)

    def lose(_: Request) -> Answer:
        egg.write_bytes(b"another")
        return Answer(raw=b"")

    with ScriptedServer(lose, Answer(404, JSON, b"{}")) as server:
        with pytest.raises(FileChangedError, match="size"):
            platform_of(server.url).upload_egg(egg)
        assert [request.method for request in server.requests] == ["POST", "GET", "GET"]


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("size", [10, 3 * MB])
def test_a_file_that_vanishes_is_no_matter_of_the_connection(tmp_path, size, verify):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1, payload_bytes=size)

    def remove(_: Request) -> Answer:
        egg.unlink(missing_ok=True)
        return Answer(200, JSON, json.dumps({"sha256": "00" * 32}).encode())

    def progress(done: int, total: int | None, phase: Phase) -> None:
        egg.unlink(missing_ok=True)

    with ScriptedServer(remove) as server:
        with pytest.raises(FileChangedError, match="is gone"):
            platform_of(server.url).upload_egg(egg, verify=verify, progress=progress)
        assert "POST" not in [request.method for request in server.requests]
    assert not hashing_threads()


# -- the same through httpx ------------------------------------------------------------------


@pytest.fixture
def through_httpx(
    repository: Repository, brood_server: BroodServer
) -> Iterator[SinglePlatformRepository]:
    credentials = f"{brood_server.admin_email}:{brood_server.admin_password}".encode()
    basic = base64.b64encode(credentials).decode()
    with httpx.Client(headers={"Authorization": f"Basic {basic}"}) as client:
        found = BroodClient.from_session(brood_server.url, client, api_version=1)
        yield found.organization("acme").repository("dev").platform("rh8-x86_64")


def test_a_client_of_ones_own_uploads_too(through_httpx, large, small):
    for egg in (large, small):
        through_httpx.upload_egg(egg)
    names = [listing["name"] for listing in through_httpx.list_eggs("cp311")]
    assert sorted(names) == [large.name, small.name]


def test_there_too_what_progress_raises_comes_out(through_httpx, large):
    def progress(done: int, total: int | None, phase: Phase) -> None:
        if done > MB:
            raise BrokenPipeError("nobody looks any more")

    with pytest.raises(BrokenPipeError, match="nobody looks"):
        through_httpx.upload_egg(large, progress=progress)
    assert through_httpx.list_eggs("cp311") == []
    assert not hashing_threads()
