"""What a user may have meant by a name that was not found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hatcher import endpoints
from hatcher.errors import HatcherException, MissingName
from hatcher.transport.request import Request
from hatcher.transport.session import Session


def did_you_mean(session: Session, request: Request) -> MissingName | None:
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
        return _look(session, request.names)
    except (HatcherException, AttributeError, KeyError, TypeError):
        # The user asked for something else, and is told how that went; also where what the
        # server lists cannot be understood.
        return None


def _look(session: Session, names: Mapping[str, str]) -> MissingName | None:
    def known(operation: str, field: str, version: int = session.api_version) -> list[Any]:
        asked = endpoints.request(version, operation, names)
        return list(session.field(asked._replace(may_be_missing=True), field, list))

    def visible() -> Iterator[tuple[str, str]]:
        # Of version 1, whose answer leaves nothing out.
        for listed in known("list_available_repositories", "repositories", 1):
            organization, _, repository = listed["name"].partition("/")
            yield organization, repository

    def organizations() -> Iterable[str]:
        if session.is_anonymous:  # to whom no other list is open
            return {organization for organization, _ in visible()}
        return known("list_organizations", "organizations")

    def repositories() -> Iterable[str]:
        if session.is_anonymous:
            return [name for owner, name in visible() if owner == names["organization"]]
        return known("list_repositories", "repositories")

    steps = (
        ("organization", organizations),
        ("repository", repositories),
        ("platform", lambda: known("list_platforms", "platforms")),
    )
    for what, siblings_of in steps:
        if what not in names:
            break
        siblings = list(siblings_of())
        if _alike(names[what]) not in map(_alike, siblings):
            return MissingName(what, names[what], _alikes(names[what], siblings))
    return None


def _alike(name: str) -> str:
    # Servers take a platform's hyphen and underscore alike.
    return name.replace("_", "-")


def _alikes(name: str, known: Iterable[str]) -> tuple[str, ...]:
    # Imported here, for those who name what there is.
    import difflib

    by_lower = {candidate.lower(): candidate for candidate in known}
    alike = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    return tuple(by_lower[candidate] for candidate in alike)
