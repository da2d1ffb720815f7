"""A repository's artefacts for one platform, and what goes by the platform that a file names."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Self, overload

from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import App, Apps
from hatcher.core.bundles import Bundle, Bundles, LocalBundle
from hatcher.core.dialects import DIALECTS
from hatcher.core.eggs import Egg, Eggs
from hatcher.core.local import LocalArtefact
from hatcher.core.node import InOrganization, Named, Node, public
from hatcher.core.runtimes import Runtime, Runtimes
from hatcher.core.searchable import Searchable
from hatcher.errors import ArtefactError, InvalidBundle, InvalidRuntime
from hatcher.transfer.progress import BatchOptions, Progress

if TYPE_CHECKING:
    from hatcher.core.batches.deletions import AnyEgg
    from hatcher.core.batches.downloads import Names
    from hatcher.transfer.reports import BatchReport


# What does the work is imported where it is used: most clients never have a batch.


class PlatformUploads(Node):
    """The part of a `Repository`, and of a `SinglePlatformRepository`, about such files."""

    __slots__ = ()

    @abstractmethod
    def _platform_for(self, name: str, error: type[ArtefactError]) -> SinglePlatformRepository:
        """Return the platform that a file for `name` goes to; raise `error` if it may not."""

    def _read_runtime(self, path: str | os.PathLike[str]) -> LocalArtefact:
        runtime = DIALECTS[self._session.api_version].read_runtime(path)
        return self._platform_for(runtime.platform, InvalidRuntime)._local_runtime(runtime)

    def _read_bundle(self, path: str | os.PathLike[str]) -> LocalBundle:
        from hatcher.artefacts.bundle import read_bundle

        file = read_bundle(path)
        platform = self._platform_for(file.content.platform, InvalidBundle)
        return platform.bundles._local_bundle(file, path)

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


@public
class SinglePlatformRepository(
    Eggs, Runtimes, Bundles, Apps, PlatformUploads, Searchable, Named, InOrganization
):
    """One platform of a repository, and the artefacts in it.

    Get one from its repository; that sends nothing.

    Examples
    --------
    >>> platform = brood_client.organization('acme').repository('dev').platform('rh8-x86_64')
    >>> platform.upload_egg('nose-1.3.0-1.egg')
    """

    __slots__ = ()

    @property
    def repository_name(self) -> str:
        """The name of the repository, without its organization."""
        return self._names["repository"]

    def _platform_at(self, *names: str) -> Self:
        return self

    def _platform_for(self, name: str, error: type[ArtefactError]) -> Self:
        if usual_platform(name) != usual_platform(self.name):
            raise error(
                f"It is for the platform '{name}', not for '{self.name}'. Upload it to its own "
                "platform; the repository's method of the same name does so."
            )
        return self

    # -- the newest -----------------------------------------------------------------

    @overload
    def latest(
        self, name: str, python_tag: str | None = None, *, kind: Literal["egg"] = "egg"
    ) -> Egg: ...
    @overload
    def latest(
        self, name: str, python_tag: str | None = None, *, kind: Literal["runtime"]
    ) -> Runtime: ...
    @overload
    def latest(self, name: str, python_tag: str | None = None, *, kind: Literal["app"]) -> App: ...
    @overload
    def latest(
        self, name: str, python_tag: str | None = None, *, kind: Literal["bundle"]
    ) -> Bundle: ...

    def latest(
        self, name: str, python_tag: str | None = None, *, kind: str = "egg"
    ) -> Egg | Runtime | App | Bundle:
        """Return a handle of the newest egg of a name, or of another artefact.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``, or
        ``…/runtimes``, ``…/apps``, ``…/bundles``

        Parameters
        ----------
        name : str
            The name of an egg or a bundle, the implementation of a runtime, the id of an app;
            capital letters do not count. Comparisons may follow, as for `search`: ``numpy<2``.
            Pre-releases count only where one of them names one.
        python_tag : str, optional
            Of an egg, the PEP 425 tag of the Python that is to use it, such as ``cp311``; the egg
            may have another one that suits it. None is for eggs without a tag. Of others, their
            tag; None is for any.
        kind : {'egg', 'runtime', 'app', 'bundle'}, default 'egg'

        Returns
        -------
        Egg, Runtime, App or Bundle

        Raises
        ------
        InvalidArgumentError
            An argument cannot be used; nothing was sent.
        NoMatchError
            There is none; the message says what there is instead.
        NotFoundError
            There is no such repository or platform, or it may not be seen.

        Examples
        --------
        >>> platform.latest('numpy', 'cp311').download('.')
        >>> platform.latest('cpython', 'cp311', kind='runtime').version
        '3.11.9+2'
        """
        from hatcher.core.search import latest

        return latest(self, name, python_tag, kind)

    # -- many files at once ---------------------------------------------------------

    def upload_eggs(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        enabled: bool = True,
        concurrency: int | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
        journal: str | os.PathLike[str] | Literal[False] | None = None,
    ) -> BatchReport:
        """Upload many eggs, which appear together.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for
        each python tag, ``POST /data/{organization}/{repository}/{platform}/eggs/upload``
        for each egg that the server does not have, and at the end
        ``POST /data/{organization}/{repository}/{platform}/eggs/re-index``

        All files are read and checked before anything is sent. Eggs that the server has
        with the same sha256 are not sent again. The others are sent disabled, several
        at a time, and at the end one request shows all that have arrived: until then
        the index is as it was. When one fails, the others go on. A batch that was
        interrupted, even by a loss of power, is finished by the same call: it sends what
        is not stored yet, and shows everything.

        Parameters
        ----------
        paths : iterable of str or path-like
            The eggs; one that is given twice counts once.
        overwrite : bool, default False
            Replace eggs of the same name and version with other content. One that the
            index shows is replaced after all others have been sent, each in one step,
            so that it is never missing.
        enabled : bool, default True
            Show the eggs in the index at the end. Without it they stay out of sight
            until `reindex`; the server is then asked for each egg that the index does
            not show, since it may be there.
        concurrency : int, optional
            How many files to send at once at most, 64 by default.
        progress : Progress, optional
            Is told of the bytes of the whole batch, from the calling thread; those of
            files that fail count as done. An exception that it raises ends the batch
            as Ctrl-C does.
        dry_run : bool, default False
            Send nothing, and say of each file whether it would be sent. The server is
            asked for each egg that the index does not show.
        journal : str, path-like or False, optional
            With False, the server is asked for each egg that the index does not show.
            Otherwise it is asked for those of 8 MB or more, and for the first others, as
            many as are sent at once; if it has one of them, which an interrupted batch
            has left, it is asked for all. A path is ignored: it named a file that earlier
            versions needed.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        InvalidArgumentError
            An argument cannot be used; nothing was sent.
        HatcherException
            An index could not be read, so nothing was sent. What goes wrong with single
            files is in the report, as is `ConflictError` or `ChecksumMismatchError` for
            those that the server has with other content.

        Notes
        -----
        Ctrl-C ends the call within about a second: no further file is begun, nothing
        is shown that was not shown before. What comes out is a `BatchInterrupted`, a
        KeyboardInterrupt with the report so far.

        Examples
        --------
        >>> report = platform.upload_eggs(Path('dist').glob('*.egg'))
        >>> print(report)
        200 files: 12 uploaded, 188 already there
        >>> report.raise_for_failures()
        """
        from hatcher.core.batches.eggs import upload_eggs

        options = BatchOptions(concurrency, progress, dry_run, overwrite)
        return upload_eggs(self, paths, options, enabled, asks_for_all=journal is False)

    def delete_eggs(
        self,
        eggs: Iterable[AnyEgg],
        python_tag: str | None = None,
        *,
        force: bool = False,
        missing_ok: bool = False,
        concurrency: int | None = None,
        dry_run: bool = False,
    ) -> BatchReport:
        """Delete many eggs.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once, or
        ``GET /indices/{organization}/{repository}/{platform}/runtimes`` where no names are
        given, and
        ``DELETE /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``
        for each egg

        When one fails, the others go on.

        Parameters
        ----------
        eggs : iterable of Egg, str or dict
            Handles of this platform; names of files; patterns of these, such as ``nose-*``; or
            what `list_eggs` says of an egg. One that is given twice counts once.
        python_tag : str, optional
            The PEP 425 tag of a Python, such as ``cp311``, in whose index names and patterns are
            looked for; an egg that it shows is deleted by its own tag. One that it does not show
            may be stored out of sight, with this tag. Needed for names and patterns.
        force : bool, default False
            Delete them also where the server would rather keep them.
        missing_ok : bool, default False
            Be content when one of them is not there: it is ``already gone`` then.
        concurrency : int, optional
            How many to delete at once at most, 64 by default.
        dry_run : bool, default False
            Delete nothing, and say of each egg whether it would be.

        Returns
        -------
        BatchReport
            What became of each egg.

        Raises
        ------
        InvalidArgumentError, InvalidNameError
            An argument cannot be used, or one of the eggs is on another platform; nothing was
            deleted.
        HatcherException
            The platform could not be read. What goes wrong with single eggs is in the report.

        Notes
        -----
        Ctrl-C ends the call within about a second, with a `BatchInterrupted`.

        Examples
        --------
        >>> old = [egg for egg in platform.list_eggs('cp311') if 'rc' in egg['name']]
        >>> platform.delete_eggs(old, dry_run=True)
        >>> platform.delete_eggs(old).raise_for_failures()
        >>> platform.delete_eggs(['nose-*'], 'cp311')
        """
        from hatcher.core.batches.deletions import delete_eggs

        options = BatchOptions(concurrency, dry_run=dry_run)
        return delete_eggs(self, eggs, python_tag, options, force=force, missing_ok=missing_ok)

    def download_eggs(
        self,
        python_tag: str | None,
        destination: str | os.PathLike[str],
        *,
        names: Names = None,
        concurrency: int | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
        connections: int | None = None,
    ) -> BatchReport:
        """Download the eggs that a Python can use, all of them or some.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once, and
        ``GET /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``
        for each egg that is not there yet

        Each egg is verified by the sha256 that the index says, and stands under its name
        only when it is whole. Those that are in the directory already, with the right
        sha256, are not downloaded again. When one fails, the others go on.

        Parameters
        ----------
        python_tag : str or None
            The PEP 425 tag of the Python, such as ``cp311``: see `egg_index`.
        destination : str or path-like
            An existing directory.
        names : iterable of str, or callable, optional
            File names, or patterns such as ``numpy-*``; one that is not in the index is
            a failure in the report. Or a function that is given a file name, and says
            whether the file is wanted. By default all are.
        concurrency : int, optional
            How many files to receive at once at most, 64 by default.
        progress : Progress, optional
            As for `upload_eggs`.
        dry_run : bool, default False
            Receive nothing, and say of each file whether it would be received.
        connections : int, optional
            How many connections to receive each large file over at most, from 1 to 16.
            One by default.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        InvalidDestinationError, InvalidArgumentError
            An argument cannot be used; nothing was received.
        HatcherException
            The index could not be read. What goes wrong with single files is in the
            report.

        Notes
        -----
        Ctrl-C ends the call within about a second, and leaves nothing unfinished. The
        same call goes on where it was.

        Examples
        --------
        >>> report = platform.download_eggs('cp311', 'eggs', names=['numpy-*', 'scipy-*'])
        >>> report.raise_for_failures()
        """
        from hatcher.core.batches.downloads import download_eggs

        options = BatchOptions(concurrency, progress, dry_run, connections=connections)
        return download_eggs(self, python_tag, destination, names, options)

    def download_runtimes(
        self,
        destination: str | os.PathLike[str],
        *,
        names: Names = None,
        concurrency: int | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
        connections: int | None = None,
    ) -> BatchReport:
        """Download the runtimes, all of them or some.

        ``GET /indices/{organization}/{repository}/{platform}/runtimes`` once, and
        ``GET /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``
        (API version 0: ``…/{python_tag}/{version}``) for each runtime that is not there yet

        Parameters
        ----------
        destination : str or path-like
            An existing directory.
        names, concurrency, progress, dry_run, connections
            As for `download_eggs`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        HatcherException
            As for `download_eggs`.
        """
        from hatcher.core.batches.downloads import download_runtimes

        options = BatchOptions(concurrency, progress, dry_run, connections=connections)
        return download_runtimes(self, destination, names, options)

    def download_bundles(
        self,
        destination: str | os.PathLike[str],
        *,
        names: Names = None,
        concurrency: int | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
    ) -> BatchReport:
        """Save the documents of the bundles, all of them or some; API version 1 only.

        ``GET /indices/{organization}/{repository}/{platform}/bundles`` once, and
        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``
        for each bundle: the index does not say what is in it

        A file that has the same document already is left as it is.

        Parameters
        ----------
        destination : str or path-like
            An existing directory.
        names, concurrency, progress, dry_run
            As for `download_eggs`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        HatcherException
            As for `download_eggs`.
        """
        from hatcher.core.batches.downloads import download_bundles

        options = BatchOptions(concurrency, progress, dry_run)
        return download_bundles(self, destination, names, options)

    def __str__(self) -> str:
        return "/".join(self._names.values())
