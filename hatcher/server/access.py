"""Who may do what: the levels of access, and where an account has which.

Access to a repository comes from the teams one is a member of: the team's group is the
level, and it counts for the team's repositories. The members of a team whose group is
``organization_administrator`` rule their whole organization. A public repository gives
everybody a level, whoever asks.
"""

from __future__ import annotations

from enum import IntEnum

from attrs import frozen
from sqlalchemy import Connection, or_, select

from hatcher.server import database as db
from hatcher.server.refusals import forbidden, not_found


class Access(IntEnum):
    """The levels of access, each with everything that the ones before it have."""

    anonymous = 0
    authenticated = 1
    read_index = 2
    read_repository = 3
    upload_repository = 4
    organization_administrator = 5
    server_administrator = 6


#: The levels that a team can give.
GROUPS = tuple(
    level.name for level in Access if Access.authenticated < level < Access.server_administrator
)

#: The organizations with administrators, one row for each of them.
ADMINISTERED = (
    select(db.teams.c.organization_id)
    .filter_by(group=Access.organization_administrator.name)
    .join(db.team_members)
)


@frozen
class Account:
    """Who asks.

    Attributes
    ----------
    id : int
        The number of the user.
    email : str
        The e-mail address, as it was given at first.
    server_administrator : bool
        Whether the account rules the server.
    api_token_id : int or None
        The API token that the request came with, or that its session was given for.
    """

    id: int
    email: str
    server_administrator: bool
    api_token_id: int | None = None


#: Who asks without credentials: the number is no user's.
ANONYMOUS = Account(0, "", server_administrator=False)


@frozen
class Organization:
    """An organization that the account may see.

    Attributes
    ----------
    id : int
        Its number.
    name : str
        Its name.
    access : Access
        What the account may do in all of it.
    """

    id: int
    name: str
    access: Access


@frozen
class Repository:
    """A repository that the account may see.

    Attributes
    ----------
    id : int
        Its number.
    name : str
        Its name with the organization's: ``acme/dev``.
    description : str
        What it is for.
    access : Access
        What the account may do with it.
    public : str or None
        The level that everybody has in it; None when it is not public.
    """

    id: int
    name: str
    description: str
    access: Access
    public: str | None


def find_organization(connection: Connection, account: Account, name: str) -> Organization:
    """Return the organization of a name; 404 when there is none that the account belongs to."""
    for organization in visible_organizations(connection, account, name):
        return organization
    raise not_found(f"There is no organization '{name}', or none that you may see.")


def find_repository(
    connection: Connection, account: Account, organization: str, name: str
) -> Repository:
    """Return the repository of a name; 404 when there is none that the account has access to."""
    for repository in visible_repositories(connection, account, organization, name):
        return repository
    raise not_found(f"There is no repository '{organization}/{name}', or none that you may see.")


def demand(account: Account, access: Access, needed: Access, where: str) -> None:
    """Refuse with 403 when `access` is less than what is needed.

    Parameters
    ----------
    account : Account
        Who asks, for the message.
    access : Access
        What the account has.
    needed : Access
        What the operation needs.
    where : str
        What the access is to, for the message.
    """
    if access < needed:
        who = "everybody" if account is ANONYMOUS else "your account"
        advice = "Log in" if account is ANONYMOUS else "Ask an administrator of the organization"
        raise forbidden(
            f"This needs the access level {needed.name}; {who} has {access.name} to {where}. "
            f"{advice}."
        )


def visible_organizations(
    connection: Connection, account: Account, name: str | None = None
) -> list[Organization]:
    """Return the organizations that an account may see, sorted by name.

    Parameters
    ----------
    name : str, optional
        Only the one with this name.
    """
    found = select(db.organizations.c.id, db.organizations.c.name).order_by(db.organizations.c.name)
    if name is not None:
        found = found.where(db.organizations.c.name == name)
    level, administered = Access.server_administrator, set[int]()
    if not account.server_administrator:
        level = Access.authenticated
        administered.update(connection.scalars(ADMINISTERED.filter_by(user_id=account.id)))
        found = found.join(db.members).filter_by(user_id=account.id)
    return [
        Organization(id_, name, Access.organization_administrator if id_ in administered else level)
        for id_, name in connection.execute(found)
    ]


def visible_repositories(
    connection: Connection,
    account: Account,
    organization: str | None = None,
    name: str | None = None,
) -> list[Repository]:
    """Return the repositories that an account has access to, sorted by name.

    Parameters
    ----------
    organization : str, optional
        Only those of this organization.
    name : str, optional
        Only the one with this name.
    """
    repositories, organizations = db.repositories.c, db.organizations.c
    found = (
        select(
            repositories.id,
            organizations.name.label("organization"),
            repositories.name,
            repositories.description,
            repositories.public,
        )
        .join(db.organizations)
        .order_by(organizations.name, repositories.name)
    )
    for column, wanted in ((organizations.name, organization), (repositories.name, name)):
        if wanted is not None:
            found = found.where(column == wanted)
    levels = None if account.server_administrator else _levels(connection, account)
    if levels is not None:
        found = found.where(repositories.id.in_(levels))
    return [
        Repository(
            row.id,
            f"{row.organization}/{row.name}",
            row.description,
            Access.server_administrator if levels is None else levels[row.id],
            row.public,
        )
        for row in connection.execute(found)
    ]


def _levels(connection: Connection, account: Account) -> dict[int, Access]:
    """The best level that the account's teams give, or everybody has, by repository."""
    given = (
        select(db.repositories.c.id, db.teams.c.group.label("level"))
        .join(db.teams, db.teams.c.organization_id == db.repositories.c.organization_id)
        .join(db.team_members, db.team_members.c.team_id == db.teams.c.id)
        .outerjoin(
            db.team_repositories,
            (db.team_repositories.c.team_id == db.teams.c.id)
            & (db.team_repositories.c.repository_id == db.repositories.c.id),
        )
        .where(
            db.team_members.c.user_id == account.id,
            or_(
                db.teams.c.group == Access.organization_administrator.name,
                db.team_repositories.c.id.is_not(None),
            ),
        )
    )
    public = select(db.repositories.c.id, db.repositories.c.public.label("level")).where(
        db.repositories.c.public.is_not(None)
    )
    levels: dict[int, Access] = {}
    for row in connection.execute(given.union_all(public)):
        level = Access[row.level]
        levels[row.id] = max(level, levels.get(row.id, level))
    return levels
