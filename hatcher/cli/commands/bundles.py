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
from hatcher.cli.output.chatter import say
from hatcher.cli.output.data import Document, Emit, Field, Listing, emits
from hatcher.cli.output.streams import is_terminal
from hatcher.cli.parameters import arguments, assume_yes, completes, dry_run
from hatcher.cli.places import on_platform, on_repository, repository_named
from hatcher.cli.state import State, pass_state
from hatcher.cli.transfers import TRANSFERS
from hatcher.errors import TargetFileExists

if TYPE_CHECKING:
    from hatcher.api import Bundle, Repository, SinglePlatformRepository

BUNDLES = Listing(
    (
        Field("name", "Bundle Name"),
        Field("version", "Bundle Version"),
        Field("python_tag", "Python Tag"),
    )
)
BUNDLE = Document((Field("name", "Bundle"), Field("full_version", "Version")))
BUNDLE_INDEX = Document()
BUNDLE_CHECK = Listing(
    (
        Field("state", "State"),
        Field("kind", "Kind"),
        Field("name", "Name"),
        Field("version", "Version"),
        Field("repository", "Repository", ("string", "null")),
        Field("sha256", "SHA-256", ("string", "null"), in_tables=False),
        Field("actual", "Actual SHA-256", ("string", "null"), in_tables=False),
    )
)

_ONE_BUNDLE = ("python_tag", "name", "version")

_inside = click.option(
    "inside",
    "--in",
    metavar="ORGANIZATION/REPOSITORY",
    shell_complete=completes,
    help="Look in this repository, and not in those that the bundle names.",
)


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


@bundles.command("check", api_versions=[1])
@on_platform(*_ONE_BUNDLE)
@_inside
@emits(BUNDLE_CHECK)
@pass_state
def check(
    state: State,
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str,
    inside: str | None,
    emit: Emit,
) -> None:
    """Look whether all that a bundle names is there: its runtime and eggs, by their sha256.

    In the repositories that the bundle names; with --in in that one, to find out whether the bundle
    could go there. The exit code is 8 when something is missing, disabled or another one.

    PYTHON_TAG is that of its runtime, such as cp38; VERSION has the build number: 1.0.0-1.
    """
    _check(state, place.bundle(python_tag, name, version), inside, emit)


@bundles.command("check-file", api_versions=[1])
@arguments("filename")
@_inside
@emits(BUNDLE_CHECK)
@pass_state
def check_file(state: State, filename: str, inside: str | None, emit: Emit) -> None:
    """Look whether all that a bundle's file names is there, before the file is uploaded.

    In the repositories that the bundle names; with --in in that one. The exit code is 8 when
    something is missing, disabled or another one.
    """
    _check(state, filename, inside, emit)


def _check(state: State, bundle: Bundle | str, inside: str | None, emit: Emit) -> None:
    where = state.client if inside is None else repository_named(state, inside, "--in")
    from hatcher.mirror import check_bundle

    found = check_bundle(bundle, where)
    emit(found.document()["entries"])
    say(str(found), "green" if found else None)
    if not found:
        click.get_current_context().exit(ExitCode.DIFFERENCES)


@bundles.command("fetch", api_versions=[1])
@on_platform(*_ONE_BUNDLE)
@click.argument("directory", type=click.Path(file_okay=False))
@_inside
@transfers.concurrency
@transfers.cache
@dry_run
@emits(TRANSFERS)
@pass_state
def fetch(
    state: State,
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str,
    directory: str,
    inside: str | None,
    concurrency: int | None,
    cache: bool,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Save a bundle with all that belongs to it: its runtime and eggs.

    From the repositories that the bundle names; with --in from that one. Each file is verified by
    the sha256 that the bundle names. They are laid out as by 'hatcher export', so that
    'hatcher import' takes them.
    """
    where = state.client if inside is None else repository_named(state, inside, "--in")
    bundle = place.bundle(python_tag, name, version)
    from hatcher import mirror

    transfers.batch(
        emit,
        "Bundle",
        lambda progress: mirror.fetch_bundle(
            bundle,
            directory,
            where,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
            cache=mirror.Cache() if cache else None,
        ),
    )


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
        lambda progress: place._read_bundle(filename)._file.upload(
            overwrite=force, progress=progress
        ),
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
