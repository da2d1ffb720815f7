"""Organizations."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from hatcher.server.access import visible_organizations
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer
from hatcher.server.database import now, organizations
from hatcher.server.names import usable_name
from hatcher.server.refusals import conflict


@operation("list_organizations")
def list_organizations(call: Call) -> Response:
    """List the organizations that the caller may see."""
    with call.brood.database.read() as connection:
        visible = visible_organizations(connection, call.account)
    return answer({"organizations": [organization.name for organization in visible]})


@operation("create_organization")
def create_organization(call: Call) -> Response:
    """Make an organization."""
    name = usable_name("an organization", call.document["name"], slash=False)
    told = {"name": name, "description": call.document.get("description", "")}
    try:
        with call.brood.database.write() as connection:
            connection.execute(insert(organizations).values(created=now(), **told))
    except IntegrityError as error:
        raise conflict(f"There is an organization '{name}' already.") from error
    return answer(told, 201)
