"""Reading what a server answered: JSON, and errors as exceptions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from hatcher.errors import (
    BroodHTTPError,
    ErrorResponse,
    InvalidJSONError,
    InvalidResponseError,
    MissingName,
    http_error_class,
)
from hatcher.transport import parsing
from hatcher.transport.channel import Headers
from hatcher.transport.retry import parse_retry_after
from hatcher.transport.secret import bare
from hatcher.transport.urls import showable

T = TypeVar("T")


class Asked(NamedTuple):
    """What was asked, for messages.

    Attributes
    ----------
    action : str
        What was being done, in words.
    method, url : str
    redact : callable
        Takes what was sent in secret out of the server's words.
    """

    action: str
    method: str
    url: str
    redact: Callable[[str], str] = str


class Answer(NamedTuple):
    """An answer whose body has arrived.

    Attributes
    ----------
    status_code : int
        Of the 2xx, or 304.
    headers : Headers
    content : bytes
        As it came, perhaps compressed.
    """

    status_code: int
    headers: Headers
    content: bytes

    def __repr__(self) -> str:
        # Without the content, which may be a new token.
        return f"<Answer {self.status_code}>"


#: Bytes that an answer may have which is held in memory, as it comes over the wire.
MAX_CONTENT = 256 << 20

#: Bytes of an error's body that are kept.
MAX_ERROR_BODY = 64 * 1024

#: What to try when the answer is none of Brood's.
_CHECK_URL = "Check that the URL is that of a Brood server."

_HTML_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)


def parse_json(asked: Asked, headers: Mapping[str, str], content: bytes) -> Any:
    """Parse an answer that should be JSON.

    Parameters
    ----------
    asked : Asked
        What was asked, for the message.
    headers : mapping of str to str
        The answer's headers.
    content : bytes
        Its body; may be compressed.

    Returns
    -------
    object

    Raises
    ------
    InvalidJSONError
        It is not JSON.
    InvalidResponseError
        It unpacks to far too much.
    """
    return read_json(asked, headers, unpacked(asked, headers, content), parsing.loads)


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that it is JSON."""
    return _media_type(headers) == "application/json"


def unpacked(asked: Asked, headers: Mapping[str, str], content: bytes) -> bytes:
    """Return the text of an answer that should be JSON.

    Parameters
    ----------
    asked, headers, content
        As for `parse_json`.

    Returns
    -------
    bytes

    Raises
    ------
    InvalidJSONError, InvalidResponseError
        As for `parse_json`.
    """
    try:
        return parsing.unpack(content)
    except parsing.BombError as error:
        action, method, url, _ = asked
        raise InvalidResponseError(
            f"Could not {action}: the answer to {method} {showable(url)} was given up: {error}.",
            method=method,
            url=showable(url),
            what=f"Could not {action}: the answer was given up: {error}.",
            advice=f"{_CHECK_URL[:-1]}, and whom the connection goes through.",
        ) from error
    except ValueError as error:
        raise _no_json(asked, headers, content) from error


def read_json(
    asked: Asked,
    headers: Mapping[str, str],
    text: bytes,
    read: Callable[[bytes], T],
) -> T:
    """Make objects of the text of an answer that should be JSON.

    Parameters
    ----------
    asked, headers
        As for `parse_json`.
    text : bytes
        What `unpacked` returned.
    read : callable
        Does it, or raises ValueError.

    Returns
    -------
    object
        What `read` returned.

    Raises
    ------
    InvalidJSONError
        `read` cannot use it.
    """
    try:
        with parsing.collector_held(len(text)):
            return read(text)
    except parsing.ShapeError as error:
        raise unexpected(asked, asked.redact(str(error))) from bare(error)
    except ValueError:
        pass
    # Not from within: Python's error keeps the text, in which there may be a secret.
    raise _no_json(asked, headers, text)


def http_error(
    asked: Asked,
    status_code: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    advice: str | MissingName | None = None,
    anonymous: bool = False,
) -> BroodHTTPError:
    """Return the exception for an answer with an error status.

    Parameters
    ----------
    asked : Asked
        What was asked.
    status_code : int
    headers : mapping of str to str
    content : bytes
        The body, or its beginning.
    advice : str or MissingName, optional
        What to try, where that is better known than from the status.
    anonymous : bool, default False
        Whether nobody's credentials went with the request.

    Returns
    -------
    BroodHTTPError
        Of the status's own class, with the server's words.
    """
    action, method, url, redact = asked
    content = parsing.beginning(content, MAX_ERROR_BODY)
    # Words before the text: in JSON, a secret may be written in another way.
    response = ErrorResponse(
        status_code, headers.get("Content-Type", ""), content.decode("utf-8", "replace")
    )
    words = _server_words(headers, response)
    request_id = headers.get("X-Request-ID")
    known: dict[str, Any] = (
        {"missing": advice} if isinstance(advice, MissingName) else {"advice": advice or ""}
    )
    return http_error_class(status_code)(
        action,
        method=method,
        url=showable(url),
        response=ErrorResponse(status_code, redact(response.content_type), redact(response.text)),
        error=words and redact(words),
        request_id=request_id and redact(request_id),
        retry_after=parse_retry_after(headers.get("Retry-After")),
        anonymous=anonymous,
        **known,
    )


def unexpected(asked: Asked, what: str) -> InvalidJSONError:
    """Return the exception for JSON of another shape than Brood's.

    Parameters
    ----------
    asked : Asked
        What was asked.
    what : str
        What is wrong with the answer, such as ``is no JSON object``.

    Returns
    -------
    InvalidJSONError
    """
    action, method, url, _ = asked
    return InvalidJSONError(
        f"Could not {action}: the answer to {method} {showable(url)} {what}.",
        method=method,
        url=showable(url),
        what=f"Could not {action}: the answer {what}.",
        advice=_CHECK_URL,
    )


def _no_json(asked: Asked, headers: Mapping[str, str], content: bytes) -> InvalidJSONError:
    action, method, url, redact = asked
    came = redact(_describe(headers, content))
    return InvalidJSONError(
        f"Could not {action}: {method} {showable(url)} should be answered in JSON, but "
        f"{came} came.",
        method=method,
        url=showable(url),
        what=f"Could not {action}: instead of JSON, {came} came.",
        advice=_CHECK_URL,
    )


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
