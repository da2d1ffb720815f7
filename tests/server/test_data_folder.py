"""The data folder: what a start finds in it, what it puts aside, and what it refuses to serve."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner

from hatcher.cli.root import hatcher
from hatcher.server import database
from hatcher.server.blobs import QUARANTINE
from hatcher.server.database import SCHEMA_VERSION
from hatcher.server.folder import Reserve, UnusableFolderError
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings
from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, client_of, make_repository, sha256_of

DATABASE = "brood.sqlite3"


def url(name: str) -> str:
    return f"/data/acme/dev/{PLATFORM}/none/eggs/{name}/1.0.0-1"


def blobs(data: Path) -> dict[str, bytes]:
    """The blobs by their hashes."""
    return {
        path.parent.name + path.name: path.read_bytes()
        for path in (data / "blobs").rglob("*")
        if path.is_file()
    }


def quarantined(data: Path) -> dict[str, Path]:
    return {path.name: path for path in (data / "quarantine").glob("*/*")}


@pytest.fixture
def stocked(settings: Settings, tmp_path: Path) -> list[Path]:
    """A data folder with three eggs in it."""
    eggs = [write_egg(tmp_path, name, seed=seed) for seed, name in enumerate("abc")]
    with BackgroundServer(settings) as server, client_of(server) as client:
        make_repository(client)
        for egg in eggs:
            assert client.upload_egg(egg).status_code == 201
    assert len(blobs(settings.data)) == 3
    return eggs


def refused(settings: Settings) -> str:
    """What a start says that ends at once, in Python and on the command line."""
    with pytest.raises(UnusableFolderError) as caught:
        BackgroundServer(settings).__enter__()
    result = CliRunner().invoke(hatcher, ["serve", "--data", str(settings.data), "--port", "0"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert str(caught.value) in result.stderr
    assert "--data" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("lose", [Path.unlink, lambda file: os.truncate(file, 0)])
@pytest.mark.usefixtures("stocked")
def test_blobs_without_a_database(settings, lose):
    """Nothing is deleted because nothing says what it is."""
    before = blobs(settings.data)
    backup = (settings.data / DATABASE).read_bytes()
    lose(settings.data / DATABASE)
    for _ in range(2):  # the first start must not make the second one believe in it
        assert "missing or empty" in refused(settings)
    assert blobs(settings.data) == before
    assert not quarantined(settings.data)

    # Either step that it names helps.
    (settings.data / DATABASE).write_bytes(backup)
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert len(client.index()) == 3
    (settings.data / DATABASE).unlink()
    (settings.data / "blobs").rename(settings.data.parent / "elsewhere")
    with BackgroundServer(settings):
        pass


def test_an_older_database(settings, stocked, tmp_path, caplog):
    older = (settings.data / DATABASE).read_bytes()
    late = write_egg(tmp_path, "late", seed=9)
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert client.upload_egg(late).status_code == 201
    newer = (settings.data / DATABASE).read_bytes()
    (settings.data / DATABASE).write_bytes(older)

    with BackgroundServer(settings) as server, client_of(server) as client:
        assert len(blobs(settings.data)) == 3
        (aside,) = quarantined(settings.data).values()
        assert aside.read_bytes() == late.read_bytes()
        assert client.get(url("a")).content == stocked[0].read_bytes()
    assert "moved to the quarantine: 1" in caplog.text

    (settings.data / DATABASE).write_bytes(newer)
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert client.get(url("late")).content == late.read_bytes()
    assert not quarantined(settings.data)
    assert not list((settings.data / "quarantine").iterdir())
    assert "left the quarantine: 1" in caplog.text


def test_a_database_that_knows_nothing(settings, stocked):
    """Its tables are there, but empty: 179 blobs were deleted once."""
    with BackgroundServer(Settings(settings.data.parent / "other", port=0)) as other:
        new = other.settings.data / DATABASE
    shutil.copy(new, settings.data / DATABASE)
    before = blobs(settings.data)
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert {name: path.read_bytes() for name, path in quarantined(settings.data).items()} == (
            before
        )
        # What is uploaded again is there again.
        make_repository(client)
        assert client.upload_egg(stocked[0]).status_code == 201
        assert client.get(url("a")).content == stocked[0].read_bytes()


def test_the_quarantine_ends(settings, stocked, caplog):
    today = dt.datetime.now(dt.UTC).date()
    kept = settings.data / "quarantine" / (today - QUARANTINE).isoformat() / ("a" * 64)
    old = settings.data / "quarantine" / (today - QUARANTINE - dt.timedelta(1)).isoformat()
    stray, foreign = old / "notes.txt", settings.data / "quarantine" / "mine" / ("c" * 64)
    named = old / sha256_of(stocked[0])
    for path in (kept, old / ("b" * 64), named, stray, foreign):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    with BackgroundServer(settings):
        pass
    assert kept.exists()
    assert stray.exists()
    assert foreign.exists()
    # The one with an artefact has a whole blob, so that this one is of no use.
    assert sorted(old.iterdir()) == [stray]
    assert "deleted after 30 days in the quarantine: 2" in caplog.text
    assert len(blobs(settings.data)) == 3


def test_a_truncated_blob_comes_back_from_the_quarantine(settings, stocked):
    sha256 = sha256_of(stocked[0])
    blob = settings.data / "blobs" / sha256[:2] / sha256[2:]
    blob.write_bytes(blob.read_bytes()[:10])
    aside = settings.data / "quarantine" / "2020-01-01" / sha256
    aside.parent.mkdir(parents=True)
    aside.write_bytes(stocked[0].read_bytes())
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert client.get(url("a")).content == stocked[0].read_bytes()


def test_what_a_dead_process_leaves(settings, stocked, caplog):
    incoming = settings.data / "incoming"
    (incoming / "tmpabc").mkdir()
    (incoming / "tmpabc" / "x.egg").write_bytes(b"half of it")
    orphan = settings.data / "blobs" / "ab" / ("c" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"nobody names it")
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert list(incoming.iterdir()) == []
        assert not orphan.exists()
        assert quarantined(settings.data)["ab" + "c" * 62].read_bytes() == b"nobody names it"
        assert client.get(url("a")).content == stocked[0].read_bytes()


@pytest.mark.usefixtures("stocked")
def test_strangers_stay(settings, caplog):
    target = settings.data.parent / "target"
    target.mkdir()
    (target / ("d" * 62)).write_bytes(b"of somebody else")
    folder = settings.data / "blobs"
    strangers = [
        folder / "README",
        folder / "ab" / "short",
        folder / "zz" / ("e" * 62),
        folder / "notes" / "x",
        settings.data / "incoming" / "notes.txt",
        settings.data / "unknown",
    ]
    for path in strangers:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (folder / "ab" / ("f" * 62)).mkdir()
    (folder / "99").symlink_to(target)
    (folder / "98").symlink_to(settings.data / "nowhere")
    (settings.data / "incoming" / "link").symlink_to(target)
    put_aside = settings.data / "incoming" / "my things" / "deep" / "x"
    put_aside.parent.mkdir(parents=True)
    put_aside.write_bytes(b"x")
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert len(client.index()) == 3
        assert client.get(url("a")).status_code == 200
    assert all(path.read_bytes() == b"x" for path in strangers)
    assert (target / ("d" * 62)).exists()
    assert (settings.data / "incoming" / "link").is_symlink()
    (kept,) = (settings.data / "quarantine").rglob("x")
    assert kept.parts[-3:] == ("my things", "deep", "x")
    assert "not put there by Brood, and stay: 9" in caplog.text


def execute(file: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement).fetchall()


def other_program(file: Path) -> None:
    file.unlink()
    execute(file, "CREATE TABLE songs (title TEXT)")


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda file: file.write_bytes(b"no database " * 1000), "Restore it from a backup"),
        (lambda file: os.truncate(file, file.stat().st_size // 2), "Restore it from a backup"),
        (lambda file: execute(file, "DROP TABLE artefacts"), "Restore it from a backup"),
        (folder, "readable and writable"),
        (other_program, "none of Brood"),
        (lambda file: execute(file, "UPDATE schema SET version = 0"), "tables of version 0"),
        (lambda file: execute(file, "UPDATE schema SET version = 99"), "tables of version 99"),
    ],
)
@pytest.mark.usefixtures("stocked")
def test_databases_that_cannot_be_served(settings, harm, said):
    before = blobs(settings.data)
    harm(settings.data / DATABASE)
    assert said in refused(settings)
    assert blobs(settings.data) == before
    assert not quarantined(settings.data)


@pytest.mark.usefixtures("stocked")
@pytest.mark.long
def test_a_database_that_another_program_works_on(settings, monkeypatch):
    monkeypatch.setattr(database, "_LOCKED", 0.1)
    other = sqlite3.connect(settings.data / DATABASE, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "End the other program" in refused(settings)
    finally:
        other.close()
    with BackgroundServer(settings):
        pass


def test_folders_that_are_none(settings, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    for data in (file, file / "below"):
        with pytest.raises(UnusableFolderError, match="--data"):
            BackgroundServer(Settings(data, port=0)).__enter__()
    assert file.read_text() == "x"
    blobs = settings.data / "blobs"
    settings.data.mkdir()
    blobs.write_text("x")
    assert str(blobs) in refused(settings)
    assert blobs.read_text() == "x"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
class TestPrivacy:
    @staticmethod
    def modes(data: Path) -> dict[str, int]:
        return {
            str(path.relative_to(data)): stat.S_IMODE(path.stat().st_mode)
            for path in (data, *data.rglob("*"))
        }

    def test_everything_is_private(self, settings, tmp_path):
        before = os.umask(0)
        try:
            with BackgroundServer(settings) as server, client_of(server) as client:
                make_repository(client)
                assert client.upload_egg(write_egg(tmp_path, "spam")).status_code == 201
                orphan = settings.data / "blobs" / "ab" / ("c" * 62)
                orphan.parent.mkdir(mode=0o700, exist_ok=True)
                orphan.touch(0o600)
                running = self.modes(settings.data)
            with BackgroundServer(settings):
                restarted = self.modes(settings.data)
        finally:
            os.umask(before)
        assert {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "lock"} <= running.keys()
        assert any(name.startswith("quarantine/") for name in restarted)
        for name, mode in (*running.items(), *restarted.items()):
            assert mode == (0o700 if (settings.data / name).is_dir() else 0o600), name

    def test_what_was_open_to_others_is_closed(self, settings, stocked):
        for path in (settings.data, *settings.data.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        with BackgroundServer(settings):
            modes = self.modes(settings.data)
        for name in (".", "blobs", "incoming"):
            assert modes[name] == 0o700
        for name in (DATABASE, f"{DATABASE}-wal", "lock"):
            assert modes[name] == 0o600

    def test_a_folder_of_somebody_else_keeps_its_rights(self, settings, caplog):
        settings.data.mkdir()
        settings.data.chmod(0o755)
        (settings.data / "my things").mkdir(mode=0o755)
        (settings.data / "my things").chmod(0o755)
        with BackgroundServer(settings):
            modes = self.modes(settings.data)
        assert modes["."] == modes["my things"] == 0o755
        assert modes[DATABASE] == 0o600
        assert "chmod 700" in caplog.text


def test_a_start_writes_no_more_than_it_must(settings):
    written = []
    settings = evolve(settings, data=settings.data / "made" / "too")
    for _ in range(2):
        with BackgroundServer(settings):
            pass
        written.append((settings.data / DATABASE).read_bytes())
    assert written[0] == written[1]


def test_a_nearly_full_disk_has_no_reserve(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    free = [4 * Reserve.SIZE - 1]
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free[0]))
    reserve = Reserve(tmp_path)
    assert not list(tmp_path.iterdir())
    assert not reserve.give_up()
    free[0] += 1
    reserve.keep()
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size == Reserve.SIZE
    assert reserve.give_up()
    assert not file.exists()


@pytest.mark.usefixtures("stocked")
def test_tables_of_the_first_version_are_brought_up_to_date(settings):
    """As the first hatcher made them: no repository is public until somebody says so."""
    file = settings.data / DATABASE
    execute(file, "ALTER TABLE repositories DROP COLUMN public")
    execute(file, "UPDATE schema SET version = 1")
    for _ in range(2):
        with BackgroundServer(settings) as server, client_of(server) as client:
            (listed,) = client.get("/metadata/user/repositories").json()["repositories"]
            expected = {"name": "acme/dev", "access": "server_administrator", "description": ""}
            assert listed == expected
            assert client.index()
            with client_of(server, None) as nobody:
                assert nobody.get("/metadata/user/repositories").json() == {"repositories": []}
    assert execute(file, "SELECT version FROM schema") == [(SCHEMA_VERSION,)]
