"""Looking for what a bundle names, in the repositories of a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.artefact import FileArtefact
from hatcher.core.batches.downloads import ListedFile, listed_egg
from hatcher.core.brood_client import BroodClient
from hatcher.core.dialects import DIALECTS
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.repository import Repository
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    InvalidBundle,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.bundles.closure import AnyBundle, Closure, Need
from hatcher.mirror.layout import Kind
from hatcher.mirror.reading import HIDDEN, tag_of
from hatcher.mirror.report import Problem
from hatcher.transfer.batch import Crew, Tally

#: Where to look: in a repository, or in those of a server that a bundle names.
Where: TypeAlias = Repository | SinglePlatformRepository | BroodClient

#: Whether a server has what a bundle names; the best comes first.
Presence: TypeAlias = Literal["present", "disabled", "different", "missing"]
PRESENCES: tuple[Presence, ...] = get_args(Presence)


def place_of(bundle: AnyBundle, place: Where | None) -> Where:
    """Return where to look for what belongs to a bundle.

    Raises
    ------
    InvalidArgumentError
        Nobody says.
    UnsupportedAPIVersionError
        The client speaks API version 0.
    """
    session = getattr(bundle, "_session", None)
    if place is None:
        if session is None:
            raise InvalidArgumentError(
                "Where is what belongs to the bundle to be looked for? Give a repository, or a "
                "client to look in the repositories that the bundle names."
            )
        place = BroodClient(session)
    if not isinstance(place, Where):
        raise InvalidArgumentError(
            f"{place!r} is no place to look for what belongs to a bundle. Give a repository, one "
            "of its platforms, or a client."
        )
    if place._session.api_version < 1:
        raise UnsupportedAPIVersionError(
            f"With API version {place._session.api_version} there are no bundles. Make the client "
            "with api_version=1."
        )
    return place


class Found(NamedTuple):
    """An artefact that a bundle names, and what a server has of it.

    Attributes
    ----------
    need : Need
    state : {'present', 'disabled', 'different', 'missing'}
    platform : SinglePlatformRepository or None
        Where it is, or was looked for; None where nobody says where to look.
    listed : ListedFile or None
        What the server has; None when that is nothing.
    filename : str
        What its file is called; empty where nobody says.
    python_tag : str or None
        Of an egg its own; of one that is missing that of the bundle.
    """

    need: Need
    state: Presence
    platform: SinglePlatformRepository | None
    listed: ListedFile | None
    filename: str
    python_tag: str | None

    @property
    def repository(self) -> str | None:
        """Such as ``acme/dev``."""
        on = self.platform
        return None if on is None else f"{on.organization_name}/{on.repository_name}"


class Sought(NamedTuple):
    """What a bundle names, as far as it was found.

    Attributes
    ----------
    found : list of Found
        One for each that the bundle names.
    problems : list of Problem
        The places that could not be read.
    """

    found: list[Found]
    problems: list[Problem]


def sought(
    closure: Closure,
    place: Where,
    concurrency: int,
) -> Sought:
    """Look for everything that a bundle names.

    Parameters
    ----------
    closure : Closure
    place : Repository, SinglePlatformRepository or BroodClient
        As for `check_bundle`.
    concurrency : int

    Raises
    ------
    HatcherException
        The place cannot be read.
    """
    return _Search(closure, place, concurrency).run()


#: An index to read.
_Shelf: TypeAlias = tuple[SinglePlatformRepository, Kind]

#: The name of a file, and what an index says of it.
_Entry: TypeAlias = tuple[str, Mapping[str, Any]]


class _Search:
    """Looks for what a bundle names: in the indices, and then one by one."""

    def __init__(
        self,
        closure: Closure,
        place: Where,
        concurrency: int,
    ) -> None:
        self._tag = closure.python_tag
        self._is_given = not isinstance(place, BroodClient)
        self._crew = Crew(concurrency, None)
        self._places = {need: _platforms(need, closure, place) for need in closure.needs}
        self._entries: dict[_Shelf, dict[str, _Entry]] = {}
        self._problems: dict[_Shelf, HatcherException] = {}
        self._found: dict[tuple[Need, SinglePlatformRepository], Found] = {}

    def run(self) -> Sought:
        """Look for everything."""
        wanted = [(need, on) for need, places in self._places.items() for on in places]
        shelves = list(dict.fromkeys((on, need.kind) for need, on in wanted))
        self._crew.each(shelves, self._read)
        for need, on in wanted:
            self._look(need, on)
        self._crew.each([pair for pair in wanted if pair not in self._found], self._ask)
        problems = [
            Problem(f"{on} {kind}", self._problems[on, kind])
            for on, kind in shelves
            if (on, kind) in self._problems
        ]
        return Sought([self._best(need) for need in self._places], problems)

    def _read(self, shelf: _Shelf, _: Tally) -> None:
        """Read an index, and keep of it what the bundle names."""
        wanted = {_key(need) for need in self._places if need.kind == shelf[1]}
        try:
            entries = list(_entries_in(shelf, self._tag))
        except HIDDEN as error:
            if self._is_given:
                raise
            self._problems[shelf] = error
            return
        self._entries[shelf] = {key: entry for key, entry in entries if key in wanted}

    def _look(self, need: Need, on: SinglePlatformRepository) -> None:
        """Look for something in an index; what it does not say is asked for."""
        if (on, need.kind) in self._problems:
            self._found[need, on] = self._missing(need, on)
            return
        filename, entry = self._entries[on, need.kind].get(_key(need), (None, {}))
        if filename is None:
            if need.kind == "runtimes":  # all of them are shown
                self._found[need, on] = self._missing(need, on)
        elif isinstance(entry.get("sha256"), str):
            self._note(need, on, filename, entry, is_shown=True)

    def _ask(self, pair: tuple[Need, SinglePlatformRepository], _: Tally) -> None:
        """Ask for something that the index does not show, or says too little of."""
        need, on = pair
        filename, entry = self._entries[on, need.kind].get(_key(need), (None, {}))
        metadata = _handle(need, on, self._tag, filename)._found()
        if metadata is None:
            self._found[need, on] = self._missing(need, on)
            return
        is_shown = metadata.get("enabled", filename is not None)
        said = filename or metadata.get("filename") or f"{need.name}-{need.version}.egg"
        self._note(need, on, said, {**entry, **metadata}, is_shown=is_shown)

    def _note(
        self,
        need: Need,
        on: SinglePlatformRepository,
        filename: str,
        entry: Mapping[str, Any],
        *,
        is_shown: bool,
    ) -> None:
        artefact = _handle(need, on, self._tag, filename)
        listed = ListedFile.of(artefact, {**entry, "sha256": artefact._sha256_in(entry)})
        state: Presence = "present" if is_shown else "disabled"
        if need.sha256 not in (None, listed.sha256):
            state = "different"
        tag = tag_of(entry) if need.kind == "eggs" else None
        self._found[need, on] = Found(need, state, on, listed, filename, tag)

    def _missing(self, need: Need, on: SinglePlatformRepository | None) -> Found:
        tag = self._tag if need.kind == "eggs" else None
        return Found(need, "missing", on, None, "", tag)

    def _best(self, need: Need) -> Found:
        """Return the best of what was found at several places."""
        there = [self._found[need, on] for on in self._places[need]]
        if not there:
            return self._missing(need, None)
        return min(there, key=lambda found: PRESENCES.index(found.state))


def _platforms(need: Need, closure: Closure, place: Where) -> list[SinglePlatformRepository]:
    """Return where to look for something."""
    if isinstance(place, Repository):
        return [place.platform(closure.platform)]
    if isinstance(place, SinglePlatformRepository):
        if usual_platform(place.name) != usual_platform(closure.platform):
            raise InvalidArgumentError(
                f"{closure.name} is for {closure.platform}, and {place} is for another platform. "
                "Give that platform, or the whole repository."
            )
        return [place]
    named = need.repositories
    if not named and closure.bundle is not None:
        own = closure.bundle._names
        named = (f"{own['organization']}/{own['repository']}",)
    platforms = []
    for name in named:
        organization, slash, repository = name.partition("/")
        if not slash or "/" in repository:
            raise InvalidBundle(
                f"{closure.name} says that the {need} is in '{name}', which is no repository: "
                "organization/repository. Make the bundle anew."
            )
        platforms.append(
            place.organization(organization).repository(repository).platform(closure.platform)
        )
    return platforms


def _key(need: Need) -> str:
    """Return what something is called in an index; capital letters do not count."""
    return f"{need.name}-{need.version}".casefold()


def _entries_in(shelf: _Shelf, python_tag: str) -> Iterator[tuple[str, _Entry]]:
    """Give what an index says, by what the artefacts are called."""
    on, kind = shelf
    if kind == "eggs":
        for filename, egg in on.egg_index(python_tag).items():
            yield filename.removesuffix(".egg").casefold(), (filename, egg)
        return
    dialect = DIALECTS[on._session.api_version]
    for selector, version, entry in dialect.runtime_entries(on.runtime_index()):
        called = f"{selector}-{version}"
        yield called.casefold(), (entry.get("filename") or f"{called}.runtime", entry)


def _handle(
    need: Need, on: SinglePlatformRepository, python_tag: str, filename: str | None
) -> FileArtefact[Any]:
    """Return what addresses something on the server, which may write its name otherwise."""
    if need.kind == "runtimes":
        return on.runtime(need.name, need.version)
    if filename is None:
        return on.egg(python_tag, need.name, need.version)
    # By the tag of the index, which is how all servers find it.
    return listed_egg(on, python_tag, filename, {}).artefact
