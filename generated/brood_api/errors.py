"""Contains shared errors types that can be raised from API functions"""

import gzip
import json
import zlib
from typing import Any

import httpx


class UnexpectedStatus(Exception):
    """Raised by api functions when the response status an undocumented status and Client.raise_on_unexpected_status is True"""

    def __init__(self, status_code: int, content: bytes):
        self.status_code = status_code
        self.content = content

        super().__init__(
            f"Unexpected status code: {status_code}\n\nResponse content:\n{content.decode(errors='ignore')}"
        )


class UnexpectedContent(UnexpectedStatus):
    """Raised by api functions when the body is no JSON, for example a gateway's HTML page"""

    def __init__(self, status_code: int, content: bytes):
        super().__init__(status_code, content)
        self.args = (f"The answer with status code {status_code} is no JSON: {content[:500]!r}",)

    def __reduce__(self) -> Any:
        return type(self), (self.status_code, self.content)


def json_body(response: httpx.Response) -> Any:
    """The JSON document in a response, also one whose Content-Encoding got lost on the way"""
    content = response.content
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return json.loads(content)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise UnexpectedContent(response.status_code, content) from error


__all__ = ["UnexpectedContent", "UnexpectedStatus", "json_body"]
