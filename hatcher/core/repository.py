"""Repositories."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from hatcher import endpoints
from hatcher.core.bundles import LocalBundle
from hatcher.core.local import LocalArtefact
from hatcher.core.node import InOrganization, Named, public
from hatcher.core.platform import PlatformUploads, SinglePlatformRepository
from hatcher.core.presence import delete
from hatcher.core.searchable import Searchable
from hatcher.errors import ArtefactError, HatcherException, NotFoundError
from hatcher.transfer.progress import BatchOptions, Progress

if TYPE_CHECKING:
    from hatcher.core.documents import AvailableRepository
    from hatcher.transfer.reports import BatchReport

__all__ = ["Repository", "SinglePlatformRepository"]


@public
class Repository(PlatformUploads, Searchable, Named, InOrganization):
    """A repository of an organization.

    Get one from its organization; that sends nothing.

    Examples
    --------
    >>> repository = brood_client.organization('acme').repository('dev')
    >>> repository.platform('rh8-x86_64').list_eggs('cp311')
    """

    __slots__ = ()

    def platform(self, platform_name: str) -> SinglePlatformRepository:
        """Return the part of the repository that is for one platform; sends nothing.

        Parameters
        ----------
        platform_name : str
            Such as ``rh8-x86_64``; `BroodClient.list_platforms` lists the names.

        Returns
        -------
        SinglePlatformRepository

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return self._child(SinglePlatformRepository, platform=platform_name)

    def _platform_at(self, *names: str) -> SinglePlatformRepository:
        return self.platform(names[2])

    def _platform_for(self, name: str, error: type[ArtefactError]) -> SinglePlatformRepository:
        return self.platform(name)

    def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
        """Delete the repository.

        ``DELETE /admin/repositories/{organization}/{repository}``

        Parameters
        ----------
        force : bool, default False
            Delete it with everything that is in it.
        missing_ok : bool, default False
            Be content when the organization has no such repository, which its administrators
            alone are told.

        Raises
        ------
        ConflictError
            It is not empty, and `force` was not given.
        PermissionDeniedError, NotFoundError
            It may not be deleted, or there is none.
        """

        def is_gone() -> bool:
            # Others may not see all that there are.
            self._list("list_teams", "teams", "name")
            return self.name not in self._list("list_repositories", "repositories")

        delete(self, "delete_repository", is_gone if missing_ok else None, force=force)

    def metadata(self) -> AvailableRepository:
        """Return what the server says of the repository.

        ``GET /metadata/user/repositories`` of API version 1, which says it of all
        repositories that the caller may see; Brood has no endpoint for one alone.

        Returns
        -------
        AvailableRepository
            ``{'name', 'access', 'description'}``: ``name`` is ``organization/repository``,
            ``access`` what the caller may do there.

        Raises
        ------
        HatcherException
            There is no such repository, or the caller may not see it.
        """
        request = endpoints.request(1, "list_available_repositories")
        for repository in self._session.items(request, "repositories", "name"):
            if repository["name"] == str(self):
                return cast("AvailableRepository", repository)
        raise HatcherException(
            f"There is no repository '{self}' among those that you may see. Check the names; "
            "list_available_repositories(include_indexable=True) lists them."
        )

    def _public(self) -> str | None:
        """Return the access that everybody has, as far as the server says."""
        try:
            return self.metadata().get("public")
        except NotFoundError:  # an old server, of version 0 alone
            return None

    def list_platforms(self) -> list[str]:
        """List the platforms that the repository has something for.

        ``GET /metadata/platforms``, ``GET /metadata/python-tags``, and, 64 at a time,
        ``GET /indices/{organization}/{repository}/{platform}/runtimes``, ``…/apps``,
        ``…/bundles`` and ``…/{python_tag}/eggs`` of each platform, until one of them shows
        something: 500 requests where the server knows 20 platforms and 22 python tags, and all
        are empty. `BroodClient.list_platforms` lists all that the server knows, with one.

        Returns
        -------
        list of str
            In the server's order. Eggs that are disabled, or for a Python that the server does
            not list, do not count.

        Raises
        ------
        NotFoundError, PermissionDeniedError
            There is no such repository, or it may not be seen.
        HatcherException
            One of the indices could not be read.
        """
        # Imported here, as all that asks many questions at a time.
        from hatcher.core.batches.existing import list_platforms

        return list_platforms(self)

    # -- uploads whose file says which platform they are for ------------------------

    def upload_runtime(
        self,
        filename: str | os.PathLike[str],
        overwrite: bool = False,
        verify: bool = False,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Upload a runtime, to the platform that it says it is for.

        ``POST /data/{organization}/{repository}/{platform}/runtimes/upload``

        The file is checked before anything is sent, and is streamed in constant
        memory.

        Before a file of 8 MB or more, ``GET /metadata/user/repositories`` of API version 1
        is asked, at most once a minute, whether the upload will be allowed; nothing is
        sent when it will not.

        Parameters
        ----------
        filename : str or path-like
            API version 1: ``implementation-version-platform-abi.runtime``; version 0:
            ``python_runtime_version_buildsystem_platform_build.zip``.
        overwrite : bool, default False
            Replace a runtime of the same name and version with other content.
        verify : bool, default False
            Ask first what the server has. With the same sha256 nothing is sent; with
            another one nothing is sent either, and it is an error. `overwrite` makes
            the question needless.
        progress : Progress, optional
            Told how many bytes have been hashed, with `verify`, and have gone out.

        Raises
        ------
        InvalidRuntime
            The file is missing, unreadable, or no valid runtime.
        FileChangedError
            It changed while it was being sent; the server stored nothing of it.
        ChecksumMismatchError
            With `verify`, or when an answer got lost: the server has another runtime
            of that name and version.
        ConflictError
            The same, as the server found it.
        PermissionDeniedError, NotFoundError
            The repository may not be written to, or not even be seen.
        """
        self._read_runtime(filename).upload(overwrite=overwrite, verify=verify, progress=progress)

    def upload_app(
        self,
        filename: str | os.PathLike[str],
        overwrite: bool = False,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Upload an app, to the platform that it says it is for.

        ``POST /data/{organization}/{repository}/{platform}/apps/upload``

        Parameters
        ----------
        filename : str or path-like
            A YAML file with a ``platform``.
        overwrite : bool, default False
            Replace an app of the same id and version with other content.
        progress : Progress, optional
            Told how many bytes have gone out.

        Raises
        ------
        InvalidApp
            The file is missing, unreadable, or no app.
        MissingPlatformError
            It does not say which platform it is for.
        FileChangedError
            It changed while it was being sent; the server stored nothing of it.
        ChecksumMismatchError
            When an answer got lost: the server has another app of that id and version.
        ConflictError
            The server has another app of that id and version.
        PermissionDeniedError, NotFoundError
            The repository may not be written to, or not even be seen.
        """
        self._read_app(filename).upload(overwrite=overwrite, progress=progress)

    def _read_app(self, path: str | os.PathLike[str]) -> LocalArtefact:
        # Imported here, for those who only ask the server.
        from hatcher.artefacts.app import read_app

        app = read_app(path)
        return self.platform(app.platform)._local_app(app)

    def upload_bundle(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = False,
        *,
        progress: Progress | None = None,
    ) -> LocalBundle:
        """Upload a bundle, to the platform that its runtime is for; API version 1 only.

        ``POST /data/{organization}/{repository}/bundles/upload``

        Parameters
        ----------
        filepath : str or path-like
            A file called ``name-version-build.bundle``, or as EDM does ``name-version-build.json``.
        overwrite : bool, default False
            Replace a bundle of the same name and version with other content.
        progress : Progress, optional
            Told how many bytes have gone out.

        Returns
        -------
        LocalBundle
            The file, and what it became on the server.

        Raises
        ------
        InvalidBundle
            The file is missing, unreadable, or no valid bundle.
        UnsupportedAPIVersionError
            The client speaks API version 0.
        ConflictError
            The server has another bundle of that name and version.
        PermissionDeniedError, NotFoundError
            The repository may not be written to, or not even be seen.
        """
        bundle = self._read_bundle(filepath)
        bundle.upload(overwrite, progress=progress)
        return bundle

    def upload_apps(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        concurrency: int | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
    ) -> BatchReport:
        """Upload many apps, each to the platform that it says it is for.

        ``GET /indices/{organization}/{repository}/{platform}/apps`` once for each platform,
        ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/apps/{app_id}/{version}``
        for each app, and ``POST /data/{organization}/{repository}/{platform}/apps/upload`` for
        each app that the server does not have

        Parameters
        ----------
        paths : iterable of str or path-like
            The apps, as `upload_app` takes them.
        overwrite, concurrency, progress, dry_run
            As for `SinglePlatformRepository.upload_runtimes`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        HatcherException
            As for `SinglePlatformRepository.upload_runtimes`.
        """
        from hatcher.core.batches.uploads import upload_apps

        options = BatchOptions(concurrency, progress, dry_run, overwrite)
        return upload_apps(self._read_app, paths, options)

    def __str__(self) -> str:
        return "/".join(self._names.values())
