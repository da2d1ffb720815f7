"""What is wrong for all is said once, and not of each artefact; and nobody is locked out by it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, BroodClientAuth
from hatcher.errors import AuthenticationError, BatchError, NotFoundError

from .conftest import PLATFORM, egg, places

SOME: dict[str, Any] = {
    "kinds": ["eggs"],
    "platforms": [PLATFORM, "win-x86_64", "osx-arm64"],
    "python_tags": ["cp311", "cp38", "cp310"],
}


def test_a_missing_organization(lab, tmp_path):
    nobody = lab.client.organization("nobody")
    for origin, target in [(lab.dev, nobody.repository("dev")), (lab.acme, nobody)]:
        with pytest.raises(NotFoundError) as caught:
            mirror.plan(origin, target, **SOME)
        assert "'nobody'" in caught.value.what
        assert "creates no organizations" in caught.value.advice
    for name in ("dev", "other"):
        plan = mirror.plan(lab.dev, mirror.Folder(tmp_path, f"nobody/{name}"), **SOME)
        plan.apply().raise_for_failures()
    report = mirror.import_(lab.client, tmp_path)
    assert places(report) == ["nobody"]
    assert len(report.not_tried) == 2 * 4


# -- a wrong password ------------------------------------------------------------------------


def _here(client: BroodClient) -> Any:
    return client.at(f"acme/dev/{PLATFORM}")


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


def _import(client: BroodClient, eggs: list[Path], folder: Path) -> mirror.MirrorReport:
    for number in range(3):
        there = folder / f"v1/acme{number}/dev/{PLATFORM}/eggs/cp311"
        there.mkdir(parents=True)
        (there / eggs[0].name).write_bytes(eggs[0].read_bytes())
    return mirror.import_(client, folder)


ACTS: dict[str, Callable[[BroodClient, list[Path], Path], Any]] = {
    "upload": lambda client, eggs, folder: _here(client).upload_eggs(eggs),
    "download": lambda client, eggs, folder: _here(client).download_eggs("cp311", folder),
    "plan": lambda client, eggs, folder: mirror.plan(client.at("acme/dev"), folder, **SOME),
    "export": lambda client, eggs, folder: mirror.export(
        client, folder, repositories=["acme/dev"], **SOME
    ),
    "import": _import,
    "pack": lambda client, eggs, folder: mirror.pack(
        client.at("acme/dev"), folder / "all.zip", **SOME
    ),
    "promote": lambda client, eggs, folder: mirror.promote(
        [_here(client).egg("cp311", name, "1.0-1") for name in ("MyEgg", "pure", "none")],
        client.at("acme/dev"),
    ),
    "threads": _threads,
}


@pytest.mark.parametrize("exchanged", [False, True])
@pytest.mark.parametrize("act", ACTS)
def test_one_call_is_one_failed_login(act, exchanged, lab, tmp_path):
    """So that a call never locks its own account."""
    eggs, folder = [egg(tmp_path, f"egg{number}") for number in range(6)], tmp_path / "folder"
    folder.mkdir()
    lab.behind()
    auth: Any = (f"{act}{exchanged}@example.com", "wrong")
    if exchanged:
        auth = BroodClientAuth(lab.gateway.url, auth)
    client = lab.server.client(url=lab.gateway.url, auth=auth)
    with pytest.raises((AuthenticationError, BatchError)):
        ACTS[act](client, eggs, folder).raise_for_failures()
    assert lab.gateway.sent("*", "*") == 1


def test_a_new_password_is_tried_at_once(lab):
    """The refusal of one call is not that of the next one of the same thread."""
    lab.behind()
    auth = ("late@example.com", "secret-enough-1")
    client = lab.server.client(url=lab.gateway.url, auth=auth)
    for number in (1, 2):
        with pytest.raises(AuthenticationError):
            client.list_platforms()
        assert lab.gateway.sent("*", "*") == number
