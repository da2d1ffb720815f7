"""Repositories."""

from __future__ import annotations

from sqlalchemy import insert
from starlette.responses import Response

from hatcher.server.access import Access, find_repository, visible_repositories
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer, done
from hatcher.server.database import now, repositories, unique
from hatcher.server.names import usable_name


@operation("list_available_repositories", versions=(0,))
def list_available_repositories_v0(call: Call) -> Response:
    """List the names of the repositories that the caller may see."""
    least = Access.read_index if call.query["include_indexable"] else Access.read_repository
    with call.brood.database.read() as connection:
        visible = visible_repositories(connection, call.account)
    return answer({"repositories": [each.name for each in visible if each.access >= least]})


@operation("list_available_repositories", versions=(1,))
def list_available_repositories(call: Call) -> Response:
    """List the repositories that the caller may see, and how far."""
    with call.brood.database.read() as connection:
        visible = visible_repositories(connection, call.account)
    told = [
        {
            "name": repository.name,
            "access": repository.access.name,
            "description": repository.description,
            **_public(repository.public),
        }
        for repository in visible
    ]
    return answer({"repositories": told})


@operation("list_repositories")
def list_repositories(call: Call) -> Response:
    """List the repositories of an organization that the caller may see."""
    with call.brood.database.read() as connection:
        organization = call.organization(connection)
        visible = visible_repositories(connection, call.account, organization.name)
    prefix = f"{organization.name}/"
    return answer({"repositories": [each.name.removeprefix(prefix) for each in visible]})


@operation("create_repository")
def create_repository(call: Call) -> Response:
    """Make a repository."""
    name = usable_name("a repository", call.document["name"], slash=False)
    told = {
        "name": name,
        "description": call.document.get("description", ""),
        **_public(call.document.get("public")),
    }
    with call.brood.database.write() as connection:
        organization = call.organization(connection)
        row = {"organization_id": organization.id, "created": now(), **told}
        with unique(f"There is a repository '{organization.name}/{name}' already."):
            connection.execute(insert(repositories).values(**row))
    return answer(told, 201)


@operation("delete_repository")
def delete_repository(call: Call) -> Response:
    """Delete a repository; with what is in it only by force."""
    with call.brood.database.read() as connection:
        repository = find_repository(
            connection, call.account, call.path["organization"], call.path["repository"]
        )
    call.brood.artefacts.delete_repository(repository, force=call.query["force"])
    return done()


def _public(level: str | None) -> dict[str, str]:
    return {} if level is None else {"public": level}
