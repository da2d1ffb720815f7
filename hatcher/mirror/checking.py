"""Whether everything that a bundle names is where it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.artefact import FileArtefact
from hatcher.core.batches.fetching import Listed, listed_egg
from hatcher.core.brood_client import BroodClient
from hatcher.core.dialects import DIALECTS
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.repository import Repository
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    InvalidBundle,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.closure import SINGULAR, AnyBundle, Closure, Need, closure_of
from hatcher.mirror.layout import Kind
from hatcher.mirror.reading import tag_of
from hatcher.mirror.report import Problem
from hatcher.transfer.batch import Crew, Tally, checked_concurrency
from hatcher.transport.value import Value

#: Whether a server has what a bundle names; the best comes first.
State: TypeAlias = Literal["present", "disabled", "different", "missing"]
_STATES: tuple[State, ...] = get_args(State)

#: Who may not know of something is told that it is not there.
_HIDDEN = (NotFoundError, PermissionDeniedError)


class BundleEntry(Value):
    """What has become of an artefact that a bundle names.

    Parameters
    ----------
    state : {'present', 'disabled', 'different', 'missing'}
        ``disabled``: it is there, and no index shows it; ``different``: what is there has another
        sha256.
    kind : {'eggs', 'runtimes'}
    name : str
        Of the egg, or the runtime's implementation.
    version : str
    repository : str, optional
        Where it is; of what is missing, where it was looked for first; None where the bundle
        names no repository.
    sha256 : str, optional
        What the bundle names; None where it names none.
    actual : str, optional
        The sha256 of what is there.
    """

    __match_args__ = ("state", "kind", "name", "version", "repository", "sha256", "actual")
    __slots__ = __match_args__

    state: State
    kind: Kind
    name: str
    version: str
    repository: str | None
    sha256: str | None
    actual: str | None

    def __init__(
        self,
        state: State,
        kind: Kind,
        name: str,
        version: str,
        repository: str | None = None,
        sha256: str | None = None,
        actual: str | None = None,
    ) -> None:
        super().__init__(state, kind, name, version, repository, sha256, actual)

    def __str__(self) -> str:
        what = f"{self.state}: {SINGULAR[self.kind]} {self.name} {self.version}"
        if self.repository is None:
            return f"{what}, of which the bundle names no repository"
        where = f"{what} in {self.repository}"
        if self.state != "different":
            return where
        return f"{where} has the sha256 {self.actual}, and not {self.sha256}"


class BundleCheck(Value):
    """Whether everything that a bundle names is there; true when it is.

    Parameters
    ----------
    bundle : str
        For people.
    entries : tuple of BundleEntry
        The runtime first, then the eggs as the bundle names them.
    problems : tuple of Problem
        The places that could not be read.
    """

    __match_args__ = ("bundle", "entries", "problems")
    __slots__ = __match_args__

    bundle: str
    entries: tuple[BundleEntry, ...]
    problems: tuple[Problem, ...]

    def __init__(
        self, bundle: str, entries: tuple[BundleEntry, ...], problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(bundle, entries, problems)

    def those(self, state: State) -> tuple[BundleEntry, ...]:
        """Return the entries in one state.

        Parameters
        ----------
        state : {'present', 'disabled', 'different', 'missing'}

        Returns
        -------
        tuple of BundleEntry
        """
        return tuple(entry for entry in self.entries if entry.state == state)

    def document(self) -> dict[str, Any]:
        """Return it as what JSON can hold.

        Returns
        -------
        dict
            ``bundle``, ``entries`` (each with its attributes) and ``problems`` (each with
            ``place`` and ``error``).
        """
        return {
            "bundle": self.bundle,
            "entries": [
                {name: getattr(entry, name) for name in BundleEntry.__match_args__}
                for entry in self.entries
            ],
            "problems": [
                {"place": problem.place, "error": str(problem.error)} for problem in self.problems
            ],
        }

    def __bool__(self) -> bool:
        return len(self.those("present")) == len(self.entries)

    def __str__(self) -> str:
        counts = Counter(entry.state for entry in self.entries)
        parts = [f"{counts[state]} {state}" for state in _STATES if counts[state]]
        number = len(self.entries)
        artefacts = f"{number} artefact{'' if number == 1 else 's'}"
        lines = [f"{self.bundle}: {artefacts}: {', '.join(parts)}"]
        lines += [str(entry) for entry in self.entries if entry.state != "present"]
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])


def check_bundle(
    bundle: AnyBundle,
    place: Repository | SinglePlatformRepository | BroodClient | None = None,
    *,
    concurrency: int | None = None,
) -> BundleCheck:
    """Look whether everything that a bundle names is there; API version 1 only.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` and
    ``GET /indices/{organization}/{repository}/{platform}/runtimes``, each once, and
    ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``
    for eggs that the index does not show

    What counts is the sha256; where the bundle names none, name and version do.

    Parameters
    ----------
    bundle : Bundle, str, path-like or mapping
        One of a server, a file, or a document.
    place : Repository, SinglePlatformRepository or BroodClient, optional
        Where to look: in this repository, whatever the bundle names, to find out whether the
        bundle could go there; or on this server, in the repositories that the bundle names, and
        where it names none in its own. By default on the bundle's own server.
    concurrency : int, optional
        How many questions at once, 16 by default.

    Returns
    -------
    BundleCheck

    Raises
    ------
    InvalidBundle
        What the bundle names cannot be understood; or there is no such file.
    InvalidArgumentError
        A file or document was given, and no place.
    NotFoundError
        There is no such bundle or repository, or it may not be seen. Where the bundle names the
        repositories, it is a problem in what is returned.
    HatcherException
        The server could not be asked.

    Examples
    --------
    >>> check = mirror.check_bundle(bundle, client.at('acme/prod'))
    >>> print(check)
    acme/dev/rh8-x86_64/bundles/cp38/tools/1.0.0-1: 3 artefacts: 2 present, 1 missing
    missing: egg numpy 1.26.4-1 in acme/prod
    """
    number = checked_concurrency(concurrency)
    where = place_of(bundle, place)
    closure = closure_of(bundle)
    return checked(closure, sought(closure, where, number))


def place_of(
    bundle: AnyBundle, place: Repository | SinglePlatformRepository | BroodClient | None
) -> Repository | SinglePlatformRepository | BroodClient:
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
    if not isinstance(place, Repository | SinglePlatformRepository | BroodClient):
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
    listed : Listed or None
        What the server has; None when that is nothing.
    filename : str
        What its file is called.
    python_tag : str or None
        Its own, of an egg.
    """

    need: Need
    state: State
    platform: SinglePlatformRepository | None
    listed: Listed | None
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


def checked(closure: Closure, result: Sought) -> BundleCheck:
    """Return what was found as users see it."""
    entries = tuple(
        BundleEntry(
            found.state,
            found.need.kind,
            found.need.name,
            found.need.version,
            found.repository,
            found.need.sha256,
            found.listed and found.listed.sha256,
        )
        for found in result.found
    )
    return BundleCheck(str(closure.bundle or closure.name), entries, tuple(result.problems))


def sought(
    closure: Closure,
    place: Repository | SinglePlatformRepository | BroodClient,
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
        place: Repository | SinglePlatformRepository | BroodClient,
        concurrency: int,
    ) -> None:
        self._tag = closure.python_tag
        self._is_given = not isinstance(place, BroodClient)
        self._crew = Crew(concurrency, None, place._session.interrupt)
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
        except _HIDDEN as error:
            if self._is_given:
                raise
            self._problems[shelf] = error
            return
        self._entries[shelf] = {key: entry for key, entry in entries if key in wanted}

    def _look(self, need: Need, on: SinglePlatformRepository) -> None:
        """Look for something in an index; what it does not say is asked for."""
        if (on, need.kind) in self._problems:
            self._found[need, on] = Found(need, "missing", on, None, "", None)
            return
        filename, entry = self._entries[on, need.kind].get(_key(need), (None, {}))
        if filename is None:
            if need.kind == "runtimes":  # all of them are shown
                self._found[need, on] = Found(need, "missing", on, None, "", None)
        elif isinstance(entry.get("sha256"), str):
            self._note(need, on, filename, entry, is_shown=True)

    def _ask(self, pair: tuple[Need, SinglePlatformRepository], _: Tally) -> None:
        """Ask for something that the index does not show, or says too little of."""
        need, on = pair
        filename, entry = self._entries[on, need.kind].get(_key(need), (None, {}))
        metadata = _handle(need, on, self._tag, filename)._found()
        if metadata is None:
            self._found[need, on] = Found(need, "missing", on, None, "", None)
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
        listed = Listed.of(artefact, {**entry, "sha256": artefact._sha256_in(entry)})
        state: State = "present" if is_shown else "disabled"
        if need.sha256 not in (None, listed.sha256):
            state = "different"
        tag = tag_of(entry) if need.kind == "eggs" else None
        self._found[need, on] = Found(need, state, on, listed, filename, tag)

    def _best(self, need: Need) -> Found:
        """Return the best of what was found at several places."""
        there = [self._found[need, on] for on in self._places[need]]
        if not there:
            return Found(need, "missing", None, None, "", None)
        return min(there, key=lambda found: _STATES.index(found.state))


def _platforms(
    need: Need, closure: Closure, place: Repository | SinglePlatformRepository | BroodClient
) -> list[SinglePlatformRepository]:
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
