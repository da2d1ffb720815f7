"""The people of organizations: who belongs to which, and to which teams."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select

from hatcher.server import database as db
from hatcher.server.access import ADMINISTERED, Account, Organization
from hatcher.server.refusals import conflict, not_found


def find_user(connection: Connection, email: str) -> Row[Any] | None:
    """Return the row of the user with an e-mail address, if there is one."""
    return connection.execute(select(db.users).filter_by(key=email.lower())).first()


def find_member(
    connection: Connection, organization: Organization, email: str, advice: str = ""
) -> Row[Any]:
    """Return the row of a user who belongs to an organization; 404 when nobody does."""
    members = select(db.users).filter_by(key=email.lower()).join(db.members)
    member = connection.execute(members.filter_by(organization_id=organization.id)).first()
    if member is None:
        raise not_found(
            f"'{email}' is no user of the organization '{organization.name}'. {advice}".rstrip()
        )
    return member


def find_team(connection: Connection, organization: Organization, name: str) -> Row[Any]:
    """Return the row of a team; 404 when there is none of this name."""
    teams = select(db.teams).filter_by(organization_id=organization.id, name=name)
    team = connection.execute(teams).first()
    if team is None:
        raise not_found(f"The organization '{organization.name}' has no team '{name}'.")
    return team


def members_of(connection: Connection, team: Row[Any]) -> list[str]:
    """Return the e-mail addresses of a team's members, sorted."""
    emails = select(db.users.c.email).order_by(db.users.c.email)
    return list(connection.scalars(emails.join(db.team_members).filter_by(team_id=team.id)))


def repositories_of(connection: Connection, team: Row[Any]) -> list[str]:
    """Return the names of a team's repositories, sorted."""
    names = select(db.repositories.c.name).order_by(db.repositories.c.name)
    return list(connection.scalars(names.join(db.team_repositories).filter_by(team_id=team.id)))


def teams_of(connection: Connection, organization: Organization, user_id: int) -> list[str]:
    """Return the names of a user's teams in an organization, sorted."""
    names = select(db.teams.c.name).filter_by(organization_id=organization.id)
    names = names.join(db.team_members).filter_by(user_id=user_id)
    return list(connection.scalars(names.order_by(db.teams.c.name)))


def keep_an_administrator(
    connection: Connection, organization: Organization, account: Account
) -> None:
    """Refuse a change after which nobody could administer an organization any more.

    Raises
    ------
    Refusal
        409: nobody is left. Only a server administrator, who can make others, may do that.
    """
    left = ADMINISTERED.where(db.teams.c.organization_id == organization.id)
    if not account.server_administrator and connection.execute(left).first() is None:
        raise conflict(
            f"That would leave '{organization.name}' without an administrator. Make another user "
            "one first, or ask an administrator of the server."
        )


def ensure_row(connection: Connection, table: Table, **values: Any) -> None:
    """Insert a row, unless it is there. Must be called by the one writer."""
    if connection.execute(select(table.c.id).filter_by(**values)).first() is None:
        connection.execute(insert(table).values(**values))
