"""A Brood of paper: it knows nothing, and answers every request plausibly.

What it says stays the same whatever the names, so that two clients can be asked the same.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from hatcher.testing import Answer, Request

CONTENT = bytes(range(256)) * 5
SHA256 = hashlib.sha256(CONTENT).hexdigest()

#: Fields that no one has heard of must come through as they are.
_UNKNOWN = {"Zürich": [1, None, {"日本": 2.5}], "true": True}

_EGG = {
    "available": True,
    "build": 1,
    "full_version": "1.0-1",
    "md5": "0" * 32,
    "mtime": 1425169200.5,
    "name": "spam",
    "packages": ["MKL 2017.0.3"],
    "platform_abi": None,
    "product": "free",
    "python": "2.7",
    "python_tag": "cp27",
    "sha256": SHA256,
    "size": len(CONTENT),
    "type": "egg",
    "version": "1.0",
    **_UNKNOWN,
}
_EGGS = {
    "Spam-1.0-1.egg": _EGG,
    "eggs-2.0-1.egg": {**_EGG, "name": "eggs", "python_tag": None, "python": None},
    "a-0.1-1.egg": {**_EGG, "name": "a", "python_tag": "py2.py3"},
}
_LEGACY_RUNTIME = {
    "filename": "python_runtime_2.7.10_6.0.0_rh5-64_1.zip",
    "sha256": SHA256,
    **_UNKNOWN,
}
_BUNDLE = {
    "build": 1,
    "full_version": "1.0.0-1",
    "name": "tools",
    "platform": "rh5_x86_64",
    "python_tag": "cp38",
    "version": "1.0.0",
}
_BUNDLE_DOCUMENT = {
    "runtime": {"implementation": "cpython", "platform": "rh5_x86_64", "version": "3.8.17+1"},
    "requirements": [],
    "modifiers": {},
    "mark": "Zürich",
}


def found(request: Request) -> Answer:
    """Everything is there, and every change succeeds."""
    version, *path = _segments(request)
    match request.method, path:
        case "POST", ["auth", "tokens", "auth"]:
            return _json({"token": "a-session-token"})
        case "GET", ["auth", "tokens", "api"]:
            token = {"name": "ü", "created": "2024-05-01T12:00:00.000001", "last_used": None}
            return _json({"tokens": [token, {**token, "name": "b", **_UNKNOWN}]})
        case "POST", ["auth", "tokens", "api"]:
            return _json({"name": "laptop", "token": "secret", **_UNKNOWN})
        case "GET", ["metadata", "platforms"]:
            return _json({"platforms": ["win-x86_64", "rh5-x86_64"]})
        case "GET", ["metadata", "python-tags"]:
            return _json({"python_tags": ["cp38", "cp27"]})
        case "GET", ["metadata", "python-tags", "all"]:
            return _json({"python_tags": ["py3", "cp38", "py2.py3", "cp27"]})
        case "GET", ["metadata", "user", "repositories"]:
            return _json({"repositories": _REPOSITORIES[version]})
        case "GET", ["admin", "organizations"]:
            return _json({"organizations": ["b", "ü", "Acme", "a"]})
        case "GET", ["admin", "organizations", _, "repositories"]:
            return _json({"repositories": ["prod", "ü x", "dev"]})
        case "GET", ["admin", "organizations", _, "teams"]:
            return _json({"teams": [{"name": "t", "group": "read_index"}, {"name": "a"}]})
        case "GET", ["admin", "teams", _, _, "repositories"]:
            return _json({"repositories": ["prod", "dev"]})
        case "GET", ["admin", "teams", _, _, "members"]:
            return _json({"members": ["b@example.com", "a@example.com"]})
        case "GET", ["admin", "users" | "teams", _, _]:
            return _json({"name": "x", **_UNKNOWN})
        case "GET", ["indices", *_, "eggs"]:
            return _json(_EGGS)
        case "GET", ["indices", *_, "apps"]:
            builds = {"1": {"name": "x"}, "2": {}}
            return _json({"cp38": {"b": {"1.10": builds, "1.9": {}}}, "cp27": {"a": {"1": builds}}})
        case "GET", ["indices", *_, "runtimes"] if version == "v0":
            versions = {"2.7.9": {"1": _LEGACY_RUNTIME}, "2.7.10": {"3": {"filename": "ü.zip"}}}
            return _json({"python": versions, "julia": {}})
        case "GET", ["indices", *_, "runtimes"]:
            versions = {"3.8.9+1": {"sha256": SHA256}, "3.8.17+1": {}}
            return _json({"pypy": {"2.6.0+1": _UNKNOWN}, "cpython": versions})
        case "GET", ["indices", *_, "bundles"]:
            older = {**_BUNDLE, "full_version": "0.9-3", "build": 3}
            versions = {"1.0.0": {"1": _BUNDLE}, "0.9": {"3": older}}
            return _json({"cp38": {"tools": versions}, "cp27": {}})
        case "GET", ["metadata", *_, "bundles", _, _, _]:
            return _json({**_BUNDLE, "data": _BUNDLE_DOCUMENT, **_UNKNOWN})
        case "GET", ["metadata", *_]:
            return _json({"sha256": SHA256, "filename": "x", **_UNKNOWN})
        case "GET", ["data", *_, kind, _, _]:
            runtime = "cpython-3.8.17+1-rh5_x86_64-gnu.runtime"
            if version == "v0":
                runtime = "python_runtime_2.7.10_6.0.0_rh5-64_1.zip"
            name = {"eggs": "Spam-1.0-1.egg", "runtimes": runtime}.get(kind, "file")
            disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Answer(200, {"Content-Type": "application/octet-stream", **disposition}, CONTENT)
        case "GET", ["admin", "teams", _, _, "repositories" | "members", _]:
            return Answer(204)
        case "GET", _:
            return Answer(404, {"Content-Type": "text/html"}, b"<h1>There is no such page</h1>")
        case "DELETE" | "PUT", _:
            return Answer(204)
    return Answer(201)


_REPOSITORIES: dict[str, list[Any]] = {
    "v0": ["b/dev", "acme/dev", "a b/ü"],
    "v1": [
        {"name": "b/dev", "access": "read_repository", "description": "x"},
        {"name": "acme/dev", "access": "read_index", "description": "y"},
        {"name": "a b/ü", "access": "upload_repository"},
    ],
}


def wordy(request: Request) -> Answer:
    """Every change succeeds with a status and a page that say little."""
    if request.method == "GET" or request.target.endswith(("tokens/auth", "tokens/api")):
        return found(request)
    return Answer(200, {"Content-Type": "text/html"}, b"<h1>Well done</h1>")


def compressed(request: Request) -> Answer:
    """JSON is compressed, and a gateway has taken the header that says so."""
    answer = found(request)
    if answer.headers.get("Content-Type") != "application/json":
        return answer
    return Answer(answer.status, {"Content-Type": "text/plain"}, gzip.compress(answer.body))


def new(request: Request) -> Answer:
    """No artefact is there, and every upload succeeds."""
    if request.method == "GET" and _segments(request)[1:2] == ["metadata"]:
        return _refusal(404)
    return found(request)


def bare(request: Request) -> Answer:
    """Metadata lack the hash."""
    if request.method == "GET" and _segments(request)[1:2] == ["metadata"]:
        return _json({"filename": "x"})
    return found(request)


def spoiled(request: Request) -> Answer:
    """Downloads are not what the metadata say."""
    answer = found(request)
    if answer.body != CONTENT:
        return answer
    return Answer(200, answer.headers, CONTENT[::-1])


def nameless(request: Request) -> Answer:
    """Downloads have no name."""
    answer = found(request)
    if answer.body != CONTENT:
        return answer
    return Answer(200, {"Content-Disposition": "attachment"}, CONTENT)


def has(file_sha256: str) -> Callable[[Request], Answer]:
    """Everything that is asked about has this hash."""

    def answer(request: Request) -> Answer:
        if request.method == "GET" and _segments(request)[1:2] == ["metadata"]:
            return _json({"sha256": file_sha256})
        return found(request)

    return answer


def refusing(status: int) -> Callable[[Request], Answer]:
    """Everything but a session token is refused."""

    def answer(request: Request) -> Answer:
        return found(request) if request.target.endswith("tokens/auth") else _refusal(status)

    return answer


def _refusal(status: int) -> Answer:
    return _json({"error": "No, not so."}, status)


def _json(document: object, status: int = 200) -> Answer:
    body = json.dumps(document).encode()
    return Answer(status, {"Content-Type": "application/json"}, body)


def _segments(request: Request) -> list[str]:
    """The version of the API, and the parts of the path after it."""
    root, _, rest = urlsplit(request.target).path.partition("/json/")
    return [root.rpartition("/")[2], *map(unquote, rest.split("/"))]
