"""One member of a zip file, read in a fraction of the time that zipfile takes.

zipfile makes an object of every member before it gives one of them. Here only archives
that are plainly built are read: nothing before, behind or between what belongs there, no
encryption, not larger than 4 GB, every name once and in ASCII. Of any other, and of a damaged one, None
is returned; zipfile then reads it, or says what is wrong.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Collection
from typing import NamedTuple

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")

#: Bytes that are read from the end of a file first; most directories fit in.
_TAIL = 65536

#: The largest directory that is read; it has some hundred thousand members.
_LARGEST_DIRECTORY = 16 << 20

#: Flags that change nothing in how a member is read: how well it was compressed, that its
#: sizes are repeated behind it, and that its name is UTF-8.
_HARMLESS = 0x0002 | 0x0004 | 0x0008 | 0x0800

#: The version of the format up to which members are unpacked.
_NEWEST = 45

#: Begins what gives a member another name, to readers that know it.
_OTHER_NAME = b"up"

_STORED, _DEFLATED = 0, 8


class _Entry(NamedTuple):
    """What the directory says of a member."""

    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int


def read_plain_member(
    path: str | os.PathLike[str], name: bytes, limited: Collection[bytes], limit: int
) -> bytes | None:
    """Return what a member of a plainly built zip file unpacks to.

    Parameters
    ----------
    path : str or path-like
        The file.
    name : bytes
        The member.
    limited : collection of bytes
        The names of members that may not be large; `name` is one of them.
    limit : int
        The bytes that they may unpack to.

    Returns
    -------
    bytes or None
        None when it has to be looked at by zipfile.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        descriptor = file.fileno()
        size = os.fstat(descriptor).st_size
        begin = max(size - _TAIL, 0)
        tail = _read(descriptor, begin, size - begin)
        if len(tail) < _END.size:
            return None
        mark, *disks, here, count, length, offset, comment = _END.unpack_from(
            tail, len(tail) - _END.size
        )
        if mark != b"PK\5\6" or any(disks) or here != count or comment:
            return None
        if offset + length + _END.size != size or length > _LARGEST_DIRECTORY:
            return None
        if offset >= begin:
            directory = tail[offset - begin : offset - begin + length]
        else:
            directory = _read(descriptor, offset, length)
        entry = _find(directory, count, name, limited, limit)
        if entry is None:
            return None
        # What follows the name in a member's own header is seldom longer.
        length = _LOCAL.size + len(name) + 128 + entry.packed_size
        return _unpack(_read(descriptor, entry.offset, length), name, entry)


def _read(descriptor: int, offset: int, size: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


def _find(
    directory: bytes, count: int, wanted: bytes, limited: Collection[bytes], limit: int
) -> _Entry | None:
    names = set()
    found = None
    position = 0
    for _ in range(count):
        if position + _ENTRY.size > len(directory):
            return None
        mark, _, needed, flags, method, _, _, crc, packed_size, size, *more = _ENTRY.unpack_from(
            directory, position
        )
        name_length, extra_length, comment_length, disk, _, _, offset = more
        position += _ENTRY.size
        name = directory[position : position + name_length]
        extra = directory[position + name_length : position + name_length + extra_length]
        position += name_length + extra_length + comment_length
        if mark != b"PK\1\2" or disk or needed > _NEWEST or flags & ~_HARMLESS:
            return None
        if not name.isascii() or b"\0" in name or b"\\" in name or _OTHER_NAME in extra:
            return None
        if 0xFFFFFFFF in (packed_size, size, offset) or (name in limited and size > limit):
            return None
        names.add(name)
        if name == wanted:
            found = _Entry(flags, method, crc, packed_size, size, offset)
    if len(names) != count or position != len(directory):
        return None
    return found


def _unpack(data: bytes, name: bytes, entry: _Entry) -> bytes | None:
    if len(data) < _LOCAL.size:
        return None
    mark, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack_from(data)
    begin = _LOCAL.size + name_length + extra_length
    packed = data[begin : begin + entry.packed_size]
    if (
        mark != b"PK\3\4"
        or (flags, method) != (entry.flags, entry.method)
        or data[_LOCAL.size : _LOCAL.size + name_length] != name
        or len(packed) != entry.packed_size
    ):
        return None
    if method == _DEFLATED:
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unpacking.decompress(packed, entry.size + 1)
        except zlib.error:
            return None
        if not unpacking.eof or unpacking.unused_data:
            return None
    elif method == _STORED:
        content = packed
    else:
        return None
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        return None
    return content
