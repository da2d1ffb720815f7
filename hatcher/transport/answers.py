"""Reading what a server answered: JSON, and errors as exceptions."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, TypeAlias

from hatcher.errors import (
    BroodHTTPError,
    ErrorResponse,
    InvalidJSONError,
    http_error_class,
)
from hatcher.transport.retry import parse_retry_after
from hatcher.transport.urls import showable

#: What was being done, in words; the HTTP method; and the URL.
Asked: TypeAlias = tuple[str, str, str]

#: Bytes of an error's body that are kept.
MAX_ERROR_BODY = 64 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_HTML_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)


def parse_json(asked: Asked, headers: Mapping[str, str], content: bytes) -> Any:
    """Parse an answer that should be JSON.

    Parameters
    ----------
    asked : tuple of (str, str, str)
        What was asked, for the message.
    headers : mapping of str to str
        The answer's headers.
    content : bytes
        Its body; may still be compressed, since some gateways drop the header
        that says so.

    Returns
    -------
    object

    Raises
    ------
    InvalidJSONError
        It is not JSON.
    """
    action, method, url = asked
    try:
        return json.loads(_gunzip(content))
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise InvalidJSONError(
            f"Could not {action}: {method} {showable(url)} should be answered in JSON, but "
            f"{_describe(headers, content)} came. Check that the URL is that of a Brood server.",
            method=method,
            url=showable(url),
        ) from error


def http_error(
    asked: Asked,
    status_code: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    advice: str = "",
) -> BroodHTTPError:
    """Return the exception for an answer with an error status.

    Parameters
    ----------
    asked : tuple of (str, str, str)
        What was asked.
    status_code : int
    headers : mapping of str to str
    content : bytes
        The body, or its beginning.
    advice : str, optional
        What to try, where that is better known than from the status.

    Returns
    -------
    BroodHTTPError
        Of the status's own class, with the server's words.
    """
    action, method, url = asked
    with contextlib.suppress(OSError, EOFError, zlib.error):  # else it is shown as it came
        content = _gunzip(content)
    response = ErrorResponse(
        status_code, headers.get("Content-Type", ""), content.decode("utf-8", "replace")
    )
    return http_error_class(status_code)(
        action,
        method=method,
        url=showable(url),
        response=response,
        error=_server_words(headers, response),
        request_id=headers.get("X-Request-ID"),
        retry_after=parse_retry_after(headers.get("Retry-After")),
        advice=advice,
    )


def _gunzip(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content


def _server_words(headers: Mapping[str, str], response: ErrorResponse) -> str | None:
    try:
        document = response.json()
    except ValueError:
        if _media_type(headers) == "text/html":
            return f"{_describe(headers, response.text.encode())} came, as from a gateway"
        return None
    words = document.get("error") if isinstance(document, dict) else None
    return words if isinstance(words, str) and words.strip() else None


def _describe(headers: Mapping[str, str], content: bytes) -> str:
    if not content:
        return "an empty body"
    media_type = _media_type(headers)
    if media_type == "text/html":
        title = _HTML_TITLE.search(content[:MAX_ERROR_BODY].decode("utf-8", "replace"))
        return f"an HTML page titled '{title[1][:100]}'" if title else "an HTML page"
    return f"{len(content)} bytes of {media_type or 'no stated type'}"


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()
