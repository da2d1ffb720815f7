"""Out of a server, into a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from hatcher.core.batches.fetching import Fetching, Listed, download_files, save_bundles
from hatcher.core.brood_client import BroodClient
from hatcher.core.bundles import Bundle
from hatcher.errors import (
    HatcherException,
    InvalidDestinationError,
    InvalidNameError,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.layout import Kind
from hatcher.mirror.reading import Offer, read
from hatcher.mirror.report import Collected, MirrorReport
from hatcher.mirror.selection import Selection, select
from hatcher.transfer.batch import Item
from hatcher.transfer.download import existing_directory
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import FileResult
from hatcher.transport.session import Session

#: What can be exported with each version of the API.
EXPORTABLE: dict[int, tuple[Kind, ...]] = {0: ("eggs",), 1: ("eggs", "runtimes", "bundles")}

#: What is exported when nobody says: as the existing client does.
_USUAL: dict[int, tuple[Kind, ...]] = {0: ("eggs",), 1: ("eggs", "runtimes")}


def export(
    client: BroodClient,
    target: str | os.PathLike[str],
    *,
    kinds: Iterable[str] | None = None,
    repositories: Iterable[str] | None = None,
    platforms: Iterable[str] | None = None,
    python_tags: Iterable[str] | None = None,
    concurrency: int | None = None,
    progress: Progress | None = None,
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
    client : BroodClient
    target : str or path-like
        The folder; made when it is missing.
    kinds : iterable of {'eggs', 'runtimes', 'bundles'}, optional
        By default eggs and, with API version 1, runtimes. Brood has no way to download apps.
    repositories : iterable of str, optional
        Such as ``acme/dev``; by default all that you may see.
    platforms, python_tags : iterable of str, optional
        By default all that the server knows.
    concurrency : int, optional
        How many files to receive at once, 16 by default.
    progress : Progress, optional
        Is told of the bytes of each repository, from the calling thread.
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
    Ctrl-C ends the call within about a second with a `BatchInterrupted`, which has the report so
    far. The same call goes on where it was.

    Examples
    --------
    >>> report = mirror.export(client, 'backup', repositories=['acme/dev'])
    >>> print(report)
    12 files: 2 downloaded, 10 already there
    >>> report.raise_for_failures()
    """
    version = client.api_version
    selection = select(
        _USUAL[version] if kinds is None else kinds, repositories, platforms, python_tags
    )
    check_kinds(selection, version)
    root = Path(target)
    if not dry_run:
        _make(root)
        existing_directory(root)
    what_there_is = read(client, selection, concurrency)
    collected = Collected(root)
    collected.problems += what_there_is.problems
    for _, offers in groupby(what_there_is.offers, key=lambda offer: offer.location.place):
        _export_repository(
            client._session, collected, root, list(offers), concurrency, progress, dry_run
        )
    return collected.report()


def check_kinds(selection: Selection, version: int) -> None:
    """Check that a server gives away what is asked for.

    Raises
    ------
    UnsupportedAPIVersionError
        It does not.
    """
    for kind in selection.kinds:
        if kind == "apps":
            raise UnsupportedAPIVersionError(
                "Brood has no way to download apps. Keep their files, and upload those."
            )
        if kind not in EXPORTABLE[version]:
            raise UnsupportedAPIVersionError(
                f"With API version {version}, {kind} cannot be exported. Make the client with "
                "api_version=1, or leave them out."
            )


def _export_repository(
    session: Session,
    collected: Collected,
    root: Path,
    offers: list[Offer],
    concurrency: int | None,
    progress: Progress | None,
    dry_run: bool,
) -> None:
    files: Fetching[Listed] = Fetching(session, None, concurrency, progress, dry_run)
    # They are small, of unknown size, and few.
    bundles: Fetching[Bundle] = Fetching(session, None, concurrency, None, dry_run)
    for location, listed in offers:
        try:
            path = location.below(root)
        except InvalidNameError as error:
            unplaced = FileResult(location.path, root, "failed", None, error)
            collected.results.append(unplaced)
            continue
        if isinstance(listed, Bundle):
            bundles.items.append(_item(path, listed))
        elif isinstance(listed, HatcherException):
            failed: Item[Any] = Item(path)
            failed.fail(listed)
            files.items.append(failed)
        else:
            files.items.append(_item(path, listed))
    if not dry_run:
        _make_folders([*files.open, *bundles.open])
    if files.items:
        collected.run(partial(download_files, files))
    if bundles.items:
        collected.run(partial(save_bundles, bundles))


def _item(path: Path, file: Any) -> Item[Any]:
    item: Item[Any] = Item(path)
    item.file = file
    return item


def _make_folders(items: list[Item[Any]]) -> None:
    made: dict[Path, Exception | None] = {}
    for item in items:
        folder = item.path.parent
        if folder not in made:
            try:
                _make(folder)
                made[folder] = None
            except InvalidDestinationError as error:
                made[folder] = error
        wrong = made[folder]
        if wrong is not None:
            item.fail(wrong)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidDestinationError(
            f"The folder '{folder}' cannot be made: {error.strerror}. Check what stands in its "
            "way and the permissions, or give another."
        ) from error
