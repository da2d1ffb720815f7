"""Packing what another side lacks into one file, to be carried there."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hatcher.core.places import Problem
from hatcher.errors import (
    AuthenticationError,
    FileChangedError,
    InvalidArgumentError,
    PermissionDeniedError,
)
from hatcher.files.folders import existing_directory
from hatcher.files.locks import locked
from hatcher.files.partial import PARTIAL_SUFFIX
from hatcher.files.space import check_space, explained
from hatcher.mirror.archive import size_of_archive, write_archive
from hatcher.mirror.contents import DOCUMENTS
from hatcher.mirror.folder import Folder
from hatcher.mirror.listing import SideLike, entries_of, pair_of, side_of
from hatcher.mirror.manifests import Entry, Manifest
from hatcher.mirror.records import Held, MirrorReport, Options, State, total_size
from hatcher.mirror.selection import Selection, usual_selection
from hatcher.mirror.sides import Side, identify_all, read_pair, read_state, settle
from hatcher.transfer.batch import Attempts, ByteCounter, Item, checked_concurrency
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Meter, Progress
from hatcher.transfer.reports import FileResult, reporting

logger = logging.getLogger("hatcher")

#: What is the same for all files of a source.
_HOPELESS = (AuthenticationError, PermissionDeniedError)

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 5


def pack(
    source: SideLike,
    archive: str | os.PathLike[str],
    *,
    lacking: SideLike | None = None,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    max_size: int | None = None,
    concurrency: int | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> MirrorReport:
    """Pack what another side lacks into one file, for where no network leads.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, likewise for runtimes, apps and bundles, and a download for each
    artefact that is packed

    The file is a ZIP with the manifest of all that the source has, and with the artefacts that the
    other side lacks, or has with other content. On the other side it is the source of a `plan`,
    which knows by the manifest what is to be deleted too; and `verify` compares with it. Unpacked
    by hand it is a folder as `export` writes it.

    It appears under its name only when it is complete. The same content gives the same bytes.

    Parameters
    ----------
    source : Organization, Repository, SinglePlatformRepository, Folder, str or path-like
        A place on a server, or the folder of an export.
    archive : str or path-like
        The file; it is replaced when it is there.
    lacking : Manifest or as `source`, optional
        The side that it is for. Where that cannot be reached, its `manifest`, or that of the
        archive that was packed last. By default it has nothing.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    max_size : int, optional
        Bytes that the file may have, such as those of a disc. If it would be larger, nothing
        is packed.
    concurrency : int, optional
        How many files to receive at once at most, 64 by default.
    progress : Progress, optional
        Is told of the bytes that are downloaded, and then, in the phase ``hashing``, of those
        that are packed.
    dry_run : bool, default False
        Receive and write nothing, and say of each artefact whether it would be packed.

    Returns
    -------
    MirrorReport
        What became of each artefact: ``packed``, or ``already there`` on the other side. When one
        failed there is no archive.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used, or the archive would be larger than `max_size`.
    NoSpaceError
        There is no room for it; nothing was received.
    HatcherException
        The source could not be read at all, or the archive not be written.

    Notes
    -----
    What is downloaded is kept in a folder beside the archive until the archive is complete, so
    that there must be room for twice its size. Ctrl-C ends the call within about a second with a
    `BatchInterrupted`; the same call goes on with what is in that folder.

    Examples
    --------
    >>> there = mirror.read_manifest('state-of-the-other-side.json')
    >>> report = mirror.pack(repository, 'delta.zip', lacking=there)
    >>> print(report)
    120 files: 3 packed, 117 already there
    """
    options = Options(checked_concurrency(concurrency), progress, dry_run)
    target = Path(archive)
    existing_directory(target.parent)
    if target.is_dir():
        raise InvalidArgumentError(f"'{target}' is a folder. Give the name of a file for it.")
    here, there = _sides(source, lacking)
    selection = usual_selection(here.version, kinds, platforms, python_tags, names)
    packing = _Packing(here, target, max_size, options)
    packing.compare(there, selection)
    packing.check_size()
    return packing.tell() if dry_run else packing.run()


def _sides(source: SideLike, lacking: SideLike | None) -> tuple[Side, Side | None]:
    if lacking is not None:
        return pair_of(source, lacking)
    here = side_of(source)
    if here.names is None:
        raise InvalidArgumentError(
            f"'{here}' is a folder of several places. Say which one is to be packed: "
            "Folder('backup', 'acme/dev')."
        )
    return here.beside(here.names, 1), None


class _Packing:
    """The making of one archive."""

    def __init__(self, source: Side, target: Path, max_size: int | None, options: Options) -> None:
        self._source = source
        self._target = target
        self._max_size = max_size
        self._options = options
        self._attempts = Attempts(_HOPELESS, max(options.concurrency, _GONE))
        #: What is to be packed, by the path below the place.
        self._items: dict[str, Item[Held]] = {}
        #: What the manifest is to say, by the path in the layout.
        self._entries: dict[str, Entry] = {}
        #: What could not be read of the source, and of the other side.
        self._problems: list[Problem] = []
        self._others: list[Problem] = []

    def compare(self, there: Side | None, selection: Selection) -> None:
        """Find out what the source has, and what of it the other side lacks."""
        here, options = self._source, self._options
        if there is None:
            state = read_state(here, selection, options.concurrency)
            other = State({}, [], selection)
        else:
            sides = here, there
            state, other = settle(sides, read_pair(sides, selection, options.concurrency))
        self._state = state
        self._problems = state.problems + identify_all(here, state.held, options)
        self._entries = entries_of(here, state.held, self._problems)
        listed = [path for path in sorted(state.held) if here.prefix + path in self._entries]
        same = {path: name for path in listed if (name := other.path_of(path)) is not None}
        if there is not None:
            both = {name: other.held[name] for name in same.values()}
            # What cannot be told is packed: that does no harm.
            self._others = other.problems + identify_all(there, both, options)
        for path in listed:
            held = state.held[path]
            if path not in same or other.held[same[path]].sha256 != held.sha256:
                full = here.prefix + path
                self._entries[full] = self._entries[full]._replace(carried=True)
                item = self._items[path] = Item(self._target)
                item.file, item.size = held, held.size
                item.note(
                    sha256=held.sha256,
                    source=str(here),
                    target=str(self._target),
                    server=here.server,
                )

    def check_size(self) -> None:
        """Check that the archive may be as large as it will be.

        Raises
        ------
        InvalidArgumentError
        """
        size = size_of_archive(self._manifest())
        if self._max_size is not None and size > self._max_size:
            raise InvalidArgumentError(
                f"'{self._target}' would have {size:,} bytes, and max_size is "
                f"{self._max_size:,}. Ask for less, by platforms, kinds or names, and pack the "
                "rest into another one."
            )

    def tell(self) -> MirrorReport:
        """Say what would be packed."""
        for item in self._items.values():
            item.outcome = "would pack"
        return self._report()

    def run(self) -> MirrorReport:
        """Get what is to be packed, and write the archive."""
        with self._scratch() as folder:
            self._check_space(folder)
            with reporting(self._report):
                files = self._obtain(folder)
                if all(item.error is None for item in self._items.values()):
                    self._write(files)
                    _remove(folder)
        return self._report()

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Give the folder for what is downloaded, which a later call finds again."""
        folder = self._target.with_name(f"{self._target.name}.files{PARTIAL_SUFFIX}")
        with locked(folder.with_name(f".{folder.name}.lock"), wait=False) as is_free:
            if not is_free:
                raise InvalidArgumentError(
                    f"'{self._target}' is being packed by somebody else. Wait for that, or give "
                    "another name."
                )
            with explained(folder):
                if not folder.is_dir() or folder.is_symlink():
                    folder.mkdir(mode=0o700)
            yield folder

    def _check_space(self, folder: Path) -> None:
        """Check that there is room for what is downloaded, and for the archive."""
        needed = size_of_archive(self._manifest())
        if not isinstance(self._source, Folder):
            there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            needed += max(sum(item.size or 0 for item in self._items.values()) - there, 0)
        check_space(self._target, needed)

    def _obtain(self, folder: Path) -> dict[str, Path]:
        """Get each file, and note what the manifest is to say of it."""
        files: dict[str, Path] = {}
        by_hash: dict[str, list[str]] = {}
        for path, item in self._items.items():
            by_hash.setdefault(f"{item.file.sha256}{Path(path).suffix}", []).append(path)

        def obtain(paths: list[str], counter: ByteCounter) -> None:
            # What is wanted at several places is fetched once.
            for path in paths:
                item = self._items[path]
                self._attempts.attempt(
                    item, counter, partial(self._get, folder, path, files, counter)
                )

        total = total_size(self._items.values())
        self._options.each(list(by_hash.values()), obtain, "downloading", total)
        return files

    def _get(self, folder: Path, path: str, files: dict[str, Path], counter: ByteCounter) -> None:
        item, full = self._items[path], f"{self._source.prefix}{path}"
        entry = self._entries[full]
        into = folder / f"{entry.sha256}{Path(path).suffix}"
        file = self._source.obtain(path, item.file, into, counter)
        if item.file.sha256 != entry.sha256:
            raise FileChangedError(
                f"{path} in {self._source} has changed since it was looked at. Pack again."
            )
        item.size = file.stat().st_size
        sha256 = file_sha256(file) if entry.kind in DOCUMENTS else None
        self._entries[full] = entry._replace(size=item.size, file_sha256=sha256)
        files[full] = file

    def _write(self, files: dict[str, Path]) -> None:
        # Of some nobody had said the size.
        self.check_size()
        total = sum(item.size or 0 for item in self._items.values())
        meter, done = Meter(self._options.progress, total, "hashing"), 0

        def note(size: int) -> None:
            nonlocal done
            done += size
            meter.reach(done)

        write_archive(self._target, self._manifest(), files, note)
        for item in self._items.values():
            item.outcome = "packed"

    def _manifest(self) -> Manifest:
        source, names = self._source, self._source.names or ()
        # Without the time, so that the same content gives the same bytes.
        made, problems = None, tuple(self._problems)
        read = self._state.selection
        return Manifest(str(source), names, source.version, read, self._entries, made, problems)

    def _report(self) -> MirrorReport:
        results = []
        for path, held in sorted(self._state.held.items()):
            item, full = self._items.get(path), f"{self._source.prefix}{path}"
            if item is not None:
                results.append(item.result(full))
            elif full in self._entries:
                results.append(FileResult(full, self._target, "already there", held.size))
        return MirrorReport(tuple(results), tuple(self._problems + self._others))


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        # The archive is complete all the same.
        logger.warning("'%s' is no longer needed, and cannot be removed: %s", folder, error)
