"""A place on a server: an organization, a repository or a platform of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import App
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.eggs import Egg
from hatcher.core.organization import Organization
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.core.runtimes import Runtime
from hatcher.errors import ChecksumMismatchError, HatcherException, NotFoundError
from hatcher.mirror.documents import digest, document_of, write_document
from hatcher.mirror.ends.base import End
from hatcher.mirror.reading import HIDDEN, Reading, existing_repositories, handle, read
from hatcher.mirror.selection import Selection
from hatcher.mirror.states import Held, State
from hatcher.transfer.download import download
from hatcher.transfer.progress import Progress

#: A place on a server.
Place: TypeAlias = Organization | Repository | SinglePlatformRepository
PLACES = (Organization, Repository, SinglePlatformRepository)


#: What has a file on a server.
FileHandle: TypeAlias = Egg | Runtime


class Remote(End):
    """A place on a server.

    Parameters
    ----------
    place : Organization, Repository or SinglePlatformRepository
    """

    may_delete_apps = False

    def __init__(self, place: Place) -> None:
        self.place = place
        self.session = place._session
        self.client = BroodClient(place._session)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that lead to the place."""
        return tuple(self.place._names.values())

    @property
    def api_version(self) -> int:
        """The version of the API that its client speaks."""
        return self.session.api_version

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Read its indices; see `End.state`."""
        organization = self.names[0]
        if isinstance(self.place, Organization):
            try:
                there = existing_repositories(self.client, organization)
            except HIDDEN as error:
                return State({}, [], selection, None, error)
            pairs = tuple((organization, name) for name in sorted(there))
        else:
            pairs = ((organization, self.names[1]),)
        selection = selection._replace(repositories=pairs)
        if isinstance(self.place, SinglePlatformRepository):
            selection = selection._replace(platforms=(self.place.name,))
        repositories = ["/".join(pair) for pair in pairs]
        if not pairs:
            return State({}, [], selection, repositories)
        try:
            found = read(self.client, selection, concurrency)
        except NotFoundError as error:
            known = self._repositories()
            if known is not None and self.names[1] in known:
                raise
            return State({}, [], selection, None if known is None else (), error)
        return State(
            self._below(found), found.problems, found.selection, repositories, reading=found
        )

    def look_for(self, folders: Collection[str], state: State) -> None:
        """Ask for platforms and python tags that the server has not listed; see `End.look_for`."""
        found = state.reading
        if found is not None and found.learn(self.location(f"{name}/file") for name in folders):
            state.held, state.problems = self._below(found), found.problems
            state.selection = found.selection
            state.forget()

    def _below(self, found: Reading) -> dict[str, Held]:
        """Return what was found by the paths below the place, with the usual names of platforms."""
        start = len(self.prefix)
        level = 3 - len(self.names)
        if not level or found.has_usual_names:
            return {path[start:]: held for path, held in found.held.items()}
        held: dict[str, Held] = {}
        for path, one in found.held.items():
            parts = path[start:].split("/")
            parts[level - 1] = usual_platform(parts[level - 1])
            held["/".join(parts)] = one
        return held

    def _repositories(self) -> set[str] | None:
        """Return what the organization has; None when there is no such one to be seen."""
        try:
            return existing_repositories(self.client, self.names[0])
        except HIDDEN:
            return None

    def find(self, path: str, among: State) -> Held | None:
        """Ask for an egg that an index hides behind another one, of the same name.

        Of eggs for several Pythons an index shows those that are for its own one instead.
        """
        if self.kind(path) != "eggs" or not among.has_namesake(path):
            return None
        if self.location(path).python_tag in (among.selection.egg_tags or ()):
            return None
        egg = self.egg(path)
        metadata = egg._found()
        if metadata is None or not metadata.get("enabled", False):
            return None
        if not has_tag(metadata, egg.python_tag):
            return None
        return Held(metadata.get("size"), egg._sha256_in(metadata), egg)

    def identify(self, path: str, held: Held, progress: Progress | None = None) -> str:
        """Ask for a hash that no index says; see `End.identify`."""
        if held.sha256 is None:
            artefact = handle(path, held)
            if isinstance(artefact, App | Bundle):
                document, content = document_of(artefact)
                held.sha256, held.size = digest(document), len(content)
            else:
                held.sha256 = artefact.sha256()
        return held.sha256

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Download it; see `End.obtain`."""
        artefact = handle(path, held)
        try:
            if isinstance(artefact, App | Bundle):
                document, content = document_of(artefact)
                held.sha256, held.size = digest(document), len(content)
                write_document(into, document, content)
            else:
                self._download(path, artefact, held, into, progress)
        except NotFoundError as error:
            # Of the source, which is no reason to give up the target.
            raise HatcherException(
                f"{path} is no longer in {self}, or may not be seen: {error} Plan again."
            ) from error
        return into

    def _download(
        self, path: str, artefact: FileHandle, held: Held, into: Path, progress: Progress | None
    ) -> None:
        expected = self.identify(path, held)
        try:
            _receive(artefact, expected, into, progress)
        except (ChecksumMismatchError, NotFoundError):
            # It may have been replaced since the index was read. Or the tag of the index leads to
            # another egg of that name, which is disabled, and suits it better: its own does not.
            own = self.egg(path) if isinstance(artefact, Egg) else artefact
            metadata = own.metadata()
            sha256 = own._sha256_in(metadata)
            is_same = own == artefact and sha256 == expected
            if is_same or (isinstance(own, Egg) and not has_tag(metadata, own.python_tag)):
                raise
            held.sha256 = sha256
            _receive(own, sha256, into, progress)

    def check_writable(self) -> None:
        """Do nothing: it can be."""

    def platform(self, path: str) -> SinglePlatformRepository:
        """Return the platform that a path below the place leads to."""
        location = self.location(path)
        repository = self.client.organization(location.organization).repository(location.repository)
        return repository.platform(location.platform)

    def egg(self, path: str) -> Egg:
        """Return the egg that a path below the place leads to, by its own tag."""
        location = self.location(path)
        name, version, build = location.filename.removesuffix(".egg").rsplit("-", 2)
        return self.platform(path).egg(location.python_tag, name, f"{version}-{build}")

    def __str__(self) -> str:
        return f"{'/'.join(self.names)} on {self.session.server}"


def has_tag(metadata: Mapping[str, Any], python_tag: str | None) -> bool:
    """Whether metadata are of the egg of that tag, and not of one that suits it."""
    return bool(metadata.get("python_tag", python_tag) == python_tag)


def _receive(artefact: FileHandle, sha256: str, into: Path, progress: Progress | None) -> None:
    download(
        artefact._session,
        artefact._request(f"download_{artefact._kind}"),
        into.parent,
        sha256,
        into.name,
        progress=progress,
        # Whoever wants it to survive a power failure does that once for all of them.
        sync=False,
    )
