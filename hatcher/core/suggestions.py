"""What a user may have meant by a name that was not found."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from attrs import evolve

from hatcher import endpoints
from hatcher.errors import HatcherException
from hatcher.transport.request import Request
from hatcher.transport.session import Session


def did_you_mean(session: Session, request: Request) -> str:
    """Look for the first name in a request that is wrong, and for what is like it.

    Parameters
    ----------
    session : Session
    request : Request
        It was answered 404.

    Returns
    -------
    str
        A sentence, or nothing when there is nothing helpful to say.
    """
    try:
        return _look(session, request.names)
    except HatcherException:
        return ""  # the user asked for something else, and is told how that went


def _look(session: Session, names: Any) -> str:
    def known(field: str, operation: str, *of: str) -> list[str]:
        asked = endpoints.request(
            session.api_version, operation, **{what: names[what] for what in of}
        )
        return list(session.field(evolve(asked, may_be_missing=True), field, list))

    if "organization" not in names:
        return ""
    organizations = known("organizations", "list_organizations")
    if names["organization"] not in organizations:
        return _advice("organization", names["organization"], organizations)
    if "repository" not in names:
        return ""
    repositories = known("repositories", "list_repositories", "organization")
    if names["repository"] not in repositories:
        return _advice("repository", names["repository"], repositories)
    if "platform" not in names:
        return ""
    platforms = known("platforms", "list_platforms")
    if names["platform"].replace("_", "-") not in {name.replace("_", "-") for name in platforms}:
        return _advice("platform", names["platform"], platforms)
    return ""


def _advice(what: str, name: str, known: Iterable[str]) -> str:
    by_lower = {candidate.lower(): candidate for candidate in known}
    alike = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    if alike:
        names = " or ".join(f"'{by_lower[candidate]}'" for candidate in alike)
        return f"There is no {what} '{name}' that you may see. Did you mean {names}?"
    return f"There is no {what} '{name}' that you may see."
