"""Zip files from anywhere, checked as a whole before something in them is read."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatcher.characters import shown
from hatcher.errors import ArtefactError

if TYPE_CHECKING:
    import zipfile

#: Bytes that a description in an archive may unpack to. Real ones have a few thousand.
LARGEST_DESCRIPTION = 1 << 20

#: Bytes of a directory of members; one of some hundred thousand has that many.
_LARGEST_DIRECTORY = 16 << 20

#: Bytes of an archive that is read at once.
_SMALL = 64 << 10

#: What the flags of a member say when it is encrypted or patched.
_LOCKED = 0x01 | 0x20 | 0x40

_STORED, _DEFLATED = 0, 8
_LOCAL_HEADER = 30  # bytes, without the name


def read_description(
    file: Path, descriptions: Sequence[str], error: type[ArtefactError]
) -> bytes | None:
    """Return what the first of some members of a zip file unpacks to.

    Parameters
    ----------
    file : pathlib.Path
    descriptions : sequence of str
        The names of members that may not be large; none, to check the archive alone.
    error : type of ArtefactError
        What to raise.

    Returns
    -------
    bytes or None
        None when there is no such member.

    Raises
    ------
    ArtefactError
        Of the class `error`: the file is no zip file, damaged, or not to be trusted.
    """
    # Imported here because it takes 10 ms.
    import zipfile

    try:
        with _opened(file) as opened, zipfile.ZipFile(opened) as archive:
            members = archive.infolist()
            _check(members, descriptions, archive.start_dir)
            wanted = next((each for each in members if each.filename in descriptions[:1]), None)
            if wanted is None:
                return None
            with archive.open(wanted) as member:
                # Of a given size: without one, all that is packed would be unpacked at once.
                content = member.read(wanted.file_size)
            if len(content) < wanted.file_size:
                raise ValueError(f"its {wanted.filename} is shorter than it says")
            return content
    except zipfile.BadZipFile as cause:
        raise error(
            f"'{file}' is not a zip file, or not a whole one ({shown(str(cause))}). Build or "
            "fetch it again."
        ) from cause
    except OSError as cause:
        raise error(
            f"'{file}' cannot be read: {cause}. Check the disk, or fetch it again."
        ) from cause
    except Exception as cause:  # zipfile has many more for a damaged archive
        raise error(
            f"'{file}' cannot be unpacked: {shown(str(cause))}. Build or fetch it again."
        ) from cause


def _opened(file: Path) -> io.RawIOBase | io.BytesIO:
    """Open a file; read a small one at once, since other threads get their turn at each read."""
    opened = _Bounded(file)
    if os.fstat(opened.fileno()).st_size > _SMALL:
        return opened
    with opened:
        return io.BytesIO(opened.read(_SMALL))


class _Bounded(io.FileIO):
    """A file of which nobody reads more at once than the largest directory of an archive."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_DIRECTORY:
            raise ValueError(f"its directory has more than {_LARGEST_DIRECTORY} bytes")
        return super().read(size)


def _check(members: Sequence[zipfile.ZipInfo], descriptions: Sequence[str], directory: int) -> None:
    """Check that an archive is to be trusted: that readers of zip files agree about it."""
    end = 0
    names = set()
    for member in sorted(members, key=lambda member: member.header_offset):
        name = member.filename
        if member.flag_bits & _LOCKED:
            raise ValueError(f"its {name} is encrypted")
        if member.compress_type not in (_STORED, _DEFLATED):
            raise ValueError(
                f"its {name} is packed by the method {member.compress_type}; use deflate"
            )
        if member.compress_type == _STORED and member.file_size != member.compress_size:
            raise ValueError(f"the sizes of its {name} contradict each other")
        if name in descriptions and member.file_size > LARGEST_DESCRIPTION:
            raise ValueError(
                f"its {name} unpacks to {member.file_size} bytes, more than {LARGEST_DESCRIPTION}"
            )
        if name in names:
            raise ValueError(f"it has {name} more than once")
        if member.header_offset < end:
            raise ValueError(f"its {name} overlaps another member")
        names.add(name)
        end = member.header_offset + _LOCAL_HEADER + len(name) + member.compress_size
        if end > directory:
            raise ValueError(f"its {name} overlaps the directory")
