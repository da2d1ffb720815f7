"""Proving that a side is what it should be: by reading every byte again."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from attrs import asdict, frozen

from hatcher import cancel
from hatcher.artefacts.platforms import usual_platform
from hatcher.core.places import Problem, documents_of, lines_of
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
from hatcher.mirror.contents import DOCUMENTS, digest_of_file
from hatcher.mirror.folder import LOCK, Folder
from hatcher.mirror.layout import KINDS, parse
from hatcher.mirror.listed import Archive, Listed
from hatcher.mirror.listing import SideLike, pair_of, side_of
from hatcher.mirror.manifests import FILENAME, Entry, Manifest, read_manifest
from hatcher.mirror.records import (
    Held,
    Options,
    State,
    identity_of,
)
from hatcher.mirror.selection import Selection, select, usual_selection
from hatcher.mirror.server import Server
from hatcher.mirror.sides import Side, identify_all, looked_up, read_both, read_state, settle
from hatcher.sizes import human_size
from hatcher.tables import brief, first_lines
from hatcher.transfer.batch import Batch, ByteCounter, Item, checked_concurrency
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import BatchOptions, Phase, Progress
from hatcher.transfer.reports import Outcome

Condition: TypeAlias = Literal[
    "damaged", "missing", "unreadable", "extra", "lacking", "different", "surplus"
]

_CONDITIONS: tuple[Condition, ...] = get_args(Condition)


@frozen
class Finding:
    """Something that is not as it should be.

    Parameters
    ----------
    condition : str
        ``damaged``: its bytes are not those of its sha256; ``missing``: it is listed, and not
        there; ``unreadable``; ``extra``: it is there, and no manifest lists it. Compared with the
        source: ``lacking``, ``different``, or ``surplus``, which the source lacks.
    path : str
        In the layout, of the target.
    reason : str, optional
    """

    condition: Condition
    path: str
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.condition} {self.path}{f': {self.reason}' if self.reason else ''}"


@frozen(repr=False)
class Verification:
    """What came out of verifying a side; true when all is right.

    Parameters
    ----------
    target : str
        What was verified, for people.
    source : str or None
        What it was compared with.
    checked : int
        How many artefacts were looked at.
    bytes : int
        How many bytes were hashed for that.
    findings : tuple of Finding
        What is not as it should be, sorted by path.
    problems : tuple of Problem
        What could not be read, so that nothing is known of it.
    """

    target: str
    source: str | None
    checked: int
    bytes: int
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()

    def those(self, condition: Condition) -> tuple[Finding, ...]:
        """Return the findings of one kind.

        Parameters
        ----------
        condition : str
            As of `Finding`.

        Returns
        -------
        tuple of Finding
        """
        return tuple(found for found in self.findings if found.condition == condition)

    def document(self) -> dict[str, Any]:
        """Return it as what JSON can hold.

        Returns
        -------
        dict
            ``ok``, ``target``, ``source``, ``checked``, ``bytes``, ``findings`` (each with
            ``condition``, ``path`` and ``reason``) and ``problems`` (each with ``place`` and
            ``error``).
        """
        said = {"ok": bool(self), **asdict(self, recurse=False)}
        said["findings"] = [asdict(found) for found in self.findings]
        return {**said, "problems": documents_of(self.problems)}

    def __bool__(self) -> bool:
        return not self.findings and not self.problems

    __repr__ = brief

    def __str__(self) -> str:
        counts = Counter(found.condition for found in self.findings)
        parts = [f"{counts[name]} {name}" for name in _CONDITIONS if counts[name]]
        number = f"{self.checked:,} artefact{'' if self.checked == 1 else 's'}"
        said = ", ".join(parts) or ("all right" if self else "not all could be looked at")
        lines = [f"{number} checked, {human_size(self.bytes)} hashed: {said}"]
        lines += first_lines([*map(str, self.findings)])
        return "\n".join([*lines, *lines_of(self.problems)])


def verify(
    target: SideLike,
    source: SideLike | None = None,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    download: bool = False,
    concurrency: int | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check that a side is what it should be; changes nothing.

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
        How many questions or files at once at most, 64 by default.
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
    1,148 artefacts checked, 5.40 GB hashed: all right
    >>> bool(mirror.verify(prod, dev, platforms=['rh8-x86_64']))
    True
    """
    options = Options(checked_concurrency(concurrency), progress)
    try:
        here = side_of(target)
    except ArtefactError as error:
        # An archive that cannot even be opened.
        return Verification(str(target), None, 0, 0, (), (Problem(str(target), error),))
    there = None
    if source is not None:
        there, here = pair_of(source, here)
    selection = usual_selection(here.version, kinds, platforms, python_tags, names)
    work = _Work(here, there, selection, options)
    if isinstance(here, Folder):
        work.folder(here)
    elif isinstance(here, Archive):
        work.archive(here)
    else:
        work.listing(download=download)
    if there is not None:
        work.compare(there)
    return work.result()


class _Check(Item[Callable[[Progress], tuple[int, str]]]):
    """One artefact that is to be looked at.

    Its `file` reads it, given what is told of the bytes; it returns how many there were, and by
    which sha256 it is compared. It raises what is wrong with it.

    Attributes
    ----------
    name : str
        As findings say it.
    key : str or None
        Its path below the place, where it is compared with a source.
    sha256 : str or None
        Of what was read.
    """

    __slots__ = ("key", "name", "sha256")

    def __init__(
        self,
        name: str,
        key: str | None,
        size: int | None,
        read: Callable[[Progress], tuple[int, str]],
    ) -> None:
        super().__init__(Path(name))
        self.name, self.key, self.size, self.file = name, key, size, read
        self.sha256: str | None = None

    def look(self, counter: ByteCounter) -> Outcome:
        """Read it."""
        self.size, self.sha256 = self.file(counter)
        return "already there"


class _Work:
    """The verification of one side."""

    def __init__(
        self, side: Side, source: Side | None, selection: Selection, options: Options
    ) -> None:
        self._side = side
        self._source = source
        self._selection = selection
        self._options = options
        self._checked = 0
        self._bytes = 0
        self._findings: list[Finding] = []
        #: Of what nobody can say whether a side has it.
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

    def result(self) -> Verification:
        """Return what came out."""
        self._findings += [Finding("extra", path) for path in self._extras]
        return Verification(
            str(self._side),
            None if self._source is None else str(self._source),
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
        is_named = folder.names is not None and self._source is None
        if is_named and not listed and not (folder.root / folder.prefix).is_dir():
            raise InvalidArgumentError(
                f"There is no '{folder.prefix}' in '{folder.root}'. Check the place."
            )
        keys: dict[str, str] = {}
        there: Mapping[str, Held] = {}
        if self._source is not None:
            if manifest is not None:
                keys = _keys(manifest, folder, self._selection)
            try:
                there = folder.state(self._selection).held
            except InvalidArgumentError as error:
                self._problems.append(Problem(str(folder), error))
        checks = [
            _Check(path, keys.get(path), entry.size, partial(_read, folder.root / path, entry))
            for path, entry in listed.items()
        ]
        for key, held in there.items():
            if held.origin.relative_to(folder.root).as_posix() not in listed:
                read = partial(_identify, folder, key, held)
                checks.append(_Check(folder.prefix + key, key, held.size, read))
        self._run(checks, "hashing")
        if manifest is not None:
            self._look_for_extras(folder, listed)

    def _manifest_of(self, folder: Folder) -> Manifest | None:
        path = folder.root / FILENAME
        if not os.path.lexists(path):
            if self._source is not None:
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
            cancel.check()
            for filename in filenames:
                path = Path(where, filename).relative_to(folder.root).as_posix()
                is_known = path in listed or path in (FILENAME, LOCK)
                if not is_known and self._may_be_extra(path):
                    self._extras.add(path)

    def _may_be_extra(self, path: str) -> bool:
        """Whether a file counts that is not listed: others are not asked for."""
        try:
            return self._is_inside(path)
        except InvalidNameError:
            everything = select(KINDS, None, None)
            return self._side.names is None and self._selection == everything

    def _is_inside(self, path: str) -> bool:
        """Whether what stands at a path of the layout is of the place, and asked for."""
        location = parse(path)
        names = self._side.names or ()
        place = (location.organization, location.repository, location.platform)[: len(names)]
        return (
            place[:2] == names[:2]
            and [*map(usual_platform, place[2:])] == [*map(usual_platform, names[2:])]
            and self._side.api_version in (None, location.api_version)
            and self._selection.takes(location)
        )

    # -- archives, places on a server, and manifests -------------------------------------

    def archive(self, archive: Archive) -> None:
        """Hash what an archive carries."""
        self._state = archive.state(self._selection)
        if self._source is not None:
            self._problems += self._state.problems
            self._problems += identify_all(archive, self._state.held, self._options)
        checks = []
        for key, held in self._state.held.items():
            entry = archive.manifest.artefacts.get(held.origin)
            if entry is not None and entry.carried:
                read = partial(_read_member, archive, key, held, entry)
                checks.append(_Check(held.origin, key, entry.size, read))
        self._run(checks, "hashing")

    def listing(self, *, download: bool) -> None:
        """Read what a place says, or download what it has."""
        side, options = self._side, self._options
        if download and not isinstance(side, Server):
            raise InvalidArgumentError(
                f"Nothing can be downloaded from {side}. Give the place on a server."
            )
        if not download and self._source is None:
            raise InvalidArgumentError(
                f"There is nothing to compare {side} with. Give a source, or have it "
                "downloaded and hashed: download=True."
            )

        def read(side: Side) -> State:
            return read_state(side, self._selection, options.concurrency)

        if self._source is None:
            state = read(side)
        else:
            state, self._wanted = read_both((side, self._source), read)
            settle((self._source, side), (self._wanted, state))
        self._problems += state.problems
        if not download:
            self._problems += identify_all(side, state.held, options)
            self._checked = len(state.held)
            self._state = state
            return
        self._state = State({}, state.problems, state.selection)
        with tempfile.TemporaryDirectory(prefix="hatcher-") as folder:
            checks = [
                _Check(
                    side.prefix + key, key, held.size, partial(_download, side, key, held, folder)
                )
                for key, held in state.held.items()
            ]
            self._run(checks, "downloading")

    # -- the work ----------------------------------------------------------------------

    def _run(self, checks: list[_Check], phase: Phase) -> None:
        """Look at each artefact."""
        options = BatchOptions(self._options.concurrency, self._options.progress)
        batch: Batch[Any] = Batch(options, AuthenticationError, PermissionDeniedError)
        batch.each(checks, _Check.look, phase)
        for check in checks:
            self._note(check)
        left = [check for check in checks if check.is_open]
        if left and left[0].error is not None:
            those = "1 artefact was" if len(left) == 1 else f"{len(left):,} artefacts were"
            self._problems.append(Problem(f"{those} not looked at", left[0].error))

    def _note(self, check: _Check) -> None:
        if check.sha256 is not None:
            self._checked += 1
            self._bytes += check.size or 0
            if check.key is not None:
                self._state.held.setdefault(check.key, Held(check.size, check.sha256))
            return
        if check.key is not None:
            self._bad.add(identity_of(check.key))
            self._state.held.pop(check.key, None)
        if check.outcome == "failed" and check.error is not None:
            self._checked += 1
            self._findings.append(
                Finding(_condition(check.error), check.name, _reason(check.error))
            )

    def compare(self, source: Side) -> None:
        """Compare what the target has with what the source has."""
        wanted, options = self._wanted, self._options
        if wanted is None:
            wanted = read_state(source, self._selection, options.concurrency)
            settle((source, self._side), (wanted, self._state))
        self._problems += wanted.problems
        pairs = {path: self._state.path_of(path) for path in wanted.held}
        both = {path: wanted.held[path] for path, own in pairs.items() if own is not None}
        self._problems += identify_all(source, both, options)
        lacking = [path for path, own in pairs.items() if own is None]
        unlisted = self._find_unlisted(self._side, self._state, lacking)
        for path, own in pairs.items():
            mine = unlisted.get(path) if own is None else self._state.held[own]
            if mine is not None:
                self._tell_apart(own or path, wanted.held[path], mine)
            elif self._should_have(path):
                self._find("lacking", path)
        if not wanted.problems:
            self._look_for_surplus(source, wanted, set(pairs.values()))

    def _look_for_surplus(self, source: Side, wanted: State, known: set[str | None]) -> None:
        surplus = [
            path
            for path in self._state.held
            if path not in known and wanted.selection.takes(self._side.location(path))
        ]
        unlisted = self._find_unlisted(source, wanted, surplus)
        for path in surplus:
            if path in unlisted:
                self._tell_apart(path, unlisted[path], self._state.held[path])
            elif path not in self._unsure:
                self._find("surplus", path)

    def _find_unlisted(self, side: Side, state: State, paths: list[str]) -> dict[str, Held]:
        """Look for what a side has though its listing leaves it out."""
        found: dict[str, Held] = {}

        def find(path: str, counter: ByteCounter) -> None:
            try:
                held = looked_up(side, state, path, None, counter)
                if held is not None:
                    found[path] = held
            except HatcherException as error:
                self._unsure.add(path)
                self._problems.append(Problem(f"{side.prefix}{path}", error))

        self._options.each(paths, find)
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
            and self._state.selection.takes(self._side.location(path))
        )

    def _find(self, condition: Condition, path: str, reason: str | None = None) -> None:
        path = f"{self._side.prefix}{path}"
        if condition == "surplus":
            # Which says more.
            self._extras.discard(path)
        self._findings.append(Finding(condition, path, reason))


# -- reading ---------------------------------------------------------------------------------


def _keys(manifest: Manifest, folder: Folder, selection: Selection) -> dict[str, str]:
    """Return the paths below a folder's place, by those in the layout."""
    assert folder.names is not None
    there = Listed(manifest).beside(folder.names, folder.version).state(selection)
    return {held.origin: key for key, held in there.held.items()}


def _read(file: Path, entry: Entry, progress: Progress) -> tuple[int, str]:
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


def _identify(side: Side, path: str, held: Held, progress: Progress) -> tuple[int, str]:
    return held.size or 0, side.identify(path, held, progress)


def _read_member(
    archive: Archive, path: str, held: Held, entry: Entry, progress: Progress
) -> tuple[int, str]:
    if entry.kind not in DOCUMENTS:
        return archive.read(held.origin, None, progress, "hashing"), entry.sha256
    # They are small, and looked into.
    with tempfile.TemporaryDirectory(prefix="hatcher-") as folder:
        size, _ = _download(archive, path, held, folder, progress)
    return size, entry.sha256


def _download(
    side: Side, path: str, held: Held, folder: str, progress: Progress
) -> tuple[int, str]:
    if held.wrong is not None:
        raise held.wrong
    with tempfile.TemporaryDirectory(dir=folder) as own:
        file = side.obtain(path, held, Path(own, path.rpartition("/")[2]), progress)
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
