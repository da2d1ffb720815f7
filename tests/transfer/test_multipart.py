"""The body of an upload, byte by byte."""

import hashlib
import json
import os
from email import message_from_bytes
from pathlib import Path

import pytest

from hatcher.errors import ArtefactError, FileChangedError
from hatcher.transfer.multipart import UploadBody

from .common import hashing_threads


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a-1-1.egg"


def body_of(path: Path, content: bytes | None = None) -> UploadBody:
    """The body of a file, which may have to be written first."""
    if content is not None:
        path.write_bytes(content)
    return UploadBody(path)


def all_of(body: UploadBody) -> bytes:
    """Use the blocks as a transport does: each before the next one is asked for."""
    return b"".join(map(bytes, body))


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000])
def test_the_two_parts_are_as_brood_wants_them(tmp_path, size):
    content = bytes(i % 251 for i in range(size))
    body = body_of(tmp_path / "nose-1.3.0-1.egg", content)
    sent = all_of(body)
    assert len(sent) == body.content_length
    assert body.sent_sha256 == body.sha256() == hashlib.sha256(content).hexdigest()

    message = message_from_bytes(f"Content-Type: {body.content_type}\r\n\r\n".encode() + sent)
    file, data = message.get_payload()  # type: ignore[misc]
    assert file["Content-Disposition"] == 'form-data; name="file"; filename="nose-1.3.0-1.egg"'
    assert file["Content-Type"] is None
    assert sent.partition(b"\r\n\r\n")[2].startswith(content)
    assert data["Content-Disposition"] == 'form-data; name="data"; filename=""'
    assert data["Content-Type"] == "application/json; charset=UTF-8"
    assert json.loads(data.get_payload()) == {"sha256": hashlib.sha256(content).hexdigest()}


def test_it_can_be_sent_again(path):
    body = body_of(path, b"abc")
    assert all_of(body) == all_of(body)


def test_no_two_bodies_share_a_boundary(path):
    path.touch()
    assert body_of(path).content_type != body_of(path).content_type


def test_a_file_name_cannot_break_out_of_its_header(tmp_path):
    body = body_of(tmp_path / 'a"b.egg', b"")
    assert b'filename="a%22b.egg"\r\n' in all_of(body)


@pytest.mark.parametrize("later", [b"", b"shorter", b"this is longer than before"])
def test_a_file_that_changes_its_size_is_noticed(path, later):
    body = body_of(path, b"as it was before")
    path.write_bytes(later)
    with pytest.raises(FileChangedError, match="size"):
        all_of(body)
    assert body.sent_sha256 is None


LARGE = 3_500_000


def cut_off(path: Path) -> None:
    os.truncate(path, 2_000_000)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def write_into(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(LARGE - 10)
        file.write(b"otherwise")
    later(path)


def later(path: Path) -> None:
    """Clocks of file systems are coarse: say that some time has passed."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10_000_000))


@pytest.mark.parametrize(
    ("change", "words"),
    [(cut_off, "changed its size"), (grow, "changed its size"), (write_into, "was written to")],
)
def test_a_file_that_changes_on_the_way_is_not_sent_to_its_end(path, change, words):
    body = body_of(path, bytes(LARGE))
    given = 0
    with pytest.raises(FileChangedError, match=words):
        for number, block in enumerate(body):
            given += len(block)
            if number == 1:
                change(path)
    assert given < body.content_length - 100
    assert body.sent_sha256 is None


def test_another_file_in_its_place_is_noticed_before_anything_is_sent(tmp_path, path):
    body = body_of(path, bytes(LARGE))
    (tmp_path / "new").write_bytes(bytes(LARGE))
    (tmp_path / "new").replace(path)
    with pytest.raises(FileChangedError, match="was replaced"):
        next(iter(body))
    with pytest.raises(FileChangedError, match="was replaced"):
        body.sha256()


def test_a_file_that_is_replaced_while_it_is_read_is_sent_as_it_was(tmp_path, path):
    body = body_of(path, b"x" * LARGE)
    for number, _ in enumerate(body):
        if number == 1:
            (tmp_path / "new").write_bytes(b"y" * LARGE)
            (tmp_path / "new").replace(path)
    assert body.sent_sha256 == hashlib.sha256(b"x" * LARGE).hexdigest()


def test_a_file_that_vanishes_is_an_error(path):
    with pytest.raises(FileChangedError, match="is gone"):
        body_of(path)
    body = body_of(path, b"x")
    path.unlink()
    with pytest.raises(FileChangedError, match="is gone"):
        all_of(body)


def test_a_file_that_cannot_be_read_is_no_matter_of_the_connection(path, monkeypatch):
    body = body_of(path, b"x")

    def refuse(*_: object, **__: object) -> None:
        raise TimeoutError("the file server does not answer")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ArtefactError, match="the file server does not answer"):
        all_of(body)


def test_an_iteration_that_is_given_up_leaves_no_thread(path):
    body = body_of(path, bytes(10 * LARGE))
    blocks = iter(body)
    for _ in range(3):
        next(blocks)
    assert hashing_threads()
    iter(body)  # as when a request is sent again
    assert not hashing_threads()
    next(iter(body))
    body.close()
    body.close()
    assert not hashing_threads()


def test_a_small_file_needs_no_thread_and_is_one_block(path):
    blocks = iter(body_of(path, b"abc"))
    next(blocks)
    assert not hashing_threads()
    assert list(blocks) == []
