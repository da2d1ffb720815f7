"""Reading what a server answered: JSON, and errors as exceptions."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from hatcher.errors import (
    BroodHTTPError,
    ErrorResponse,
    HatcherException,
    InvalidJSONError,
    InvalidResponseError,
    MissingName,
    http_error_class,
)
from hatcher.transport import parsing
from hatcher.transport.channel import ChannelError, Headers, Incoming, Outgoing
from hatcher.transport.faults import CHECK_BETWEEN, error_for, failure
from hatcher.transport.retry import parse_retry_after
from hatcher.transport.secret import bare

logger = logging.getLogger("hatcher")

T = TypeVar("T")

#: Bytes that an answer held in memory may have, as it comes over the wire.
MAX_CONTENT = 256 << 20

#: Bytes of an error's body that are kept.
MAX_ERROR_BODY = 64 * 1024

#: What to try when the answer is not Brood's.
_CHECK_URL = "Check that the URL is that of a Brood server."

#: What to try instead where a second request could do something twice.
_CARRIED_OUT = "It has been carried out all the same: look before asking for it again."

_HTML_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)


class Answer(NamedTuple):
    """An answer whose body has arrived.

    Attributes
    ----------
    status_code : int
        A 2xx, or 304.
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


def receive(outgoing: Outgoing, incoming: Incoming, limit: int | None = None) -> Answer:
    """Return an answer with its body."""
    parsing.expect(4 * (incoming.headers.content_length or 0))  # as text, if it is gzip
    try:
        return Answer(incoming.status_code, incoming.headers, incoming.read(limit or MAX_CONTENT))
    except ChannelError as error:
        raise error_for(outgoing, error) from error
    finally:
        incoming.close()


def receive_if_any(outgoing: Outgoing, incoming: Incoming) -> Answer:
    """Return an answer that counts as a success even if its body does not arrive."""
    try:
        return receive(outgoing, incoming)
    except HatcherException as error:
        logger.info("it worked, although the answer did not arrive whole: %s", error)
        return Answer(incoming.status_code, incoming.headers, b"")


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that it is JSON."""
    return _media_type(headers) == "application/json"


def parse_json(
    outgoing: Outgoing, read: Callable[[bytes], T], headers: Mapping[str, str], content: bytes
) -> T:
    """Return what `read` makes of an answer that should be JSON, perhaps packed."""
    try:
        with parsing.collector_held(parsing.size_of(content)):
            return read(content)
    except parsing.BombError as error:
        raise failure(
            InvalidResponseError,
            outgoing,
            f"the answer to {outgoing.method} {outgoing.shown_url} was rejected: {error}.",
            what=f"the answer was rejected: {error}.",
            advice=f"{_CHECK_URL[:-1]}, and what the connection goes through.",
        ) from error
    except parsing.DamagedError as error:
        raise _not_json(outgoing, headers, content) from error
    except parsing.ShapeError as error:
        raise unexpected(outgoing, outgoing.redact(str(error))) from bare(error)
    except ValueError:
        pass
    # Not from within: Python's error keeps the text, in which there may be a secret.
    raise _not_json(outgoing, headers, parsing.unpack(content))


def check_range(outgoing: Outgoing, incoming: Incoming) -> None:
    """Refuse a part of an answer that was not asked for."""
    is_part = incoming.status_code == 206 and outgoing.method == "GET"
    if is_part and "Range" not in outgoing.headers:
        incoming.close()
        raise failure(
            InvalidResponseError,
            outgoing,
            f"{outgoing.shown_url} returned a part of the answer (206) although the whole was "
            f"requested. {CHECK_BETWEEN}",
        )


def error_body(incoming: Incoming) -> bytes:
    """Return the beginning of an answer's body, as much of it as arrives, and close the answer."""
    content = bytearray(MAX_ERROR_BODY)
    received = 0
    with suppress(ChannelError):
        while size := incoming.readinto(memoryview(content)[received:]):
            received += size
    incoming.close()
    return bytes(content[:received])


def http_error(
    outgoing: Outgoing,
    status_code: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    advice: str | MissingName | None = None,
    anonymous: bool = False,
) -> BroodHTTPError:
    """Return the exception of an error status, with the server's words.

    The content may be the beginning of a body; the advice is what is known beyond the status.
    """
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
    redact = outgoing.redact
    return http_error_class(status_code)(
        outgoing.action,
        method=outgoing.method,
        url=outgoing.shown_url,
        response=ErrorResponse(status_code, redact(response.content_type), redact(response.text)),
        error=words and redact(words),
        request_id=request_id and redact(request_id),
        retry_after=parse_retry_after(headers.get("Retry-After")),
        anonymous=anonymous,
        **known,
    )


def unexpected(outgoing: Outgoing, fault: str, said: str = "") -> InvalidJSONError:
    """Return the exception for JSON of another shape; the fault reads ``is no JSON object``."""
    return failure(
        InvalidJSONError,
        outgoing,
        f"the answer to {outgoing.method} {outgoing.shown_url} {fault}.",
        what=said or f"the answer {fault}.",
        advice=_CARRIED_OUT if outgoing.safety == "ambiguous" else _CHECK_URL,
    )


def _not_json(outgoing: Outgoing, headers: Mapping[str, str], content: bytes) -> InvalidJSONError:
    body = outgoing.redact(_describe(headers, content))
    return unexpected(
        outgoing, f"is {body} instead of JSON", f"the server sent {body} instead of JSON."
    )


def _server_words(headers: Mapping[str, str], response: ErrorResponse) -> str | None:
    try:
        document = response.json()
    except ValueError:
        if _media_type(headers) == "text/html":
            return f"{_describe(headers, response.text.encode())}, as from a gateway"
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
    return f"{len(content)} bytes of {media_type or 'an unknown type'}"


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()
