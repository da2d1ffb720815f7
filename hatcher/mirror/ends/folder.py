"""A folder in the layout of an export."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from hatcher.artefacts.app import read_app
from hatcher.artefacts.platforms import usual_platform
from hatcher.errors import (
    ArtefactError,
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
)
from hatcher.mirror.documents import DOCUMENTS, digest_of_file
from hatcher.mirror.ends.base import LEVELS, End
from hatcher.mirror.layout import (
    NO_TAG_FOLDER,
    SUFFIXES,
    TAGGED,
    Kind,
    platforms_in,
    repositories_in,
    stray_in,
    unreadable,
)
from hatcher.mirror.manifests.manifest import FILENAME, Entry, read_manifest
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.mirror.states import Held, State
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Progress


class Folder(End):
    """A folder, as `export` writes it, as an end of a mirror.

    Parameters
    ----------
    root : str or path-like
        The folder that has ``v1`` in it, or shall have.
    place : str, optional
        The place in it, such as ``acme``, ``acme/dev`` or ``acme/dev/rh8-x86_64``. By default
        it is called as the other end is.
    api_version : int, optional
        Of the folder ``v1``; by default that of the other end.

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
        self._names = None if place is None else tuple(place.split("/"))
        self._api_version = api_version
        #: What the folder's manifest lists, and which version of that file it is from.
        self._manifest: tuple[tuple[int, ...], Mapping[str, Entry]] | None = None
        self._damage: HatcherException | None = None
        if self._names is not None and not (len(self._names) in LEVELS and all(self._names)):
            raise InvalidArgumentError(
                f"'{place}' is no place. Give an organization, organization/repository or "
                "organization/repository/platform."
            )

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names that lead to the place in it."""
        return self._names

    @property
    def api_version(self) -> int | None:
        """The version of the API that the folder below the root is called after."""
        return self._api_version

    def beside(self, names: tuple[str, ...], api_version: int) -> Folder:
        """Return the folder with a place in it; see `End.beside`."""
        place = "/".join(self._names or names)
        version = api_version if self._api_version is None else self._api_version
        return Folder(self.root, place, api_version=version)

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Look at what there is, and read of it only the apps; see `End.state`."""
        names, version = self.names, self.version
        assert names is not None
        state = State({}, [], selection)
        if not self.root.joinpath(f"v{version}", *names).is_dir():
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
        for organization, repository in pairs:
            for platform in platforms_in(self.root, version, organization, repository):
                if not selection.takes_platform(platform):
                    continue
                there.add(platform)
                folder = self.root / f"v{version}" / organization / repository / platform
                below = "/".join((organization, repository, usual_platform(platform))[len(names) :])
                for kind in selection.kinds:
                    self._look(state, folder / kind, f"{below}/{kind}".lstrip("/"), kind)
        # Nobody knows whether what it has no folder of was ever looked for.
        state.selection = selection._replace(
            repositories=tuple(pairs), platforms=selection.platforms or tuple(sorted(there))
        )
        return state

    def doubts(self, state: State) -> list[Problem]:
        """Say which files are no artefacts, and that a manifest is none; see `End.doubts`."""
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
        for parts, entry in _files(os.fspath(folder)):
            if entry.name.startswith(".") or not entry.name.endswith(SUFFIXES[kind]):
                continue
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
            if not _is_asked_for(state.selection, kind, tag, filename):
                continue
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
        """Hash a file; see `End.identify`."""
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
        """Hold a file against the folder's manifest, if there is one; see `End.check`."""
        name = held.origin.relative_to(self.root).as_posix()
        entry = self._listed().get(name)
        if entry is not None and entry.sha256 not in (None, self.identify(path, held)):
            raise ChecksumMismatchError(
                f"'{held.origin}' is not what {FILENAME} says: it was spoiled, or replaced by "
                f"somebody. Get it anew; if it is right as it is, take its line out of {FILENAME}.",
                expected=entry.sha256,
                actual=held.sha256,
            )

    def _listed(self) -> Mapping[str, Entry]:
        path = self.root / FILENAME
        mark: tuple[int, ...] = ()
        try:
            status = path.stat()
            mark = status.st_mtime_ns, status.st_size, status.st_ino
        except FileNotFoundError:
            return {}
        except OSError:
            pass  # which is told when it cannot be read
        known = self._manifest
        if known is None or known[0] != mark:
            self._damage = None
            try:
                known = mark, read_manifest(path).artefacts
            except (ArtefactError, InvalidArgumentError) as error:
                known, self._damage = (mark, {}), error
            self._manifest = known
        return known[1]

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Return the file in the folder; see `End.obtain`."""
        self.identify(path, held, progress)
        self.check(path, held)
        file: Path = held.origin
        return file

    def check_writable(self) -> None:
        """Do nothing: it can be."""

    def __str__(self) -> str:
        root = os.path.abspath(self.root)  # noqa: PTH100 - resolves no links
        return root if self._names is None else f"{'/'.join(self._names)} in {root}"


def _is_asked_for(selection: Selection, kind: Kind, tag: str | None, filename: str) -> bool:
    if kind == "runtimes":
        implementation, _, version = filename.partition("-")
        return selection.takes_runtime(implementation, version)
    takes_tag = selection.takes_egg if kind == "eggs" else selection.takes_tag
    return takes_tag(tag) and selection.takes_name(filename.rsplit("-", 2)[0])


def _files(
    folder: str, parts: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], os.DirEntry[str]]]:
    """Give the files in a folder and below it, with the folders that lead there."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        unreadable(error)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path, (*parts, entry.name))
        elif entry.is_file():
            yield parts, entry
