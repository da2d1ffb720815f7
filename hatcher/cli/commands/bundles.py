"""`hatcher bundles`: API version 1 only."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatcher.cli import removals, transfers
from hatcher.cli.failures.explaining import ExitCode
from hatcher.cli.failures.refusals import Refusal
from hatcher.cli.groups import group
from hatcher.cli.output.data import Document, Emit, Field, Listing, emits
from hatcher.cli.output.streams import is_terminal
from hatcher.cli.parameters import assume_yes, dry_run
from hatcher.cli.places import on_platform, on_repository
from hatcher.cli.transfers import TRANSFERS
from hatcher.errors import TargetFileExists

if TYPE_CHECKING:
    from hatcher.api import Repository, SinglePlatformRepository

BUNDLES = Listing(
    (
        Field("name", "Bundle Name"),
        Field("version", "Bundle Version"),
        Field("python_tag", "Python Tag"),
    )
)
BUNDLE = Document((Field("name", "Bundle"), Field("full_version", "Version")))
BUNDLE_INDEX = Document()

_ONE_BUNDLE = ("python_tag", "name", "version")


@group("bundles")
def bundles() -> None:
    """Upload, download and list bundles."""


@bundles.command("list", api_versions=[1])
@on_platform()
@emits(BUNDLES)
def list_(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the bundles for a platform."""
    found = place.bundle_list()
    # As texts, which is what the existing command line does.
    emit(sorted(found, key="{0[name]}:{0[version]}:{0[python_tag]}".format))


@bundles.command("index", api_versions=[1])
@on_platform()
@emits(BUNDLE_INDEX)
def index(place: SinglePlatformRepository, emit: Emit) -> None:
    """Show the index of the bundles for a platform."""
    emit(place.bundle_index())


@bundles.command("metadata", api_versions=[1])
@on_platform(*_ONE_BUNDLE)
@emits(BUNDLE)
def metadata(
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str,
    emit: Emit,
) -> None:
    """Show what the server says of a bundle, with its document.

    PYTHON_TAG is that of its runtime, such as cp38; VERSION has the build number: 1.0.0-1.
    """
    emit(place.bundle_metadata(python_tag, name, version))


@bundles.command("download", api_versions=[1])
@on_platform(*_ONE_BUNDLE)
@click.argument("directory", type=click.Path(exists=True, file_okay=False, writable=True))
@click.option("--force", is_flag=True, default=False, help="Replace a file that is there.")
@dry_run
@emits(TRANSFERS)
def download(
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str,
    directory: str,
    force: bool,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Save the document of a bundle.

    It goes into the folder DIRECTORY, which must exist.
    """
    bundle = place.bundle(python_tag, name, version)
    try:
        if dry_run:
            path = os.path.join(directory, bundle.canonical_filename)  # noqa: PTH118 - as written
            bundle.metadata()
            if not force and Path(path).exists():
                raise TargetFileExists
        else:
            path = bundle.save(directory, overwrite=force)
    except TargetFileExists:
        raise Refusal(
            f"There is a file '{bundle.canonical_filename}' in '{directory}' already.",
            "Add --force to replace it.",
            ExitCode.CONFLICT,
        ) from None
    transfers.tell(emit, Path(path), directory, "would download" if dry_run else "downloaded")


@bundles.command("batch-download", api_versions=[1])
@on_platform()
@transfers.destination
@transfers.names
@transfers.concurrency
@dry_run
@emits(TRANSFERS)
def batch_download(
    place: SinglePlatformRepository,
    destination: str | None,
    names: tuple[str, ...],
    concurrency: int | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Save the documents of many bundles.

    All bundles for the platform, or some of them, go into the folder DESTINATION, or the current
    one. A file with the same document is left as it is, one with another is replaced, and one
    failure does not stop the others.
    """
    run = partial(
        place.download_bundles,
        destination or ".",
        names=names or None,
        concurrency=concurrency,
        dry_run=dry_run,
    )
    transfers.batch(emit, "bundles", run)


@bundles.command("upload", api_versions=[1])
@on_repository("filename")
@transfers.force
@dry_run
@emits(TRANSFERS)
def upload(
    place: Repository,
    filename: str,
    force: bool,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Upload a bundle.

    It goes to the platform that its runtime is for. FILENAME is called name-version-build.bundle,
    such as tools-1.0.0-1.bundle.
    """
    transfers.upload(
        emit,
        filename,
        place,
        lambda progress: place.upload_bundle(filename, force, progress=progress),
        lambda: place.upload_bundles([filename], overwrite=force, dry_run=True),
        dry_run=dry_run,
    )


@bundles.command("batch-upload", api_versions=[1])
@on_repository()
@transfers.files("bundles", ".bundle")
@transfers.force
@transfers.concurrency
@dry_run
@emits(TRANSFERS)
def batch_upload(
    place: Repository,
    bundles: tuple[str, ...],
    force: bool,
    concurrency: int | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Upload many bundles.

    Each goes to the platform that its runtime is for.

    BUNDLES are files, folders with bundles in them, or '-' for a list on standard input. What the
    server has with the same document is not sent again, and one failure does not stop the others.
    """
    run = partial(
        place.upload_bundles,
        bundles,
        overwrite=force,
        concurrency=concurrency,
        dry_run=dry_run,
    )
    transfers.batch(emit, "bundles", run)


@bundles.command("delete", api_versions=[1])
@on_platform(*_ONE_BUNDLE)
@removals.force
@assume_yes
@dry_run
def delete(
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str,
    force: bool,
    assume_yes: bool,
    dry_run: bool,
) -> None:
    """Delete a bundle.

    Asks before in a terminal only; a script is not asked.
    """
    removals.remove(
        place.bundle(python_tag, name, version),
        f"the bundle {name}-{version} ({python_tag}) of {place}",
        force=force,
        # The existing command line asks nothing here: scripts do not say --yes.
        assume_yes=assume_yes or not is_terminal(sys.stdin),
        dry_run=dry_run,
    )
