"""Every operation and every fault, as retries.toml says: real client, real server, real faults."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from attrs import define, evolve, frozen

from brood_api.operations import OPERATIONS
from hatcher import errors
from hatcher.api import BroodClient, BroodClientAuth, RetryPolicy, Timeouts
from hatcher.testing import Answer, BroodServer, FaultyGateway, Passage, RequestFault

from ..described import by_version
from .acts import ACTS, Scene
from .table import FAULTS, SENT, TABLE, group_of

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


#: What a gateway has to do; the names of others are statuses.
STRIKES = {
    "reset before the request": lambda: RequestFault("reset", at="request"),
    "reset in the request": lambda: RequestFault("reset", at="request body"),
    "reset after the request": lambda: RequestFault("reset", at="answer"),
    "reset in the answer": lambda: RequestFault("reset", at="answer body"),
    "reset after an answer": lambda: RequestFault("reset", at="end"),
    "read timeout": lambda: RequestFault("stall", at="answer"),
    "429 in seconds": lambda: instead(429, {"Retry-After": "1"}),
    "429 by date": lambda: instead(429, {"Retry-After": soon()}),
    "truncated": lambda: RequestFault("cut", at="answer body"),
    "corrupted": lambda: RequestFault("flip"),
    "wrong Content-Range": lambda: RequestFault("range"),
}


def fault(name: str) -> RequestFault | None:
    """Return what a gateway has to do; None for what happens without a request."""
    if name == "connect refused":
        return None
    if name in STRIKES:
        return STRIKES[name]()
    status, _, after = name.partition(" ")
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
            except errors.HatcherException as error:
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
            if record.thread == threading.get_ident() and "Trying again" in record.msg:
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


SUCCESSES = ("unharmed", "retried", "reconciled")


@frozen
class Row:
    """A line of the table.

    Attributes
    ----------
    outcome : str
        One of `SUCCESSES`, or the name of the error.
    sent, reached, asked : int
        How many requests there are; as in `Seen`.
    """

    outcome: str
    sent: int
    reached: int
    asked: int = 0


def row(operation: str, fault: str) -> Row:
    return Row(*TABLE[group_of(operation)]["faults"][fault])


# The table itself


def test_what_groups_name_is_named_once():
    named = [name for group in TABLE.values() for name in group.get("operations", ())]
    assert len({*named}) == len(named)
    assert {*named} <= OPERATIONS.keys()


@pytest.mark.parametrize("group", TABLE)
def test_every_fault_has_a_line(group):
    assert TABLE[group].keys() <= {"safety", "method", "operations", "faults"}
    assert [*TABLE[group]["faults"]] == [*FAULTS]


def test_every_operation_is_as_safe_as_its_group_says():
    for operation, described in OPERATIONS.items():
        assert described.safety == TABLE[group_of(operation)]["safety"], operation


def test_a_new_operation_needs_no_line(monkeypatch):
    for method, safety, group in (
        ("GET", "safe", "reads"),
        ("POST", "ambiguous", "creates"),
        ("PUT", "idempotent", "changes"),
        ("DELETE", "idempotent", "deletes"),
    ):
        new = OPERATIONS["v1_get_team"]._replace(method=method, safety=safety)
        monkeypatch.setitem(OPERATIONS, "v1_new", new)
        assert group_of("v1_new") == group
    assert group_of("v1_reindex_eggs") == "reindex"


def test_every_outcome_is_a_word_for_a_success_or_an_error():
    for operation in OPERATIONS:
        for fault in FAULTS:
            outcome = row(operation, fault).outcome
            assert outcome in SUCCESSES or issubclass(
                getattr(errors, outcome), errors.HatcherException
            )


def test_what_is_ambiguous_is_never_carried_out_twice():
    for operation, described in OPERATIONS.items():
        for fault in FAULTS:
            line = row(operation, fault)
            if described.safety == "ambiguous":
                assert line.reached <= 1, (operation, fault)
                # Who has not looked sends again only what has certainly had no effect.
                if line.sent > 1 and not line.asked:
                    assert fault.partition(" ")[0] in ("408", "429"), (operation, fault)


# What it says, done


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with BroodServer() as server:
        scene = Scene(server, tmp_path_factory.mktemp("retries"))
        yield scene
        scene.close()


@pytest.fixture(scope="module")
def seen_together() -> dict[tuple[str, str], dict[str, Seen]]:
    """What came of the faults that are done for all operations of a version at a time."""
    return {}


@pytest.mark.parametrize("operation", by_version(SENT))
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.sampled(2)
def test_row(scene, seen_together, operation, fault):
    if fault not in TOGETHER:
        check(operation, fault, strike(scene, operation, fault))
        return
    version = operation[:2]
    if (fault, version) not in seen_together:
        some = [name for name in SENT if name.startswith(version)]
        with ThreadPoolExecutor(TOGETHER[fault]) as threads:
            every = threads.map(lambda one: strike(scene, one, fault), some)
            seen_together[fault, version] = dict(zip(some, every, strict=True))
    check(operation, fault, seen_together[fault, version][operation])


def check(operation: str, fault: str, seen: Seen) -> None:
    expected = row(operation, fault)
    found = Row(seen.outcome, seen.sent, seen.reached, seen.asked)
    assert str(found) == str(expected), f"{operation}, {fault}: {seen.error or seen.result!r}"
    assert seen.refused == (fault == "connect refused")
    if seen.error is None:
        assert ACTS[operation[3:]].shows in repr(seen.result)
    elif OPERATIONS[operation].safety == "ambiguous":
        assert "look before" in str(seen.error)
    if OPERATIONS[operation].safety != "safe":
        assert seen.done == min(seen.reached, 1)
    if fault.startswith("429"):
        assert seen.seconds >= 1.0


# What the table has no room for


class HeaderAuth(httpx.Auth):
    """A user's own way of authentication, which is httpx's to carry out."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


@pytest.mark.parametrize(
    "fault", ["connect refused", "reset in the request", "502 after", "truncated", "corrupted"]
)
@pytest.mark.parametrize(
    "operation", ["v1_list_teams", "v1_download_egg", "v1_create_team", "v1_delete_team"]
)
def test_the_same_holds_where_httpx_sends(scene, operation, fault):
    check(operation, fault, strike(scene, operation, fault, HeaderAuth(scene.token)))


def test_a_failed_exchange_of_credentials_has_created_nothing(scene):
    """What is ambiguous is sent when there is a token, however often that was asked for."""
    with FaultyGateway(
        scene.url,
        RequestFault("reset", at="answer", path=EXCHANGE),
        RequestFault("cut", at="request", path=EXCHANGE),
        RequestFault("replace", at="answer", path=EXCHANGE, answer=instead(502).answer),
    ) as gateway:
        auth = BroodClientAuth(gateway.url, scene.token)
        with scene.client(gateway.url, auth, 1, AT_ONCE) as client:
            name = scene.fresh()
            client.create_organization(name, "-")
        assert gateway.sent("POST", EXCHANGE) == 4
        assert gateway.sent("POST", "*/admin/organizations") == 1
    assert name in scene.brood[1].list_organizations()


@pytest.mark.parametrize("status", [408, 429])
def test_a_delete_that_was_turned_away_finds_nothing(scene, status):
    """A 404 is a success only where an earlier try may have been carried out."""
    with FaultyGateway(
        scene.url,
        RequestFault("replace", at="request", method="DELETE", answer=instead(status).answer),
    ) as gateway:
        with (
            scene.client(gateway.url, scene.auth, 1, AT_ONCE) as client,
            pytest.raises(errors.NotFoundError),
        ):
            client.delete_api_token("never-there")
        assert gateway.reached("DELETE") == 1


def test_faults_that_do_not_pass_are_given_up(scene):
    fault = RequestFault("reset", at="answer", times=100)
    with FaultyGateway(scene.url, fault) as gateway:
        with (
            scene.client(gateway.url, scene.auth, 1, AT_ONCE) as client,
            pytest.raises(errors.BroodConnectionError),
        ):
            client.list_platforms()
        assert gateway.reached() == 1 + AT_ONCE.retries
