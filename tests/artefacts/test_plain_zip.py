"""Members of plainly built zip files, read as zipfile reads them, or left to it."""

from __future__ import annotations

import io
import random
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hatcher.artefacts.plain_zip import read_plain_member

NAME = "EGG-INFO/spec/depend"
TEXT = b"name = 'Spam'\n" * 40
LIMIT = 1 << 20


def read(path: Path) -> bytes | None:
    return read_plain_member(path, NAME.encode(), {NAME.encode(), b"PKG-INFO"}, LIMIT)


def build(path: Path, fill: Callable[[zipfile.ZipFile], object] | None = None, **how: int) -> Path:
    with zipfile.ZipFile(path, "w", **how) as archive:  # type: ignore[arg-type]
        archive.writestr("before.py", b"before")
        archive.writestr(NAME, TEXT)
        if fill is not None:
            fill(archive)
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_plain_archive_is_read(tmp_path: Path, compression: int) -> None:
    assert read(build(tmp_path / "a.egg", compression=compression)) == TEXT


def test_so_is_a_large_one_with_a_large_directory(tmp_path: Path) -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr("large.bin", bytes(300_000))
        for number in range(1500):
            archive.writestr(f"package/module_with_a_long_name_{number}.py", b"")

    path = build(tmp_path / "a.egg", fill)
    assert read(path) == TEXT


def test_so_is_one_that_was_written_into_a_pipe(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.written += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr(NAME, TEXT)
    (tmp_path / "a.egg").write_bytes(pipe.written)
    assert read(tmp_path / "a.egg") == TEXT


def commented(archive: zipfile.ZipFile) -> None:
    archive.comment = b"a comment"


def with_namesake(archive: zipfile.ZipFile) -> None:
    with warnings.catch_warnings(action="ignore"):
        archive.writestr(NAME, b"another")


def with_a_name_of_far_away(archive: zipfile.ZipFile) -> None:
    archive.writestr("sp\u00e4m.py", b"")


def with_a_large_description(archive: zipfile.ZipFile) -> None:
    archive.writestr("PKG-INFO", bytes(LIMIT + 1))


@pytest.mark.parametrize(
    "fill", [commented, with_namesake, with_a_name_of_far_away, with_a_large_description]
)
def test_what_is_not_plain_is_left_to_zipfile(
    tmp_path: Path, fill: Callable[[zipfile.ZipFile], object]
) -> None:
    path = build(tmp_path / "a.egg", fill)
    assert read(path) is None
    with zipfile.ZipFile(path) as archive:
        assert NAME in archive.namelist()


def test_what_stands_before_or_behind_is_left_to_zipfile(tmp_path: Path) -> None:
    content = build(tmp_path / "a.egg").read_bytes()
    for changed in (b"#!/bin/sh\n" + content, content + b"\n", content[:-1], content[1:], b""):
        (tmp_path / "b.egg").write_bytes(changed)
        assert read(tmp_path / "b.egg") is None


def test_without_the_member_there_is_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.egg", "w") as archive:
        archive.writestr("other", b"")
    assert read(tmp_path / "a.egg") is None


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_of_damaged_archives_nothing_is_read_that_zipfile_would_not_read(
    tmp_path: Path, compression: int
) -> None:
    content = build(tmp_path / "a.egg", compression=compression).read_bytes()
    dice = random.Random(7)
    path = tmp_path / "b.egg"
    read_anyway = 0
    for _ in range(400):
        changed = bytearray(content)
        changed[dice.randrange(len(changed))] = dice.choice((0, 1, 0x2F, 0x50, 0x80, 0xFF))
        path.write_bytes(changed)
        found = read(path)
        if found is None:
            continue
        read_anyway += 1
        with zipfile.ZipFile(path) as archive:
            assert archive.read(NAME) == found == TEXT
    assert read_anyway > 50
