"""Single artefacts, or a bundle with all that belongs to it, from one repository to another.

It is a mirror whose source has just what was chosen, from wherever it is; so what `apply` does
holds here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hatcher.artefacts.platforms import usual_platform
from hatcher.artefacts.python_tags import tag_of
from hatcher.core.apps import App
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.eggs import Egg
from hatcher.core.repository import Repository
from hatcher.core.runtimes import Runtime
from hatcher.errors import (
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.bundles import checked, closure_of, sought
from hatcher.mirror.cache import Cache
from hatcher.mirror.contents import DOCUMENTS, digest, document_of
from hatcher.mirror.layout import KINDS, Kind, Location
from hatcher.mirror.plans import Plan, plan
from hatcher.mirror.reading import Artefact as Promotable
from hatcher.mirror.records import Collected, Held, MirrorReport, Options, State
from hatcher.mirror.selection import Selection
from hatcher.mirror.server import Server, found_itself
from hatcher.mirror.sides import Side
from hatcher.transfer.batch import ByteCounter, checked_concurrency
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import FileFacts, FileResult

#: Artefacts that a message names.
_MOST = 5

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
        How many files to move at once at most, 64 by default.
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
    options = Options(checked_concurrency(concurrency), progress, dry_run, cache=cache)
    handles = _chosen(artefacts)
    _check(target, handles)
    chosen = _gathered(handles, options, closure=closure)
    for platform in sorted({path.partition("/")[0] for path in chosen}):
        # Whether it is there at all: what is asked for below may just be missing.
        target.platform(platform).runtime_index()
    documents = {path: held for path, held in chosen.items() if path.split("/")[1] in DOCUMENTS}
    files = {path: held for path, held in chosen.items() if path not in documents}
    # What a document names is to be there before the document is.
    plans = [
        plan(
            _Chosen(some, target),
            _Asked(some, target, options),
            kinds=KINDS,
            concurrency=options.concurrency,
        )
        for some in (files, documents)
        if some
    ]
    if not overwrite:
        _refuse_updates(plans, target)
    return _apply(plans, options)


def _check(target: Repository, handles: list[Promotable]) -> None:
    if not isinstance(target, Repository):
        raise InvalidArgumentError(
            f"{target!r} is no repository. Give the one that the artefacts are to go to, such as "
            "client.at('acme/prod')."
        )
    for node in (*handles, target):
        if node._session.api_version < 1:
            raise UnsupportedAPIVersionError(
                f"With API version {node._session.api_version} nothing can be promoted. Make the "
                "clients with api_version=1."
            )


def _chosen(artefacts: Promotable | Iterable[Promotable]) -> list[Promotable]:
    handles = [artefacts] if isinstance(artefacts, Promotable) else list(artefacts)
    for handle in handles:
        if not isinstance(handle, Promotable):
            raise InvalidArgumentError(
                f"{handle!r} cannot be promoted. Give handles of eggs, runtimes, apps or bundles, "
                "such as platform.egg('cp311', 'nose', '1.3.0-1')."
            )
    return list(dict.fromkeys(handles))


# -- what was chosen ---------------------------------------------------------------------------


def _gathered(handles: list[Promotable], options: Options, *, closure: bool) -> dict[str, Held]:
    """Ask the source for what was chosen, and for what belongs to it; by the paths below it.

    Raises
    ------
    HatcherException
        Something of it cannot be had.
    """
    found: list[tuple[str, Held]] = []

    def look(artefact: Promotable, _: ByteCounter) -> None:
        found.append(_look_at(artefact))

    options.each(handles, look)
    for artefact in handles:
        if closure and isinstance(artefact, Bundle):
            found += _closure(artefact, options)
    chosen: dict[str, Held] = {}
    for path, held in found:
        other = chosen.setdefault(path, held)
        if other.sha256 != held.sha256:
            raise ChecksumMismatchError(
                f"{path} of {_home_of(other.origin)} and that of {_home_of(held.origin)} would be "
                "one artefact at the target, and they differ, so nothing was sent. Promote only "
                "one of them.",
                expected=other.sha256,
                actual=held.sha256,
            )
    return chosen


def _look_at(artefact: Promotable) -> tuple[str, Held]:
    """Ask the source what an artefact is.

    Raises
    ------
    NotFoundError
        It does not exist, or may not be seen.
    HatcherException
        It is disabled, or the server says too little of it.
    """
    held = Held(None, None, artefact)
    if isinstance(artefact, App | Bundle):
        document_of(artefact, held)
        tag = None if artefact.python_tag.lower() == "none" else artefact.python_tag
        if isinstance(artefact, Bundle):
            return _path_of(artefact, tag, artefact.canonical_filename), held
        return _path_of(artefact, tag, f"{artefact.app_id}-{artefact.version}.yaml"), held
    metadata: Mapping[str, Any] = artefact.metadata()
    size, tag = metadata.get("size"), None
    if isinstance(artefact, Egg):
        usual = f"{artefact.name}-{artefact.version}.egg"
        tag = tag_of(metadata) if "python_tag" in metadata else artefact.python_tag
    else:
        usual = f"{artefact._names['implementation']}-{artefact.version}.runtime"
    filename = metadata.get("filename") or usual
    if isinstance(artefact, Egg) and metadata.get("enabled") is False:
        raise HatcherException(
            f"{_home_of(artefact)} does not show {filename}, which is disabled there, so nothing "
            "was sent. Enable it first, with reindex or hatcher eggs update-index."
        )
    held.size = size if isinstance(size, int) else None
    held.sha256 = artefact._sha256_in(metadata)
    return _path_of(artefact, tag, filename), held


def _closure(bundle: Bundle, options: Options) -> list[tuple[str, Held]]:
    closure = closure_of(bundle)
    result = sought(closure, BroodClient(bundle._session), options)
    check = checked(closure, *result)
    if not check:
        wrong = [str(entry) for entry in check.entries if entry.state != "present"]
        more = f"; and {len(wrong) - _MOST} more" if len(wrong) > _MOST else ""
        raise HatcherException(
            f"Not everything that {check.bundle} names is there, so nothing was sent: "
            f"{'; '.join(wrong[:_MOST])}{more}. Upload or enable what is not there, or make "
            "the bundle anew."
        )
    chosen = []
    for found in result[0]:
        assert found.listed is not None
        artefact, sha256, size = found.listed
        assert isinstance(artefact, Egg | Runtime)
        path = _path_of(artefact, found.python_tag, found.filename)
        chosen.append((path, Held(size, sha256, artefact)))
    return chosen


def _path_of(artefact: Promotable, python_tag: str | None, filename: str) -> str:
    """Return the path below a repository.

    Raises
    ------
    InvalidNameError
        There can be no file that is called so.
    """
    names, kind = artefact._names, _KINDS[type(artefact)]
    place = (names["organization"], names["repository"], usual_platform(names["platform"]))
    location = Location(1, *place, kind, python_tag, filename)
    return location.below(Path()).as_posix().split("/", 3)[3]


def _home_of(artefact: Promotable) -> Server:
    """Return the repository that an artefact is in."""
    names = artefact._names
    organization = BroodClient(artefact._session).organization(names["organization"])
    return Server(organization.repository(names["repository"]))


# -- the two sides -----------------------------------------------------------------------------


class _Chosen(Side):
    """What was chosen, from wherever it is; it takes the names of the target."""

    def __init__(self, chosen: dict[str, Held], target: Repository) -> None:
        self._chosen = chosen
        self.names = target.organization_name, target.name
        self.api_version = target._session.api_version

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Return what was chosen."""
        return State(dict(self._chosen), [], selection)

    def identify(self, path: str, held: Held, progress: Progress | None = None) -> str:
        """Return what was found out before."""
        assert held.sha256 is not None
        return held.sha256

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Download it from its own repository."""
        return _home_of(held.origin).obtain(path, held, into, progress)

    def __str__(self) -> str:
        return ", ".join(
            dict.fromkeys(str(_home_of(held.origin)) for held in self._chosen.values())
        )


class _Asked(Server):
    """The target, of which no more is asked than whether it has what was chosen."""

    def __init__(self, chosen: dict[str, Held], target: Repository, options: Options) -> None:
        super().__init__(target)
        self._chosen = chosen
        self._options = options

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Ask for each artefact."""
        there: dict[str, Held] = {}

        def ask(path: str, _: ByteCounter) -> None:
            artefact, wanted = self.artefact(path), self._chosen[path]
            metadata = found_itself(artefact)
            if metadata is None:
                return
            if isinstance(artefact, App | Bundle):
                sha256 = digest(metadata.get("data"))
            else:
                sha256 = artefact._sha256_in(metadata)
            # One that is there, and disabled, has still to be shown.
            if sha256 != wanted.sha256 or metadata.get("enabled") is not False:
                there[path] = Held(wanted.size, sha256, artefact)

        self._options.each(list(self._chosen), ask)
        return State(there, [], selection)


# -- doing it ----------------------------------------------------------------------------------


def _refuse_updates(plans: list[Plan], target: Repository) -> None:
    updates = [step for made in plans for step in made.those("update")]
    if updates:
        named = ", ".join(f"{step.path} (sha256 {step.replaces})" for step in updates[:_MOST])
        more = f" and {len(updates) - _MOST} more" if len(updates) > _MOST else ""
        raise ChecksumMismatchError(
            f"{target} has others of the same name and version, so nothing was sent: {named}{more}. "
            "Give them new build numbers, or pass overwrite=True.",
            expected=updates[0].sha256,
            actual=updates[0].replaces,
        )


def _apply(plans: list[Plan], options: Options) -> MirrorReport:
    """Do one plan after the other, as long as all goes well."""
    collected = Collected(Path())
    unsent = HatcherException(
        "It was not sent, since something else is missing. See to what has failed, and promote "
        "again."
    )
    for made in plans:
        if not collected.report():
            collected.add(
                FileResult(step.path, Path(step.path), "not tried", step.size, unsent)
                for step in made.steps
            )
            continue
        collected.add(
            FileResult(
                step.path,
                Path(step.path),
                "already there",
                step.size,
                facts=FileFacts(step.sha256, made.source, made.target),
            )
            for step in made.those("skip")
        )
        collected.collect(
            lambda: made.apply(  # noqa: B023 - called at once
                progress=options.progress,
                concurrency=options.concurrency,
                cache=options.cache,
                dry_run=options.dry_run,
            )
        )
    return collected.report()
