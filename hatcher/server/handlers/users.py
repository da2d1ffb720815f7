"""Users of organizations."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from starlette.responses import Response

from hatcher.server import database as db
from hatcher.server.accounts import make_up_password
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer, done
from hatcher.server.names import usable_email
from hatcher.server.people import (
    ensure_row,
    find_member,
    find_team,
    find_user,
    keep_an_administrator,
    teams_of,
)
from hatcher.server.refusals import conflict


@operation("create_user")
def create_user(call: Call) -> Response:
    """Add a user to an organization and to teams; a new one gets a password, shown this once."""
    email = usable_email(call.document["email"])
    password = make_up_password()
    password_hash = call.brood.accounts.hash(password)
    answered = {"email": email, "teams": call.document.get("teams", [])}
    with call.brood.database.write() as connection:
        organization = call.organization(connection)
        teams = [find_team(connection, organization, name) for name in answered["teams"]]
        user = find_user(connection, email)
        if user is None:
            user_id = connection.execute(
                insert(db.users)
                .values(**db.user(email), password=password_hash)
                .returning(db.users.c.id)
            ).scalar_one()
            answered["one_time_password"] = password
        else:
            user_id = user.id
            known = select(db.members.c.id).filter_by(organization_id=organization.id)
            if connection.execute(known.filter_by(user_id=user_id)).first() is not None:
                raise conflict(
                    f"'{email}' is a user of the organization '{organization.name}' already. "
                    "Add them to teams, or delete them first."
                )
        ensure_row(connection, db.members, organization_id=organization.id, user_id=user_id)
        for team in teams:
            ensure_row(connection, db.team_members, team_id=team.id, user_id=user_id)
    return answer(answered, 201)


@operation("get_user")
def get_user(call: Call) -> Response:
    """Tell of a user."""
    with call.brood.database.read() as connection:
        organization = call.organization(connection)
        user = find_member(connection, organization, call.path["email"])
        teams = teams_of(connection, organization, user.id)
    told = {"email": user.email, "organization": organization.name, "teams": teams}
    return answer({**told, "created": user.created})


@operation("delete_user")
def delete_user(call: Call) -> Response:
    """Take a user out of an organization; out of their last one, the account ends."""
    with call.brood.database.write() as connection:
        organization = call.organization(connection)
        user = find_member(connection, organization, call.path["email"])
        here = {"organization_id": organization.id}
        connection.execute(delete(db.members).filter_by(user_id=user.id, **here))
        teams = db.team_members.c.team_id.in_(select(db.teams.c.id).filter_by(**here))
        connection.execute(delete(db.team_members).filter_by(user_id=user.id).where(teams))
        elsewhere = connection.execute(select(db.members.c.id).filter_by(user_id=user.id)).first()
        keep_an_administrator(connection, organization, call.account)
        # No organization can end the account of somebody who rules the server.
        may_end = call.account.server_administrator or not user.server_administrator
        if elsewhere is None and may_end:
            connection.execute(delete(db.users).filter_by(id=user.id))
            rulers = select(db.users.c.id).filter_by(server_administrator=True)
            if connection.execute(rulers).first() is None:
                raise conflict(
                    f"'{user.email}' is the last server administrator, whose account cannot end. "
                    "Start the server with another --admin first."
                )
    return done()
