"""The body of an upload, byte by byte."""

import hashlib
import json
from email import message_from_bytes
from pathlib import Path

import pytest

from hatcher.errors import FileChangedError
from hatcher.transfer.multipart import UploadBody


def body_of(path: Path) -> UploadBody:
    return UploadBody(path, lambda sha256: {"sha256": sha256})


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000])
def test_the_two_parts_are_as_brood_wants_them(tmp_path: Path, size: int) -> None:
    content = bytes(i % 251 for i in range(size))
    path = tmp_path / "nose-1.3.0-1.egg"
    path.write_bytes(content)
    body = body_of(path)
    sent = b"".join(body)
    assert len(sent) == body.content_length

    message = message_from_bytes(f"Content-Type: {body.content_type}\r\n\r\n".encode() + sent)
    file, data = message.get_payload()  # type: ignore[misc]
    assert file["Content-Disposition"] == 'form-data; name="file"; filename="nose-1.3.0-1.egg"'
    assert file["Content-Type"] is None
    assert sent.partition(b"\r\n\r\n")[2].startswith(content)
    assert data["Content-Disposition"] == 'form-data; name="data"; filename=""'
    assert data["Content-Type"] == "application/json; charset=UTF-8"
    assert json.loads(data.get_payload()) == {"sha256": hashlib.sha256(content).hexdigest()}


def test_it_can_be_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "a-1-1.egg"
    path.write_bytes(b"abc")
    body = body_of(path)
    assert b"".join(body) == b"".join(body)


def test_no_two_bodies_share_a_boundary(tmp_path: Path) -> None:
    path = tmp_path / "a-1-1.egg"
    path.touch()
    assert body_of(path).content_type != body_of(path).content_type


def test_a_file_name_cannot_break_out_of_its_header(tmp_path: Path) -> None:
    path = tmp_path / 'a"b.egg'
    path.touch()
    assert b'filename="a%22b.egg"\r\n' in b"".join(body_of(path))


@pytest.mark.parametrize("later", [b"", b"shorter", b"this is longer than before"])
def test_a_file_that_changes_its_size_is_noticed(tmp_path: Path, later: bytes) -> None:
    path = tmp_path / "a-1-1.egg"
    path.write_bytes(b"as it was before")
    body = body_of(path)
    path.write_bytes(later)
    with pytest.raises(FileChangedError, match="changed its size"):
        b"".join(body)
