"""What a mirror is made between: a place on a server, or a folder in the layout of an export."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from hatcher.artefacts.bundle import read_bundle
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.organization import Organization
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.layout import files_in, parse, platforms_in, repositories_in
from hatcher.mirror.reading import Offer, read
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.transfer.hashing import file_sha256

#: A place on a server.
Place: TypeAlias = Organization | Repository | SinglePlatformRepository


class Held(NamedTuple):
    """An artefact that one end has.

    Attributes
    ----------
    size : int or None
        In bytes; None when nobody says.
    sha256 : callable
        Returns its sha256; of a bundle, that of its document however it is written. It may read
        the file, or ask the server.
    wrong : HatcherException or None
        Why it cannot be had.
    """

    size: int | None
    sha256: Callable[[], str]
    wrong: HatcherException | None = None


class State(NamedTuple):
    """What one end has.

    Attributes
    ----------
    held : dict of str to Held
        By the path below the end, such as ``rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg`` below a
        repository.
    problems : list of Problem
        What could not be read.
    """

    held: dict[str, Held]
    problems: list[Problem]


def names_of(place: Place) -> tuple[str, ...]:
    """Return the names that lead to a place: organization, repository, platform."""
    return tuple(place._names.values())


def state_of_place(place: Place, selection: Selection, concurrency: int | None) -> State:
    """Read what a server has at a place.

    Parameters
    ----------
    place : Organization, Repository or SinglePlatformRepository
    selection : Selection
        Its repositories and, for a single platform, its platforms are not looked at.
    concurrency : int or None

    Raises
    ------
    HatcherException
        Nothing at all could be read.
    """
    if isinstance(place, Organization):
        pairs = tuple((place.name, name) for name in place.list_repositories())
    elif isinstance(place, Repository):
        pairs = ((place.organization_name, place.name),)
    else:
        pairs = ((place.organization_name, place.repository_name),)
        selection = selection._replace(platforms=(place.name,))
    if not pairs:
        return State({}, [])
    found = read(BroodClient(place._session), selection._replace(repositories=pairs), concurrency)
    depth = 1 + len(names_of(place))
    return State(
        {_below(offer.location.path, depth): _held(offer) for offer in found.offers},
        found.problems,
    )


def state_of_folder(
    root: str | os.PathLike[str], names: tuple[str, ...], api_version: int, selection: Selection
) -> State:
    """Read what a folder holds of a place; nothing when there is no such folder yet.

    Parameters
    ----------
    root : str or path-like
    names : tuple of str
        The names that lead to the place.
    api_version : int
    selection : Selection
        Its repositories are not looked at.

    Raises
    ------
    InvalidArgumentError
        The folder cannot be read.
    """
    folder = Path(root)
    state = State({}, [])
    if not (folder / f"v{api_version}").is_dir():
        return state
    for organization, repository in repositories_in(folder, api_version):
        for platform in platforms_in(folder, api_version, organization, repository):
            place = (organization, repository, platform)
            if place[: len(names)] != names or not _is_among(platform, selection.platforms):
                continue
            for kind in selection.kinds:
                for path in files_in(folder, api_version, *place, kind):
                    _add(state, folder, path, selection, 1 + len(names))
    return state


def _add(state: State, root: Path, path: Path, selection: Selection, depth: int) -> None:
    location = parse(path.relative_to(root).as_posix())
    tag = location.python_tag
    if location.kind == "runtimes":
        implementation, _, version = location.filename.partition("-")
        if not selection.takes_runtime(implementation, version):
            return
    elif location.kind == "eggs":
        if not selection.takes_egg(tag):
            return
    elif tag is not None and not _is_among(tag, selection.python_tags):
        return
    key = _below(location.path, depth)
    digest = _document_digest_of_file if location.kind == "bundles" else file_sha256
    held = Held(path.stat().st_size, lambda: digest(path))
    if key in state.held and state.held[key].sha256() != held.sha256():
        raise InvalidArgumentError(
            f"'{path}' and another file in '{root}' would be one artefact, and they differ. Keep "
            "only the right one."
        )
    state.held[key] = held


def _held(offer: Offer) -> Held:
    listed = offer.listed
    if isinstance(listed, HatcherException):
        return Held(None, _raising(listed), listed)
    if isinstance(listed, Bundle):
        return Held(None, lambda: _document_digest(json.loads(listed._content())))
    return Held(listed.size, lambda: listed.sha256 or listed.artefact.sha256())


def _raising(error: HatcherException) -> Callable[[], str]:
    def sha256() -> str:
        raise error

    return sha256


def _document_digest_of_file(path: Path) -> str:
    return _document_digest(read_bundle(path).content.document)


def _document_digest(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _below(path: str, depth: int) -> str:
    return "/".join(path.split("/")[depth:])


def _is_among(name: str, wanted: tuple[str, ...] | None) -> bool:
    return wanted is None or name in wanted
