"""What belongs to a bundle, its runtime and every egg that it requires, and where all that is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from attrs import asdict, frozen

from hatcher.artefacts.bundle import BundleDocument, bundle_document, read_bundle
from hatcher.artefacts.platforms import usual_platform
from hatcher.artefacts.python_tags import tag_of
from hatcher.core.artefact import FileArtefact
from hatcher.core.batches.downloads import ListedFile, listed_egg
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.dialects import DIALECTS
from hatcher.core.places import HIDDEN, Problem, documents_of, lines_of
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.repository import Repository
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    InvalidBundle,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.contents import document_of
from hatcher.mirror.layout import Kind
from hatcher.mirror.records import Options
from hatcher.tables import brief, first_lines
from hatcher.transfer.batch import ByteCounter, checked_concurrency
from hatcher.transfer.hashing import normalized_sha256

#: What stands for a bundle: one on a server, a file, or its document.
AnyBundle: TypeAlias = Bundle | str | os.PathLike[str] | Mapping[str, Any]

#: Where to look: in a repository, or in those of a server that a bundle names.
Where: TypeAlias = Repository | SinglePlatformRepository | BroodClient

#: Whether a server has what a bundle names; the best comes first.
Presence: TypeAlias = Literal["present", "disabled", "different", "missing"]
PRESENCES: tuple[Presence, ...] = get_args(Presence)

#: What is said of a kind to people.
SINGULAR: dict[Kind, str] = {
    "eggs": "egg",
    "runtimes": "runtime",
    "apps": "app",
    "bundles": "bundle",
}


@frozen
class BundleEntry:
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

    state: Presence
    kind: Kind
    name: str
    version: str
    repository: str | None = None
    sha256: str | None = None
    actual: str | None = None

    def __str__(self) -> str:
        what = f"{self.state}: {SINGULAR[self.kind]} {self.name} {self.version}"
        if self.repository is None:
            return f"{what}, of which the bundle names no repository"
        where = f"{what} in {self.repository}"
        if self.state != "different":
            return where
        return f"{where} has the sha256 {self.actual}, and not {self.sha256}"


@frozen(repr=False)
class BundleCheck:
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

    bundle: str
    entries: tuple[BundleEntry, ...]
    problems: tuple[Problem, ...] = ()

    def those(self, state: Presence) -> tuple[BundleEntry, ...]:
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
            "entries": [asdict(entry) for entry in self.entries],
            "problems": documents_of(self.problems),
        }

    def __bool__(self) -> bool:
        return len(self.those("present")) == len(self.entries)

    __repr__ = brief

    def __str__(self) -> str:
        counts = Counter(entry.state for entry in self.entries)
        parts = [f"{counts[state]} {state}" for state in PRESENCES if counts[state]]
        number = len(self.entries)
        artefacts = f"{number} artefact{'' if number == 1 else 's'}"
        lines = [f"{self.bundle}: {artefacts}: {', '.join(parts)}"]
        lines += first_lines([str(one) for one in self.entries if one.state != "present"])
        return "\n".join([*lines, *lines_of(self.problems)])


def check_bundle(
    bundle: AnyBundle, place: Where | None = None, *, concurrency: int | None = None
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
        How many questions at once at most, 64 by default.

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
    options = Options(checked_concurrency(concurrency))
    where = place_of(bundle, place)
    closure = closure_of(bundle)
    return checked(closure, *sought(closure, where, options))


def checked(closure: Closure, found: list[Found], problems: list[Problem]) -> BundleCheck:
    """Return what was found as users see it."""
    entries = tuple(
        BundleEntry(
            one.state,
            one.need.kind,
            one.need.name,
            one.need.version,
            one.repository,
            one.need.sha256,
            one.listed and one.listed.sha256,
        )
        for one in found
    )
    return BundleCheck(str(closure.bundle or closure.name), entries, tuple(problems))


# -- what belongs to it ----------------------------------------------------------------------


class Need(NamedTuple):
    """An artefact that a bundle names.

    Attributes
    ----------
    kind : {'eggs', 'runtimes'}
    name : str
        Of the egg, or the runtime's implementation; capital letters do not count.
    version : str
        The full version.
    sha256 : str or None
        None where the document does not say: then any will do.
    repositories : tuple of str
        Where the document says that it is, such as ``acme/dev``.
    """

    kind: Kind
    name: str
    version: str
    sha256: str | None
    repositories: tuple[str, ...]

    def __str__(self) -> str:
        return f"{SINGULAR[self.kind]} {self.name} {self.version}"


class Closure(NamedTuple):
    """A bundle, and what belongs to it.

    Attributes
    ----------
    name : str
        For people; the name of its file, where it has one.
    python_tag : str
        Of its runtime.
    platform : str
        Such as ``rh8-x86_64``.
    document : dict
    needs : tuple of Need
        The runtime first, each once.
    bundle : Bundle or None
        What it is on a server.
    path : pathlib.Path or None
        Its file.
    content : bytes or None
        What is to stand in its file, where it is on a server.
    """

    name: str
    python_tag: str
    platform: str
    document: dict[str, Any]
    needs: tuple[Need, ...]
    bundle: Bundle | None = None
    path: Path | None = None
    content: bytes | None = None


def closure_of(bundle: AnyBundle) -> Closure:
    """Return what belongs to a bundle, as its document says.

    Of one on a server: ``GET
    /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

    Parameters
    ----------
    bundle : Bundle, str, path-like or mapping

    Raises
    ------
    InvalidBundle
        Something that it names cannot be understood; or there is no such file.
    NotFoundError
        There is no such bundle on the server, or it may not be seen.
    """
    if isinstance(bundle, Bundle):
        document, text = document_of(bundle)
        what = str(bundle)
        content = bundle_document(document, what)
        name = bundle.canonical_filename
        made = _closure(name, content, what, bundle._names["platform"])
        return made._replace(bundle=bundle, content=text)
    if isinstance(bundle, Mapping):
        return _closure("the bundle", bundle_document(dict(bundle), "The document"), "The document")
    if not isinstance(bundle, str | os.PathLike):
        raise InvalidArgumentError(
            f"{bundle!r} is no bundle. Give one of a server, such as platform.bundle(…), or the "
            "path of a file."
        )
    file = read_bundle(bundle)
    return _closure(file.path.name, file.content, f"'{file.path}'")._replace(path=file.path)


def _closure(name: str, content: BundleDocument, what: str, platform: str | None = None) -> Closure:
    if content.python_tag is None:
        raise InvalidBundle(
            f"The runtime of {what} is no Python that has a tag, so that it cannot be said which "
            "eggs are for it. Give the implementation 'cpython' or 'pypy', and a version such as "
            "'3.8.17'."
        )
    return Closure(
        name,
        content.python_tag,
        platform or usual_platform(content.platform),
        content.document,
        tuple(dict.fromkeys(_needs(content.document, what))),
    )


def _needs(document: Mapping[str, Any], what: str) -> list[Need]:
    runtime = document["runtime"]
    name, version = runtime["implementation"], runtime["version"]
    sha256 = _sha256(runtime, f"The runtime of {what}")
    needs = [Need("runtimes", name, version, sha256, _repositories(runtime, document, "runtimes"))]
    for number, required in enumerate(document.get("requirements") or (), 1):
        sha256 = _sha256(required, f"Requirement {number} of {what}")
        places = _repositories(required, document, "packages")
        needs.append(Need("eggs", required["name"], required["version"], sha256, places))
    return needs


def _sha256(named: Mapping[str, Any], which: str) -> str | None:
    sha256 = named.get("sha256")
    if sha256 is None:
        return None
    try:
        return normalized_sha256(sha256)
    except InvalidArgumentError as error:
        raise InvalidBundle(
            f"{which} has the sha256 {sha256!r}, which is none. Make the bundle anew."
        ) from error


def _repositories(
    named: Mapping[str, Any], document: Mapping[str, Any], part: str
) -> tuple[str, ...]:
    """Return where the document says that something is: by itself, or for all of its kind."""
    own = named.get("repository")
    if isinstance(own, str) and own:
        return (own,)
    all_of_them = document.get("repositories") or []
    if isinstance(all_of_them, Mapping):  # by what they have
        all_of_them = all_of_them.get(part) or []
    if not isinstance(all_of_them, Sequence) or isinstance(all_of_them, str):
        return ()
    return tuple(name for name in all_of_them if isinstance(name, str) and name)


# -- looking for it --------------------------------------------------------------------------


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


#: An index to read.
_Shelf: TypeAlias = tuple[SinglePlatformRepository, Kind]

#: The name of a file, and what an index says of it.
_Entry: TypeAlias = tuple[str, Mapping[str, Any]]


def sought(closure: Closure, place: Where, options: Options) -> tuple[list[Found], list[Problem]]:
    """Look for everything that a bundle names, in the indices, and then one by one.

    Returns
    -------
    list of Found
        The best of what there is of each.
    list of Problem
        The places that cannot be read.

    Raises
    ------
    HatcherException
        The place that was given cannot be read.
    """
    places = {need: _platforms(need, closure, place) for need in closure.needs}
    pairs = [(need, on) for need, platforms in places.items() for on in platforms]
    shelves = list(dict.fromkeys((on, need.kind) for need, on in pairs))
    entries: dict[_Shelf, dict[str, _Entry]] = {}
    problems: dict[_Shelf, HatcherException] = {}
    found: dict[tuple[Need, SinglePlatformRepository], Found] = {}

    def read(shelf: _Shelf, _: ByteCounter) -> None:
        wanted = {_key(need) for need in closure.needs if need.kind == shelf[1]}
        try:
            said = _entries_in(shelf, closure.python_tag)
            entries[shelf] = {key: entry for key, entry in said if key in wanted}
        except HIDDEN as error:
            if not isinstance(place, BroodClient):
                raise
            problems[shelf] = error

    def look(pair: tuple[Need, SinglePlatformRepository], _: ByteCounter) -> None:
        need, on = pair
        entry = entries.get((on, need.kind), {}).get(_key(need))
        is_told = (on, need.kind) in problems or (entry is None and need.kind == "runtimes")
        looked_at = None if is_told else _look(need, on, closure.python_tag, entry)
        found[pair] = looked_at or _missing(need, on, closure.python_tag)

    options.each(shelves, read)
    options.each(pairs, look)
    best = []
    for need, platforms in places.items():
        there = [found[need, on] for on in platforms]
        there = there or [_missing(need, None, closure.python_tag)]
        best.append(min(there, key=lambda one: PRESENCES.index(one.state)))
    told = [
        Problem(f"{on} {kind}", problems[on, kind])
        for on, kind in shelves
        if (on, kind) in problems
    ]
    return best, told


def _look(
    need: Need, on: SinglePlatformRepository, python_tag: str, listed: _Entry | None
) -> Found | None:
    """Return what a server has, given what its index says; what that does not say is asked for."""
    filename, entry = listed or (None, {})
    is_shown = listed is not None
    if not isinstance(entry.get("sha256"), str):
        metadata = _handle(need, on, python_tag, filename)._found()
        if metadata is None:
            return None
        is_shown = metadata.get("enabled", is_shown)
        filename = filename or metadata.get("filename") or f"{need.name}-{need.version}.egg"
        entry = {**entry, **metadata}
    artefact = _handle(need, on, python_tag, filename)
    there = ListedFile.of(artefact, {**entry, "sha256": artefact._sha256_in(entry)})
    state: Presence = "present" if is_shown else "disabled"
    if need.sha256 not in (None, there.sha256):
        state = "different"
    tag = tag_of(entry) if need.kind == "eggs" else None
    return Found(need, state, on, there, filename or "", tag)


def _missing(need: Need, on: SinglePlatformRepository | None, python_tag: str) -> Found:
    return Found(need, "missing", on, None, "", python_tag if need.kind == "eggs" else None)


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
