"""`hatcher runtimes`: API version 0 knows them by a python tag, version 1 by an implementation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hatcher.cli import removals, transfers
from hatcher.cli.groups import group
from hatcher.cli.ordering import Key, built_key, runtime_key
from hatcher.cli.output.data import Document, Emit, Field, Listing, Record, emits
from hatcher.cli.parameters import assume_yes, dry_run
from hatcher.cli.places import on_platform, on_repository
from hatcher.cli.transfers import TRANSFERS

if TYPE_CHECKING:
    from hatcher.api import Repository, SinglePlatformRepository

RUNTIMES = Listing((Field("implementation", "Runtime"), Field("version", "Version")))
LEGACY_RUNTIMES = Listing(
    (
        Field("language", "Runtime"),
        Field("version", "Version"),
        Field("python_tag", "Python Tag", ("string", "null")),
    )
)
RUNTIME = Document((Field("filename", "File"), Field("sha256", "SHA-256")))
RUNTIME_INDEX = Document()

_ONE_RUNTIME = ("implementation", "version")
_ONE_LEGACY_RUNTIME = ("python_tag", "version")


@group("runtimes")
def runtimes() -> None:
    """Upload, download and list runtimes."""


@runtimes.command("list", api_versions=[1])
@on_platform()
@emits(RUNTIMES)
def list_(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the runtimes for a platform."""
    found = place.list_runtimes()
    ordered = sorted(found, key=lambda runtime: (runtime[0], runtime_key(runtime[1])))
    emit({"implementation": runtime[0], "version": runtime[1]} for runtime in ordered)


@runtimes.command("list", api_versions=[0])
@on_platform()
@emits(LEGACY_RUNTIMES)
def legacy_list(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the runtimes for a platform."""
    index = place.runtime_index()
    found = [
        {
            "language": language,
            "version": f"{version}-{build}",
            "python_tag": entry.get("python_tag"),
        }
        for language, versions in index.items()
        for version, builds in versions.items()
        for build, entry in builds.items()
    ]
    emit(sorted(found, key=_legacy_key))


def _legacy_key(runtime: Record) -> Key:
    return runtime["language"].lower(), built_key(runtime["version"])


@runtimes.command("index")
@on_platform()
@emits(RUNTIME_INDEX)
def index(place: SinglePlatformRepository, emit: Emit) -> None:
    """Show the index of the runtimes for a platform."""
    emit(place.runtime_index())


@runtimes.command("metadata", api_versions=[1])
@on_platform(*_ONE_RUNTIME)
@emits(RUNTIME)
def metadata(
    place: SinglePlatformRepository,
    implementation: str,
    version: str,
    emit: Emit,
) -> None:
    """Show what the server says of a runtime.

    IMPLEMENTATION is such as cpython, VERSION such as 3.8.17+1.
    """
    emit(place.runtime_metadata(implementation, version))


@runtimes.command("metadata", api_versions=[0])
@on_platform(*_ONE_LEGACY_RUNTIME)
@emits(RUNTIME)
def legacy_metadata(
    place: SinglePlatformRepository,
    python_tag: str,
    version: str,
    emit: Emit,
) -> None:
    """Show what the server says of a runtime.

    PYTHON_TAG is such as cp27, VERSION has the build number: 2.7.10-1.
    """
    emit(place.runtime_metadata(python_tag, version))


@runtimes.command("download", api_versions=[1])
@on_platform(*_ONE_RUNTIME)
@transfers.destination
@dry_run
@emits(TRANSFERS)
def download(
    place: SinglePlatformRepository,
    implementation: str,
    version: str,
    destination: str | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Download a runtime.

    It goes into the folder DESTINATION, or the current one. It is verified, and a file that is
    there already with the same content is left as it is.
    """
    runtime = place.runtime(implementation, version)
    transfers.download(emit, runtime, destination, dry_run)


@runtimes.command("download", api_versions=[0])
@on_platform(*_ONE_LEGACY_RUNTIME)
@transfers.destination
@dry_run
@emits(TRANSFERS)
def legacy_download(
    place: SinglePlatformRepository,
    python_tag: str,
    version: str,
    destination: str | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Download a runtime.

    It goes into the folder DESTINATION, or the current one. It is verified, and a file that is
    there already with the same content is left as it is.
    """
    runtime = place.runtime(python_tag, version)
    transfers.download(emit, runtime, destination, dry_run)


@runtimes.command("batch-download")
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
    """Download many runtimes.

    All for the platform, or some of them, go into the folder DESTINATION, or the current one.
    What is there already with the same content is not downloaded again, and one failure does not
    stop the others.
    """
    run = partial(
        place.download_runtimes,
        destination or ".",
        names=names or None,
        concurrency=concurrency,
        dry_run=dry_run,
    )
    transfers.batch(emit, "runtimes", run)


@runtimes.command("upload")
@on_repository("filename")
@transfers.force
@transfers.verify
@dry_run
@emits(TRANSFERS)
def upload(
    place: Repository,
    filename: str,
    force: bool,
    verify: bool,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Upload a runtime.

    It goes to the platform that it says it is for.
    """
    transfers.upload(
        emit,
        filename,
        place,
        lambda progress: place._read_runtime(filename).upload(
            overwrite=force, verify=verify, progress=progress
        ),
        lambda: place.upload_runtimes([filename], overwrite=force, dry_run=True),
        dry_run=dry_run,
    )


@runtimes.command("batch-upload")
@on_repository()
@transfers.files("runtimes", ".runtime", ".zip")
@transfers.force
@transfers.concurrency
@dry_run
@emits(TRANSFERS)
def batch_upload(
    place: Repository,
    runtimes: tuple[str, ...],
    force: bool,
    concurrency: int | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Upload many runtimes.

    Each goes to the platform that it says it is for.

    RUNTIMES are files, folders with runtimes in them, or '-' for a list on standard input. What
    the server has with the same content is not sent again, and one failure does not stop the
    others.
    """
    run = partial(
        place.upload_runtimes,
        runtimes,
        overwrite=force,
        concurrency=concurrency,
        dry_run=dry_run,
    )
    transfers.batch(emit, "runtimes", run)


@runtimes.command("delete", api_versions=[1])
@on_platform(*_ONE_RUNTIME)
@removals.force
@assume_yes
@dry_run
def delete(
    place: SinglePlatformRepository,
    implementation: str,
    version: str,
    force: bool,
    assume_yes: bool,
    dry_run: bool,
) -> None:
    """Delete a runtime."""
    removals.remove(
        place.runtime(implementation, version),
        f"the runtime {implementation} {version} of {place}",
        force=force,
        assume_yes=assume_yes,
        dry_run=dry_run,
    )
