"""What exists, where Brood lists it nowhere: found out by many questions at a time."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import TYPE_CHECKING

from hatcher.transfer.batch import AT_ONCE, ByteCounter, WorkerPool

if TYPE_CHECKING:
    from hatcher.core.organization import Organization
    from hatcher.core.platform import SinglePlatformRepository
    from hatcher.core.repository import Repository
    from hatcher.core.team import Team


def list_users(organization: Organization) -> list[str]:
    """List the members of all teams; see `Organization.list_users`."""
    found: dict[str, str] = {}

    def ask(team: Team, _: ByteCounter) -> None:
        for email in team.list_users():
            found.setdefault(email.lower(), email)

    names = [team["name"] for team in organization.list_teams()]
    WorkerPool(AT_ONCE, None).each(list(map(organization.team, names)), ask)
    return [email for _, email in sorted(found.items())]


def list_platforms(repository: Repository) -> list[str]:
    """List the platforms that something is for; see `Repository.list_platforms`."""
    found = set[str]()

    def ask(pair: tuple[str, Callable[[SinglePlatformRepository], Sized]], _: ByteCounter) -> None:
        name, question = pair
        if name not in found and question(repository.platform(name)):
            found.add(name)

    platforms = repository._list("list_platforms", "platforms")
    tags = repository._list("list_python_tags", "python_tags")
    questions: list[Callable[[SinglePlatformRepository], Sized]] = [
        lambda platform: platform.list_runtimes(),
        lambda platform: platform.list_apps(),
        *([lambda platform: platform.bundle_list()] if repository._session.api_version > 0 else []),
        *(lambda platform, tag=tag: platform._egg_hashes(tag) for tag in reversed(tags)),
    ]
    # What is found out by one question is not asked by the next one.
    pairs = [(name, question) for question in questions for name in platforms]
    WorkerPool(AT_ONCE, None).each(pairs, ask)
    return [name for name in platforms if name in found]
