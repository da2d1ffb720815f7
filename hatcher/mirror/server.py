"""A place on a server, which is read and written: an organization, a repository, or a platform."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeAlias, cast

from hatcher.artefacts.app import read_app
from hatcher.artefacts.names import split_filename, split_runtime
from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import App
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.core.dialects import DIALECTS
from hatcher.core.eggs import NO_PYTHON_TAG, Egg
from hatcher.core.organization import Organization
from hatcher.core.places import HIDDEN, existing_repositories
from hatcher.core.repository import Repository, SinglePlatformRepository
from hatcher.core.runtimes import Runtime
from hatcher.errors import (
    AuthenticationError,
    ChecksumMismatchError,
    ConflictError,
    HatcherException,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.mirror.contents import DOCUMENTS, digest, document_of, write_document
from hatcher.mirror.reading import (
    Artefact,
    Reading,
    create_repository,
    handle,
)
from hatcher.mirror.records import Held, Options, State, Task
from hatcher.mirror.selection import Selection
from hatcher.mirror.sides import Side, Writer, changed
from hatcher.transfer.batch import Attempts, ByteCounter
from hatcher.transfer.hashing import server_sha256
from hatcher.transfer.progress import Meter, Progress
from hatcher.transfer.reports import Outcome
from hatcher.transfer.upload import LARGE

#: A place on a server.
Place: TypeAlias = Organization | Repository | SinglePlatformRepository

#: What has a file on a server.
FileHandle: TypeAlias = Egg | Runtime

#: What is the same for all uploads to one repository.
_HOPELESS = (AuthenticationError, NotFoundError, PermissionDeniedError)

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 16

#: Eggs that are asked for to find out whether a call was interrupted.
_SAMPLE = 16

#: What is said of a repository that was created on the way.
_DESCRIPTION = "Created by hatcher mirror"


class Server(Side):
    """A place on a server.

    Parameters
    ----------
    place : Organization, Repository or SinglePlatformRepository
    """

    names: tuple[str, ...]
    api_version: int
    may_delete_apps = False

    def __init__(self, place: Place) -> None:
        self.place = place
        self.names = tuple(place._names.values())
        self.session = place._session
        self.api_version = self.session.api_version
        self.client = BroodClient(place._session)

    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Read its indices; see `Side.state`."""
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
            found = Reading(self.client, selection, concurrency)
        except NotFoundError as error:
            known = self._repositories()
            if known is not None and self.names[1] in known:
                raise
            return State({}, [], selection, None if known is None else (), error)
        return State(
            self._below(found), found.problems, found.selection, repositories, reading=found
        )

    def look_for(self, folders: Collection[str], state: State) -> None:
        """Ask for platforms and python tags that the server has not listed; see `Side.look_for`."""
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

    @cached_property
    def may_hide_repositories(self) -> bool:
        """Whether the organization may have repositories that its list leaves out: it is asked."""
        try:
            self.client.organization(self.names[0]).list_repositories()
        except HIDDEN:
            return True
        return False

    def find(self, path: str, among: State) -> Held | None:
        """Ask for an egg that an index hides behind another one, of the same name.

        Of eggs for several Pythons an index shows those that are for its own one instead.
        """
        if self.kind(path) != "eggs" or not among.has_namesake(path):
            return None
        if self.location(path).python_tag in (among.selection.egg_tags or ()):
            return None
        egg = self.egg(path)
        metadata = found_itself(egg)
        if metadata is None or not metadata.get("enabled", False):
            return None
        return Held(metadata.get("size"), egg._sha256_in(metadata), egg)

    def identify(self, path: str, held: Held, progress: Progress | None = None) -> str:
        """Ask for a hash that no index says; see `Side.identify`."""
        if held.sha256 is None:
            artefact = handle(path, held)
            if isinstance(artefact, App | Bundle):
                document_of(artefact, held)
            else:
                held.sha256 = artefact.sha256()
        assert held.sha256 is not None
        return held.sha256

    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Download it; see `Side.obtain`."""
        artefact = handle(path, held)
        try:
            if isinstance(artefact, App | Bundle):
                write_document(into, *document_of(artefact, held))
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
            artefact._receive(into, expected, progress)
        except (ChecksumMismatchError, NotFoundError):
            # It may have been replaced since the index was read. Or the tag of the index leads to
            # another egg of that name, which is disabled, and suits it better: its own does not.
            own = self.egg(path) if isinstance(artefact, Egg) else artefact
            metadata = own.metadata()
            sha256 = own._sha256_in(metadata)
            if (own == artefact and sha256 == expected) or not is_itself(own, metadata):
                raise
            held.sha256 = sha256
            own._receive(into, sha256, progress)

    def check_writable(self) -> None:
        """Do nothing: it can be."""

    def _writer(self, state: State, options: Options) -> Writer:
        return _Writer(self, state, options)

    def platform(self, path: str) -> SinglePlatformRepository:
        """Return the platform that a path below the place leads to."""
        location = self.location(path)
        repository = self.client.organization(location.organization).repository(location.repository)
        return repository.platform(location.platform)

    def egg(self, path: str) -> Egg:
        """Return the egg that a path below the place leads to, by its own tag."""
        egg = self.artefact(path)
        assert isinstance(egg, Egg)
        return egg

    def artefact(self, path: str) -> Artefact:
        """Return what addresses an artefact by its own tag: one that suits it is another one."""
        location, platform = self.location(path), self.platform(path)
        if location.kind == "runtimes":
            return platform.runtime(*split_runtime(location.filename))
        tag = location.python_tag or NO_PYTHON_TAG
        make: dict[str, Callable[[str, str, str], Artefact]] = {
            "eggs": platform.egg,
            "apps": platform.app,
            "bundles": platform.bundle,
        }
        return make[location.kind](tag, *split_filename(location.filename))

    @property
    def server(self) -> str | None:
        """The URL of the server."""
        return str(self.session.server)

    def __str__(self) -> str:
        return f"{'/'.join(self.names)} on {self.server}"


def found_itself(artefact: Artefact) -> Mapping[str, Any] | None:
    """Return what the server says of something; None where it has none, or only one that suits."""
    metadata: Mapping[str, Any] | None = artefact._found()
    if metadata is None or not is_itself(artefact, metadata):
        return None
    return metadata


def is_itself(artefact: Artefact, metadata: Mapping[str, Any]) -> bool:
    """Whether metadata are of an egg with that tag, and not of one that suits it."""
    if not isinstance(artefact, Egg):
        return True
    return bool(metadata.get("python_tag", artefact.python_tag) == artefact.python_tag)


# -- writing ---------------------------------------------------------------------------------


class _Writer(Writer):
    """Uploads to a place: eggs that appear together, and what depends on them after them."""

    def __init__(self, server: Server, state: State, options: Options) -> None:
        self._server = server
        self._repositories = None if state.repositories is None else set(state.repositories)
        self._options = options
        self._attempts: dict[str, Attempts] = {}
        #: Eggs that are stored and disabled, and are to be shown.
        self._hidden: dict[SinglePlatformRepository, list[tuple[Task, Egg]]] = defaultdict(list)
        #: Whether something was stored before, by a call that was interrupted.
        self._is_resumed = False
        self._lock = threading.Lock()

    def local(self, path: str) -> Path:
        """Return the path itself: there is no such file."""
        return Path(path)

    def missing(self, tasks: Sequence[Task]) -> set[str]:
        """Return the repositories that there would have to be."""
        if self._repositories is None or self._options.create_missing:
            return set()
        return {self._place(task) for task in tasks} - self._repositories

    def rounds(self, tasks: list[Task]) -> Iterator[list[Task]]:
        """Give new eggs and runtimes, those that replace others, and then documents."""
        self._create(tasks)
        files = [task for task in tasks if self._kind(task) not in DOCUMENTS and task.is_open]
        new = [task for task in files if task.there is None]
        self._look_for_stored([task for task in new if self._kind(task) == "eggs"])
        yield new
        yield [task for task in files if task.there is not None]
        self._show()
        yield [task for task in tasks if self._kind(task) in DOCUMENTS and task.is_open]

    def _create(self, tasks: Sequence[Task]) -> None:
        """Create the repositories that are missing."""
        if self._repositories is None:
            return
        for place in sorted({self._place(task) for task in tasks} - self._repositories):
            try:
                create_repository(self._server.client, place, _DESCRIPTION)
            except HatcherException as error:
                for task in tasks:
                    if self._place(task) == place:
                        task.fail(error)
                continue
            self._repositories.add(place)

    def _look_for_stored(self, eggs: list[Task]) -> None:
        """Find out whether a call was interrupted: it has left what it was not busy with then."""

        def ask(task: Task, _: ByteCounter) -> None:
            # What is wrong is told when it is sent.
            with suppress(HatcherException):
                if found_itself(self._server.artefact(task.step.path)) is not None:
                    self._is_resumed = True

        self._options.each(eggs[: min(_SAMPLE, self._options.concurrency)], ask)

    def attempts(self, task: Task) -> Attempts:
        """Return what gives up a repository."""
        with self._lock:
            return self._attempts.setdefault(self._place(task), Attempts(_HOPELESS, _GONE))

    # -- each of them --------------------------------------------------------------------

    def put(self, task: Task, obtain: Callable[[], Path], counter: ByteCounter) -> Outcome:
        """Upload something."""
        if task.there is not None and self._is_replaced(task):
            return "already there"
        put = self._put_egg if self._kind(task) == "eggs" else self._put_other
        return "uploaded" if put(task, obtain, counter) else "already there"

    def _put_egg(self, task: Task, obtain: Callable[[], Path], counter: ByteCounter) -> bool:
        wanted = task.wanted
        assert wanted is not None
        platform = self._server.platform(task.step.path)
        # The sha256 is known after `obtain`: the source may have a newer one by now.
        if task.there is not None:
            return platform._local_egg(obtain()).upload(
                overwrite=True, enabled=True, progress=counter, expected=wanted.sha256
            )
        is_worth_asking = self._is_resumed or (wanted.size or 0) >= LARGE
        if is_worth_asking and self._is_stored(task, platform):
            return False
        egg = platform._local_egg(obtain())
        send = partial(egg.upload, enabled=False, progress=counter, expected=wanted.sha256)
        try:
            is_new = send(overwrite=False)
        except (ConflictError, ChecksumMismatchError):
            # What is disabled stands in no index, so that no plan knows of it.
            if self._is_stored(task, platform):
                return False
            is_new = send(overwrite=True)
        self._is_resumed |= not is_new
        self._hide(task, platform, cast(Egg, egg.there))
        return is_new

    def _is_stored(self, task: Task, platform: SinglePlatformRepository) -> bool:
        """Whether the server has a new egg, disabled or since a moment ago; then it is shown.

        Raises
        ------
        HatcherException
            It shows another one by now.
        """
        assert task.wanted is not None
        egg = self._server.egg(task.step.path)
        metadata = found_itself(egg)
        if metadata is None:
            return False
        if egg._sha256_in(metadata) != task.wanted.sha256:
            if metadata.get("enabled") is not False:
                raise changed(task.step.path, self._server)
            return False
        if metadata.get("enabled") is not True:
            self._is_resumed = True
            self._hide(task, platform, egg)
        return True

    def _hide(self, task: Task, platform: SinglePlatformRepository, egg: Egg) -> None:
        with self._lock:
            self._hidden[platform].append((task, egg))

    def _put_other(self, task: Task, obtain: Callable[[], Path], counter: ByteCounter) -> bool:
        path, replaces = task.step.path, task.there is not None
        platform, kind, file = self._server.platform(path), self._kind(task), obtain()
        try:
            expected = None
            if kind == "runtimes":
                runtime = DIALECTS[self._server.version].read_runtime(file)
                local, expected = platform._local_runtime(runtime), _sha256(task.wanted)
            elif kind == "apps":
                local = platform._local_app(read_app(file))
            else:
                local = platform.bundles.from_file(file)._file
            return local.upload(overwrite=replaces, progress=counter, expected=expected)
        except (ConflictError, ChecksumMismatchError) as error:
            # The server compares files, which of equal documents may differ.
            if self._found_sha256(path) == _sha256(task.wanted):
                return False
            raise changed(path, self._server) from error

    def _is_replaced(self, task: Task) -> bool:
        """Whether the server has by now what is to replace something.

        Raises
        ------
        HatcherException
            It has a third one.
        """
        found = self._found_sha256(task.step.path)
        if found == _sha256(task.wanted):
            return True
        if found != _sha256(task.there):
            raise changed(task.step.path, self._server)
        return False

    def delete(self, task: Task, counter: ByteCounter) -> Outcome:
        """Delete something."""
        assert task.there is not None
        found = self._found_sha256(task.where)
        if found is None:
            return "already gone"
        if found != task.there.sha256:
            raise changed(task.where, self._server)
        artefact = self._server.artefact(task.where)
        artefact.delete()  # type: ignore[union-attr]  # nobody plans to delete an app
        return "deleted"

    def _found_sha256(self, path: str) -> str | None:
        """Return what the server has now; None when there is nothing."""
        metadata = found_itself(self._server.artefact(path))
        if metadata is None:
            return None
        if self._server.kind(path) in DOCUMENTS:
            return digest(metadata.get("data"))
        return server_sha256(metadata.get("sha256"), path)

    # -- all of them ---------------------------------------------------------------------

    def _show(self) -> None:
        """Show all eggs that are stored and disabled: one request for each platform."""
        if not self._hidden:
            return
        sizes = {
            platform: sum(task.size or 0 for task, _ in hidden)
            for platform, hidden in self._hidden.items()
        }
        meter, done = Meter(self._options.progress, sum(sizes.values()), "indexing"), 0
        meter.reach(done)
        for platform, hidden in self._hidden.items():
            try:
                platform._enable([egg for _, egg in hidden])
            except HatcherException as error:
                for task, _ in hidden:
                    stored = HatcherException(
                        f"{task.step.path} is stored, but not shown yet: {error} Apply again: it "
                        "is not sent a second time."
                    )
                    stored.__cause__ = error
                    task.fail(stored)
            done += sizes[platform]
            meter.reach(done)

    def _kind(self, task: Task) -> str:
        return self._server.kind(task.step.path)

    def _place(self, task: Task) -> str:
        return self._server.location(task.step.path).place


def _sha256(held: Held | None) -> str | None:
    return None if held is None else held.sha256
