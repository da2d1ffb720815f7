"""Downloading many files: those that are there are looked at first, then the others come."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

from hatcher.artefacts.names import is_egg_name, split_filename
from hatcher.artefacts.requirements import is_pattern
from hatcher.core.artefact import FileArtefact
from hatcher.core.bundles import Bundles
from hatcher.core.dialects import DIALECTS
from hatcher.core.eggs import Eggs
from hatcher.core.node import Node
from hatcher.core.runtimes import Runtimes
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    InvalidArgumentError,
    InvalidResponseError,
    PermissionDeniedError,
)
from hatcher.files.atomic import replacing, sync_directory
from hatcher.files.folders import existing_directory
from hatcher.transfer.batch import Batch, ByteCounter, Item
from hatcher.transfer.filenames import server_filename, server_name
from hatcher.transfer.hashing import file_sha256, server_sha256
from hatcher.transfer.progress import BatchOptions
from hatcher.transfer.ranges import checked_connections
from hatcher.transfer.reports import BatchReport, Outcome, reporting
from hatcher.transport.callbacks import refuse_coroutines

F = TypeVar("F")

#: Where files go.
Folder: TypeAlias = str | os.PathLike[str]

#: Gets a document, and what stands in its file.
Document: TypeAlias = Callable[[], tuple[Any, bytes]]

#: Which files: their names or patterns of these, or whether one is wanted.
Names: TypeAlias = Iterable[str] | Callable[[str], bool] | None


class DownloadBatch(Batch[F]):
    """The downloads of one batch.

    Parameters
    ----------
    options : BatchOptions
    destination : str or path-like, optional
        An existing directory, for what is selected.
    names : iterable of str, callable or None
        The names that are wanted, or patterns of these; or what is given a name, and says whether it
        is wanted; None for all.

    Raises
    ------
    InvalidDestinationError, InvalidArgumentError
        An argument cannot be used.
    """

    def __init__(
        self, options: BatchOptions, destination: Folder = os.curdir, names: Names = None
    ) -> None:
        super().__init__(options, AuthenticationError, PermissionDeniedError)
        if isinstance(names, str):
            raise InvalidArgumentError("names takes a list of file names; put the one into a list.")
        refuse_coroutines("names", names)
        self._names = names
        checked_connections(options.connections)
        self._directory = existing_directory(destination)

    def select(
        self, place: Node, filenames: Collection[str], listed: Callable[[str], F]
    ) -> DownloadBatch[F]:
        """Make an item of each file that is wanted; what there is not, has failed.

        Parameters
        ----------
        place : Node
            Where they are from.
        filenames : collection of str
            Those that there are.
        listed : callable
            Returns what an item is about, given a file name; raises what is its failure.
        """
        for name in selected(filenames, self._names):
            item: Item[F] = Item(self._directory / name)
            self.items.append(item)
            note_source(item, place)
            try:
                if name not in filenames:
                    raise InvalidArgumentError(
                        f"The index lists no '{name}'. Check the name; capital letters count."
                    )
                item.file = listed(name)
            except HatcherException as error:
                item.fail(error)
        return self

    @property
    def present(self) -> list[Item[F]]:
        """The open files of whose name there is something."""
        items = self.open
        names = {
            folder: set(os.listdir(folder)) if folder.is_dir() else set()  # noqa: PTH208 - names
            for folder in {item.path.parent for item in items}
        }
        return [item for item in items if item.path.name in names[item.path.parent]]


def selected(filenames: Collection[str], names: Names) -> Iterable[str]:
    """Return the names that are wanted; one that there is not, as well."""
    if names is None:
        return filenames
    if callable(names):
        return filter(names, filenames)
    chosen: dict[str, None] = {}
    for wanted in names:
        if not isinstance(wanted, str):
            raise InvalidArgumentError(f"{wanted!r} is no file name; names takes a list of them.")
        matching = [wanted] if wanted in filenames else []
        if not matching and is_pattern(wanted):
            matching = [name for name in filenames if fnmatchcase(name, wanted)]
        # One that matches nothing is named in the report.
        chosen.update(dict.fromkeys(matching or [wanted]))
    return chosen


# -- files with a sha256: eggs and runtimes --------------------------------------------------


class ListedFile(NamedTuple):
    """A file with a sha256 that an index lists.

    Attributes
    ----------
    artefact : FileArtefact
    sha256 : str or None
        None where the index does not say; the server is asked then.
    size : int or None
        In bytes.
    """

    artefact: FileArtefact[Any]
    sha256: str | None
    size: int | None = None

    @classmethod
    def of(cls, artefact: FileArtefact[Any], entry: Mapping[str, Any]) -> ListedFile:
        """Return what an index's entry says of an artefact."""
        sha256, size = entry.get("sha256"), entry.get("size")
        return cls(
            artefact,
            None if sha256 is None else server_sha256(sha256, repr(artefact)),
            size if isinstance(size, int) else None,
        )


def download_files(batch: DownloadBatch[ListedFile]) -> BatchReport:
    """Download files, but for those that are there with the right sha256.

    Parameters
    ----------
    batch : DownloadBatch
        With an item for each file.
    """
    for item in batch.open:
        item.size = item.file.size
        item.note(sha256=item.file.sha256)
    with reporting(batch.report):
        batch.each(batch.present, _look, "hashing")
        dry_run, connections = batch.options.dry_run, batch.options.connections
        fetch = partial(_fetch, dry_run=dry_run, connections=connections)
        try:
            batch.each(batch.open, fetch, None if dry_run else "downloading")
        finally:
            # The names of the files are to survive a power failure.
            for folder in {i.path.parent for i in batch.items if i.outcome == "downloaded"}:
                sync_directory(folder)
    return batch.report()


def note_source(item: Item[Any], artefact: Node) -> None:
    """Note where something is downloaded from, and to."""
    server = str(artefact._session.server)
    item.note(source=artefact._whereabouts, target=str(item.path), server=server)


def _look(item: Item[ListedFile], counter: ByteCounter) -> Outcome | None:
    """Say whether a file is there already: by its sha256, never by its name alone."""
    there = item.path.stat()
    item.note(replaced=True)  # unless it is the same
    if item.file.sha256 is None or (item.size is not None and there.st_size != item.size):
        return None
    if not item.path.is_file() or file_sha256(item.path, progress=counter) != item.file.sha256:
        return None
    item.size = there.st_size
    item.note(replaced=False)
    return "already there"


def _fetch(
    item: Item[ListedFile], counter: ByteCounter, *, dry_run: bool, connections: int | None
) -> Outcome:
    artefact, sha256, _ = item.file
    if sha256 is None:
        # The index says too little, as old ones do.
        sha256 = artefact.sha256()
        item.file = item.file._replace(sha256=sha256)
        item.note(sha256=sha256)
        if item.path.exists() and _look(item, counter) is not None:
            return "already there"
    if dry_run:
        return "would download"
    # The directory is synchronised once, after all of them.
    artefact._receive(item.path, sha256, counter, connections)
    if item.size is None:
        item.size = item.path.stat().st_size
    return "downloaded"


def download_eggs(
    platform: Eggs, python_tag: str | None, destination: Folder, names: Names, options: BatchOptions
) -> BatchReport:
    """Download eggs; see `SinglePlatformRepository.download_eggs`."""
    batch: DownloadBatch[ListedFile] = DownloadBatch(options, destination, names)
    index = platform.egg_index(python_tag)

    def listed(filename: str) -> ListedFile:
        entry = index[filename]
        return listed_egg(platform, entry.get("python_tag"), filename, entry)

    return download_files(batch.select(platform, index, listed))


def listed_egg(
    platform: Eggs, python_tag: str | None, filename: str, entry: Mapping[str, Any]
) -> ListedFile:
    """Return an egg that an index lists.

    Parameters
    ----------
    platform : SinglePlatformRepository
    python_tag : str or None
        The egg's own.
    filename : str
    entry : mapping
        What the index says of it.

    Raises
    ------
    HatcherException
        Such a file cannot be written, or nothing on the server can be called so.
    """
    server_filename(filename, "The name in the index", is_egg_name)
    return ListedFile.of(platform.egg(python_tag, *split_filename(filename)), entry)


def download_runtimes(
    platform: Runtimes, destination: Folder, names: Names, options: BatchOptions
) -> BatchReport:
    """Download runtimes; see `SinglePlatformRepository.download_runtimes`."""
    batch: DownloadBatch[ListedFile] = DownloadBatch(options, destination, names)
    index = runtimes_by_filename(platform)
    return download_files(
        batch.select(platform, index, lambda name: listed_runtime(platform, name, *index[name]))
    )


def listed_runtime(
    platform: Runtimes,
    filename: str,
    selector: str | None,
    version: str,
    entry: Mapping[str, Any],
) -> ListedFile:
    """Return a runtime that an index lists; see `listed_egg`."""
    runtime = platform.runtime(selector, version)
    server_filename(filename, "The name in the index", runtime._is_called)
    return ListedFile.of(runtime, entry)


def runtimes_by_filename(
    platform: Runtimes,
) -> dict[str, tuple[str | None, str, Mapping[str, Any]]]:
    """Return what addresses each runtime, and what the index says of it, by their files' names.

    Raises
    ------
    InvalidResponseError
        Two of them have one name.
    """
    index = platform.runtime_index()
    entries = list(DIALECTS[platform._session.api_version].runtime_entries(index))
    found = {
        str(entry.get("filename") or f"{selector}-{version}.runtime"): (selector, version, entry)
        for selector, version, entry in entries
    }
    if len(found) < len(entries):
        raise InvalidResponseError(
            f"The index of {platform} runtimes gives one file name to several runtimes. Tell the "
            "administrators of the server."
        )
    return found


# -- documents: bundles ----------------------------------------------------------------------


def download_bundles(
    platform: Bundles, destination: Folder, names: Names, options: BatchOptions
) -> BatchReport:
    """Save bundles; see `SinglePlatformRepository.download_bundles`."""
    batch: DownloadBatch[Document] = DownloadBatch(options, destination, names)
    bundles = platform.bundles
    index = {f"{one['name']}-{one['version']}.bundle": one for one in bundles.list()}

    def listed(filename: str) -> Document:
        server_name(filename, "The name in the index")
        bundle = bundles.get(**index[filename])
        return lambda: (None, bundle._document())

    def write(path: Path, _: object, content: bytes) -> None:
        with replacing(path) as file:
            file.write(content)

    return save_documents(batch.select(platform, index, listed), write)


def save_documents(
    batch: DownloadBatch[Document], write: Callable[[Path, Any, bytes], object]
) -> BatchReport:
    """Save documents, but for those that are there already.

    Parameters
    ----------
    batch : DownloadBatch
        With an item for each document.
    write : callable
        Given a path, the document and its bytes, writes the file.
    """

    def save(item: Item[Document], counter: ByteCounter) -> Outcome:
        document, content = item.file()
        item.size = len(content)
        item.note(sha256=hashlib.sha256(content).hexdigest())
        counter(len(content), None, "downloading")
        if item.path.is_file() and item.path.read_bytes() == content:
            return "already there"
        if batch.options.dry_run:
            return "would download"
        item.note(replaced=item.path.exists())
        write(item.path, document, content)
        return "downloaded"

    with reporting(batch.report):
        batch.each(batch.open, save, "downloading")
    return batch.report()
