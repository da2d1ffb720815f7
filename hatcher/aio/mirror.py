"""Whole repositories, awaited: what `hatcher.mirror` has.

Made by scripts/make_async.py; never edited by hand.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import hatcher.mirror as sync
from hatcher.aio.threads import Threads
from hatcher.aio.twin import Twin, near
from hatcher.mirror import (
    BundleCheck,
    BundleEntry,
    CacheReport,
    Change,
    Diff,
    Difference,
    Entry,
    Finding,
    Folder,
    Manifest,
    MirrorReport,
    Problem,
    Share,
    Step,
    Usage,
    Verification,
)
from hatcher.mirror.cache import LIMIT, Cache
from hatcher.mirror.plans import Plan
from hatcher.mirror.pruning import Pruning
from hatcher.transfer.batch import AT_ONCE

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterable, Mapping
    from datetime import timedelta
    from pathlib import Path

    from hatcher.aio.graph import (
        AsyncApp,
        AsyncBroodClient,
        AsyncBundle,
        AsyncEgg,
        AsyncOrganization,
        AsyncRepository,
        AsyncRuntime,
        AsyncSinglePlatformRepository,
    )
    from hatcher.aio.threads import AsyncProgress
    from hatcher.core.brood_client import BroodClient
    from hatcher.core.repository import Repository
    from hatcher.mirror.bundles import AnyBundle, Where
    from hatcher.mirror.listing import SideLike
    from hatcher.mirror.reading import Artefact as Promotable
    from hatcher.mirror.records import Action
    from hatcher.mirror.selection import Selection
    from hatcher.mirror.server import Place
    from hatcher.mirror.usage import By
    from hatcher.transfer.progress import Progress


class AsyncCache(Twin):
    """Artefacts by their sha256, in a folder of their own; making one touches no file.

    Several may share a folder, in several processes, too.

    Parameters
    ----------
    folder : str or path-like, optional
        Is made when it is needed; the artefacts are in ``artefacts`` below it. By default it is
        the one that the environment variable ``HATCHER_CACHE_DIR`` names, or the user's own.
        Where the variable is empty, nothing is kept.
    limit : int, optional
        Bytes that all artefacts may take, 10 GiB by default; those that were used longest ago go
        first. With several processes it may be passed by a sixteenth for each of them. An
        artefact above the limit is not kept, nor one that would nearly fill the disk.

    Raises
    ------
    InvalidArgumentError
        The limit is no number of bytes.

    Notes
    -----
    `get`, `lend`, `copy` and `add` never fail because of the cache: what is wrong with it is
    said once, as a warning of the logger ``hatcher``.

    Examples
    --------
    >>> cache = mirror.AsyncCache()
    >>> (await (await mirror.plan(source, target)).apply(cache=cache)).raise_for_failures()
    >>> print(await cache.usage())
    1,204 artefacts of 5,403,211,009 bytes
    """

    __slots__ = ()

    _sync: Cache

    def __init__(self, folder: str | os.PathLike[str] | None = None, limit: int = LIMIT) -> None:
        self._set(Cache(folder, limit), Threads())

    @property
    def folder(self) -> Path | None:
        """Where the artefacts are; None when nothing is kept."""
        return self._sync.folder

    @property
    def limit(self) -> int:
        """The bytes that all artefacts may take."""
        return self._sync.limit

    async def get(
        self, sha256: str, *, progress: Progress | AsyncProgress | None = None
    ) -> Path | None:
        """Return the file of an artefact, hashed just now.

        Another process may remove it a moment later: `lend` keeps it from that.

        Parameters
        ----------
        sha256 : str
            In hexadecimal.
        progress : Progress or AsyncProgress, optional
            Told how far the hashing has come, in bytes.

        Returns
        -------
        pathlib.Path or None
            A file that must not be changed; None when the cache has none.
        """
        return await self._run(self._sync.get, sha256, progress=progress)

    @asynccontextmanager
    async def lend(
        self, sha256: str, *, progress: Progress | AsyncProgress | None = None
    ) -> AsyncIterator[Path | None]:
        """Do as `get`, and let nobody make room of it while the block lasts.

        Parameters
        ----------
        sha256, progress
            As for `get`.

        Yields
        ------
        pathlib.Path or None
            As `get` returns.
        """
        async with self._within(self._sync.lend, sha256, progress=progress) as value:
            yield value

    async def copy(
        self,
        sha256: str,
        target: str | os.PathLike[str],
        *,
        progress: Progress | AsyncProgress | None = None,
    ) -> bool:
        """Copy an artefact to a path: whole, with the right sha256, or not at all.

        Parameters
        ----------
        sha256 : str
            In hexadecimal.
        target : str or path-like
            What the copy will be called; a file that is there is replaced.
        progress : Progress or AsyncProgress, optional
            Told how far it has come, in bytes, in the phase ``downloading``.

        Returns
        -------
        bool
            Whether there is a copy now: whether the cache had the artefact.

        Raises
        ------
        InvalidDestinationError
            The copy cannot be written.
        """
        return await self._run(self._sync.copy, sha256, target, progress=progress)

    async def add(
        self, path: str | os.PathLike[str], sha256: str, *, own: bool = False
    ) -> Path | None:
        """Keep an artefact.

        Parameters
        ----------
        path : str or path-like
            Its file, which is copied.
        sha256 : str
            In hexadecimal. What has another one is not kept.
        own : bool, default False
            The file is the caller's own, has just been verified, and will not be changed but
            removed: it is not copied where a second name is enough, and made read-only.

        Returns
        -------
        pathlib.Path or None
            The file in the cache, which another process may remove; None when it was not kept.
        """
        return await self._run(self._sync.add, path, sha256, own=own)

    async def usage(self) -> CacheReport:
        """Return how much is in it.

        Returns
        -------
        CacheReport

        Raises
        ------
        HatcherException
            The folder cannot be read.
        """
        return await self._run(self._sync.usage)

    async def verify(
        self, *, progress: Progress | AsyncProgress | None = None, dry_run: bool = False
    ) -> CacheReport:
        """Hash everything anew, and remove what is damaged.

        Parameters
        ----------
        progress : Progress or AsyncProgress, optional
            Told how far it has come, in bytes.
        dry_run : bool, default False
            Remove nothing, and say what is damaged.

        Returns
        -------
        CacheReport
            True when nothing was damaged.

        Raises
        ------
        HatcherException
            The folder cannot be read, or what is damaged cannot be removed.
        """
        return await self._run(self._sync.verify, progress=progress, dry_run=dry_run)

    async def prune(self, limit: int | None = None, *, dry_run: bool = False) -> CacheReport:
        """Remove what was used longest ago, until the rest is within a limit.

        Parameters
        ----------
        limit : int, optional
            In bytes; by default that of the cache.
        dry_run : bool, default False
            Remove nothing, and say what would be removed.

        Returns
        -------
        CacheReport
            With `dry_run`, as if it had been removed.

        Raises
        ------
        InvalidArgumentError
            The limit is no number of bytes.
        HatcherException
            The folder cannot be read, or a file cannot be removed.
        """
        return await self._run(self._sync.prune, limit, dry_run=dry_run)

    async def clear(self, *, dry_run: bool = False) -> CacheReport:
        """Remove everything, but for what is being used at this moment.

        Parameters
        ----------
        dry_run : bool, default False
            Remove nothing, and say what would be removed.

        Returns
        -------
        CacheReport
            With `dry_run`, as if it had been removed.

        Raises
        ------
        HatcherException
            The folder cannot be read, or a file cannot be removed.
        """
        return await self._run(self._sync.clear, dry_run=dry_run)


class AsyncPlan(Twin):
    """What is to be done, so that a target has what a source has; pure data.

    True when there is anything to do, or to look into.

    Attributes
    ----------
    source, target : str
        For people.
    steps : tuple of Step
        One for each artefact that is asked for, sorted by path.
    problems : tuple of Problem
        What could not be read, at either side, and what stands in the way. When it is something of
        the source that could not be read, nothing is to be deleted.
    selection : Selection
        What was asked for: ``kinds``, ``platforms``, ``python_tags``, ``names``.
    prune : bool
        Whether the target is to lose what the source lacks.
    max_deletes : int
        The most that may be deleted; when there is more of it, nothing is.
    """

    __slots__ = ()

    _sync: Plan

    @property
    def source(self) -> str:
        """For people."""
        return self._sync.source

    @property
    def target(self) -> str:
        """For people."""
        return self._sync.target

    @property
    def steps(self) -> tuple[Step, ...]:
        """One for each artefact that is asked for, sorted by path."""
        return self._sync.steps

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read, at either side, and what stands in the way.

        When it is something of the source that could not be read, nothing is to be deleted.
        """
        return self._sync.problems

    @property
    def selection(self) -> Selection:
        """What was asked for: ``kinds``, ``platforms``, ``python_tags``, ``names``."""
        return self._sync.selection

    @property
    def prune(self) -> bool:
        """Whether the target is to lose what the source lacks."""
        return self._sync.prune

    @property
    def max_deletes(self) -> int:
        """The most that may be deleted; when there is more of it, nothing is."""
        return self._sync.max_deletes

    def those(self, action: Action) -> tuple[Step, ...]:
        """Return the steps of one kind.

        Parameters
        ----------
        action : {'copy', 'update', 'delete', 'conflict', 'skip'}

        Returns
        -------
        tuple of Step
        """
        return self._sync.those(action)

    @property
    def bytes(self) -> int:
        """The bytes of all that moves, as far as they are known (`int`)."""
        return self._sync.bytes

    async def apply(
        self,
        *,
        progress: Progress | AsyncProgress | None = None,
        concurrency: int | None = None,
        cache: Cache | AsyncCache | None = None,
        create_missing: bool = False,
        dry_run: bool = False,
        journal: str | os.PathLike[str] | bool | None = None,
    ) -> MirrorReport:
        """Do what the plan says, as far as it still holds.

        Both sides are read again, as by `plan`. What the target has got meanwhile is not sent;
        what the source has newer goes as it is now; what the target has otherwise than the plan
        says is neither replaced nor deleted, and fails. To a server the eggs go disabled, and one
        ``POST /data/{organization}/{repository}/{platform}/eggs/re-index`` for each platform shows
        them together; those that replace a visible one go after all others, and are shown at once.
        Then bundles and apps go, and at the end comes what is to be deleted; not on a platform
        where something has failed. From a server to a server each file goes through one temporary
        file; what is wanted at several places is fetched once.

        Parameters
        ----------
        progress : Progress or AsyncProgress, optional
            Is told of the bytes.
        concurrency : int, optional
            How many files to move at once at most, 64 by default. From a server to a server, when
            it is more than 1, as many go out while these come in.
        cache : AsyncCache, optional
            Has what moves taken from there, and put there.
        create_missing : bool, default False
            Create repositories that are missing on the target's server. Organizations are not
            created.
        dry_run : bool, default False
            Write nothing, and say of each artefact what would become of it.
        journal : str, path-like or bool, optional
            Has no effect: the server is asked what it has from a call that was interrupted.

        Returns
        -------
        MirrorReport
            What became of each artefact that there was anything to do about, by its path below
            the place; and which places could not be read or written at all.

        Raises
        ------
        InvalidArgumentError
            An argument cannot be used, nothing can be written to the target, or the plan was read
            from a document without its source and target.
        HatcherException
            The source or target could not be read at all, or the target's organization is missing.

        Notes
        -----
        Cancelling the task, as Ctrl-C does, ends the call. The same call, or a new plan, goes on
        where it was.

        Examples
        --------
        >>> plan = await mirror.plan(source, target, prune=True)
        >>> (await plan.apply(create_missing=True)).raise_for_failures()
        """
        return await self._run(
            self._sync.apply,
            progress=progress,
            concurrency=concurrency,
            cache=cache,
            create_missing=create_missing,
            dry_run=dry_run,
            journal=journal,
        )

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            ``format``, ``version``, ``source``, ``target``, ``selection``, ``prune``,
            ``max_deletes``, ``bytes``, ``steps`` (each with ``action``, ``path``, ``size``,
            ``sha256``, ``replaces`` and ``reason``) and ``problems`` (each with ``place`` and
            ``error``).
        """
        return self._sync.document()

    @classmethod
    async def from_document(
        cls,
        document: Mapping[str, Any],
        source: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
        target: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    ) -> Self:
        """Return a plan that was kept, to apply it.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        source, target
            The ends, as for `plan`; they must be those that the plan was made of.

        Returns
        -------
        AsyncPlan

        Raises
        ------
        InvalidArgumentError
            It is no plan, is of another version, or of other ends.
        """
        twin = near(source, target)
        return cls._of(await twin._run(Plan.from_document, document, source, target), twin._threads)


class AsyncPruning(AsyncPlan):
    """A plan that deletes old versions of eggs; `prune` makes it.

    Its steps are ``delete``, or ``skip`` with the reason why the egg stays. All else is as of an
    `AsyncPlan`.
    """

    __slots__ = ()

    _sync: Pruning

    @property
    def of_unknown_age(self) -> tuple[Step, ...]:
        """The eggs that stay because the server does not say how old they are (`Step`)."""
        return self._sync.of_unknown_age

    def document(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold.

        Returns
        -------
        dict
            As of an `AsyncPlan`, and ``pruning``: ``keep``, ``older_than`` in seconds, and
            ``except_referenced``.
        """
        return self._sync.document()

    @classmethod
    async def read(
        cls,
        document: Mapping[str, Any],
        place: Place | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    ) -> Self:
        """Return a plan that was kept, to apply it.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        place : AsyncOrganization, AsyncRepository or AsyncSinglePlatformRepository
            The place that it was made of.

        Returns
        -------
        AsyncPruning

        Raises
        ------
        InvalidArgumentError
            It is no such plan, is of another version, or of another place.
        """
        twin = near(place)
        return cls._of(await twin._run(Pruning.read, document, place), twin._threads)


async def check_bundle(
    bundle: AnyBundle | AsyncBundle,
    place: Where | AsyncRepository | AsyncSinglePlatformRepository | AsyncBroodClient | None = None,
    *,
    concurrency: int | None = None,
) -> BundleCheck:
    """Look whether everything that a bundle names is there; API version 1 only.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` and
    ``GET /indices/{organization}/{repository}/{platform}/runtimes``, each once, and
    ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``
    for eggs that the index does not show

    What counts is the sha256; where the bundle names none, name and version do.

    Parameters
    ----------
    bundle : AsyncBundle, str, path-like or mapping
        One of a server, a file, or a document.
    place : AsyncRepository, AsyncSinglePlatformRepository or AsyncBroodClient, optional
        Where to look: in this repository, whatever the bundle names, to find out whether the
        bundle could go there; or on this server, in the repositories that the bundle names, and
        where it names none in its own. By default on the bundle's own server.
    concurrency : int, optional
        How many questions at once at most, 64 by default.

    Returns
    -------
    BundleCheck

    Raises
    ------
    InvalidBundle
        What the bundle names cannot be understood; or there is no such file.
    InvalidArgumentError
        A file or document was given, and no place.
    NotFoundError
        There is no such bundle or repository, or it may not be seen. Where the bundle names the
        repositories, it is a problem in what is returned.
    HatcherException
        The server could not be asked.

    Examples
    --------
    >>> check = await mirror.check_bundle(bundle, client.at('acme/prod'))
    >>> print(check)
    acme/dev/rh8-x86_64/bundles/cp38/tools/1.0.0-1: 3 artefacts: 2 present, 1 missing
    missing: egg numpy 1.26.4-1 in acme/prod
    """
    twin = near(bundle, place)
    return await twin._run(sync.check_bundle, bundle, place, concurrency=concurrency)


async def diff(
    a: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    b: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
) -> Diff:
    """Say how two places, folders, archives or manifests differ, by SHA-256; changes nothing.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of each server, and likewise for runtimes, apps and bundles. What an
    index says no hash of, as for apps and bundles, is asked for one by one; the files of a folder
    are read.

    What could not be read is told among the problems, and never counts as added or removed. Eggs
    that are disabled stand in no index, and so are taken for missing.

    Parameters
    ----------
    a, b : AsyncOrganization, AsyncRepository, AsyncSinglePlatformRepository, Folder, Manifest, str or path-like
        Two places of the same kind, on one server or on two, in folders, archives or manifests.
        A path is that of the folder of an export, of an archive, or of a manifest (``.json``). A
        folder without a place is that of the other side; two of them are compared as a whole.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    concurrency : int, optional
        How many questions or files at once at most, 64 by default.
    progress : Progress or AsyncProgress, optional
        Is told of the bytes that are hashed.

    Returns
    -------
    Diff

    Raises
    ------
    InvalidArgumentError
        The two cannot be compared, or another argument cannot be used.
    ArtefactError
        A file is neither an archive nor a manifest.
    HatcherException
        There is no such place, or one could not be read at all.

    Examples
    --------
    >>> print(await mirror.diff(dev, prod))
    1 added, 1 removed, 40 the same
    rh8-x86_64/eggs/cp311 numpy: added 1.26.4-1; removed 1.26.3-1
    """
    twin = near(a, b)
    return await twin._run(
        sync.diff,
        a,
        b,
        kinds=kinds,
        platforms=platforms,
        python_tags=python_tags,
        names=names,
        concurrency=concurrency,
        progress=progress,
    )


async def export(
    client: BroodClient | AsyncBroodClient,
    target: str | os.PathLike[str],
    *,
    kinds: Iterable[str] | None = None,
    repositories: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
    dry_run: bool = False,
) -> MirrorReport:
    """Download whole repositories into a folder.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, ``GET /indices/{organization}/{repository}/{platform}/runtimes`` once
    for each platform, and a download for each file that is not there yet

    The files are laid out as the existing client does:
    ``v1/acme/dev/rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``, and ``None`` for the python tag of eggs
    that have none. An egg that several indices show is one file. Each file is verified by its
    sha256, and stands under its name only when it is whole; those that are there already, with
    the right sha256, are not downloaded again. When one fails, the others go on. Files that are in
    the folder, and not on the server, are left alone.

    Eggs that are disabled stand in no index, and so are not exported.

    Parameters
    ----------
    client : AsyncBroodClient
    target : str or path-like
        The folder; made when it is missing.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default eggs and, with API version 1, runtimes. Of apps, which Brood has no way to
        download, the document is written that their metadata hold, where they do.
    repositories : iterable of str, optional
        Such as ``acme/dev``; by default all that you may see.
    platforms, python_tags : iterable of str, optional
        By default all that the server knows.
    names : iterable of str, optional
        Names of eggs and bundles, implementations of runtimes, ids of apps, or shell patterns
        of these such as ``numpy*``; capital letters do not count. By default all.
    concurrency : int, optional
        How many files to receive at once at most, 64 by default.
    progress : Progress or AsyncProgress, optional
        Is told of the bytes of each repository.
    dry_run : bool, default False
        Receive and write nothing, and say of each file whether it would be received.

    Returns
    -------
    MirrorReport
        What became of each file, and which places could not be read.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used; nothing was received.
    HatcherException
        The server could not be read at all.

    Notes
    -----
    Cancelling the task, as Ctrl-C does, ends the call. The same call goes on where it was.

    Examples
    --------
    >>> report = await mirror.export(client, 'backup', repositories=['acme/dev'])
    >>> print(report)
    12 files: 2 downloaded, 10 already there
    >>> report.raise_for_failures()
    """
    twin = near(client)
    return await twin._run(
        sync.export,
        client,
        target,
        kinds=kinds,
        repositories=repositories,
        platforms=platforms,
        python_tags=python_tags,
        names=names,
        concurrency=concurrency,
        progress=progress,
        dry_run=dry_run,
    )


async def fetch_bundle(
    bundle: AnyBundle | AsyncBundle,
    directory: str | os.PathLike[str],
    place: Where | AsyncRepository | AsyncSinglePlatformRepository | AsyncBroodClient | None = None,
    *,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
    dry_run: bool = False,
    cache: Cache | AsyncCache | None = None,
) -> MirrorReport:
    """Download a bundle with all that belongs to it: its runtime and eggs; API version 1 only.

    The requests of `check_bundle`, and a download for each file that is not there yet

    The files are laid out as by `export`, below the repositories that they are from, so that
    `import_` takes them. Each is verified by the sha256 that the bundle names, and stands under its
    name only when it is whole. When one fails, or cannot be found, the others go on.

    Parameters
    ----------
    bundle : AsyncBundle, str or path-like
        One of a server, or a file.
    directory : str or path-like
        The folder; made when it is missing.
    place : AsyncRepository, AsyncSinglePlatformRepository or AsyncBroodClient, optional
        Where to get it all from: as for `check_bundle`.
    concurrency : int, optional
        How many files to receive at once at most, 64 by default.
    progress : Progress or AsyncProgress, optional
        Is told of the bytes.
    dry_run : bool, default False
        Receive and write nothing, and say of each file whether it would be received.
    cache : AsyncCache, optional
        Where to look first, and what keeps what is received.

    Returns
    -------
    MirrorReport
        What became of each file.

    Raises
    ------
    InvalidDestinationError
        The folder cannot be made or written to.
    InvalidBundle, InvalidArgumentError, NotFoundError
        As for `check_bundle`; nothing was received.
    HatcherException
        The server could not be asked.

    Notes
    -----
    Cancelling the task, as Ctrl-C does, ends the call. The same call goes on where it was.

    Examples
    --------
    >>> bundle = platform.bundle('cp38', 'tools', '1.0.0-1')
    >>> (await mirror.fetch_bundle(bundle, 'tools')).raise_for_failures()
    """
    twin = near(bundle, place, cache)
    return await twin._run(
        sync.fetch_bundle,
        bundle,
        directory,
        place,
        concurrency=concurrency,
        progress=progress,
        dry_run=dry_run,
        cache=cache,
    )


async def import_(
    client: BroodClient | AsyncBroodClient,
    root: str | os.PathLike[str],
    *,
    kinds: Iterable[str] | None = None,
    repositories: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    overwrite: bool = False,
    create_missing: bool = False,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
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
    client : AsyncBroodClient
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
    progress : Progress or AsyncProgress, optional
        Is told of the bytes of each platform and kind.
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
    Cancelling the task, as Ctrl-C does, ends the call. The same call goes on where it was.

    Examples
    --------
    >>> report = await mirror.import_(client, 'backup', create_missing=True)
    >>> report.raise_for_failures()
    """
    twin = near(client)
    return await twin._run(
        sync.import_,
        client,
        root,
        kinds=kinds,
        repositories=repositories,
        platforms=platforms,
        overwrite=overwrite,
        create_missing=create_missing,
        concurrency=concurrency,
        progress=progress,
        dry_run=dry_run,
    )


async def manifest(
    end: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
) -> Manifest:
    """Write down what a side has: each artefact with its sha256.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of a server, and likewise for runtimes, apps and bundles; what an index
    says no hash of, as of apps and bundles, is asked for one by one. Of a folder, every file is
    read.

    A manifest can be carried to where the side cannot be reached, and stand there for it: as the
    target of a `plan`, as what a `pack` is to be made for, or as the source of a `verify`.

    Parameters
    ----------
    end : AsyncOrganization, AsyncRepository, AsyncSinglePlatformRepository, Folder, str or path-like
        A place on a server, the folder of an export, or an archive.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    concurrency : int, optional
        How many questions or files at once at most, 64 by default.
    progress : Progress or AsyncProgress, optional
        Is told of the bytes that are hashed.

    Returns
    -------
    Manifest
        What could not be read is among its problems.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used.
    HatcherException
        The side could not be read at all.

    Examples
    --------
    >>> (await mirror.manifest(repository)).write('state.json')
    >>> await mirror.read_manifest('state.json') == await mirror.manifest(repository)
    True
    """
    twin = near(end)
    return await twin._run(
        sync.manifest,
        end,
        kinds=kinds,
        platforms=platforms,
        python_tags=python_tags,
        names=names,
        concurrency=concurrency,
        progress=progress,
    )


async def pack(
    source: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    archive: str | os.PathLike[str],
    *,
    lacking: SideLike
    | AsyncOrganization
    | AsyncRepository
    | AsyncSinglePlatformRepository
    | None = None,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    max_size: int | None = None,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
    dry_run: bool = False,
) -> MirrorReport:
    """Pack what another side lacks into one file, for where no network leads.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, likewise for runtimes, apps and bundles, and a download for each
    artefact that is packed

    The file is a ZIP with the manifest of all that the source has, and with the artefacts that the
    other side lacks, or has with other content. On the other side it is the source of a `plan`,
    which knows by the manifest what is to be deleted too; and `verify` compares with it. Unpacked
    by hand it is a folder as `export` writes it.

    It appears under its name only when it is complete. The same content gives the same bytes.

    Parameters
    ----------
    source : AsyncOrganization, AsyncRepository, AsyncSinglePlatformRepository, Folder, str or path-like
        A place on a server, or the folder of an export.
    archive : str or path-like
        The file; it is replaced when it is there.
    lacking : Manifest or as `source`, optional
        The side that it is for. Where that cannot be reached, its `manifest`, or that of the
        archive that was packed last. By default it has nothing.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    max_size : int, optional
        Bytes that the file may have, such as those of a disc. If it would be larger, nothing
        is packed.
    concurrency : int, optional
        How many files to receive at once at most, 64 by default.
    progress : Progress or AsyncProgress, optional
        Is told of the bytes that are downloaded, and then, in the phase ``hashing``, of those
        that are packed.
    dry_run : bool, default False
        Receive and write nothing, and say of each artefact whether it would be packed.

    Returns
    -------
    MirrorReport
        What became of each artefact: ``packed``, or ``already there`` on the other side. When one
        failed there is no archive.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used, or the archive would be larger than `max_size`.
    NoSpaceError
        There is no room for it; nothing was received.
    HatcherException
        The source could not be read at all, or the archive not be written.

    Notes
    -----
    What is downloaded is kept in a folder beside the archive until the archive is complete, so
    that there must be room for twice its size. Cancelling the task, as Ctrl-C does, ends the
    call; the same call goes on with what is in that folder.

    Examples
    --------
    >>> there = await mirror.read_manifest('state-of-the-other-side.json')
    >>> report = await mirror.pack(repository, 'delta.zip', lacking=there)
    >>> print(report)
    120 files: 3 packed, 117 already there
    """
    twin = near(source, lacking)
    return await twin._run(
        sync.pack,
        source,
        archive,
        lacking=lacking,
        kinds=kinds,
        platforms=platforms,
        python_tags=python_tags,
        names=names,
        max_size=max_size,
        concurrency=concurrency,
        progress=progress,
        dry_run=dry_run,
    )


async def plan(
    source: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    target: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    prune: bool = False,
    max_deletes: int | None = None,
    concurrency: int | None = None,
) -> AsyncPlan:
    """Compare two places, and say what has to be done; changes nothing.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of each server, and likewise for runtimes, apps and bundles. What an
    index says no hash of, as for apps and bundles, is asked for one by one.

    What counts is the sha256, of bundles and apps that of their documents; neither names nor times
    alone. Eggs that are disabled stand in no index, and so are taken for missing.

    Parameters
    ----------
    source, target : AsyncOrganization, AsyncRepository, AsyncSinglePlatformRepository, str, path-like, ...
        Two places of the same kind, on one server or on two; or one of them, and the folder of an
        export, in which that place is looked for. A `Folder` says which place in it is meant. The
        source may be an archive that `pack` has written, and the target a `Manifest`, to compare
        with.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags : iterable of str, optional
        By default all: those that the servers list, the next five versions of each Python 3, and
        those that are seen at either end.
    names : iterable of str, optional
        Names of eggs and bundles, implementations of runtimes, ids of apps, or shell patterns
        of these such as ``numpy*``; capital letters do not count. By default all.
    prune : bool, default False
        Delete what the target has and the source lacks. Nothing is to be deleted when the source
        could not be read whole, or its server refuses a platform or python tag that the target
        has; nor where the source could not have it: in repositories that its organization lacks,
        and on platforms that a folder has no folder of, unless they are asked for. Apps cannot be
        deleted.
    max_deletes : int, optional
        The most that may be deleted; when there is more of it, nothing is, and the plan says so.
        By default a tenth of what the target has, but at least 10.
    concurrency : int, optional
        How many questions or files at once at most, 64 by default.

    Returns
    -------
    AsyncPlan

    Raises
    ------
    InvalidArgumentError
        The two cannot be compared, or another argument cannot be used.
    HatcherException
        One of them could not be read at all, or there is no such source, or no such organization
        for the target.

    Examples
    --------
    >>> plan = await mirror.plan(dev, prod, platforms=['rh8-x86_64'], prune=True)
    >>> print(plan)
    12 artefacts: 2 copy, 10 skip; 5.40 MB to move
    at most 10 may be deleted
    copy rh8-x86_64/eggs/cp311/numpy-1.26.4-1.egg (5.40 MB)
    copy rh8-x86_64/eggs/cp311/six-1.16.0-1.egg (3.11 kB)
    """
    twin = near(source, target)
    return AsyncPlan._of(
        await twin._run(
            sync.plan,
            source,
            target,
            kinds=kinds,
            platforms=platforms,
            python_tags=python_tags,
            names=names,
            prune=prune,
            max_deletes=max_deletes,
            concurrency=concurrency,
        ),
        twin._threads,
    )


async def promote(
    artefacts: Promotable
    | AsyncEgg
    | AsyncRuntime
    | AsyncApp
    | AsyncBundle
    | Iterable[Promotable | AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle],
    target: Repository | AsyncRepository,
    *,
    closure: bool = False,
    overwrite: bool = False,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
    dry_run: bool = False,
    cache: Cache | AsyncCache | None = None,
) -> MirrorReport:
    """Copy artefacts from their repositories to another one; API version 1 only.

    ``GET /metadata/…`` for each artefact, of the source and of the target;
    ``GET /indices/{organization}/{repository}/{platform}/runtimes`` of the target; a download, and
    an upload, for each that the target does not have; at the end
    ``POST /data/{organization}/{repository}/{platform}/eggs/re-index`` once for each platform

    They go to the same platforms of the target, which may be on another server. What the target
    has with the same sha256 is not sent. Eggs appear there together; apps and bundles follow when
    everything else is there. The bytes go through this machine, since Brood does not copy by
    itself.

    Parameters
    ----------
    artefacts : AsyncEgg, AsyncRuntime, AsyncApp or AsyncBundle, or iterable of them
        Handles, such as `AsyncSinglePlatformRepository.egg` gives.
    target : AsyncRepository
        Where they go to.
    closure : bool, default False
        With each bundle also its runtime and the eggs that it names, from the repositories that it
        names; where it names none, from its own. They all go to the target.
    overwrite : bool, default False
        Replace what the target has with other content; without it, that is an error.
    concurrency : int, optional
        How many files to move at once at most, 64 by default.
    progress : Progress or AsyncProgress, optional
        Is told of the bytes.
    dry_run : bool, default False
        Send nothing, and say of each artefact whether it would be sent.
    cache : AsyncCache, optional
        Where to look first, and what keeps what is received.

    Returns
    -------
    MirrorReport
        What became of each artefact; their names are the paths below the repository.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used; nothing was sent.
    NotFoundError
        One of the artefacts, or the target, does not exist, or may not be seen; nothing was sent.
    ChecksumMismatchError
        The target has others of the same names and versions; nothing was sent.
    HatcherException
        Something that a bundle names is missing at the source, or an egg is disabled there; nothing
        was sent.

    Notes
    -----
    Cancelling the task, as Ctrl-C does, ends the call. The same call goes on where it was.

    Examples
    --------
    >>> dev, prod = client.at('acme/dev/rh8-x86_64'), client.at('acme/prod')
    >>> report = await mirror.promote(dev.bundle('cp38', 'tools', '1.0.0-1'), prod, closure=True)
    >>> report.raise_for_failures()
    """
    twin = near(artefacts, target, cache)
    return await twin._run(
        sync.promote,
        artefacts,
        target,
        closure=closure,
        overwrite=overwrite,
        concurrency=concurrency,
        progress=progress,
        dry_run=dry_run,
        cache=cache,
    )


async def prune(
    place: Place | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    keep: int,
    *,
    older_than: str | timedelta | None = None,
    names: Iterable[str] | None = None,
    except_referenced: bool = False,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    max_deletes: int | None = None,
    concurrency: int | None = None,
) -> AsyncPruning:
    """Say which old versions of eggs have to go; deletes nothing before the plan is applied.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, as `plan` does, and with `older_than` once more for those with old
    versions. With `except_referenced` also
    ``GET /indices/{organization}/{repository}/{platform}/bundles`` of all repositories of the
    organization, ``GET /admin/organizations/{organization}/teams``, which its administrators alone
    may ask, and the metadata of each bundle.

    Of each name and python tag on each platform the newest versions stay, as the field orders
    them; builds are versions, and so are pre-releases. Eggs that are disabled do not count, and
    are never deleted; nor are those whose version cannot be read. When an index or a bundle cannot
    be read, nothing is to be deleted, and the plan says so among its problems.

    Parameters
    ----------
    place : AsyncOrganization, AsyncRepository or AsyncSinglePlatformRepository
    keep : int
        How many versions are to stay, from 1.
    older_than : str or datetime.timedelta, optional
        Keep what is younger, such as ``'180d'``, by the ``mtime`` of the index; what has none
        stays, too.
    names : iterable of str, optional
        Names of eggs, or shell patterns of these such as ``numpy*``. By default all.
    except_referenced : bool, default False
        Keep what a bundle of the organization names, in whatever repository.
    platforms, python_tags : iterable of str, optional
        As for `plan`; by default all.
    max_deletes : int, optional
        As for `plan`: when there is more, nothing is deleted. By default a tenth of the eggs, but
        at least 10.
    concurrency : int, optional
        How many questions at once at most, 64 by default.

    Returns
    -------
    AsyncPruning

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used.
    UnsupportedAPIVersionError
        Bundles are asked for, and the client speaks API version 0.
    HatcherException
        The place could not be read at all.

    Examples
    --------
    >>> plan = await mirror.prune(client.at('acme/dev'), keep=3, older_than='180d')
    >>> print(plan)
    >>> (await plan.apply()).raise_for_failures()
    """
    twin = near(place)
    return AsyncPruning._of(
        await twin._run(
            sync.prune,
            place,
            keep,
            older_than=older_than,
            names=names,
            except_referenced=except_referenced,
            platforms=platforms,
            python_tags=python_tags,
            max_deletes=max_deletes,
            concurrency=concurrency,
        ),
        twin._threads,
    )


async def read_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read a manifest from a file.

    Parameters
    ----------
    path : str or path-like
        A file that `Manifest.write` has written, or the ``manifest.json`` of a folder.

    Returns
    -------
    Manifest

    Raises
    ------
    ArtefactError
        There is no such file, it cannot be read, or is no manifest.
    """
    twin = near()
    return await twin._run(sync.read_manifest, path)


async def usage(
    place: BroodClient
    | AsyncBroodClient
    | Place
    | AsyncOrganization
    | AsyncRepository
    | AsyncSinglePlatformRepository,
    *,
    by: By | None = None,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    concurrency: int = AT_ONCE,
) -> Usage:
    """Find out how much room artefacts take, from what the indices say.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag, and likewise for runtimes, apps and bundles

    Each egg counts once, however many indices show it. Those that are disabled are in no index.

    Parameters
    ----------
    place : AsyncBroodClient, AsyncOrganization, AsyncRepository or AsyncSinglePlatformRepository
        A client stands for all repositories that it may see.
    by : {'organization', 'repository', 'platform', 'name'}, optional
        What there is to be a share for; by default what is right below the place.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all. With platforms and python tags, fewer indices are read: of
        a repository there may be a thousand.
    concurrency : int, default 64
        How many indices to read at once.

    Returns
    -------
    Usage
        What could not be read is among its problems.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used; nothing was sent.
    HatcherException
        Nothing at all could be read.

    Examples
    --------
    >>> for share in (await mirror.usage(client.organization('acme'), by='name')).shares[:3]:
    ...     print(share.name, share.size)
    """
    twin = near(place)
    return await twin._run(
        sync.usage,
        place,
        by=by,
        kinds=kinds,
        platforms=platforms,
        python_tags=python_tags,
        names=names,
        concurrency=concurrency,
    )


async def verify(
    target: SideLike | AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository,
    source: SideLike
    | AsyncOrganization
    | AsyncRepository
    | AsyncSinglePlatformRepository
    | None = None,
    *,
    kinds: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    names: Iterable[str] | None = None,
    download: bool = False,
    concurrency: int | None = None,
    progress: Progress | AsyncProgress | None = None,
) -> Verification:
    """Check that a side is what it should be; changes nothing.

    ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs`` once for each
    platform and python tag of a server, and likewise for runtimes, apps and bundles; with
    `download` also each artefact of the target

    Of a folder every file is hashed again, and compared with its ``manifest.json``; of an archive,
    every file that it carries, with the manifest in it. Of a place on a server the hashes are those
    that it says itself, unless `download` is given: then everything is downloaded and hashed, and
    kept in a temporary folder only until then.

    With a source, what the target has is compared with what the source has, too.

    Parameters
    ----------
    target : AsyncOrganization, AsyncRepository, AsyncSinglePlatformRepository, Folder, str or path-like
        A place on a server, the folder of an export, or an archive.
    source : Manifest or as `target`, optional
        What the target should have. A place on a server needs one, or `download`.
    kinds : iterable of {'eggs', 'runtimes', 'apps', 'bundles'}, optional
        By default all, with API version 0 only eggs.
    platforms, python_tags, names : iterable of str, optional
        As for `plan`; by default all.
    download : bool, default False
        Download what is on a server, and hash it.
    concurrency : int, optional
        How many questions or files at once at most, 64 by default.
    progress : Progress or AsyncProgress, optional
        Is told of bytes, in the phase ``hashing``, with `download` in ``downloading``.

    Returns
    -------
    Verification
        False when something is damaged, missing, or different. What cannot be read is among
        its findings and problems.

    Raises
    ------
    InvalidArgumentError
        An argument cannot be used, or there is nothing to compare with.
    HatcherException
        The source, or a place on a server, could not be read at all.

    Examples
    --------
    >>> print(await mirror.verify('backup'))
    1,148 artefacts checked, 5.40 GB hashed: all right
    >>> bool(await mirror.verify(prod, dev, platforms=['rh8-x86_64']))
    True
    """
    twin = near(target, source)
    return await twin._run(
        sync.verify,
        target,
        source,
        kinds=kinds,
        platforms=platforms,
        python_tags=python_tags,
        names=names,
        download=download,
        concurrency=concurrency,
        progress=progress,
    )


__all__ = [
    "AsyncCache",
    "AsyncPlan",
    "AsyncPruning",
    "BundleCheck",
    "BundleEntry",
    "CacheReport",
    "Change",
    "Diff",
    "Difference",
    "Entry",
    "Finding",
    "Folder",
    "Manifest",
    "MirrorReport",
    "Problem",
    "Share",
    "Step",
    "Usage",
    "Verification",
    "check_bundle",
    "diff",
    "export",
    "fetch_bundle",
    "import_",
    "manifest",
    "pack",
    "plan",
    "promote",
    "prune",
    "read_manifest",
    "usage",
    "verify",
]
