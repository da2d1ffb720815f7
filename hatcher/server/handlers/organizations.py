"""Organizations."""

from __future__ import annotations

from sqlalchemy import insert
from starlette.responses import Response

from hatcher.server.access import visible_organizations
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer
from hatcher.server.database import now, organizations, unique
from hatcher.server.names import usable_name


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
    taken = f"There is an organization '{name}' already."
    with unique(taken), call.brood.database.write() as connection:
        connection.execute(insert(organizations).values(created=now(), **told))
    return answer(told, 201)
