"""Who may do what, as a server tells it."""

from __future__ import annotations

import pytest

from hatcher import access
from hatcher.errors import HatcherException, InvalidArgumentError, NotFoundError

from .conftest import ADA, GRACE, ROOT, fill


def test_who_may_do_what(client, acme):
    rows = [tuple(row.values()) for row in access.read(acme).rows]
    assert rows == [
        (ADA, "acme/dev", "upload_repository", ["builders"]),
        (GRACE, "acme/dev", "upload_repository", ["builders"]),
        (ROOT, "acme/dev", "organization_administrator", ["rulers"]),
        (GRACE, "acme/prod", "read_repository", ["readers"]),
        (ROOT, "acme/prod", "organization_administrator", ["rulers"]),
    ]
    dev = access.read(acme.repository("dev"))
    assert [tuple(row.values()) for row in dev.rows] == rows[:3]
    assert dev.repository == "acme/dev" and dev
    assert dev.document == access.read(acme).document


def test_the_strongest_level_and_all_teams_that_give_it(client, acme):
    acme.create_repository("open", "For all", public="read_repository")
    for name, group in (("more", "upload_repository"), ("less", "read_index")):
        team = acme.create_team(name, group)
        for email in (ADA, GRACE):
            team.add_user(email)
        for repository in ("dev", "open"):
            team.add_repository(repository)
    told = access.read(acme)
    found = {(row["user"], row["repository"]): (row["access"], row["teams"]) for row in told.rows}
    assert found[ADA, "acme/dev"] == ("upload_repository", ["builders", "more"])
    assert found["everybody", "acme/open"] == ("read_repository", [])
    assert [row for row in told.members if row["email"] == GRACE] == [
        {"email": GRACE, "teams": ["builders", "less", "more", "readers"]}
    ]
    assert str(told) == told.summary == "acme: 3 members of teams"


@pytest.mark.parametrize("api_version", [0, 1])
def test_export_and_plan_are_equal(brood_server, tmp_path, api_version):
    client = brood_server.client(api_version=api_version)
    told = access.read(fill(client), fill(client, "umbrella"))
    file = tmp_path / "people.yaml"
    file.write_text(told.yaml())
    plan = access.plan(client, file, prune=True)
    assert not plan and str(plan) == "0 changes"
    described = told.document["organizations"]["acme"]["repositories"]["dev"]
    assert described == ({} if api_version == 0 else {"description": "The dev one"})


def test_places_that_cannot_be_read(client, acme, brood_server):
    with pytest.raises(HatcherException, match="no repository 'acme/dve'"):
        access.read(acme.repository("dve"))
    with pytest.raises(NotFoundError, match="acme"):
        access.read(client.organization("acne"))
    told = access.read(acme, client.organization("acne"))
    assert list(told.document["organizations"]) == ["acme"]
    assert [problem.place for problem in told.problems] == ["acne repositories", "acne teams"]
    platform = acme.repository("dev").platform("rh8-x86_64")
    other = brood_server.client(url=brood_server.url.replace("127.0.0.1", "localhost"))
    for places in (
        (),
        ("acme",),
        (platform,),
        (acme, acme.repository("dev")),
        (acme, other.organization("acme")),
    ):
        with pytest.raises(InvalidArgumentError, match="organizations of one server"):
            access.read(*places)
    assert access.read(acme, acme).rows == access.read(acme).rows


@pytest.mark.long
def test_many_organizations(brood_server):
    client = brood_server.client()
    names = [f"acme{number}" for number in range(3)]
    places = [client.create_organization(name, "-") for name in names]
    for organization in places:
        for number in range(10):
            organization.create_repository(f"r{number}", "-")
            team = organization.create_team(f"t{number}", "upload_repository")
            team.add_repository(f"r{number}")
            team.add_user(organization.create_user(f"u{number}@example.com"))
    told = access.read(*places)
    assert len(told.rows) == 30 and len(told.members) == 10
    assert not access.plan(client, told.document, prune=True)
