"""An upload whose answer got lost: the server is asked, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hatcher.api import BroodClient, Repository
from hatcher.errors import BroodConnectionError, ServerError
from hatcher.testing import (
    Answer,
    BroodServer,
    Fault,
    FaultProxy,
    ScriptedServer,
    write_bundle,
    write_egg,
    write_runtime,
)

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def repository(brood_server: BroodServer) -> Repository:
    client = brood_server.client()
    return client.create_organization("acme", "-").create_repository("dev", "-")


def through(proxy: FaultProxy, server: BroodServer) -> Repository:
    auth = (server.admin_email, server.admin_password)
    found = BroodClient.from_url(proxy.url, auth=auth, api_version=1).at("acme/dev")
    assert isinstance(found, Repository)
    return found


UPLOADS: dict[str, Callable[[Repository, Path], object]] = {
    "egg": lambda repository, folder: repository.platform("rh8-x86_64").upload_egg(
        write_egg(folder, "nose", "1.3.0", 1, payload_bytes=200_000)
    ),
    "disabled egg": lambda repository, folder: repository.platform("rh8-x86_64").upload_egg(
        write_egg(folder, "nose", "1.3.0", 1), enabled=False
    ),
    "runtime": lambda repository, folder: repository.upload_runtime(write_runtime(folder)),
    "bundle": lambda repository, folder: repository.upload_bundle(write_bundle(folder)),
}


@pytest.mark.parametrize("kind", ["cut", "reset"])
@pytest.mark.parametrize("what", UPLOADS)
def test_what_has_arrived_is_no_failure(
    repository: Repository, brood_server: BroodServer, tmp_path: Path, what: str, kind: str
) -> None:
    with FaultProxy(brood_server.url, [Fault(kind, after=0, direction="down")]) as proxy:
        UPLOADS[what](through(proxy, brood_server), tmp_path)
        assert proxy.connections == 2  # the upload, and the question


@pytest.mark.parametrize("what", UPLOADS)
def test_what_has_not_arrived_is_one(
    repository: Repository, brood_server: BroodServer, tmp_path: Path, what: str
) -> None:
    with (
        FaultProxy(brood_server.url, [Fault("cut", after=300, direction="up")]) as proxy,
        pytest.raises(BroodConnectionError, match="look before"),
    ):
        UPLOADS[what](through(proxy, brood_server), tmp_path)
    assert repository.platform("rh8-x86_64").list_eggs("cp311") == []


def scripted(*answers: Answer, folder: Path) -> list[str]:
    """Upload an egg to a server that answers so; return the methods that it saw."""
    egg = write_egg(folder, "nose", "1.3.0", 1)
    with ScriptedServer(*answers) as server:
        client = BroodClient.from_url(server.url, api_version=1)
        with pytest.raises((BroodConnectionError, ServerError)):
            client.at("acme/dev/rh8-x86_64").upload_egg(egg)  # type: ignore[union-attr]
        return [request.method for request in server.requests]


LOST = Answer(raw=b"")


@pytest.mark.parametrize(
    "found",
    [
        Answer(404, JSON, b'{"error": "no such egg"}'),
        Answer(200, JSON, b'{"sha256": "0000"}'),
        Answer(200, JSON, b"{}"),
        Answer(403, JSON, b'{"error": "no"}'),
        Answer(200, JSON, b"<html>"),
    ],
)
def test_the_first_failure_is_raised_when_the_server_has_something_else(
    tmp_path: Path, found: Answer
) -> None:
    assert scripted(LOST, found, folder=tmp_path) == ["POST", "GET"]


def test_an_egg_that_is_there_but_hidden_is_not_what_was_asked_for(tmp_path: Path) -> None:
    from hatcher.transfer.hashing import file_sha256

    digest = file_sha256(write_egg(tmp_path, "nose", "1.3.0", 1))
    hidden = Answer(200, JSON, f'{{"sha256": "{digest}", "enabled": false}}'.encode())
    assert scripted(LOST, hidden, folder=tmp_path) == ["POST", "GET"]


def test_gateways_lose_answers_too_but_a_server_that_failed_is_not_asked(tmp_path: Path) -> None:
    gone = Answer(404, JSON, b"{}")
    assert scripted(Answer(504), gone, folder=tmp_path) == ["POST", "GET"]
    assert scripted(Answer(502), gone, folder=tmp_path) == ["POST", "GET"]
    assert scripted(Answer(500), gone, folder=tmp_path) == ["POST"]
    assert scripted(Answer(503), gone, folder=tmp_path) == ["POST"]
