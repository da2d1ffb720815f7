"""Downloads: whole, in parts, or not at all when the client has it already."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.server.downloads import content_disposition
from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, Client, sha256_of

URL = f"/data/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1"


@pytest.fixture
def uploaded(admin: Client, egg: Path) -> bytes:
    assert admin.upload_egg(egg).status_code == 201
    return egg.read_bytes()


def test_whole(admin: Client, uploaded: bytes, egg: Path) -> None:
    response = admin.get(URL)
    assert response.status_code == 200
    assert response.content == uploaded
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
def test_parts(admin: Client, uploaded: bytes, sent: str, first: int, last: int) -> None:
    size = len(uploaded)
    wanted = range(first % size, last % size + 1)
    response = admin.get(URL, headers={"Range": sent})
    assert response.status_code == 206
    assert response.content == uploaded[wanted.start : wanted.stop]
    assert response.headers["content-length"] == str(len(wanted))
    assert response.headers["content-range"] == f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    assert "filename=" in response.headers["content-disposition"]


@pytest.mark.parametrize("sent", ["bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=9-3", "x"])
def test_ranges_that_are_to_be_ignored(admin: Client, uploaded: bytes, sent: str) -> None:
    response = admin.get(URL, headers={"Range": sent})
    assert response.status_code == 200
    assert response.content == uploaded


def test_ranges_beyond_the_end(admin: Client, uploaded: bytes) -> None:
    for sent in (f"bytes={len(uploaded)}-", "bytes=-0", "bytes=99999999-"):
        response = admin.get(URL, headers={"Range": sent})
        assert response.status_code == 416
        assert response.headers["content-range"] == f"bytes */{len(uploaded)}"
        assert response.headers["content-type"] == "application/json"
        assert "outside of the file" in response.json()["error"]


def test_if_range(admin: Client, uploaded: bytes, egg: Path) -> None:
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


def test_if_none_match(admin: Client, uploaded: bytes, egg: Path) -> None:
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


def test_the_name_in_any_case(admin: Client, uploaded: bytes) -> None:
    assert admin.get(URL.replace("Spam", "spam")).content == uploaded
    assert admin.get(URL.replace("Spam", "SPAM")).content == uploaded


@pytest.mark.parametrize(
    "change", [("1.0.0-1", "1.0.0-2"), ("1.0.0-1", "1.0.0"), ("Spam", "eggs"), ("cp311", "cp310")]
)
def test_what_is_not_there(admin: Client, uploaded: bytes, change: tuple[str, str]) -> None:
    response = admin.get(URL.replace(*change))
    assert response.status_code == 404
    assert change[1] in response.json()["error"]


def test_a_file_deleted_while_it_is_sent(admin: Client, tmp_path: Path) -> None:
    big = write_egg(tmp_path, "big", payload_bytes=32 << 20)
    assert admin.upload_egg(big).status_code == 201
    url = f"/data/acme/dev/{PLATFORM}/none/eggs/big/1.0.0-1"
    with admin.stream("GET", url) as response:
        chunks = response.iter_raw(1 << 16)
        received = [next(chunks)]
        assert admin.delete(url).status_code == 204
        received += chunks
    assert b"".join(received) == big.read_bytes()


def test_a_client_that_goes_away(admin: Client, tmp_path: Path) -> None:
    assert admin.upload_egg(write_egg(tmp_path, "big", payload_bytes=32 << 20)).status_code == 201
    url = f"/data/acme/dev/{PLATFORM}/none/eggs/big/1.0.0-1"
    for _ in range(3):
        with admin.stream("GET", url) as response:
            assert response.status_code == 200
    assert admin.get("/metadata/platforms").status_code == 200


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("a b.egg", 'attachment; filename="a b.egg"'),
        ('a"b\\c.egg', "attachment; filename=\"a_b_c.egg\"; filename*=UTF-8''a%22b%5Cc.egg"),
        ("é.egg", "attachment; filename=\"_.egg\"; filename*=UTF-8''%C3%A9.egg"),
        ("a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"),
    ],
)
def test_content_disposition(filename: str, header: str) -> None:
    assert content_disposition(filename) == header
