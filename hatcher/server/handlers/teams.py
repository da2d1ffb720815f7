"""Teams, their repositories and their members."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from hatcher.server import database as db
from hatcher.server.access import GROUPS, Organization
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer, created, done
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
        teams = connection.execute(
            select(db.teams.c.name, db.teams.c.group)
            .filter_by(organization_id=call.organization(connection).id)
            .order_by(db.teams.c.name)
        )
        return answer({"teams": [dict(team) for team in teams.mappings()]})


@operation("create_team")
def create_team(call: Call) -> Response:
    """Make a team, with the access that its members are to have."""
    name = usable_name("a team", call.document["name"])
    group = call.document["group"]
    if group not in GROUPS:
        raise bad_request(f"'{group}' is no group. Choose one of: {', '.join(GROUPS)}.")
    with call.brood.database.write() as connection:
        organization = call.organization(connection)
        try:
            connection.execute(
                insert(db.teams).values(organization_id=organization.id, name=name, group=group)
            )
        except IntegrityError as error:
            raise conflict(f"{organization.name} has a team '{name}' already.") from error
    return created({"name": name, "group": group})


@operation("get_team")
def get_team(call: Call) -> Response:
    """Tell of a team."""
    with call.brood.database.read() as connection:
        organization, team = _team(call, connection)
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
    with call.brood.database.write() as connection:
        organization, team = _team(call, connection)
        members = len(members_of(connection, team))
        repositories = len(repositories_of(connection, team))
        if (members or repositories) and not call.query["force"]:
            raise conflict(
                f"The team '{team.name}' is not empty: {members} member(s) would lose their "
                f"access to {repositories} repository(s). Remove them first, or delete the team "
                "all the same with force=True."
            )
        connection.execute(delete(db.teams).where(db.teams.c.id == team.id))
        keep_an_administrator(connection, organization, call.account)
    return done()


@operation("list_team_repositories")
def list_team_repositories(call: Call) -> Response:
    """List the repositories that a team has access to."""
    with call.brood.database.read() as connection:
        _, team = _team(call, connection)
        return answer({"repositories": repositories_of(connection, team)})


@operation("get_team_repository")
def get_team_repository(call: Call) -> Response:
    """Say whether a team has access to a repository."""
    with call.brood.database.read() as connection:
        _, team = _team(call, connection)
        if call.path["repository"] not in repositories_of(connection, team):
            raise _no_access(call, team)
    return done()


@operation("add_team_repository")
def add_team_repository(call: Call) -> Response:
    """Give a team access to a repository."""
    with call.brood.database.write() as connection:
        organization, team = _team(call, connection)
        repository = connection.scalar(
            select(db.repositories.c.id).filter_by(
                organization_id=organization.id, name=call.path["repository"]
            )
        )
        if repository is None:
            raise not_found(
                f"There is no repository '{organization.name}/{call.path['repository']}'."
            )
        ensure_row(connection, db.team_repositories, team_id=team.id, repository_id=repository)
    return done()


@operation("remove_team_repository")
def remove_team_repository(call: Call) -> Response:
    """Take a team's access to a repository away."""
    with call.brood.database.write() as connection:
        organization, team = _team(call, connection)
        repository = select(db.repositories.c.id).filter_by(
            organization_id=organization.id, name=call.path["repository"]
        )
        removed = connection.execute(
            delete(db.team_repositories).where(
                db.team_repositories.c.team_id == team.id,
                db.team_repositories.c.repository_id.in_(repository),
            )
        )
        if not removed.rowcount:
            raise _no_access(call, team)
    return done()


@operation("list_team_members")
def list_team_members(call: Call) -> Response:
    """List the members of a team."""
    with call.brood.database.read() as connection:
        _, team = _team(call, connection)
        return answer({"members": members_of(connection, team)})


@operation("get_team_member")
def get_team_member(call: Call) -> Response:
    """Say whether a user is a member of a team."""
    with call.brood.database.read() as connection:
        _, team = _team(call, connection)
        members = members_of(connection, team)
    if call.path["email"].lower() not in {email.lower() for email in members}:
        raise _no_member(call, team)
    return done()


@operation("add_team_member")
def add_team_member(call: Call) -> Response:
    """Make a user of the organization a member of a team."""
    with call.brood.database.write() as connection:
        organization, team = _team(call, connection)
        user = find_member(
            connection, organization, call.path["email"], "Create the user in it first."
        )
        ensure_row(connection, db.team_members, team_id=team.id, user_id=user.id)
    return done()


@operation("remove_team_member")
def remove_team_member(call: Call) -> Response:
    """Take a user out of a team."""
    with call.brood.database.write() as connection:
        organization, team = _team(call, connection)
        user = find_member(connection, organization, call.path["email"])
        removed = connection.execute(
            delete(db.team_members).filter_by(team_id=team.id, user_id=user.id)
        )
        if not removed.rowcount:
            raise _no_member(call, team)
        keep_an_administrator(connection, organization, call.account)
    return done()


def _team(call: Call, connection: Connection) -> tuple[Organization, Row[Any]]:
    organization = call.organization(connection)
    return organization, find_team(connection, organization, call.path["team"])


def _no_access(call: Call, team: Row[Any]) -> Refusal:
    return not_found(f"The team '{team.name}' has no access to '{call.path['repository']}'.")


def _no_member(call: Call, team: Row[Any]) -> Refusal:
    return not_found(f"'{call.path['email']}' is no member of the team '{team.name}'.")
