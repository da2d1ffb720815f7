"""Which names may stand for an argument or an option: what the server answers, and has answered."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hatcher.artefacts.names import split_filename
from hatcher.artefacts.versions import built_key, runtime_key
from hatcher.characters import all_show
from hatcher.cli.deadline import within
from hatcher.cli.groups import place_of
from hatcher.cli.mirror_sides import divided, is_written_as_path
from hatcher.cli.settings.levels import config_of, settings_of, settings_of_profile
from hatcher.cli.state import State
from hatcher.files.folders import user_folder

if TYPE_CHECKING:
    import click

    from hatcher.api import BroodClient, SinglePlatformRepository
    from hatcher.cli.settings.levels import Settings

Row: TypeAlias = tuple[str, ...]

#: Seconds for which an answer is used without asking.
FRESH = 60.0

#: Seconds that a shell waits for the server, unless the variable says otherwise.
_TIMEOUT = 1.0
_TIMEOUT_VARIABLE = "HATCHER_COMPLETION_TIMEOUT"

#: Seconds for which a server that failed is not asked again.
LEFT_ALONE = 15.0

#: Seconds after which nobody wants an answer any more.
_FORGOTTEN = 7 * 24 * 3600.0


def find(
    folder: Path | None,
    user: Sequence[str],
    question: Sequence[str],
    ask: Callable[[], Iterable[Row]],
) -> list[Row]:
    """Return the answer to a question: a kept one, or the server's.

    Parameters
    ----------
    folder : pathlib.Path or None
        Where answers are kept; None for nowhere.
    user : sequence of str
        Which server, and who asks.
    question : sequence of str
    ask : callable
        Asks the server.

    Returns
    -------
    list of tuple of str
        Empty when nothing is kept and the server does not answer.
    """
    if folder is None:
        return _asked(ask) or []
    place = folder / _name(*user, "?", *question)
    failed = folder / _name(*user, "failed")
    if _age(place) < FRESH:
        return _read(place)
    if _age(failed) >= LEFT_ALONE:
        rows = _asked(ask)
        _keep(place if rows is not None else failed, rows or [])
        if rows is not None:
            return rows
    return _read(place)


def _asked(ask: Callable[[], Iterable[Row]]) -> list[Row] | None:
    """Return the server's answer; None when it does not give one in time."""
    # Imported here, since what is kept needs no client; and before the clock runs.
    import hatcher.api
    from hatcher.errors import NotFoundError, PermissionDeniedError

    for name in ("BroodClient", "Organization", "SinglePlatformRepository"):
        getattr(hatcher.api, name)
    try:
        # No timeout of the client's covers the search for a server's address.
        rows = within(_TIMEOUT_VARIABLE, _TIMEOUT, lambda: list(ask()))
    except (NotFoundError, PermissionDeniedError):
        return []  # an answer, too: there is no such place
    except Exception:  # whatever it is: a shell has no use for it
        return None
    # Others would steer the terminal, or break the lines of the files and of the shells.
    return [row for row in rows if all(name and all_show(name) for name in row)]


def _name(*parts: str) -> str:
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def _age(place: Path) -> float:
    try:
        age = time.time() - place.stat().st_mtime
    except OSError:
        return float("inf")
    return age if age >= 0 else float("inf")


def _read(place: Path) -> list[Row]:
    try:
        lines = place.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [tuple(line.split("\t")) for line in lines]


def _keep(place: Path, rows: Iterable[Row]) -> None:
    """Write an answer; without it, the next question takes longer."""
    # Imported here, as the client: what is kept needs neither.
    from hatcher.cli.refusals import Refusal
    from hatcher.cli.settings.private_files import write_private
    from hatcher.errors import InvalidDestinationError

    with suppress(OSError, InvalidDestinationError, Refusal):
        write_private(place, "".join("\t".join(row) + "\n" for row in rows))
        _clear(place.parent)


def _clear(folder: Path) -> None:
    from hatcher.files.cache import kept_files, remove

    for answer in kept_files(folder, re.compile("[0-9a-f]{64}")):
        if answer.used < time.time() - _FORGOTTEN:
            remove(answer.path)


class _Table(NamedTuple):
    """What a server can be asked for: rows of names, or names alone.

    Attributes
    ----------
    asked_with : tuple of str
        The arguments that must be there before it can be asked.
    columns : tuple of str
        The arguments that it has names for; those before one choose among the rows.
    ask : callable
        Asks a place, given the arguments that do not lead to it.
    depth : int, default 3
        How many arguments lead to the place, at most; without any it is the client.
    """

    asked_with: tuple[str, ...]
    columns: tuple[str, ...]
    ask: Callable[..., Iterable[Row | str]]
    depth: int = 3

    def rows(self, client: BroodClient, where: Sequence[str]) -> Iterator[Row]:
        """Ask the server."""
        path = where[: self.depth]
        place = client.at("/".join(path)) if path else client
        for row in self.ask(place, *where[len(path) :]):
            yield row if isinstance(row, tuple) else (row,)


def _allowed(ask: Callable[[], list[str]]) -> list[str] | None:
    """Return a list that some servers show to administrators only, and to nobody without a name."""
    from hatcher.errors import AuthenticationError, NotFoundError, PermissionDeniedError

    try:
        return ask()
    except (AuthenticationError, NotFoundError, PermissionDeniedError):
        return None


def _organizations(client: BroodClient) -> Iterable[str]:
    if (names := _allowed(client.list_organizations)) is not None:
        return names
    return {name.partition("/")[0] for name in client.list_available_repositories()}


def _repositories(client: BroodClient, organization: str) -> Iterable[str]:
    if (names := _allowed(client.organization(organization).list_repositories)) is not None:
        return names
    split = (name.partition("/") for name in client.list_available_repositories())
    return [name for owner, _, name in split if owner == organization]


def _runtimes(place: SinglePlatformRepository) -> Iterable[Row]:
    index = place.runtime_index()
    return [(kind, version) for kind, versions in index.items() for version in versions]


def _runtimes_of_tags(place: SinglePlatformRepository) -> Iterable[Row]:
    # As version 0 of the API has them.
    return [
        (entry["python_tag"], f"{version}-{build}")
        for versions in place.runtime_index().values()
        for version, builds in versions.items()
        for build, entry in builds.items()
        if "python_tag" in entry
    ]


_PLATFORM = ("organization", "repository", "platform")
_TEAM = ("organization", "team")

#: Picks the names of a bundle or app out of what the server says of it.
_BUNDLE, _APP = itemgetter("python_tag", "name", "version"), itemgetter(2, 0, 1)

_TABLES: Mapping[str, _Table] = {
    "organizations": _Table((), ("organization",), _organizations),
    "repositories": _Table(("organization",), ("repository",), _repositories, 0),
    "places": _Table((), ("place",), lambda c: c.list_available_repositories()),
    "platforms": _Table((), ("platform",), lambda c: c.list_platforms()),
    "python tags": _Table((), ("python_tag",), lambda c: c.list_python_tags()),
    "all python tags": _Table((), ("python_tag",), lambda c: c.list_python_tags(list_all=True)),
    "eggs": _Table(
        (*_PLATFORM, "python_tag"),
        ("name", "version"),
        lambda place, tag: (split_filename(egg["name"]) for egg in place.list_eggs(tag)),
    ),
    "egg files": _Table(
        (*_PLATFORM, "python_tag"),
        ("names",),
        lambda place, tag: (egg["name"] for egg in place.list_eggs(tag)),
    ),
    "runtimes": _Table(_PLATFORM, ("implementation", "version"), _runtimes),
    "runtimes of tags": _Table(_PLATFORM, ("python_tag", "version"), _runtimes_of_tags),
    "bundles": _Table(
        _PLATFORM, ("python_tag", "name", "version"), lambda p: map(_BUNDLE, p.bundle_list())
    ),
    "apps": _Table(
        _PLATFORM, ("python_tag", "app_id", "version"), lambda p: map(_APP, p.list_apps())
    ),
    "teams": _Table(
        ("organization",), ("team",), lambda o: map(itemgetter("name"), o.list_teams())
    ),
    "team's members": _Table(_TEAM, ("email",), lambda o, team: o.team(team).list_users(), 1),
    "team's repositories": _Table(
        _TEAM, ("repository",), lambda o, team: o.team(team).list_repositories(), 1
    ),
    "members": _Table(("organization",), ("email",), lambda o: o.list_users()),
    "API tokens": _Table((), ("name",), lambda c: map(itemgetter("name"), c.list_api_tokens())),
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
        key = runtime_key if question == "runtimes" else built_key
        return sorted(found, key=key, reverse=True)
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
    return find(
        _folder(),
        _user(settings),
        [question, *where],
        lambda: _TABLES[question].rows(state.client, where),
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

    question, parameter, before, incomplete = _in_place(ctx, question, parameter, incomplete)
    is_side = question == "sides"
    if question == "file" or (is_side and is_written_as_path(incomplete)):
        return [CompletionItem(incomplete, type="file")]
    names = _sides(ctx, incomplete) if is_side else names_for(ctx, question, parameter)
    # Not those of files either, if they would steer the terminal.
    return [
        CompletionItem(before + name)
        for name in names
        if name.startswith(incomplete) and all_show(name)
    ]


def _in_place(
    ctx: click.Context, question: str, parameter: str, incomplete: str
) -> tuple[str, str, str, str]:
    """Return what is asked when a place is written in one word, with what stands before it."""
    steps = place_of(ctx.command)
    names = [step.name or "" for step in steps]
    *given, last = incomplete.split("/")
    here = names.index(parameter) if parameter in names else len(names)
    if not given or here + len(given) >= len(names):
        return question, parameter, "", incomplete
    ctx.params.update(zip(names[here:], given, strict=False))
    step = steps[here + len(given)]
    return step.names or "", step.name or "", "/".join((*given, "")), last
