"""What a manifest lists as a side to compare with, and an archive, which carries some of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from hatcher.artefacts.platforms import usual_platform
from hatcher.artefacts.requirements import is_pattern
from hatcher.core.places import Problem
from hatcher.errors import ArtefactError, HatcherException, InvalidArgumentError, InvalidNameError
from hatcher.files.atomic import replacing
from hatcher.mirror.archive import blocks_of_member, check_member, read_archive, untrusted
from hatcher.mirror.contents import DOCUMENTS, digest_of_file
from hatcher.mirror.layout import Location, parse
from hatcher.mirror.manifests import Entry, Manifest, kind_at
from hatcher.mirror.records import Held, State
from hatcher.mirror.selection import Selection
from hatcher.mirror.sides import Side
from hatcher.transfer.hashing import hashed
from hatcher.transfer.progress import Phase, Progress


class Listed(Side):
    """A manifest as a side: it says what there is, and has nothing of it.

    Parameters
    ----------
    manifest : Manifest
    names : tuple of str, optional
        Of the place in it; by default its own.
    api_version : int, optional
        Likewise.
    """

    def __init__(
        self,
        manifest: Manifest,
        names: tuple[str, ...] | None = None,
        api_version: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.names = manifest.place or names or None
        self.api_version = api_version if manifest.api_version is None else manifest.api_version

    def beside(self, names: tuple[str, ...], api_version: int) -> Side:
        """Return it with a place; see `Side.beside`."""
        return Listed(self.manifest, self.names or names, api_version)

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Say what the manifest lists of what is asked for; see `Side.state`."""
        told = narrowed(selection, self.manifest)
        state = State({}, [], told)
        # There are thousands of files in few folders.
        known: dict[str, _Folder | None] = {}
        for path, entry in self.manifest.artefacts.items():
            name, _, filename = path.rpartition("/")
            if name not in known:
                known[name] = self._folder(name)
            folder = known[name]
            if folder is not None and folder.has(filename, told):
                wrong = self._wrong(entry)
                state.held[folder.below + filename] = Held(entry.size, entry.sha256, path, wrong)
        for problem in self.manifest.problems:
            if not self._is_artefact(problem, state):
                state.problems.append(problem)
        return state

    def look_for(self, folders: Collection[str], state: State) -> None:
        """Say so where nobody had asked for what the other end has; see `Side.look_for`."""
        if state.selection.python_tags is not None:
            return
        locations = [self.location(f"{name}/file") for name in folders]
        tags = {location.python_tag for location in locations if location.kind == "eggs"}
        for tag in sorted(tag for tag in tags if tag and not state.selection.takes_egg(tag)):
            error = HatcherException(
                f"It does not say whether there are eggs for '{tag}': nobody has asked for them. "
                "Have one made anew, or ask for the python tags that are meant."
            )
            state.problems.append(Problem(str(self), error))

    def _is_artefact(self, problem: Problem, state: State) -> bool:
        """Note what is there, though nobody knows its hash; return whether it is that."""
        name, _, filename = problem.place.rpartition("/")
        try:
            kind_at(problem.place, {})
        except InvalidNameError:
            return False
        folder = self._folder(name)
        if folder is not None and folder.has(filename, state.selection):
            wrong = HatcherException(str(problem.error))
            state.held[folder.below + filename] = Held(None, None, problem.place, wrong)
        return True

    def _folder(self, folder: str) -> _Folder | None:
        """Return what a folder is below the place; None when it is outside of it."""
        names = self.names
        assert names is not None
        location = parse(f"{folder}/file")
        location = location._replace(platform=usual_platform(location.platform))
        place = (location.organization, location.repository, location.platform)
        names = (*names[:2], *map(usual_platform, names[2:]))
        if (location.api_version, place[: len(names)]) != (self.version, names):
            return None
        below = location.path.split("/")[1 + len(names) : -1]
        return _Folder("/".join([*below, ""]), location)

    def _wrong(self, entry: Entry) -> HatcherException | None:
        """Why something that is listed cannot be had."""
        return InvalidArgumentError(
            f"{self} only says what there is. To get it, give the place, the folder or the archive "
            "itself as the source."
        )

    def find(self, path: str, among: State) -> Held | None:
        """Refuse to say that there is no egg which an index would not have shown.

        Of eggs of one name an index shows only that which suits its own Python best.

        Raises
        ------
        HatcherException
            There are such eggs, and nobody can say.
        """
        if self.kind(path) != "eggs" or not among.has_namesake(path):
            return None
        own, filename = self.location(path).python_tag, path.rpartition("/")[2]
        others = [
            self.location(other).python_tag
            for other in among.held
            if other.endswith(f"/{filename}") and self.kind(other) == "eggs"
        ]
        selection = among.selection
        tags = selection.python_tags if selection.egg_tags is None else selection.egg_tags
        for tag in tags or ():
            index = selection._replace(egg_tags=(tag,))
            if index.takes_egg(own) and not any(map(index.takes_egg, others)):
                return None
        raise HatcherException(
            f"{self} lists another egg of that name, which an index shows instead of this one, so "
            "that nobody can say whether it is there. Compare with the place itself."
        )

    def identify(self, path: str, held: Held, progress: Progress | None = None) -> str:
        """Return what the manifest says; see `Side.identify`."""
        if held.sha256 is None:
            assert held.wrong is not None
            raise held.wrong
        return held.sha256

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Refuse: it has nothing; see `Side.obtain`."""
        assert held.wrong is not None
        raise held.wrong

    def __str__(self) -> str:
        return f"the manifest of {self.manifest.source}"


class _Folder:
    """A folder of the layout, with its path below the place."""

    def __init__(self, below: str, location: Location) -> None:
        self.below = below
        self._location = location
        self._is_whole = False

    def has(self, filename: str, selection: Selection) -> bool:
        """Whether a file in it is asked for."""
        if self._is_whole:
            return True
        is_taken = selection.takes(self._location._replace(filename=filename))
        # Only runtimes, and what is asked for by name, differ from each other in a folder.
        self._is_whole = is_taken and selection.names is None and self._location.kind != "runtimes"
        return is_taken


class Archive(Listed):
    """A file that `pack` has written: what it carries, and what its manifest lists besides.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    ArtefactError
        It is none, is damaged, or not to be trusted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        manifest, self._members = read_archive(path)
        super().__init__(manifest)

    def beside(self, names: tuple[str, ...], api_version: int) -> Side:
        """Return it as it is: it is of one place."""
        return self

    def _wrong(self, entry: Entry) -> HatcherException | None:
        """Why something that is listed cannot be had."""
        if entry.carried:
            return None
        return ArtefactError(
            f"'{self.path}' does not carry it: it was packed for a target that had it already. "
            "Pack one for what this target has."
        )

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Take a file out of it, and verify it; see `Side.obtain`."""
        if held.wrong is not None:
            raise held.wrong
        with replacing(into) as file:
            self.read(held.origin, file.write, progress, "downloading")
            entry = self.manifest.artefacts[held.origin]
            if entry.kind in DOCUMENTS:
                self._check_document(held.origin, entry, Path(file.path))
        return into

    def read(
        self,
        path: str,
        write: Callable[[memoryview], object] | None,
        progress: Progress | None,
        phase: Phase,
    ) -> int:
        """Read a file that it carries, and verify its bytes; return how many there are.

        Raises
        ------
        ChecksumMismatchError
            It is not what the manifest says.
        ArtefactError
            The archive ends before, or has something else there.
        """
        member = self._members[path]
        blocks = blocks_of_member(self.path, member)
        sha256 = hashed(blocks, write, progress, member.size, phase)
        check_member(self.path, member, self.manifest.artefacts[path], sha256)
        return member.size

    def _check_document(self, path: str, entry: Entry, file: Path) -> None:
        """Check that the document in a file is the one by which it was compared."""
        if digest_of_file(entry.kind, file, is_named=False) != entry.sha256:
            why = f"the document in '{path}' is not that of which its manifest says the sha256"
            raise untrusted(self.path, why)

    def __str__(self) -> str:
        return os.path.abspath(self.path)  # noqa: PTH100 - resolves no links


def narrowed(asked: Selection, manifest: Manifest) -> Selection:
    """Return what a manifest can tell of what is asked for.

    Parameters
    ----------
    asked : Selection
    manifest : Manifest

    Raises
    ------
    InvalidArgumentError
        Nothing of it.
    """
    known = manifest.selection
    both = asked._replace(
        kinds=tuple(kind for kind in asked.kinds if kind in known.kinds),
        platforms=_common(known.platforms, asked.platforms, known.takes_platform),
        python_tags=_common(known.python_tags, asked.python_tags, known.takes_tag),
        names=_common(known.names, asked.names, lambda name: _is_of(name, known)),
        egg_tags=_common(
            known.egg_tags, asked.python_tags, lambda tag: tag in (known.egg_tags or ())
        ),
    )
    for field in ("kinds", "platforms", "python_tags", "names", "egg_tags"):
        if getattr(both, field) == () and (field != "egg_tags" or "eggs" in both.kinds):
            raise InvalidArgumentError(
                f"The manifest of {manifest.source} is only of the {field.replace('_', ' ')} "
                f"{', '.join(getattr(known, field))}, and others are asked for. Ask for these, or "
                "have one made of more."
            )
    return both


def _common(
    known: tuple[str, ...] | None, asked: tuple[str, ...] | None, is_known: Callable[[str], bool]
) -> tuple[str, ...] | None:
    if known is None or asked is None:
        return known if asked is None else asked
    return tuple(filter(is_known, asked))


def _is_of(name: str, known: Selection) -> bool:
    """Whether all that a name or pattern stands for was read."""
    if known.names is not None and name in known.names:
        return True
    return not is_pattern(name) and known.takes_name(name)
