"""Disks and databases that fail: 507 and 503, while reads go on and deleting makes room."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, TimeoutError

from hatcher.server import accounts, database
from hatcher.server.failures import refusal_of
from hatcher.server.folder import Reserve
from hatcher.server.runner import BackgroundServer
from hatcher.testing.eggs import write_egg

from ..disks import mounted
from .conftest import PLATFORM, Client, client_of, make_repository, sha256_of

URL = f"/data/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1"


def engine(server: BackgroundServer) -> Any:
    return server._server.brood.database._engine


@contextmanager
def locked(server: BackgroundServer) -> Iterator[None]:
    """Another program writes, and does not come to an end."""
    path = server.settings.data / "brood.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def pragma(server: BackgroundServer, on: str, off: str) -> Iterator[None]:
    def set_it(connection: Any) -> None:
        connection.exec_driver_sql(on)

    event.listen(engine(server), "begin", set_it)
    yield
    event.remove(engine(server), "begin", set_it)
    event.listen(engine(server), "begin", lambda connection: connection.exec_driver_sql(off))


#: SQLite's own error of a file that cannot be written, which root could write.
read_only = partial(pragma, on="PRAGMA query_only = 1", off="PRAGMA query_only = 0")
#: The database takes no page more.
full = partial(pragma, on="PRAGMA max_page_count = 1", off="PRAGMA max_page_count = 1000000")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_LOCKED", 0.2)
    monkeypatch.setattr(accounts, "_SESSION_WAIT", 0.2)


def big_egg(folder: Path, name: str = "big") -> Path:
    """An egg whose row takes many pages."""
    return write_egg(folder, name, packages=[f"package{line} 1.0-1" for line in range(3000)])


@pytest.mark.parametrize(("fail", "status"), [(locked, 503), (read_only, 503), (full, 507)])
def test_writes_are_refused_and_reads_go_on(server, admin, egg, tmp_path, fail, status):
    assert admin.upload_egg(egg).status_code == 201
    api_token = admin.post("/auth/tokens/api", json={"name": "ci"}).json()["token"]
    other = big_egg(tmp_path)
    with fail(server):
        attempts = [admin.upload_egg(other)]
        if fail is not full:  # those would fit into pages that are there
            attempts += [
                admin.post("/admin/organizations", json={"name": "globex"}),
                admin.put("/admin/teams/acme/x/members/y"),
                admin.delete(URL),
                admin.post("/auth/tokens/api", json={"name": "other"}),
                admin.post(f"/data/acme/dev/{PLATFORM}/eggs/re-index", json={"eggs": []}),
            ]
        for response in attempts:
            assert response.status_code == status, (response.request.url, response.text)
            assert "administrator" in response.json()["error"]
            assert ("retry-after" in response.headers) == (status == 503)
        for token in (api_token, admin.post("/auth/tokens/auth").json()["token"]):
            with client_of(server, None) as client:
                client.headers["Authorization"] = f"Bearer {token}"
                assert list(client.index()) == [egg.name]
                assert client.get(URL).content == egg.read_bytes()
    # Nothing half stored is left, and all goes on.
    left = [path for path in (server.settings.data / "blobs").rglob("*") if path.is_file()]
    assert len(left) == 1
    assert list((server.settings.data / "incoming").iterdir()) == []
    assert admin.upload_egg(other).status_code == 201
    assert admin.delete(URL).status_code == 204


def test_a_session_that_is_not_written_down(server, admin):
    """It ends as any other one does."""
    password = admin.create("/acme/users", email="ada@example.com")["one_time_password"]
    with client_of(server, ("ada@example.com", password)) as ada:
        api_token = ada.post("/auth/tokens/api", json={"name": "ci"}).json()["token"]
        with locked(server):
            sessions = [ada.post("/auth/tokens/auth").json()["token"]]
            ada.auth, ada.headers["Authorization"] = None, f"Bearer {api_token}"
            sessions.append(ada.post("/auth/tokens/auth").json()["token"])

        def status(session: str) -> int:
            header = {"Authorization": f"Bearer {session}"}
            return ada.get("/metadata/platforms", headers=header).status_code

        assert [status(session) for session in sessions] == [200, 200]
        assert ada.delete("/auth/tokens/api/ci").status_code == 204
        assert [status(session) for session in sessions] == [200, 401]
        assert admin.delete("/admin/users/acme/ada@example.com").status_code == 204
        assert [status(session) for session in sessions] == [401, 401]


def test_sessions_that_are_not_written_down_end_in_time(settings):
    with (
        BackgroundServer(evolve(settings, session_lifetime=0.0)) as server,
        client_of(server) as client,
        locked(server),
    ):
        token = client.post("/auth/tokens/auth").json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/metadata/platforms", headers=headers, auth=None).status_code == 401


def test_sessions_in_memory_are_few(server, admin, monkeypatch):
    monkeypatch.setattr(accounts, "_MAX_UNSAVED", 2)
    monkeypatch.setattr(accounts, "_SESSION_WAIT", 0.01)
    with locked(server):
        for _ in range(4):
            assert admin.post("/auth/tokens/auth").status_code == 200
    assert len(server._server.brood.accounts._unsaved) == 2


def test_a_database_that_is_damaged_meanwhile(settings, tmp_path, caplog):
    eggs = [big_egg(tmp_path, f"egg{number}") for number in range(5)]
    with BackgroundServer(settings) as server, client_of(server) as client:
        make_repository(client)
        for egg in eggs:
            assert client.upload_egg(egg).status_code == 201
    path = settings.data / "brood.sqlite3"
    content = path.read_bytes()
    with BackgroundServer(settings) as server, client_of(server) as client:
        assert len(client.index()) == 5
        # Every page but the first ones, which say who may do what.
        keep = content.index(b"package0 1.0-1") // 4096 * 4096
        path.write_bytes(content[:keep] + os.urandom(len(content) - keep))
        engine(server).dispose()
        answers = [
            client.get(f"/indices/acme/dev/{PLATFORM}/cp310/eggs"),
            client.get(f"/metadata/acme/dev/{PLATFORM}/none/eggs/egg0/1.0.0-1"),
            client.upload_egg(eggs[0]),
        ]
        assert {answer.status_code for answer in answers} <= {200, 404, 503}
        assert 503 in {answer.status_code for answer in answers}
    assert "Traceback" not in caplog.text


def test_the_folder_for_uploads_is_gone(admin, settings, egg):
    (settings.data / "incoming").rmdir()
    assert admin.upload_egg(egg).status_code == 503
    (settings.data / "incoming").mkdir()
    assert admin.upload_egg(egg).status_code == 201


def test_a_file_where_a_folder_of_blobs_belongs(admin, settings, egg):
    folder = settings.data / "blobs" / sha256_of(egg)[:2]
    folder.write_bytes(b"x")
    assert admin.upload_egg(egg).status_code == 503
    assert admin.index() == {}
    folder.unlink()
    assert admin.upload_egg(egg).status_code == 201


@pytest.mark.programs
class TestSmallDisk:
    """A file system of 16 MB."""

    @pytest.fixture
    def disk(self, tmp_path: Path) -> Iterator[Path]:
        with mounted(tmp_path / "disk", "16m") as done:
            if not done:
                pytest.skip("no file system can be mounted")
            yield tmp_path / "disk"

    @staticmethod
    def fill(disk: Path) -> None:
        with (disk / "ballast").open("ab", buffering=0) as ballast:
            for size in (1 << 20, 4096):
                try:
                    while ballast.write(bytes(size)) == size:
                        pass
                except OSError as error:
                    assert error.errno == errno.ENOSPC
        assert shutil.disk_usage(disk).free == 0

    def test_full(self, disk, settings, tmp_path):
        eggs = [
            write_egg(tmp_path, f"egg{number}", payload_bytes=1 << 20, seed=number)
            for number in range(4)
        ]
        url = f"/data/acme/dev/{PLATFORM}/none/eggs/{{}}/1.0.0-1"
        settings = evolve(settings, data=disk / "brood")
        with BackgroundServer(settings) as server, client_of(server) as client:
            make_repository(client)
            for egg in eggs[:3]:
                assert client.upload_egg(egg).status_code == 201
            assert (disk / "brood" / "reserve").stat().st_size == Reserve.SIZE
        # A server starts on it, too.
        self.fill(disk)
        with BackgroundServer(settings) as server, client_of(server) as client:
            self.fill(disk)  # with what it gave up, if it did
            self.check_reads(client, url, eggs[0])
            assert client.upload_egg(eggs[3]).status_code == 507
            assert list((disk / "brood" / "incoming").iterdir()) == []
        (disk / "ballast").unlink()
        with BackgroundServer(settings) as server, client_of(server) as client:
            self.fill(disk)
            self.check_reads(client, url, eggs[0])
            assert client.upload_egg(eggs[3]).status_code == 507
            # One after the other can be deleted, and makes room for another one.
            for number in range(2):
                assert client.delete(url.format(f"egg{number}")).status_code == 204
            assert client.upload_egg(eggs[3]).status_code == 201
            assert client.get(url.format("egg3")).content == eggs[3].read_bytes()
            assert len(client.index("none")) == 2
        (disk / "ballast").unlink()
        with BackgroundServer(settings) as server, client_of(server) as client:
            self.fill(disk)
            assert client.delete("/admin/repositories/acme/dev?force=True").status_code == 204
            assert shutil.disk_usage(disk).free > 1 << 20

    @staticmethod
    def check_reads(client: Client, url: str, egg: Path) -> None:
        token = client.post("/auth/tokens/auth").json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        response = client.get(url.format("egg0"), headers=headers)
        assert response.content == egg.read_bytes()
        response = client.get(f"/indices/acme/dev/{PLATFORM}/none/eggs", headers=headers)
        assert len(response.json()) == 3


def sqlite_error(code: int) -> OperationalError:
    error = sqlite3.OperationalError("said")
    error.sqlite_errorcode = code
    return OperationalError("SELECT", {}, error)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        *((OSError(number, "said"), 507) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)),
        *(
            (OSError(number, "said"), 503)
            for number in (errno.EROFS, errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOENT)
        ),
        (sqlite_error(sqlite3.SQLITE_FULL), 507),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), 507),
        (sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE), 507),
        (sqlite_error(sqlite3.SQLITE_BUSY), 503),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), 503),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), 503),
        (sqlite_error(sqlite3.SQLITE_IOERR_READ), 503),
        (DatabaseError("SELECT", {}, sqlite3.DatabaseError("malformed")), 503),
        (TimeoutError("no connection is free"), 503),
        (IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE")), None),
        (ValueError("a fault of our own"), None),
    ],
    ids=repr,
)
def test_every_failure_has_its_status(error, status):
    refusal = refusal_of(error)
    assert (refusal and refusal.status) == status
    if refusal is not None:
        assert "said" not in refusal.message
