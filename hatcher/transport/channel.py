"""What carries requests to a server: the `Channel` protocol, and the data that pass through it.

`http_channel` implements it with Python's own `http.client`, `httpx_channel` with httpx. Neither
knows of session tokens, redirects, retries or errors by status.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlencode

from hatcher import __version__
from hatcher.errors import InvalidArgumentError
from hatcher.transport.request import Request, Safety, in_words
from hatcher.transport.secret import Redactor, Secret
from hatcher.transport.urls import Origin, ServerURL, authority, is_unicode, showable

if TYPE_CHECKING:
    from hatcher.transport.http_channel import Begun

#: The User-Agent of all requests; servers keep statistics by its beginning.
USER_AGENT = f"hatcher/{__version__} python/{sys.version.partition(' ')[0]} ({sys.platform})"

#: What can go wrong before a whole answer has arrived.
Kind: TypeAlias = Literal[
    "connect timeout",
    "pool timeout",
    "not connected",
    "proxy",
    "TLS",
    "timeout",  # read, write or stall
    "no response",  # ended in an orderly way before the first byte
    "incomplete",
    "lost",
    "protocol",  # no valid HTTP
    "redirect",  # to what is no URL
    "too large",
    "cancelled",
]


class ChannelError(Exception):
    """A request did not lead to a whole answer; `faults.error_for` makes it an error for users.

    Attributes
    ----------
    kind : str
        What happened.
    reason : str
        What the system or a library says about it; may be empty.
    """

    def __init__(self, kind: Kind, reason: str = "") -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason

    def redact(self, redactor: Redactor) -> None:
        """Take secrets out of the reason, and out of the exceptions behind it."""
        self.reason = redactor(self.reason)
        self.args = self.kind, self.reason
        for cause in (self.__cause__, self.__context__):
            if cause is not None:
                redactor.clean(cause)


class Headers(dict[str, str]):
    """The headers of an answer: kept in lower case, found in any."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    @property
    def content_length(self) -> int | None:
        """The bytes that the body has; None where no number says so."""
        length = self.get("content-length", "")
        return int(length) if _LENGTH.fullmatch(length) else None


class MutableHeaders(MutableMapping[str, str]):
    """Headers that can be changed, and are found in any case. Their repr shows names only."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._by_name: dict[str, tuple[str, str]] = {}
        self.update(headers)

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._by_name[name.lower()] = name, value

    def __delitem__(self, name: str) -> None:
        del self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._by_name.values()])

    def __len__(self) -> int:
        return len(self._by_name)

    def copy(self) -> MutableHeaders:
        """Return others that are equal."""
        return MutableHeaders(self)

    def __repr__(self) -> str:
        return f"<MutableHeaders {', '.join(self)}>"


class Outgoing(NamedTuple):
    """A request, ready to go out.

    Attributes
    ----------
    method : str
    origin : tuple of (str, str, int)
        Scheme, host and port.
    target : str
        Path and query, quoted.
    headers : dict of str to str
        Without Host and credentials, and with the body's Content-Type.
    body : iterable of bytes-like, or None
        Each block is used before the next one is asked for.
    content_length : int or None
        Bytes in the body; None when there is no body.
    at_home : bool
        Whether it goes to the server that it was meant for, which may see credentials.
    credentials : mapping of str to Secret
        The headers that prove who is asking, mostly Authorization alone.
    operation : str
        The operationId of what it is for.
    safety : {'safe', 'idempotent', 'ambiguous'}
        What sending it twice would do.
    redact : Redactor
        Takes secrets that were sent out of the server's words.
    begun : Begun, optional
        What has been sent of it already.
    """

    method: str
    origin: Origin
    target: str
    headers: dict[str, str]
    body: Iterable[bytes | memoryview] | None = None
    content_length: int | None = None
    at_home: bool = True
    credentials: Mapping[str, Secret] = MappingProxyType({})
    operation: str = "v1_create_session_token"
    safety: Safety = "safe"
    redact: Redactor = Redactor()
    begun: Begun | None = None

    @classmethod
    def of(cls, request: Request, server: ServerURL, redact: Redactor) -> Outgoing:
        """Return a request as it goes out to a server, without credentials."""
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **request.headers,
        }
        target = server.prefix + request.path
        if request.params:
            target += "?" + urlencode(request.params)
        blocks: Iterable[bytes | memoryview] | None = request.body
        length = 0 if request.method in ("POST", "PUT", "PATCH") else None
        if request.body is not None:
            headers["Content-Type"] = request.body.content_type
            length = request.body.content_length
        elif request.json is not None:
            content = _json_of(request)
            headers["Content-Type"] = "application/json"
            blocks, length = (content,), len(content)
        return cls(
            request.method,
            server.origin,
            target,
            headers,
            blocks,
            length,
            operation=request.operation,
            safety=request.safety,
            redact=redact,
            begun=request.begun,
        )

    def __repr__(self) -> str:
        # Without the body, which may hold a password.
        return f"<Outgoing {self.method} {self.shown_url}>"

    @property
    def url(self) -> str:
        """The whole URL; may hold a signature in its query."""
        return f"{self.origin[0]}://{authority(self.origin)}{self.target}"

    @property
    def action(self) -> str:
        """What it does, in words: ``upload egg``."""
        return in_words(self.operation)

    @property
    def shown_url(self) -> str:
        """The URL as errors show it."""
        return showable(self.url)


def _json_of(request: Request) -> bytes:
    text = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"))
    # Not by a failing encode(), whose error would hold the text, in which there may be a password.
    if not is_unicode(text):
        raise InvalidArgumentError(
            f"Could not {request.action}: a text contains characters that are not valid Unicode, "
            "as in names that are not in UTF-8. Nothing was sent."
        )
    return text.encode()


class Incoming(Protocol):
    """An answer whose head has arrived; its body arrives as it is read. Methods raise ChannelError."""

    status_code: int
    headers: Headers

    def readinto(self, buffer: bytearray | memoryview, *, is_file: bool = True) -> int:
        """Receive some of a file or of another body into a buffer; return its size, 0 at the end."""

    def read(self, limit: int) -> bytes:
        """Return the rest of the body as sent; at most `limit` bytes."""
        length = self.headers.content_length or 0
        if length > limit:
            raise ChannelError("too large", f"{length:,} bytes")
        content, block = bytearray(), memoryview(bytearray(min(length or _BLOCK, 8 * _BLOCK)))
        while size := self.readinto(block, is_file=False):
            content += block[:size]
            if len(content) > limit:
                raise ChannelError("too large", f"more than {limit:,} bytes")
        return bytes(content)

    def close(self) -> None:
        """Return the connection to the pool, or close it if more is to come."""


class Channel(Protocol):
    """Sends requests, each once."""

    def exchange(self, outgoing: Outgoing) -> Incoming:
        """Send a request and return its answer, whatever its status, or raise ChannelError."""

    def close(self) -> None:
        """Close the connections."""


#: Headers that only a channel sets, since they say where a request goes and where it ends.
FRAMING = frozenset({"connection", "content-length", "host", "transfer-encoding", "upgrade"})

#: Bytes of a body that are received at a time, where it does not say how long it is.
_BLOCK = 32 * 1024

_LENGTH = re.compile(r"\d{1,19}", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_TARGET = re.compile(r"[!-~]+")


def check(outgoing: Outgoing) -> None:
    """Raise InvalidArgumentError for what a head cannot carry, without showing it."""
    if not _TARGET.fullmatch(outgoing.target) or not _NAME.fullmatch(outgoing.method):
        raise InvalidArgumentError(
            f"The request {outgoing!r} was not sent: its URL or method contains whitespace, a line "
            "break or a non-ASCII character. Quote the URL."
        )
    check_headers(chain(outgoing.headers.items(), outgoing.credentials.items()))


def check_headers(headers: Iterable[tuple[str, str | Secret]]) -> None:
    """Do the same for headers."""
    for name, value in headers:
        if fault := _fault_of(name):
            raise InvalidArgumentError(f"{fault} Nothing was sent.")
        text = value.reveal() if isinstance(value, Secret) else value
        is_plain = isinstance(text, str) and text.isascii() and text.isprintable()
        if not (is_plain and text.strip() == text) and not _is_value(text):
            raise InvalidArgumentError(
                f"The value of the header '{name}' contains a line break, a control character, a "
                "character outside Latin-1, or whitespace at either end. Nothing was sent"
                + ("; check the credentials." if value is not text else ".")
            )


@lru_cache(maxsize=256)  # they are mostly the same
def _fault_of(name: object) -> str:
    """Return what is wrong with the name of a header; empty if nothing is."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"A header cannot have the name {name!r}: use letters, digits and hyphens."
    if name.lower() in FRAMING:
        return f"The header '{name}' cannot be set: it follows from the URL and the body."
    return ""


def _is_value(text: object) -> bool:
    return isinstance(text, str) and _VALUE.fullmatch(text) is not None
