"""The file that carries a delta: a ZIP of a manifest and of the files that another side lacks.

Files are stored as they are, since eggs and runtimes are compressed already, and stand under their
paths in the layout: unpacked, it is a folder as an export writes it. The same content gives the
same bytes. What is read from such a file is believed only as far as its manifest bears it out.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hatcher import cancel
from hatcher.errors import ArtefactError, ChecksumMismatchError, FileChangedError
from hatcher.files.atomic import replacing
from hatcher.files.blocks import BLOCK_SIZE, blocks_of, new_buffer
from hatcher.mirror.manifests import FILENAME, Entry, Manifest, parse_manifest
from hatcher.transfer.hashing import hashed

#: What all members are dated: the first day that a ZIP can say.
_TIME = (1980, 1, 1, 0, 0, 0)

_UNIX = 3
_ENCRYPTED, _UTF_8 = 0x1, 0x800

#: What stands before each member: a mark, other numbers, the lengths of its name and of more.
_LOCAL = struct.Struct("<4s22xHH")
_MARK = b"PK\3\4"

#: The bytes of a manifest of more than a million artefacts.
_LARGEST_MANIFEST = 256 << 20

#: Bytes that a member takes besides its content and, three times, its name.
_AROUND = 256


class Member(NamedTuple):
    """A file in an archive.

    Attributes
    ----------
    path : str
        In the layout.
    offset : int
        Where it begins, with what a ZIP says before it.
    size : int
        In bytes.
    name : bytes
        Its path as the ZIP says it there.
    """

    path: str
    offset: int
    size: int
    name: bytes


# -- writing ---------------------------------------------------------------------------------


def size_of_archive(manifest: Manifest) -> int:
    """Return the bytes that an archive takes, or a few more."""
    return sum(map(len, manifest.chunks())) + sum(
        (entry.size or 0) + _AROUND + 3 * len(path.encode())
        for path, entry in manifest.artefacts.items()
        if entry.carried
    )


def write_archive(
    target: Path, manifest: Manifest, files: Mapping[str, Path], note: Callable[[int], object]
) -> None:
    """Write an archive, which appears whole or not at all.

    Parameters
    ----------
    target : pathlib.Path
        What is there is replaced.
    manifest : Manifest
        It says which files are carried.
    files : mapping of str to pathlib.Path
        Where the content of each is, by its path in the layout.
    note : callable
        Is told of the bytes of files as they are written, step by step.

    Raises
    ------
    FileChangedError
        A file is no longer what the manifest says.
    InvalidDestinationError
        It cannot be written.
    """
    with (
        replacing(target) as partial,
        open(partial.path, "r+b") as file,
        zipfile.ZipFile(file, "w") as archive,
    ):
        head = _info(FILENAME)
        head.file_size = sum(map(len, manifest.chunks()))
        with archive.open(head, "w") as out:
            for chunk in manifest.chunks():
                out.write(chunk)
        for path, entry in manifest.artefacts.items():
            if entry.carried:
                _add(archive, path, entry, files[path], note)


def _add(
    archive: zipfile.ZipFile, path: str, entry: Entry, file: Path, note: Callable[[int], object]
) -> None:
    info = _info(path)
    info.file_size = entry.size or 0

    with open(file, "rb", buffering=0) as content, archive.open(info, "w") as out:

        def write(block: memoryview) -> None:
            if content.tell() <= info.file_size:  # it may grow meanwhile
                out.write(block)
                note(len(block))

        sha256 = hashed(blocks_of(content.fileno()), write)
    if sha256 != entry.bytes_sha256:
        raise FileChangedError(
            f"'{file}' changed while it was being packed: it is no longer what it was when its "
            "sha256 was taken. Nothing was kept; try again."
        )


def _info(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _TIME)
    info.create_system = _UNIX
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


# -- reading ---------------------------------------------------------------------------------


def read_archive(path: Path) -> tuple[Manifest, dict[str, Member]]:
    """Read what an archive says that it holds, and check that it can be so.

    Its files are not read; see `blocks_of_member`.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    manifest : Manifest
        All that the source had.
    members : dict of str to Member
        The files that it carries, by their paths in the layout.

    Raises
    ------
    ArtefactError
        It is no archive that hatcher has written, is damaged, or not to be trusted.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
        members = _members(path, infos)
        manifest = _manifest(path, members.pop(FILENAME, None))
    except OSError as error:
        raise ArtefactError(
            f"The archive '{path}' cannot be read: {error.strerror}. Check the path and the "
            "permissions."
        ) from error
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        struct.error,
        UnicodeError,
        EOFError,
        OverflowError,
    ) as error:
        raise ArtefactError(
            f"'{path}' is no archive that hatcher has packed, or was cut off: {error}. Copy it "
            "again, and compare its size."
        ) from error
    carried = {name: entry for name, entry in manifest.artefacts.items() if entry.carried}
    for name in members:
        if name not in carried:
            raise untrusted(path, f"it has '{name}', which its manifest does not list as carried")
    for name, entry in carried.items():
        member = members.get(name)
        if member is None:
            raise untrusted(path, f"it lacks '{name}', which its manifest says that it carries")
        if member.size != entry.size:
            raise untrusted(
                path, f"its '{name}' has {member.size} bytes, and its manifest says {entry.size}"
            )
    return manifest, members


def blocks_of_member(archive: Path, member: Member) -> Iterator[memoryview]:
    """Read a file in an archive.

    Parameters
    ----------
    archive : pathlib.Path
    member : Member

    Yields
    ------
    memoryview
        Good until the next one.

    Raises
    ------
    ArtefactError
        The archive ends before, or has something else there.
    OSError
        It cannot be read.
    """
    with open(archive, "rb", buffering=0) as file:
        file.seek(member.offset)
        head = file.read(_LOCAL.size + len(member.name))
        if len(head) < _LOCAL.size + len(member.name):
            raise _cut_off(archive, member)
        mark, length, more = _LOCAL.unpack_from(head)
        if (mark, length, head[_LOCAL.size :]) != (_MARK, len(member.name), member.name):
            raise untrusted(archive, f"'{member.path}' is not where it should be")
        file.seek(more, os.SEEK_CUR)
        buffer = new_buffer(min(BLOCK_SIZE, max(member.size, 1)))
        rest = member.size
        while rest:
            size = file.readinto(buffer[:rest])
            if not size:
                raise _cut_off(archive, member)
            rest -= size
            cancel.check()
            yield buffer[:size]


def check_member(archive: Path, member: Member, entry: Entry, sha256: str) -> None:
    """Check the sha256 of a file that was read.

    Raises
    ------
    ChecksumMismatchError
        It is not what the manifest says.
    """
    if sha256 != entry.bytes_sha256:
        raise ChecksumMismatchError(
            f"'{member.path}' in '{archive}' is damaged: its sha256 is {sha256}, and the manifest "
            f"says {entry.bytes_sha256}. Copy the archive again, or pack it again.",
            expected=entry.bytes_sha256,
            actual=sha256,
        )


def _members(path: Path, infos: list[zipfile.ZipInfo]) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for info in infos:
        name = info.filename
        if name in members:
            raise untrusted(path, f"it has '{name}' more than once")
        if name != info.orig_filename or stat.S_ISLNK(info.external_attr >> 16):
            raise untrusted(path, f"its '{info.orig_filename}' is no plain file")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise untrusted(path, f"its '{name}' is compressed, which hatcher never does")
        if info.flag_bits & _ENCRYPTED:
            raise untrusted(path, f"its '{name}' is encrypted")
        raw = name.encode("utf-8" if info.flag_bits & _UTF_8 else "cp437")
        members[name] = Member(name, info.header_offset, info.file_size, raw)
    end = 0
    for member in sorted(members.values(), key=lambda member: member.offset):
        if member.offset < end:
            # A small file could stand for an enormous one.
            raise untrusted(path, f"'{member.path}' overlaps with another file")
        end = member.offset + _LOCAL.size + len(member.name) + member.size
    if end > path.stat().st_size:
        raise zipfile.BadZipFile("it ends too early")
    return members


def _manifest(path: Path, member: Member | None) -> Manifest:
    if member is None:
        raise zipfile.BadZipFile(f"it has no {FILENAME}")
    if member.size > _LARGEST_MANIFEST:
        raise untrusted(path, f"its {FILENAME} has {member.size} bytes")
    content = b"".join(bytes(block) for block in blocks_of_member(path, member))
    manifest = parse_manifest(content, f"The {FILENAME} in '{path}'")
    if manifest.api_version is None:
        raise zipfile.BadZipFile(f"its {FILENAME} is of no place")
    return manifest


def untrusted(path: Path, why: str) -> ArtefactError:
    """Return the error for an archive that contradicts itself."""
    return ArtefactError(
        f"The archive '{path}' is not to be trusted: {why}. Pack it again from where it was made."
    )


def _cut_off(path: Path, member: Member) -> ArtefactError:
    return ArtefactError(
        f"The archive '{path}' ends in the middle of '{member.path}'. Copy it again, and compare "
        "its size."
    )
