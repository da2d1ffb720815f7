"""Out of a server, into a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from hatcher.core.apps import App
from hatcher.core.batches import BatchOptions
from hatcher.core.batches.downloads import DownloadBatch, ListedFile, download_files
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.errors import (
    HatcherException,
    InvalidDestinationError,
    InvalidNameError,
)
from hatcher.files.atomic import make_directory
from hatcher.mirror.documents import document_of, write_document
from hatcher.mirror.layout import Kind
from hatcher.mirror.manifests.manifest import FILENAME
from hatcher.mirror.manifests.recording import record_files
from hatcher.mirror.reading import handle, read
from hatcher.mirror.report import Collected, MirrorReport, Problem
from hatcher.mirror.selection import check_kinds, select
from hatcher.mirror.states import Held
from hatcher.transfer.batch import Item, Tally
from hatcher.transfer.download import existing_directory
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import BatchReport, FileResult, Outcome, reporting
from hatcher.transport.session import Session

#: What is exported when nobody says: as the existing client does.
_USUAL: dict[int, tuple[Kind, ...]] = {0: ("eggs",), 1: ("eggs", "runtimes")}


def export(
    client: BroodClient,
    target: str | os.PathLike[str],
    *,
    kinds: Iterable[str] | None = None,
    repositories: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> MirrorReport:
    """Download whole repositories into a folder.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, ``GET /indices/{organization}/{repository}/{platform}/runtimes`` once
    for each platform, and a download for each file that is not there yet

    The files are laid out as the existing client does:
    ``v1/acme/dev/rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``, and ``None`` for the python tag of eggs
    that have none. An egg that several indices show is one file. Each file is verified by its
    sha256, and stands under its name only when it is whole; those that are there already, with
    the right sha256, are not downloaded again. When one fails, the others go on. Files that are in
    the folder, and not on the server, are left alone.

    Eggs that are disabled stand in no index, and so are not exported.

    Parameters
    ----------
    client : BroodClient
    target : str or path-like
        The folder; made when it is missing.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default eggs and, with API version 1, runtimes. Of apps, which Brood has no way to
        download, the document is written that their metadata hold, where they do.
    repositories : iterable of str, optional
        Such as ``acme/dev``; by default all that you may see.
    platforms, python_tags : iterable of str, optional
        By default all that the server knows.
    names : iterable of str, optional
        Names of eggs and bundles, implementations of runtimes, ids of apps, or shell patterns
        of these such as ``numpy*``; capital letters do not count. By default all.
    concurrency : int, optional
        How many files to receive at once, 16 by default.
    progress : Progress, optional
        Is told of the bytes of each repository, from the calling thread.
    dry_run : bool, default False
        Receive and write nothing, and say of each file whether it would be received.

    Returns
    -------
    MirrorReport
        What became of each file, and which places could not be read.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used; nothing was received.
    HatcherException
        The server could not be read at all.

    Notes
    -----
    Ctrl-C ends the call within about a second with a `BatchInterrupted`, which has the report so
    far. The same call goes on where it was.

    Examples
    --------
    >>> report = mirror.export(client, 'backup', repositories=['acme/dev'])
    >>> print(report)
    12 files: 2 downloaded, 10 already there
    >>> report.raise_for_failures()
    """
    version = client.api_version
    selection = select(
        _USUAL[version] if kinds is None else kinds, repositories, platforms, python_tags, names
    )
    check_kinds(selection, version)
    root = Path(target)
    if not dry_run:
        make_directory(root)
        existing_directory(root)
    found = read(client, selection, concurrency)
    collected = Collected(root)
    collected.problems += found.problems
    try:
        for _, offers in groupby(sorted(found.held.items()), key=_repository):
            _export_repository(
                client._session, collected, root, list(offers), concurrency, progress, dry_run
            )
    finally:
        if not dry_run:
            _record(collected, root, found.held)
    return collected.report()


def _record(collected: Collected, root: Path, held: Mapping[str, Held]) -> None:
    """Write down what is in the folder now."""
    present = [
        result.name
        for result in collected.results
        if result.outcome in ("downloaded", "already there")
    ]
    try:
        record_files(root, present, {path: one.sha256 for path, one in held.items()})
    except HatcherException as error:
        collected.problems.append(Problem(FILENAME, error))


def _repository(offer: tuple[str, Held]) -> str:
    return "/".join(offer[0].split("/", 3)[1:3])


def _export_repository(
    session: Session,
    collected: Collected,
    root: Path,
    offers: list[tuple[str, Held]],
    concurrency: int | None,
    progress: Progress | None,
    dry_run: bool,
) -> None:
    files: DownloadBatch[ListedFile] = DownloadBatch(BatchOptions(concurrency, progress, dry_run))
    # They are small, of unknown size, and few.
    documents: DownloadBatch[App | Bundle] = DownloadBatch(BatchOptions(concurrency, None, dry_run))
    for path, held in offers:
        if isinstance(held.wrong, InvalidNameError):
            unplaced = FileResult(path, root, "failed", None, held.wrong)
            collected.results.append(unplaced)
            continue
        item: Item[Any] = Item(root / path)
        try:
            artefact = handle(path, held)
        except HatcherException as error:
            item.fail(error)
            files.items.append(item)
            continue
        if isinstance(artefact, App | Bundle):
            item.file = artefact
            documents.items.append(item)
            continue
        item.file = ListedFile(artefact, held.sha256, held.size)
        files.items.append(item)
    if not dry_run:
        _make_folders([*files.open, *documents.open])
    if files.items:
        collected.run(partial(download_files, files))
    if documents.items:
        collected.run(partial(_save_documents, documents))


def _save_documents(fetching: DownloadBatch[App | Bundle]) -> BatchReport:
    """Save apps and bundles, but for those that are there already."""

    def save(item: Item[App | Bundle], tally: Tally) -> Outcome:
        document, content = document_of(item.file)
        item.size = len(content)
        tally(len(content), None, "downloading")
        if item.path.is_file() and item.path.read_bytes() == content:
            return "already there"
        if fetching.options.dry_run:
            return "would download"
        write_document(item.path, document, content)
        return "downloaded"

    with reporting(fetching.report):
        fetching.each(fetching.open, save, "downloading")
    return fetching.report()


def _make_folders(items: list[Item[Any]]) -> None:
    made: dict[Path, Exception | None] = {}
    for item in items:
        folder = item.path.parent
        if folder not in made:
            try:
                make_directory(folder)
                made[folder] = None
            except InvalidDestinationError as error:
                made[folder] = error
        wrong = made[folder]
        if wrong is not None:
            item.fail(wrong)
