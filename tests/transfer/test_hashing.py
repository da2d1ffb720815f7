"""Hashes of files, and hashes that users give."""

import hashlib

import pytest

from hatcher.errors import InvalidArgumentError
from hatcher.transfer.hashing import file_sha256, normalized_sha256


def test_a_file_is_hashed(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_001)
    assert file_sha256(path) == hashlib.sha256(b"x" * 3_000_001).hexdigest()


def test_a_hash_may_be_written_in_upper_case():
    assert normalized_sha256(f" {'AB' * 32}\n") == "ab" * 32


@pytest.mark.parametrize("digest", ["", "ab", "g" * 64, "a" * 65, None, 7])
def test_what_is_no_sha256_is_refused(digest):
    with pytest.raises(InvalidArgumentError, match="64 hexadecimal"):
        normalized_sha256(digest)  # type: ignore[arg-type]
