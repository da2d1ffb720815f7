"""Single artefacts, or a bundle with all that belongs to it, from one repository to another.

It is a mirror whose source has just what was chosen, from wherever it is; so what `apply` does
holds here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import App
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.eggs import Egg
from hatcher.core.repository import Repository
from hatcher.core.runtimes import Runtime
from hatcher.errors import (
    BatchInterrupted,
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.cache import Cache
from hatcher.mirror.checking import checked, sought
from hatcher.mirror.closure import closure_of
from hatcher.mirror.documents import DOCUMENTS, digest, document_of
from hatcher.mirror.ends.base import End, Held, State
from hatcher.mirror.ends.place import Remote
from hatcher.mirror.layout import KINDS, Kind, Location
from hatcher.mirror.planning import plan
from hatcher.mirror.plans import Plan
from hatcher.mirror.reading import tag_of
from hatcher.mirror.report import MirrorReport, Problem
from hatcher.mirror.selection import Selection
from hatcher.transfer.batch import Crew, Tally, checked_concurrency
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import FileResult

#: What can be promoted.
Promotable: TypeAlias = Egg | Runtime | App | Bundle

_KINDS: dict[type[Promotable], Kind] = {
    Egg: "eggs",
    Runtime: "runtimes",
    App: "apps",
    Bundle: "bundles",
}


def promote(
    artefacts: Promotable | Iterable[Promotable],
    target: Repository,
    *,
    closure: bool = False,
    overwrite: bool = False,
    concurrency: int | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
    cache: Cache | None = None,
) -> MirrorReport:
    """Copy artefacts from their repositories to another one; API version 1 only.

    ``GET /metadata/…`` for each artefact, of the source and of the target;
    ``GET /indices/{organization}/{repository}/{platform}/runtimes`` of the target; a download, and
    an upload, for each that the target does not have; at the end
    ``POST /data/{organization}/{repository}/{platform}/eggs/re-index`` once for each platform

    They go to the same platforms of the target, which may be on another server. What the target
    has with the same sha256 is not sent. Eggs appear there together; apps and bundles follow when
    everything else is there. The bytes go through this machine, since Brood does not copy by
    itself.

    Parameters
    ----------
    artefacts : Egg, Runtime, App or Bundle, or iterable of them
        Handles, such as `SinglePlatformRepository.egg` gives.
    target : Repository
        Where they go to.
    closure : bool, default False
        With each bundle also its runtime and the eggs that it names, from the repositories that it
        names; where it names none, from its own. They all go to the target.
    overwrite : bool, default False
        Replace what the target has with other content; without it, that is an error.
    concurrency : int, optional
        How many files to move at once, 16 by default.
    progress : Progress, optional
        Is told of the bytes, from the calling thread.
    dry_run : bool, default False
        Send nothing, and say of each artefact whether it would be sent.
    cache : Cache, optional
        Where to look first, and what keeps what is received.

    Returns
    -------
    MirrorReport
        What became of each artefact; their names are the paths below the repository.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used; nothing was sent.
    NotFoundError
        One of the artefacts, or the target, does not exist, or may not be seen; nothing was sent.
    ChecksumMismatchError
        The target has others of the same names and versions; nothing was sent.
    HatcherException
        Something that a bundle names is missing at the source, or an egg is disabled there; nothing
        was sent.

    Notes
    -----
    Ctrl-C ends the call within about a second with a `BatchInterrupted`, which has the report so
    far. The same call goes on where it was.

    Examples
    --------
    >>> dev, prod = client.at('acme/dev/rh8-x86_64'), client.at('acme/prod')
    >>> report = mirror.promote(dev.bundle('cp38', 'tools', '1.0.0-1'), prod, closure=True)
    >>> report.raise_for_failures()
    """
    number = checked_concurrency(concurrency)
    chosen = _chosen(artefacts)
    if not isinstance(target, Repository):
        raise InvalidArgumentError(
            f"{target!r} is no repository. Give the one that the artefacts are to go to, such as "
            "client.at('acme/prod')."
        )
    for node in (*chosen, target):
        if node._session.api_version < 1:
            raise UnsupportedAPIVersionError(
                f"With API version {node._session.api_version} nothing can be promoted. Make the "
                "clients with api_version=1."
            )
    pieces = _Gathering(chosen, number, closure=closure).pieces()
    for platform in sorted({piece.path.partition("/")[0] for piece in pieces}):
        # Whether it is there at all: what is asked for below may just be missing.
        target.platform(platform).runtime_index()
    rounds = [
        _Round(_Chosen(some, target), _There(some, target, number))
        for some in (
            [piece for piece in pieces if piece.kind not in DOCUMENTS],
            [piece for piece in pieces if piece.kind in DOCUMENTS],
        )
        if some
    ]
    plans = [plan(source, there, kinds=KINDS, concurrency=number) for source, there in rounds]
    if not overwrite:
        _refuse_updates(plans, target)
    return _apply(plans, progress, number, cache, dry_run=dry_run)


def _chosen(artefacts: Promotable | Iterable[Promotable]) -> list[Promotable]:
    handles = [artefacts] if isinstance(artefacts, Promotable) else list(artefacts)
    for handle in handles:
        if not isinstance(handle, Promotable):
            raise InvalidArgumentError(
                f"{handle!r} cannot be promoted. Give handles of eggs, runtimes, apps or bundles, "
                "such as platform.egg('cp311', 'nose', '1.3.0-1')."
            )
    return list(dict.fromkeys(handles))


class _Round(NamedTuple):
    """What is to be there before the next round begins."""

    source: _Chosen
    target: _There


class _Piece(NamedTuple):
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


class _Gathering:
    """Asks the source for what was chosen, and for what belongs to it."""

    def __init__(self, chosen: list[Promotable], concurrency: int, *, closure: bool) -> None:
        self._chosen = chosen
        self._concurrency = concurrency
        self._closure = closure
        self._pieces: dict[str, _Piece] = {}

    def pieces(self) -> list[_Piece]:
        """Return it all, each once.

        Raises
        ------
        HatcherException
            Something of it cannot be had.
        """
        if not self._chosen:
            return []
        sessions = dict.fromkeys(artefact._session for artefact in self._chosen)

        def interrupt() -> None:
            for session in sessions:
                session.interrupt()

        found: list[_Piece] = []

        def look(artefact: Promotable, _: Tally) -> None:
            found.append(_piece(artefact))

        Crew(self._concurrency, None, interrupt).each(self._chosen, look)
        for piece in found:
            self._add(piece)
        if self._closure:
            for artefact in self._chosen:
                if isinstance(artefact, Bundle):
                    self._add_closure(artefact)
        return list(self._pieces.values())

    def _add(self, piece: _Piece) -> None:
        other = self._pieces.setdefault(piece.path, piece)
        if other.sha256 != piece.sha256:
            raise ChecksumMismatchError(
                f"{other.artefact} and {piece.artefact} would be one artefact at the target, "
                f"{piece.path}, and they differ. Nothing was sent. Promote only one of them.",
                expected=other.sha256,
                actual=piece.sha256,
            )

    def _add_closure(self, bundle: Bundle) -> None:
        closure = closure_of(bundle)
        result = sought(closure, BroodClient(bundle._session), self._concurrency)
        check = checked(closure, result)
        if not check:
            raise HatcherException(
                f"Not everything that the bundle names is there, so nothing was sent. {check}\n"
                "Upload or enable what is missing, or make the bundle anew."
            )
        for found in result.found:
            assert found.listed is not None and found.listed.sha256 is not None
            artefact = found.listed.artefact
            assert isinstance(artefact, Egg | Runtime)
            path = _path(artefact, found.need.kind, found.python_tag, found.filename)
            self._add(
                _Piece(
                    found.need.kind,
                    path,
                    artefact,
                    found.python_tag,
                    found.listed.sha256,
                    found.listed.size,
                )
            )


def _piece(artefact: Promotable) -> _Piece:
    """Ask the source what an artefact is."""
    kind = _KINDS[type(artefact)]
    if isinstance(artefact, App | Bundle):
        document, content = document_of(artefact)
        tag = None if artefact.python_tag.lower() == "none" else artefact.python_tag
        filename = (
            artefact.canonical_filename
            if isinstance(artefact, Bundle)
            else f"{artefact.app_id}-{artefact.version}.yaml"
        )
        path = _path(artefact, kind, tag, filename)
        return _Piece(kind, path, artefact, tag, digest(document), len(content))
    metadata: Mapping[str, Any] = artefact.metadata()
    filename = metadata.get("filename") or _filename(artefact)
    size = metadata.get("size")
    tag = None
    if isinstance(artefact, Egg):
        if metadata.get("enabled") is False:
            raise HatcherException(
                f"{artefact} is disabled: no index shows it, so it is not promoted, and nothing "
                "was sent. Enable it first, with reindex or hatcher eggs update-index."
            )
        tag = tag_of(metadata) if "python_tag" in metadata else artefact.python_tag
    return _Piece(
        kind,
        _path(artefact, kind, tag, filename),
        artefact,
        tag,
        artefact._sha256_in(metadata),
        size if isinstance(size, int) else None,
    )


def _filename(artefact: Egg | Runtime) -> str:
    if isinstance(artefact, Egg):
        return f"{artefact.name}-{artefact.version}.egg"
    return f"{artefact._names['implementation']}-{artefact.version}.runtime"


def _path(artefact: Promotable, kind: Kind, python_tag: str | None, filename: str) -> str:
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


class _Chosen(End):
    """What was chosen, from wherever it is.

    Parameters
    ----------
    pieces : list of _Piece
    target : Repository
        Whose names it takes, so that the two can be compared.
    """

    def __init__(self, pieces: list[_Piece], target: Repository) -> None:
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
        return _home(held.origin).obtain(path, held, into, progress)

    def interrupt(self) -> None:
        """Make what other threads receive end at once."""
        for session in dict.fromkeys(piece.artefact._session for piece in self._pieces):
            session.interrupt()

    def __str__(self) -> str:
        homes = dict.fromkeys(str(_home(piece.artefact)) for piece in self._pieces)
        return ", ".join(homes)


def _home(artefact: Promotable) -> Remote:
    """Return the repository of an artefact."""
    names = artefact._names
    organization = BroodClient(artefact._session).organization(names["organization"])
    return Remote(organization.repository(names["repository"]))


class _There(Remote):
    """The target, of which no more is asked than whether it has what was chosen.

    Parameters
    ----------
    pieces : list of _Piece
    target : Repository
    concurrency : int
    """

    def __init__(self, pieces: list[_Piece], target: Repository, concurrency: int) -> None:
        super().__init__(target)
        self._target = target
        self._pieces = pieces
        self._concurrency = concurrency

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Ask for each artefact; see `End.state`."""
        held: dict[str, Held] = {}

        def ask(piece: _Piece, _: Tally) -> None:
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

        Crew(self._concurrency, None, self.interrupt).each(self._pieces, ask)
        return State(held, [], selection)


def _is_itself(piece: _Piece, metadata: Mapping[str, Any]) -> bool:
    """Whether a server speaks of an egg with that tag, and not of one that suits it."""
    return piece.kind != "eggs" or (
        "python_tag" not in metadata or tag_of(metadata) == piece.python_tag
    )


def _refuse_updates(plans: list[Plan], target: Repository) -> None:
    updates = [step for made in plans for step in made.those("update")]
    if updates:
        named = ", ".join(f"{step.path} (sha256 {step.replaces})" for step in updates[:5])
        more = f" and {len(updates) - 5} more" if len(updates) > 5 else ""
        raise ChecksumMismatchError(
            f"{target} has others of the same name and version: {named}{more}. Nothing was sent. "
            "Give them new build numbers, or pass overwrite=True.",
            expected=updates[0].sha256,
            actual=updates[0].replaces,
        )


def _apply(
    plans: list[Plan],
    progress: Progress | None,
    concurrency: int,
    cache: Cache | None,
    *,
    dry_run: bool,
) -> MirrorReport:
    """Do one plan after the other, as long as all goes well."""
    results: list[FileResult] = []
    problems: list[Problem] = []
    for made in plans:
        if problems or any(result.outcome in ("failed", "not tried") for result in results):
            results += [
                FileResult(
                    step.path,
                    Path(step.path),
                    "not tried",
                    step.size,
                    HatcherException(
                        "It was not sent, since something else is missing. See to what has "
                        "failed, and promote again."
                    ),
                )
                for step in made.steps
            ]
            continue
        results += [
            FileResult(step.path, Path(step.path), "already there", step.size)
            for step in made.those("skip")
        ]
        try:
            report = made.apply(
                progress=progress, concurrency=concurrency, cache=cache, dry_run=dry_run
            )
        except BatchInterrupted as stop:
            so_far = _report([*results, *stop.report.results], problems)
            raise BatchInterrupted(str(so_far), report=so_far) from stop
        results += report.results
        problems += report.problems
    return _report(results, problems)


def _report(results: list[FileResult], problems: list[Problem]) -> MirrorReport:
    return MirrorReport(tuple(sorted(results, key=lambda result: result.name)), tuple(problems))
