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
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from hatcher.artefacts.names import split_filename
from hatcher.artefacts.platforms import usual_platform
from hatcher.artefacts.python_tags import rank, tag_of
from hatcher.core.apps import App
from hatcher.core.batches.downloads import listed_egg, listed_runtime, runtimes_by_filename
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.eggs import NO_PYTHON_TAG, Egg
from hatcher.core.places import (
    HIDDEN,
    IndexOf,
    Problem,
    Shadows,
    problems_of,
    repositories_of,
    understanding,
)
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.runtimes import Runtime
from hatcher.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    HatcherException,
    InvalidResponseError,
    PermissionDeniedError,
    TransportError,
)
from hatcher.mirror.layout import Kind, Location
from hatcher.mirror.records import Held
from hatcher.mirror.selection import Selection
from hatcher.transfer.batch import Attempts, ByteCounter, Item, WorkerPool, checked_concurrency
from hatcher.transfer.hashing import server_sha256

#: Eggs that are called as nearly all are; the others are looked at closely.
_USUAL_EGG = re.compile(r"\w[\w.+]*-\w[\w.+!~]*-\d+\.egg", re.ASCII).fullmatch
_USUAL_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch

#: The tag of one implementation of Python 3: of what comes before and after its minor version.
_OWN_TAG = re.compile(r"(?!py\d)([a-z]+3)(\d{1,3})([a-z]*)", re.ASCII).fullmatch

#: So many versions of Python may have come out since a server's list was made.
_NEXT = 5

#: What a server knows an artefact by.
Artefact: TypeAlias = Egg | Runtime | App | Bundle


class Index(IndexOf):
    """An index to read."""

    __slots__ = ()

    def location(self, python_tag: str | None, filename: str) -> Location:
        """Return where something in it belongs."""
        on = self.platform
        place = (on.organization_name, on.repository_name, on.name)
        return Location(on._session.api_version, *place, self.kind, python_tag, filename)


def handle(path: str, held: Held) -> Artefact:
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
    origin: Index | Artefact = held.origin
    if not isinstance(origin, Index):
        return origin
    # By the tag of the index, which is how all servers find it.
    return origin.platform.egg(origin.python_tag, *split_filename(path.rpartition("/")[2]))


def create_repository(client: BroodClient, place: str, description: str) -> None:
    """Create a repository, unless it is there after all: unseen, or just made by another."""
    organization, _, name = place.partition("/")
    with suppress(ConflictError):
        client.organization(organization).create_repository(name, description)


class Reading:
    """What a server has, as far as it could be read, in several threads.

    No server's list of platforms or python tags is complete: old ones know of no new Python. So
    what is asked for is what they list, what may follow that, and whatever else is seen.

    Attributes
    ----------
    held : dict of str to Held
        By the paths in the layout. Their `origin` is for `handle`.

    Raises
    ------
    HatcherException
        Nothing at all could be read.
    """

    def __init__(self, client: BroodClient, selection: Selection, concurrency: int | None) -> None:
        self.held: dict[str, Held] = {}
        self._client = client
        self._concurrency = checked_concurrency(concurrency)
        self._selection = selection
        self._reads_eggs = "eggs" in selection.kinds
        self._lists: list[Problem] = []
        self._items: dict[Index, Item[Any]] = {}
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
        self._shadows = Shadows()
        self._lock = threading.Lock()
        self._begin()

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
        return [
            *self._lists,
            *refused,
            *problems_of(self._answers),
        ]

    @property
    def _without_index(self) -> dict[str | None, Exception]:
        """The tags that a place has no index of which has others."""
        return {
            index.python_tag: error
            for index, error in self._unanswered.items()
            if error is not None and (index.platform, index.kind) not in self._hidden
        }

    @property
    def _answers(self) -> dict[IndexOf, Exception | None]:
        """The indices of which the server has said something, and why some cannot be read."""
        items = self._items.items()
        return {index: item.error for index, item in items if index not in self._unanswered}

    @property
    def has_usual_names(self) -> bool:
        """Whether all platforms were asked for by their usual names."""
        return all(usual == name for usual, name in self._platforms.items())

    def _begin(self) -> None:
        """Ask for what the server lists, and all that follows from that."""
        client, selection = self._client, self._selection
        if selection.repositories is None:
            self._selection = selection._replace(repositories=tuple(repositories_of(client)))
        questions: list[tuple[str, Callable[[], list[str]]]] = []
        if not selection.platforms:
            questions.append(("platforms", client.list_platforms))
        if self._reads_eggs and selection.python_tags is None:
            questions.append(("python tags", client.list_python_tags))
            questions.append(("python tags", lambda: client.list_python_tags(True)))
        listed = self._listed(questions)
        platforms = selection.platforms or listed["platforms"]
        self._platforms = {usual_platform(name): name for name in platforms}
        if self._reads_eggs:
            tags = selection.python_tags
            if tags is None:
                tags = tuple(tag.lower() for tag in listed["python tags"])
                self._shared = {tag for tag in tags if tag.startswith("py")} | {NO_PYTHON_TAG}
            self._told = set(tags) - self._shared
        self._complete()
        errors = self._answers.values()
        failed = [error for error in errors if error is not None]
        refused = [error for error in failed if isinstance(error, AuthenticationError)]
        if refused or (failed and len(failed) == len(errors)):
            raise (refused or failed)[0]

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

    def _listed(self, questions: list[tuple[str, Callable[[], list[str]]]]) -> dict[str, list[str]]:
        """Return what the server lists; where it does not, it cannot have been read whole."""
        listed: dict[str, list[str]] = {what: [] for what, _ in questions}
        errors: dict[str, HatcherException] = {}

        def ask(question: tuple[str, Callable[[], list[str]]], _: ByteCounter) -> None:
            what, call = question
            try:
                listed[what] += call()
            except (AuthenticationError, TransportError):
                raise
            except HatcherException as error:
                errors[what] = error

        WorkerPool(self._concurrency, None).each(questions, ask)
        for what in listed:
            if what in errors:
                self._lists.append(Problem(f"the {what} of {self._client.url}", errors[what]))
        return listed

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
            for index in indices:
                self._items[index] = Item(Path(str(index.platform), index.kind))
            attempts = Attempts((AuthenticationError,), self._concurrency)
            ask = partial(self._ask, attempts, self._guesses())
            WorkerPool(self._concurrency, None).each(indices, ask)
        return is_new

    def _ask(
        self, attempts: Attempts, guesses: Collection[str], index: Index, counter: ByteCounter
    ) -> None:
        """Read an index, unless it is known already that there is none."""
        item, known = self._items[index], self._hidden.get((index.platform, index.kind))
        is_hidden_guess = known is not None and index.python_tag in guesses
        if is_hidden_guess or index.python_tag in self._refused:
            self._unanswered[index] = None
        elif known is not None:
            item.error = known
        else:
            attempts.attempt(item, counter, lambda: self._note(index, guesses))

    def _wanted(self) -> Iterator[Index]:
        """Give the indices that are to be read, as far as that is known by now."""
        tags: list[str] = []
        if self._reads_eggs:
            guesses = self._guesses()
            tags = [*sorted(self._told | self._seen), *sorted(guesses)]
        answered = set(tags) - self._without_index.keys()
        lonely = {tag for tag in self._shared if all(rank(tag, own) is None for own in answered)}
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
                        if tag in lonely or self._shadows.may_hide(platform, tag)
                    )
                for kind in self._selection.kinds:
                    if kind != "eggs":
                        yield Index(platform, kind, None)

    def _note(self, index: Index, guesses: Collection[str]) -> None:
        """Read an index."""
        tag = index.python_tag
        try:
            with understanding(f"{index.platform} {index.kind}"):
                found = (self._eggs if index.kind == "eggs" else self._others)(index)
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
        with self._lock:
            self._answered.add(usual_platform(index.platform.name))
            for path, held in found.items():
                known = self.held.get(path)
                # Of an egg that several indices show it is the one of the first tag.
                if known is None or _tag(held) < _tag(known):
                    self.held[path] = held

    def _eggs(self, index: Index) -> dict[str, Held]:
        assert index.python_tag is not None
        takes_name = None if self._selection.names is None else self._selection.takes_name
        found: dict[str, Held] = {}
        folders: dict[str | None, tuple[str, HatcherException | None]] = {}
        names: dict[str | None, list[str]] = defaultdict(list)
        for filename, entry in index.platform._egg_hashes(index.python_tag).items():
            if takes_name is not None and not takes_name(split_filename(filename)[0]):
                continue
            held = _held(entry, index)
            tag = tag_of(entry)
            names[tag].append(filename)
            if tag not in folders:
                folders[tag] = _folder(index, tag)
            folder, held.wrong = folders[tag]
            found[folder + filename] = held
            if not _USUAL_EGG(filename) or (
                held.sha256 is not None and not _USUAL_SHA256(held.sha256)
            ):
                self._check(index.location(tag, filename), held)
        with self._lock:
            for tag in names:
                self._see(tag)
            self._shadows.note(index.platform, index.python_tag, names, self._shared)
        return found

    def _others(self, index: Index) -> dict[str, Held]:
        """Read an index of runtimes, apps or bundles."""
        found: dict[str, Held] = {}
        entries = {"runtimes": _runtimes, "apps": _apps, "bundles": _bundles}[index.kind]
        for tag, filename, (name, version), entry, make in entries(index.platform):
            self._see(tag)
            if index.kind == "runtimes":
                is_taken = self._selection.takes_runtime(name, version)
            else:
                is_taken = self._selection.takes_tag(tag) and self._selection.takes_name(name or "")
            if not is_taken:
                continue
            location = index.location(tag, filename)
            held = found[location.path] = _held(entry)
            self._check(location, held)
            try:
                held.origin = make()
            except HatcherException as error:
                held.wrong = held.wrong or error
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


#: What an index says of an artefact: its tag, its file's name, its own name and version, what else
#: there is, and what makes the artefact.
_Entry: TypeAlias = tuple[
    str | None, str, tuple[str | None, str], Mapping[str, Any], Callable[[], Any]
]


def _runtimes(platform: SinglePlatformRepository) -> Iterator[_Entry]:
    for filename, described in runtimes_by_filename(platform).items():
        make = partial(listed_runtime, platform, filename, *described)
        yield None, filename, described[:2], described[2], lambda: make().artefact  # noqa: B023


def _apps(platform: SinglePlatformRepository) -> Iterator[_Entry]:
    for app_id, version, tag in platform.list_apps():
        own = None if tag.lower() == NO_PYTHON_TAG else tag
        make = partial(platform.app, tag, app_id, version)
        yield own, f"{app_id}-{version}.yaml", (app_id, version), {}, make


def _bundles(platform: SinglePlatformRepository) -> Iterator[_Entry]:
    for bundle in platform.bundles:
        filename, name = bundle.canonical_filename, (bundle.name, bundle.version)
        yield bundle.python_tag, filename, name, {}, lambda: bundle  # noqa: B023


def _held(entry: Mapping[str, Any], origin: object = None) -> Held:
    sha256, size = entry.get("sha256"), entry.get("size")
    return Held(
        size if isinstance(size, int) else None,
        sha256 if isinstance(sha256, str) else None,
        origin,
    )


def _folder(index: Index, tag: str | None) -> tuple[str, HatcherException | None]:
    """Return the path of the folder that eggs of a tag belong to, and why there can be none."""
    location = index.location(tag, "any.egg")
    path = location.path.removesuffix("any.egg")
    try:
        location.below(Path())
    except HatcherException as error:
        return path, error
    return path, None


def _tag(held: Held) -> str:
    return held.origin.python_tag or "" if isinstance(held.origin, Index) else ""
