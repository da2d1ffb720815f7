"""Indices: what they show, to whom, and how they are sent."""

from __future__ import annotations

import gc
import gzip
import json
import re
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import BigInteger, event, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from hatcher.server.database import artefacts, metadata
from hatcher.server.indices import IndexText, accepts_gzip
from hatcher.server.runner import BackgroundServer
from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, Client, client_of

URL = f"/indices/acme/dev/{PLATFORM}/cp311/eggs"


def raw(client: Client, url: str = URL, **headers: str) -> tuple[httpx.Response, bytes]:
    """The answer as it is on the wire."""
    with client.stream("GET", url, headers=headers) as response:
        return response, b"".join(response.iter_raw())


@pytest.mark.parametrize(
    ("accepted", "gzipped"),
    [
        ("gzip, deflate", True),
        ("GZIP", True),
        ("*", True),
        ("identity", False),
        ("", False),
        ("gzip;q=0", False),
        ("gzip;q=0.1, *;q=0", True),
        ("*, gzip;q=0", False),
        ("gzip;q=no", False),
    ],
)
def test_who_takes_gzip(accepted, gzipped):
    assert accepts_gzip(accepted) is gzipped


def test_gzip_for_those_who_take_it(admin, egg):
    admin.upload_egg(egg)
    zipped, zipped_body = raw(admin, **{"Accept-Encoding": "gzip"})
    plain, plain_body = raw(admin, **{"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(zipped_body) == plain_body
    assert plain.headers["content-length"] == str(len(plain_body))
    assert list(json.loads(plain_body)) == [egg.name]
    for response in (zipped, plain):
        assert response.headers["content-type"] == "application/json"
        assert response.headers["vary"] == "Accept-Encoding"
    assert zipped.headers["etag"] == plain.headers["etag"]


def test_a_large_index_is_unzipped_piece_by_piece(admin, tmp_path):
    for number in range(30):
        # Entries of 30 kB: the plain text has several pieces.
        packages = [f"package{line} 1.0-1" for line in range(1500)]
        admin.upload_egg(write_egg(tmp_path, f"egg{number}", packages=packages))
    response, body = raw(admin, **{"Accept-Encoding": "identity"})
    assert len(body) > 3 * (256 << 10)
    assert response.headers["content-length"] == str(len(body))
    assert len(json.loads(body)) == 30


def test_etag(admin, egg, tmp_path, server):
    admin.upload_egg(egg)
    etag = admin.get(URL).headers["etag"]
    unchanged = admin.get(URL, headers={"If-None-Match": etag})
    assert unchanged.status_code == 304
    assert unchanged.headers["etag"] == etag
    assert unchanged.content == b""
    # A change elsewhere in the repository changes nothing here.
    admin.upload_egg(egg, "win-x86_64")
    assert admin.get(URL, headers={"If-None-Match": etag}).status_code == 304
    admin.upload_egg(write_egg(tmp_path, "eggs"))
    changed = admin.get(URL, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert len(changed.json()) == 2
    # It outlives the process.
    etag = changed.headers["etag"]
    server.__exit__(None, None, None)
    with server:
        url = f"{server.url}/api/v1/json{URL}"
        assert httpx.get(url, auth=admin.auth, headers={"If-None-Match": etag}).status_code == 304


def test_an_index_is_never_stale(admin, tmp_path):
    spam = write_egg(tmp_path, "spam")
    for _ in range(3):
        assert admin.upload_egg(spam).status_code == 201
        assert list(admin.index()) == [spam.name]
        assert admin.delete(f"/data/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1").is_success
        assert admin.index() == {}


def test_a_repository_made_anew_is_empty(admin, egg):
    admin.upload_egg(egg)
    assert len(admin.index()) == 1
    admin.delete("/admin/repositories/acme/dev?force=True")
    admin.post("/admin/organizations/acme/repositories", json={"name": "dev"})
    assert admin.index() == {}


def test_eggs_of_all_tags(admin, tmp_path):
    for tag in ("cp27", "cp38", "cp311", "py27", "py38", "pp27", None):
        name = f"egg_{tag}"
        assert admin.upload_egg(write_egg(tmp_path, name, python_tag=tag)).status_code == 201

    def names(tag: str) -> set[str]:
        return {name.removeprefix("egg_").partition("-")[0] for name in admin.index(tag)}

    assert names("cp38") == {"cp38", "py38", "None"}
    assert names("cp311") == {"cp311", "py38", "None"}
    assert names("cp27") == {"cp27", "py27", "None"}
    assert names("pp27") == {"pp27", "py27", "None"}
    assert names("py38") == {"py38", "None"}
    assert names("none") == {"None"}
    assert names("CP27") == {"cp27", "py27", "None"}


def test_of_one_file_name_the_most_specific_egg(admin, tmp_path):
    tags = ("cp311", None, "py38", "cp38")
    for tag in tags:
        admin.upload_egg(write_egg(tmp_path, "spam", python_tag=tag))
    for asked, found in (("cp311", "cp311"), ("cp39", "py38"), ("cp38", "cp38"), ("cp27", None)):
        assert admin.index(asked)["spam-1.0.0-1.egg"]["python_tag"] == found
        url = f"acme/dev/{PLATFORM}/{asked}/eggs/spam/1.0.0-1"
        assert admin.get(f"/metadata/{url}").json()["python_tag"] == found
    none = admin.get(f"/metadata/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1")
    assert none.json()["python_tag"] is None
    assert admin.delete(f"/data/acme/dev/{PLATFORM}/cp311/eggs/spam/1.0.0-1").status_code == 204
    assert admin.index("cp311")["spam-1.0.0-1.egg"]["python_tag"] == "py38"


def test_eggs_that_wait_for_a_re_index(admin, tmp_path):
    names = ("Spam", "eggs")
    for name in names:
        egg = write_egg(tmp_path, name, python_tag="cp311" if name == "Spam" else None)
        assert admin.upload_egg(egg, enabled="False").status_code == 201
    assert admin.index() == {}
    metadata = f"/metadata/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1"
    assert admin.get(metadata).json()["enabled"] is False
    reindex = f"/data/acme/dev/{PLATFORM}/eggs/re-index"

    spam = {"name": "spam", "version": "1.0.0-1", "python_tag": "cp311"}
    eggs = {"name": "eggs", "version": "1.0.0-1", "python_tag": "none"}
    unknown = {**spam, "version": "2.0-1"}
    # All or none.
    assert admin.post(reindex, json={"eggs": [spam, unknown]}).status_code == 404
    assert admin.index() == {}
    assert admin.post(reindex, json={"eggs": [spam]}).status_code == 202
    assert list(admin.index()) == ["Spam-1.0.0-1.egg"]
    assert admin.get(metadata).json()["enabled"] is True
    assert admin.post(reindex, json={"eggs": [spam, eggs]}).status_code == 202
    assert len(admin.index()) == 2
    assert admin.post(reindex, json={"eggs": []}).status_code == 202
    assert admin.post(reindex, json={"eggs": [{"name": "spam"}]}).status_code == 400


@contextmanager
def statements(server: BackgroundServer) -> Iterator[list[str]]:
    """The statements that the database is given."""
    engine = server._server.brood.database._engine
    noted: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        noted.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield noted
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.long
def test_many_eggs_are_shown_by_few_statements(admin, server, egg):
    many = 12_000
    assert admin.upload_egg(egg, enabled="False").status_code == 201
    database = server._server.brood.database
    with database.write() as connection:
        row = dict(connection.execute(select(artefacts)).mappings().one())
        row.pop("id")
        values = [
            {**row, "key": f"egg{number}", "filename": f"egg{number}-1.0.0-1.egg"}
            for number in range(many)
        ]
        connection.execute(insert(artefacts), values)
    # Names in any case, and some more than once.
    eggs = [
        {"name": f"EGG{number}", "version": "1.0.0-1", "python_tag": "CP311"}
        for number in range(many)
    ]
    eggs.append(eggs[0])
    url = f"/data/acme/dev/{PLATFORM}/eggs/re-index"

    refused = admin.post(url, json={"eggs": [*eggs, {**eggs[0], "python_tag": "cp310"}]})
    assert refused.status_code == 404
    assert "EGG0" in refused.json()["error"]
    assert "cp310" in refused.json()["error"]
    assert admin.index() == {}

    with statements(server) as noted:
        assert admin.post(url, json={"eggs": eggs}).status_code == 202
    assert len(noted) < 30
    assert len(admin.index()) == many
    with database.read() as connection:
        changed = connection.execute(select(artefacts.c.changed).distinct()).all()
    assert len(changed) <= 5


def test_an_index_does_not_wait_for_another_repository(admin, server, egg, monkeypatch):
    admin.post("/admin/organizations/acme/repositories", json={"name": "other"})
    admin.upload_egg(egg)
    admin.upload(f"/data/acme/other/{PLATFORM}/eggs/upload", egg)
    begun, go_on = threading.Event(), threading.Event()
    of = IndexText.of
    made = []

    def slow(pieces: Iterable[str]) -> IndexText:
        made.append(None)
        if len(made) == 1:
            begun.set()
            assert go_on.wait(30)
        return of(pieces)

    monkeypatch.setattr(IndexText, "of", slow)
    with ThreadPoolExecutor(4) as pool, client_of(server) as client:
        # Two ask for the same one, which is made once.
        waiting = [pool.submit(admin.get, URL), pool.submit(client.get, URL)]
        assert begun.wait(30)
        try:
            with client_of(server) as third:
                other = third.get(URL.replace("/dev/", "/other/"), timeout=20)
            assert list(other.json()) == [egg.name]
            assert not any(each.done() for each in waiting)
        finally:
            go_on.set()
        for each in waiting:
            assert list(each.result().json()) == [egg.name]
    assert len(made) == 2
    gc.collect()
    assert not server._server.brood.indices._making, "locks that nobody holds are no more"


def test_text_is_ordered_by_its_bytes(admin):
    names = ["a", "B", "_", "é", "ö", "Z", "zz", "😀", "ﬀ", "-", "ab", "aB"]
    for url, there in (("", "acme"), ("/acme/teams", ""), ("/acme/repositories", "dev")):
        for name in names:
            body = {"name": name, **({} if there else {"group": "read_index"})}
            admin.create(url, **body)
        (listed,) = admin.get(f"/admin/organizations{url}").json().values()
        found = [each if isinstance(each, str) else each["name"] for each in listed]
        assert [name for name in found if name != there] == sorted(names, key=str.encode)


def test_every_database_orders_by_bytes_and_counts_to_64_bits():
    for table in metadata.sorted_tables:
        there = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        for column in table.columns:
            if column.type.python_type is str:
                assert re.search(rf'"?{column.name}"? \w+ COLLATE "C"', there), column
        # Folders that are there already need no change.
        assert "COLLATE" not in str(CreateTable(table).compile(dialect=sqlite.dialect()))
    assert isinstance(artefacts.c.size.type, BigInteger)


def test_other_platforms_and_versions_of_the_api(admin, egg):
    admin.upload_egg(egg, "rh5-64")
    for alias in ("rh5-64", "rh5_64", "rh5-x86_64", "rh5_x86_64", "RH5-amd64"):
        assert list(admin.index(platform=alias)) == [egg.name]
    for other in ("rh5-32", "win-64"):
        assert admin.index(platform=other) == {}
    for unknown in ("rh4-64", "rh5", "", "x", "rh5-x"):
        assert admin.get(f"/indices/acme/dev/{unknown}/cp311/eggs").status_code == 404
    assert "rh5-x86_64" in admin.get("/indices/acme/dev/x/cp311/eggs").json()["error"]
    v0 = admin.base_url.join("/api/v0/json/indices/acme/dev/rh5-64/cp311/eggs")
    assert admin.get(v0).json() == admin.index(platform="rh5-64")
