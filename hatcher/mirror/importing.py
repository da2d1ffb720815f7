"""From a folder, into a server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

from hatcher.core.brood_client import BroodClient
from hatcher.core.places import Problem, existing_repositories
from hatcher.core.repository import Repository
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    TransportError,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.layout import (
    KINDS,
    Kind,
    files_in,
    folder_in,
    platforms_in,
    repositories_in,
    stray_in,
)
from hatcher.mirror.reading import create_repository
from hatcher.mirror.records import Collected, MirrorReport, Options
from hatcher.mirror.selection import Selection, select
from hatcher.transfer.batch import checked_concurrency
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import BatchReport, FileResult, Outcome

#: The one version of the API that imports, as in the existing client.
_API_VERSION = 1

#: What is said of a repository that was created on the way.
_DESCRIPTION = "Created by hatcher import"

#: After these no other batch is worth a try.
_HOPELESS = (AuthenticationError, TransportError)


def import_(
    client: BroodClient,
    root: str | os.PathLike[str],
    *,
    kinds: Iterable[str] | None = None,
    repositories: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    overwrite: bool = False,
    create_missing: bool = False,
    concurrency: int | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> MirrorReport:
    """Upload a folder that was exported, by hatcher or the existing client; API version 1 only.

    ``POST /data/{organization}/{repository}/{platform}/eggs/upload`` for each egg that the server
    does not have, at the end ``POST /data/{organization}/{repository}/{platform}/eggs/re-index``
    once for each platform; and likewise for runtimes, apps and bundles

    What the server has already, with the same sha256, is not sent again. The eggs of a platform
    appear together. When a file fails, the others go on; so they do when a repository is missing.

    Parameters
    ----------
    client : BroodClient
    root : str or path-like
        The folder, with ``v1`` in it: see `export`.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all that are there.
    repositories : iterable of str, optional
        Such as ``acme/dev``; by default all that are there.
    platforms : iterable of str, optional
        By default all that are there.
    overwrite : bool, default False
        Replace what the server has with other content; without it, that is a failure.
    create_missing : bool, default False
        Create repositories that are missing. Organizations are not created.
    concurrency : int, optional
        How many files to send at once at most, 64 by default.
    progress : Progress, optional
        Is told of the bytes of each platform and kind, from the calling thread.
    dry_run : bool, default False
        Send and create nothing, and say of each file whether it would be sent.

    Returns
    -------
    MirrorReport
        What became of each file, and which places are missing.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used, or the folder is none of an export; nothing was sent.
    AuthenticationError, BroodConnectionError, BroodTimeoutError
        Nothing could be sent at all.

    Notes
    -----
    Ctrl-C ends the call within about a second with a `BatchInterrupted`, which has the report so
    far. The same call goes on where it was.

    Examples
    --------
    >>> report = mirror.import_(client, 'backup', create_missing=True)
    >>> report.raise_for_failures()
    """
    if client.api_version != _API_VERSION:
        raise UnsupportedAPIVersionError(
            f"With API version {client.api_version} nothing can be imported. Make the client with "
            f"api_version={_API_VERSION}."
        )
    selection = select(KINDS if kinds is None else kinds, repositories, platforms)
    number = checked_concurrency(concurrency)
    options = Options(number, progress, dry_run, create_missing, overwrite)
    return _Import(client, Path(root), selection, options).run()


class _Import(Collected):
    """The uploads of one import: a batch for each platform and kind."""

    def __init__(
        self, client: BroodClient, root: Path, selection: Selection, options: Options
    ) -> None:
        super().__init__(root)
        self._client = client
        self._selection = selection
        self._options = options
        self._hopeless: HatcherException | None = None

    def run(self) -> MirrorReport:
        """Upload everything that is asked for."""
        there = list(repositories_in(self.root, _API_VERSION))
        wanted = self._selection.repositories or there
        for pair in sorted(set(wanted) - set(there)):
            error = InvalidArgumentError("It is not in the folder.")
            self.problems.append(Problem("/".join(pair), error))
        pairs = [pair for pair in there if pair in wanted]
        self._check_platforms(pairs)
        for organization, those in groupby(pairs, key=lambda pair: pair[0]):
            self._organization(organization, [repository for _, repository in those])
        done = any(result.outcome not in ("failed", "not tried") for result in self.results)
        if self._hopeless is not None and not done:
            raise self._hopeless
        return self.report()

    def _check_platforms(self, pairs: list[tuple[str, str]]) -> None:
        if self._selection.platforms is None:
            return
        there = {name for pair in pairs for name in platforms_in(self.root, _API_VERSION, *pair)}
        for platform in self._selection.platforms:
            if platform not in there:
                error = InvalidArgumentError("There is no such platform in the folder.")
                self.problems.append(Problem(platform, error))

    def _organization(self, name: str, repositories: list[str]) -> None:
        try:
            if self._hopeless is not None:
                raise self._hopeless
            existing = existing_repositories(self._client, name)
        except HatcherException as error:
            problem = error
            if isinstance(error, NotFoundError | PermissionDeniedError):
                problem = HatcherException(
                    f"There is no organization '{name}' on the server, or you may not see it. "
                    f"Create it with: hatcher organizations create {name} DESCRIPTION"
                )
            files = [path for repository in repositories for path in self._files(name, repository)]
            self._give_up(name, files, problem)
            return
        for repository in repositories:
            try:
                self._repository(name, repository, is_there=repository in existing)
            except InvalidArgumentError as error:
                # A folder that cannot be read, or whose name no repository can have.
                self._give_up(f"{name}/{repository}", [], error)

    def _repository(self, organization: str, name: str, *, is_there: bool) -> None:
        place = f"{organization}/{name}"
        if not is_there:
            try:
                if not self._options.create_missing:
                    raise HatcherException(
                        f"There is no repository '{place}' on the server, or you may not see it. "
                        "Create it, or pass create_missing=True."
                    )
                if self._options.dry_run:
                    self._note(self._files(organization, name), "would upload", None)
                    return
                create_repository(self._client, place, _DESCRIPTION)
            except HatcherException as error:
                self._give_up(place, self._files(organization, name), error)
                return
        kinds = self._selection.kinds
        stray = stray_in(self.root, _API_VERSION, organization, name, kinds)
        if stray is not None:
            self.problems.append(Problem(place, stray))
        repository = self._client.organization(organization).repository(name)
        for platform, kind, files in self._batches(organization, name):
            if self._hopeless is not None:
                self._note(files, "not tried", self._hopeless)
                continue
            try:
                self.collect(partial(self._upload, repository, platform, kind, files))
            except HatcherException as error:
                self._give_up(f"{repository}/{platform} {kind}", files, error)

    def _upload(
        self, repository: Repository, platform: str, kind: Kind, files: list[Path]
    ) -> BatchReport:
        # Whatever the folder is called: all but eggs say which platform they are for.
        uploads: dict[Kind, Callable[..., BatchReport]] = {
            "eggs": repository.platform(platform).upload_eggs,
            "runtimes": repository.upload_runtimes,
            "apps": repository.upload_apps,
            "bundles": repository.upload_bundles,
        }
        return uploads[kind](
            files,
            overwrite=self._options.overwrite,
            concurrency=self._options.concurrency,
            progress=self._options.progress,
            dry_run=self._options.dry_run,
        )

    def _batches(
        self, organization: str, repository: str
    ) -> Iterator[tuple[str, Kind, list[Path]]]:
        """Give the files of a repository that are asked for, by platform and kind."""
        wanted = self._selection.platforms
        for platform in platforms_in(self.root, _API_VERSION, organization, repository):
            for kind in self._selection.kinds if wanted is None or platform in wanted else ():
                names = (organization, repository, platform, kind)
                entries = files_in(folder_in(self.root, _API_VERSION, *names), kind)
                files = sorted(Path(entry.path) for _, entry in entries)
                if files:
                    yield platform, kind, files

    def _files(self, organization: str, repository: str) -> list[Path]:
        return [path for *_, files in self._batches(organization, repository) for path in files]

    def _give_up(self, place: str, files: list[Path], error: HatcherException) -> None:
        """Note that nothing can go to a place."""
        if self._hopeless is None:
            self.problems.append(Problem(place, error))
            if isinstance(error, _HOPELESS):
                self._hopeless = error
        self._note(files, "not tried", error)

    def _note(self, files: list[Path], outcome: Outcome, error: Exception | None) -> None:
        self.add(FileResult(path.name, path, outcome, None, error) for path in files)
