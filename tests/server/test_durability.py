"""What was answered outlives a loss of power: what is synced, and in which order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from hatcher.server.runner import BackgroundServer
from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, Client, sha256_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux only")


@pytest.fixture
def steps(server: BackgroundServer, admin: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server does with its files and its database, in order."""
    done: list[str] = []
    data = server.settings.data
    fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

    def note(what: str, path: Path) -> None:
        if path.is_relative_to(data) and path.name != "reserve":
            done.append(f"{what} {path.relative_to(data)}")

    def noted_fsync(descriptor: int) -> None:
        fsync(descriptor)
        note("sync", Path(f"/proc/self/fd/{descriptor}").readlink())

    def noted_replace(path: Path, target: Path) -> Path:
        note("place", target)
        return replace(path, target)

    def noted_unlink(path: Path, missing_ok: bool = False) -> None:
        note("remove", path)
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    monkeypatch.setattr(Path, "unlink", noted_unlink)

    def committed(connection: Any) -> None:
        if connection.get_execution_options().get("brood_writes"):
            done.append("commit")

    event.listen(server._server.brood.database._engine, "commit", committed)
    return done


def named(steps: list[str]) -> list[str]:
    """The steps, with the folder of the upload as it is called in all of them."""
    return ["sync incoming" if "incoming/" in step else step for step in steps]


def folder(parent: Path, number: int) -> Path:
    made = parent / str(number)
    made.mkdir()
    return made


def blob(path: Path) -> str:
    sha256 = sha256_of(path)
    return f"blobs/{sha256[:2]}/{sha256[2:]}"


def test_an_upload(admin, steps, tmp_path, settings):
    first, second = (write_egg(tmp_path, "spam", f"{number}.0") for number in (1, 2))
    assert admin.upload_egg(first).status_code == 201
    place, folder = f"place {blob(first)}", f"sync {Path(blob(first)).parent}"
    assert named(steps) == ["sync incoming", "sync blobs", place, folder, "commit"]
    # The same again heals what is damaged.
    (settings.data / blob(first)).write_bytes(b"x")
    steps.clear()
    assert admin.upload_egg(first).status_code == 200
    assert named(steps)[:3] == ["sync incoming", place, folder]
    steps.clear()
    assert admin.upload_egg(second).status_code == 201
    assert named(steps)[0] == "sync incoming"
    assert named(steps)[-3:] == [
        f"place {blob(second)}",
        f"sync {Path(blob(second)).parent}",
        "commit",
    ]


def test_a_file_goes_after_its_row(admin, steps, tmp_path):
    first, second = (
        write_egg(folder(tmp_path, seed), seed=seed, payload_bytes=9) for seed in (1, 2)
    )
    url = f"/data/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1"
    admin.upload_egg(first)
    steps.clear()
    assert admin.upload_egg(second, overwrite="True").status_code == 201
    assert steps[-2:] == ["commit", f"remove {blob(first)}"]
    steps.clear()
    assert admin.delete(url).status_code == 204
    assert steps == ["commit", f"remove {blob(second)}"]
    admin.upload_egg(first)
    steps.clear()
    assert admin.delete("/admin/repositories/acme/dev?force=True").status_code == 204
    assert steps == ["commit", f"remove {blob(first)}"]


@pytest.fixture
def connection(server: BackgroundServer) -> Iterator[Any]:
    with server._server.brood.database.write() as writer:
        yield writer


@pytest.mark.parametrize(
    ("pragma", "value"), [("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1)]
)
def test_every_commit_is_synced(connection, pragma, value):
    assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
