"""What a client does when it is called: what it sends, what it returns, what it writes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import frozen

from hatcher.testing import Answer, Request, ScriptedServer

from ..interop import driver
from ..interop.environments import Driver
from . import answers
from .calls import DESTINATION, Call, Node
from .files import File

Drive = Callable[[dict[str, Any]], dict[str, Any]]


@frozen
class Outcome:
    """All that can be seen of one call.

    Attributes
    ----------
    requests : list of Request
    answer : dict
        ``{"result": …}`` or ``{"error": …}``.
    files : dict of str to bytes
        What there is in the folder of downloads afterwards.
    """

    requests: list[Request]
    answer: dict[str, Any]
    files: dict[str, bytes]


class Observer:
    """Drives a release of the existing client, and ours, with the same calls."""

    def __init__(self, theirs: Driver, artefacts: Path, destination: Path) -> None:
        self._theirs = theirs
        self._artefacts = artefacts
        self._destination = destination
        self._answer: Callable[[Request], Answer] = answers.found
        self._server = ScriptedServer(lambda request: self._answer(request))
        self.url = self._server.url

    def close(self) -> None:
        """End the client and the server."""
        self._theirs.close()
        self._server.close()

    def both(self, call: Call, api_version: int) -> tuple[Outcome, Outcome]:
        """Return what ours does, and what theirs does."""
        connection = {"url": self.url, "api_version": api_version}
        return self.connecting(call, connection, connection, keep=True)

    def names(self, node: Node, api_version: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the public names of ours, and those of theirs."""
        connection = {"url": self.url, "api_version": api_version, "keep": True}
        question = {"do": "names", "connection": connection, "node": self._steps(node)}
        return driver.answer(question)["result"], self._theirs(question)["result"]

    def connecting(
        self, call: Call, ours: dict[str, Any], theirs: dict[str, Any], keep: bool = False
    ) -> tuple[Outcome, Outcome]:
        """Return what each does that has been made with `ours` or `theirs`."""
        return (
            self.observe(driver.answer, self._question(call, ours, keep), call),
            self.observe(self._theirs, self._question(call, theirs, keep), call),
        )

    def observe(self, drive: Drive, question: dict[str, Any], call: Call) -> Outcome:
        """Return what one of them does."""
        shutil.rmtree(self._destination)
        self._destination.mkdir()
        self._answer = call.answer
        if call.there is not None:
            content = (self._artefacts / call.there).read_bytes()
            self._answer = answers.has(hashlib.sha256(content).hexdigest())
        self._server.requests.clear()
        answer = drive(question)
        if call.unordered and "result" in answer:
            answer["result"].sort()
        files = {path.name: path.read_bytes() for path in self._destination.iterdir()}
        return Outcome(list(self._server.requests), answer, files)

    def _question(self, call: Call, connection: dict[str, Any], keep: bool) -> dict[str, Any]:
        return {
            "connection": {**connection, "keep": keep},
            "node": self._steps(call.node),
            "method": call.method,
            "args": [self._given(argument) for argument in call.args],
            "kwargs": call.kwargs,
        }

    def _steps(self, node: Node) -> list[list[Any]]:
        return [[self._given(word) for word in step] for step in node]

    def _given(self, value: Any) -> Any:
        """Put in the places of the files and of the destination, and the ways to nodes."""
        if isinstance(value, Node):
            return {"node": self._steps(value)}
        if isinstance(value, File):
            return str(self._artefacts / value)
        if isinstance(value, str):
            return str(value).replace(DESTINATION, str(self._destination))
        return [self._given(item) for item in value] if isinstance(value, list) else value


# --- the comparison -------------------------------------------------------------------------------


def differences(ours: Outcome, theirs: Outcome) -> dict[str, str]:
    """Return in what they differ, and how.

    ``refused``: ours raises before it sends anything, where theirs sends, or does not raise.
    ``advice``: after a refusal ours asks for what may have been meant.
    ``requests``: others in number or method. ``root`` (of the API), ``url`` (the rest of it, so
    that no more is compared), ``credentials``, ``body``: of a request. ``files``: those written.
    ``result``, ``error``.
    """
    found: dict[str, str] = {}

    def compare(what: str, our: Any, their: Any) -> None:
        if our != their:
            found.setdefault(what, f"ours   {our!r}\n    theirs {their!r}")

    theirs_went_on = theirs.requests or "error" not in theirs.answer
    if "error" in ours.answer and not ours.requests and theirs_went_on:
        compare("refused", ours.answer, [_sent(theirs.requests), theirs.answer])
        return found
    sent = ours.requests
    if "error" in ours.answer and ours.answer["error"]["status"] == 404:
        sent = sent[: len(theirs.requests)]
        if any(request.method != "GET" for request in ours.requests[len(sent) :]):
            sent = ours.requests
        elif sent != ours.requests:
            compare("advice", _sent(ours.requests[len(sent) :]), [])
    if [request.method for request in sent] != [request.method for request in theirs.requests]:
        compare("requests", _sent(sent), _sent(theirs.requests))
    else:
        for our, their in zip(sent, theirs.requests, strict=True):
            our_root, our_target = _split(our.target)
            their_root, their_target = _split(their.target)
            compare("root", our_root, their_root)
            compare("url", _decoded(our_target), _decoded(their_target))
            if re.fullmatch(r"[\w.~/?&=-]*", their_target, re.ASCII):
                compare("url", our_target, their_target)  # nothing in it needs to be quoted
            if "url" in found:
                return found  # what follows is about something else
            ours_is, theirs_is = (request.headers.get("authorization") for request in (our, their))
            compare("credentials", ours_is, theirs_is)
            compare("body", _body(our), _body(their))
    compare("files", ours.files, theirs.files)
    if "error" in ours.answer or "error" in theirs.answer:
        compare("error", _error(ours.answer, theirs.answer), _error(theirs.answer, theirs.answer))
    else:
        compare("result", ours.answer, theirs.answer)
    return found


def _sent(requests: list[Request]) -> list[str]:
    return [f"{request.method} {request.target}" for request in requests]


def _split(target: str) -> tuple[str, str]:
    """Split the root of the API off."""
    *root, rest = target.partition("/json/")
    return "".join(root), rest


def _decoded(target: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The parts of the path, and the query in any order."""
    url = urlsplit(target)
    path = [unquote(segment) for segment in url.path.split("/")]
    return path, sorted(parse_qsl(url.query, keep_blank_values=True))


def _error(answer: dict[str, Any], theirs: dict[str, Any]) -> object:
    """What of an error must be alike: an HTTP status, or else the class that is caught."""
    if "error" not in answer:
        return answer
    error = answer["error"]
    if error["status"] is not None:
        return error["status"]
    if error["kind"] == "NotImplementedError":
        return error["message"]
    expected = theirs.get("error", {}).get("kind")
    return expected if expected in error["kinds"] else error["kind"]


def _body(request: Request) -> object:
    content_type = Message()
    content_type["content-type"] = request.headers.get("content-type", "")
    if content_type.get_content_type() == "multipart/form-data" and request.body:
        boundary = cast(str, content_type.get_param("boundary")).encode()
        before, *parts, after = request.body.split(b"--" + boundary)
        return [before, *map(_part, parts), after.strip()]
    if not request.body:
        return None
    document = json.loads(request.body)
    if "eggs" in document:  # theirs sends them in no order
        document["eggs"].sort(key=repr)
    return [request.headers.get("content-type"), document]


def _part(part: bytes) -> object:
    head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    content = content.removesuffix(b"\r\n")
    lines = [line.partition(":") for line in head.decode().split("\r\n")]
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    is_json = headers.get("content-type", "").startswith("application/json")
    return headers, json.loads(content) if is_json else content
