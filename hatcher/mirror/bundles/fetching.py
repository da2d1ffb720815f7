"""A bundle with all that belongs to it, out of a server and into a folder."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from hatcher.core.batches import BatchOptions
from hatcher.core.batches.downloads import DownloadBatch, ListedFile, download_files, save_documents
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.repository import Repository
from hatcher.errors import (
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
    InvalidNameError,
)
from hatcher.files.atomic import make_directory
from hatcher.mirror.bundles.closure import AnyBundle, Closure, closure_of
from hatcher.mirror.bundles.seeking import Found, Where, place_of, sought
from hatcher.mirror.cache import Cache
from hatcher.mirror.layout import Kind, Location
from hatcher.mirror.manifests.manifest import FILENAME
from hatcher.mirror.manifests.recording import record_files
from hatcher.mirror.report import Collected, MirrorReport, Problem
from hatcher.transfer.batch import Item, Tally, checked_concurrency
from hatcher.transfer.download import existing_directory
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import BatchReport, FileResult, Outcome, reporting

#: What all suffixes of files are called by.
_SUFFIXES: dict[Kind, str] = {"eggs": ".egg", "runtimes": ".runtime"}


def fetch_bundle(
    bundle: AnyBundle,
    directory: str | os.PathLike[str],
    place: Where | None = None,
    *,
    concurrency: int | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
    cache: Cache | None = None,
) -> MirrorReport:
    """Download a bundle with all that belongs to it: its runtime and eggs; API version 1 only.

    The requests of `check_bundle`, and a download for each file that is not there yet

    The files are laid out as by `export`, below the repositories that they are from, so that
    `import_` takes them. Each is verified by the sha256 that the bundle names, and stands under its
    name only when it is whole. When one fails, or cannot be found, the others go on.

    Parameters
    ----------
    bundle : Bundle, str or path-like
        One of a server, or a file.
    directory : str or path-like
        The folder; made when it is missing.
    place : Repository, SinglePlatformRepository or BroodClient, optional
        Where to get it all from: as for `check_bundle`.
    concurrency : int, optional
        How many files to receive at once, 16 by default.
    progress : Progress, optional
        Is told of the bytes, from the calling thread.
    dry_run : bool, default False
        Receive and write nothing, and say of each file whether it would be received.
    cache : Cache, optional
        Where to look first, and what keeps what is received.

    Returns
    -------
    MirrorReport
        What became of each file.

    Raises
    ------
    InvalidDestinationError
        The folder cannot be made or written to.
    InvalidBundle, InvalidArgumentError, NotFoundError
        As for `check_bundle`; nothing was received.
    HatcherException
        The server could not be asked.

    Notes
    -----
    Ctrl-C ends the call within about a second with a `BatchInterrupted`, which has the report so
    far. The same call goes on where it was.

    Examples
    --------
    >>> bundle = platform.bundle('cp38', 'tools', '1.0.0-1')
    >>> mirror.fetch_bundle(bundle, 'tools').raise_for_failures()
    """
    number = checked_concurrency(concurrency)
    where = place_of(bundle, place)
    root = Path(directory)
    if not dry_run:
        make_directory(root)
        existing_directory(root)
    closure = closure_of(bundle)
    own = _own_location(closure, where).below(root)
    result = sought(closure, where, number)

    collected = Collected(root)
    collected.problems += result.problems
    files: DownloadBatch[ListedFile] = DownloadBatch(BatchOptions(concurrency, progress, dry_run))
    for found in result.found:
        _add(found, closure, files, collected, root)
    documents: DownloadBatch[Closure] = DownloadBatch(BatchOptions(concurrency, None, dry_run))
    item: Item[Closure] = Item(own)
    item.file = closure
    documents.items.append(item)
    if not dry_run:
        paths = [item.path for item in files.open] + [item.path for item in documents.open]
        for folder in {path.parent for path in paths}:
            make_directory(folder)
    try:
        collected.run(partial(download_with_cache, files, cache))
        collected.run(partial(save_documents, documents, _content_of))
    finally:
        if not dry_run:
            _record(collected, root, result.found)
    return collected.report()


def _record(collected: Collected, root: Path, found: list[Found]) -> None:
    """Write down in the folder's manifest what is there now."""
    sha256s = {
        _location_of(one).path: one.listed.sha256
        for one in found
        if one.platform is not None and one.listed is not None
    }
    present = [
        result.name
        for result in collected.results
        if result.outcome in ("downloaded", "already there")
    ]
    try:
        record_files(root, present, sha256s)
    except HatcherException as error:
        collected.problems.append(Problem(FILENAME, error))


def download_with_cache(fetching: DownloadBatch[ListedFile], cache: Cache | None) -> BatchReport:
    """Download files as `download_files` does, but for those that a cache has.

    Parameters
    ----------
    fetching : DownloadBatch
        With an item for each file.
    cache : Cache or None
        Is given what it did not have.
    """
    if cache is None or fetching.options.dry_run:
        return download_files(fetching)
    kept: set[Path] = set()

    def copy(item: Item[ListedFile], tally: Tally) -> Outcome | None:
        sha256 = item.file.sha256
        if sha256 is None or not cache.copy(sha256, item.path, progress=tally):
            return None
        item.size = item.path.stat().st_size
        kept.add(item.path)
        return "downloaded"

    with reporting(fetching.report):
        there = {id(item) for item in fetching.present}
        fetching.each([item for item in fetching.open if id(item) not in there], copy)
        report = download_files(fetching)
        for item in fetching.items:
            if item.outcome == "downloaded" and item.path not in kept:
                assert item.file.sha256 is not None
                cache.add(item.path, item.file.sha256)
    return report


def _add(
    found: Found,
    closure: Closure,
    files: DownloadBatch[ListedFile],
    collected: Collected,
    root: Path,
) -> None:
    """Make an item of something that the bundle names, or say why there can be none."""
    need, on = found.need, found.platform
    if on is None:
        why = f"{closure.name} does not say in which repository it is. Give a repository."
        collected.problems.append(Problem(str(need), InvalidArgumentError(why)))
        return
    location = _location_of(found)
    filename = location.filename
    try:
        item: Item[ListedFile] = Item(location.below(root))
    except InvalidNameError as error:
        collected.results.append(FileResult(location.path, root, "failed", None, error))
        return
    files.items.append(item)
    if found.listed is None:
        item.fail(
            HatcherException(
                f"{found.repository} has no {need}, which {closure.name} names. Upload it there, "
                "or make the bundle anew."
            )
        )
    elif found.state == "different":
        item.fail(
            ChecksumMismatchError(
                f"{found.repository} has another {filename} than {closure.name} names: its sha256 "
                f"is {found.listed.sha256}, and not {need.sha256}. Nothing of it was received. "
                "Make the bundle anew, or look for the right one in another repository.",
                expected=need.sha256,
                actual=found.listed.sha256,
            )
        )
    else:
        item.file = found.listed


def _content_of(closure: Closure) -> bytes:
    """Return what is to stand in the bundle's own file."""
    content = closure.path.read_bytes() if closure.path is not None else closure.content
    assert content is not None
    return content


def _own_location(closure: Closure, place: Where) -> Location:
    """Return where the bundle's own file belongs.

    Raises
    ------
    InvalidArgumentError
        Nobody says.
    """
    if closure.bundle is not None:
        names = closure.bundle._names
        pair = names["organization"], names["repository"]
    elif closure.path is None:
        raise InvalidArgumentError(
            "A document alone has no name that a file could be called by. Give the bundle's file, "
            "or one of a server."
        )
    elif isinstance(place, Repository):
        pair = place.organization_name, place.name
    elif isinstance(place, SinglePlatformRepository):
        pair = place.organization_name, place.repository_name
    else:
        named = [name for need in closure.needs for name in need.repositories]
        if not named:
            raise InvalidArgumentError(
                f"{closure.name} names no repository. Give the one that everything is in."
            )
        organization, _, repository = named[0].partition("/")
        pair = organization, repository
    return Location(1, *pair, closure.platform, "bundles", closure.python_tag, closure.name)


def _location_of(found: Found) -> Location:
    """Return where something belongs; of what is missing, where it would as far as is known."""
    need, on = found.need, found.platform
    assert on is not None
    return Location(
        1,
        on.organization_name,
        on.repository_name,
        on.name,
        need.kind,
        found.python_tag,
        found.filename or f"{need.name}-{need.version}{_SUFFIXES[need.kind]}",
    )
