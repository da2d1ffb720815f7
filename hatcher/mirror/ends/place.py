"""A place on a server: an organization, a repository or a platform of one."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import App
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.organization import Organization
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.errors import ChecksumMismatchError, HatcherException, NotFoundError
from hatcher.mirror.documents import digest, document_of, write_document
from hatcher.mirror.ends.base import End, Held, Options, State
from hatcher.mirror.ends.receiving import Receiver
from hatcher.mirror.reading import HIDDEN, Handle, Read, existing_repositories, handle, read
from hatcher.mirror.selection import Selection
from hatcher.transfer.download import download
from hatcher.transfer.hashing import normalized_sha256
from hatcher.transfer.progress import Progress

#: A place on a server.
Place: TypeAlias = Organization | Repository | SinglePlatformRepository
PLACES = (Organization, Repository, SinglePlatformRepository)


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
                return State({}, [], selection, (), error)
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
            if self._is_there(*pairs[0]):
                raise
            return State({}, [], selection, (), error)
        selection = selection._replace(
            platforms=found.platforms, python_tags=found.python_tags or None
        )
        return State(self._below(found), found.problems, selection, repositories)

    def _below(self, found: Read) -> dict[str, Held]:
        """Return what was found by the paths below the place, with the usual names of platforms."""
        start = len(self.prefix)
        level = 3 - len(self.names)
        if not level or all(name == usual_platform(name) for name in found.platforms):
            return {path[start:]: held for path, held in found.held.items()}
        held: dict[str, Held] = {}
        for path, one in found.held.items():
            parts = path[start:].split("/")
            parts[level - 1] = usual_platform(parts[level - 1])
            held["/".join(parts)] = one
        return held

    def _is_there(self, organization: str, repository: str) -> bool:
        try:
            return repository in existing_repositories(self.client, organization)
        except HIDDEN:
            return False

    def find(self, path: str, among: State) -> Held | None:
        """Ask for an egg that an index hides behind another one of the same name."""
        if self.kind(path) != "eggs" or not among.has_namesake(path):
            return None
        location = self.location(path)
        name, version, build = location.filename.removesuffix(".egg").rsplit("-", 2)
        platform = self.platform(path)
        egg = platform.egg(location.python_tag, name, f"{version}-{build}")
        metadata = egg._found()
        if metadata is None or not metadata.get("enabled", False):
            return None
        if metadata.get("python_tag", location.python_tag) != location.python_tag:
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
                self._download(artefact, held, into, progress)
        except NotFoundError as error:
            # Of the source, which is no reason to give up the target.
            raise HatcherException(
                f"{path} is no longer in {self}, or may not be seen: {error} Plan again."
            ) from error
        return into

    def _download(
        self, artefact: Handle, held: Held, into: Path, progress: Progress | None
    ) -> None:
        request = artefact._request(f"download_{artefact._kind}")
        expected = self.identify(into.name, held)
        try:
            download(
                self.session,
                request,
                into.parent,
                expected,
                into.name,
                progress=progress,
                sync=False,
            )
        except ChecksumMismatchError:
            # It may have been replaced since the index was read.
            held.sha256 = normalized_sha256(str(artefact.metadata().get("sha256")))
            if held.sha256 == expected:
                raise
            download(
                self.session,
                request,
                into.parent,
                held.sha256,
                into.name,
                progress=progress,
                sync=False,
            )

    def check_writable(self) -> None:
        """Do nothing: it can be."""

    def receiver(self, state: State, options: Options) -> Receiver:
        """Return what uploads to it."""
        from hatcher.mirror.ends.uploading import Uploading

        return Uploading(self, state, options)

    def interrupt(self) -> None:
        """Make what other threads send and receive end at once."""
        self.session.interrupt()

    def platform(self, path: str) -> SinglePlatformRepository:
        """Return the platform that a path below the place leads to."""
        location = self.location(path)
        repository = self.client.organization(location.organization).repository(location.repository)
        return repository.platform(location.platform)

    def __str__(self) -> str:
        return f"{'/'.join(self.names)} on {self.session.server}"
