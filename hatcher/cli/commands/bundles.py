"""`hatcher bundles`: API version 1 only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli import transfers
from hatcher.cli.data import INDEX, Document, Emit, Field, Listing, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import (
    argument,
    completes,
    flag,
    on_platform,
    on_repository,
    repository_named,
)
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import is_terminal, say
from hatcher.errors import TargetFileExists

if TYPE_CHECKING:
    from hatcher.api import BroodClient, Bundle, Repository, SinglePlatformRepository
    from hatcher.core.local import LocalArtefact

BUNDLES = Listing(
    (
        Field("name", "Bundle Name"),
        Field("version", "Bundle Version"),
        Field("python_tag", "Python Tag"),
    )
)
BUNDLE = Document((Field("name", "Bundle"), Field("full_version", "Version")))
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

_inside = click.option(
    "inside",
    "--in",
    metavar="ORGANIZATION/REPOSITORY",
    shell_complete=completes("places"),
    help="Look in this repository, and not in those that the bundle names.",
)


@group("bundles")
def bundles() -> None:
    """Upload, download and list bundles."""


@bundles.command("list")
@on_platform()
@emits(BUNDLES)
def list_(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the bundles for a platform.

    \b
    For example:
    hatcher bundles list acme dev rh8-x86_64
    """
    found = place.bundle_list()
    # As texts, which is what the existing command line does.
    emit(sorted(found, key="{0[name]}:{0[version]}:{0[python_tag]}".format))


@bundles.command("index")
@on_platform()
@emits(INDEX)
def index(place: SinglePlatformRepository, emit: Emit) -> None:
    """Show the index of the bundles for a platform.

    As CSV, as JSON lines and in a table it is a row for each artefact; as JSON, and without
    --output, it is what the server has said.

    \b
    For example:
    hatcher bundles index acme dev rh8-x86_64
    """
    emit(place.bundle_index())


@bundles.command("metadata")
@on_platform("bundle")
@emits(BUNDLE)
def metadata(bundle: Bundle, emit: Emit) -> None:
    """Show what the server says of a bundle, with its document.

    PYTHON_TAG is that of its runtime, such as cp38; VERSION has the build number: 1.0.0-1.

    \b
    For example:
    hatcher bundles metadata acme dev rh8-x86_64 cp38 tools 1.0.0-1
    """
    emit(bundle.metadata())


@bundles.command("download")
@on_platform("bundle")
@argument(
    "directory",
    "The folder to save it in.",
    type=click.Path(exists=True, file_okay=False, writable=True),
)
@flag("--force", help="Replace a file that is there.")
@transfers.moving
def download(bundle: Bundle, directory: str, force: bool, dry_run: bool, emit: Emit) -> None:
    """Save the document of a bundle.

    It goes into the folder DIRECTORY, which must exist.

    \b
    For example:
    hatcher bundles download acme dev rh8-x86_64 cp38 tools 1.0.0-1 downloads
    """
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


@bundles.command("batch-download")
@on_platform()
@transfers.saving_many
def batch_download(
    place: SinglePlatformRepository, destination: str | None, **options: Any
) -> None:
    """Save the documents of many bundles.

    All bundles for the platform, or some of them, go into the folder DESTINATION, or the current
    one. A file with the same document is left as it is, one with another is replaced, and one
    failure does not stop the others.

    \b
    For example:
    hatcher bundles batch-download acme dev rh8-x86_64 downloads
    """
    transfers.batch("bundles", place.download_bundles, destination or ".", **options)


@bundles.command("check")
@on_platform("bundle")
@_inside
@emits(BUNDLE_CHECK)
@pass_state
def check(state: State, bundle: Bundle, inside: str | None, emit: Emit) -> None:
    """Look whether all that a bundle names is there: its runtime and eggs, by their sha256.

    In the repositories that the bundle names; with --in in that one, to find out whether the bundle
    could go there. The exit code is 8 when something is missing, disabled or another one.

    PYTHON_TAG is that of its runtime, such as cp38; VERSION has the build number: 1.0.0-1.

    \b
    For example:
    hatcher bundles check acme dev rh8-x86_64 cp38 tools 1.0.0-1
    """
    _check(state, bundle, inside, emit)


@bundles.command("check-file")
@argument("filename", "The bundle's file.", "file")
@_inside
@emits(BUNDLE_CHECK)
@pass_state
def check_file(state: State, filename: str, inside: str | None, emit: Emit) -> None:
    """Look whether all that a bundle's file names is there, before the file is uploaded.

    In the repositories that the bundle names; with --in in that one. The exit code is 8 when
    something is missing, disabled or another one.

    \b
    For example:
    hatcher bundles check-file tools-1.0.0-1.bundle --in acme/dev
    """
    _check(state, filename, inside, emit)


def _check(state: State, bundle: Bundle | str, inside: str | None, emit: Emit) -> None:
    from hatcher.mirror import check_bundle

    found = check_bundle(bundle, _searched(state, inside))
    emit(found.document()["entries"])
    say(str(found), "green" if found else None)
    if not found:
        click.get_current_context().exit(ExitCode.DIFFERENCES)


def _searched(state: State, inside: str | None) -> BroodClient | Repository:
    """Return where to look for what belongs to a bundle."""
    return state.client if inside is None else repository_named(state, inside, "--in")


@bundles.command("fetch")
@on_platform("bundle")
@argument(
    "directory",
    "The folder to put it into; made when missing.",
    type=click.Path(file_okay=False),
)
@_inside
@transfers.batching
@transfers.cache
@transfers.moving
@pass_state
def fetch(state: State, bundle: Bundle, directory: str, inside: str | None, **options: Any) -> None:
    """Save a bundle with all that belongs to it: its runtime and eggs.

    From the repositories that the bundle names; with --in from that one. Each file is verified by
    the sha256 that the bundle names. They are laid out as by 'hatcher export', so that
    'hatcher import' takes them.

    \b
    For example:
    hatcher bundles fetch acme dev rh8-x86_64 cp38 tools 1.0.0-1 tools
    """
    where = _searched(state, inside)
    from hatcher.mirror import fetch_bundle

    transfers.batch("Bundle", fetch_bundle, bundle, directory, where, **options)


@bundles.command("upload")
@on_repository()
@transfers.filename
@transfers.uploading()
def upload(place: Repository, filename: str, **options: Any) -> None:
    """Upload a bundle.

    It goes to the platform that its runtime is for. FILENAME is called name-version-build.bundle,
    such as tools-1.0.0-1.bundle; EDM calls it name-version-build.json, which is taken, too.

    \b
    For example:
    hatcher bundles upload acme dev tools-1.0.0-1.bundle
    """

    def read(name: str) -> LocalArtefact:
        return place._read_bundle(name)._file

    transfers.upload(place, filename, read, place.upload_bundles, **options)


@bundles.command("batch-upload")
@on_repository()
@transfers.files("bundles", "*.bundle", "*-*-[0-9]*.json")
@transfers.uploading(transfers.batching)
def batch_upload(place: Repository, bundles: tuple[str, ...], **options: Any) -> None:
    """Upload many bundles.

    Each goes to the platform that its runtime is for.

    BUNDLES are files, folders with bundles in them, or '-' for a list on standard input. What the
    server has with the same document is not sent again, and one failure does not stop the others.

    \b
    For example:
    hatcher bundles batch-upload acme dev tools-1.0.0-1.bundle
    """
    transfers.batch("bundles", place.upload_bundles, bundles, **options)


@bundles.command("delete")
@on_platform("bundle", latest=False)
@transfers.deleting()
def delete(bundle: Bundle, **options: Any) -> None:
    """Delete a bundle.

    Asks before in a terminal only; a script is not asked.

    \b
    For example:
    hatcher bundles delete acme dev rh8-x86_64 cp38 tools 1.0.0-1
    """
    # The existing command line asks nothing here: scripts do not say --yes.
    options["assume_yes"] = options["assume_yes"] or not is_terminal(sys.stdin)
    transfers.delete(bundle, "the bundle {name}-{version} ({python_tag}) of {place}", **options)
