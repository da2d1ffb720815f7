"""A request as plain data, before it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from hatcher.transport.http_channel import Begun

#: What sending a request twice would do: nothing; nothing more; or perhaps
#: something more, so that a lost answer leaves open what happened.
Safety = Literal["safe", "idempotent", "ambiguous"]


class Body(Protocol):
    """The bytes of a request: their number is known, and they can be read again.

    Each block is used before the next one is asked for.
    """

    content_type: str
    content_length: int

    def __iter__(self) -> Iterator[bytes | memoryview]: ...


@cache
def in_words(operation: str) -> str:
    """Return an operationId in words, such as ``upload egg``."""
    return re.sub(r"^v\d+_", "", operation).replace("_", " ")


_NOTHING: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """What is asked of the server; `_replace` returns a changed copy.

    Attributes
    ----------
    operation : str
        The operationId in the description, such as ``v1_upload_egg``.
    method : str
        The HTTP method, in upper case.
    path : str
        The path below the server's URL, quoted.
    safety : {'safe', 'idempotent', 'ambiguous'}
        What sending it twice would do.
    params : mapping of str to str
        The query.
    json : object, optional
        A JSON body.
    body : Body, optional
        Any other body.
    headers : mapping of str to str
        Headers of this request alone.
    names : mapping of str to str
        The names in the path, before they were quoted.
    may_be_missing : bool
        Whether the caller expects a 404, which then needs no advice.
    begun : Begun, optional
        What has been sent of it already.
    """

    operation: str
    method: str
    path: str
    safety: Safety
    params: Mapping[str, str] = _NOTHING
    json: Any = None
    body: Body | None = None
    headers: Mapping[str, str] = _NOTHING
    names: Mapping[str, str] = _NOTHING
    may_be_missing: bool = False
    begun: Begun | None = None

    @property
    def action(self) -> str:
        """What it does, in words: ``upload egg``."""
        return in_words(self.operation)

    def __repr__(self) -> str:
        # Without the JSON, which may hold a password.
        return f"<Request {self.operation}: {self.method} {self.path}>"
