"""Artefacts that were chosen one by one, as an end; and a target that is asked for them alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import App
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.eggs import Egg
from hatcher.core.repository import Repository
from hatcher.core.runtimes import Runtime
from hatcher.errors import HatcherException
from hatcher.mirror.documents import digest, document_of
from hatcher.mirror.ends.base import End
from hatcher.mirror.ends.place import Remote
from hatcher.mirror.layout import Kind, Location
from hatcher.mirror.reading import tag_of
from hatcher.mirror.selection import Selection
from hatcher.mirror.states import Held, State
from hatcher.transfer.batch import Crew, Tally
from hatcher.transfer.progress import Progress

#: What can be promoted.
Promotable: TypeAlias = Egg | Runtime | App | Bundle

_KINDS: dict[type[Promotable], Kind] = {
    Egg: "eggs",
    Runtime: "runtimes",
    App: "apps",
    Bundle: "bundles",
}


class Piece(NamedTuple):
    """An artefact that is to be copied.

    Attributes
    ----------
    kind : {'eggs', 'runtimes', 'apps', 'bundles'}
    path : str
        Below the repositories.
    artefact : Egg, Runtime, App or Bundle
        What it is at the source.
    python_tag : str or None
        Its own.
    sha256 : str
        Of documents, that of the document.
    size : int or None
    """

    kind: Kind
    path: str
    artefact: Promotable
    python_tag: str | None
    sha256: str
    size: int | None

    def at(self, repository: Repository) -> Promotable:
        """Return what it is in another repository: by its own tag."""
        platform = repository.platform(self.path.partition("/")[0])
        names = self.artefact._names
        tag = "none" if self.python_tag is None else self.python_tag
        if self.kind == "eggs":
            return platform.egg(tag, names["name"], names["version"])
        if self.kind == "runtimes":
            return platform.runtime(names["implementation"], names["version"])
        if self.kind == "apps":
            return platform.app(tag, names["app_id"], names["version"])
        return platform.bundle(tag, names["name"], names["version"])


def piece_of(artefact: Promotable) -> Piece:
    """Ask the source what an artefact is.

    Parameters
    ----------
    artefact : Egg, Runtime, App or Bundle

    Raises
    ------
    NotFoundError
        It does not exist, or may not be seen.
    HatcherException
        It is disabled, or the server says too little of it.
    """
    kind = _KINDS[type(artefact)]
    if isinstance(artefact, App | Bundle):
        document, content = document_of(artefact)
        tag = None if artefact.python_tag.lower() == "none" else artefact.python_tag
        filename = (
            artefact.canonical_filename
            if isinstance(artefact, Bundle)
            else f"{artefact.app_id}-{artefact.version}.yaml"
        )
        path = path_of(artefact, kind, tag, filename)
        return Piece(kind, path, artefact, tag, digest(document), len(content))
    metadata: Mapping[str, Any] = artefact.metadata()
    filename = metadata.get("filename") or _filename(artefact)
    size = metadata.get("size")
    tag = None
    if isinstance(artefact, Egg):
        if metadata.get("enabled") is False:
            raise HatcherException(
                f"{home_of(artefact)} does not show {filename}, which is disabled there, so nothing "
                "was sent. Enable it first, with reindex or hatcher eggs update-index."
            )
        tag = tag_of(metadata) if "python_tag" in metadata else artefact.python_tag
    return Piece(
        kind,
        path_of(artefact, kind, tag, filename),
        artefact,
        tag,
        artefact._sha256_in(metadata),
        size if isinstance(size, int) else None,
    )


def _filename(artefact: Egg | Runtime) -> str:
    if isinstance(artefact, Egg):
        return f"{artefact.name}-{artefact.version}.egg"
    return f"{artefact._names['implementation']}-{artefact.version}.runtime"


def path_of(artefact: Promotable, kind: Kind, python_tag: str | None, filename: str) -> str:
    """Return the path below a repository.

    Raises
    ------
    InvalidNameError
        There can be no file that is called so.
    """
    names = artefact._names
    location = Location(
        1,
        names["organization"],
        names["repository"],
        usual_platform(names["platform"]),
        kind,
        python_tag,
        filename,
    )
    return location.below(Path()).as_posix().split("/", 3)[3]


class Chosen(End):
    """What was chosen, from wherever it is.

    Parameters
    ----------
    pieces : list of Piece
    target : Repository
        Whose names it takes, so that the two can be compared.
    """

    def __init__(self, pieces: list[Piece], target: Repository) -> None:
        self._pieces = pieces
        self._target = target

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the target."""
        return self._target.organization_name, self._target.name

    @property
    def api_version(self) -> int:
        """The version of the API."""
        return self._target._session.api_version

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Return what was chosen; see `End.state`."""
        held = {
            piece.path: Held(piece.size, piece.sha256, piece.artefact) for piece in self._pieces
        }
        return State(held, [], selection)

    def identify(self, path: str, held: Held, progress: Progress | None = None) -> str:
        """Return what was found out before; see `End.identify`."""
        assert held.sha256 is not None
        return held.sha256

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Download it from its own repository; see `End.obtain`."""
        return home_of(held.origin).obtain(path, held, into, progress)

    def __str__(self) -> str:
        return ", ".join(dict.fromkeys(str(home_of(piece.artefact)) for piece in self._pieces))


def home_of(artefact: Promotable) -> Remote:
    """Return the repository that an artefact is in."""
    names = artefact._names
    organization = BroodClient(artefact._session).organization(names["organization"])
    return Remote(organization.repository(names["repository"]))


class Asked(Remote):
    """The target, of which no more is asked than whether it has what was chosen.

    Parameters
    ----------
    pieces : list of Piece
    target : Repository
    concurrency : int
    """

    def __init__(self, pieces: list[Piece], target: Repository, concurrency: int) -> None:
        super().__init__(target)
        self._target = target
        self._pieces = pieces
        self._concurrency = concurrency

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Ask for each artefact; see `End.state`."""
        held: dict[str, Held] = {}

        def ask(piece: Piece, _: Tally) -> None:
            artefact = piece.at(self._target)
            metadata: Mapping[str, Any] | None = artefact._found()
            if metadata is None or not _is_itself(piece, metadata):
                return
            if isinstance(artefact, App | Bundle):
                sha256 = digest(metadata.get("data"))
            else:
                sha256 = artefact._sha256_in(metadata)
            # One that is there, and disabled, has still to be shown.
            if sha256 != piece.sha256 or metadata.get("enabled") is not False:
                held[piece.path] = Held(piece.size, sha256, artefact)

        Crew(self._concurrency, None).each(self._pieces, ask)
        return State(held, [], selection)


def _is_itself(piece: Piece, metadata: Mapping[str, Any]) -> bool:
    """Whether a server speaks of an egg with that tag, and not of one that suits it."""
    return piece.kind != "eggs" or (
        "python_tag" not in metadata or tag_of(metadata) == piece.python_tag
    )
