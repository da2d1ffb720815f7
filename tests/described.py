"""Answers held against the description: every one that an embedded Brood gives in a test.

The observer sits between the server's application and the socket, so that it sees what any client
is answered: ours, the existing one, plain httpx.
"""

from __future__ import annotations

import copy
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT4
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hatcher.server.description import Description

#: Headers that every answer of HTTP may have, and those that the server gives all of them.
UNNAMED = {"connection", "content-encoding", "content-length", "content-type", "date"}
UNNAMED |= {"referrer-policy", "transfer-encoding", "x-content-type-options", "x-frame-options"}
#: Described headers that are not always sent: nobody knows when a lost file is there again.
OPTIONAL = {503: {"retry-after"}}


def as_sent() -> dict[str, Any]:
    """The description, with what OpenAPI has no word for.

    Two times have no offset, as the description says; a ``date-time`` of OpenAPI has one.
    """
    document = copy.deepcopy(dict(Description.installed().document))
    token = document["components"]["schemas"]["ApiToken"]["properties"]
    for name in ("created", "last_used"):
        assert token[name].pop("format") == "date-time"
        token[name]["pattern"] = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$"
    return document


DOCUMENT = as_sent()
REGISTRY = Registry().with_resource("urn:brood", DRAFT4.create_resource(DOCUMENT))
METHODS = ("get", "put", "post", "delete")

#: Of larger documents only the head of the answer is looked at, in bytes.
_LARGEST = 256 << 10


def by_version(operations: Iterable[str]) -> list[Any]:
    """Return operations as parameters: version 0, which shares its handlers with 1, is `long`."""
    return [
        pytest.param(each, marks=[pytest.mark.long] * each.startswith("v0_")) for each in operations
    ]


class Notes:
    """What was answered since it was last asked.

    Attributes
    ----------
    operations : set of str
        The operations that were answered with success.
    faults : list of str
        What was answered otherwise than described.
    """

    def __init__(self) -> None:
        self.operations: set[str] = set()
        self.faults: list[str] = []

    def clear(self) -> None:
        """Forget all of it."""
        self.operations.clear()
        self.faults.clear()


class Observer:
    """An application that passes everything on to another one, and takes notes.

    Parameters
    ----------
    app : callable
        The application.
    notes : Notes
        What is written to.
    """

    def __init__(self, app: ASGIApp, notes: Notes) -> None:
        self._app = app
        self._notes = notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        operation = operation_of(scope) if scope["type"] == "http" else None
        if operation is None:
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        start: Message = {}
        body = bytearray()

        async def pass_on(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                # At once: whoever has an answer without a body finds the notes complete.
                if 200 <= start["status"] < 400 and not head:
                    self._notes.operations.add(operation["operationId"])
            elif len(body) <= _LARGEST:
                body.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # Before it is sent: whoever has the answer finds the notes complete.
                headers = {
                    name.decode(): value.decode("latin-1") for name, value in start["headers"]
                }
                self._notes.faults += faults(
                    operation, start["status"], headers, bytes(body), head=head
                )
            await send(message)

        await self._app(scope, receive, pass_on)


def faults(
    operation: dict[str, Any],
    status: int,
    headers: dict[str, str],
    body: bytes,
    *,
    head: bool = False,
) -> Iterator[str]:
    """Yield what an answer has that the description does not know.

    Parameters
    ----------
    operation : dict
        The operation of the description.
    status : int
    headers : dict of str to str
        By their names in lower case.
    body : bytes
        As it is on the wire.
    head : bool
        Whether the request was a HEAD, which is answered as a GET without the body.
    """
    known = operation["responses"]
    described = known.get(str(status))
    what = f"{operation['operationId']} answered {status}"
    if described is None:
        yield f"{what}; the description knows {sorted(known)}"
        return
    described = resolve(described)
    named = {header.lower(): header for header in described.get("headers", ())}
    for header in sorted(named.keys() - headers.keys() - OPTIONAL.get(status, set())):
        yield f"{what} without the header {named[header]}"
    for header in sorted(headers.keys() - named.keys() - UNNAMED):
        yield f"{what} with the header {header}, which is not described"
    media_type = headers.get("content-type")
    content = described.get("content")
    if content is None:
        if body or media_type is not None:
            yield f"{what} with a body of {media_type}, where none is described"
        return
    if media_type not in content:
        yield f"{what} with {media_type}; described are {sorted(content)}"
        return
    schema = content[media_type]["schema"]
    if head or schema.get("format") == "binary" or len(body) > _LARGEST:
        return
    if headers.get("content-encoding") == "gzip":
        body = zlib.decompress(body, wbits=16 + zlib.MAX_WBITS)
    if not body:
        yield f"{what} without a body"
        return
    document = json.loads(body)
    for error in validator(schema["$ref"]).iter_errors(document):
        yield f"{what}; {error.message}: {body[:200]!r}"
    for field in unnamed(schema, document):
        yield f"{what}; the field {field} is not described"


@cache
def validator(reference: str) -> OAS30Validator:
    """Return what validates against a schema of the description."""
    return OAS30Validator(
        {"$ref": f"urn:brood{reference}"}, registry=REGISTRY, format_checker=oas30_format_checker
    )


def unnamed(schema: dict[str, Any], document: Any) -> Iterator[str]:
    """Yield the fields of a document that its schema takes, but does not name."""
    schema = resolve(schema)
    if isinstance(document, list):
        for number, item in enumerate(document):
            for field in unnamed(schema.get("items", {}), item):
                yield f"[{number}]{field}"
    if not isinstance(document, dict):
        return
    parts = [resolve(part) for part in (schema, *schema.get("allOf", ()))]
    if any("x-verbatim" in part for part in parts):
        return
    properties = {name: each for part in parts for name, each in part.get("properties", {}).items()}
    others = schema.get("additionalProperties", True)
    for name, value in document.items():
        if name not in properties and not isinstance(others, dict):
            yield f"[{name!r}]"
            continue
        for field in unnamed(properties.get(name, others), value):
            yield f"[{name!r}]{field}"


def operation_of(scope: Scope) -> dict[str, Any] | None:
    """Return the operation that a request asks for, or another one of its path; None beside them.

    What is answered to a method that a path is not for stands with the path's operations.
    """
    path = scope["raw_path"].decode("latin-1")
    method = scope["method"].lower().replace("head", "get")
    for pattern, item in _patterns():
        if pattern.fullmatch(path):
            return item.get(method) or next(item[name] for name in METHODS if name in item)
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), item)
        for path, item in DOCUMENT["paths"].items()
    ]


def resolve(node: Any) -> Any:
    """Follow a reference within the description."""
    while "$ref" in node:
        target: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node
