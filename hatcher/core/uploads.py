"""Uploads of files that say for which platform they are: to a repository, or to that platform."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hatcher.core.batches import BatchOptions
from hatcher.core.bundles import LocalBundle
from hatcher.core.dialects import DIALECTS
from hatcher.core.local import LocalArtefact
from hatcher.core.node import Node
from hatcher.errors import ArtefactError, InvalidBundle, InvalidRuntime
from hatcher.transfer.progress import Progress

if TYPE_CHECKING:
    from hatcher.transfer.reports import BatchReport

# What does the work is imported where it is used: most clients never have a batch.


class PlatformUploads(Node):
    """The part of a `Repository`, and of a `SinglePlatformRepository`, about such files."""

    __slots__ = ()

    @abstractmethod
    def _platform_for(self, name: str, error: type[ArtefactError]) -> Any:
        """Return the platform that a file for `name` goes to; raise `error` if it may not."""

    def _read_runtime(self, path: str | os.PathLike[str]) -> LocalArtefact:
        runtime = DIALECTS[self._session.api_version].read_runtime(path)
        platform = self._platform_for(runtime.platform, InvalidRuntime)
        local: LocalArtefact = platform._local_runtime(runtime)
        return local

    def _read_bundle(self, path: str | os.PathLike[str]) -> LocalBundle:
        from hatcher.artefacts.bundle import read_bundle

        file = read_bundle(path)
        platform = self._platform_for(file.content.platform, InvalidBundle)
        local: LocalBundle = platform.bundles._local_bundle(file, path)
        return local

    def upload_runtimes(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        concurrency: int | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
    ) -> BatchReport:
        """Upload many runtimes, each to the platform that it says it is for.

        ``GET /indices/{organization}/{repository}/{platform}/runtimes`` once for each
        platform, and ``POST /data/{organization}/{repository}/{platform}/runtimes/upload`` for
        each runtime that the server does not have

        All files are read and checked before anything is sent; when one fails, the
        others go on. A `SinglePlatformRepository` takes only those that are for its platform;
        a `Repository` takes all.

        Parameters
        ----------
        paths : iterable of str or path-like
            The runtimes, as `Repository.upload_runtime` takes them.
        overwrite : bool, default False
            Replace runtimes of the same name and version with other content.
        concurrency, progress, dry_run
            As for `SinglePlatformRepository.upload_eggs`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        HatcherException
            As for `SinglePlatformRepository.upload_eggs`.
        """
        from hatcher.core.batches.uploads import upload_runtimes

        options = BatchOptions(concurrency, progress, dry_run, overwrite)
        return upload_runtimes(self._read_runtime, paths, options)

    def upload_bundles(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        concurrency: int | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
    ) -> BatchReport:
        """Upload many bundles, each to the platform of its runtime; API version 1 only.

        ``GET /indices/{organization}/{repository}/{platform}/bundles`` once for each
        platform,
        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``
        for those that the index names, since it says nothing of their content, and
        ``POST /data/{organization}/{repository}/bundles/upload`` for each bundle that the
        server does not have

        All files are read and checked before anything is sent; when one fails, the
        others go on. A `SinglePlatformRepository` takes only those that are for its platform;
        a `Repository` takes all.

        Parameters
        ----------
        paths : iterable of str or path-like
            The bundles, as `Repository.upload_bundle` takes them.
        overwrite : bool, default False
            Replace bundles of the same name and version with another document.
        concurrency, progress, dry_run
            As for `SinglePlatformRepository.upload_eggs`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        HatcherException
            As for `SinglePlatformRepository.upload_eggs`.
        """
        from hatcher.core.batches.uploads import upload_bundles

        options = BatchOptions(concurrency, progress, dry_run, overwrite)
        return upload_bundles(lambda path: self._read_bundle(path)._file, paths, options)
