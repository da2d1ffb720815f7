"""Uploads: whole and right, or nothing at all."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from hatcher.server.calls import MAX_DOCUMENT
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings
from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, Client, client_of, connect, error_of, make_repository, sha256_of

URL = f"/data/acme/dev/{PLATFORM}/eggs/upload"


def files_of(settings: Settings) -> list[str]:
    """Every file with content that somebody sent, whole or not."""
    return [
        str(path.relative_to(settings.data))
        for folder in ("incoming", "blobs")
        for path in sorted((settings.data / folder).rglob("*"))
        if path.is_file()
    ]


def blob_of(egg: Path) -> str:
    sha256 = sha256_of(egg)
    return f"blobs/{sha256[:2]}/{sha256[2:]}"


def multipart(*parts: tuple[str, bytes], boundary: str = "limit") -> Any:
    """What httpx is to send for hand-written parts: their disposition, and their content."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for disposition, content in parts
    )
    return {
        "content": body + f"--{boundary}--\r\n".encode(),
        "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    }


def file_part(egg: Path, filename: str | None = None) -> tuple[str, bytes]:
    return f'name="file"; filename="{filename or egg.name}"', egg.read_bytes()


def data_part(egg: Path) -> tuple[str, bytes]:
    return 'name="data"; filename=""', json.dumps({"sha256": sha256_of(egg)}).encode()


def test_an_upload_is_one_blob(admin, egg, settings):
    assert admin.upload_egg(egg).status_code == 201
    assert files_of(settings) == [blob_of(egg)]
    assert (settings.data / blob_of(egg)).read_bytes() == egg.read_bytes()


def test_identical_content_is_stored_once(admin, egg, settings):
    assert admin.upload_egg(egg).status_code == 201
    before = (settings.data / blob_of(egg)).stat()
    for overwrite in ("False", "True"):
        assert admin.upload_egg(egg, overwrite=overwrite).status_code == 200
    assert files_of(settings) == [blob_of(egg)]
    assert (settings.data / blob_of(egg)).stat().st_ino == before.st_ino


def test_other_content_needs_overwrite(admin, egg, settings, tmp_path):
    (tmp_path / "other").mkdir()
    other = write_egg(
        tmp_path / "other", "Spam", "1.0.0", python_tag="cp311", seed=1, files={"x": b"1"}
    )
    assert admin.upload_egg(egg).status_code == 201
    assert "overwrite=True" in error_of(admin.upload_egg(other), 409)
    assert files_of(settings) == [blob_of(egg)]
    assert admin.upload_egg(other, overwrite="True").status_code == 201
    assert files_of(settings) == [blob_of(other)], "nothing refers to the old one any more"
    assert admin.index()[egg.name]["sha256"] == sha256_of(other)


def test_one_blob_for_many(admin, egg, settings):
    assert admin.upload_egg(egg).status_code == 201
    assert admin.upload_egg(egg, "win-x86_64").status_code == 201
    assert files_of(settings) == [blob_of(egg)]
    spam = "cp311/eggs/Spam/1.0.0-1"
    assert admin.delete(f"/data/acme/dev/{PLATFORM}/{spam}").status_code == 204
    assert admin.get(f"/data/acme/dev/win-x86_64/{spam}").content == egg.read_bytes()
    assert admin.delete(f"/data/acme/dev/win-x86_64/{spam}").status_code == 204
    assert files_of(settings) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sha256": "0" * 64}, "send it again"),
        ({"sha256": "0" * 63}, "at ['sha256']"),
        ({"sha256": None}, "at ['sha256']"),
    ],
)
def test_a_wrong_hash(admin, egg, settings, change, says):
    assert says in error_of(admin.upload(URL, egg, data=change), 400)
    assert files_of(settings) == []
    assert admin.index() == {}


@pytest.mark.parametrize(
    ("filename", "content", "says"),
    [
        ("Spam-1.0.0-1.egg", b"no zip", "not a zip file"),
        ("Spam-1.0.0-1.zip", b"no zip", "does not end in '.egg'"),
        ("Spam.egg", b"no zip", "name-version-build.egg"),
    ],
)
def test_what_is_no_egg(admin, settings, tmp_path, filename, content, says):
    path = tmp_path / filename
    path.write_bytes(content)
    response = admin.upload_egg(path)
    assert response.status_code == 400
    error = response.json()["error"]
    assert says in error
    assert str(settings.data) not in error, "where the server keeps it is its own business"
    assert files_of(settings) == []


def test_file_names_that_lead_elsewhere(admin, egg, settings):
    spam, bare = egg.name, "not the bare name of a file"
    wrong = dict.fromkeys((f"../{spam}", f"/tmp/{spam}", f"a\\{spam}", "..", ".", "x" * 256), bare)
    for filename, says in {**wrong, "Eggs-1.0.0-1.egg": spam}.items():
        parts = multipart(file_part(egg, filename.replace("\\", "\\\\")), data_part(egg))
        assert says in error_of(admin.post(URL, **parts), 400)
        assert files_of(settings) == []


@pytest.mark.parametrize(
    "request_of",
    [
        lambda egg: multipart(data_part(egg), file_part(egg)),
        lambda egg: multipart(file_part(egg), ('name="data"', data_part(egg)[1])),
    ],
    ids=["in the other order", "data without a file name"],
)
def test_forms_as_others_write_them(admin, egg, request_of):
    assert admin.post(URL, **request_of(egg)).status_code == 201
    # And a hash in capitals, of what is there.
    assert admin.upload(URL, egg, data={"sha256": sha256_of(egg).upper()}).status_code == 200


def test_an_egg_that_is_full_of_boundaries(admin, tmp_path):
    for boundary in ("limit", "+++"):
        nasty = f"\r\n--{boundary}\r\n--{boundary}-\r\n-{boundary}--\r".encode() * 1000
        # A whole delimiter must not be in it: that would be the sender's fault.
        nasty = nasty.replace(f"\r\n--{boundary}\r\n".encode(), b"")
        egg = write_egg(tmp_path, "nasty", "1.0", files={"nasty": nasty})
        parts = multipart(file_part(egg), data_part(egg), boundary=boundary)
        assert admin.post(URL, params={"overwrite": "True"}, **parts).status_code == 201
        assert admin.index()[egg.name]["sha256"] == sha256_of(egg)


@pytest.mark.parametrize(
    ("request_of", "says"),
    [
        (lambda egg: multipart(file_part(egg)), "no part 'data'"),
        (lambda egg: multipart(data_part(egg)), "no part 'file'"),
        (lambda egg: multipart(), "no part 'file'"),
        (lambda egg: multipart(file_part(egg), file_part(egg)), "one too many"),
        (lambda egg: multipart(file_part(egg), ('name="x"', b"")), "one too many"),
        (lambda egg: multipart(file_part(egg), data_part(egg), data_part(egg)), "parts 'file'"),
        (lambda egg: multipart(file_part(egg), ('name="data"', b"{")), "not JSON"),
        (lambda egg: multipart(file_part(egg), ('name="data"', b"{}")), "'sha256' is a required"),
        (lambda egg: multipart(('name="file"', b"x"), data_part(egg)), "no filename"),
        (
            lambda egg: {"headers": {"Content-Type": "multipart/form-data"}, "content": b""},
            "must name a boundary",
        ),
        (
            lambda egg: {**multipart(file_part(egg), data_part(egg)), "content": b"--limit\r\n"},
            "not multipart/form-data with",
        ),
    ],
)
def test_forms_that_are_not_as_described(admin, egg, settings, request_of, says):
    assert says in error_of(admin.post(URL, **request_of(egg)), 400)
    assert files_of(settings) == []


@pytest.mark.parametrize("request_of", [{"json": {}}, {"content": b""}, {"data": {"file": "x"}}])
def test_uploads_that_are_no_form(admin, request_of):
    assert admin.post(URL, **request_of).status_code == 415


@pytest.mark.parametrize("boundary", ["", "x" * 201, '"', "\x7f" * 500])
def test_boundaries_that_are_none(admin, egg, boundary):
    form = multipart(file_part(egg), data_part(egg), boundary=boundary or "x")
    form["headers"] = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert admin.post(URL, **form).status_code == 400


def endless() -> Iterator[bytes]:
    while True:
        yield bytes(1 << 16)


@pytest.mark.parametrize("where", ["before", "after", "between"])
def test_what_stands_around_the_parts_is_bounded(admin, egg, settings, where):
    whole = multipart(file_part(egg), data_part(egg))
    content = whole["content"]
    split = {"before": 0, "after": len(content), "between": content.rindex(b"--limit\r\n") + 9}
    before, after = content[: split[where]], content[split[where] :]
    pieces = itertools.chain([before], endless())
    assert admin.post(URL, **{**whole, "content": pieces}).status_code == 400
    assert files_of(settings) == []
    if where == "after":
        some = before + bytes(1 << 16) + after
        assert admin.post(URL, **{**whole, "content": some}).status_code == 201


def test_parts_that_never_end(admin, egg, settings):
    form = multipart(file_part(egg), ('name="data"', b""))
    pieces = itertools.chain([form["content"].removesuffix(b"\r\n--limit--\r\n")], endless())
    assert admin.post(URL, **{**form, "content": pieces}).status_code == 413
    assert files_of(settings) == []


@pytest.fixture
def small(settings: Settings) -> Iterator[Client]:
    """A server that takes files of 100,000 bytes."""
    with (
        BackgroundServer(evolve(settings, max_upload=100_000)) as server,
        client_of(server) as client,
    ):
        make_repository(client)
        yield client


def test_files_that_are_too_large(small, settings, tmp_path):
    egg = write_egg(tmp_path, "big", "1.0", payload_bytes=100_000)
    form = multipart(file_part(egg), data_part(egg))
    content = form["content"]
    pieces = (content[at : at + 5000] for at in range(0, len(content), 5000))
    assert small.post(URL, **form).status_code == 413
    assert small.post(URL, **{**form, "content": pieces}).status_code == 413
    assert files_of(settings) == []
    assert small.upload_egg(write_egg(tmp_path, "small", payload_bytes=90_000)).status_code == 201


def test_files_that_are_too_large_are_refused_before_they_come(small):
    with connect(small) as connection:
        connection.sendall(head_of(small, 4 << 30))
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("kind", ["bundles", f"{PLATFORM}/apps"])
def test_documents_that_are_too_large(admin, kind, tmp_path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b" " * (MAX_DOCUMENT + 1))
    data = {"bundle_name": "x", "bundle_version": "1", "bundle_build": 1}
    assert admin.upload(f"/data/acme/dev/{kind}/upload", path, data=data).status_code == 413


def test_a_form_that_ends_early(admin, egg, settings):
    """Its length is right, so that only the form itself tells that something is missing."""
    whole = multipart(file_part(egg), data_part(egg))
    content = whole["content"]
    for size in (len(content) - 10, egg.stat().st_size // 2):
        assert admin.post(URL, **{**whole, "content": content[:size]}).status_code == 400
        assert files_of(settings) == []


def test_a_client_that_goes_away(admin, settings, tmp_path):
    egg = write_egg(tmp_path, "big", "1.0", payload_bytes=8 << 20)
    whole = multipart(file_part(egg), data_part(egg))
    content = whole["content"]
    with connect(admin) as connection:
        connection.sendall(head_of(admin, len(content)) + content[: 6 << 20])
        wait_until(lambda: any(name.startswith("incoming/") for name in files_of(settings)))
    wait_until(lambda: files_of(settings) == [])
    assert admin.index() == {}
    assert admin.upload_egg(egg).status_code == 201


def test_a_body_of_unknown_length(admin, egg):
    whole = multipart(file_part(egg), data_part(egg))
    content = whole["content"]
    pieces = (content[at : at + 7] for at in range(0, len(content), 7))
    assert admin.post(URL, **{**whole, "content": pieces}).status_code == 201


def test_who_may_not_upload_learns_it_before_the_body(admin, person):
    reader = person("reader@example.com", "read_repository")
    with connect(admin) as connection:
        connection.sendall(head_of(reader, 4 << 30))
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


def test_a_patient_client_hears_first(admin):
    """`Expect: 100-continue` spares the body where the answer is no."""
    with connect(admin) as connection:
        head = head_of(admin, 100).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(bytes(100))
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_repository_that_goes_away_meanwhile(admin, egg, settings):
    whole = multipart(file_part(egg), data_part(egg))
    content = whole["content"]
    with connect(admin) as connection:
        connection.sendall(head_of(admin, len(content)) + content[:-5])
        wait_until(lambda: files_of(settings) != [])
        assert admin.delete("/admin/repositories/acme/dev?force=True").status_code == 204
        connection.sendall(content[-5:])
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")
    wait_until(lambda: files_of(settings) == [])


def test_many_at_once(admin, settings, tmp_path):
    eggs = [write_egg(tmp_path, f"egg{number}", payload_bytes=100_000) for number in range(24)]
    with ThreadPoolExecutor(12) as pool:
        # Each twice: whoever comes second finds it there already.
        answers = list(pool.map(lambda egg: admin.upload_egg(egg).status_code, eggs * 2))
    assert sorted(answers) == [200] * 24 + [201] * 24
    assert {name: entry["sha256"] for name, entry in admin.index().items()} == {
        egg.name: sha256_of(egg) for egg in eggs
    }
    assert files_of(settings) == sorted(map(blob_of, eggs))


def test_uploads_and_deletions_of_one_content(admin, settings, tmp_path):
    """Whatever the order: an entry always has its blob."""
    egg = write_egg(tmp_path, "spam", "1.0")
    spam = "/data/acme/dev/{}/none/eggs/spam/1.0-1"

    def work(platform: str) -> None:
        for _ in range(10):
            assert admin.upload_egg(egg, platform).status_code == 201
            assert admin.get(spam.format(platform)).content == egg.read_bytes()
            assert admin.delete(spam.format(platform)).status_code == 204

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, ["rh5-x86_64", "rh6-x86_64", "rh7-x86_64", "rh8-x86_64"]))
    assert files_of(settings) == []


def head_of(client: Client, length: int) -> bytes:
    """The head of an upload's request, as it goes over the wire."""
    auth = client.auth
    assert isinstance(auth, httpx.BasicAuth)
    signed = next(auth.auth_flow(httpx.Request("GET", "http://x")))
    return (
        f"POST {client.base_url.path.rstrip('/')}{URL} HTTP/1.1\r\n"
        f"Host: {client.base_url.host}\r\n"
        f"Authorization: {signed.headers['authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=limit\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
