"""Downloading many files: those that are there are looked at first, then the others come."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
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
from hatcher.transfer.atomic import replacing, sync_directory
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency
from hatcher.transfer.download import download, existing_directory
from hatcher.transfer.filenames import bare_filename
from hatcher.transfer.hashing import file_sha256, normalized_sha256
from hatcher.transfer.progress import Phase, Progress
from hatcher.transfer.reports import BatchReport, Outcome
from hatcher.transport.session import Session

F = TypeVar("F")

#: Which files: their names or patterns of these, or whether one is wanted.
Names: TypeAlias = Iterable[str] | Callable[[str], bool] | None

#: What is the same for all downloads from one repository.
_HOPELESS = (AuthenticationError, PermissionDeniedError)

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 5

#: An egg's file name: its name, and its version with the build number.
_EGG = re.compile(r"(.+)-([^-]+-\d+)\.egg")


class Fetching(Generic[F]):
    """The downloads of one batch.

    Parameters
    ----------
    session : Session
    destination : str or path-like
        An existing directory.
    concurrency : int or None
    progress : Progress or None

    Raises
    ------
    InvalidDestinationError, InvalidArgumentError
        They cannot be used.
    """

    def __init__(
        self,
        session: Session,
        destination: str | os.PathLike[str],
        concurrency: int | None,
        progress: Progress | None,
    ) -> None:
        number = checked_concurrency(concurrency)
        self._directory = existing_directory(destination)
        self._crew = Crew(number, progress, session.interrupt)
        self._attempts = Attempts(_HOPELESS, max(number, _GONE))
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
            Returns what an item is to hold, given the name of the file.
        """
        for name in _selected(filenames, names):
            item: Item[F] = Item(self._directory / name)
            self.items.append(item)
            try:
                bare_filename(name, "The name in the index")
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
        names = set(os.listdir(self._directory))  # noqa: PTH208 - their names are enough
        return [item for item in self.open if item.path.name in names]

    def each(
        self,
        items: list[Item[F]],
        action: Callable[[Item[F], Tally], Outcome | None],
        phase: Phase,
    ) -> None:
        """Do something with each file.

        Parameters
        ----------
        items : list of Item
        action : callable
            Does it, and returns what has become of the file; None when there is more
            to do.
        phase : {'hashing', 'downloading'}
            What `progress` is told of it.
        """

        def attempt(item: Item[F], tally: Tally) -> None:
            self._attempts.attempt(item, tally, lambda: action(item, tally))

        sizes = [item.size for item in items]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._crew.each(items, attempt, phase, total)

    def sync(self) -> None:
        """Make the names of the files survive a power failure."""
        if any(item.outcome == "downloaded" for item in self.items):
            sync_directory(self._directory)

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
            normalized_sha256(sha256) if isinstance(sha256, str) else None,
            size if isinstance(size, int) else None,
        )


def _download_files(fetching: Fetching[Listed]) -> BatchReport:
    for item in fetching.open:
        item.size = item.file.size
    fetching.each(fetching.present, _look, "hashing")
    try:
        fetching.each(fetching.open, _download, "downloading")
    finally:
        fetching.sync()
    return fetching.report()


def _look(item: Item[Listed], tally: Tally) -> Outcome | None:
    """Say whether a file is there already: by its sha256, never by its name alone."""
    there = item.path.stat()
    if item.file.sha256 is None or (item.size is not None and there.st_size != item.size):
        return None
    if not item.path.is_file() or file_sha256(item.path, progress=tally) != item.file.sha256:
        return None
    item.size = there.st_size
    return "already there"


def _download(item: Item[Listed], tally: Tally) -> Outcome:
    artefact = item.file.artefact
    sha256 = item.file.sha256
    if sha256 is None:  # old indices say too little
        sha256 = artefact.sha256()
        item.file = Listed(artefact, sha256, item.file.size)
        if item.path.exists() and _look(item, tally):
            return "already there"
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
) -> BatchReport:
    """Download eggs; see `SinglePlatformRepository.download_eggs`."""
    fetching: Fetching[Listed] = Fetching(platform._session, destination, concurrency, progress)
    index = platform.egg_index(python_tag)

    def listed(filename: str) -> Listed:
        entry = index[filename]
        called = _EGG.fullmatch(filename)
        if called is None:
            raise InvalidResponseError(
                f"The index lists '{filename}', which is not called as an egg is. Nothing of it "
                "was asked for; tell the administrators of the server."
            )
        return Listed.of(platform.egg(entry.get("python_tag"), *called.groups()), entry)

    fetching.select(index, names, listed)
    return _download_files(fetching)


def download_runtimes(
    platform: Runtimes,
    destination: str | os.PathLike[str],
    names: Names,
    concurrency: int | None,
    progress: Progress | None,
) -> BatchReport:
    """Download runtimes; see `SinglePlatformRepository.download_runtimes`."""
    fetching: Fetching[Listed] = Fetching(platform._session, destination, concurrency, progress)
    entries = DIALECTS[platform._session.api_version].runtime_entries(platform.runtime_index())
    index = {
        entry.get("filename") or f"{selector}-{version}.runtime": (selector, version, entry)
        for selector, version, entry in entries
    }

    def listed(filename: str) -> Listed:
        selector, version, entry = index[filename]
        return Listed.of(platform.runtime(selector, version), entry)

    fetching.select(index, names, listed)
    return _download_files(fetching)


def download_bundles(
    platform: Bundles,
    destination: str | os.PathLike[str],
    names: Names,
    concurrency: int | None,
    progress: Progress | None,
) -> BatchReport:
    """Save bundles; see `SinglePlatformRepository.download_bundles`."""
    fetching: Fetching[Bundle] = Fetching(platform._session, destination, concurrency, progress)
    index = {bundle.canonical_filename: bundle for bundle in platform.bundles}

    def save(item: Item[Bundle], tally: Tally) -> Outcome:
        content = item.file._content()
        item.size = len(content)
        tally(len(content), None, "downloading")
        if item.path.is_file() and item.path.read_bytes() == content:
            return "already there"
        with replacing(item.path) as file:
            file.write(content)
        return "downloaded"

    fetching.select(index, names, index.__getitem__)
    fetching.each(fetching.open, save, "downloading")
    return fetching.report()


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
