"""What is wrong for all is said once, and not of each artefact; and nobody is locked out by it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, BroodClientAuth, Repository
from hatcher.errors import AuthenticationError, BatchError, NotFoundError
from hatcher.testing import BroodServer, FaultyGateway, write_egg

from .conftest import PLATFORM, make_repository, places

SOME: dict[str, Any] = {
    "kinds": ["eggs"],
    "platforms": [PLATFORM, "win-x86_64", "osx-arm64"],
    "python_tags": ["cp311", "cp38", "cp310"],
}
EGGS = 6


@pytest.fixture(scope="module")
def server() -> Iterator[BroodServer]:
    with BroodServer() as server:
        yield server


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("eggs")
    return [write_egg(folder, f"egg{number}", python_tag="cp311") for number in range(EGGS)]


@pytest.fixture(scope="module")
def source(server: BroodServer, eggs: list[Path]) -> Repository:
    repository = make_repository(server.client())
    repository.platform(PLATFORM).upload_eggs(eggs).raise_for_failures()
    return repository


def test_a_missing_organization(server, source, tmp_path):
    acme, nobody = (server.client().organization(name) for name in ("acme", "nobody"))
    for origin, target in [(source, nobody.repository("dev")), (acme, nobody)]:
        with pytest.raises(NotFoundError) as caught:
            mirror.plan(origin, target, **SOME)
        assert "'nobody'" in caught.value.what
        assert "creates no organizations" in caught.value.advice
    for name in ("dev", "other"):
        plan = mirror.plan(source, mirror.Folder(tmp_path, f"nobody/{name}"), **SOME)
        plan.apply().raise_for_failures()
    report = mirror.import_(server.client(), tmp_path)
    assert places(report) == ["nobody"]
    assert len(report.not_tried) == 2 * EGGS


# -- a wrong password ------------------------------------------------------------------------


def _upload(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    client.at(f"acme/dev/{PLATFORM}").upload_eggs(eggs).raise_for_failures()


def _download(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    client.at(f"acme/dev/{PLATFORM}").download_eggs("cp311", folder).raise_for_failures()


def _plan(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    mirror.plan(client.at("acme/dev"), folder / "none", **SOME)


def _export(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    mirror.export(client, folder, repositories=["acme/dev"], **SOME).raise_for_failures()


def _import(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    for number in range(3):
        there = folder / f"v1/acme{number}/dev/{PLATFORM}/eggs/cp311"
        there.mkdir(parents=True)
        (there / eggs[0].name).write_bytes(eggs[0].read_bytes())
    mirror.import_(client, folder).raise_for_failures()


def _pack(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    mirror.pack(client.at("acme/dev"), folder / "all.zip", **SOME).raise_for_failures()


def _promote(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    platform = client.at(f"acme/dev/{PLATFORM}")
    handles = [platform.egg("cp311", f"egg{number}", "1.0.0-1") for number in range(EGGS)]
    mirror.promote(handles, client.at("acme/dev")).raise_for_failures()


def _threads(client: BroodClient, eggs: list[Path], folder: Path) -> None:
    """Sixteen threads of the user's own, at the same moment."""
    together = Barrier(16)

    def ask(_: int) -> None:
        together.wait()
        client.list_platforms()

    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(ask, number) for number in range(16)]
        refusals = [future.exception() for future in asked]
    assert all(isinstance(refusal, AuthenticationError) for refusal in refusals)
    raise refusals[0] or AssertionError


@pytest.mark.parametrize("exchanged", [False, True])
@pytest.mark.parametrize(
    "act", [_upload, _download, _plan, _export, _import, _pack, _promote, _threads]
)
def test_one_call_is_one_failed_login(act, exchanged, server, source, eggs, tmp_path):
    """So that a call never locks its own account."""
    with FaultyGateway(server.url) as gateway:
        auth: Any = (f"{act.__name__}{exchanged}@example.com", "wrong")
        if exchanged:
            auth = BroodClientAuth(gateway.url, auth)
        client = server.client(url=gateway.url, auth=auth)
        with pytest.raises((AuthenticationError, BatchError)):
            act(client, eggs, tmp_path)
        assert gateway.sent("*", "*") == 1


def test_a_new_password_is_tried_at_once(server, source):
    """The refusal of one call is not that of the next one of the same thread."""
    auth = ("late@example.com", "secret-enough-1")
    client = server.client(auth=auth)
    with FaultyGateway(server.url) as gateway:
        client = server.client(url=gateway.url, auth=auth)
        for number in (1, 2):
            with pytest.raises(AuthenticationError):
                client.list_platforms()
            assert gateway.sent("*", "*") == number
