"""Conditional requests: what a client has already, and what part of a file it wants."""

from __future__ import annotations

import re

from starlette.requests import Request

#: Of numbers that no file has so many bytes as, nothing is understood.
_RANGE = re.compile(
    r"bytes\s*=\s*(?P<first>\d{0,18})\s*-\s*(?P<last>\d{0,18})", re.ASCII | re.IGNORECASE
)


def matches_none(request: Request, etag: str) -> bool:
    """Say whether a client has the version with this ETag: then 304 is the answer."""
    sent = request.headers.get("if-none-match")
    if sent is None:
        return False
    known = [candidate.strip().removeprefix("W/") for candidate in sent.split(",")]
    return "*" in known or etag.removeprefix("W/") in known


def wanted_range(request: Request, size: int, etag: str) -> range | None:
    """Return which bytes of a file a client wants: None for all, an empty range for none of it.

    Parameters
    ----------
    request : starlette.requests.Request
        With its headers Range and If-Range.
    size : int
        How many bytes there are.
    etag : str
        The strong ETag of the file.
    """
    sent = request.headers.get("range")
    if sent is None or request.headers.get("if-range", etag).strip() != etag:
        return None
    match = _RANGE.fullmatch(sent.strip())
    # What is not understood (several ranges, other units) is to be ignored.
    if match is None or match["first"] == match["last"] == "":
        return None
    if match["first"] == "":
        return range(max(0, size - int(match["last"])), size)
    first, last = int(match["first"]), int(match["last"] or size - 1)
    if match["last"] and last < first:
        return None
    return range(first, min(last + 1, size))
