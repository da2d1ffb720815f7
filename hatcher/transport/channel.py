"""What carries requests to a server: two kinds, with one face.

`hatcher.transport.wire` speaks HTTP/1.1 over sockets of its own, `httpx_channel` lets
httpx do it. Neither knows of authentication, redirects, retries or errors by status.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from hatcher.transport.urls import authority

#: What can go wrong before a whole answer is there.
Kind: TypeAlias = Literal[
    "no connection in time",  # the connect timeout
    "no free connection",  # the pool timeout
    "not connected",
    "no proxy",
    "not safe",  # TLS
    "silence",  # the read, write or stall timeout
    "no answer",  # ended in an orderly way before the first byte
    "ended early",
    "lost",
    "no HTTP",
    "interrupted",
]


class Trouble(Exception):  # noqa: N818 - never seen by users; `faults` makes errors of it
    """A request did not lead to a whole answer.

    Attributes
    ----------
    kind : str
        What happened.
    reason : str
        What the system or a library says of it; may be empty.
    """

    def __init__(self, kind: Kind, reason: str = "") -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason


class Headers(dict[str, str]):
    """The headers of an answer: kept in lower case, found in any."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


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
        Without Host, and with the body's Content-Type.
    body : iterable of bytes-like, or None
        Each block is used before the next one is asked for.
    content_length : int or None
        Bytes in the body; None when there is no body.
    at_home : bool
        Whether it goes to the server that it was meant for, which may see credentials.
    """

    method: str
    origin: tuple[str, str, int]
    target: str
    headers: dict[str, str]
    body: Iterable[bytes | memoryview] | None = None
    content_length: int | None = None
    at_home: bool = True

    @property
    def url(self) -> str:
        """The whole URL; may hold a signature in its query."""
        return f"{self.origin[0]}://{authority(self.origin)}{self.target}"


class Incoming(Protocol):
    """An answer whose head is there, and whose body arrives as it is read.

    Attributes
    ----------
    status_code : int
    headers : Headers
    """

    status_code: int
    headers: Headers

    def read(self) -> bytes:
        """Return the rest of the body, as it comes over the wire.

        Raises
        ------
        Trouble
        """

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive into a buffer; return the number of bytes, 0 at the end.

        Raises
        ------
        Trouble
        """

    def close(self) -> None:
        """Give the connection back, or end it when there is more to come."""


class Channel(Protocol):
    """Sends requests, each once."""

    def exchange(self, outgoing: Outgoing) -> Incoming:
        """Send a request and return its answer, whatever its status.

        Raises
        ------
        Trouble
        """

    def interrupt(self) -> None:
        """Make what is under way in other threads end at once, in `Trouble`."""

    def close(self) -> None:
        """Close the connections."""
