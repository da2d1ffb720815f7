"""Public repositories, read without credentials."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hatcher.api import BroodClient, SinglePlatformRepository
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.testing import Answer, BroodServer, ScriptedServer, write_egg

PLATFORM = "rh8-x86_64"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BroodServer]:
    """A Brood with an egg in a public repository, in one with a public index, and in another."""
    with BroodServer() as server:
        organization = server.client().create_organization("acme", "Makers of everything")
        for name, public in (("open", True), ("listed", "read_index"), ("dev", False)):
            repository = organization.create_repository(name, "Builds of the night", public=public)
            egg = write_egg(tmp_path_factory.mktemp(name), "Spam", "1.0.0", python_tag="cp311")
            repository.platform(PLATFORM).upload_egg(egg)
        yield server


@pytest.fixture(params=[0, 1])
def anyone(server: BroodServer, request: pytest.FixtureRequest) -> Iterator[BroodClient]:
    with BroodClient.from_url(server.url, api_version=request.param) as client:
        yield client


def at(client: BroodClient, repository: str) -> SinglePlatformRepository:
    return client.organization("acme").repository(repository).platform(PLATFORM)


def test_what_everybody_may_read(anyone, tmp_path):
    assert PLATFORM in anyone.list_platforms()
    assert "cp311" in anyone.list_python_tags()
    assert "py3" in anyone.list_python_tags(list_all=True)
    assert anyone.list_available_repositories() == ["acme/open"]
    every = anyone.list_available_repositories(include_indexable=True)
    assert every == ["acme/listed", "acme/open"]
    known = anyone.whoami()
    assert (known["authentication"], known["user"]) == ("none", None)
    assert list(known["repositories"]) == every

    platform = at(anyone, "open")
    (name,) = platform.egg_index("cp311")
    assert platform.list_eggs("cp311") == [{"name": name, "python_tag": "cp311"}]
    assert platform.egg_metadata("cp311", "Spam", "1.0.0-1")["filename"] == name
    platform.download_egg("cp311", "Spam", "1.0.0-1", tmp_path)
    length, sizes = platform.iter_download_egg("cp311", "Spam", "1.0.0-1", tmp_path, filename="x")
    assert sum(sizes) == length == (tmp_path / name).stat().st_size
    (tmp_path / "batch").mkdir()
    report = platform.download_eggs("cp311", tmp_path / "batch")
    assert report and len(report.results) == 1
    assert platform.list_runtimes() == [] and platform.list_apps() == []


def test_the_metadata_say_that_it_is_public(server, anyone):
    for client in (anyone, server.client()):
        acme = client.organization("acme")
        assert acme.repository("open").metadata()["public"] == "read_repository"
        assert acme.repository("listed").metadata()["public"] == "read_index"
    assert "public" not in acme.repository("dev").metadata()


def test_an_index_alone(anyone, tmp_path):
    platform = at(anyone, "listed")
    assert len(platform.egg_index("cp311")) == 1
    with pytest.raises(PermissionDeniedError, match="everybody has read_index") as caught:
        platform.download_egg("cp311", "Spam", "1.0.0-1", tmp_path)
    assert "No credentials were given" in caught.value.advice
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("repository", "missing"), [("dev", "dev"), ("opne", "opne"), ("xyzzy", "xyzzy")]
)
def test_what_is_not_public_is_not_there(anyone, repository, missing):
    with pytest.raises(NotFoundError) as caught:
        at(anyone, repository).list_eggs("cp311")
    error = caught.value
    assert error.anonymous
    assert error.missing is not None and error.missing.name == missing
    assert error.missing.alike == (("open",) if repository == "opne" else ())
    assert "No credentials were given" in error.advice
    assert "No credentials were given" in str(error)


@pytest.mark.parametrize("size", [0, 8 << 20])
def test_who_uploads_must_log_in(anyone, tmp_path, size):
    """Before a large file is sent, and when a small one was."""
    egg = write_egg(tmp_path, "ham", "1.0.0", payload_bytes=size)
    with pytest.raises(AuthenticationError) as caught:
        at(anyone, "open").upload_egg(egg)
    assert "No credentials were given" in caught.value.advice
    with pytest.raises(NotFoundError if size else AuthenticationError):
        at(anyone, "dev").upload_egg(egg)


def test_who_gave_credentials_hears_nothing_of_them(server):
    with pytest.raises(NotFoundError) as caught:
        at(server.client(), "opne").list_eggs("cp311")
    assert not caught.value.anonymous
    assert "credentials" not in str(caught.value)
    wrong = BroodClient.from_url(server.url, auth=("ada@example.com", "wrong"), api_version=1)
    with pytest.raises(AuthenticationError, match="is wrong") as refused:
        at(wrong, "open").list_eggs("cp311")
    assert "No credentials" not in str(refused.value)


def test_a_refusal_of_one_request_says_nothing_of_others(server):
    """Without credentials some are refused and others not, whoever was told a moment ago."""
    with BroodClient.from_url(server.url, api_version=1) as anyone, ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            with pytest.raises(AuthenticationError):
                pool.submit(anyone.list_organizations).result()
            asked = [pool.submit(anyone.list_platforms) for _ in range(4)]
            assert all(PLATFORM in each.result() for each in asked)


def test_a_server_that_cannot_make_it_public_says_so():
    """Silence would let everybody believe it."""
    kind = {"Content-Type": "application/json"}
    for answer in (Answer(201), Answer(201, kind, b'{"name": "open"}')):
        with ScriptedServer(answer) as server:
            client = BroodClient.from_url(server.url, auth=("ada", "secret"), api_version=1)
            with pytest.raises(HatcherException, match="has created the repository 'acme/open'"):
                client.organization("acme").create_repository("open", "For all", public=True)


def test_a_level_that_there_is_not_is_refused(server):
    acme = server.client().organization("acme")
    with pytest.raises(HatcherException, match="upload_repository"):
        acme.create_repository("all", "For all", public="upload_repository")
    assert "all" not in acme.list_repositories()
