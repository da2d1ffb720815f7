"""Which of the names in a request is wrong, when it is answered 404."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hatcher import endpoints
from hatcher.errors import HatcherException, MissingName
from hatcher.suggestions import alike
from hatcher.transport.request import Request
from hatcher.transport.session import Session


def missing_name(session: Session, request: Request) -> MissingName | None:
    """Look for the first name in a request that is wrong, and for what is like it.

    Parameters
    ----------
    session : Session
    request : Request
        It was answered 404.

    Returns
    -------
    MissingName or None
        None when all of them are right, or the server does not say.
    """
    try:
        for kind in ("organization", "repository", "platform"):
            if kind not in request.names:
                break
            name, siblings = request.names[kind], list(_siblings(session, request.names, kind))
            # Servers take a platform's hyphen and underscore alike.
            if name.replace("_", "-") not in [each.replace("_", "-") for each in siblings]:
                return MissingName(kind, name, alike(name, siblings))
    except HatcherException:
        pass  # the user asked for something else, and is told how that went
    return None


def _siblings(session: Session, names: Mapping[str, str], kind: str) -> Iterable[str]:
    """Ask for all names that there are of a kind, where the names before it lead to."""

    def listed(
        operation: str, field: str, *texts: str, version: int = session.api_version
    ) -> list[Any]:
        asked = endpoints.request(version, operation, names)
        return session.items(asked._replace(may_be_missing=True), field, *texts)

    if kind == "platform":
        return listed("list_platforms", "platforms")
    if not session.is_anonymous:
        field = "organizations" if kind == "organization" else "repositories"
        return listed(f"list_{field}", field)
    # No other list is open to everybody; that of version 1 leaves nothing out.
    everything = listed("list_available_repositories", "repositories", "name", version=1)
    visible = [each["name"].partition("/") for each in everything]
    if kind == "organization":
        return {organization for organization, _, _ in visible}
    return [name for organization, _, name in visible if organization == names["organization"]]
