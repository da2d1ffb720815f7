"""Finding artefacts: by name and version, in all places that may be seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, get_args

from hatcher.artefacts.names import split_filename
from hatcher.artefacts.python_tags import NO_TAG, check_tag, python_tag_of, rank, tag_of
from hatcher.artefacts.requirements import Requirement, is_pattern
from hatcher.artefacts.versions import Key, built_key, is_prerelease, runtime_key, upstream_of
from hatcher.characters import all_show
from hatcher.core.dialects import DIALECTS
from hatcher.core.index import leaves
from hatcher.core.places import (
    HIDDEN,
    IndexOf,
    Problem,
    Shadows,
    administered_repositories,
    available_repositories,
    existing_repositories,
    problems_of,
    understanding,
)
from hatcher.errors import (
    AuthenticationError,
    BadRequestError,
    HatcherException,
    InvalidArgumentError,
    NoMatchError,
    NotFoundError,
)
from hatcher.suggestions import alike, question
from hatcher.transfer.batch import AT_ONCE, Attempts, ByteCounter, Item, WorkerPool
from hatcher.transport.parsing import LARGE_TEXT, chosen_entries, expect, load_object
from hatcher.transport.value import Value

if TYPE_CHECKING:
    from hatcher.core.apps import App
    from hatcher.core.bundles import Bundle
    from hatcher.core.eggs import Egg
    from hatcher.core.platform import SinglePlatformRepository
    from hatcher.core.runtimes import Runtime
    from hatcher.core.searchable import Searchable

Artefact: TypeAlias = "Egg | Runtime | App | Bundle"
Kind: TypeAlias = Literal["egg", "runtime", "app", "bundle"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: What an index says of an artefact: name, version, tag, what else there is, and what makes it.
_Entry: TypeAlias = tuple[str, str, str | None, Mapping[str, Any], Callable[[], Any]]

#: Indices from which packages that parse faster are worth their import.
_MANY = 8

#: Versions that are named where none is as it was asked for.
_NAMED = 10


class SearchResult(Value):
    """An artefact that was found. Results are ordered by name and version: the newest is last.

    Parameters
    ----------
    kind : {'egg', 'runtime', 'app', 'bundle'}
        What it is.
    artefact : Egg, Runtime, App or Bundle
        Its handle, to download it for example.
    name : str
        The name of an egg or a bundle, the implementation of a runtime, the id of an app.
    version : str
        With its build: ``1.3.0-1``; ``3.11.9+2`` of a runtime.
    python_tag : str or None
        Its own PEP 425 tag; None for an egg without one.
    size : int or None
        In bytes; None where the index does not say.
    sha256 : str or None
        Likewise.
    """

    __match_args__ = ("kind", "artefact", "name", "version", "python_tag", "size", "sha256")
    __slots__ = __match_args__

    kind: Kind
    artefact: Artefact
    name: str
    version: str
    python_tag: str | None
    size: int | None
    sha256: str | None

    def __init__(
        self,
        kind: Kind,
        artefact: Artefact,
        name: str,
        version: str,
        python_tag: str | None,
        size: int | None,
        sha256: str | None,
    ) -> None:
        super().__init__(kind, artefact, name, version, python_tag, size, sha256)

    @property
    def place(self) -> str:
        """Where it is: ``organization/repository/platform`` (`str`)."""
        return "/".join(list(self.artefact._names.values())[:3])

    def _order(self) -> tuple[Any, ...]:
        tag = self.python_tag or ""
        return self.name.casefold(), _version_key(self.kind, self.version), tag, self.place

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, SearchResult):
            return NotImplemented
        return self._order() < other._order()

    def __str__(self) -> str:
        tag = f" ({self.python_tag})" if self.python_tag else ""
        return f"{self.place}: {self.kind} {self.name} {self.version}{tag}"


def _version_key(kind: str, version: str) -> Key:
    return runtime_key(version) if kind == "runtime" and "+" in version else built_key(version)


class SearchResults(Iterator[SearchResult]):
    """What a search finds, as it comes, while other indices are still read: an iterator.

    Nothing is sent before the first result is asked for. Leaving it early stops the search.

    Parameters
    ----------
    search : object
        What is searched for, and where: `BroodClient.search` makes it.

    Examples
    --------
    >>> results = brood_client.search('numpy>=1.26,<2', python_tag='cp311')
    >>> for result in results:
    ...     print(result)
    acme/dev/rh8-x86_64: egg numpy 1.26.4-1 (cp311)
    >>> for problem in results.unreadable:
    ...     print(problem)
    """

    def __init__(self, search: Any) -> None:
        self._search: _Search = search
        pool = WorkerPool(AT_ONCE, None)
        self._stream: Generator[SearchResult, None, None] = pool.stream(partial(search.run, pool))

    def __next__(self) -> SearchResult:
        return next(self._stream)

    @property
    def unreadable(self) -> list[Problem]:
        """The places that could not be read, when all has been: each with `place` and `error`."""
        return self._search.problems

    @property
    def advice(self) -> str:
        """When nothing was found: what there is instead, such as names that are alike (`str`).

        It is empty when something was found.
        """
        return self._search.advice

    def close(self) -> None:
        """Stop the search, if it still goes on."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Finder:
    """Reads indices, and picks what is asked for."""

    def __init__(self, text: str, python_tag: str | None) -> None:
        self.requirement = Requirement(text)
        self.python_tag = python_tag
        self._begin = self.requirement.literal_beginning
        self._names: set[str] = set()
        self._others: set[tuple[str, str]] = set()
        self._has_matched = False
        #: What an index names that nothing can be called.
        self.problems: list[Problem] = []
        #: Tags of implementations that something has.
        self.tags: set[str] = set()

    def read(self, index: IndexOf, *, may_be_missing: bool = True) -> list[SearchResult]:
        """Return what an index has of it, in order."""
        of_tag = {"python_tag": index.python_tag} if index.kind == "eggs" else {}
        request = index.platform._request(f"get_{index.kind[:-1]}_index", **of_tag)
        request = request._replace(may_be_missing=may_be_missing)
        read: Callable[[bytes], Any] = load_object
        if index.kind == "eggs":
            read = partial(chosen_entries, choose=self._chosen)
        entries = index.platform._session.index(request, read)
        pick = {"eggs": self._eggs, "runtimes": self._runtimes}.get(index.kind, self._nested)
        found = []
        with understanding(f"{index.platform} {index.kind}"):
            for name, version, tag, entry, make in pick(index, entries):
                try:
                    artefact = make()
                except HatcherException as error:
                    place = f"{index.platform} {index.kind} {name} {version}"
                    self.problems.append(Problem(place.rstrip(), error))
                    continue
                size, sha256 = entry.get("size"), entry.get("sha256")
                found.append(
                    SearchResult(
                        index.kind[:-1],
                        artefact,
                        name,
                        version,
                        tag,
                        size if isinstance(size, int) else None,
                        sha256 if isinstance(sha256, str) else None,
                    )
                )
        return sorted(found)

    def _chosen(self, filenames: Iterable[str]) -> list[str]:
        """Return the file names of eggs that are asked for."""
        names = [name for name in filenames if name.casefold().startswith(self._begin)]
        chosen = [name for name in names if self._takes(*split_filename(name))]
        if not self._has_matched:
            self._names.update(name.rsplit("-", 2)[0] for name in filenames)
        return chosen

    def _takes(self, name: str, version: str) -> bool:
        """Whether something is asked for; what is not may be what was meant."""
        if not self.requirement.takes_name(name):
            if not self._has_matched:
                self._names.add(name)
            return False
        self._has_matched = True
        if self.requirement.takes_version(version):
            return True
        self._others.add((name, version))
        return False

    def _eggs(self, index: IndexOf, entries: Mapping[str, Any]) -> Iterator[_Entry]:
        for filename, entry in entries.items():
            (name, version), tag = split_filename(filename), tag_of(entry)
            self._see(tag)
            yield name, version, tag, entry, partial(index.platform.egg, tag, name, version)

    def _runtimes(self, index: IndexOf, entries: Mapping[str, Any]) -> Iterator[_Entry]:
        is_old = index.platform._session.api_version == 0
        dialect = DIALECTS[index.platform._session.api_version]
        for selector, version, entry in dialect.runtime_entries(entries):
            name = str(entry.get("language") or "python") if is_old else selector or ""
            tag = selector if is_old else python_tag_of(name, version)
            self._see(tag)
            if self._takes(name, version) and self.python_tag in (None, tag):
                make = partial(index.platform.runtime, selector, version)
                yield name, version, tag, entry, make

    def _nested(self, index: IndexOf, entries: Mapping[str, Any]) -> Iterator[_Entry]:
        """Pick apps or bundles."""
        platform = index.platform
        handle: Callable[..., Any] = platform.app if index.kind == "apps" else platform.bundle
        for (tag, name, upstream, build), entry in leaves(entries, 4):
            version, own = f"{upstream}-{build}", None if tag.lower() == NO_TAG else tag
            self._see(own)
            if self._takes(name, version) and self.python_tag in (None, NO_TAG, own or NO_TAG):
                yield name, version, own, entry, partial(handle, tag, name, version)

    def _see(self, tag: str | None) -> None:
        if tag is not None:
            self.tags.update(part for part in tag.lower().split(".") if part != NO_TAG)

    def advice(self, where: str = "") -> str:
        """Say what there is, where nothing is as it was asked for."""
        name, where = self.requirement.name, where and f" on {where}"
        if not self._has_matched:
            meant = question(alike(name, sorted(self._names)))
            return f"Nothing is called '{name}'{where}. {meant}".rstrip()
        if not self._others:
            return f"What is called '{name}'{where} is not for '{self.python_tag}'."
        versions = sorted({version for _, version in self._others}, key=built_key)[-_NAMED:]
        told = f"No version of '{name}'{where} satisfies '{self.requirement}'. There are: "
        told += f"{', '.join(versions)}."
        named = [version for version in versions if is_prerelease(version)]
        if not named or self.requirement.names_prereleases:
            return told
        example = f"{name}>={upstream_of(named[-1])}"
        return f"{told} Pre-releases are found where a comparison names one: '{example}'."


class _Search:
    """One search: which indices there are to read, and what became of each."""

    def __init__(
        self,
        place: Searchable,
        text: str,
        python_tag: str | None,
        platform: str | None,
        kind: str | Iterable[str] | None,
    ) -> None:
        self._place = place
        self._names = tuple(place._names.values())
        self._kinds = None if kind is None else _checked_kinds(kind)
        self._platform = _checked_platform(platform, place._names)
        self.finder = Finder(text, None if python_tag is None else _checked_tag(python_tag))
        self.problems: list[Problem] = []
        self._repositories: list[tuple[str, str]] = []
        self._platforms: list[str] = []
        #: Tags of implementations; and others, whose eggs the indices of these show, too.
        self._tags: set[str] = set()
        self._shared: set[str] = set()
        self._shadows = Shadows()
        self._items: dict[IndexOf, Item[Any]] = {}
        self._hidden: dict[tuple[SinglePlatformRepository, str], HatcherException] = {}
        self._given: set[Artefact] = set()
        self._unknown_tag = ""
        self._lock = threading.Lock()

    def run(self, pool: WorkerPool, put: Callable[[SearchResult], None]) -> None:
        """Read all indices, and put what is found."""
        if self._kinds is None:
            self._kinds = _checked_kinds(KINDS if self._place._session.api_version else KINDS[:-1])
        lists = [self._list_repositories, self._list_platforms, self._list_tags]
        if len(self._names) < 2:
            expect(LARGE_TEXT)  # of all indices together
            lists.append(self._prepare)  # while the others are on their way
        pool.each(lists, lambda ask, _: ask())
        others = () if self._names else (self._list_others,)
        while todo := [*others, *self._wanted()]:
            if len(todo) > _MANY:
                self._prepare()
            others = ()
            attempts = Attempts((AuthenticationError,), AT_ONCE)
            pool.each(todo, partial(self._do, attempts, put))
        self._judge()

    def _prepare(self) -> None:
        """Import what reading many indices takes."""
        self._place._session.prepare_for_indices()
        built_key("1.0-1")  # which takes okonomiyaki

    # -- what there is ----------------------------------------------------------------

    def _list_repositories(self) -> None:
        match self._names:
            case [organization, repository, *_]:
                self._repositories = [(organization, repository)]
            case [organization]:
                names = existing_repositories(self._place, organization, indexable=True)
                self._repositories = [(organization, name) for name in sorted(names)]
            case _:
                self._add(available_repositories(self._place, indexable=True))

    def _list_others(self) -> None:
        """List those of which only an administrator is told."""
        self._add(administered_repositories(self._place))

    def _add(self, names: Iterable[str]) -> None:
        pairs = {(o, r) for o, _, r in (name.partition("/") for name in names)}
        self._repositories += sorted(pairs.difference(self._repositories))

    def _list_platforms(self) -> None:
        wanted = self._platform
        if wanted is not None and not is_pattern(wanted):
            self._platforms = [wanted]
            return
        known = self._place._list("list_platforms", "platforms")
        pattern = _plain(wanted or "*")
        self._platforms = [name for name in known if fnmatchcase(_plain(name), pattern)]
        if not self._platforms:
            raise InvalidArgumentError(
                f"No platform of {self._place._session.server} is like '{wanted}'. There are: "
                f"{', '.join(known)}."
            )

    def _list_tags(self) -> None:
        if self.finder.python_tag is not None:
            self._tags = {self.finder.python_tag}
        elif "eggs" in (self._kinds or ()):
            listed = self._listed_tags("") | self._listed_tags("all_")
            self._shared = {tag for tag in listed if tag.startswith("py")} | {NO_TAG}
            self._tags = listed - self._shared

    def _listed_tags(self, which: str) -> set[str]:
        tags = self._place._list(f"list_{which}python_tags", "python_tags")
        return {tag.lower() for tag in tags}

    def _wanted(self) -> list[IndexOf]:
        """Return the indices that are to be read, as far as that is known by now."""
        tags = sorted(self._tags)
        if self.finder.python_tag is None:
            tags = sorted(self._tags | (self.finder.tags - self._shared))
        lonely = {tag for tag in self._shared if all(rank(tag, own) is None for own in tags)}
        new = []
        for organization, repository in self._repositories:
            for name in self._platforms:
                platform = self._place._platform_at(organization, repository, name)
                for kind in self._kinds or ():
                    hidden = (t for t in self._shared if self._shadows.may_hide(platform, t))
                    asked = [*tags, *sorted(lonely.union(hidden))] if kind == "eggs" else [None]
                    new += [IndexOf(platform, kind, tag) for tag in asked]
        new = [index for index in new if index not in self._items]
        self._items.update({i: Item(Path(str(i.platform), i.kind)) for i in new})
        return new

    # -- reading ----------------------------------------------------------------------

    def _do(
        self,
        attempts: Attempts,
        put: Callable[[SearchResult], None],
        task: IndexOf | Callable[[], None],
        counter: ByteCounter,
    ) -> None:
        if isinstance(task, IndexOf):
            attempts.attempt(self._items[task], counter, lambda: self._read(task, put))
        else:
            task()

    def _read(self, index: IndexOf, put: Callable[[SearchResult], None]) -> None:
        """Read an index, unless it is known that there is none."""
        place = index.platform, index.kind
        try:
            if place in self._hidden:
                raise self._hidden[place]
            found = self.finder.read(index)
        except HIDDEN as error:
            # It will be no other with the other tags.
            self._hidden[place] = error
            raise
        except BadRequestError:
            if index.python_tag in {None, *self._tags, *self._shared}:
                raise
            return  # of a tag that something else has, and the server has no eggs for
        names: dict[str | None, list[str]] = {}
        for result in found:
            names.setdefault(result.python_tag, []).append(f"{result.name}-{result.version}")
        with self._lock:
            if index.kind == "eggs":
                self._shadows.note(index.platform, index.python_tag, names, self._shared)
            new = [result for result in found if result.artefact not in self._given]
            self._given.update(result.artefact for result in new)
        for result in new:
            put(result)

    def _judge(self) -> None:
        """Note what could not be read; raise why, where that is everything."""
        answers = {index: item.error for index, item in self._items.items()}
        failed = [error for error in answers.values() if error is not None]
        eggs = [error for index, error in answers.items() if index.kind == "eggs"]
        may_be_unknown = not self._given and all(
            isinstance(error, BadRequestError) for error in failed
        )
        if eggs and may_be_unknown and (tag := self.finder.python_tag):
            known = self._listed_tags("all_") | {NO_TAG}
            if tag not in known:
                meant = question(alike(tag, sorted(known)))
                self._unknown_tag = f"The server knows no python tag '{tag}'. {meant}".rstrip()
            if all(isinstance(error, BadRequestError) for error in eggs):
                raise InvalidArgumentError(self._unknown_tag or str(eggs[0])) from eggs[0]
        refused = [error for error in failed if isinstance(error, AuthenticationError)]
        if refused or (failed and len(failed) == len(answers)):
            error = (refused or failed)[0]
            if isinstance(error, NotFoundError):
                # Asked again, the server is also asked which of the names is wrong.
                self.finder.read(next(iter(answers)), may_be_missing=False)
            raise error
        self.problems = [*problems_of(answers), *self.finder.problems]

    @property
    def advice(self) -> str:
        """What there is, where nothing is as it was asked for."""
        if self._given:
            return ""
        if not self._items:
            return "There is no repository that you may see."
        return f"{self.finder.advice()} {self._unknown_tag}".rstrip()


def search(place: Searchable, *asked: Any) -> SearchResults:
    """Search a place; see `Searchable.search`."""
    return SearchResults(_Search(place, *asked))


def latest(
    platform: SinglePlatformRepository, name: str | None, python_tag: str | None, kind: str
) -> Artefact:
    """Return the newest artefact of a name, or any; see `SinglePlatformRepository.latest`."""
    (plural,) = _checked_kinds(kind)
    tag = python_tag
    if python_tag is not None or plural == "eggs":
        tag = _checked_tag(NO_TAG if python_tag is None else python_tag)
    finder = Finder("*" if name is None else name, tag)
    if finder.requirement.is_pattern and name is not None:
        raise InvalidArgumentError(f"'{name}' may be several. Give the name of one.")
    index = IndexOf(platform, plural, tag if plural == "eggs" else None)
    found = finder.read(index, may_be_missing=False)
    if not found:
        raise NoMatchError(finder.advice(str(platform)))
    return max(found).artefact


def _checked_kinds(kind: str | Iterable[str]) -> tuple[str, ...]:
    """Return which indices there are to read."""
    kinds = (kind,) if isinstance(kind, str) else tuple(kind)
    for one in kinds:
        if one not in KINDS:
            meant = question(alike(one, KINDS)) if isinstance(one, str) else ""
            raise InvalidArgumentError(
                f"There is no kind {one!r}. {meant or 'Choose of: ' + ', '.join(KINDS)}"
            )
    if not kinds:
        raise InvalidArgumentError(f"No kind is given. Choose of: {', '.join(KINDS)}")
    return tuple(f"{one}s" for one in KINDS if one in kinds)


def _checked_tag(python_tag: str) -> str:
    try:
        return check_tag(python_tag).lower()
    except ValueError as error:
        raise InvalidArgumentError(f"{error}.") from error


def _checked_platform(platform: str | None, place: Mapping[str, str]) -> str | None:
    if platform is None:
        return place.get("platform")
    if not isinstance(platform, str) or not platform.strip() or not all_show(platform):
        told = repr(platform) if isinstance(platform, str) else f"a {type(platform).__name__}"
        raise InvalidArgumentError(
            f"platform cannot be {told}. Give a name such as 'rh8-x86_64', or a pattern such as "
            "'rh8-*'."
        )
    if "platform" in place:
        raise InvalidArgumentError(
            f"The search is on the platform '{place['platform']}' already. Leave the `platform` "
            "argument out, or search the repository."
        )
    return platform


def _plain(platform: str) -> str:
    return platform.lower().replace("_", "-")
