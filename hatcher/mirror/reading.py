"""What a server has: one read of an index for each platform and python tag, many at a time.

An index may have fifty thousand entries, so that little is made of each: what addresses an artefact
is put together when it is wanted, by `handle`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from hatcher.core.apps import App
from hatcher.core.batches.fetching import listed_egg, listed_runtime, runtimes_by_filename
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.eggs import Egg
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.runtimes import Runtime
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.mirror.layout import Kind, Location
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.mirror.states import Held
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency
from hatcher.transfer.hashing import server_sha256

#: Who may not know of something is told that it is not there.
HIDDEN = (NotFoundError, PermissionDeniedError)

#: Eggs that are called as nearly all are; the others are looked at closely.
_USUAL_EGG = re.compile(r"\w[\w.+]*-\w[\w.+!~]*-\d+\.egg", re.ASCII).fullmatch
_USUAL_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch

#: What a server knows an artefact by.
Handle: TypeAlias = Egg | Runtime | App | Bundle


class Read(NamedTuple):
    """What a server has, as far as it could be read.

    Attributes
    ----------
    held : dict of str to Held
        By the paths in the layout. Their `origin` is for `handle`.
    problems : list of Problem
        The places that could not be read.
    platforms, python_tags : tuple of str
        Those that were asked for.
    """

    held: dict[str, Held]
    problems: list[Problem]
    platforms: tuple[str, ...]
    python_tags: tuple[str, ...]


class Index(NamedTuple):
    """An index to read."""

    platform: SinglePlatformRepository
    kind: Kind
    python_tag: str | None

    def location(self, python_tag: str | None, filename: str) -> Location:
        """Return where something in it belongs."""
        platform = self.platform
        return Location(
            platform._session.api_version,
            platform.organization_name,
            platform.repository_name,
            platform.name,
            self.kind,
            python_tag,
            filename,
        )


def handle(path: str, held: Held) -> Handle:
    """Return what addresses an artefact on its server.

    Parameters
    ----------
    path : str
        Its path; what counts is the name of the file.
    held : Held
        With the `origin` that `read` has given it.

    Raises
    ------
    HatcherException
        It cannot be had.
    """
    if held.wrong is not None:
        raise held.wrong
    origin: Index | Handle = held.origin
    if not isinstance(origin, Index):
        return origin
    name, version, build = path.rpartition("/")[2].removesuffix(".egg").rsplit("-", 2)
    # By the tag of the index, which is how all servers find it.
    return origin.platform.egg(origin.python_tag, name, f"{version}-{build}")


def repositories_of(client: BroodClient, selection: Selection) -> list[tuple[str, str]]:
    """Return the repositories that are asked for: by default all that the caller may see.

    Parameters
    ----------
    client : BroodClient
    selection : Selection
    """
    if selection.repositories is not None:
        return list(selection.repositories)
    usable = set(client.list_available_repositories())
    # Of these only the index may be read.
    indexable = set(client.list_available_repositories(include_indexable=True)) - usable
    try:
        organizations = client.list_organizations()
    except HIDDEN:
        organizations = []
    for organization in organizations:
        try:
            names = client.organization(organization).list_repositories()
        except HIDDEN:
            continue
        usable.update(f"{organization}/{name}" for name in names)
    pairs = (name.partition("/") for name in usable - indexable)
    return sorted((organization, repository) for organization, _, repository in pairs)


def existing_repositories(client: BroodClient, organization: str) -> set[str]:
    """Return the repositories of an organization, as far as they can be known.

    Parameters
    ----------
    client : BroodClient
    organization : str

    Raises
    ------
    NotFoundError, PermissionDeniedError
        There is no such organization, or nothing of it may be seen.
    """
    try:
        return set(client.organization(organization).list_repositories())
    except HIDDEN:
        # It takes an administrator to list them; what one may use is told to everybody.
        pairs = [name.partition("/") for name in client.list_available_repositories()]
        names = {name for owner, _, name in pairs if owner == organization}
        if not names:
            raise
        return names


def read(client: BroodClient, selection: Selection, concurrency: int | None) -> Read:
    """Read what a server has.

    Parameters
    ----------
    client : BroodClient
    selection : Selection
    concurrency : int or None
        How many indices at once.

    Returns
    -------
    Read

    Raises
    ------
    HatcherException
        Nothing at all could be read.
    """
    number = checked_concurrency(concurrency)
    repositories = repositories_of(client, selection)
    platforms = tuple(selection.platforms or client.list_platforms())
    tags: tuple[str, ...] = selection.python_tags or ()
    if "eggs" in selection.kinds and not tags:
        tags = tuple(sorted(client.list_python_tags()))
    reading = _Reading(selection)
    indices = _indices(client, selection, repositories, platforms, tags)
    items = [_item(index) for index in indices]
    attempts = Attempts((AuthenticationError,), number)

    def note(item: Item[Index], tally: Tally) -> None:
        index = item.file
        known = reading.hidden.get((index.platform, index.kind))
        if known is not None:
            item.error = known
            return
        attempts.attempt(item, tally, lambda: reading.note(index))

    Crew(number, None, client._session.interrupt).each(items, note)
    failed = [item for item in items if item.error is not None]
    refused = [item for item in failed if isinstance(item.error, AuthenticationError)]
    if refused or (failed and len(failed) == len(items)):
        error = (refused or failed)[0].error
        assert error is not None
        raise error
    return Read(reading.held, _problems(items), platforms, tags)


def _item(index: Index) -> Item[Index]:
    item: Item[Index] = Item(Path(str(index.platform), index.kind))
    item.file = index
    return item


def _indices(
    client: BroodClient,
    selection: Selection,
    repositories: Iterable[tuple[str, str]],
    platforms: Iterable[str],
    tags: Iterable[str],
) -> list[Index]:
    indices: list[Index] = []
    for organization, repository in repositories:
        for name in platforms:
            platform = client.organization(organization).repository(repository).platform(name)
            if "eggs" in selection.kinds:
                indices += [Index(platform, "eggs", tag) for tag in sorted(tags)]
            indices += [Index(platform, kind, None) for kind in selection.kinds if kind != "eggs"]
    return indices


class _Reading:
    """Reads indices in several threads, and puts together what they say."""

    def __init__(self, selection: Selection) -> None:
        self.hidden: dict[tuple[SinglePlatformRepository, Kind], Exception] = {}
        self.held: dict[str, Held] = {}
        self._selection = selection
        self._lock = threading.Lock()

    def note(self, index: Index) -> None:
        """Read an index."""
        readers = {
            "eggs": self._eggs,
            "runtimes": self._runtimes,
            "apps": self._apps,
            "bundles": self._bundles,
        }
        try:
            found = readers[index.kind](index)
        except HIDDEN as error:
            # It will be no other with the other tags.
            self.hidden[index.platform, index.kind] = error
            raise
        with self._lock:
            if not self.held:
                self.held = found
                return
            for path, held in found.items():
                known = self.held.get(path)
                # Of an egg that several indices show it is the one of the first tag.
                if known is None or _tag(held) < _tag(known):
                    self.held[path] = held

    def _eggs(self, index: Index) -> dict[str, Held]:
        assert index.python_tag is not None
        entries = index.platform._egg_hashes(index.python_tag)
        folders = _Folders(index)
        takes_name = None if self._selection.names is None else self._selection.takes_name
        found: dict[str, Held] = {}
        for filename, entry in entries.items():
            if takes_name is not None and not takes_name(filename.rsplit("-", 2)[0]):
                continue
            sha256, size = entry.get("sha256"), entry.get("size")
            held = Held(
                size if isinstance(size, int) else None,
                sha256 if isinstance(sha256, str) else None,
                index,
            )
            tag = tag_of(entry)
            found[f"{folders[tag]}{filename}"] = held
            if not _USUAL_EGG(filename) or (
                held.sha256 is not None and not _USUAL_SHA256(held.sha256)
            ):
                self._check(index.location(tag, filename), held)
            elif folders.wrong[tag] is not None:
                held.wrong = folders.wrong[tag]
        return found

    def _runtimes(self, index: Index) -> dict[str, Held]:
        found: dict[str, Held] = {}
        for filename, described in runtimes_by_filename(index.platform).items():
            selector, version, entry = described
            if not self._selection.takes_runtime(selector, version):
                continue
            location = index.location(None, filename)
            sha256, size = entry.get("sha256"), entry.get("size")
            held = found[location.path] = Held(
                size if isinstance(size, int) else None,
                sha256 if isinstance(sha256, str) else None,
            )
            self._check(location, held)
            self._address(
                held,
                lambda: listed_runtime(index.platform, filename, *described).artefact,  # noqa: B023
            )
        return found

    def _apps(self, index: Index) -> dict[str, Held]:
        found: dict[str, Held] = {}
        for app_id, version, tag in index.platform.list_apps():
            own = None if tag.lower() == "none" else tag
            if not self._selection.takes_tag(own) or not self._selection.takes_name(app_id):
                continue
            location = index.location(own, f"{app_id}-{version}.yaml")
            held = found[location.path] = Held(None, None)
            self._check(location, held)
            self._address(held, lambda: index.platform.app(tag, app_id, version))  # noqa: B023
        return found

    def _bundles(self, index: Index) -> dict[str, Held]:
        found: dict[str, Held] = {}
        for bundle in index.platform.bundles:
            tag = bundle.python_tag
            if self._selection.takes_tag(tag) and self._selection.takes_name(bundle.name):
                location = index.location(tag, bundle.canonical_filename)
                held = found[location.path] = Held(None, None, bundle)
                self._check(location, held)
        return found

    def _check(self, location: Location, held: Held) -> None:
        """Check what an index says of something, when it is not what it usually says."""
        try:
            location.below(Path())
            if location.kind == "eggs":
                platform = held.origin.platform
                listed_egg(platform, location.python_tag, location.filename, {})
            if held.sha256 is not None:
                held.sha256 = server_sha256(held.sha256, location.path)
        except HatcherException as error:
            held.wrong, held.sha256 = error, None

    def _address(self, held: Held, make: Any) -> None:
        try:
            held.origin = make()
        except HatcherException as error:
            held.wrong = held.wrong or error


class _Folders(dict[str | None, str]):
    """The paths of the folders that the eggs of an index belong to, by their own tags."""

    def __init__(self, index: Index) -> None:
        super().__init__()
        self._index = index
        #: Why there can be no such folder.
        self.wrong: dict[str | None, HatcherException | None] = {}

    def __missing__(self, tag: str | None) -> str:
        location = self._index.location(tag, "any.egg")
        self.wrong[tag] = None
        try:
            location.below(Path())
        except HatcherException as error:
            self.wrong[tag] = error
        folder = self[tag] = location.path.removesuffix("any.egg")
        return folder


def _tag(held: Held) -> str:
    return held.origin.python_tag or "" if isinstance(held.origin, Index) else ""


def tag_of(entry: Mapping[str, Any]) -> str | None:
    """Return an egg's own tag; older indices say the version of Python instead."""
    if "python_tag" in entry:
        tag = entry["python_tag"]
        return tag if isinstance(tag, str) else None
    python = entry.get("python")
    return f"cp{python.replace('.', '')}" if isinstance(python, str) else None


def _problems(items: list[Item[Index]]) -> list[Problem]:
    """Say of each place once what is wrong with it; of a repository, when it is all of it."""
    places: dict[str, list[Item[Index]]] = {}
    for item in items:
        platform = item.file.platform
        places.setdefault(f"{platform.organization_name}/{platform.repository_name}", []).append(
            item
        )
    problems: dict[str, Exception] = {}
    for place, those in places.items():
        hidden = [item.error for item in those if isinstance(item.error, HIDDEN)]
        if len(hidden) == len(those):
            problems[place] = hidden[0]
            continue
        for item in those:
            if item.error is not None:
                problems.setdefault(f"{item.file.platform} {item.file.kind}", item.error)
    return [Problem(place, error) for place, error in problems.items()]
