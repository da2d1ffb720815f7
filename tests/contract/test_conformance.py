"""The server against its description, with requests that schemathesis makes up.

Of each operation it tries the boundaries of what is described, and beyond, and some requests at
random, always the same ones. Made-up names lead nowhere; so, where the names in a path are not
what is being tried, those of something that exists take their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings

from ..described import Notes, as_sent
from .test_authorization import is_open
from .world import DESCRIPTION, OPEN, OPERATIONS, OWN, UPLOADS, Place, World, parameters

#: The operations that have refused credentials left out or guessed, where good ones succeed: once
#: is enough, as it is for schemathesis's own runs. Each time takes three requests.
GUARDED: set[str] = set()

SCHEMA = schemathesis.openapi.from_dict(as_sent())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server that lets credentials be guessed: schemathesis does, with each operation."""
    administrator = ("admin@example.com", "the password")
    data = tmp_path_factory.mktemp("conformance")
    options = {"admin": administrator[0], "admin_password": administrator[1]}
    with BackgroundServer(Settings(data, port=0, failed_logins=1_000_000, **options)) as server:
        world = World(server.url, data, administrator)
        yield world
        world.close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Connections that are kept, since there are thousands of requests."""
    with requests.Session() as session:
        yield session


@pytest.fixture
def tried(wire_notes: Notes) -> Iterator[set[str]]:
    """The operations that are tried; each must have been answered with success, too."""
    operations: set[str] = set()
    yield operations
    assert operations
    assert operations <= wire_notes.operations, "no request has come through"


def made_up(random: int) -> settings:
    """Return which requests are made: the boundaries, and some at random, always the same."""
    return settings(
        max_examples=random,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )


@SCHEMA.include(path_regex="^/api/v1/").parametrize()
@made_up(random=4)
def test_v1(case, world, session, tried):
    check(case, world, session, tried)


@pytest.mark.long
@SCHEMA.include(path_regex="^/api/v0/").parametrize()
@made_up(random=1)
def test_v0(case, world, session, tried):
    check(case, world, session, tried)


@SCHEMA.include(path_regex="^/repo/").parametrize()
@made_up(random=4)
def test_without_a_version(case, world, session, tried):
    check(case, world, session, tried)


@SCHEMA.include(operation_id_regex=f"^({'|'.join(filter(is_open, OPERATIONS))})$").parametrize()
@made_up(random=1)
def test_anonymously(case, world, session, tried):
    check(case, world, session, tried, "anonymous", OPEN)


def check(
    case: schemathesis.Case,
    world: World,
    session: requests.Session,
    tried: set[str],
    level: str = "server_administrator",
    place: Place = OWN,
) -> None:
    """Send one request, and hold the answer against the description."""
    operation_id = case.operation.definition.raw["operationId"]
    tried.add(operation_id)
    person = world.people[level]
    sent = person.headers.get("Authorization")
    options: dict[str, Any] = {"headers": {"Authorization": sent} if sent else {}}
    if not case.meta.is_negative_at(ParameterLocation.PATH) and case.path_parameters:
        known = parameters(operation_id, place)
        case.path_parameters = {name: known[name] for name in case.path_parameters}
    sensible = case.meta.generation.mode.is_positive
    if sensible and operation_id in UPLOADS:
        # The content of a file is more than a schema can say.
        options["files"] = world.body(operation_id, OWN)["files"]
    elif sensible and isinstance(case.body, dict):
        # The same names are made up for both versions, which share what they create.
        for name in {"name", "email"} & case.body.keys():
            case.body[name] = f"{operation_id[:2]}.{case.body[name]}"
    if operation_id.endswith("_delete_api_token"):
        person.post("/api/v1/json/auth/tokens/api", json={"name": "spare"})
    # What is said in words it does not know: which platforms there are, what a name may be.
    excluded = [positive_data_acceptance]
    if operation_id in GUARDED:
        excluded.append(ignored_auth)
    answer = case.call_and_validate(
        base_url=world.url, session=session, excluded_checks=excluded, **options
    )
    if 200 <= answer.status_code < 300:
        GUARDED.add(operation_id)
    if sensible and (operation_id in UPLOADS or OPERATIONS[operation_id].check_body is None):
        assert answer.status_code < 400 or answer.status_code in (409, 416), answer.text
    if case.method == "DELETE" and answer.status_code == 204:
        world.restore(operation_id, OWN)


CREATING = "^v1_(create|delete|get|list)_(api_token|organization|repositor|team|user)"


class Chains(SCHEMA.include(operation_id_regex=CREATING).as_state_machine()):
    """Chains of requests along the description's links: what is created is used, and deleted."""

    world: World
    session: requests.Session

    def before_call(self, case: schemathesis.Case) -> None:
        if case.meta.generation.mode.is_positive and isinstance(case.body, dict):
            # Names that are all right, and what exists.
            case.body = self.world.body(case.operation.definition.raw["operationId"], OWN)["json"]

    def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
        person = self.world.people["server_administrator"]
        headers = {"Authorization": person.headers["Authorization"]}
        return {"base_url": self.world.url, "headers": headers, "session": self.session}

    def validate_response(self, response: Any, case: schemathesis.Case, **options: Any) -> None:
        options.pop("additional_checks", None)
        case.validate_response(
            response,
            excluded_checks=[positive_data_acceptance],
            transport_kwargs=options,
            recorder=self.recorder,
        )


def test_chains(world, session, wire_notes):
    machine = type("Chains", (Chains,), {"world": world, "session": session})
    machine.run(settings=settings(made_up(random=12), stateful_step_count=8))
    linked = {link["operationId"] for link in DESCRIPTION.document["components"]["links"].values()}
    # Which ones depends on chance, though always the same.
    followed = linked & wire_notes.operations
    assert len(followed) > len(linked) / 2, followed
