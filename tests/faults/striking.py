"""Faults by their names in the table of retries, and what comes of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from attrs import define, evolve

from brood_api.operations import OPERATIONS
from hatcher.api import BroodClient, BroodClientAuth, RetryPolicy, Timeouts
from hatcher.errors import HatcherException
from hatcher.testing import Answer, FaultyGateway, Passage, RequestFault

from .acts import ACTS, Scene

#: Nobody waits between two tries, unless the server asks for it.
AT_ONCE = RetryPolicy(3, backoff=0)

#: Seconds without an answer that are too many, in the rows about that.
SILENCE = 6.0

#: Where credentials are exchanged first.
EXCHANGE = "/api/v1/json/auth/tokens/auth"

HTML = {"Content-Type": "text/html"}


def says(status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, {**HTML, **(headers or {})}, b"<title>Not now</title>")


def instead(status: int, headers: dict[str, str] | None = None) -> RequestFault:
    """An answer instead of the request's being passed on."""
    return RequestFault("replace", at="request", answer=says(status, headers))


def afterwards(status: int) -> RequestFault:
    """An answer instead of the server's, which has carried the request out."""
    return RequestFault("replace", at="answer", answer=says(status))


def soon() -> str:
    """A date of which more than a second away is left when it is read."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)


def fault(name: str) -> RequestFault | None:
    """Return what a gateway has to do; None for what happens without a request."""
    status, _, after = name.partition(" ")
    match name:
        case "connect refused":
            return None
        case "reset before the request":
            return RequestFault("reset", at="request")
        case "reset in the request":
            return RequestFault("reset", at="request body")
        case "reset after the request":
            return RequestFault("reset", at="answer")
        case "reset in the answer":
            return RequestFault("reset", at="answer body")
        case "reset after an answer":
            return RequestFault("reset", at="end")
        case "read timeout":
            return RequestFault("stall", at="answer")
        case "429 in seconds":
            return instead(429, {"Retry-After": "1"})
        case "429 by date":
            return instead(429, {"Retry-After": soon()})
        case "truncated":
            return RequestFault("cut", at="answer body")
        case "corrupted":
            return RequestFault("flip")
        case "wrong Content-Range":
            return RequestFault("range")
    return afterwards(int(status)) if after else instead(int(status))


#: What takes a second or more is done for all operations at a time, by so many threads: those
#: that wait for an answer must not wait for each other.
TOGETHER = {"read timeout": 30, "429 in seconds": len(OPERATIONS), "429 by date": len(OPERATIONS)}


@define
class Seen:
    """What came of one operation and one fault.

    Attributes
    ----------
    result : object
        What the call returned.
    error : Exception or None
        What it raised.
    sent : int
        How often the operation's request came to the gateway.
    reached : int
        How often all of it has reached the server.
    asked : int
        How many other requests came.
    refused : int
        How many connections were refused.
    done : int or None
        How often the server has carried it out; None for what changes nothing.
    seconds : float
        How long the call took.
    last : Passage or None
        The last of the operation's requests.
    """

    result: Any = None
    error: Exception | None = None
    sent: int = 0
    reached: int = 0
    asked: int = 0
    refused: int = 0
    done: int | None = None
    seconds: float = 0.0
    last: Passage | None = None

    @property
    def outcome(self) -> str:
        """The same in a word, as the table has it."""
        if self.error is not None:
            return type(self.error).__name__
        status = None if self.last is None else self.last.status
        if status is None or not 200 <= status < 300:
            return "reconciled"
        return "retried" if self.sent + self.refused > 1 else "unharmed"


def strike(scene: Scene, operation: str, name: str, auth: Any = None) -> Seen:
    """Do what has the operation sent, with that fault in its way."""
    version, act = int(operation[1]), ACTS[operation[3:]]
    own = scene.fresh()
    act.prepare(scene, own)
    with FaultyGateway(scene.url) as gateway:
        client, kept = connect(scene, gateway, operation, name, auth or scene.auth)
        seen = Seen()
        start = time.monotonic()
        with client, refusing(gateway, name) as tries:
            try:
                seen.result = act.call(client, scene, own)
            except HatcherException as error:
                seen.error = error
            seen.seconds = time.monotonic() - start
            gateway.settle()
        seen.refused = len(tries)
        came = gateway.requests[kept:]
        mine = [passage for passage in came if is_of(operation, passage)]
        seen.sent = len(mine)
        seen.last = mine[-1] if mine else None
        seen.reached = sum(passage.reached for passage in mine)
        seen.asked = sum(passage not in mine and passage.path != EXCHANGE for passage in came)
    if act.done is not None:
        seen.done = int(act.done(scene, version, own))
    return seen


def connect(
    scene: Scene, gateway: FaultyGateway, operation: str, name: str, auth: Any
) -> tuple[BroodClient, int]:
    """Return a client that is about to meet a fault, and how many requests it has sent before."""
    version = int(operation[1])
    exchanges = operation.endswith("create_session_token")
    if exchanges:
        auth = BroodClientAuth(gateway.url, scene.token)
    read = SILENCE if name == "read timeout" else 60.0
    client = scene.client(gateway.url, auth, version, AT_ONCE, timeout=Timeouts(read=read))
    if operation == "v0_create_session_token":
        # Who does not know version 1 is asked at version 0.
        gateway.add(evolve(instead(404), path=EXCHANGE, times=100))
    happens = fault(name)
    if happens is None:
        return client, 0
    if happens.at == "end":
        # The request that is meant finds a connection that was kept, and has ended since.
        gateway.add(evolve(happens, path="*/metadata/platforms"))
        client.list_platforms()
        gateway.settle()
        if exchanges:
            auth._renew_at = 0.0
        return client, len(gateway.requests)
    about = OPERATIONS[operation]
    happens = evolve(happens, method=about.method, path=about.path)
    if happens.kind == "range" and "_download_" in operation:
        # Parts are asked for after the first answer was cut.
        gateway.add(RequestFault("cut", at="answer body", path=about.path))
    gateway.add(happens)
    return client, 0


def is_of(operation: str, passage: Passage) -> bool:
    about = OPERATIONS[operation]
    meant = RequestFault("reset", method=about.method, path=about.path)
    return meant.means(passage.method, passage.path)


@contextmanager
def refusing(gateway: FaultyGateway, name: str) -> Iterator[list[str]]:
    """Refuse connections until the client says that it tries again; give what it has said."""
    said: list[str] = []
    if name != "connect refused":
        yield said
        return

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == threading.get_ident() and "trying again" in record.msg:
                said.append(record.getMessage())
                gateway.accept_again()

    logger, handler = logging.getLogger("hatcher"), Listening()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    gateway.refuse()
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
