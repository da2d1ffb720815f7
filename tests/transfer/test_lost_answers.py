"""An upload whose answer got lost: the server is asked, and nothing is sent twice blindly."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BroodClient, RetryPolicy, Timeouts
from hatcher.cancel import CancelToken
from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    ChecksumMismatchError,
    ConflictError,
    HatcherException,
    InvalidResponseError,
    ServerError,
    TransferInterruptedError,
)
from hatcher.testing import (
    Answer,
    BroodServer,
    Fault,
    FaultProxy,
    ScriptedServer,
    write_bundle,
    write_egg,
    write_legacy_runtime,
)
from hatcher.transfer.hashing import file_sha256
from hatcher.transport.retry import is_unsent

from .common import AT_ONCE, JSON, platform_at

#: For all kinds of artefacts, tests/faults/test_retries.py shows the same.
UPLOADS: dict[str, Any] = {
    "egg": {"payload_bytes": 200_000},
    "disabled egg": {"enabled": False},
    "large egg": {"payload_bytes": 2_000_000},
}


def upload(proxy: FaultProxy, server: BroodServer, folder: Path, what: str, retries: Any) -> None:
    options = dict(UPLOADS[what])
    egg = write_egg(folder, "nose", "1.3.0", 1, payload_bytes=options.pop("payload_bytes", 0))
    auth = (server.admin_email, server.admin_password)
    platform_at(proxy.url, auth, retries=retries).upload_egg(egg, **options)


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("kind", ["cut", "reset"])
@pytest.mark.parametrize("what", UPLOADS)
class TestARealServer:
    def test_what_has_arrived_is_no_failure(self, brood_server, tmp_path, what, kind):
        with FaultProxy(brood_server.url, [Fault(kind, after=0, direction="down")]) as proxy:
            upload(proxy, brood_server, tmp_path, what, retries=0)
            assert proxy.connections == 2  # the upload, and the question

    def test_what_has_not_arrived_is_sent_again(self, brood_server, tmp_path, what, kind):
        with FaultProxy(brood_server.url, [Fault(kind, after=300, direction="up")]) as proxy:
            upload(proxy, brood_server, tmp_path, what, AT_ONCE)
            assert proxy.connections == 2

    def test_without_retries_it_is_an_error(self, platform, brood_server, tmp_path, what, kind):
        fault = Fault(kind, after=300, direction="up")
        refused = pytest.raises(BroodConnectionError, match="look before")
        with FaultProxy(brood_server.url, [fault]) as proxy, refused:
            upload(proxy, brood_server, tmp_path, what, retries=0)
        assert platform.list_eggs("cp311") == []


# -- step by step, against servers that answer as they are told ----------------------------


GONE = Answer(404, JSON, b'{"error": "no such egg"}')
LOST = Answer(raw=b"")
DONE = Answer(200, JSON, b"{}")
OTHER = Answer(200, JSON, json.dumps({"sha256": "00" * 32}).encode())

#: What a server may answer to an upload, or to the question what it has.
ANSWERS = {
    "gone": GONE,
    "lost": LOST,
    "done": DONE,
    "other": OTHER,
    "garbage": Answer(raw=b"SSH-2.0-OpenSSH\r\n\r\n"),
    "taken": Answer(409, JSON, b'{"error": "exists"}'),
    "nothing": Answer(200, JSON, b"{}"),
    "forbidden": Answer(403, JSON, b'{"error": "no"}'),
    "html": Answer(200, JSON, b"<html>"),
    "busy": Answer(429, {"Retry-After": "0"}),
    **{str(status): Answer(status) for status in (500, 502, 503, 504)},
}


@pytest.fixture
def egg(tmp_path: Path) -> Path:
    return write_egg(tmp_path, "nose", "1.3.0", 1)


def answers_of(egg: Path, names: str) -> list[Answer]:
    """Return answers by their names; an egg that is stored is this one, disabled or not."""
    answers = dict(ANSWERS)
    for name, enabled in ("stored", True), ("hidden", False):
        document = {"sha256": file_sha256(egg).upper(), "enabled": enabled}
        answers[name] = Answer(200, JSON, json.dumps(document).encode())
    return [answers[name] for name in names.split()]


def sent(egg: Path, *answers: Answer, **options: Any) -> str:
    """Upload an egg to a server that answers so; return what it was asked, as letters."""
    with ScriptedServer(*answers) as server:
        platform_at(server.url).upload_egg(egg, **options)
        return "".join(request.method[0] for request in server.requests)


@pytest.mark.parametrize("lost", ["lost", "502", "503", "504"])
@pytest.mark.parametrize(
    ("then", "asked"),
    # It is asked at once, and, since it may still be storing, a second time.
    [("stored", "PG"), ("gone stored", "PGG"), ("gone gone done", "PGGP")],
)
def test_what_is_not_there_at_two_looks_is_sent_again(egg, lost, then, asked):
    assert sent(egg, *answers_of(egg, f"{lost} {then}")) == asked


@pytest.mark.parametrize(
    ("answers", "asked", "options"),
    [
        ("busy done", "PP", {}),  # it was turned away, and so needs no look
        ("garbage stored", "PG", {}),
        # What shall be replaced does not stand in the way, nor what was sent before.
        ("lost other other done", "PGGP", {"overwrite": True}),
        ("lost other stored", "PGG", {"overwrite": True}),
        ("lost gone gone taken stored", "PGGPG", {}),
        # An egg that is there but hidden is not what was asked for.
        ("lost hidden hidden done", "PGGP", {}),
        ("lost hidden", "PG", {"enabled": False}),
    ],
)
def test_a_look_tells_what_became_of_it(egg, answers, asked, options):
    assert sent(egg, *answers_of(egg, answers), **options) == asked


@pytest.mark.parametrize(
    ("answers", "asked", "error"),
    [
        ("500", "P", ServerError),  # the server failed by itself
        ("taken", "P", ConflictError),
        ("garbage gone", "PG", InvalidResponseError),
        ("lost gone gone " * 4, "PGGPGGPGGPG", BroodConnectionError),  # as the policy allows
        # Another file of the name stays.
        ("lost other", "PG", ChecksumMismatchError),
        ("lost gone other", "PGG", ChecksumMismatchError),
        ("lost gone gone taken other", "PGGPG", ChecksumMismatchError),
        # When it cannot be told, nothing is sent.
        ("lost nothing", "PG", BroodConnectionError),
        ("lost forbidden", "PG", BroodConnectionError),
        ("lost html", "PG", BroodConnectionError),
        ("lost gone html", "PGG", BroodConnectionError),
    ],
)
def test_what_is_given_up(egg, answers, asked, error):
    with ScriptedServer(*answers_of(egg, answers)) as server:
        with pytest.raises(error) as caught:
            platform_at(server.url).upload_egg(egg)
        assert "".join(request.method[0] for request in server.requests) == asked
    if isinstance(caught.value, BroodConnectionError):
        assert caught.value.__cause__ is not None  # what happened on the wire
    if isinstance(caught.value, ChecksumMismatchError):
        assert (caught.value.expected, caught.value.actual) == (file_sha256(egg), "00" * 32)
        assert isinstance(caught.value.__cause__, HatcherException)
        assert "overwrite=True" in str(caught.value)


def test_the_server_says_when_to_come_back(egg):
    begin = time.monotonic()
    assert sent(egg, Answer(503, {"Retry-After": "1"}), GONE, GONE, DONE) == "PGGP"
    assert time.monotonic() - begin >= 1
    too_late = Answer(503, {"Retry-After": formatdate(time.time() + 3600, usegmt=True)})
    with ScriptedServer(too_late, GONE) as server, pytest.raises(ServerError) as caught:
        platform_at(server.url).upload_egg(egg)
    assert caught.value.retry_after is not None
    assert len(server.requests) == 2


def test_what_cannot_be_asked_for_is_an_error(tmp_path):
    """A runtime of version 0 is asked for by its python tag, which not every version has."""
    runtime = write_legacy_runtime(tmp_path, version="3")
    with ScriptedServer(LOST) as server:
        client = BroodClient.from_url(server.url, api_version=0, retries=AT_ONCE)
        with pytest.raises(BroodConnectionError):
            client.organization("acme").repository("dev").upload_runtime(runtime)
        assert len(server.requests) == 1


def test_a_bundle_is_known_by_its_document(tmp_path):
    bundle = write_bundle(tmp_path)
    document = json.loads(bundle.read_text())
    same = Answer(200, JSON, json.dumps({"data": document}).encode())
    other = Answer(200, JSON, json.dumps({"data": {**document, "mark": "x"}}).encode())

    def upload(*answers: Answer, overwrite: bool = False) -> str:
        with ScriptedServer(*answers) as server:
            client = BroodClient.from_url(server.url, api_version=1, retries=AT_ONCE)
            client.organization("acme").repository("dev").upload_bundle(bundle, overwrite)
            return "".join(request.method[0] for request in server.requests)

    assert upload(LOST, GONE, same) == "PGG"
    assert upload(LOST, other, other, DONE, overwrite=True) == "PGGP"
    with pytest.raises(ChecksumMismatchError, match="document is not the same"):
        upload(LOST, other)
    with pytest.raises(BroodConnectionError):
        upload(LOST, DONE)  # the server says nothing of the document


def test_an_interruption_ends_the_pause(egg):
    with ScriptedServer(LOST, GONE) as server:
        platform = platform_at(server.url, retries=RetryPolicy(backoff=60, longest=60))

        token = CancelToken()

        def interrupt() -> None:
            while len(server.requests) < 2:
                time.sleep(0.01)
            time.sleep(0.1)
            token.cancel()

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(TransferInterruptedError), token.active():
            platform.upload_egg(egg)
        thread.join()


def test_a_server_that_cannot_be_reached_is_not_looked_at(egg):
    # A queue of connections that nobody accepts, and that is full, answers no more.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as waiting:
        for _ in range(8):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        platform = platform_at(url, timeout=Timeouts(connect=0.2), retries=0)
        with pytest.raises(BroodTimeoutError, match="upload egg: no connection") as caught:
            platform.upload_egg(egg)
        assert is_unsent(caught.value)
