"""Single artefacts, or a bundle with all that belongs to it, from one repository to another.

It is a mirror whose source has just what was chosen, from wherever it is; so what `apply` does
holds here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

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
from hatcher.mirror.bundles.checking import checked
from hatcher.mirror.bundles.closure import closure_of
from hatcher.mirror.bundles.seeking import sought
from hatcher.mirror.cache import Cache
from hatcher.mirror.documents import DOCUMENTS
from hatcher.mirror.ends.chosen import (
    Asked,
    Chosen,
    Piece,
    Promotable,
    home_of,
    path_of,
    piece_of,
)
from hatcher.mirror.layout import KINDS
from hatcher.mirror.plans.plan import Plan
from hatcher.mirror.plans.planning import plan
from hatcher.mirror.report import MirrorReport, Problem
from hatcher.transfer.batch import Crew, Tally, checked_concurrency
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import FileResult

#: Artefacts that a message names.
_MOST = 5


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
    # What a document names is to be there before the document is.
    rounds = (
        [piece for piece in pieces if piece.kind not in DOCUMENTS],
        [piece for piece in pieces if piece.kind in DOCUMENTS],
    )
    plans = [
        plan(Chosen(some, target), Asked(some, target, number), kinds=KINDS, concurrency=number)
        for some in rounds
        if some
    ]
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


class _Gathering:
    """Asks the source for what was chosen, and for what belongs to it."""

    def __init__(self, chosen: list[Promotable], concurrency: int, *, closure: bool) -> None:
        self._chosen = chosen
        self._concurrency = concurrency
        self._closure = closure
        self._pieces: dict[str, Piece] = {}

    def pieces(self) -> list[Piece]:
        """Return it all, each once.

        Raises
        ------
        HatcherException
            Something of it cannot be had.
        """
        if not self._chosen:
            return []
        found: list[Piece] = []

        def look(artefact: Promotable, _: Tally) -> None:
            found.append(piece_of(artefact))

        Crew(self._concurrency, None).each(self._chosen, look)
        for piece in found:
            self._add(piece)
        if self._closure:
            for artefact in self._chosen:
                if isinstance(artefact, Bundle):
                    self._add_closure(artefact)
        return list(self._pieces.values())

    def _add(self, piece: Piece) -> None:
        other = self._pieces.setdefault(piece.path, piece)
        if other.sha256 != piece.sha256:
            raise ChecksumMismatchError(
                f"{piece.path} of {home_of(other.artefact)} and that of {home_of(piece.artefact)} "
                "would be one artefact at the target, and they differ, so nothing was sent. "
                "Promote only one of them.",
                expected=other.sha256,
                actual=piece.sha256,
            )

    def _add_closure(self, bundle: Bundle) -> None:
        closure = closure_of(bundle)
        result = sought(closure, BroodClient(bundle._session), self._concurrency)
        check = checked(closure, result)
        if not check:
            wrong = [str(entry) for entry in check.entries if entry.state != "present"]
            more = f"; and {len(wrong) - _MOST} more" if len(wrong) > _MOST else ""
            raise HatcherException(
                f"Not everything that {check.bundle} names is there, so nothing was sent: "
                f"{'; '.join(wrong[:_MOST])}{more}. Upload or enable what is not there, or make "
                "the bundle anew."
            )
        for found in result.found:
            assert found.listed is not None and found.listed.sha256 is not None
            artefact = found.listed.artefact
            assert isinstance(artefact, Egg | Runtime)
            path = path_of(artefact, found.need.kind, found.python_tag, found.filename)
            self._add(
                Piece(
                    found.need.kind,
                    path,
                    artefact,
                    found.python_tag,
                    found.listed.sha256,
                    found.listed.size,
                )
            )


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
