"""Which side is meant by what a user gives; and writing down what it has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from hatcher.core.organization import Organization
from hatcher.core.places import Problem
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.errors import InvalidArgumentError, InvalidNameError
from hatcher.mirror.contents import DOCUMENTS
from hatcher.mirror.folder import Folder
from hatcher.mirror.layout import Kind, repositories_in
from hatcher.mirror.listed import Archive, Listed
from hatcher.mirror.manifests import Entry, Manifest, kind_at, now, read_manifest
from hatcher.mirror.records import Held, Options
from hatcher.mirror.selection import usual_selection
from hatcher.mirror.server import Place, Server
from hatcher.mirror.sides import LEVELS, Side, identify_all, read_state
from hatcher.transfer.batch import checked_concurrency
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Progress

#: What may stand at either side of a mirror.
SideLike: TypeAlias = Place | Side | Manifest | str | os.PathLike[str]


def side_of(given: SideLike) -> Side:
    """Return the side that is meant.

    Parameters
    ----------
    given : Organization, Repository, SinglePlatformRepository, Side, Manifest, str or path-like
        A path is that of the folder of an export, of an archive, or of a manifest (``.json``).

    Raises
    ------
    InvalidArgumentError
        It is none.
    """
    if isinstance(given, Side):
        return given
    if isinstance(given, Organization | Repository | SinglePlatformRepository):
        return Server(given)
    if isinstance(given, Manifest):
        return Listed(given)
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if not os.path.isfile(given):  # noqa: PTH113 - takes any path
            return Folder(given)
        return Listed(read_manifest(path)) if path.suffix == ".json" else Archive(path)
    raise InvalidArgumentError(
        f"{given!r} is no side of a mirror. Give an organization, a repository or a platform of "
        "one, a folder or an archive."
    )


def pair_of(source: SideLike, target: SideLike) -> tuple[Side, Side]:
    """Return the two sides, each with what it takes of the other one.

    Parameters
    ----------
    source, target
        As for `side_of`.

    Raises
    ------
    InvalidArgumentError
        They cannot be compared.
    """
    here, there = side_of(source), side_of(target)
    names = here.names or there.names
    if names is None:
        raise InvalidArgumentError(
            "Two folders cannot be compared without a place. Say which one: "
            "Folder('backup', 'acme/dev')."
        )
    version = there.version if here.api_version is None else here.api_version
    here, there = here.beside(names, version), there.beside(names, version)
    levels = {len(side.names or ()) for side in (here, there)}
    if len(levels) > 1:
        raise InvalidArgumentError(
            f"{here} and {there} cannot be compared. Give two organizations, two repositories or "
            "two platforms."
        )
    if not levels & LEVELS.keys():
        raise InvalidArgumentError(
            f"{here} says nothing of what place it is. Give one of a single place."
        )
    return here, there


def manifest(
    end: SideLike,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write down what a side has: each artefact with its sha256.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of a server, and likewise for runtimes, apps and bundles; what an index
    says no hash of, as of apps and bundles, is asked for one by one. Of a folder, every file is
    read.

    A manifest can be carried to where the side cannot be reached, and stand there for it: as the
    target of a `plan`, as what a `pack` is to be made for, or as the source of a `verify`.

    Parameters
    ----------
    end : Organization, Repository, SinglePlatformRepository, Folder, str or path-like
        A place on a server, the folder of an export, or an archive.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    concurrency : int, optional
        How many questions or files at once at most, 64 by default.
    progress : Progress, optional
        Is told of the bytes that are hashed.

    Returns
    -------
    Manifest
        What could not be read is among its problems.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used.
    HatcherException
        The side could not be read at all.

    Examples
    --------
    >>> mirror.manifest(repository).write('state.json')
    >>> mirror.read_manifest('state.json') == mirror.manifest(repository)
    True
    """
    options = Options(checked_concurrency(concurrency), progress)
    side = side_of(end)
    selection = usual_selection(side.version, kinds, platforms, python_tags, names)
    is_all = isinstance(side, Folder) and side.names is None
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    read = selection
    for one in organizations_in(side) if isinstance(side, Folder) and is_all else [side]:
        state = read_state(one, selection, options.concurrency)
        problems += state.problems + identify_all(one, state.held, options)
        entries |= entries_of(one, state.held, problems)
        read = selection if is_all else state.selection
    version = None if is_all else side.version
    return Manifest(str(side), side.names or (), version, read, entries, now(), tuple(problems))


def entries_of(side: Side, held: Mapping[str, Held], problems: list[Problem]) -> dict[str, Entry]:
    """Return what a manifest says of artefacts that have hashes.

    Parameters
    ----------
    side : Side
    held : mapping of str to Held
    problems : list of Problem
        What cannot stand in a manifest is added.
    """
    known: dict[str, Kind] = {}
    entries: dict[str, Entry] = {}
    for path, one in held.items():
        if one.sha256 is None:
            continue
        try:
            kind = kind_at(f"{side.prefix}{path}", known)
            sha256 = None
            if kind in DOCUMENTS and isinstance(side, Folder):
                sha256 = file_sha256(one.origin)
        except (InvalidNameError, OSError) as error:
            problems.append(Problem(f"{side.prefix}{path}", error))
        else:
            entries[f"{side.prefix}{path}"] = Entry(kind, one.sha256, one.size, sha256)
    return entries


def organizations_in(folder: Folder) -> list[Folder]:
    """Return the organizations in a folder, of each version of the API."""
    return [
        Folder(folder.root, organization, api_version=version)
        for version in (0, 1)
        if os.path.isdir(folder.root / f"v{version}")  # noqa: PTH112 - takes any path
        for organization in sorted({pair[0] for pair in repositories_in(folder.root, version)})
    ]
