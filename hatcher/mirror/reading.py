"""What a server has: one read of an index for each platform and python tag, many at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from hatcher.core.batches.fetching import Listed, listed_egg, runtimes_by_filename
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.platform import SinglePlatformRepository
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.mirror.layout import Kind, Location
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency

#: Who may not know of something is told that it is not there.
_HIDDEN = (NotFoundError, PermissionDeniedError)


class Offer(NamedTuple):
    """An artefact that a server has.

    Attributes
    ----------
    location : Location
    listed : Listed, Bundle or HatcherException
        How to get it; or why it cannot be had.
    """

    location: Location
    listed: Listed | Bundle | HatcherException


class Read(NamedTuple):
    """What a server has, as far as it could be read.

    Attributes
    ----------
    offers : list of Offer
        Sorted by their paths, each artefact once.
    problems : list of Problem
        The places that could not be read.
    """

    offers: list[Offer]
    problems: list[Problem]


class _Index(NamedTuple):
    """An index to read."""

    platform: SinglePlatformRepository
    kind: Kind
    python_tag: str | None


#: The artefacts found so far. Of an egg that several indices show it is the one of the first tag.
_Found: TypeAlias = dict[Location, tuple[str, Callable[[], Listed | Bundle]]]


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
    except _HIDDEN:
        organizations = []
    for organization in organizations:
        try:
            names = client.organization(organization).list_repositories()
        except _HIDDEN:
            continue
        usable.update(f"{organization}/{name}" for name in names)
    pairs = (name.partition("/") for name in usable - indexable)
    return sorted((organization, repository) for organization, _, repository in pairs)


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
    reading = _Reading(selection)
    items = [_item(index) for index in _indices(client, selection)]
    attempts = Attempts((AuthenticationError,), number)

    def note(item: Item[_Index], tally: Tally) -> None:
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
    return Read(reading.offers(), _problems(items))


def _item(index: _Index) -> Item[_Index]:
    item: Item[_Index] = Item(Path(str(index.platform), index.kind))
    item.file = index
    return item


def _indices(client: BroodClient, selection: Selection) -> list[_Index]:
    repositories = repositories_of(client, selection)
    platforms = selection.platforms or client.list_platforms()
    tags: Iterable[str] = ()
    if "eggs" in selection.kinds:
        tags = sorted(selection.python_tags or client.list_python_tags())
    indices: list[_Index] = []
    for organization, repository in repositories:
        for name in platforms:
            platform = client.organization(organization).repository(repository).platform(name)
            indices += [_Index(platform, "eggs", tag) for tag in tags]
            indices += [_Index(platform, kind, None) for kind in selection.kinds if kind != "eggs"]
    return indices


class _Reading:
    """Reads indices in several threads, and puts together what they say."""

    def __init__(self, selection: Selection) -> None:
        self.hidden: dict[tuple[SinglePlatformRepository, Kind], Exception] = {}
        self._selection = selection
        self._found: _Found = {}
        self._lock = threading.Lock()

    def note(self, index: _Index) -> None:
        """Read an index."""
        readers = {"eggs": self._eggs, "runtimes": self._runtimes, "bundles": self._bundles}
        try:
            found = readers[index.kind](index)
        except _HIDDEN as error:
            # It will be no other with the other tags.
            self.hidden[index.platform, index.kind] = error
            raise
        with self._lock:
            for location, (tag, get) in found.items():
                if location not in self._found or tag < self._found[location][0]:
                    self._found[location] = (tag, get)

    def offers(self) -> list[Offer]:
        """Return what was found, sorted."""
        return [
            Offer(location, _got(self._found[location][1]))
            for location in sorted(self._found, key=lambda location: location.path)
        ]

    def _eggs(self, index: _Index) -> _Found:
        platform, tag = index.platform, index.python_tag
        assert tag is not None

        def egg(filename: str, entry: Mapping[str, Any]) -> Callable[[], Listed]:
            # By the tag of the index, which is how all servers find it.
            return lambda: listed_egg(platform, tag, filename, entry)

        return {
            _location(index, filename, _tag_of(entry)): (tag, egg(filename, entry))
            for filename, entry in platform.egg_index(tag).items()
        }

    def _runtimes(self, index: _Index) -> _Found:
        platform = index.platform

        def runtime(
            selector: str | None, version: str, entry: Mapping[str, Any]
        ) -> Callable[[], Listed]:
            return lambda: Listed.of(platform.runtime(selector, version), entry)

        return {
            _location(index, filename, None): ("", runtime(selector, version, entry))
            for filename, (selector, version, entry) in runtimes_by_filename(platform).items()
            if self._selection.takes_runtime(selector, version)
        }

    def _bundles(self, index: _Index) -> _Found:
        tags = self._selection.python_tags

        def handle(bundle: Bundle) -> Callable[[], Bundle]:
            return lambda: bundle

        return {
            _location(index, bundle.canonical_filename, bundle.python_tag): ("", handle(bundle))
            for bundle in index.platform.bundles
            if tags is None or bundle.python_tag in tags
        }


def _got(get: Callable[[], Listed | Bundle]) -> Listed | Bundle | HatcherException:
    try:
        return get()
    except HatcherException as error:
        return error


def _tag_of(entry: Mapping[str, Any]) -> str | None:
    """Return an egg's own tag; older indices say the version of Python instead."""
    if "python_tag" in entry:
        tag = entry["python_tag"]
        return tag if isinstance(tag, str) else None
    python = entry.get("python")
    return f"cp{python.replace('.', '')}" if isinstance(python, str) else None


def _location(index: _Index, filename: str, python_tag: str | None) -> Location:
    platform = index.platform
    return Location(
        platform._session.api_version,
        platform.organization_name,
        platform.repository_name,
        platform.name,
        index.kind,
        python_tag,
        filename,
    )


def _problems(items: list[Item[_Index]]) -> list[Problem]:
    """Say of each place once what is wrong with it; of a repository, when it is all of it."""
    places: dict[str, list[Item[_Index]]] = {}
    for item in items:
        platform = item.file.platform
        places.setdefault(f"{platform.organization_name}/{platform.repository_name}", []).append(
            item
        )
    problems: dict[str, Exception] = {}
    for place, those in places.items():
        hidden = [item.error for item in those if isinstance(item.error, _HIDDEN)]
        if len(hidden) == len(those):
            problems[place] = hidden[0]
            continue
        for item in those:
            if item.error is not None:
                problems.setdefault(f"{item.file.platform} {item.file.kind}", item.error)
    return [Problem(place, error) for place, error in problems.items()]
