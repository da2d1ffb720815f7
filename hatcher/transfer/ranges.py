"""Going on with a body that broke off: what to ask for, and whether the answer fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatcher.errors import InvalidArgumentError

if TYPE_CHECKING:
    from hatcher.transport.download import Download

#: Bytes that have to arrive between two faults to make up for the first.
HEADWAY = 256 * 1024

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII | re.IGNORECASE)

#: Connections that one file may be received over at most.
MOST_CONNECTIONS = 16


class Failures:
    """Counts the failures of a body in a row; enough bytes between two make up for those before."""

    def __init__(self) -> None:
        self._count = self._mark = 0

    def add(self, have: int) -> int:
        """Count one, when so many bytes are there; return how many they are."""
        mark = max(self._mark, have)
        self._count = 1 if mark - self._mark >= HEADWAY else self._count + 1
        self._mark = mark
        return self._count


def checked_connections(connections: int | None) -> int | None:
    """Return the number of connections for one file; raise InvalidArgumentError if it is none."""
    if connections is None:
        return None
    is_number = isinstance(connections, int) and not isinstance(connections, bool)
    if not is_number or not 1 <= connections <= MOST_CONNECTIONS:
        raise InvalidArgumentError(
            f"connections is {connections!r}; give the number of connections for one file, from 1 "
            f"to {MOST_CONNECTIONS}."
        )
    return connections


def strong_etag(answer: Download) -> str | None:
    """Return the ETag of an answer when it stands for exactly these bytes."""
    etag = answer.headers.get("etag", "").strip()
    return etag if len(etag) > 2 and etag[0] == etag[-1] == '"' else None


def can_go_on(answer: Download) -> bool:
    """Whether the server of a whole file may give the rest of it alone."""
    # Byte 1000 of what was unpacked on the way is another one than byte 1000 of a range.
    if answer.is_packed:
        return False
    units = answer.headers.get("accept-ranges", "").lower()
    return strong_etag(answer) is not None or "bytes" in units


def rest_from(have: int, etag: str | None, end: int | None = None) -> dict[str, str]:
    """Return the headers that ask for what follows the first `have` bytes, up to an end."""
    headers = {"Range": f"bytes={have}-{'' if end is None else end - 1}"}
    if etag is not None:
        headers["If-Range"] = etag
    return headers


def may_split(answer: Download) -> bool:
    """Whether several connections may receive the pieces of what an answer gives."""
    units = answer.headers.get("accept-ranges", "").lower()
    is_offered = answer.status_code == 206 or units.strip() == "bytes"
    return is_offered and not answer.is_packed and strong_etag(answer) is not None


def is_segment(answer: Download, first: int, end: int, etag: str, total: int) -> bool:
    """Whether an answer is exactly these bytes of this version of a file."""
    said = answer.headers.get("content-range", "").strip().lower()
    return (
        answer.status_code == 206
        and not answer.is_packed
        and said == f"bytes {first}-{end - 1}/{total}"
        and answer.content_length in (None, end - first)
        and strong_etag(answer) == etag
    )


def total_of_rest(
    answer: Download, have: int, etag: str | None, total: int | None
) -> tuple[bool, int | None]:
    """Check that an answer of 206 is the rest of what is there.

    Parameters
    ----------
    answer : Download
    have : int
        Bytes that are there.
    etag : str or None
        The ETag of the version that they are of, where it is known.
    total : int or None
        How many it has in all, where that is known.

    Returns
    -------
    fits : bool
    total : int or None
        Bytes of the whole file; None when nobody knows.
    """
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    if match is None or answer.is_packed:
        return False, None
    first, last = int(match[1]), int(match[2])
    whole = total if match[3] == "*" else int(match[3])
    length = answer.content_length
    fits = (
        first == have
        and (length is None or length == last - first + 1)
        and (whole is None or first <= last < whole)
        and (total is None or whole == total)
        and (etag is None or strong_etag(answer) in (None, etag))
    )
    return fits, whole
