"""Platforms and python tags."""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import Response

from hatcher.artefacts.python_tags import NO_TAG
from hatcher.server.access import visible_repositories
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer
from hatcher.server.database import artefacts
from hatcher.server.names import GENERIC_PYTHON_TAGS, PLATFORMS, PYTHON_TAGS


@operation("list_platforms")
def list_platforms(call: Call) -> Response:
    """List the platforms."""
    return answer({"platforms": PLATFORMS})


@operation("list_python_tags")
def list_python_tags(call: Call) -> Response:
    """List the python tags of real implementations: those known, and those stored."""
    return answer({"python_tags": _tags(call, PYTHON_TAGS)})


@operation("list_all_python_tags")
def list_all_python_tags(call: Call) -> Response:
    """List these and the generic ones."""
    return answer({"python_tags": _tags(call, PYTHON_TAGS + GENERIC_PYTHON_TAGS, generic=True)})


def _tags(call: Call, known: tuple[str, ...], *, generic: bool = False) -> list[str]:
    """These tags, and those of everything that the caller may see."""
    with call.brood.database.read() as connection:
        visible = visible_repositories(connection, call.account)
        stored = connection.execute(
            select(artefacts.c.repository_id, artefacts.c.python_tag).distinct()
        )
        ids = {repository.id for repository in visible}
        found = {tag for repository_id, tag in stored if repository_id in ids}
    found -= {NO_TAG, *known}
    return [*known, *sorted(tag for tag in found if generic or not tag.startswith("py"))]
