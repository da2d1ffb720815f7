"""What the functions of an operation raise."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

#: Characters of an answer that a message shows at most.
SHOWN = 300


class UnexpectedStatus(Exception):
    """The status is not described, or `Response.raise_for_status` found that of an error

    Attributes:
        status_code (int): The status of the answer.
        content (bytes): All of its body.
    """

    def __init__(self, status_code: int, content: bytes, *args: Any):
        super().__init__(status_code, content, *args)
        self.status_code = status_code
        self.content = content

    @property
    def error(self) -> str | None:
        """What went wrong in the server's own words, if it says so as described"""
        try:
            document = _document(self.content)
        except _NO_JSON:
            return None
        text = document.get("error") if isinstance(document, dict) else None
        return text if isinstance(text, str) else None

    def __str__(self) -> str:
        return self._message(f"The server answered {self.status_code}")

    def _message(self, text: str) -> str:
        shown = self.error
        # Where it has succeeded, the body may be a token.
        if shown is None and (self.status_code >= 400 or self.content.lstrip()[:1] == b"<"):
            shown = self.content[:SHOWN].decode(errors="replace").strip()
        if not shown:
            return text
        printable = (c if c.isprintable() else " " for c in shown[:SHOWN])
        return f"{text}: {''.join(printable)}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class UnexpectedContent(UnexpectedStatus):
    """The body is no JSON, for example a gateway's HTML page, or not the described document

    Attributes:
        status_code (int): The status of the answer.
        content (bytes): All of its body.
        reason (str): What is wrong with it.
    """

    def __init__(self, status_code: int, content: bytes, reason: str = "is no JSON"):
        super().__init__(status_code, content, reason)
        self.reason = reason

    def __str__(self) -> str:
        return self._message(f"The answer with status code {self.status_code} {self.reason}")


_NO_JSON = (ValueError, OSError, EOFError, RecursionError, zlib.error)


def _document(content: bytes) -> Any:
    return json.loads(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)


def json_body(response: httpx.Response) -> Any:
    """The JSON document in a response, also one whose Content-Encoding got lost on the way"""
    try:
        return _document(response.content)
    except _NO_JSON as error:
        raise UnexpectedContent(response.status_code, response.content) from error


def parsed(parse: Callable[..., T], client: Any, response: httpx.Response) -> T:
    """What `parse` makes of a response, if that is as described"""
    try:
        return parse(client=client, response=response)
    except KeyError as error:
        reason = f"lacks {error}"
        raise UnexpectedContent(response.status_code, response.content, reason) from error
    except (AttributeError, TypeError, ValueError) as error:
        reason = f"is not as described: {error}"
        raise UnexpectedContent(response.status_code, response.content, reason) from error


__all__ = ["UnexpectedContent", "UnexpectedStatus", "json_body", "parsed"]
