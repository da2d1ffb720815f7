"""What a server has: one read of an index for each platform and python tag, many at a time.

An index may have fifty thousand entries, so that little is made of each: what addresses an artefact
is put together when it is wanted, by `handle`.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import App
from hatcher.core.batches.downloads import listed_egg, listed_runtime, runtimes_by_filename
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.eggs import NO_PYTHON_TAG, Egg
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.runtimes import Runtime
from hatcher.errors import (
    AuthenticationError,
    BadRequestError,
    HatcherException,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    TransportError,
)
from hatcher.mirror.layout import Kind, Location
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection, suits
from hatcher.mirror.states import Held
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency
from hatcher.transfer.hashing import server_sha256

#: Who may not know of something is told that it is not there.
HIDDEN = (NotFoundError, PermissionDeniedError)

#: Eggs that are called as nearly all are; the others are looked at closely.
_USUAL_EGG = re.compile(r"\w[\w.+]*-\w[\w.+!~]*-\d+\.egg", re.ASCII).fullmatch
_USUAL_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch

#: The tag of one implementation of Python 3: of what comes before and after its minor version.
_OWN_TAG = re.compile(r"(?!py\d)([a-z]+3)(\d{1,3})([a-z]*)", re.ASCII).fullmatch

#: So many versions of Python may have come out since a server's list was made.
_NEXT = 5

#: What a server knows an artefact by.
Handle: TypeAlias = Egg | Runtime | App | Bundle


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
    # It takes an administrator to list all of them; what others may use has been told above.
    organizations: list[str] = []
    if not client._session.is_anonymous:
        with suppress(*HIDDEN):
            organizations = client.list_organizations()
    for organization in organizations:
        names: list[str] = []
        with suppress(*HIDDEN):
            names = client.organization(organization).list_repositories()
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


def read(client: BroodClient, selection: Selection, concurrency: int | None) -> Reading:
    """Read what a server has.

    Parameters
    ----------
    client : BroodClient
    selection : Selection
    concurrency : int or None
        How many indices at once.

    Raises
    ------
    HatcherException
        Nothing at all could be read.
    """
    reading = Reading(client, selection, checked_concurrency(concurrency))
    reading.begin()
    return reading


class Reading:
    """What a server has, as far as it could be read, in several threads.

    No server's list of platforms or python tags is complete: old ones know of no new Python. So
    what is asked for is what they list, what may follow that, and whatever else is seen.

    Attributes
    ----------
    held : dict of str to Held
        By the paths in the layout. Their `origin` is for `handle`.
    """

    def __init__(self, client: BroodClient, selection: Selection, concurrency: int) -> None:
        self.held: dict[str, Held] = {}
        self._client = client
        self._concurrency = concurrency
        self._selection = selection
        self._lists: list[Problem] = []
        self._items: dict[Index, Item[Index]] = {}
        #: The names of platforms by their usual names; those of them that nobody has listed.
        self._platforms: dict[str, str] = {}
        self._unlisted: set[str] = set()
        self._answered: set[str] = set()
        #: The tags that were given or listed, and those that were seen.
        self._told: set[str] = set()
        self._seen: set[str] = set()
        #: Tags that one implementation alone has no index of.
        self._shared: set[str] = set()
        #: Tags that the server does not know; and why there is no index of one that may be.
        self._refused: set[str] = set()
        self._unanswered: dict[Index, Exception | None] = {}
        self._hidden: dict[tuple[SinglePlatformRepository, Kind], Exception] = {}
        #: Names of eggs that may hide one with a shared tag, in all indices that would show it.
        self._hiding: dict[tuple[SinglePlatformRepository, str], set[str]] = {}
        self._lock = threading.Lock()

    @property
    def selection(self) -> Selection:
        """What was read."""
        silent = self._unlisted - self._answered
        platforms = tuple(name for usual, name in self._platforms.items() if usual not in silent)
        tags = {index.python_tag for index in self._items if index.python_tag is not None}
        without = self._without_index
        return self._selection._replace(
            platforms=platforms,
            egg_tags=tuple(sorted(tags - without.keys())) if self._reads_eggs else None,
        )

    @property
    def problems(self) -> list[Problem]:
        """What could not be read: each place once."""
        refused = [
            Problem(
                f"eggs for '{tag}' on {self._client.url}",
                InvalidResponseError(
                    f"There seem to be such eggs, and the server gives no index of them: {error} "
                    "Ask for the python tags that it knows."
                ),
            )
            for tag, error in self._without_index.items()
            if tag in self._seen or tag in self._shared
        ]
        return [*self._lists, *refused, *_problems(self._answers)]

    @property
    def _without_index(self) -> dict[str | None, Exception]:
        """The tags that a place has no index of which has others."""
        return {
            index.python_tag: error
            for index, error in self._unanswered.items()
            if error is not None and (index.platform, index.kind) not in self._hidden
        }

    @property
    def _answers(self) -> list[Item[Index]]:
        """The indices of which the server has said something."""
        return [item for index, item in self._items.items() if index not in self._unanswered]

    @property
    def has_usual_names(self) -> bool:
        """Whether all platforms were asked for by their usual names."""
        return all(usual == name for usual, name in self._platforms.items())

    @property
    def _reads_eggs(self) -> bool:
        return "eggs" in self._selection.kinds

    def begin(self) -> None:
        """Ask for what the server lists, and all that follows from that.

        Raises
        ------
        HatcherException
            Nothing at all could be read.
        """
        client, selection = self._client, self._selection
        self._selection = selection._replace(repositories=tuple(repositories_of(client, selection)))
        platforms = selection.platforms or self._listed("platforms", client.list_platforms)
        self._platforms = {usual_platform(name): name for name in platforms}
        if self._reads_eggs:
            tags = selection.python_tags
            if tags is None:
                tags = self._listed("python tags", client.list_python_tags)
                every = self._listed("python tags", lambda: client.list_python_tags(True))
                tags = tuple(dict.fromkeys(tag.lower() for tag in (*tags, *every)))
                self._shared = {tag for tag in tags if tag.startswith("py")} | {NO_PYTHON_TAG}
            self._told = set(tags) - self._shared
        self._complete()
        failed = [item for item in self._answers if item.error is not None]
        refused = [item for item in failed if isinstance(item.error, AuthenticationError)]
        if refused or (failed and len(failed) == len(self._answers)):
            error = (refused or failed)[0].error
            assert error is not None
            raise error

    def learn(self, locations: Iterable[Location]) -> bool:
        """Ask for what somebody else has; return whether anything was new.

        Parameters
        ----------
        locations : iterable of Location
            Where that stands; their files do not count.
        """
        for location in locations:
            if self._selection.platforms is None:
                usual = usual_platform(location.platform)
                if usual not in self._platforms:
                    self._platforms[usual] = location.platform
                    self._unlisted.add(usual)
            self._see(location.python_tag)
        return self._complete()

    def _listed(self, what: str, ask: Callable[[], list[str]]) -> tuple[str, ...]:
        """Return what the server lists; where it does not, it cannot have been read whole."""
        try:
            return tuple(ask())
        except (AuthenticationError, TransportError):
            raise
        except HatcherException as error:
            place = f"the {what} of {self._client.url}"
            if not any(problem.place == place for problem in self._lists):
                self._lists.append(Problem(place, error))
            return ()

    def _see(self, python_tag: str | None) -> None:
        if self._selection.python_tags is None and python_tag is not None:
            self._seen.update(set(python_tag.lower().split(".")) - self._shared - self._told)

    def _guesses(self) -> set[str]:
        """Return the tags that may be next: of no such one does an error say anything."""
        if self._selection.python_tags is not None:
            return set()
        newest: dict[tuple[str, str], int] = defaultdict(int)
        known = self._told | self._seen
        for match in filter(None, map(_OWN_TAG, known)):
            before, minor, after = match.groups()
            newest[before, after] = max(newest[before, after], int(minor))
        return {
            f"{before}{minor + more}{after}"
            for (before, after), minor in newest.items()
            for more in range(1, _NEXT + 1)
        }

    def _complete(self) -> bool:
        """Ask until nothing new is seen; return whether there was anything to ask."""
        is_new = False
        while indices := [index for index in self._wanted() if index not in self._items]:
            is_new = True
            items = []
            for index in indices:
                item: Item[Index] = Item(Path(str(index.platform), index.kind))
                item.file = index
                items.append(item)
                self._items[index] = item
            attempts = Attempts((AuthenticationError,), self._concurrency)
            guesses = self._guesses()

            def note(item: Item[Index], tally: Tally) -> None:
                index = item.file
                known = self._hidden.get((index.platform, index.kind))
                is_hidden_guess = known is not None and index.python_tag in guesses  # noqa: B023
                if is_hidden_guess or index.python_tag in self._refused:
                    self._unanswered[index] = None
                    return
                if known is not None:
                    item.error = known
                    return
                attempts.attempt(item, tally, lambda: self._note(index, guesses))  # noqa: B023

            crew = Crew(self._concurrency, None)
            crew.each(items, note)
        return is_new

    def _wanted(self) -> Iterator[Index]:
        """Give the indices that are to be read, as far as that is known by now."""
        tags: list[str] = []
        if self._reads_eggs:
            guesses = self._guesses()
            tags = [*sorted(self._told | self._seen), *sorted(guesses)]
        answered = set(tags) - self._without_index.keys()
        lonely = {tag for tag in self._shared if all(_rank(tag, own) is None for own in answered)}
        for organization, repository in self._selection.repositories or ():
            for name in list(self._platforms.values()):
                platform = (
                    self._client.organization(organization).repository(repository).platform(name)
                )
                if self._reads_eggs:
                    yield from (Index(platform, "eggs", tag) for tag in tags)
                    yield from (
                        Index(platform, "eggs", tag)
                        for tag in sorted(self._shared)
                        if tag in lonely or self._hiding.get((platform, tag))
                    )
                for kind in self._selection.kinds:
                    if kind != "eggs":
                        yield Index(platform, kind, None)

    def _note(self, index: Index, guesses: Collection[str]) -> None:
        """Read an index."""
        readers = {
            "eggs": self._eggs,
            "runtimes": self._runtimes,
            "apps": self._apps,
            "bundles": self._bundles,
        }
        tag = index.python_tag
        try:
            found = readers[index.kind](index)
        except (*HIDDEN, BadRequestError) as error:
            is_listed = usual_platform(index.platform.name) not in self._unlisted
            is_bad = isinstance(error, BadRequestError)
            is_guess = tag in guesses and not isinstance(error, PermissionDeniedError)
            if is_guess or (is_bad and is_listed and tag not in {None, *self._told}):
                # It is a problem where there are eggs for such a Python: see `problems`.
                self._unanswered[index] = error
                if is_bad and is_listed:
                    self._refused.add(tag or "")
                return
            if not (is_bad and is_listed):
                # It will be no other with the other tags.
                self._hidden[index.platform, index.kind] = error
            raise
        except HatcherException:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidResponseError(
                f"The index of {index.platform} {index.kind} cannot be understood: it is not laid "
                "out as Brood does. Tell the administrators of the server."
            ) from error
        with self._lock:
            self._answered.add(usual_platform(index.platform.name))
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
        names: dict[str | None, list[str]] = defaultdict(list)
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
            names[tag].append(filename)
            found[f"{folders[tag]}{filename}"] = held
            if not _USUAL_EGG(filename) or (
                held.sha256 is not None and not _USUAL_SHA256(held.sha256)
            ):
                self._check(index.location(tag, filename), held)
            elif folders.wrong[tag] is not None:
                held.wrong = folders.wrong[tag]
        with self._lock:
            for tag in names:
                self._see(tag)
            self._note_hiding(index, names)
        return found

    def _note_hiding(self, index: Index, names: Mapping[str | None, list[str]]) -> None:
        """Note what an index may not show, since of eggs of one name it shows the best alone."""
        own = index.python_tag or ""
        for shared in self._shared:
            rank = _rank(shared, own)
            known = self._hiding.get((index.platform, shared))
            if rank is None or known == set():
                continue
            here: set[str] = set()
            for tag, filenames in names.items():
                other = _rank(tag or NO_PYTHON_TAG, own)
                if (tag or NO_PYTHON_TAG) != shared and (other is None or other <= rank):
                    here.update(filenames)
            self._hiding[index.platform, shared] = here if known is None else known & here

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
            own = None if tag.lower() == NO_PYTHON_TAG else tag
            self._see(own)
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
            self._see(tag)
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


@lru_cache(maxsize=4096)
def _rank(tag: str, own: str) -> int | None:
    """Return how well an egg suits an implementation: 0 is best, None not at all."""
    ranks: list[int] = []
    minor = own.lstrip("abcdefghijklmnopqrstuvwxyz")
    for part in tag.split("."):
        if part == own:
            ranks.append(0)
        elif part == NO_PYTHON_TAG:
            ranks.append(4)
        elif suits(part, own):
            ranks.append({minor: 1, minor[:1]: 2}.get(part.removeprefix("py"), 3))
    return min(ranks, default=None)


def tag_of(entry: Mapping[str, Any]) -> str | None:
    """Return an egg's own tag; older indices say the version of Python instead."""
    if "python_tag" in entry:
        tag = entry["python_tag"]
        # What is no text is no tag either, and will not be found.
        return tag if tag is None else str(tag)
    python = entry.get("python")
    return f"cp{python.replace('.', '')}" if isinstance(python, str) else None


def _problems(items: Iterable[Item[Index]]) -> list[Problem]:
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
        kinds: dict[SinglePlatformRepository, dict[Kind, Exception | None]] = defaultdict(dict)
        for item in those:
            known = kinds[item.file.platform].get(item.file.kind)
            kinds[item.file.platform][item.file.kind] = known or item.error
        for platform, errors in kinds.items():
            failed = {kind: error for kind, error in errors.items() if error is not None}
            is_whole = len(errors) > 1 and len(failed) == len(errors)
            if is_whole and len({type(error) for error in failed.values()}) == 1:
                problems[str(platform)] = next(iter(failed.values()))
            else:
                problems.update((f"{platform} {kind}", error) for kind, error in failed.items())
    return [Problem(place, error) for place, error in problems.items()]
