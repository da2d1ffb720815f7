"""Answers held against the description, in every test of the server."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from hatcher.server.description import Description

DOCUMENT = Description.installed().document
REGISTRY = Registry().with_resource("urn:brood", DRAFT4.create_resource(DOCUMENT))


def check(response: httpx.Response) -> None:
    """Fail when an answer is not among those that the description knows.

    Parameters
    ----------
    response : httpx.Response
        An answer that was read. What is no operation is not checked.
    """
    operation = _operation(response.request)
    if operation is None:
        return
    status = str(response.status_code)
    known = {**operation["responses"]}
    described = known.get(status) or known.get("5XX" if status[0] == "5" else "")
    what = f"{operation['operationId']} answered {status}: {response.text[:200]}"
    assert described is not None, f"{what}; the description knows {sorted(known)}"
    described = _resolve(described)
    content = described.get("content")
    for header in described.get("headers", ()):
        if header != "Retry-After":
            assert header in response.headers, f"{what}; without the header {header}"
    if content is None:
        if response.content:
            assert response.headers["content-type"] == "application/json", what
        return
    assert response.headers["content-type"] in content, what
    schema = content[response.headers["content-type"]]["schema"]
    if schema.get("format") == "binary":
        return
    if "$ref" in schema:
        schema = {"$ref": "urn:brood" + schema["$ref"]}
    for error in OAS30Validator(schema, registry=REGISTRY).iter_errors(response.json()):
        raise AssertionError(f"{what}; {error.message}")


def _operation(request: httpx.Request) -> dict[str, Any] | None:
    path = urlsplit(str(request.url)).path
    for pattern, item in _patterns():
        if pattern.fullmatch(path):
            return item.get(request.method.lower())
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), item)
        for path, item in DOCUMENT["paths"].items()
    ]


def _resolve(node: Any) -> Any:
    while "$ref" in node:
        target: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node
