"""What the tests of access share: an organization with people, teams and repositories."""

from __future__ import annotations

from typing import Any

import pytest

from hatcher.api import BroodClient, Organization
from hatcher.testing import BroodServer

ADA, GRACE, ROOT = (f"{name}@example.com" for name in ("ada", "grace", "root"))

#: Teams: access level, members, repositories.
TEAMS: dict[str, tuple[str, list[str], list[str]]] = {
    "builders": ("upload_repository", [ADA, GRACE], ["dev"]),
    "readers": ("read_repository", [GRACE], ["dev", "prod"]),
    "rulers": ("organization_administrator", [ROOT], []),
}


def fill(client: BroodClient, name: str = "acme") -> Organization:
    """Make an organization with all of it."""
    organization = client.create_organization(name, "Makers of everything")
    for repository in ("dev", "prod"):
        organization.create_repository(repository, f"The {repository} one")
    for email in (ADA, GRACE, ROOT):
        organization.create_user(email)
    for team, (group, members, repositories) in TEAMS.items():
        made = organization.create_team(team, group)
        for email in members:
            made.add_user(email)
        for repository in repositories:
            made.add_repository(repository)
    return organization


def teams_of(organization: Organization) -> dict[str, tuple[str, list[str], list[str]]]:
    """What `TEAMS` says, as the server has it."""
    nodes = {team["name"]: organization.team(team["name"]) for team in organization.list_teams()}
    return {
        name: (team.metadata()["group"], team.list_users(), team.list_repositories())
        for name, team in nodes.items()
    }


def wanted(**teams: Any) -> dict[str, Any]:
    """The document of `TEAMS`, with other teams in it; None is one that it does not have."""
    every = {
        name: {"group": group, "members": members, "repositories": repositories}
        for name, (group, members, repositories) in TEAMS.items()
    }
    every |= teams
    named = {name: team for name, team in every.items() if team is not None}
    return {"organizations": {"acme": {"repositories": {"dev": {}, "prod": {}}, "teams": named}}}


@pytest.fixture
def client(brood_server: BroodServer) -> BroodClient:
    return brood_server.client()


@pytest.fixture
def acme(client: BroodClient) -> Organization:
    return fill(client)
