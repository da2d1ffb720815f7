"""The graph for async programs: what `hatcher.core` has, awaited.

Made by scripts/make_async.py; never edited by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, Self, cast, overload

from hatcher.aio.threads import THREADS
from hatcher.aio.twin import ClientTwin, Iteration, Twin, plain, twin_of
from hatcher.core.artefact import M
from hatcher.core.brood_client import BroodClient
from hatcher.core.node import public
from hatcher.transport.retry import RetryPolicy
from hatcher.transport.secret import discreet
from hatcher.transport.timeouts import Timeouts

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from types import EllipsisType

    import httpx

    from brood_api.client import Client
    from hatcher.aio.threads import AsyncProgress
    from hatcher.core.apps import App, Apps
    from hatcher.core.artefact import Artefact, DeletableArtefact, FileArtefact
    from hatcher.core.batches.deletions import AnyEgg
    from hatcher.core.batches.downloads import Names
    from hatcher.core.bundles import Bundle, BundleCollection, Bundles, LocalBundle
    from hatcher.core.dependencies import DependencyTree
    from hatcher.core.documents import (
        APIToken,
        AppIndexEntry,
        AppMetadata,
        AvailableRepository,
        BundleIndexEntry,
        BundleListing,
        BundleMetadata,
        EggIndexEntry,
        EggListing,
        EggMetadata,
        NewAPIToken,
        RuntimeMetadata,
        TeamMetadata,
        UserMetadata,
        WhoAmI,
    )
    from hatcher.core.eggs import Egg, Eggs
    from hatcher.core.index import Index
    from hatcher.core.node import InOrganization, Named
    from hatcher.core.organization import Organization
    from hatcher.core.places import Problem
    from hatcher.core.platform import PlatformUploads
    from hatcher.core.repository import Repository, SinglePlatformRepository
    from hatcher.core.runtimes import Runtime, Runtimes
    from hatcher.core.search import Kind, SearchResult, SearchResults
    from hatcher.core.searchable import Searchable
    from hatcher.core.team import HasEmail, HasName, Team
    from hatcher.core.user import User
    from hatcher.transfer.progress import Progress
    from hatcher.transfer.reports import BatchReport
    from hatcher.transport.auth import AuthTypes
    from hatcher.transport.callbacks import OnRequest, OnResponse


class AsyncNamed(Twin):
    """A place whose last name is its own."""

    __slots__ = ()

    _sync: Named

    @property
    def name(self) -> str:
        """Its own name, without those of the places that it is in."""
        return self._sync.name


class AsyncInOrganization(Twin):
    """A place in an organization."""

    __slots__ = ()

    _sync: InOrganization

    @property
    def organization_name(self) -> str:
        """The name of the organization that it belongs to."""
        return self._sync.organization_name


class AsyncSearchable(Twin):
    """A place that artefacts are searched for in, with all places below it."""

    __slots__ = ()

    _sync: Searchable

    def search(
        self,
        requirement: str,
        *,
        python_tag: str | None = None,
        platform: str | None = None,
        kind: str | Iterable[str] | None = None,
    ) -> AsyncSearchResults:
        """Search for artefacts by their names and versions, here and in all places below.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` and
        ``GET /indices/{organization}/{repository}/{platform}/runtimes``, ``…/apps``,
        ``…/bundles`` once for each place, 64 at a time. Before that, what is not given is
        asked for: ``GET /metadata/user/repositories``, ``GET /admin/organizations``,
        ``GET /admin/organizations/{organization}/repositories``, ``GET /metadata/platforms``,
        ``GET /metadata/python-tags`` and ``…/all``

        An index that is known from before, and has not changed, is not sent again.

        Parameters
        ----------
        requirement : str
            A name or a shell pattern of names, whose capital letters do not count; and behind it,
            separated by commas, comparisons of the version: ``numpy``, ``scikit*``,
            ``numpy>=1.26,<2``, ``numpy==1.26.*``, ``numpy~=1.26.1``. Versions are compared
            without their build number, unless a comparison has one: ``numpy==1.26.4-1``.
            Pre-releases are found only where a comparison names one: ``numpy>=2.0rc1``.
        python_tag : str, optional
            The PEP 425 tag of the Python that is to use it, such as ``cp311``; eggs that suit it
            are found, too. Without it, eggs for all tags that the server lists: an index for each.
        platform : str, optional
            A platform such as ``rh8-x86_64``, or a shell pattern such as ``rh8-*``; all that the
            server lists by default.
        kind : {'egg', 'runtime', 'app', 'bundle'} or iterable of these, optional
            All by default; with API version 0, all but bundles.

        Returns
        -------
        AsyncSearchResults
            An async iterator of `AsyncSearchResult`. Nothing is sent before it is asked for the
            first one. At its end, its ``unreadable`` says which places could not be read.

        Raises
        ------
        InvalidArgumentError
            An argument cannot be used; nothing was sent. From the iterator: no platform is like
            the pattern, or the server does not take the python tag.
        UnsupportedAPIVersionError
            Bundles are asked for with API version 0.
        HatcherException
            From the iterator: nothing at all could be read.

        Examples
        --------
        >>> async for result in brood_client.search('numpy>=1.26,<2', python_tag='cp311'):
        ...     print(result)
        acme/dev/rh8-x86_64: egg numpy 1.26.4-1 (cp311)
        >>> newest = max([result async for result in brood_client.search('numpy', platform='rh8-*')])
        >>> await newest.artefact.download('.')
        """
        return AsyncSearchResults._of(
            self._sync.search(requirement, python_tag=python_tag, platform=platform, kind=kind),
            self._threads,
        )


class AsyncArtefact(Twin, Generic[M]):
    """One artefact on a platform of a repository, whether it exists or not.

    Making one sends nothing.
    """

    __slots__ = ()

    _sync: Artefact[M]

    @property
    def version(self) -> str:
        """The full version, such as ``1.3.0-1``."""
        return self._sync.version

    async def metadata(self) -> M:
        """Return what the server says of it.

        Returns
        -------
        EggMetadata, RuntimeMetadata, AppMetadata or BundleMetadata
            A dict.

        Raises
        ------
        NotFoundError
            It does not exist, or may not be seen.
        """
        return await self._run(self._sync.metadata)

    async def exists(self) -> bool:
        """Ask the server whether it is there, and may be seen.

        Returns
        -------
        bool
        """
        return await self._run(self._sync.exists)


class AsyncDeletableArtefact(AsyncArtefact[M]):
    """An artefact that can be deleted."""

    __slots__ = ()

    _sync: DeletableArtefact[M]

    async def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
        """Delete it from the server.

        Parameters
        ----------
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; its platform must be, and be readable.

        Raises
        ------
        NotFoundError
            It does not exist, or may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """
        await self._run(self._sync.delete, force, missing_ok=missing_ok)


class AsyncFileArtefact(AsyncDeletableArtefact[M]):
    """An artefact that is a file on the server, and has a sha256."""

    __slots__ = ()

    _sync: FileArtefact[M]

    async def sha256(self) -> str:
        """Ask the server for its sha256.

        Returns
        -------
        str
            In lower-case hexadecimal.

        Raises
        ------
        NotFoundError
            It does not exist, or may not be seen.
        InvalidJSONError
            The server does not say.
        """
        return await self._run(self._sync.sha256)

    async def download(
        self,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        progress: Progress | AsyncProgress | None = None,
        connections: int | None = None,
    ) -> None:
        """Download it into a directory, and verify it.

        It is streamed in constant memory, and stands under its name only when it is
        whole and has the right sha256. One that is there already is not downloaded
        again. When the connection is lost it goes on from where it was; so it does
        with what a killed process has left.

        Parameters
        ----------
        destination : str or path-like
            An existing directory.
        expected_sha256 : str, optional
            What it must hash to, in hexadecimal. Without it the server's metadata
            is asked, at the same time as for the file if none is there.
        filename : str, optional
            How to call the file; without it, as the server does.
        progress : Progress or AsyncProgress, optional
            Told how far it has come.
        connections : int, optional
            How many connections to receive a large file over at most, from 1 to 16; the
            server has to offer ranges, with an ETag. One by default.

        Raises
        ------
        InvalidDestinationError
            The destination is no directory.
        InvalidArgumentError
            An argument cannot be used; nothing was sent.
        NoSpaceError
            There is no room for it.
        ChecksumMismatchError
            Something else arrived; nothing of it is kept.
        BroodConnectionError, BroodTimeoutError
            The network failed again and again. Of a large file, what arrived is kept
            for the next call; the message says so.
        NotFoundError
            It does not exist, or may not be seen.
        """
        await self._run(
            self._sync.download,
            destination,
            expected_sha256,
            filename,
            progress=progress,
            connections=connections,
        )

    async def iter_download(
        self,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        connections: int | None = None,
    ) -> tuple[int, Iteration[int]]:
        """Download it step by step, for example to show the progress.

        Parameters
        ----------
        destination, expected_sha256, filename, connections
            As for `download`.

        Returns
        -------
        content_length : int
            The number of bytes to come; 0 when the server does not say.
        chunks : Iteration of int
            Drives the download, and gives the number of bytes of each step; 0 while
            it waits to try again. The file stands under its name when the iterator
            is exhausted.

        Raises
        ------
        HatcherException
            As for `download`; errors in the body come out of the iterator.
        """
        return await self._begin(
            self._sync.iter_download,
            destination,
            expected_sha256,
            filename,
            connections=connections,
        )


class AsyncSearchResult(Twin):
    """An artefact that was found. Results are ordered by name and version: the newest is last.

    Attributes
    ----------
    kind : {'egg', 'runtime', 'app', 'bundle'}
        What it is.
    artefact : AsyncEgg, AsyncRuntime, AsyncApp or AsyncBundle
        Its handle, to download it for example.
    name : str
        The name of an egg or a bundle, the implementation of a runtime, the id of an app.
    version : str
        With its build: ``1.3.0-1``; ``3.11.9+2`` of a runtime.
    python_tag : str or None
        Its own PEP 425 tag; None for an egg without one.
    size : int or None
        In bytes; None where the index does not say.
    sha256 : str or None
        Likewise.
    """

    __slots__ = ()

    _sync: SearchResult

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self._sync.kind

    @property
    def artefact(self) -> AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle:
        """Its handle, to download it for example."""
        return cast(
            "AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle",
            twin_of(self._sync.artefact, self._threads),
        )

    @property
    def name(self) -> str:
        """The name of an egg or a bundle, the implementation of a runtime, the id of an app."""
        return self._sync.name

    @property
    def version(self) -> str:
        """With its build: ``1.3.0-1``; ``3.11.9+2`` of a runtime."""
        return self._sync.version

    @property
    def python_tag(self) -> str | None:
        """Its own PEP 425 tag; None for an egg without one."""
        return self._sync.python_tag

    @property
    def size(self) -> int | None:
        """In bytes; None where the index does not say."""
        return self._sync.size

    @property
    def sha256(self) -> str | None:
        """Likewise."""
        return self._sync.sha256

    @property
    def place(self) -> str:
        """Where it is: ``organization/repository/platform`` (`str`)."""
        return self._sync.place

    def __lt__(self, other: object) -> bool:
        return bool(self._sync < plain(other))


class AsyncSearchResults(Iteration[AsyncSearchResult]):
    """What a search finds, as it comes, while other indices are still read: an async iterator.

    Nothing is sent before the first result is asked for. Leaving it early stops the search.

    Examples
    --------
    >>> results = brood_client.search('numpy>=1.26,<2', python_tag='cp311')
    >>> async for result in results:
    ...     print(result)
    acme/dev/rh8-x86_64: egg numpy 1.26.4-1 (cp311)
    >>> for problem in results.unreadable:
    ...     print(problem)
    """

    __slots__ = ()

    _sync: SearchResults

    @property
    def unreadable(self) -> list[Problem]:
        """The places that could not be read, when all has been: each with `place` and `error`."""
        return self._sync.unreadable

    @property
    def advice(self) -> str:
        """When nothing was found: what there is instead, such as names that are alike (`str`).

        It is empty when something was found.
        """
        return self._sync.advice


@public
class AsyncEgg(AsyncFileArtefact["EggMetadata"]):
    """One egg; get it from `AsyncSinglePlatformRepository.egg`.

    Examples
    --------
    >>> egg = platform.egg('cp311', 'numpy', '1.26.4-1')
    >>> await egg.exists()
    True
    """

    __slots__ = ()

    _sync: Egg

    @property
    def python_tag(self) -> str | None:
        """The PEP 425 tag; None for an egg without one."""
        return self._sync.python_tag

    @property
    def name(self) -> str:
        """The name as it stands in the egg's file name."""
        return self._sync.name


class AsyncEggs(Twin):
    """The part of an `AsyncSinglePlatformRepository` that is about eggs."""

    __slots__ = ()

    _sync: Eggs

    def egg(self, python_tag: str | None, name: str, version: str) -> AsyncEgg:
        """Return a handle of one egg; sends nothing.

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.

        Returns
        -------
        AsyncEgg

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return AsyncEgg._of(self._sync.egg(python_tag, name, version), self._threads)

    async def egg_index(self, python_tag: str | None) -> Index[EggIndexEntry]:
        """Return every enabled egg that a Python can use.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        Parameters
        ----------
        python_tag : str or None
            The PEP 425 tag of the Python, such as ``cp311``. The index holds the
            eggs with this tag, and those that suit it: ``py3``, ``py2.py3``, no
            tag at all. None for the eggs without one, where the server has an index of them.

        Returns
        -------
        dict of str to EggIndexEntry
            What the index says, by the eggs' file names. Sizes are in bytes. In a
            notebook it shows as a table.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.egg_index, python_tag)

    async def list_eggs(self, python_tag: str | None) -> list[EggListing]:
        """List the enabled eggs that a Python can use.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        Parameters
        ----------
        python_tag : str or None
            The PEP 425 tag of the Python, such as ``cp311``; None as for `egg_index`.

        Returns
        -------
        list of EggListing
            ``{'name': file name, 'python_tag': the egg's own tag or None}``.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.list_eggs, python_tag)

    async def requirements_of(
        self, name: str, python_tag: str | None, version: str | None = None
    ) -> DependencyTree:
        """Return what an egg requires, and what that requires, as a tree.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        What is required without a version, or without a build, is the newest one that there is.

        Parameters
        ----------
        name : str
            Of the egg, whatever its case.
        python_tag : str or None
            The PEP 425 tag of the Python that is to use it, such as ``cp311``; None as for
            `egg_index`.
        version : str, optional
            With or without the build number; by default the newest.

        Returns
        -------
        DependencyTree
            A list of dicts, from the top down: ``depth``, ``name``, ``version``, ``python_tag``,
            ``filename``, ``requirement`` and ``state``, which tells what is missing in the index,
            and cycles. ``str`` and ``print`` draw the tree.

        Raises
        ------
        InvalidNameError
            The name or the version is empty, or none that can be.
        NoMatchError
            The index has no such egg.
        NotFoundError
            There is no such repository or platform, or it may not be seen.

        Examples
        --------
        >>> print(await platform.requirements_of('scipy', 'cp311'))
        scipy 1.11.4-1
        └── numpy 1.26.4-1 (numpy 1.26.4)
            └── mkl 2023.2: not in this index
        """
        return await self._run(self._sync.requirements_of, name, python_tag, version)

    async def dependents_of(
        self, name: str, python_tag: str | None, version: str | None = None
    ) -> DependencyTree:
        """Return what requires an egg, and what requires that, as a tree.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        Parameters
        ----------
        name : str
            Of the egg, whatever its case. It need not be in the index itself.
        python_tag : str or None
            As for `requirements_of`.
        version : str, optional
            With or without the build number; by default it is what requires any version.

        Returns
        -------
        DependencyTree
            As of `requirements_of`. What the index tells no requirements of is named by its
            ``unknown``: it may belong to the tree.

        Raises
        ------
        InvalidNameError
            The name or the version is empty, or none that can be.
        NoMatchError
            The index has no such egg, and none that requires it.
        NotFoundError
            There is no such repository or platform, or it may not be seen.

        Examples
        --------
        >>> print(await platform.dependents_of('mkl', 'cp311'))
        mkl 2023.2-1
        └── numpy 1.26.4-1 (MKL 2023.2)
            └── scipy 1.11.4-1 (numpy 1.26.4)
        """
        return await self._run(self._sync.dependents_of, name, python_tag, version)

    async def egg_metadata(self, python_tag: str | None, name: str, version: str) -> EggMetadata:
        """Return what the server says of one egg, enabled or not.

        ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.

        Returns
        -------
        EggMetadata
            A dict with ``sha256``, ``filename`` and more.

        Raises
        ------
        NotFoundError
            There is no such egg, or it may not be seen.
        """
        return await self._run(self._sync.egg_metadata, python_tag, name, version)

    async def upload_egg(
        self,
        filename: str | os.PathLike[str],
        overwrite: bool = False,
        enabled: bool = True,
        verify: bool = False,
        *,
        progress: Progress | AsyncProgress | None = None,
    ) -> None:
        """Upload an egg.

        ``POST /data/{organization}/{repository}/{platform}/eggs/upload``

        The file is checked before anything is sent, and is streamed: an egg of any
        size takes constant memory. It appears on the server when all of it has
        arrived and has the right sha256, or not at all.

        Before a file of 8 MB or more, ``GET /metadata/user/repositories`` of API version 1
        is asked, at most once a minute, whether the upload will be allowed; nothing is
        sent when it will not.

        Parameters
        ----------
        filename : str or path-like
            The egg, called ``name-version-build.egg``.
        overwrite : bool, default False
            Replace an egg of the same name and version with other content.
        enabled : bool, default True
            Show the egg in the index at once; `reindex` does so later.
        verify : bool, default False
            Ask first what the server has. With the same sha256 nothing is sent;
            with another one nothing is sent either, and it is an error.
            `overwrite` makes the question needless.
        progress : Progress or AsyncProgress, optional
            Told how many bytes have been hashed, with `verify`, and have gone out.

        Raises
        ------
        InvalidEgg
            The file is missing, unreadable, or no valid egg.
        FileChangedError
            It changed while it was being sent; the server stored nothing of it.
        ChecksumMismatchError
            With `verify`, or when an answer got lost: the server has another egg of
            that name and version.
        ConflictError
            The same, as the server found it.
        PermissionDeniedError, NotFoundError
            The repository may not be written to, or not even be seen.
        """
        await self._run(
            self._sync.upload_egg, filename, overwrite, enabled, verify, progress=progress
        )

    async def download_egg(
        self,
        python_tag: str | None,
        name: str,
        version: str,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        progress: Progress | AsyncProgress | None = None,
        connections: int | None = None,
    ) -> None:
        """Download an egg into a directory, and verify it.

        ``GET /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        The egg is streamed in constant memory, and stands under its name only when
        it is whole and has the right sha256. One that is there already is not
        downloaded again. When the connection is lost it goes on from where it was;
        so it does with what a killed process has left.

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.
        destination : str or path-like
            An existing directory.
        expected_sha256 : str, optional
            What the egg must hash to, in hexadecimal. Without it the server's
            metadata is asked, at the same time as for the file if none is there.
        filename : str, optional
            How to call the file; without it, as the server does.
        progress : Progress or AsyncProgress, optional
            Told how far it has come.
        connections : int, optional
            How many connections to receive a large file over at most, from 1 to 16; the
            server has to offer ranges, with an ETag. One by default.

        Raises
        ------
        InvalidDestinationError
            The destination is no directory.
        InvalidArgumentError
            An argument cannot be used; nothing was sent.
        NoSpaceError
            There is no room for it.
        ChecksumMismatchError
            What arrived is not the egg; nothing of it is kept.
        BroodConnectionError, BroodTimeoutError
            The network failed again and again. Of a large file, what arrived is kept
            for the next call; the message says so.
        NotFoundError
            There is no such egg, or it may not be seen.
        """
        await self._run(
            self._sync.download_egg,
            python_tag,
            name,
            version,
            destination,
            expected_sha256,
            filename,
            progress=progress,
            connections=connections,
        )

    async def iter_download_egg(
        self,
        python_tag: str | None,
        name: str,
        version: str,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        connections: int | None = None,
    ) -> tuple[int, Iteration[int]]:
        """Download an egg step by step, for example to show its progress.

        ``GET /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version, destination, expected_sha256, filename, connections
            As for `download_egg`.

        Returns
        -------
        content_length : int
            The number of bytes to come; 0 when the server does not say.
        chunks : Iteration of int
            Drives the download, and gives the number of bytes of each step; 0 while
            it waits to try again. The egg stands under its name when the iterator
            is exhausted.

        Raises
        ------
        HatcherException
            As for `download_egg`; errors in the body come out of the iterator.

        Examples
        --------
        >>> total, chunks = await platform.iter_download_egg('cp311', 'nose', '1.3.0-1', '.')
        >>> async for size in chunks:
        ...     progress.update(size)
        """
        return await self._begin(
            self._sync.iter_download_egg,
            python_tag,
            name,
            version,
            destination,
            expected_sha256,
            filename,
            connections=connections,
        )

    async def delete_egg(
        self,
        python_tag: str | None,
        name: str,
        version: str,
        force: bool = False,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete an egg from the server.

        ``DELETE /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        NotFoundError
            There is no such egg, or it may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """
        await self._run(
            self._sync.delete_egg, python_tag, name, version, force, missing_ok=missing_ok
        )

    async def reindex(self, eggs_to_enable: Iterable[str | os.PathLike[str]]) -> None:
        """Enable eggs that were uploaded disabled, so that the index shows them.

        ``POST /data/{organization}/{repository}/{platform}/eggs/re-index``

        Parameters
        ----------
        eggs_to_enable : iterable of str or path-like
            The eggs' files: name, version and python tag are read from them. Each
            is named to the server once, however often it is given.

        Raises
        ------
        InvalidEgg
            One of the files is no valid egg; nothing was sent.
        NotFoundError
            The server does not have one of them.
        """
        await self._run(self._sync.reindex, eggs_to_enable)


@public
class AsyncRuntime(AsyncFileArtefact["RuntimeMetadata"]):
    """One runtime; get it from `AsyncSinglePlatformRepository.runtime`.

    Examples
    --------
    >>> runtime = platform.runtime('cpython', '3.8.17+1')
    >>> await runtime.download('.')
    """

    __slots__ = ()

    _sync: Runtime


class AsyncRuntimes(Twin):
    """The part of an `AsyncSinglePlatformRepository` that is about runtimes.

    API version 0 addresses a runtime by its python tag, such as ``cp27``, and a
    version with its build, ``2.7.10-1``; API version 1 by its implementation, such as
    ``cpython``, and a version, ``3.8.17+1``.
    """

    __slots__ = ()

    _sync: Runtimes

    def runtime(
        self,
        implementation: str | None = None,
        version: str | None = None,
        *,
        python_tag: str | None = None,
    ) -> AsyncRuntime:
        """Return a handle of one runtime; sends nothing.

        Parameters
        ----------
        implementation : str
            Such as ``cpython``. With API version 0, the python tag, such as ``cp27``.
        version : str
            The full version, such as ``3.8.17+1``, or ``2.7.10-1`` with API version 0.
        python_tag : str
            What API version 0 calls its first argument.

        Returns
        -------
        AsyncRuntime

        Raises
        ------
        InvalidNameError
            One of them is missing, empty, ``.`` or ``..``.
        InvalidArgumentError
            A python tag is given with API version 1.
        """
        return AsyncRuntime._of(
            self._sync.runtime(implementation, version, python_tag=python_tag), self._threads
        )

    async def runtime_index(self) -> Index[dict[str, Any]]:
        """Return what the server says of all runtimes.

        ``GET /indices/{organization}/{repository}/{platform}/runtimes``

        Returns
        -------
        dict
            API version 0: ``{language: {version: {build: LegacyRuntimeIndexEntry}}}``;
            API version 1: ``{implementation: {version: RuntimeIndexEntry}}``. In a
            notebook it shows as a table.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.runtime_index)

    async def list_runtimes(self) -> list[str] | list[tuple[str, str]]:
        """List the runtimes.

        ``GET /indices/{organization}/{repository}/{platform}/runtimes``

        Returns
        -------
        list of str, or of tuple of (str, str)
            API version 0: file names; API version 1: ``(implementation, version)``. In
            the server's order.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.list_runtimes)

    async def runtime_metadata(
        self,
        implementation: str | None = None,
        version: str | None = None,
        *,
        python_tag: str | None = None,
    ) -> RuntimeMetadata:
        """Return what the server says of one runtime.

        ``GET /metadata/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``
        (API version 0: ``…/{python_tag}/{version}``)

        Parameters
        ----------
        implementation, version, python_tag : str
            As for `runtime`.

        Returns
        -------
        RuntimeMetadata
            A dict with ``sha256``, ``filename`` and more.

        Raises
        ------
        NotFoundError
            There is no such runtime, or it may not be seen.
        """
        return await self._run(
            self._sync.runtime_metadata, implementation, version, python_tag=python_tag
        )

    async def download_runtime(
        self,
        implementation: str | None = None,
        version: str | None = None,
        destination: str | os.PathLike[str] = ".",
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        python_tag: str | None = None,
        progress: Progress | AsyncProgress | None = None,
        connections: int | None = None,
    ) -> None:
        """Download a runtime into a directory, and verify it.

        ``GET /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``
        (API version 0: ``…/{python_tag}/{version}``)

        It is streamed in constant memory, and stands under its name only when it is
        whole and has the right sha256. One that is there already is not downloaded
        again. When the connection is lost it goes on from where it was; so it does
        with what a killed process has left.

        Parameters
        ----------
        implementation, version : str
            As for `runtime`.
        destination : str or path-like, default '.'
            An existing directory.
        expected_sha256 : str, optional
            What it must hash to, in hexadecimal. Without it the server's metadata is
            asked, at the same time as for the file if none is there.
        filename : str, optional
            How to call the file; without it, as the server does.
        python_tag : str, optional
            As for `runtime`.
        progress : Progress or AsyncProgress, optional
            Told how far it has come.
        connections : int, optional
            How many connections to receive a large file over at most, from 1 to 16; the
            server has to offer ranges, with an ETag. One by default.

        Raises
        ------
        InvalidDestinationError
            The destination is no directory.
        InvalidArgumentError
            An argument cannot be used; nothing was sent.
        NoSpaceError
            There is no room for it.
        ChecksumMismatchError
            Something else arrived; nothing of it is kept.
        BroodConnectionError, BroodTimeoutError
            The network failed again and again. Of a large file, what arrived is kept
            for the next call; the message says so.
        NotFoundError
            There is no such runtime, or it may not be seen.
        """
        await self._run(
            self._sync.download_runtime,
            implementation,
            version,
            destination,
            expected_sha256,
            filename,
            python_tag=python_tag,
            progress=progress,
            connections=connections,
        )

    async def iter_download_runtime(
        self,
        implementation: str | None = None,
        version: str | None = None,
        destination: str | os.PathLike[str] = ".",
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        python_tag: str | None = None,
        connections: int | None = None,
    ) -> tuple[int, Iteration[int]]:
        """Download a runtime step by step, for example to show the progress.

        ``GET /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``
        (API version 0: ``…/{python_tag}/{version}``)

        Parameters
        ----------
        implementation, version, destination, expected_sha256, filename, python_tag, connections
            As for `download_runtime`.

        Returns
        -------
        content_length : int
            The number of bytes to come; 0 when the server does not say.
        chunks : Iteration of int
            Drives the download, and gives the number of bytes of each step; 0 while
            it waits to try again. The runtime stands under its name when the iterator
            is exhausted.

        Raises
        ------
        HatcherException
            As for `download_runtime`; errors in the body come out of the iterator.
        """
        return await self._begin(
            self._sync.iter_download_runtime,
            implementation,
            version,
            destination,
            expected_sha256,
            filename,
            python_tag=python_tag,
            connections=connections,
        )

    async def delete_runtime(
        self, implementation: str, version: str, force: bool = False, *, missing_ok: bool = False
    ) -> None:
        """Delete a runtime from the server; API version 1 only.

        ``DELETE /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``

        Parameters
        ----------
        implementation, version : str
            As for `runtime`.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such runtime, or it may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """
        await self._run(
            self._sync.delete_runtime, implementation, version, force, missing_ok=missing_ok
        )

    runtime_delete = delete_runtime


@public
class AsyncApp(AsyncArtefact["AppMetadata"]):
    """One app; get it from `AsyncSinglePlatformRepository.app`.

    Brood has no way to download or delete an app; its metadata holds its document.

    Examples
    --------
    >>> await platform.app('cp38', 'com.example.viewer', '1.0-1').metadata()
    """

    __slots__ = ()

    _sync: App

    @property
    def python_tag(self) -> str:
        """The PEP 425 tag of the Python that the app runs on."""
        return self._sync.python_tag

    @property
    def app_id(self) -> str:
        """The id of the app."""
        return self._sync.app_id


class AsyncApps(Twin):
    """The part of an `AsyncSinglePlatformRepository` that is about apps."""

    __slots__ = ()

    _sync: Apps

    def app(self, python_tag: str, app_id: str, version: str) -> AsyncApp:
        """Return a handle of one app; sends nothing.

        Parameters
        ----------
        python_tag : str
            The PEP 425 tag of the Python that it runs on.
        app_id : str
        version : str
            Version and build number, such as ``1.0-1``.

        Returns
        -------
        AsyncApp

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return AsyncApp._of(self._sync.app(python_tag, app_id, version), self._threads)

    async def app_index(self) -> Index[dict[str, dict[str, dict[str, AppIndexEntry]]]]:
        """Return what the server says of all apps.

        ``GET /indices/{organization}/{repository}/{platform}/apps``

        Returns
        -------
        dict
            ``{python tag: {app id: {version: {build: AppIndexEntry}}}}``. In a notebook it
            shows as a table.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.app_index)

    async def list_apps(self) -> list[tuple[str, str, str]]:
        """List the apps.

        ``GET /indices/{organization}/{repository}/{platform}/apps``

        Returns
        -------
        list of tuple of (str, str, str)
            ``(app id, version and build, python tag)``, in the server's order.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.list_apps)

    async def app_metadata(self, python_tag: str, app_id: str, version: str) -> AppMetadata:
        """Return what the server says of one app.

        ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/apps/{app_id}/{version}``

        Parameters
        ----------
        python_tag, app_id, version : str
            As for `app`.

        Returns
        -------
        AppMetadata
            A dict.

        Raises
        ------
        NotFoundError
            There is no such app, or it may not be seen.
        """
        return await self._run(self._sync.app_metadata, python_tag, app_id, version)


@public
class AsyncBundle(AsyncDeletableArtefact["BundleMetadata"]):
    """One bundle; get it from `AsyncBundleCollection.get`.

    Examples
    --------
    >>> bundle = platform.bundles.get('cp38', 'tools', '1.0.0-1')
    >>> await bundle.save('.')
    './tools-1.0.0-1.bundle'
    """

    __slots__ = ()

    _sync: Bundle

    @property
    def python_tag(self) -> str:
        """The PEP 425 tag of the bundle's runtime."""
        return self._sync.python_tag

    @property
    def name(self) -> str:
        """The name of the bundle."""
        return self._sync.name

    @property
    def canonical_filename(self) -> str:
        """What the bundle's file is called."""
        return self._sync.canonical_filename

    async def save(self, directory: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Save the bundle's document to a file.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        directory : str or path-like
            An existing directory.
        overwrite : bool, default False
            Replace a file of that name. What is there stays until the new one is
            whole.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        InvalidDestinationError
            The directory is none.
        TargetFileExists
            There is a file of that name, and `overwrite` was not given.
        NotFoundError
            There is no such bundle, or it may not be seen.
        """
        return await self._run(self._sync.save, directory, overwrite)

    async def download(self, destination: str | os.PathLike[str]) -> None:
        """Do as `save`, replacing a file that is there, as other artefacts' do.

        Parameters
        ----------
        destination : str or path-like
            An existing directory.

        Raises
        ------
        HatcherException
            As for `save`.
        """
        await self._run(self._sync.download, destination)


class AsyncLocalBundle(Twin):
    """A bundle's file, and where on a server it may go.

    It is equal to another one that goes to the same place with the same document. What can be
    asked of the bundle can be asked of it, too: name, version and the like are those of `bundle`.

    Attributes
    ----------
    bundle : AsyncBundle
        What it will be on the server.
    filepath : str or path-like
        The file, as it was given.
    """

    __slots__ = ()

    _sync: LocalBundle

    @property
    def bundle(self) -> AsyncBundle:
        """What it will be on the server."""
        return AsyncBundle._of(self._sync.bundle, self._threads)

    @property
    def filepath(self) -> str | os.PathLike[str]:
        """The file, as it was given."""
        return self._sync.filepath

    async def upload(
        self, overwrite: bool = False, *, progress: Progress | AsyncProgress | None = None
    ) -> None:
        """Upload the file.

        ``POST /data/{organization}/{repository}/bundles/upload``

        Parameters
        ----------
        overwrite : bool, default False
            Replace a bundle of the same name and version with other content.
        progress : Progress or AsyncProgress, optional
            Told how many bytes have gone out.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        FileChangedError
            The file is not what it was when it was read; the server stored nothing.
        ChecksumMismatchError
            When an answer got lost: the server has another bundle of that name and version.
        ConflictError
            The server has another bundle of that name and version.
        PermissionDeniedError, NotFoundError
            The repository may not be written to, or not even be seen.
        """
        await self._run(self._sync.upload, overwrite, progress=progress)

    @property
    def name(self) -> str:
        """The name of the bundle."""
        return self._sync.name

    @property
    def version(self) -> str:
        """The full version, such as ``1.0.0-1``."""
        return self._sync.version

    @property
    def python_tag(self) -> str:
        """The PEP 425 tag of the bundle's runtime."""
        return self._sync.python_tag

    @property
    def canonical_filename(self) -> str:
        """What the bundle's file is called once it has been saved from the server."""
        return self._sync.canonical_filename

    async def metadata(self) -> BundleMetadata:
        """Return what the server says of the bundle: `AsyncBundle.metadata`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Returns
        -------
        BundleMetadata
            A dict.

        Raises
        ------
        NotFoundError
            There is no such bundle, or it may not be seen.
        """
        return await self._run(self._sync.metadata)

    async def save(self, directory: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Save the server's document to a file: `AsyncBundle.save`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        directory : str or path-like
            An existing directory.
        overwrite : bool, default False
            Replace a file of that name.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        HatcherException
            As for `AsyncBundle.save`.
        """
        return await self._run(self._sync.save, directory, overwrite)

    async def delete(self, force: bool = False) -> None:
        """Delete the bundle from the server; the file stays.

        ``DELETE /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        force : bool, default False
            Delete it also where the server would rather keep it.

        Raises
        ------
        HatcherException
            As for `AsyncBundle.delete`.
        """
        await self._run(self._sync.delete, force)


class AsyncBundleCollection(Twin):
    """The bundles of a platform; get it from `AsyncSinglePlatformRepository.bundles`.

    It can be iterated over, which asks the server for the index.

    Examples
    --------
    >>> async for bundle in platform.bundles:
    ...     print(bundle.name, bundle.version)
    """

    __slots__ = ()

    _sync: BundleCollection

    def get(self, python_tag: str, name: str, version: str) -> AsyncBundle:
        """Return a handle of one bundle; sends nothing.

        Parameters
        ----------
        python_tag : str
            The PEP 425 tag of the bundle's runtime, such as ``cp38``.
        name : str
        version : str
            Version and build number, such as ``1.0.0-1``.

        Returns
        -------
        AsyncBundle

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return AsyncBundle._of(self._sync.get(python_tag, name, version), self._threads)

    async def index(self) -> Index[dict[str, dict[str, dict[str, BundleIndexEntry]]]]:
        """Return what the server says of all bundles.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        dict
            ``{python tag: {name: {version: {build: BundleIndexEntry}}}}``. In a notebook it shows
            as a table.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.index)

    async def list(self) -> list[BundleListing]:
        """List the bundles.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        list of BundleListing
            ``{'python_tag', 'name', 'version'}``, the version with its build number; in
            the server's order.

        Raises
        ------
        UnsupportedAPIVersionError, NotFoundError
            As for `index`.
        """
        return await self._run(self._sync.list)

    def __aiter__(self) -> Iteration[AsyncBundle]:
        return Iteration._of(iter(self._sync), self._threads)

    async def delete(
        self,
        python_tag: str,
        name: str,
        version: str,
        force: bool = False,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete a bundle from the server.

        ``DELETE /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `get`.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        NotFoundError
            There is no such bundle, or it may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """
        await self._run(self._sync.delete, python_tag, name, version, force, missing_ok=missing_ok)

    async def from_file(
        self, filepath: str | os.PathLike[str], runtime: Mapping[str, str] | None = None
    ) -> AsyncLocalBundle:
        """Read a bundle's file, to upload it; sends nothing.

        Parameters
        ----------
        filepath : str or path-like
            A file called ``name-version-build.bundle``, or as EDM does ``name-version-build.json``.
        runtime : mapping of str to str, optional
            The runtime to take the python tag from, instead of the file's: with
            ``implementation`` and ``version``.

        Returns
        -------
        AsyncLocalBundle

        Raises
        ------
        InvalidBundle
            The file is missing, unreadable, or no valid bundle.
        """
        return AsyncLocalBundle._of(
            await self._run(self._sync.from_file, filepath, runtime), self._threads
        )


class AsyncBundles(Twin):
    """The part of an `AsyncSinglePlatformRepository` that is about bundles."""

    __slots__ = ()

    _sync: Bundles

    @property
    def bundles(self) -> AsyncBundleCollection:
        """The bundles of this platform; sends nothing."""
        return AsyncBundleCollection._of(self._sync.bundles, self._threads)

    def bundle(self, python_tag: str, name: str, version: str) -> AsyncBundle:
        """Return a handle of one bundle; sends nothing.

        Parameters
        ----------
        python_tag, name, version : str
            As for `AsyncBundleCollection.get`.

        Returns
        -------
        AsyncBundle

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return AsyncBundle._of(self._sync.bundle(python_tag, name, version), self._threads)

    async def bundle_index(self) -> Index[dict[str, dict[str, dict[str, BundleIndexEntry]]]]:
        """Return what the server says of all bundles: `AsyncBundleCollection.index`.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        dict
            ``{python tag: {name: {version: {build: BundleIndexEntry}}}}``.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return await self._run(self._sync.bundle_index)

    async def list_bundles(self) -> list[BundleListing]:
        """List the bundles: `AsyncBundleCollection.list`.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        list of BundleListing
            ``{'python_tag', 'name', 'version'}``, the version with its build number.

        Raises
        ------
        UnsupportedAPIVersionError, NotFoundError
            As for `bundle_index`.
        """
        return await self._run(self._sync.list_bundles)

    bundle_list = list_bundles

    async def bundle_metadata(self, python_tag: str, name: str, version: str) -> BundleMetadata:
        """Return what the server says of one bundle.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `AsyncBundleCollection.get`.

        Returns
        -------
        BundleMetadata
            ``{'name', 'version', 'build', 'full_version', 'platform', 'data'}``; ``data``
            is the bundle's document.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such bundle, or it may not be seen.
        """
        return await self._run(self._sync.bundle_metadata, python_tag, name, version)

    async def bundle_save(
        self,
        python_tag: str,
        name: str,
        version: str,
        directory: str | os.PathLike[str],
        overwrite: bool = False,
    ) -> str:
        """Save a bundle's document to a file: `AsyncBundle.save`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `AsyncBundleCollection.get`.
        directory : str or path-like
            An existing directory.
        overwrite : bool, default False
            Replace a file of that name.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        HatcherException
            As for `AsyncBundle.save`.
        """
        return await self._run(
            self._sync.bundle_save, python_tag, name, version, directory, overwrite
        )

    async def download_bundle(
        self, python_tag: str, name: str, version: str, destination: str | os.PathLike[str]
    ) -> None:
        """Download a bundle's document into a directory: `AsyncBundle.download`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        A file of that name is replaced, as other artefacts' are; `bundle_save` keeps it.

        Parameters
        ----------
        python_tag, name, version : str
            As for `AsyncBundleCollection.get`.
        destination : str or path-like
            An existing directory.

        Raises
        ------
        HatcherException
            As for `AsyncBundle.save`.
        """
        await self._run(self._sync.download_bundle, python_tag, name, version, destination)

    async def delete_bundle(
        self,
        python_tag: str,
        name: str,
        version: str,
        force: bool = False,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete a bundle from the server.

        ``DELETE /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `AsyncBundleCollection.get`.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        HatcherException
            As for `AsyncBundleCollection.delete`.
        """
        await self._run(
            self._sync.delete_bundle, python_tag, name, version, force, missing_ok=missing_ok
        )

    bundle_delete = delete_bundle


class AsyncPlatformUploads(Twin):
    """The part of an `AsyncRepository`, and of an `AsyncSinglePlatformRepository`, about such files."""

    __slots__ = ()

    _sync: PlatformUploads

    async def upload_runtimes(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        concurrency: int | None = None,
        progress: Progress | AsyncProgress | None = None,
        dry_run: bool = False,
    ) -> BatchReport:
        """Upload many runtimes, each to the platform that it says it is for.

        ``GET /indices/{organization}/{repository}/{platform}/runtimes`` once for each
        platform, and ``POST /data/{organization}/{repository}/{platform}/runtimes/upload`` for
        each runtime that the server does not have

        All files are read and checked before anything is sent; when one fails, the
        others go on. An `AsyncSinglePlatformRepository` takes only those that are for its platform;
        an `AsyncRepository` takes all.

        Parameters
        ----------
        paths : iterable of str or path-like
            The runtimes, as `AsyncRepository.upload_runtime` takes them.
        overwrite : bool, default False
            Replace runtimes of the same name and version with other content.
        concurrency, progress, dry_run
            As for `AsyncSinglePlatformRepository.upload_eggs`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        HatcherException
            As for `AsyncSinglePlatformRepository.upload_eggs`.
        """
        return await self._run(
            self._sync.upload_runtimes,
            paths,
            overwrite=overwrite,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
        )

    async def upload_bundles(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        concurrency: int | None = None,
        progress: Progress | AsyncProgress | None = None,
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
        others go on. An `AsyncSinglePlatformRepository` takes only those that are for its platform;
        an `AsyncRepository` takes all.

        Parameters
        ----------
        paths : iterable of str or path-like
            The bundles, as `AsyncRepository.upload_bundle` takes them.
        overwrite : bool, default False
            Replace bundles of the same name and version with another document.
        concurrency, progress, dry_run
            As for `AsyncSinglePlatformRepository.upload_eggs`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        HatcherException
            As for `AsyncSinglePlatformRepository.upload_eggs`.
        """
        return await self._run(
            self._sync.upload_bundles,
            paths,
            overwrite=overwrite,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
        )


@public
class AsyncSinglePlatformRepository(
    AsyncEggs,
    AsyncRuntimes,
    AsyncBundles,
    AsyncApps,
    AsyncPlatformUploads,
    AsyncSearchable,
    AsyncNamed,
    AsyncInOrganization,
):
    """One platform of a repository, and the artefacts in it.

    Get one from its repository; that sends nothing.

    Examples
    --------
    >>> platform = brood_client.organization('acme').repository('dev').platform('rh8-x86_64')
    >>> await platform.upload_egg('nose-1.3.0-1.egg')
    """

    __slots__ = ()

    _sync: SinglePlatformRepository

    @property
    def repository_name(self) -> str:
        """The name of the repository, without its organization."""
        return self._sync.repository_name

    @overload
    async def latest(
        self, name: str, python_tag: str | None = None, *, kind: Literal["egg"] = "egg"
    ) -> AsyncEgg: ...

    @overload
    async def latest(
        self, name: str, python_tag: str | None = None, *, kind: Literal["runtime"]
    ) -> AsyncRuntime: ...

    @overload
    async def latest(
        self, name: str, python_tag: str | None = None, *, kind: Literal["app"]
    ) -> AsyncApp: ...

    @overload
    async def latest(
        self, name: str, python_tag: str | None = None, *, kind: Literal["bundle"]
    ) -> AsyncBundle: ...

    async def latest(
        self, name: str, python_tag: str | None = None, *, kind: str = "egg"
    ) -> AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle:
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
        AsyncEgg, AsyncRuntime, AsyncApp or AsyncBundle

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
        >>> await (await platform.latest('numpy', 'cp311')).download('.')
        >>> (await platform.latest('cpython', 'cp311', kind='runtime')).version
        '3.11.9+2'
        """
        return cast(
            "AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle",
            twin_of(await self._run(self._sync.latest, name, python_tag, kind=kind), self._threads),
        )

    async def upload_eggs(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        enabled: bool = True,
        concurrency: int | None = None,
        progress: Progress | AsyncProgress | None = None,
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
        progress : Progress or AsyncProgress, optional
            Is told of the bytes of the whole batch; those of files that fail count as done. An
            exception that it raises ends the batch as being cancelled does.
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
        Cancelling the task, as Ctrl-C does, ends the call: no further file is begun, nothing is
        shown that was not shown before.

        Examples
        --------
        >>> report = await platform.upload_eggs(Path('dist').glob('*.egg'))
        >>> print(report)
        200 files: 12 uploaded, 188 already there
        >>> report.raise_for_failures()
        """
        return await self._run(
            self._sync.upload_eggs,
            paths,
            overwrite=overwrite,
            enabled=enabled,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
            journal=journal,
        )

    async def delete_eggs(
        self,
        eggs: Iterable[AnyEgg | AsyncEgg],
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
        eggs : iterable of AsyncEgg, str or dict
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
        Cancelling the task, as Ctrl-C does, ends the call.

        Examples
        --------
        >>> old = [egg for egg in await platform.list_eggs('cp311') if 'rc' in egg['name']]
        >>> await platform.delete_eggs(old, dry_run=True)
        >>> (await platform.delete_eggs(old)).raise_for_failures()
        >>> await platform.delete_eggs(['nose-*'], 'cp311')
        """
        return await self._run(
            self._sync.delete_eggs,
            eggs,
            python_tag,
            force=force,
            missing_ok=missing_ok,
            concurrency=concurrency,
            dry_run=dry_run,
        )

    async def download_eggs(
        self,
        python_tag: str | None,
        destination: str | os.PathLike[str],
        *,
        names: Names = None,
        concurrency: int | None = None,
        progress: Progress | AsyncProgress | None = None,
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
        progress : Progress or AsyncProgress, optional
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
        Cancelling the task, as Ctrl-C does, ends the call, and leaves nothing unfinished. The same
        call goes on where it was.

        Examples
        --------
        >>> report = await platform.download_eggs('cp311', 'eggs', names=['numpy-*', 'scipy-*'])
        >>> report.raise_for_failures()
        """
        return await self._run(
            self._sync.download_eggs,
            python_tag,
            destination,
            names=names,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
            connections=connections,
        )

    async def download_runtimes(
        self,
        destination: str | os.PathLike[str],
        *,
        names: Names = None,
        concurrency: int | None = None,
        progress: Progress | AsyncProgress | None = None,
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
        return await self._run(
            self._sync.download_runtimes,
            destination,
            names=names,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
            connections=connections,
        )

    async def download_bundles(
        self,
        destination: str | os.PathLike[str],
        *,
        names: Names = None,
        concurrency: int | None = None,
        progress: Progress | AsyncProgress | None = None,
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
        return await self._run(
            self._sync.download_bundles,
            destination,
            names=names,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
        )


@public
class AsyncRepository(AsyncPlatformUploads, AsyncSearchable, AsyncNamed, AsyncInOrganization):
    """A repository of an organization.

    Get one from its organization; that sends nothing.

    Examples
    --------
    >>> repository = brood_client.organization('acme').repository('dev')
    >>> await repository.platform('rh8-x86_64').list_eggs('cp311')
    """

    __slots__ = ()

    _sync: Repository

    def platform(self, platform_name: str) -> AsyncSinglePlatformRepository:
        """Return the part of the repository that is for one platform; sends nothing.

        Parameters
        ----------
        platform_name : str
            Such as ``rh8-x86_64``; `AsyncBroodClient.list_platforms` lists the names.

        Returns
        -------
        AsyncSinglePlatformRepository

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return AsyncSinglePlatformRepository._of(self._sync.platform(platform_name), self._threads)

    async def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
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
        await self._run(self._sync.delete, force, missing_ok=missing_ok)

    async def metadata(self) -> AvailableRepository:
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
        return await self._run(self._sync.metadata)

    async def list_platforms(self) -> list[str]:
        """List the platforms that the repository has something for.

        ``GET /metadata/platforms``, ``GET /metadata/python-tags``, and, 64 at a time,
        ``GET /indices/{organization}/{repository}/{platform}/runtimes``, ``…/apps``,
        ``…/bundles`` and ``…/{python_tag}/eggs`` of each platform, until one of them shows
        something: 500 requests where the server knows 20 platforms and 22 python tags, and all
        are empty. `AsyncBroodClient.list_platforms` lists all that the server knows, with one.

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
        return await self._run(self._sync.list_platforms)

    async def upload_runtime(
        self,
        filename: str | os.PathLike[str],
        overwrite: bool = False,
        verify: bool = False,
        *,
        progress: Progress | AsyncProgress | None = None,
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
        progress : Progress or AsyncProgress, optional
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
        await self._run(self._sync.upload_runtime, filename, overwrite, verify, progress=progress)

    async def upload_app(
        self,
        filename: str | os.PathLike[str],
        overwrite: bool = False,
        *,
        progress: Progress | AsyncProgress | None = None,
    ) -> None:
        """Upload an app, to the platform that it says it is for.

        ``POST /data/{organization}/{repository}/{platform}/apps/upload``

        Parameters
        ----------
        filename : str or path-like
            A YAML file with a ``platform``.
        overwrite : bool, default False
            Replace an app of the same id and version with other content.
        progress : Progress or AsyncProgress, optional
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
        await self._run(self._sync.upload_app, filename, overwrite, progress=progress)

    async def upload_bundle(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = False,
        *,
        progress: Progress | AsyncProgress | None = None,
    ) -> AsyncLocalBundle:
        """Upload a bundle, to the platform that its runtime is for; API version 1 only.

        ``POST /data/{organization}/{repository}/bundles/upload``

        Parameters
        ----------
        filepath : str or path-like
            A file called ``name-version-build.bundle``, or as EDM does ``name-version-build.json``.
        overwrite : bool, default False
            Replace a bundle of the same name and version with other content.
        progress : Progress or AsyncProgress, optional
            Told how many bytes have gone out.

        Returns
        -------
        AsyncLocalBundle
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
        return AsyncLocalBundle._of(
            await self._run(self._sync.upload_bundle, filepath, overwrite, progress=progress),
            self._threads,
        )

    async def upload_apps(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        overwrite: bool = False,
        concurrency: int | None = None,
        progress: Progress | AsyncProgress | None = None,
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
            As for `AsyncSinglePlatformRepository.upload_runtimes`.

        Returns
        -------
        BatchReport
            What became of each file.

        Raises
        ------
        HatcherException
            As for `AsyncSinglePlatformRepository.upload_runtimes`.
        """
        return await self._run(
            self._sync.upload_apps,
            paths,
            overwrite=overwrite,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
        )


class AsyncTeam(AsyncNamed, AsyncInOrganization):
    """A team of an organization; get one from `AsyncOrganization.team`.

    A team gives its members one level of access to its repositories.

    Examples
    --------
    >>> team = await organization.create_team('builders', 'upload_repository')
    >>> await team.add_repository('dev')
    >>> await team.add_user('ada@example.com')
    """

    __slots__ = ()

    _sync: Team

    async def metadata(self) -> TeamMetadata:
        """Return what the server says of the team.

        ``GET /admin/teams/{organization}/{team}``

        Returns
        -------
        TeamMetadata
            A dict with ``name``, ``group`` (the access level) and more.

        Raises
        ------
        NotFoundError
            There is no such team, or none that may be seen.
        """
        return await self._run(self._sync.metadata)

    async def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
        """Delete the team; its repositories and members stay.

        ``DELETE /admin/teams/{organization}/{team}``

        Parameters
        ----------
        force : bool, default False
            Delete it also when it has repositories or members.
        missing_ok : bool, default False
            Be content when the organization has no such team.

        Raises
        ------
        ConflictError
            It is not empty, and `force` was not given.
        NotFoundError, PermissionDeniedError
            There is no such team, or it may not be deleted.
        """
        await self._run(self._sync.delete, force, missing_ok=missing_ok)

    async def list_repositories(self) -> list[str]:
        """List the repositories that the team has access to.

        ``GET /admin/teams/{organization}/{team}/repositories``

        Returns
        -------
        list of str
            Their names, in the server's order.

        Raises
        ------
        NotFoundError
            There is no such team, or none that may be seen.
        """
        return await self._run(self._sync.list_repositories)

    async def add_repository(self, repository: HasName | str) -> None:
        """Give the team access to a repository of its organization.

        ``PUT /admin/teams/{organization}/{team}/repositories/{repository}``

        Parameters
        ----------
        repository : AsyncRepository or str
            The repository, or its name without that of the organization.

        Raises
        ------
        NotFoundError
            There is no such team or repository.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        await self._run(self._sync.add_repository, repository)

    async def remove_repository(
        self, repository: HasName | str, force: bool = False, *, missing_ok: bool = False
    ) -> None:
        """Take the team's access to a repository away; the repository stays.

        ``DELETE /admin/teams/{organization}/{team}/repositories/{repository}``

        Parameters
        ----------
        repository : AsyncRepository or str
            The repository, or its name without that of the organization.
        force : bool, default False
            Do so also where the server would rather not.
        missing_ok : bool, default False
            Be content when the team has no access; the team and the repository must exist.

        Raises
        ------
        NotFoundError
            There is no such team, or it has no access.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        await self._run(self._sync.remove_repository, repository, force, missing_ok=missing_ok)

    async def query_repository_access(self, repository: HasName | str) -> bool:
        """Ask whether the team has access to a repository.

        ``GET /admin/teams/{organization}/{team}/repositories/{repository}``

        Parameters
        ----------
        repository : AsyncRepository or str
            The repository, or its name without that of the organization.

        Returns
        -------
        bool
        """
        return await self._run(self._sync.query_repository_access, repository)

    async def list_users(self) -> list[str]:
        """List the members.

        ``GET /admin/teams/{organization}/{team}/members``

        Returns
        -------
        list of str
            Their e-mail addresses, in the server's order.

        Raises
        ------
        NotFoundError
            There is no such team, or none that may be seen.
        """
        return await self._run(self._sync.list_users)

    async def add_user(self, user: HasEmail | str) -> None:
        """Make a user of the organization a member.

        ``PUT /admin/teams/{organization}/{team}/members/{email}``

        Parameters
        ----------
        user : AsyncUser or str
            The user, or their e-mail address.

        Raises
        ------
        NotFoundError
            There is no such team or user.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        await self._run(self._sync.add_user, user)

    async def remove_user(
        self, user: HasEmail | str, force: bool = False, *, missing_ok: bool = False
    ) -> None:
        """Take a member out of the team; the user stays in the organization.

        ``DELETE /admin/teams/{organization}/{team}/members/{email}``

        Parameters
        ----------
        user : AsyncUser or str
            The user, or their e-mail address.
        force : bool, default False
            Do so also where the server would rather not.
        missing_ok : bool, default False
            Be content when they are no member; the team and the user must exist.

        Raises
        ------
        NotFoundError
            There is no such team, or no such member.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        await self._run(self._sync.remove_user, user, force, missing_ok=missing_ok)

    async def query_user_access(self, user: HasEmail | str) -> bool:
        """Ask whether a user is a member.

        ``GET /admin/teams/{organization}/{team}/members/{email}``

        Parameters
        ----------
        user : AsyncUser or str
            The user, or their e-mail address.

        Returns
        -------
        bool
        """
        return await self._run(self._sync.query_user_access, user)


class AsyncUser(AsyncInOrganization):
    """A user of an organization; get one from `AsyncOrganization.user`.

    Examples
    --------
    >>> user = await organization.create_user('ada@example.com')
    >>> await user.delete()
    """

    __slots__ = ()

    _sync: User

    @property
    def email(self) -> str:
        """The e-mail address."""
        return self._sync.email

    @property
    def one_time_password(self) -> str | None:
        """The first password, where the server made one up when it created the user.

        Only what `AsyncOrganization.create_user` returned has it, and the server shows it
        this once only.
        """
        return self._sync.one_time_password

    async def metadata(self) -> UserMetadata:
        """Return what the server says of the user.

        ``GET /admin/users/{organization}/{email}``

        Returns
        -------
        UserMetadata
            A dict with ``email``, ``teams`` and more.

        Raises
        ------
        NotFoundError
            There is no such user, or none that may be seen.
        """
        return await self._run(self._sync.metadata)

    async def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
        """Delete the user from the organization.

        ``DELETE /admin/users/{organization}/{email}``

        Parameters
        ----------
        force : bool, default False
            Delete them also where the server would rather keep them.
        missing_ok : bool, default False
            Be content when the organization has no such user.

        Raises
        ------
        NotFoundError
            There is no such user, or none that may be seen.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        await self._run(self._sync.delete, force, missing_ok=missing_ok)


@public
class AsyncOrganization(AsyncSearchable, AsyncNamed):
    """An organization: it owns repositories, teams and users.

    Get one from the client; that sends nothing.

    Examples
    --------
    >>> organization = brood_client.organization('acme')
    >>> await organization.list_repositories()
    ['dev', 'prod']
    """

    __slots__ = ()

    _sync: Organization

    def repository(self, name: str) -> AsyncRepository:
        """Return a repository of the organization; sends nothing.

        Parameters
        ----------
        name : str
            The name of the repository, without that of the organization.

        Returns
        -------
        AsyncRepository

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return AsyncRepository._of(self._sync.repository(name), self._threads)

    async def list_repositories(self) -> list[str]:
        """List the organization's repositories.

        ``GET /admin/organizations/{organization}/repositories``

        Returns
        -------
        list of str
            Their names, without that of the organization, in the server's order.

        Raises
        ------
        NotFoundError, PermissionDeniedError
            There is no such organization, or it may not be seen.
        """
        return await self._run(self._sync.list_repositories)

    async def create_repository(
        self, name: str, description: str, *, public: bool | str = False, exist_ok: bool = False
    ) -> AsyncRepository:
        """Create a repository.

        ``POST /admin/organizations/{organization}/repositories``

        Parameters
        ----------
        name : str
        description : str
            What it is for, in a sentence.
        public : bool or {'read_index', 'read_repository'}, default False
            Let everybody read it, also without credentials: True or ``'read_repository'`` all
            of it, ``'read_index'`` its indices and metadata. The embedded server can do that;
            other servers may not.
        exist_ok : bool, default False
            Be content with one of that name that is as public; its description stays what it is.

        Returns
        -------
        AsyncRepository
            The repository.

        Raises
        ------
        HatcherException
            The server has created the repository, and has not made it public.
        ConflictError
            There is one of that name, or with `exist_ok` one that is not as public.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        return AsyncRepository._of(
            await self._run(
                self._sync.create_repository, name, description, public=public, exist_ok=exist_ok
            ),
            self._threads,
        )

    def team(self, team_name: str) -> AsyncTeam:
        """Return a team of the organization; sends nothing.

        Parameters
        ----------
        team_name : str

        Returns
        -------
        AsyncTeam

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return AsyncTeam._of(self._sync.team(team_name), self._threads)

    async def list_teams(self) -> list[TeamMetadata]:
        """List the organization's teams.

        ``GET /admin/organizations/{organization}/teams``

        Returns
        -------
        list of TeamMetadata
            ``{'name', 'group'}`` and more, in the server's order; the group is the
            access level of the team.

        Raises
        ------
        NotFoundError, PermissionDeniedError
            There is no such organization, or its teams may not be seen.
        """
        return await self._run(self._sync.list_teams)

    async def create_team(self, name: str, group_name: str, *, exist_ok: bool = False) -> AsyncTeam:
        """Create a team.

        ``POST /admin/organizations/{organization}/teams``

        Parameters
        ----------
        name : str
        group_name : str
            The access level that it gives its members to its repositories, such as
            ``read_index``, ``read_repository``, ``upload_repository`` or
            ``organization_administrator``.
        exist_ok : bool, default False
            Be content with a team of that name with the same access level.

        Returns
        -------
        AsyncTeam
            The team.

        Raises
        ------
        BadRequestError
            There is no such access level.
        ConflictError
            There is a team of that name, or with `exist_ok` one with another access level.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        return AsyncTeam._of(
            await self._run(self._sync.create_team, name, group_name, exist_ok=exist_ok),
            self._threads,
        )

    def user(self, user_email: str) -> AsyncUser:
        """Return a user of the organization; sends nothing.

        Parameters
        ----------
        user_email : str

        Returns
        -------
        AsyncUser

        Raises
        ------
        InvalidNameError
            The address is empty, ``.`` or ``..``.
        """
        return AsyncUser._of(self._sync.user(user_email), self._threads)

    async def create_user(
        self, email: str, teams: Iterable[HasName | str] | None = None, *, exist_ok: bool = False
    ) -> AsyncUser:
        """Create a user.

        ``POST /admin/organizations/{organization}/users``

        Parameters
        ----------
        email : str
        teams : iterable of AsyncTeam or str, optional
            The teams, or their names, that the user becomes a member of.
        exist_ok : bool, default False
            Be content with a user with that address, who is a member of these teams.

        Returns
        -------
        AsyncUser
            The user; its `one_time_password` is the first password, where the server made
            one up for a new one.

        Raises
        ------
        ConflictError
            There is a user with that address, or with `exist_ok` one who is not in these teams.
        NotFoundError
            There is no such team.
        PermissionDeniedError
            The caller is no administrator of the organization.
        """
        return AsyncUser._of(
            await self._run(self._sync.create_user, email, teams, exist_ok=exist_ok), self._threads
        )

    async def list_users(self) -> list[str]:
        """List the users of the organization, as far as they are in a team.

        ``GET /admin/organizations/{organization}/teams``, and
        ``GET /admin/teams/{organization}/{team}/members`` once for each team, 64 at a time:
        Brood lists users nowhere, so that those without a team do not show.

        Returns
        -------
        list of str
            Their e-mail addresses, sorted.

        Raises
        ------
        NotFoundError, PermissionDeniedError
            There is no such organization, or one of its teams may not be seen.
        """
        return await self._run(self._sync.list_users)

    async def metadata(self) -> NoReturn:
        """Brood says nothing of an organization but what it holds.

        Raises
        ------
        NotImplementedError
            Always, and without a request.
        """
        await self._run(self._sync.metadata)

    async def delete(self) -> NoReturn:
        """Brood cannot delete an organization.

        Raises
        ------
        NotImplementedError
            Always, and without a request.
        """
        await self._run(self._sync.delete)


@public
class AsyncBroodClient(ClientTwin, AsyncSearchable):
    """A Brood server, as somebody sees it.

    Make one with `from_url`; or of a client of the sync graph, ``AsyncBroodClient(client)``,
    which is closed with it. Nothing is sent until a method asks the server for something. A
    client belongs to the event loop that it is first used in, where many tasks may use it, and
    is best closed when it is done with: by ``async with``, or by `close`.

    Examples
    --------
    >>> async with AsyncBroodClient.from_url(url, auth=(email, password), api_version=1) as client:
    ...     await client.list_organizations()
    ['acme']
    """

    __slots__ = ()

    _sync: BroodClient

    @classmethod
    @discreet
    def from_url(
        cls,
        url: str,
        auth: AuthTypes | None = None,
        verify_ssl: bool | str | os.PathLike[str] = True,
        api_version: int | Literal["newest"] = 0,
        *,
        timeout: float | Timeouts | None = Timeouts(),
        retries: int | RetryPolicy = RetryPolicy(),
        cache: bool | str | os.PathLike[str] = True,
        headers: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        threads: int = THREADS,
    ) -> Self:
        """Make a client for a server. Nothing is sent.

        Parameters
        ----------
        url : str
            Where the server is, such as ``https://brood.example.com``. A bare host
            means https (http when it is this machine); a path prefix is kept.
        auth : tuple of (str, str), BroodBearerTokenAuth, BroodClientAuth, httpx.Auth or callable, optional
            Who is asking: ``(user name, password)``, an API token, or either
            exchanged for session tokens; or a callable that puts headers on each request,
            such as an auth object of requests. None sends no credentials: public repositories
            can be read without.
        verify_ssl : bool, str or path-like, default True
            True verifies the server's certificate against the usual authorities,
            a path against those in that PEM file or folder; False does not verify.
        api_version : {0, 1, 'newest'}, default 0
            The version of Brood's API. New scripts should say 1. Version 0, which scripts for
            the existing client expect, has no bundles and no newer runtimes. With 'newest', the
            first request is preceded by ``GET /metadata/platforms``, which finds out the newest
            version that the server speaks.
        timeout : float, Timeouts or None, optional
            Seconds to wait for the server: one number for everything, or `Timeouts`
            (by default 10 s to connect and 60 s for the rest). None waits for ever.
        retries : int or RetryPolicy, optional
            How often a request that is safe to repeat is sent again when it fails
            in passing; by default 3 times, after growing pauses.
        cache : bool, str or path-like, default True
            Where indices are kept, so that one that has not changed is not sent again:
            True for the folder that the environment variable ``HATCHER_CACHE_DIR`` names,
            or the user's own; a path for that folder; False to keep none.
        headers : mapping of str to str, optional
            Headers that go with every request to the server itself, and to no other that it
            redirects to. Those that hatcher sets itself, such as Authorization, cannot be given.
        on_request : callable, optional
            Called with a `RequestEvent` before each request is sent: each try, each step of a
            redirect, each exchange of credentials. What it puts into ``headers`` is sent; what it
            raises ends the call, and leaves it as it is. It is a plain function, and is called from
            the worker threads that send, from several at once.
        on_response : callable, optional
            Called likewise with a `ResponseEvent` when the head of the answer is there, or when
            it is clear that none comes.
        threads : int, default 64
            Calls of this client that run at the same time, each in a thread; further ones wait. The
            threads are its own: those of ``asyncio.to_thread`` and ``anyio.to_thread`` stay free.

        Returns
        -------
        AsyncBroodClient

        Raises
        ------
        InvalidURLError
            The URL is not that of a server.
        UnsupportedAPIVersionError
            There is no such version.
        InvalidArgumentError
            Another argument cannot be used.
        """
        return cls(
            BroodClient.from_url(
                url,
                auth,
                verify_ssl,
                api_version,
                timeout=timeout,
                retries=retries,
                cache=cache,
                headers=headers,
                on_request=on_request,
                on_response=on_response,
            ),
            threads=threads,
        )

    @classmethod
    @discreet
    def from_session(
        cls,
        url: str,
        session: httpx.Client,
        api_version: int | Literal["newest"] = 0,
        *,
        timeout: float | Timeouts | EllipsisType | None = ...,
        retries: int | RetryPolicy = RetryPolicy(),
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        threads: int = THREADS,
    ) -> Self:
        """Make a client that sends through an httpx client of your own.

        Its authentication, TLS, headers, proxies and transport are used as they
        are, and it stays yours to close. Nothing is sent, and nothing of it is changed.

        Parameters
        ----------
        url : str
            Where the server is.
        session : httpx.Client
        api_version : {0, 1, 'newest'}, default 0
            The version of Brood's API, as for `from_url`.
        timeout : float, Timeouts or None, optional
            As for `from_url`, for the requests of this client; by default the timeouts
            of `session`.
        retries, on_request, on_response
            As for `from_url`.
        threads : int, default 64
            Calls of this client that run at the same time, each in a thread; further ones wait. The
            threads are its own: those of ``asyncio.to_thread`` and ``anyio.to_thread`` stay free.

        Returns
        -------
        AsyncBroodClient

        Raises
        ------
        InvalidURLError, UnsupportedAPIVersionError
            As for `from_url`.
        InvalidArgumentError
            `session` is no httpx client.
        """
        return cls(
            BroodClient.from_session(
                url,
                session,
                api_version,
                timeout=timeout,
                retries=retries,
                on_request=on_request,
                on_response=on_response,
            ),
            threads=threads,
        )

    @property
    def url(self) -> str:
        """The URL of the server, without credentials."""
        return self._sync.url

    @property
    def raw(self) -> Client:
        """The generated client for this server, to call endpoint functions directly.

        It has this client's host, authentication, TLS and timeouts, and is closed
        with it. Errors are the generated client's own, and nothing is retried. Its
        copies (``with_headers`` and the like) do not have the authentication.

        After `from_session` it sends through that same httpx client, which stays yours
        to close; so do not enter the raw client with ``with``. Its async functions need
        an ``httpx.AsyncClient`` of yours: ``brood_client.raw.set_async_httpx_client``.

        Returns
        -------
        brood_api.Client

        Raises
        ------
        HatcherException
            The client was made with `from_session` and then `with_auth`, so that its
            httpx client sends other credentials.

        Examples
        --------
        >>> from brood_api.api.platforms import v1_list_platforms
        >>> v1_list_platforms.sync(client=brood_client.raw).platforms
        ['osx-x86_64', 'rh8-x86_64', 'win-x86_64']
        """
        return self._sync.raw

    @discreet
    def with_auth(self, auth: AuthTypes | None) -> Self:
        """Return a client for the same server with other credentials. Nothing is sent.

        Parameters
        ----------
        auth : tuple of (str, str), BroodBearerTokenAuth, BroodClientAuth, httpx.Auth, callable or None
            As for `from_url`.

        Returns
        -------
        AsyncBroodClient
        """
        return self._of(self._sync.with_auth(auth), self._threads)

    def organization(self, name: str) -> AsyncOrganization:
        """Return an organization; sends nothing.

        Parameters
        ----------
        name : str

        Returns
        -------
        AsyncOrganization

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        return AsyncOrganization._of(self._sync.organization(name), self._threads)

    def at(self, path: str) -> AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository:
        """Return the place at a path; sends nothing.

        Parameters
        ----------
        path : str
            ``organization``, ``organization/repository`` or
            ``organization/repository/platform``.

        Returns
        -------
        AsyncOrganization, AsyncRepository or AsyncSinglePlatformRepository

        Raises
        ------
        InvalidNameError
            The path has more than three parts, or a part is empty, ``.`` or ``..``.

        Examples
        --------
        >>> await brood_client.at('acme/dev/rh8-x86_64').list_eggs('cp311')
        """
        return cast(
            "AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository",
            twin_of(self._sync.at(path), self._threads),
        )

    def repository(self, path: str) -> AsyncRepository:
        """Return the repository at a path; sends nothing.

        Parameters
        ----------
        path : str
            ``organization/repository``.

        Returns
        -------
        AsyncRepository

        Raises
        ------
        InvalidNameError
            The path has not two parts, or one of them is empty, ``.`` or ``..``.

        Examples
        --------
        >>> await brood_client.repository('acme/dev').metadata()
        """
        return AsyncRepository._of(self._sync.repository(path), self._threads)

    def platform(self, path: str) -> AsyncSinglePlatformRepository:
        """Return one platform of a repository at a path; sends nothing.

        Parameters
        ----------
        path : str
            ``organization/repository/platform``.

        Returns
        -------
        AsyncSinglePlatformRepository

        Raises
        ------
        InvalidNameError
            The path has not three parts, or one of them is empty, ``.`` or ``..``.

        Examples
        --------
        >>> await brood_client.platform('acme/dev/rh8-x86_64').list_eggs('cp311')
        """
        return AsyncSinglePlatformRepository._of(self._sync.platform(path), self._threads)

    async def list_organizations(self) -> list[str]:
        """List the organizations that the caller may see.

        ``GET /admin/organizations``

        Returns
        -------
        list of str
            Their names, sorted.
        """
        return await self._run(self._sync.list_organizations)

    async def create_organization(
        self, name: str, description: str, *, exist_ok: bool = False
    ) -> AsyncOrganization:
        """Create an organization.

        ``POST /admin/organizations``

        Parameters
        ----------
        name : str
        description : str
            What it is, in a sentence.
        exist_ok : bool, default False
            Be content with one of that name; its description, which the server does not tell,
            stays what it is.

        Returns
        -------
        AsyncOrganization
            The organization.

        Raises
        ------
        ConflictError
            There is one of that name.
        PermissionDeniedError
            The caller is no administrator of the server.
        """
        return AsyncOrganization._of(
            await self._run(self._sync.create_organization, name, description, exist_ok=exist_ok),
            self._threads,
        )

    async def list_platforms(self) -> list[str]:
        """List the platforms that the server knows.

        ``GET /metadata/platforms``

        Returns
        -------
        list of str
            Their names, in the server's order.
        """
        return await self._run(self._sync.list_platforms)

    async def list_python_tags(self, list_all: bool = False) -> list[str]:
        """List the PEP 425 python tags that the server knows.

        ``GET /metadata/python-tags`` or ``GET /metadata/python-tags/all``

        Parameters
        ----------
        list_all : bool, default False
            Also those that are no tag of one implementation, such as ``py3``.

        Returns
        -------
        list of str
            The tags, in the server's order.
        """
        return await self._run(self._sync.list_python_tags, list_all)

    async def list_available_repositories(self, include_indexable: bool = False) -> list[str]:
        """List the repositories that the caller may use, in all organizations.

        ``GET /metadata/user/repositories``

        Parameters
        ----------
        include_indexable : bool, default False
            Also those of which only the index may be read.

        Returns
        -------
        list of str
            Their names, such as ``acme/dev``, in the server's order.
        """
        return await self._run(self._sync.list_available_repositories, include_indexable)

    async def whoami(self) -> WhoAmI:
        """Ask the server whether it accepts the credentials, and what they open.

        ``GET /metadata/user/repositories``

        It is small, and so a good first request: before an upload of gigabytes, or
        to see that a token still works.

        Returns
        -------
        WhoAmI
            ``{'server', 'api_version', 'authentication', 'user', 'repositories'}``. The
            user is None when there is but a token, which does not say whose it is.

        Raises
        ------
        AuthenticationError
            The server does not accept the credentials.
        """
        return await self._run(self._sync.whoami)

    async def list_api_tokens(self) -> list[APIToken]:
        """List the caller's API tokens, without their secrets.

        ``GET /auth/tokens/api``

        Returns
        -------
        list of APIToken
            ``{'name', 'created', 'last_used'}``; dates in ISO 8601, UTC.
        """
        return await self._run(self._sync.list_api_tokens)

    async def create_api_token(self, name: str) -> NewAPIToken:
        """Create an API token for the caller.

        ``POST /auth/tokens/api``

        Parameters
        ----------
        name : str
            What to call it; it cannot be the name of another one.

        Returns
        -------
        NewAPIToken
            ``{'name', 'token'}``. The token is shown this once only.

        Raises
        ------
        ConflictError
            There is one of that name.
        """
        return await self._run(self._sync.create_api_token, name)

    async def delete_api_token(self, name: str, *, missing_ok: bool = False) -> None:
        """Delete one of the caller's API tokens. It stops working at once.

        ``DELETE /auth/tokens/api/{name}``

        Parameters
        ----------
        name : str
        missing_ok : bool, default False
            Be content when there is none of that name.

        Raises
        ------
        NotFoundError
            There is none of that name.
        """
        await self._run(self._sync.delete_api_token, name, missing_ok=missing_ok)
