"""Proving that an end is what it should be: by reading every byte again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hatcher.artefacts.platforms import usual_platform
from hatcher.errors import (
    ArtefactError,
    AuthenticationError,
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
    InvalidNameError,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.mirror.documents import DOCUMENTS, digest_of_file
from hatcher.mirror.ends.archive import Archive
from hatcher.mirror.ends.base import End, read_state, settle
from hatcher.mirror.ends.choosing import EndLike, end_of, pair_of
from hatcher.mirror.ends.folder import Folder
from hatcher.mirror.ends.listed import Listed
from hatcher.mirror.ends.place import Remote
from hatcher.mirror.layout import KINDS, parse
from hatcher.mirror.listing import identify_all
from hatcher.mirror.manifests.archives import blocks_of_member, check_member
from hatcher.mirror.manifests.manifest import FILENAME, Entry, Manifest, read_manifest
from hatcher.mirror.manifests.recording import LOCK
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection, select, usual_selection
from hatcher.mirror.states import Held, State, identity_of
from hatcher.mirror.verification import Condition, Finding, Verification
from hatcher.transfer.batch import Attempts, Crew, Item, Tally, checked_concurrency
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Phase, Progress
from hatcher.transfer.reports import Outcome

#: What is the same for all that a server has.
_HOPELESS = (AuthenticationError, PermissionDeniedError)

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 5


def verify(
    target: EndLike,
    source: EndLike | None = None,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    download: bool = False,
    concurrency: int | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check that an end is what it should be; changes nothing.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of a server, and likewise for runtimes, apps and bundles; with
    `download` also each artefact of the target

    Of a folder every file is hashed again, and compared with its ``manifest.json``; of an archive,
    every file that it carries, with the manifest in it. Of a place on a server the hashes are those
    that it says itself, unless `download` is given: then everything is downloaded and hashed, and
    kept in a temporary folder only until then.

    With a source, what the target has is compared with what the source has, too.

    Parameters
    ----------
    target : Organization, Repository, SinglePlatformRepository, Folder, str or path-like
        A place on a server, the folder of an export, or an archive.
    source : Manifest or as `target`, optional
        What the target should have. A place on a server needs one, or `download`.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    download : bool, default False
        Download what is on a server, and hash it.
    concurrency : int, optional
        How many questions or files at once, 16 by default.
    progress : Progress, optional
        Is told of bytes, in the phase ``hashing``, with `download` in ``downloading``.

    Returns
    -------
    Verification
        False when something is damaged, missing, or different. What cannot be read is among
        its findings and problems.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used, or there is nothing to compare with.
    HatcherException
        The source, or a place on a server, could not be read at all.

    Examples
    --------
    >>> print(mirror.verify('backup'))
    1,148 artefacts checked, 5,403,211,004 bytes hashed: all right
    >>> bool(mirror.verify(prod, dev, platforms=['rh8-x86_64']))
    True
    """
    number = checked_concurrency(concurrency)
    try:
        here = end_of(target)
    except ArtefactError as error:
        # An archive that cannot even be opened.
        return Verification(str(target), None, 0, 0, (), (Problem(str(target), error),))
    there = None
    if source is not None:
        there, here = pair_of(source, here)
    selection = usual_selection(here.version, kinds, platforms, python_tags, names)
    work = _Work(here, selection, number, progress, is_compared=there is not None)
    if isinstance(here, Folder):
        work.folder(here)
    elif isinstance(here, Archive):
        work.archive(here)
    else:
        work.listing(there, download=download)
    if there is not None:
        work.compare(there)
    return work.result(there)


class _Check(NamedTuple):
    """One artefact that is to be looked at.

    Attributes
    ----------
    path : str
        As findings say it.
    key : str or None
        Its path below the place, where it is compared with a source.
    size : int or None
    read : callable
        Reads it, given what is told of the bytes; returns how many there were, and by which
        sha256 it is compared. Raises what is wrong with it.
    """

    path: str
    key: str | None
    size: int | None
    read: Callable[[Progress], tuple[int, str]]


class _Work:
    """The verification of one end."""

    def __init__(
        self,
        end: End,
        selection: Selection,
        concurrency: int,
        progress: Progress | None,
        *,
        is_compared: bool,
    ) -> None:
        self._end = end
        self._selection = selection
        self._concurrency = concurrency
        self._progress = progress
        self._is_compared = is_compared
        self._checked = 0
        self._bytes = 0
        self._findings: list[Finding] = []
        #: Of what nobody can say whether an end has it.
        self._unsure: set[str] = set()
        #: Files that no manifest lists.
        self._extras: set[str] = set()
        self._problems: list[Problem] = []
        #: What the target really has, to be compared with the source.
        self._state = State({}, [], selection)
        #: What has been found fault with already.
        self._bad: set[str] = set()
        #: What the source has, where that was asked for first.
        self._wanted: State | None = None

    def result(self, source: End | None) -> Verification:
        """Return what came out."""
        self._findings += [Finding("extra", path) for path in self._extras]
        return Verification(
            str(self._end),
            None if source is None else str(source),
            self._checked,
            self._bytes,
            tuple(sorted(self._findings, key=lambda found: (found.path, found.condition))),
            tuple(self._problems),
        )

    # -- folders -----------------------------------------------------------------------

    def folder(self, folder: Folder) -> None:
        """Hash the files of a folder."""
        if not folder.root.is_dir():
            raise InvalidArgumentError(f"There is no folder '{folder.root}'. Check the path.")
        manifest = self._manifest_of(folder)
        listed = {} if manifest is None else manifest.artefacts
        listed = {path: entry for path, entry in listed.items() if self._is_inside(path)}
        is_named = folder.names is not None and not self._is_compared
        if is_named and not listed and not (folder.root / folder.prefix).is_dir():
            raise InvalidArgumentError(
                f"There is no '{folder.prefix}' in '{folder.root}'. Check the place."
            )
        keys: dict[str, str] = {}
        if self._is_compared:
            if manifest is not None:
                keys = _keys(Listed(manifest), folder, self._selection)
            try:
                self._state = folder.state(self._selection)
            except InvalidArgumentError as error:
                self._problems.append(Problem(str(folder), error))
        checks = [
            _Check(
                path, keys.get(path), entry.size, partial(_hash_listed, folder.root, path, entry)
            )
            for path, entry in listed.items()
        ]
        unlisted = {
            key: held
            for key, held in self._state.held.items()
            if held.origin.relative_to(folder.root).as_posix() not in listed
        }
        checks += [
            _Check(folder.prefix + key, key, held.size, partial(_identify, folder, key, held))
            for key, held in unlisted.items()
        ]
        self._state = State({}, [], self._selection)
        self._run(checks, "hashing")
        if manifest is not None:
            self._look_for_extras(folder, listed)

    def _manifest_of(self, folder: Folder) -> Manifest | None:
        path = folder.root / FILENAME
        if not os.path.lexists(path):
            if self._is_compared:
                return None
            raise InvalidArgumentError(
                f"There is no {FILENAME} in '{folder.root}', which would say what should be there. "
                "Give a source to compare with: a place, or a manifest of it."
            )
        try:
            return read_manifest(path)
        except ArtefactError as error:
            self._problems.append(Problem(str(path), error))
            return None

    def _look_for_extras(self, folder: Folder, listed: Mapping[str, Entry]) -> None:
        """Find the files that no manifest lists."""

        def unreadable(error: OSError) -> None:
            self._problems.append(Problem(str(error.filename), error))

        for where, _, filenames in os.walk(folder.root, onerror=unreadable):
            for filename in filenames:
                path = Path(where, filename).relative_to(folder.root).as_posix()
                is_own = path in (FILENAME, LOCK)
                if path not in listed and not is_own and self._may_be_extra(path):
                    self._extras.add(path)

    def _may_be_extra(self, path: str) -> bool:
        """Whether a file counts that is not listed: others are not asked for."""
        try:
            parse(path)
        except InvalidNameError:
            everything = select(KINDS, None, None)
            return self._end.names is None and self._selection == everything
        return self._is_inside(path)

    def _is_inside(self, path: str) -> bool:
        """Whether what stands at a path of the layout is of the place, and asked for."""
        location = parse(path)
        names = self._end.names or ()
        version = self._end.api_version
        place = (location.organization, location.repository, location.platform)
        return (
            place[: min(len(names), 2)] == names[:2]
            and [*map(usual_platform, place[2 : len(names)])] == [*map(usual_platform, names[2:])]
            and version in (None, location.api_version)
            and self._selection.takes(location)
        )

    # -- archives ----------------------------------------------------------------------

    def archive(self, archive: Archive) -> None:
        """Hash what an archive carries."""
        self._state = archive.state(self._selection)
        if self._is_compared:
            self._problems += self._state.problems
            self._problems += identify_all(archive, self._state.held, self._concurrency, None)
        checks = []
        for key, held in self._state.held.items():
            path: str = held.origin
            entry = archive.manifest.artefacts.get(path)
            if entry is not None and entry.carried:
                read = partial(_hash_member, archive, key, held, entry)
                checks.append(_Check(path, key, entry.size, read))
        self._run(checks, "hashing")

    # -- places on a server, and manifests ---------------------------------------------

    def listing(self, source: End | None, *, download: bool) -> None:
        """Read what a place says, or download what it has."""
        if download and not isinstance(self._end, Remote):
            raise InvalidArgumentError(
                f"Nothing can be downloaded from {self._end}. Give the place on a server."
            )
        if not download and not self._is_compared:
            raise InvalidArgumentError(
                f"There is nothing to compare {self._end} with. Give a source, or have it "
                "downloaded and hashed: download=True."
            )
        state = read_state(self._end, self._selection, self._concurrency)
        if source is not None:
            self._wanted = read_state(source, self._selection, self._concurrency)
            settle((source, self._end), (self._wanted, state))
        self._problems += state.problems
        if not download:
            self._problems += identify_all(self._end, state.held, self._concurrency, self._progress)
            self._checked = len(state.held)
            self._state = state
            return
        self._state = State({}, state.problems, state.selection)
        with tempfile.TemporaryDirectory(prefix="hatcher-") as folder:
            checks = [
                _Check(
                    self._end.prefix + key,
                    key,
                    held.size,
                    partial(_download, self._end, key, held, folder),
                )
                for key, held in state.held.items()
            ]
            self._run(checks, "downloading")

    # -- the work ----------------------------------------------------------------------

    def _run(self, checks: list[_Check], phase: Phase) -> None:
        """Look at each artefact."""
        attempts = Attempts(_HOPELESS, max(self._concurrency, _GONE))
        items = []
        for check in checks:
            item: Item[_Check] = Item(Path(check.path))
            item.file, item.size = check, check.size
            items.append(item)
        hashes: dict[str, str] = {}

        def look(item: Item[_Check], tally: Tally) -> None:
            def action() -> Outcome:
                item.size, hashes[item.file.path] = item.file.read(tally)
                return "already there"

            attempts.attempt(item, tally, action)

        sizes = [check.size for check in checks]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        crew = Crew(self._concurrency, self._progress)
        crew.each(items, look, phase, total)
        for item in items:
            self._note(item, hashes.get(item.file.path))
        left = [item for item in items if item.is_open]
        if left and left[0].error is not None:
            those = "1 artefact was" if len(left) == 1 else f"{len(left):,} artefacts were"
            self._problems.append(Problem(f"{those} not looked at", left[0].error))

    def _note(self, item: Item[_Check], sha256: str | None) -> None:
        path, key = item.file.path, item.file.key
        if sha256 is not None:
            self._checked += 1
            self._bytes += item.size or 0
            if key is not None:
                self._state.held.setdefault(key, Held(item.size, sha256))
            return
        if key is not None:
            self._bad.add(identity_of(key))
            self._state.held.pop(key, None)
        if item.outcome == "failed" and item.error is not None:
            self._checked += 1
            self._findings.append(Finding(_condition(item.error), path, _reason(item.error)))

    def compare(self, source: End) -> None:
        """Compare what the target has with what the source has."""
        wanted = self._wanted
        if wanted is None:
            wanted = read_state(source, self._selection, self._concurrency)
            settle((source, self._end), (wanted, self._state))
        self._problems += wanted.problems
        pairs = {path: self._state.path_of(path) for path in wanted.held}
        both = {path: wanted.held[path] for path, own in pairs.items() if own is not None}
        self._problems += identify_all(source, both, self._concurrency, self._progress)
        unlisted = self._find_unlisted(
            self._end, self._state, [path for path, own in pairs.items() if own is None]
        )
        for path, own in pairs.items():
            mine = unlisted.get(path) if own is None else self._state.held[own]
            if mine is not None:
                self._tell_apart(own or path, wanted.held[path], mine)
            elif self._should_have(path):
                self._find("lacking", path)
        if not wanted.problems:
            self._look_for_surplus(source, wanted, set(pairs.values()))

    def _look_for_surplus(self, source: End, wanted: State, known: set[str | None]) -> None:
        surplus = [
            path
            for path in self._state.held
            if path not in known and wanted.selection.takes(self._end.location(path))
        ]
        unlisted = self._find_unlisted(source, wanted, surplus)
        for path in surplus:
            if path in unlisted:
                self._tell_apart(path, unlisted[path], self._state.held[path])
            elif path not in self._unsure:
                self._find("surplus", path)

    def _find_unlisted(self, end: End, state: State, paths: list[str]) -> dict[str, Held]:
        """Look for what an end has though its listing leaves it out."""
        found: dict[str, Held] = {}

        def find(path: str, tally: Tally) -> None:
            try:
                held = end.find(path, state)
                if held is not None:
                    end.identify(path, held, tally)
                    found[path] = held
            except HatcherException as error:
                self._unsure.add(path)
                self._problems.append(Problem(f"{end.prefix}{path}", error))

        Crew(self._concurrency, None).each(paths, find)
        return found

    def _tell_apart(self, path: str, theirs: Held, mine: Held) -> None:
        if None not in (theirs.sha256, mine.sha256) and theirs.sha256 != mine.sha256:
            said = f"its sha256 is {mine.sha256}, that of the source {theirs.sha256}"
            self._find("different", path, said)

    def _should_have(self, path: str) -> bool:
        """Whether it is new that the target lacks something."""
        return (
            identity_of(path) not in self._bad
            and path not in self._unsure
            and not self._state.problems
            and self._state.selection.takes(self._end.location(path))
        )

    def _find(self, condition: Condition, path: str, reason: str | None = None) -> None:
        path = f"{self._end.prefix}{path}"
        if condition == "surplus":
            # Which says more.
            self._extras.discard(path)
        self._findings.append(Finding(condition, path, reason))


# -- reading ---------------------------------------------------------------------------------


def _keys(listed: Listed, folder: Folder, selection: Selection) -> dict[str, str]:
    """Return the paths below a folder's place, by those in the layout."""
    assert folder.names is not None
    there = listed.beside(folder.names, folder.version).state(selection)
    return {held.origin: key for key, held in there.held.items()}


def _hash_listed(root: Path, path: str, entry: Entry, progress: Progress) -> tuple[int, str]:
    file = root / path
    size = file.stat().st_size
    if entry.bytes_sha256 is not None:
        _check(file_sha256(file, progress=progress), entry.bytes_sha256, "")
    if entry.kind in DOCUMENTS:
        _check(digest_of_file(entry.kind, file), entry.sha256, " of its document")
    return size, entry.sha256


def _check(actual: str, expected: str, of: str) -> None:
    if actual != expected:
        raise ChecksumMismatchError(
            f"the sha256{of} is {actual}, and {FILENAME} says {expected}",
            expected=expected,
            actual=actual,
        )


def _identify(end: End, path: str, held: Held, progress: Progress) -> tuple[int, str]:
    return held.size or 0, end.identify(path, held, progress)


def _hash_member(
    archive: Archive, path: str, held: Held, entry: Entry, progress: Progress
) -> tuple[int, str]:
    member = archive.contents.members[held.origin]
    if entry.kind in DOCUMENTS:
        # They are small, and looked into.
        with tempfile.TemporaryDirectory(prefix="hatcher-") as own:
            archive.obtain(path, held, Path(own, path.rpartition("/")[2]), progress)
        return member.size, entry.sha256
    digest, done = hashlib.sha256(), 0
    for block in blocks_of_member(archive.path, member):
        digest.update(block)
        done += len(block)
        progress(done, member.size, "hashing")
    check_member(archive.path, member, entry, digest.hexdigest())
    return done, entry.sha256


def _download(end: End, path: str, held: Held, folder: str, progress: Progress) -> tuple[int, str]:
    if held.wrong is not None:
        raise held.wrong
    with tempfile.TemporaryDirectory(dir=folder) as own:
        file = end.obtain(path, held, Path(own, path.rpartition("/")[2]), progress)
        size = file.stat().st_size
    assert held.sha256 is not None
    return size, held.sha256


def _condition(error: Exception) -> Condition:
    if isinstance(error, FileNotFoundError | NotFoundError):
        return "missing"
    if isinstance(error, ChecksumMismatchError | ArtefactError):
        return "damaged"
    return "unreadable"


def _reason(error: Exception) -> str | None:
    if isinstance(error, FileNotFoundError):
        return None
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)
