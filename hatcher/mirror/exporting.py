"""Out of a server, into a folder: whole repositories, or a bundle with all that belongs to it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from hatcher.core.apps import App
from hatcher.core.batches.downloads import (
    Document,
    DownloadBatch,
    ListedFile,
    download_files,
    note_source,
    save_documents,
)
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.places import Problem
from hatcher.core.platform import SinglePlatformRepository
from hatcher.core.repository import Repository
from hatcher.errors import (
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
    InvalidDestinationError,
    InvalidNameError,
)
from hatcher.files.folders import existing_directory, make_directory
from hatcher.mirror.bundles import (
    SINGULAR,
    AnyBundle,
    Closure,
    Found,
    Where,
    closure_of,
    place_of,
    sought,
)
from hatcher.mirror.cache import Cache
from hatcher.mirror.contents import document_of, write_document
from hatcher.mirror.folder import record_files
from hatcher.mirror.layout import Kind, Location
from hatcher.mirror.manifests import FILENAME
from hatcher.mirror.reading import Reading, handle
from hatcher.mirror.records import Collected, Held, MirrorReport, Options
from hatcher.mirror.selection import usual_selection
from hatcher.transfer.batch import ByteCounter, Item, checked_concurrency
from hatcher.transfer.progress import BatchOptions, Progress
from hatcher.transfer.reports import BatchReport, FileResult, Outcome, reporting

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
        How many files to receive at once at most, 64 by default.
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
    usual = _USUAL[version] if kinds is None else kinds
    selection = usual_selection(version, usual, platforms, python_tags, names, repositories)
    receiving = _Receiving(
        Path(target), Options(checked_concurrency(concurrency), progress, dry_run)
    )
    found = Reading(client, selection, concurrency)
    receiving.problems += found.problems
    receiving.sha256s = {path: held.sha256 for path, held in found.held.items()}
    with receiving.recorded():
        for _, offers in groupby(
            sorted(found.held.items()), key=lambda offer: offer[0].split("/", 3)[1:3]
        ):
            for path, held in offers:
                receiving.take(path, held)
            receiving.run()
    return receiving.report()


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
        How many files to receive at once at most, 64 by default.
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
    options = Options(checked_concurrency(concurrency), progress, dry_run, cache=cache)
    where = place_of(bundle, place)
    receiving = _Receiving(Path(directory), options)
    closure = closure_of(bundle)
    own: Item[Document] = Item(_own_location(closure, where).below(receiving.root))
    own.file = partial(_content_of, closure)
    found, problems = sought(closure, where, options)
    receiving.problems += problems
    for one in found:
        _add(one, closure, receiving)
    receiving.documents.append(own)
    with receiving.recorded():
        receiving.run()
    return receiving.report()


class _Receiving(Collected):
    """Downloads into a folder, as an export lays it out.

    Attributes
    ----------
    root : pathlib.Path
    files, documents : list of Item
        What the next `run` is to get.
    sha256s : dict of str to str or None
        By what everything is compared, as far as it is known, by its path in the folder.
    """

    def __init__(self, root: Path, options: Options) -> None:
        super().__init__(root)
        self._options = options
        self.files: list[Item[ListedFile]] = []
        self.documents: list[Item[Document]] = []
        self.sha256s: dict[str, str | None] = {}
        if not options.dry_run:
            make_directory(root)
            existing_directory(root)

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Write down in the folder's manifest what is there at the end."""
        try:
            yield
        finally:
            present = {
                result.name: self.sha256s.get(result.name)
                for result in self.results
                if result.outcome in ("downloaded", "already there")
            }
            if not self._options.dry_run:
                try:
                    record_files(self.root, present)
                except HatcherException as error:
                    self.problems.append(Problem(FILENAME, error))

    def take(self, path: str, held: Held) -> None:
        """Have `run` get what stands at a path of the layout."""
        if isinstance(held.wrong, InvalidNameError):
            self.results.append(FileResult(path, self.root, "failed", None, held.wrong))
            return
        item: Item[Any] = Item(self.root / path)
        try:
            artefact = handle(path, held)
        except HatcherException as error:
            item.fail(error)
            self.files.append(item)
            return
        note_source(item, artefact)
        if isinstance(artefact, App | Bundle):
            item.file = partial(document_of, artefact)
            self.documents.append(item)
        else:
            item.file = ListedFile(artefact, held.sha256, held.size)
            self.files.append(item)

    def run(self) -> None:
        """Get the files, and then the documents, which are small, of unknown size, and few."""
        if not self._options.dry_run:
            _make_folders([*self.files, *self.documents])
        number, progress, dry_run = self._options[:3]
        files: DownloadBatch[ListedFile] = DownloadBatch(BatchOptions(number, progress, dry_run))
        documents: DownloadBatch[Document] = DownloadBatch(BatchOptions(number, None, dry_run))
        files.items, self.files = self.files, []
        documents.items, self.documents = self.documents, []
        self.collect(partial(_download, files, self._options.cache))
        self.collect(partial(save_documents, documents, write_document))


def _make_folders(items: list[Item[Any]]) -> None:
    wrong: dict[Path, Exception] = {}
    for folder in {item.path.parent for item in items if item.is_open}:
        try:
            make_directory(folder)
        except InvalidDestinationError as error:
            wrong[folder] = error
    for item in items:
        if item.is_open and item.path.parent in wrong:
            item.fail(wrong[item.path.parent])


def _download(batch: DownloadBatch[ListedFile], cache: Cache | None) -> BatchReport:
    """Download files as `download_files` does, but for those that a cache has.

    Parameters
    ----------
    batch : DownloadBatch
        With an item for each file.
    cache : Cache or None
        Is given what it did not have.
    """
    if cache is None or batch.options.dry_run:
        return download_files(batch)
    kept: set[Path] = set()

    def copy(item: Item[ListedFile], counter: ByteCounter) -> Outcome | None:
        sha256 = item.file.sha256
        if sha256 is None or not cache.copy(sha256, item.path, progress=counter):
            return None
        item.size = item.path.stat().st_size
        kept.add(item.path)
        return "downloaded"

    with reporting(batch.report):
        there = {id(item) for item in batch.present}
        batch.each([item for item in batch.open if id(item) not in there], copy)
        report = download_files(batch)
        for item in batch.items:
            if item.outcome == "downloaded" and item.path not in kept:
                assert item.file.sha256 is not None
                cache.add(item.path, item.file.sha256)
    return report


# -- bundles ---------------------------------------------------------------------------------


def _content_of(closure: Closure) -> tuple[Any, bytes]:
    content = closure.content if closure.path is None else closure.path.read_bytes()
    assert content is not None
    return closure.document, content


def _add(found: Found, closure: Closure, receiving: _Receiving) -> None:
    """Have something that the bundle names received, or say why it cannot be."""
    need = found.need
    if found.platform is None:
        why = f"{closure.name} does not say in which repository it is. Give a repository."
        receiving.problems.append(Problem(str(need), InvalidArgumentError(why)))
        return
    location = _location_of(found)
    try:
        item: Item[ListedFile] = Item(location.below(receiving.root))
    except InvalidNameError as error:
        receiving.results.append(FileResult(location.path, receiving.root, "failed", None, error))
        return
    receiving.files.append(item)
    note_source(item, found.platform)
    if found.listed is None:
        item.fail(
            HatcherException(
                f"{found.repository} has no {need}, which {closure.name} names. Upload it there, "
                "or make the bundle anew."
            )
        )
        return
    item.file = found.listed
    receiving.sha256s[location.path] = found.listed.sha256
    if found.state == "different":
        item.fail(
            ChecksumMismatchError(
                f"{found.repository} has another {location.filename} than {closure.name} names: "
                f"its sha256 is {found.listed.sha256}, and not {need.sha256}. Nothing of it was "
                "received. Make the bundle anew, or look for the right one in another repository.",
                expected=need.sha256,
                actual=found.listed.sha256,
            )
        )


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
    place = (on.organization_name, on.repository_name, on.name)
    filename = found.filename or f"{need.name}-{need.version}.{SINGULAR[need.kind]}"
    return Location(1, *place, need.kind, found.python_tag, filename)
