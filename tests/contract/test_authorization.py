"""Who may do what: every operation, for every level of access, in three places.

What is expected follows from the description alone: from `x-access`, and from the rules that stand
there under Access.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from hatcher.server.access import GROUPS, Access
from hatcher.testing import BroodServer

from ..described import by_version
from .world import (
    BESIDE,
    DESCRIPTION,
    ELSEWHERE,
    LEVELS,
    LISTED,
    OPEN,
    OPERATIONS,
    OWN,
    PLACES,
    UNKNOWN,
    Place,
    World,
    parameters,
)

#: The access that each operation declares, as it stands in the description.
DECLARED = {
    operation["operationId"]: Access[operation["x-access"]]
    for item in DESCRIPTION.document["paths"].values()
    for method, operation in item.items()
    if method != "parameters"
}

#: Names that nothing has.
ABSENT = {
    "organization": "nowhere",
    "repository": "absent",
    "team": "nobodies",
    "email": "nobody@absent.example",
    "name": "Nothing",
    "app_id": "no.app",
    "version": "9.9.9-9",
    "implementation": "pypy",
    "filename": "Nothing-9.9.9-9.egg",
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with BroodServer() as server:
        administrator = (server.admin_email, server.admin_password)
        world = World(server.url, server.data, administrator)
        yield world
        world.close()


def expected(operation_id: str, level: str, place: Place) -> int:
    """Return the status that the description's rules give; 200 stands for any success."""
    path, needed = OPERATIONS[operation_id].path, DECLARED[operation_id]
    if level in UNKNOWN or (level == "anonymous" and not is_open(operation_id)):
        return 401
    if level == "server_administrator":
        return 200
    if "{organization}" not in path:
        return 200 if needed <= Access.authenticated else 403
    if place.public and "{repository}" in path and needed < Access.organization_administrator:
        return 200 if Access[place.public] >= needed else 403
    if place.organization != OWN.organization:
        return 404
    if level == "organization_administrator":
        return 200 if needed <= Access.organization_administrator else 403
    if "{repository}" in path and needed < Access.organization_administrator:
        if place is not OWN or level not in GROUPS:
            return 404
        return 200 if Access[level] >= needed else 403
    return 200 if needed == Access.authenticated else 403


def is_open(operation_id: str) -> bool:
    """Say whether an operation may be called without credentials: it reads what can be public."""
    level = DECLARED[operation_id]
    return level != Access.authenticated and level <= Access.read_repository


def test_what_is_open_says_so():
    for operation_id, operation in OPERATIONS.items():
        assert operation.is_open is is_open(operation_id), operation_id


def test_the_rules_give_what_they_are_to_give():
    """Some of the table, written out."""
    for operation_id, level, place, status in (
        ("v1_list_platforms", "anonymous", OWN, 200),
        ("v1_list_organizations", "anonymous", OWN, 401),
        ("v1_get_egg_index", "anonymous", OWN, 404),
        ("v1_get_egg_index", "anonymous", LISTED, 200),
        ("v1_download_egg", "anonymous", LISTED, 403),
        ("v1_download_egg", "anonymous", OPEN, 200),
        ("v1_upload_egg", "anonymous", OPEN, 401),
        ("v1_upload_egg", "organization_administrator", OPEN, 403),
        ("v1_list_repositories", "organization_administrator", OPEN, 404),
        ("v1_get_egg_index", "wrong_token", OPEN, 401),
        ("v1_get_egg_index", "authenticated", OWN, 404),
        ("v1_get_egg_index", "upload_repository", BESIDE, 404),
        ("v1_get_egg_index", "organization_administrator", BESIDE, 200),
        ("v1_get_egg_index", "organization_administrator", ELSEWHERE, 404),
        ("v1_download_egg", "read_index", OWN, 403),
        ("v1_download_egg", "read_repository", OWN, 200),
        ("v1_delete_repository", "upload_repository", OWN, 403),
        ("v1_delete_repository", "organization_administrator", BESIDE, 200),
        ("v1_list_repositories", "authenticated", OWN, 200),
        ("v1_create_organization", "organization_administrator", OWN, 403),
        ("v1_create_organization", "server_administrator", OWN, 200),
    ):
        assert expected(operation_id, level, place) == status, (operation_id, level, place)


@pytest.mark.parametrize("operation_id", by_version(sorted(DECLARED)))
def test_who_may_call_it(world, operation_id):
    before = world.snapshot()
    cases = [
        (level, place)
        for place in (PLACES if "{organization}" in OPERATIONS[operation_id].path else (OWN,))
        for level in LEVELS
    ]
    refused = [case for case in cases if expected(operation_id, *case) >= 400]
    for level, place in refused:
        answer = call(world, level, operation_id, place)
        assert answer.status_code == expected(operation_id, level, place), told(answer, level)
        says_nothing(answer, level, place)
        assert answer.text == call_absent(world, level, operation_id, place, answer), level
    assert world.snapshot() == before, "a call that was refused has changed something"

    for level, place in cases:
        if (level, place) in refused:
            continue
        if operation_id.endswith("_delete_api_token"):
            call(world, level, "v1_create_api_token", place, json={"name": "spare"})
        answer = call(world, level, operation_id, place)
        assert answer.is_success, told(answer, level)
        says_nothing(answer, level, place)
        if OPERATIONS[operation_id].method == "DELETE":
            world.restore(operation_id, place)


def call(
    world: World, level: str, operation_id: str, place: Place, **options: object
) -> httpx.Response:
    method, url, body = world.request(operation_id, place)
    if method == "DELETE":
        body["params"] = {"force": "True"}
    return world.people[level].request(method, url, **{**body, **options})


def call_absent(
    world: World, level: str, operation_id: str, place: Place, answer: httpx.Response
) -> str:
    """Ask for what does not exist; return the answer, in the words for what was asked before.

    Where the organization or the repository is hidden, that one is replaced by one that does not
    exist; where only the act is refused, it is what the path names within.
    """
    given = parameters(operation_id, place)
    if answer.status_code == 404:
        elsewhere = place.organization != OWN.organization
        changed = {"organization" if elsewhere else "repository"}
    else:
        changed = ABSENT.keys() - {"organization", "repository"}
    absent = {name: ABSENT[name] for name in changed}
    method, url, body = world.request(operation_id, place, **absent)
    other = world.people[level].request(method, url, **body)
    assert other.status_code == answer.status_code, (level, other.text)
    text = other.text
    for name in changed & {"organization", "repository"}:
        text = text.replace(ABSENT[name], given[name])
    return text


def says_nothing(answer: httpx.Response, level: str, place: Place) -> None:
    """Fail when an answer holds a name of a place that the account may not see."""
    text = f"{answer.headers} {answer.content.decode('latin-1')}"
    hidden: set[str] = set()
    if level != "server_administrator":
        hidden |= ELSEWHERE.names | {ELSEWHERE.organization, "key of server_administrator"}
        hidden |= {OPEN.team, OPEN.email, LISTED.team, LISTED.email}
        if level != "organization_administrator":
            hidden |= BESIDE.names | {OWN.team, OWN.email}
            if level not in GROUPS:
                hidden |= OWN.names
    # What the caller has said is no secret.
    asked = f"{answer.request.url.path} {answer.request.read().decode('latin-1')}"
    for name in hidden:
        if name not in asked:
            assert name.lower() not in text.lower(), told(answer, level)


def told(answer: httpx.Response, level: str) -> str:
    return f"{level}: {answer.request.method} {answer.request.url}: {answer} {answer.text}"


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_lists_hold_what_one_may_see(world, version):
    everything = [f"{place.organization}/{place.repository}" for place in PLACES]
    public = set(everything[3:])

    def listed(level: str, operation: str, field: str, **query: str) -> set[str]:
        answer = call(world, level, f"{version}_{operation}", OWN, params=query)
        names = [each if isinstance(each, str) else each["name"] for each in answer.json()[field]]
        assert len(set(names)) == len(names)
        return {name for name in names if not name.rpartition("/")[2].startswith("new")}

    for level in LEVELS[len(UNKNOWN) :]:
        ruler = level == "server_administrator"
        organizations = {place.organization for place in PLACES} if ruler else {OWN.organization}
        if ruler:
            seen = set(everything)
        elif level == "organization_administrator":
            seen = {*everything[:2], *public}
        else:
            seen = {*everything[:1], *public} if level in GROUPS else public
        available = listed(
            level,
            "list_available_repositories",
            "repositories",
            **({"include_indexable": "True"} if version == "v0" else {}),
        )
        assert available == seen
        if level == "anonymous":
            continue
        assert listed(level, "list_organizations", "organizations") == organizations
        own = {name.partition("/")[2] for name in seen if name.startswith("acme/")}
        assert listed(level, "list_repositories", "repositories") == own
        assert listed(level, "list_api_tokens", "tokens") == {f"key of {level}"}
