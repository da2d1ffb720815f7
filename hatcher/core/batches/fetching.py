"""Downloading many files: those that are there are looked at first, then the others come."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from hatcher.core.artefact import FileArtefact
from hatcher.core.bundles import Bundle, Bundles
from hatcher.core.dialects import DIALECTS
from hatcher.core.eggs import Eggs
from hatcher.core.runtimes import Runtimes
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    InvalidArgumentError,
    InvalidResponseError,
    PermissionDeniedError,
)
from hatcher.files.atomic import replacing, sync_directory
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency
from hatcher.transfer.download import download, existing_directory
from hatcher.transfer.filenames import server_filename, server_name
from hatcher.transfer.hashing import file_sha256, server_sha256
from hatcher.transfer.progress import Phase, Progress
from hatcher.transfer.reports import BatchReport, Outcome, reporting
from hatcher.transport.session import Session

F = TypeVar("F")

#: Which files: their names or patterns of these, or whether one is wanted.
Names: TypeAlias = Iterable[str] | Callable[[str], bool] | None

#: What is the same for all downloads from one repository.
_HOPELESS = (AuthenticationError, PermissionDeniedError)

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 5

#: An egg's file name: its name, and its version with the build number.
_EGG = re.compile(r".+-[^-]+-\d+\.egg")


class Fetching(Generic[F]):
    """The downloads of one batch.

    Parameters
    ----------
    session : Session
    destination : str, path-like or None
        An existing directory; None when `items` are put in that have paths of their own.
    concurrency : int or None
    progress : Progress or None
    dry_run : bool
        Receive nothing, and say what would be received.

    Raises
    ------
    InvalidDestinationError, InvalidArgumentError
        They cannot be used.
    """

    def __init__(
        self,
        session: Session,
        destination: str | os.PathLike[str] | None,
        concurrency: int | None,
        progress: Progress | None,
        dry_run: bool,
    ) -> None:
        number = checked_concurrency(concurrency)
        self._directory = Path() if destination is None else existing_directory(destination)
        self._crew = Crew(number, progress)
        self._attempts = Attempts(_HOPELESS, max(number, _GONE))
        self.dry_run = dry_run
        self.items: list[Item[F]] = []

    def select(self, filenames: Collection[str], names: Names, listed: Callable[[str], F]) -> None:
        """Make an item of each file that is wanted; what there is not, has failed.

        Parameters
        ----------
        filenames : collection of str
            What there is.
        names : iterable of str, callable or None
            Which of them.
        listed : callable
            Returns what an item is to hold, given the name of the file, which may become a
            path then.
        """
        for name in _selected(filenames, names):
            item: Item[F] = Item(self._directory / name)
            self.items.append(item)
            try:
                if name not in filenames:
                    raise InvalidArgumentError(
                        f"The index lists no '{name}'. Check the name; capital letters count."
                    )
                item.file = listed(name)
            except HatcherException as error:
                item.fail(error)

    @property
    def open(self) -> list[Item[F]]:
        """The files that are neither there nor failed."""
        return [item for item in self.items if item.is_open]

    @property
    def present(self) -> list[Item[F]]:
        """Those of them of whose name there is something."""
        items = self.open
        names = {
            folder: set(os.listdir(folder)) if folder.is_dir() else set()  # noqa: PTH208 - names
            for folder in {item.path.parent for item in items}
        }
        return [item for item in items if item.path.name in names[item.path.parent]]

    def each(
        self,
        items: list[Item[F]],
        action: Callable[[Item[F], Tally], Outcome | None],
        phase: Phase | None = None,
    ) -> None:
        """Do something with each file.

        Parameters
        ----------
        items : list of Item
        action : callable
            Does it, and returns what has become of the file; None when there is more
            to do.
        phase : {'hashing', 'downloading'}, optional
            What `progress` is told of it; nothing when it is not given.
        """

        def attempt(item: Item[F], tally: Tally) -> None:
            self._attempts.attempt(item, tally, lambda: action(item, tally))

        sizes = [item.size for item in items]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._crew.each(items, attempt, phase, total)

    def sync(self) -> None:
        """Make the names of the files survive a power failure."""
        for folder in {item.path.parent for item in self.items if item.outcome == "downloaded"}:
            sync_directory(folder)

    def report(self) -> BatchReport:
        """Say what became of each file."""
        return BatchReport(tuple(item.result() for item in self.items))


class Listed(NamedTuple):
    """A file with a sha256 that an index lists.

    Attributes
    ----------
    artefact : FileArtefact
        What it is on the server.
    sha256 : str or None
        What the index says of it, if it does.
    size : int or None
        In bytes, likewise.
    """

    artefact: FileArtefact[Any]
    sha256: str | None
    size: int | None = None

    @classmethod
    def of(cls, artefact: FileArtefact[Any], entry: Mapping[str, Any]) -> Listed:
        """Return what an index's entry says of an artefact."""
        sha256, size = entry.get("sha256"), entry.get("size")
        return cls(
            artefact,
            None if sha256 is None else server_sha256(sha256, repr(artefact)),
            size if isinstance(size, int) else None,
        )


def download_files(fetching: Fetching[Listed]) -> BatchReport:
    """Download files, but for those that are there with the right sha256.

    Parameters
    ----------
    fetching : Fetching
        With an item for each file.
    """
    for item in fetching.open:
        item.size = item.file.size
    with reporting(fetching.report):
        fetching.each(fetching.present, _look, "hashing")
        if fetching.dry_run:
            fetching.each(fetching.open, _would_download)
            return fetching.report()
        try:
            fetching.each(fetching.open, _download, "downloading")
        finally:
            fetching.sync()
    return fetching.report()


def _would_download(item: Item[Listed], tally: Tally) -> Outcome:
    return "already there" if _is_there_after_all(item, tally) else "would download"


def _look(item: Item[Listed], tally: Tally) -> Outcome | None:
    """Say whether a file is there already: by its sha256, never by its name alone."""
    there = item.path.stat()
    if item.file.sha256 is None or (item.size is not None and there.st_size != item.size):
        return None
    if not item.path.is_file() or file_sha256(item.path, progress=tally) != item.file.sha256:
        return None
    item.size = there.st_size
    return "already there"


def _is_there_after_all(item: Item[Listed], tally: Tally) -> bool:
    """Whether a file of which the index says too little, as old ones do, is there already."""
    if item.file.sha256 is not None:
        return False
    artefact = item.file.artefact
    item.file = Listed(artefact, artefact.sha256(), item.file.size)
    return item.path.exists() and _look(item, tally) is not None


def _download(item: Item[Listed], tally: Tally) -> Outcome:
    if _is_there_after_all(item, tally):
        return "already there"
    artefact, sha256, _ = item.file
    assert sha256 is not None
    # The directory is synchronised once, after all of them.
    download(
        artefact._session,
        artefact._request(f"download_{artefact._kind}"),
        item.path.parent,
        sha256,
        item.path.name,
        progress=tally,
        sync=False,
    )
    if item.size is None:
        item.size = item.path.stat().st_size
    return "downloaded"


# -- the kinds of artefacts ----------------------------------------------------------------


def download_eggs(
    platform: Eggs,
    python_tag: str,
    destination: str | os.PathLike[str],
    names: Names,
    concurrency: int | None,
    progress: Progress | None,
    dry_run: bool,
) -> BatchReport:
    """Download eggs; see `SinglePlatformRepository.download_eggs`."""
    fetching: Fetching[Listed] = Fetching(
        platform._session, destination, concurrency, progress, dry_run
    )
    index = platform.egg_index(python_tag)

    def listed(filename: str) -> Listed:
        entry = index[filename]
        return listed_egg(platform, entry.get("python_tag"), filename, entry)

    fetching.select(index, names, listed)
    return download_files(fetching)


def listed_egg(
    platform: Eggs, python_tag: str | None, filename: str, entry: Mapping[str, Any]
) -> Listed:
    """Return an egg that an index lists.

    Parameters
    ----------
    platform : Eggs
    python_tag : str or None
        The tag to address it by.
    filename : str
    entry : mapping
        What the index says of it.

    Raises
    ------
    MissingFilenameError
        It is not called as an egg is.
    """
    server_filename(filename, "The name in the index", _EGG.fullmatch)
    name, version, build = filename.removesuffix(".egg").rsplit("-", 2)
    return Listed.of(platform.egg(python_tag, name, f"{version}-{build}"), entry)


def download_runtimes(
    platform: Runtimes,
    destination: str | os.PathLike[str],
    names: Names,
    concurrency: int | None,
    progress: Progress | None,
    dry_run: bool,
) -> BatchReport:
    """Download runtimes; see `SinglePlatformRepository.download_runtimes`."""
    fetching: Fetching[Listed] = Fetching(
        platform._session, destination, concurrency, progress, dry_run
    )
    index = runtimes_by_filename(platform)

    fetching.select(index, names, lambda name: listed_runtime(platform, name, *index[name]))
    return download_files(fetching)


def listed_runtime(
    platform: Runtimes,
    filename: str,
    selector: str | None,
    version: str,
    entry: Mapping[str, Any],
) -> Listed:
    """Return a runtime that an index lists; see `listed_egg`."""
    runtime = platform.runtime(selector, version)
    server_filename(filename, "The name in the index", runtime._is_called)
    return Listed.of(runtime, entry)


def runtimes_by_filename(
    platform: Runtimes,
) -> dict[str, tuple[str | None, str, Mapping[str, Any]]]:
    """Return what addresses each runtime, and what the index says of it, by their files' names.

    Parameters
    ----------
    platform : Runtimes
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


def download_bundles(
    platform: Bundles,
    destination: str | os.PathLike[str],
    names: Names,
    concurrency: int | None,
    progress: Progress | None,
    dry_run: bool,
) -> BatchReport:
    """Save bundles; see `SinglePlatformRepository.download_bundles`."""
    fetching: Fetching[Bundle] = Fetching(
        platform._session, destination, concurrency, progress, dry_run
    )
    bundles = platform.bundles
    index = {f"{one['name']}-{one['version']}.bundle": one for one in bundles.list()}

    def listed(filename: str) -> Bundle:
        server_name(filename, "The name in the index")
        return bundles.get(**index[filename])

    fetching.select(index, names, listed)
    return save_bundles(fetching)


def save_bundles(fetching: Fetching[Bundle]) -> BatchReport:
    """Save the documents of bundles, but for those that are there already.

    Parameters
    ----------
    fetching : Fetching
        With an item for each bundle.
    """

    def save(item: Item[Bundle], tally: Tally) -> Outcome:
        content = item.file._content()
        tally(len(content), None, "downloading")
        return save_content(item, content, dry_run=fetching.dry_run)

    with reporting(fetching.report):
        fetching.each(fetching.open, save, "downloading")
    return fetching.report()


def save_content(item: Item[Any], content: bytes, *, dry_run: bool) -> Outcome:
    """Write a small file whole, unless it is there already; return what has become of it.

    Parameters
    ----------
    item : Item
    content : bytes
    dry_run : bool
        Write nothing.
    """
    item.size = len(content)
    if item.path.is_file() and item.path.read_bytes() == content:
        return "already there"
    if dry_run:
        return "would download"
    with replacing(item.path) as file:
        file.write(content)
    return "downloaded"


def _selected(filenames: Collection[str], names: Names) -> list[str]:
    if names is None:
        return list(filenames)
    if callable(names):
        return [name for name in filenames if names(name)]
    if isinstance(names, str):
        raise InvalidArgumentError("names takes a list of file names; put the one into a list.")
    chosen: dict[str, None] = {}
    for wanted in names:
        if not isinstance(wanted, str):
            raise InvalidArgumentError(f"{wanted!r} is no file name; names takes a list of them.")
        matching = [wanted] if wanted in filenames else []
        if not matching and any(sign in wanted for sign in "*?["):
            matching = [name for name in filenames if fnmatchcase(name, wanted)]
        # One that matches nothing is named in the report.
        chosen.update(dict.fromkeys(matching or [wanted]))
    return list(chosen)
