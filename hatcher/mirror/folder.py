"""A folder in the layout of an export, which is read and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from hatcher import cancel
from hatcher.artefacts.app import read_app
from hatcher.artefacts.platforms import usual_platform
from hatcher.core.places import Problem
from hatcher.errors import (
    ArtefactError,
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
    PermissionDeniedError,
)
from hatcher.files.atomic import replacing, sync_directory
from hatcher.files.blocks import blocks_of
from hatcher.files.folders import make_directory
from hatcher.files.locks import locked
from hatcher.mirror.contents import DOCUMENTS, digest_of_file
from hatcher.mirror.layout import (
    KINDS,
    NO_TAG_FOLDER,
    TAGGED,
    Kind,
    files_in,
    folder_in,
    parse,
    platforms_in,
    repositories_in,
    stray_in,
)
from hatcher.mirror.manifests import FILENAME, Entry, Manifest, kind_at, now, read_manifest
from hatcher.mirror.records import Held, Options, State, Task
from hatcher.mirror.selection import Selection
from hatcher.mirror.sides import LEVELS, Side, Writer, changed
from hatcher.transfer.batch import Attempts, ByteCounter
from hatcher.transfer.hashing import file_sha256, hashed
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import Outcome

#: What is locked while several processes write to the manifest of a folder.
LOCK = ".manifest.lock"

#: Failures in a row after which the source, the network or the disk is taken for gone.
_GONE = 16


class Folder(Side):
    """A folder, as `export` writes it, as a side of a mirror.

    Parameters
    ----------
    root : str or path-like
        The folder that has ``v1`` in it, or shall have.
    place : str, optional
        The place in it, such as ``acme``, ``acme/dev`` or ``acme/dev/rh8-x86_64``. By default
        it is called as the other side is.
    api_version : int, optional
        Of the folder ``v1``; by default that of the other side.

    Raises
    ------
    InvalidArgumentError
        The place is none.

    Examples
    --------
    >>> mirror.plan(mirror.Folder('backup', 'acme/dev'), prod).apply()
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        place: str | None = None,
        *,
        api_version: int | None = None,
    ) -> None:
        self.root = Path(root)
        self.names = None if place is None else tuple(place.split("/"))
        self.api_version = api_version
        #: What the folder's manifest lists, and which version of that file it is from.
        self._manifest: tuple[tuple[int, ...], Mapping[str, Entry]] | None = None
        self._damage: HatcherException | None = None
        if self.names is not None and not (len(self.names) in LEVELS and all(self.names)):
            raise InvalidArgumentError(
                f"'{place}' is no place. Give an organization, organization/repository or "
                "organization/repository/platform."
            )

    def beside(self, names: tuple[str, ...], api_version: int) -> Folder:
        """Return the folder with a place in it; see `Side.beside`."""
        version = api_version if self.api_version is None else self.api_version
        return Folder(self.root, "/".join(self.names or names), api_version=version)

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Look at what there is, and read of it only the apps; see `Side.state`."""
        names, version = self.names, self.version
        assert names is not None
        state = State({}, [], selection)
        if not os.path.isdir(self.root.joinpath(f"v{version}", *names)):  # noqa: PTH112 - any path
            state.missing = InvalidArgumentError(
                f"There is no folder '{self.prefix}' in '{self.root}'. Check the path; an export "
                "writes such a folder."
            )
            return state
        pairs = [
            pair for pair in repositories_in(self.root, version) if pair[: len(names)] == names[:2]
        ]
        if names[2:]:
            selection = selection._replace(platforms=names[2:])
        there: set[str] = set()
        for pair in pairs:
            for platform in platforms_in(self.root, version, *pair):
                if selection.takes_platform(platform):
                    there.add(platform)
                    folder = folder_in(self.root, version, *pair, platform)
                    below = "/".join((*pair, usual_platform(platform))[len(names) :])
                    for kind in selection.kinds:
                        self._look(state, folder / kind, f"{below}/{kind}".lstrip("/"), kind)
        # Nobody knows whether what it has no folder of was ever looked for.
        state.selection = selection._replace(
            repositories=tuple(pairs), platforms=selection.platforms or tuple(sorted(there))
        )
        return state

    def doubts(self, state: State) -> list[Problem]:
        """Say which files are no artefacts, and that a manifest is none; see `Side.doubts`."""
        found: list[Problem] = []
        for organization, repository in state.selection.repositories or ():
            if state.selection.names is None:
                kinds = state.selection.kinds
                error = stray_in(self.root, self.version, organization, repository, kinds)
                if error is not None:
                    found.append(Problem(f"{organization}/{repository}", error))
        self._listed()
        if self._damage is not None:
            found.append(Problem(str(self.root / FILENAME), self._damage))
        return found

    def _look(self, state: State, folder: Path, prefix: str, kind: Kind) -> None:
        for parts, entry in files_in(folder, kind):
            held = Held(entry.stat().st_size, None, Path(entry.path))
            tag, filename = None, entry.name
            if kind in TAGGED and parts and parts[0] != NO_TAG_FOLDER:
                tag = parts[0]
            if kind == "apps":
                try:
                    address = read_app(held.origin).address
                except ArtefactError as error:
                    held.wrong, address = error, None
                if address is not None:
                    tag = None if address[0].lower() == "none" else address[0].lower()
                    filename = f"{address[1]}-{address[2]}.yaml"
            if state.selection.takes_file(kind, tag, filename):
                folders = [prefix, tag or NO_TAG_FOLDER] if kind in TAGGED else [prefix]
                self._add(state, "/".join([*folders, filename]), held)

    def _add(self, state: State, path: str, held: Held) -> None:
        known = state.held.setdefault(path, held)
        if known is held or held.wrong is not None:
            return
        if known.wrong is None and self.identify(path, known) == self.identify(path, held):
            return
        raise InvalidArgumentError(
            f"'{held.origin}' and '{known.origin}' would be one artefact, and they differ. Keep "
            "only the right one."
        )

    def identify(self, path: str, held: Held, progress: Progress | None = None) -> str:
        """Hash a file; see `Side.identify`."""
        if held.wrong is not None:
            raise held.wrong
        if held.sha256 is None:
            kind = self.kind(path)
            if kind in DOCUMENTS:
                held.sha256 = digest_of_file(kind, held.origin)
            else:
                held.sha256 = file_sha256(held.origin, progress=progress)
        return held.sha256

    def check(self, path: str, held: Held) -> None:
        """Hold a file against the folder's manifest, if there is one; see `Side.check`."""
        entry = self._listed().get(self._below(held.origin))
        if entry is not None and entry.sha256 not in (None, self.identify(path, held)):
            raise ChecksumMismatchError(
                f"'{held.origin}' is not what {FILENAME} says: it was spoiled, or replaced by "
                f"somebody. Get it anew; if it is right as it is, take its line out of {FILENAME}.",
                expected=entry.sha256,
                actual=held.sha256,
            )

    def _below(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def _listed(self) -> Mapping[str, Entry]:
        """Return what the folder's manifest lists; it is read anew when it has changed."""
        path = self.root / FILENAME
        mark: tuple[int, ...] = ()
        try:
            status = path.stat()
            mark = status.st_mtime_ns, status.st_size, status.st_ino
        except FileNotFoundError:
            return {}
        except OSError:
            pass  # which is told when it cannot be read
        if self._manifest is None or self._manifest[0] != mark:
            listed: Mapping[str, Entry] = {}
            self._damage = None
            try:
                listed = read_manifest(path).artefacts
            except (ArtefactError, InvalidArgumentError) as error:
                self._damage = error
            self._manifest = mark, listed
        return self._manifest[1]

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Return the file in the folder; see `Side.obtain`."""
        self.identify(path, held, progress)
        self.check(path, held)
        file: Path = held.origin
        return file

    def check_writable(self) -> None:
        """Do nothing: it can be."""

    def _writer(self, state: State, options: Options) -> Writer:
        return _Writer(self)

    def __str__(self) -> str:
        root = os.path.abspath(self.root)  # noqa: PTH100 - resolves no links
        return root if self.names is None else f"{'/'.join(self.names)} in {root}"


# -- writing ---------------------------------------------------------------------------------


class _Writer(Writer):
    """Writes into a folder: each file whole under its name, or not at all."""

    is_local = True
    phase = "downloading"
    outcome = "downloaded"

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._attempts = Attempts((PermissionDeniedError,), _GONE)
        self._listed: dict[str, Entry] = {}
        self._touched: set[Path] = set()
        self._gone: list[str] = []

    def local(self, path: str) -> Path:
        """Return the file that something stands in."""
        return self._folder.location(path).below(self._folder.root)

    def rounds(self, tasks: list[Task]) -> Iterator[list[Task]]:
        """Give all at once: nobody has to wait for another."""
        yield tasks

    def attempts(self, task: Task) -> Attempts:
        """Return the same for all."""
        return self._attempts

    def put(self, task: Task, obtain: Callable[[], Path], counter: ByteCounter) -> Outcome:
        """Write a file."""
        path, wanted, there, target = task.step.path, task.wanted, task.there, task.path
        assert wanted is not None
        make_directory(target.parent)
        if there is None and target.exists():
            if self._folder.identify(path, Held(None, None, target), counter) != wanted.sha256:
                raise changed(path, self._folder)
            self._note(path, wanted, target)
            return "already there"
        if there is not None:
            self._check(path, there)
        file = obtain()
        if file != target:
            is_document = self._folder.kind(path) in DOCUMENTS
            _copy(file, target, None if is_document else wanted.sha256, counter)
        if there is not None and there.origin != target and not target.samefile(there.origin):
            self._remove(there.origin)
        self._touched.add(target.parent)
        self._note(path, wanted, target)
        return self.outcome

    def keep(self, path: str, held: Held) -> None:
        """Note for the manifest what is there already."""
        where = self._folder._below(held.origin)
        # What stands elsewhere than an export puts it is in no manifest.
        if parse(where).path == where:
            # It may have been removed a moment ago.
            with suppress(FileNotFoundError):
                self._note(path, held, held.origin)

    def _note(self, path: str, wanted: Held, target: Path) -> None:
        entry = entry_of_file(target, self._folder.kind(path), wanted.sha256)
        self._listed[self._folder._below(target)] = entry

    def _check(self, path: str, there: Held) -> None:
        """Check that a file is what it was a moment ago."""
        if self._folder.identify(path, Held(None, None, there.origin)) != there.sha256:
            raise changed(path, self._folder)

    def delete(self, task: Task, counter: ByteCounter) -> Outcome:
        """Remove a file."""
        assert task.there is not None
        self._check(task.where, task.there)
        self._remove(task.there.origin)
        return "deleted"

    def _remove(self, file: Path) -> None:
        file.unlink()
        self._gone.append(self._folder._below(file))

    def close(self) -> None:
        """Make the new names survive a power failure, and write down what there is now."""
        for folder in self._touched:
            sync_directory(folder)
        if self._listed or self._gone:
            record(self._folder.root, self._listed, self._gone)


def _copy(file: Path, target: Path, sha256: str | None, progress: Progress) -> None:
    """Copy a file, which stands under its name when it is whole and right.

    Raises
    ------
    ChecksumMismatchError
        It is no longer what it was.
    HatcherException
        It cannot be read.
    """
    try:
        source = open(file, "rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise HatcherException(
            f"'{file}' cannot be read: {error.strerror}. Check it, and apply again."
        ) from error
    with source, replacing(target) as copy:
        blocks = blocks_of(source.fileno())
        actual = hashed(blocks, copy.write, progress, phase="downloading")
        if sha256 is not None and actual != sha256:
            raise ChecksumMismatchError(
                f"'{file}' changed while it was copied; nothing of it was kept. Apply again.",
                expected=sha256,
                actual=actual,
            )


# -- the manifest of a folder: what hatcher has put into it ------------------------------------


def record_files(root: Path, sha256s: Mapping[str, str | None]) -> None:
    """Write down in a folder's ``manifest.json`` what was put into it; see `record`.

    Parameters
    ----------
    root : pathlib.Path
    sha256s : mapping of str to str or None
        By what the files are compared, where that is known, by their paths in the layout.

    Raises
    ------
    HatcherException
        As for `record`; or a file is not what it should be.
    """
    known: dict[str, Kind] = {}
    there = {}
    for path, sha256 in sha256s.items():
        # Another process may have removed it meanwhile.
        with suppress(FileNotFoundError):
            there[path] = entry_of_file(root / path, kind_at(path, known), sha256)
    record(root, there)


def record(root: Path, there: Mapping[str, Entry], gone: Iterable[str] = ()) -> None:
    """Write down in a folder's ``manifest.json`` what was put into it, and what was deleted.

    What stands in it already stays. When nothing is new, it is not written. Several processes
    may do this at once.

    Parameters
    ----------
    root : pathlib.Path
        The folder that ``v1`` is in.
    there : mapping of str to Entry
        By the path in the layout.
    gone : iterable of str
        Paths in the layout.

    Raises
    ------
    ArtefactError
        What is there under that name is no manifest, so it was left as it is.
    InvalidDestinationError
        It cannot be written.
    InvalidNameError
        A path is none of the layout.
    """
    path = root / FILENAME
    known: dict[str, Kind] = {}
    for name in there:
        kind_at(name, known)
    with locked(root / LOCK):
        before: Mapping[str, Entry] = {}
        if os.path.lexists(path):
            before = read_manifest(path).artefacts
        # An archive that was unpacked by hand says what it carried.
        after = {name: entry._replace(carried=False) for name, entry in before.items()}
        after.update(there)
        for name in gone:
            after.pop(name, None)
        if after != before:
            everything = Selection(KINDS, None, None)
            Manifest("all that hatcher has put here", (), None, everything, after, now()).write(
                path
            )


def entry_of_file(path: Path, kind: Kind, sha256: str | None) -> Entry:
    """Return what a manifest says of a file; `sha256` is not found out where it is known."""
    size, own = path.stat().st_size, None
    # What is there is written down, also by an operation that is cancelled.
    with cancel.shielded():
        if kind in DOCUMENTS:  # whose hash is not that of their file
            sha256, own = sha256 or digest_of_file(kind, path), file_sha256(path)
        return Entry(kind, sha256 or file_sha256(path), size, own)
