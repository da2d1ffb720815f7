"""Which names may stand for an argument or an option, by what has been typed before it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hatcher.characters import all_show
from hatcher.cli import answers
from hatcher.cli.answers import Row
from hatcher.cli.mirror_sides import divided, is_written_as_path
from hatcher.cli.settings.levels import config_of, settings_of, settings_of_profile
from hatcher.cli.state import State
from hatcher.files.folders import user_folder

if TYPE_CHECKING:
    import click

    from hatcher.api import SinglePlatformRepository, Team
    from hatcher.cli.settings.levels import Settings


class _Table(NamedTuple):
    """What a server can be asked for: rows of names.

    Attributes
    ----------
    asked_with : tuple of str
        The arguments that must be there before it can be asked.
    columns : tuple of str
        The arguments that it has names for; those before one choose among the rows.
    ask : callable
    """

    asked_with: tuple[str, ...]
    columns: tuple[str, ...]
    ask: Callable[..., Iterable[Row]]


def _rows(names: Iterable[str]) -> Iterable[Row]:
    return ((name,) for name in names)


def _available(state: State) -> list[tuple[str, str]]:
    """Return the repositories that one may see, with their organizations."""
    split = (name.partition("/") for name in state.client.list_available_repositories())
    return [(organization, repository) for organization, _, repository in split]


def _organizations(state: State) -> Iterable[Row]:
    from hatcher.errors import AuthenticationError, NotFoundError, PermissionDeniedError

    try:
        return _rows(state.client.list_organizations())
    except (AuthenticationError, NotFoundError, PermissionDeniedError):
        # For administrators only, on some servers, and for nobody without credentials.
        return _rows({organization for organization, _ in _available(state)})


def _repositories(state: State, organization: str) -> Iterable[Row]:
    from hatcher.errors import AuthenticationError, NotFoundError, PermissionDeniedError

    try:
        return _rows(state.client.organization(organization).list_repositories())
    except (AuthenticationError, NotFoundError, PermissionDeniedError):
        return _rows(name for owner, name in _available(state) if owner == organization)


def _platform(
    state: State, organization: str, repository: str, platform: str
) -> SinglePlatformRepository:
    return state.client.organization(organization).repository(repository).platform(platform)


def _eggs(state: State, *names: str) -> Iterable[Row]:
    *place, tag = names
    for egg in _platform(state, *place).list_eggs(tag):
        name, version, build = egg["name"].removesuffix(".egg").rsplit("-", 2)
        yield name, f"{version}-{build}"


def _runtimes(state: State, *names: str) -> Iterable[Row]:
    index = _platform(state, *names).runtime_index()
    return [(kind, version) for kind, versions in index.items() for version in versions]


def _runtimes_of_tags(state: State, *names: str) -> Iterable[Row]:
    # As version 0 of the API has them.
    index = _platform(state, *names).runtime_index()
    return [
        (entry["python_tag"], f"{version}-{build}")
        for versions in index.values()
        for version, builds in versions.items()
        for build, entry in builds.items()
    ]


def _bundles(state: State, *names: str) -> Iterable[Row]:
    return [
        (bundle["python_tag"], bundle["name"], bundle["version"])
        for bundle in _platform(state, *names).bundle_list()
    ]


def _apps(state: State, *names: str) -> Iterable[Row]:
    return [(tag, app_id, version) for app_id, version, tag in _platform(state, *names).list_apps()]


def _teams(state: State, organization: str) -> Iterable[Row]:
    return _rows(team["name"] for team in state.client.organization(organization).list_teams())


def _team(state: State, organization: str, team: str) -> Team:
    return state.client.organization(organization).team(team)


def _members(state: State, organization: str) -> Iterable[Row]:
    # There is no list of users, but one of each team's members.
    place = state.client.organization(organization)
    members = (place.team(team["name"]).list_users() for team in place.list_teams())
    return _rows({email for emails in members for email in emails})


_PLATFORM = ("organization", "repository", "platform")

_TEAM = ("organization", "team")

_TABLES: Mapping[str, _Table] = {
    "organizations": _Table((), ("organization",), _organizations),
    "repositories": _Table(("organization",), ("repository",), _repositories),
    "places": _Table((), ("place",), lambda s: _rows(s.client.list_available_repositories())),
    "platforms": _Table((), ("platform",), lambda s: _rows(s.client.list_platforms())),
    "python tags": _Table((), ("python_tag",), lambda s: _rows(s.client.list_python_tags())),
    "all python tags": _Table(
        (), ("python_tag",), lambda s: _rows(s.client.list_python_tags(list_all=True))
    ),
    "eggs": _Table((*_PLATFORM, "python_tag"), ("name", "version"), _eggs),
    "runtimes": _Table(_PLATFORM, ("implementation", "version"), _runtimes),
    "runtimes of tags": _Table(_PLATFORM, ("python_tag", "version"), _runtimes_of_tags),
    "bundles": _Table(_PLATFORM, ("python_tag", "name", "version"), _bundles),
    "apps": _Table(_PLATFORM, ("python_tag", "app_id", "version"), _apps),
    "teams": _Table(("organization",), ("team",), _teams),
    "team's members": _Table(
        _TEAM, ("email",), lambda s, *names: _rows(_team(s, *names).list_users())
    ),
    "team's repositories": _Table(
        _TEAM, ("repository",), lambda s, *names: _rows(_team(s, *names).list_repositories())
    ),
    "members": _Table(("organization",), ("email",), _members),
    "API tokens": _Table(
        (), ("name",), lambda s: _rows(token["name"] for token in s.client.list_api_tokens())
    ),
}


def names_for(ctx: click.Context, question: str | None, parameter: str) -> list[str]:
    """Return the names that may stand for a parameter, as far as they are known in time.

    Parameters
    ----------
    ctx : click.Context
        Of the command, with what has been typed before.
    question : str or None
        One of `_TABLES`, or 'profiles'; others have no names.
    parameter : str
        The name of the parameter.

    Returns
    -------
    list of str
        Sorted; versions with the newest first.
    """
    if question == "profiles":
        return sorted(config_of(ctx).profiles)
    if question is None or question not in _TABLES:
        return []
    table = _TABLES[question]
    column = table.columns.index(parameter) if parameter in table.columns else 0
    where = [ctx.params.get(name) for name in table.asked_with]
    if not all(isinstance(name, str) for name in where):
        return []
    chosen = [ctx.params.get(name) for name in table.columns[:column]]
    found = {
        row[column]
        for row in _answer(settings_of(ctx.find_root()), question, [str(name) for name in where])
        if all(name in (None, given) for name, given in zip(chosen, row, strict=False))
    }
    if parameter == "version":
        return sorted(found, key=_age_of, reverse=True)
    return sorted(found)


def _sides(ctx: click.Context, incomplete: str) -> list[str]:
    """Return what may stand for a side of a mirror that is no path, and begins so."""
    server, place = divided(incomplete)
    profile = server.rstrip(":")
    settings = settings_of_profile(ctx, profile) if profile else settings_of(ctx.find_root())
    if place.count("/") < 2:
        places = [name for (name,) in _answer(settings, "places", [])]
        names = {*places, *(name.partition("/")[0] for name in places)}
    else:
        repository = place.rpartition("/")[0]
        names = {f"{repository}/{name}" for (name,) in _answer(settings, "platforms", [])}
    if not server:
        names |= {f"{profile}:" for profile in config_of(ctx).profiles}
        names |= {file for file in os.listdir() if file.endswith((".zip", ".json"))}  # noqa: PTH208
    return sorted(f"{server}{name}" for name in names)


def _answer(settings: Settings, question: str, where: list[str]) -> list[Row]:
    state = State(settings, quick=True)
    if settings.url is None or settings.standard_input is not None:
        return []
    return answers.find(
        _folder(),
        _user(settings),
        [question, *where],
        lambda: _TABLES[question].ask(state, *where),
    )


def _user(settings: Settings) -> list[str]:
    who = (settings.named_by, settings.username, settings.token)
    kept_in = settings.profile.name if settings.profile else None
    server = (settings.url, settings.verify_ssl, settings.api_version)
    return [str(part) for part in (*server, *who, kept_in)]


def _folder() -> Path | None:
    """Return where answers are kept: beside the indices."""
    try:
        folder = user_folder("cache", "HATCHER_CACHE_DIR")
    except OSError:
        return None
    return folder and folder / "completion"


def _age_of(version: str) -> list[tuple[int, int, str]]:
    """Return what versions are ordered by: their numbers as numbers."""
    parts = re.findall(r"\d+|[^\d.+-]+", version)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def matching(ctx: click.Context, question: str, parameter: str, incomplete: str) -> list[Any]:
    """Return what a shell may offer for a parameter, of which something has been typed.

    Parameters
    ----------
    ctx, question, parameter
        As for `names_for`; and there are 'file' and 'sides', of a mirror.
    incomplete : str

    Returns
    -------
    list of click.shell_completion.CompletionItem
    """
    from click.shell_completion import CompletionItem

    is_side = question == "sides"
    if question == "file" or (is_side and is_written_as_path(incomplete)):
        return [CompletionItem(incomplete, type="file")]
    names = _sides(ctx, incomplete) if is_side else names_for(ctx, question, parameter)
    # Not those of files either, if they would steer the terminal.
    return [
        CompletionItem(name) for name in names if name.startswith(incomplete) and all_show(name)
    ]
