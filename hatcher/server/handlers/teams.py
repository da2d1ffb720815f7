"""Teams, their repositories and their members."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select
from starlette.responses import Response

from hatcher.server import database as db
from hatcher.server.access import GROUPS, Organization
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer, done
from hatcher.server.names import usable_name
from hatcher.server.people import (
    ensure_row,
    find_member,
    find_team,
    keep_an_administrator,
    members_of,
    repositories_of,
)
from hatcher.server.refusals import Refusal, bad_request, conflict, not_found


@operation("list_teams")
def list_teams(call: Call) -> Response:
    """List the teams of an organization."""
    with call.brood.database.read() as connection:
        organization = call.organization(connection)
        teams = select(db.teams.c.name, db.teams.c.group).order_by(db.teams.c.name)
        found = connection.execute(teams.filter_by(organization_id=organization.id))
        return answer({"teams": [dict(team) for team in found.mappings()]})


@operation("create_team")
def create_team(call: Call) -> Response:
    """Make a team, with the access that its members are to have."""
    name = usable_name("a team", call.document["name"])
    group = call.document["group"]
    if group not in GROUPS:
        raise bad_request(f"'{group}' is no group. Choose one of: {', '.join(GROUPS)}.")
    with call.brood.database.write() as connection:
        organization = call.organization(connection)
        team = insert(db.teams).values(organization_id=organization.id, name=name, group=group)
        with db.unique(f"{organization.name} has a team '{name}' already."):
            connection.execute(team)
    return answer({"name": name, "group": group}, 201)


@operation("get_team")
def get_team(call: Call) -> Response:
    """Tell of a team."""
    with _team(call) as (connection, organization, team):
        return answer(
            {
                "name": team.name,
                "group": team.group,
                "organization": organization.name,
                "members": members_of(connection, team),
                "repositories": repositories_of(connection, team),
            }
        )


@operation("delete_team")
def delete_team(call: Call) -> Response:
    """Delete a team; with members or repositories only by force."""
    with _team(call, write=True) as (connection, organization, team):
        members = len(members_of(connection, team))
        repositories = len(repositories_of(connection, team))
        if (members or repositories) and not call.query["force"]:
            raise conflict(
                f"The team '{team.name}' is not empty: {members} member(s) would lose their "
                f"access to {repositories} repository(s). Remove them first, or delete the team "
                "all the same with force=True."
            )
        connection.execute(delete(db.teams).filter_by(id=team.id))
        keep_an_administrator(connection, organization, call.account)
    return done()


@operation("list_team_repositories")
def list_team_repositories(call: Call) -> Response:
    """List the repositories that a team has access to."""
    with _team(call) as (connection, _, team):
        return answer({"repositories": repositories_of(connection, team)})


@operation("get_team_repository")
def get_team_repository(call: Call) -> Response:
    """Say whether a team has access to a repository."""
    with _team(call) as (connection, _, team):
        if call.path["repository"] not in repositories_of(connection, team):
            raise _no_access(call, team)
    return done()


@operation("add_team_repository")
def add_team_repository(call: Call) -> Response:
    """Give a team access to a repository."""
    with _team(call, write=True) as (connection, organization, team):
        repository = _repository_id(call, connection, organization)
        if repository is None:
            raise not_found(
                f"There is no repository '{organization.name}/{call.path['repository']}'."
            )
        ensure_row(connection, db.team_repositories, team_id=team.id, repository_id=repository)
    return done()


@operation("remove_team_repository")
def remove_team_repository(call: Call) -> Response:
    """Take a team's access to a repository away."""
    with _team(call, write=True) as (connection, organization, team):
        repository = _repository_id(call, connection, organization)
        access = delete(db.team_repositories).filter_by(team_id=team.id, repository_id=repository)
        if not connection.execute(access).rowcount:
            raise _no_access(call, team)
    return done()


@operation("list_team_members")
def list_team_members(call: Call) -> Response:
    """List the members of a team."""
    with _team(call) as (connection, _, team):
        return answer({"members": members_of(connection, team)})


@operation("get_team_member")
def get_team_member(call: Call) -> Response:
    """Say whether a user is a member of a team."""
    with _team(call) as (connection, _, team):
        members = {email.lower() for email in members_of(connection, team)}
        if call.path["email"].lower() not in members:
            raise _no_member(call, team)
    return done()


@operation("add_team_member")
def add_team_member(call: Call) -> Response:
    """Make a user of the organization a member of a team."""
    with _team(call, write=True) as (connection, organization, team):
        advice = "Create the user in it first."
        user = find_member(connection, organization, call.path["email"], advice)
        ensure_row(connection, db.team_members, team_id=team.id, user_id=user.id)
    return done()


@operation("remove_team_member")
def remove_team_member(call: Call) -> Response:
    """Take a user out of a team."""
    with _team(call, write=True) as (connection, organization, team):
        user = find_member(connection, organization, call.path["email"])
        membership = delete(db.team_members).filter_by(team_id=team.id, user_id=user.id)
        if not connection.execute(membership).rowcount:
            raise _no_member(call, team)
        keep_an_administrator(connection, organization, call.account)
    return done()


@contextmanager
def _team(
    call: Call, *, write: bool = False
) -> Iterator[tuple[Connection, Organization, Row[Any]]]:
    """Give a connection, and the organization and the team of the path."""
    database = call.brood.database
    with database.write() if write else database.read() as connection:
        organization = call.organization(connection)
        yield connection, organization, find_team(connection, organization, call.path["team"])


def _repository_id(call: Call, connection: Connection, organization: Organization) -> int | None:
    named = {"organization_id": organization.id, "name": call.path["repository"]}
    return connection.scalar(select(db.repositories.c.id).filter_by(**named))


def _no_access(call: Call, team: Row[Any]) -> Refusal:
    return not_found(f"The team '{team.name}' has no access to '{call.path['repository']}'.")


def _no_member(call: Call, team: Row[Any]) -> Refusal:
    return not_found(f"'{call.path['email']}' is no member of the team '{team.name}'.")
