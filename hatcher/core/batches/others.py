"""Uploading many runtimes, bundles or apps, whose files say which platform they are for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hatcher.artefacts.app import AppFile, read_app
from hatcher.artefacts.bundle import read_bundle
from hatcher.artefacts.platforms import usual_platform
from hatcher.core.apps import Apps
from hatcher.core.batches.sending import Sending, is_same, other_there
from hatcher.core.bundles import Bundles, LocalBundle
from hatcher.core.dialects import DIALECTS, LocalRuntime
from hatcher.core.node import Node
from hatcher.core.runtimes import Runtimes
from hatcher.errors import ArtefactError
from hatcher.transfer.batch import Item, Tally
from hatcher.transfer.hashing import server_sha256
from hatcher.transfer.progress import Progress
from hatcher.transfer.reports import BatchReport, reporting
from hatcher.transport.session import Session

P = TypeVar("P", bound=Node)

Paths = Iterable[str | os.PathLike[str]]


class Options(NamedTuple):
    """What the caller of a batch of uploads may choose."""

    overwrite: bool
    concurrency: int | None
    progress: Progress | None
    dry_run: bool


def upload_runtimes(
    session: Session, platform_of: Callable[[str], Runtimes], paths: Paths, options: Options
) -> BatchReport:
    """Upload runtimes, each to its platform.

    Parameters
    ----------
    session : Session
    platform_of : callable
        Returns the platform that a runtime goes to, given the name of the one that it
        is for; raises ArtefactError when it may not go there.
    paths : iterable of str or path-like
    options : Options
    """
    dialect = DIALECTS[session.api_version]
    sending: Sending[tuple[Runtimes, LocalRuntime]] = Sending(
        session, paths, options.concurrency, options.progress, options.dry_run
    )

    def read(path: Path) -> tuple[Runtimes, LocalRuntime]:
        runtime = dialect.read_runtime(path)
        return platform_of(runtime.platform), runtime

    def key(file: tuple[Runtimes, LocalRuntime]) -> tuple[object, ...]:
        platform, runtime = file
        # What the file does not say, its name does.
        return platform, runtime.selector or runtime.path.name, runtime.version

    known: dict[tuple[object, ...], Mapping[str, Any]] = {}

    def is_there(item: Item[tuple[Runtimes, LocalRuntime]], tally: Tally) -> bool:
        platform, runtime = item.file
        if runtime.selector is None:
            return False
        entry = known[key(item.file)]
        there = platform.runtime(runtime.selector, runtime.version)
        sha256 = there._sha256_in(entry) if entry.get("sha256") else there._remote_sha256()
        return sha256 is not None and is_same(
            item.path, sha256, str(platform), tally, overwrite=options.overwrite
        )

    def send(item: Item[tuple[Runtimes, LocalRuntime]], tally: Tally) -> bool:
        platform, runtime = item.file
        return platform._send_runtime(runtime, options.overwrite, tally)

    with reporting(sending.report):
        sending.read(read, key)
        for platform, index in _read_indices(sending, lambda on: on.runtime_index()).items():
            for selector, version, entry in dialect.runtime_entries(index):
                known[platform, selector, version] = entry
        sending.compare([item for item in sending.open if key(item.file) in known], is_there)
        sending.send(sending.open, send)
    return sending.report()


def upload_bundles(
    session: Session, platform_of: Callable[[str], Bundles], paths: Paths, options: Options
) -> BatchReport:
    """Upload bundles, each to its platform; see `upload_runtimes`."""
    sending: Sending[tuple[Bundles, LocalBundle]] = Sending(
        session, paths, options.concurrency, options.progress, options.dry_run
    )

    def read(path: Path) -> tuple[Bundles, LocalBundle]:
        platform = platform_of(read_bundle(path).content.platform)
        return platform, platform.bundles.from_file(path)

    indices: dict[Bundles, Mapping[str, Any]] = {}

    def is_listed(item: Item[tuple[Bundles, LocalBundle]]) -> bool:
        platform, local = item.file
        names = indices[platform].get(local.bundle.python_tag, {})
        version, _, build = local.bundle.version.rpartition("-")
        return build in names.get(local.bundle.name, {}).get(version, {})

    def is_there(item: Item[tuple[Bundles, LocalBundle]], _: Tally) -> bool:
        platform, local = item.file
        # The index says no hash: what counts is the document.
        if local._is_stored():
            return True
        if options.overwrite:
            return False
        raise other_there(str(platform), item.path, "its document is not the same")

    with reporting(sending.report):
        sending.read(read, lambda file: file[1].bundle)
        indices.update(_read_indices(sending, lambda platform: platform.bundle_index()))
        sending.compare(list(filter(is_listed, sending.open)), is_there)
        sending.send(
            sending.open, lambda item, tally: item.file[1]._upload(options.overwrite, tally)
        )
    return sending.report()


def upload_apps(
    session: Session, platform_of: Callable[[str], Apps], paths: Paths, options: Options
) -> BatchReport:
    """Upload apps, each to its platform; see `upload_runtimes`."""
    sending: Sending[tuple[Apps, AppFile]] = Sending(
        session, paths, options.concurrency, options.progress, options.dry_run
    )

    def read(path: Path) -> tuple[Apps, AppFile]:
        app = read_app(path)
        return platform_of(app.platform), app

    def key(file: tuple[Apps, AppFile]) -> tuple[object, ...]:
        platform, app = file
        return platform, app.address

    def is_there(item: Item[tuple[Apps, AppFile]], tally: Tally) -> bool:
        platform, app = item.file
        found = platform.app(*app.address)._found()
        sha256 = None if found is None else found.get("sha256")
        return sha256 is not None and is_same(
            item.path,
            server_sha256(sha256, item.path.name),
            str(platform),
            tally,
            overwrite=options.overwrite,
        )

    def send(item: Item[tuple[Apps, AppFile]], tally: Tally) -> bool:
        platform, app = item.file
        return platform._send_app(app, options.overwrite, tally)

    with reporting(sending.report):
        sending.read(read, key)
        # A platform that is not there is not there for all of them: it says so once.
        _read_indices(sending, lambda platform: platform.app_index())
        sending.compare(sending.open, is_there)
        sending.send(sending.open, send)
    return sending.report()


def only(platform: P, name: str, error: type[ArtefactError]) -> Callable[[str], P]:
    """Return what gives that platform to the files that are for it, and to no others.

    Parameters
    ----------
    platform : SinglePlatformRepository
    name : str
        Its name.
    error : type of ArtefactError
        What the others raise.
    """
    usual = usual_platform(name)

    def platform_of(wanted: str) -> P:
        if usual_platform(wanted) != usual:
            raise error(
                f"It is for the platform '{wanted}', not for '{name}'. Upload it to its own "
                "platform; the repository's method of the same name does so."
            )
        return platform

    return platform_of


def _read_indices(
    sending: Sending[tuple[P, Any]], read: Callable[[P], Mapping[str, Any]]
) -> dict[P, Mapping[str, Any]]:
    """Read the index of each platform that files go to, once."""
    indices: dict[P, Mapping[str, Any]] = {}

    def note(platform: P, _: Tally) -> None:
        indices[platform] = read(platform)

    sending.crew.each(list(dict.fromkeys(item.file[0] for item in sending.open)), note)
    return indices
