"""Downloads: whole, in parts, or not at all when the client has it already."""

from __future__ import annotations

import os
import shutil
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from hatcher.server.blobs import Blobs
from hatcher.server.downloads import content_disposition
from hatcher.server.settings import Settings
from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, Client, client_of, error_of, sha256_of

URL = f"/data/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1"


@pytest.fixture
def uploaded(admin: Client, egg: Path) -> bytes:
    assert admin.upload_egg(egg).status_code == 201
    return egg.read_bytes()


def test_whole(admin, uploaded, egg):
    for name in ("spam", "SPAM", "Spam"):
        response = admin.get(URL.replace("Spam", name))
        assert (response.status_code, response.content) == (200, uploaded)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-length"] == str(len(uploaded))
    assert response.headers["content-disposition"] == 'attachment; filename="Spam-1.0.0-1.egg"'
    assert response.headers["etag"] == f'"{sha256_of(egg)}"'
    assert response.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("sent", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, -1),
        ("bytes=-10", -10, -1),
        ("bytes=5-5", 5, 5),
        ("bytes=10-99999999", 10, -1),
        ("bytes=-99999999", 0, -1),
        ("Bytes = 0-0", 0, 0),
    ],
)
def test_parts(admin, uploaded, sent, first, last):
    size = len(uploaded)
    wanted = range(first % size, last % size + 1)
    response = admin.get(URL, headers={"Range": sent})
    assert response.status_code == 206
    assert response.content == uploaded[wanted.start : wanted.stop]
    assert response.headers["content-length"] == str(len(wanted))
    assert response.headers["content-range"] == f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    assert "filename=" in response.headers["content-disposition"]


@pytest.mark.parametrize("sent", ["bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=9-3", "x"])
def test_ranges_that_are_to_be_ignored(admin, uploaded, sent):
    response = admin.get(URL, headers={"Range": sent})
    assert response.status_code == 200
    assert response.content == uploaded


def test_ranges_beyond_the_end(admin, uploaded):
    for sent in (f"bytes={len(uploaded)}-", "bytes=-0", "bytes=99999999-"):
        response = admin.get(URL, headers={"Range": sent})
        assert response.status_code == 416
        assert response.headers["content-range"] == f"bytes */{len(uploaded)}"
        assert response.headers["content-type"] == "application/json"
        assert "outside of the file" in response.json()["error"]


def test_if_range(admin, uploaded, egg):
    etag = f'"{sha256_of(egg)}"'
    for condition, status in (
        (etag, 206),
        (f"W/{etag}", 200),
        ('"other"', 200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 200),
    ):
        response = admin.get(URL, headers={"Range": "bytes=4-", "If-Range": condition})
        assert response.status_code == status, condition
        assert response.content == uploaded[4 if status == 206 else 0 :]


def test_if_none_match(admin, uploaded, egg):
    etag = f'"{sha256_of(egg)}"'
    for condition, status in (
        (etag, 304),
        (f'"a", W/{etag}', 304),
        ("*", 304),
        ('"other"', 200),
        (sha256_of(egg), 200),
    ):
        response = admin.get(URL, headers={"If-None-Match": condition, "Range": "bytes=0-1"})
        assert response.status_code == (206 if status == 200 else 304), condition
        assert response.headers["etag"] == etag
        if status == 304:
            assert response.content == b""


@pytest.mark.parametrize(
    "change", [("1.0.0-1", "1.0.0-2"), ("1.0.0-1", "1.0.0"), ("Spam", "eggs"), ("cp311", "cp310")]
)
def test_what_is_not_there(admin, uploaded, change):
    assert change[1] in error_of(admin.get(URL.replace(*change)), 404)


def test_a_file_deleted_while_it_is_sent(admin, tmp_path):
    big = write_egg(tmp_path, "big", payload_bytes=32 << 20)
    assert admin.upload_egg(big).status_code == 201
    url = f"/data/acme/dev/{PLATFORM}/none/eggs/big/1.0.0-1"
    with admin.stream("GET", url) as response:
        chunks = response.iter_raw(1 << 16)
        received = [next(chunks)]
        assert admin.delete(url).status_code == 204
        received += chunks
    assert b"".join(received) == big.read_bytes()


def blob_of(settings: Settings, path: Path) -> Path:
    digest = sha256_of(path)
    return settings.data / "blobs" / digest[:2] / digest[2:]


HARMS = {
    "lost": Path.unlink,
    "lost with its folder": lambda blob: shutil.rmtree(blob.parent),
    "cut short": lambda blob: os.truncate(blob, blob.stat().st_size - 1),
    "emptied": lambda blob: os.truncate(blob, 0),
    "lengthened": lambda blob: os.truncate(blob, blob.stat().st_size + 1),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_file_that_is_lost_heals(admin, uploaded, egg, settings, harm):
    harm(blob_of(settings, egg))
    for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=5-"}):
        assert "Upload the same file again" in error_of(admin.get(URL, headers=headers), 503)
    # The index goes on: what is lost is not forgotten.
    assert list(admin.index()) == [egg.name]
    assert admin.upload_egg(egg).status_code == 200
    assert admin.get(URL).content == uploaded


def test_a_file_that_is_damaged_heals(admin, uploaded, egg, settings):
    """Its size tells nothing; whoever downloads it finds out by the hash."""
    blob = blob_of(settings, egg)
    blob.write_bytes(bytes(len(uploaded)))
    assert admin.upload_egg(egg).status_code == 200
    assert admin.get(URL).content == uploaded


def test_a_lost_file_of_several_artefacts_heals_with_any(admin, uploaded, egg, settings):
    assert admin.post("/admin/organizations/acme/repositories", json={"name": "x"}).is_success
    blob_of(settings, egg).unlink()
    assert admin.upload(f"/data/acme/x/{PLATFORM}/eggs/upload", egg).status_code == 201
    assert admin.get(URL).content == uploaded


def test_a_file_that_ends_early_is_no_success(admin, settings, tmp_path, caplog):
    big = write_egg(tmp_path, "big", payload_bytes=32 << 20)
    assert admin.upload_egg(big).status_code == 201
    url = f"/data/acme/dev/{PLATFORM}/none/eggs/big/1.0.0-1"
    with (
        pytest.raises(httpx.RemoteProtocolError),
        admin.stream("GET", url) as response,
    ):
        chunks = response.iter_raw(1 << 16)
        next(chunks)
        os.truncate(blob_of(settings, big), 1 << 20)
        list(chunks)
    assert "is shorter than it was" in caplog.text
    assert "Traceback" not in caplog.text


def versions(folder: Path, count: int) -> list[Path]:
    """Eggs of one name with other contents."""
    folders = [folder / str(number) for number in range(count)]
    for each in folders:
        each.mkdir()
    return [write_egg(each, "spam", payload_bytes=1000, seed=n) for n, each in enumerate(folders)]


@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.long
def test_downloads_while_a_file_is_replaced(server, admin, tmp_path, deletes):
    """Whole, one or the other, or not there: never a fault of the server."""
    eggs = versions(tmp_path, 2)
    contents = {egg.read_bytes() for egg in eggs}
    url = f"/data/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1"
    assert admin.upload_egg(eggs[0]).status_code == 201
    over = threading.Event()
    statuses: Counter[int] = Counter()

    def read() -> None:
        with client_of(server) as client:
            while not over.is_set():
                response = client.get(url)
                statuses[response.status_code] += 1
                assert response.status_code in (200, 404), response.text
                if response.status_code == 200:
                    assert response.content in contents
                    assert response.headers["etag"] == f'"{sha256(response.content).hexdigest()}"'

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for number in range(40):
            if deletes:
                assert admin.delete(url).status_code == 204
            assert admin.upload_egg(eggs[(number + 1) % 2], overwrite="True").status_code == 201
        over.set()
        for reader in readers:
            reader.result()
    assert statuses[200]
    assert deletes or not statuses[404]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_file_that_is_replaced_between_finding_and_opening(admin, tmp_path, monkeypatch, steps):
    """However often: what is found in the end is sent."""
    eggs = versions(tmp_path, 4)
    assert admin.upload_egg(eggs[0]).status_code == 201
    waiting = eggs[1 : 1 + steps]
    path, uploading = Blobs.path, threading.Lock()

    def replaced(blobs: Blobs, digest: str) -> Path:
        # The upload itself asks as well.
        if waiting and uploading.acquire(blocking=False):
            with Client(base_url=admin.base_url, auth=admin.auth, timeout=30) as client:
                stored = client.upload_egg(waiting.pop(0), overwrite="True")
            uploading.release()
            assert stored.status_code == 201
        return path(blobs, digest)

    monkeypatch.setattr(Blobs, "path", replaced)
    response = admin.get(f"/data/acme/dev/{PLATFORM}/none/eggs/spam/1.0.0-1")
    assert response.status_code == 200
    assert response.content == eggs[steps].read_bytes()


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("a b.egg", 'attachment; filename="a b.egg"'),
        ('a"b\\c.egg', "attachment; filename=\"a_b_c.egg\"; filename*=UTF-8''a%22b%5Cc.egg"),
        ("é.egg", "attachment; filename=\"_.egg\"; filename*=UTF-8''%C3%A9.egg"),
        ("a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"),
    ],
)
def test_content_disposition(filename, header):
    assert content_disposition(filename) == header
