"""Every operation and every fault, as retries.toml says: real client, real server, real faults."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from attrs import frozen

from brood_api.operations import OPERATIONS
from hatcher import errors
from hatcher.api import BroodClientAuth
from hatcher.testing import BroodServer, FaultyGateway, RequestFault

from ..described import by_version
from .acts import ACTS, Scene
from .striking import AT_ONCE, EXCHANGE, TOGETHER, Seen, instead, strike
from .table import FAULTS, SENT, TABLE, group_of

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
