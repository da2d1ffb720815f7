"""`hatcher runtimes`: API version 0 knows them by a python tag, version 1 by an implementation."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from hatcher.artefacts.versions import built_key, runtime_key
from hatcher.cli import transfers
from hatcher.cli.data import INDEX, Document, Emit, Field, Listing, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import on_platform, on_repository

if TYPE_CHECKING:
    from hatcher.api import Repository, Runtime, SinglePlatformRepository

RUNTIMES = Listing((Field("implementation", "Runtime"), Field("version", "Version")))
LEGACY_RUNTIMES = Listing(
    (
        Field("language", "Runtime"),
        Field("version", "Version"),
        Field("python_tag", "Python Tag", ("string", "null")),
    )
)
RUNTIME = Document((Field("filename", "File"), Field("sha256", "SHA-256")))


@group("runtimes")
def runtimes() -> None:
    """Upload, download and list runtimes."""


@runtimes.command("list", api_versions=[1])
@on_platform()
@emits(RUNTIMES)
def list_(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the runtimes for a platform.

    \b
    For example:
    hatcher runtimes list acme dev rh8-x86_64
    """
    found = place.list_runtimes()
    ordered = sorted(found, key=lambda runtime: (runtime[0], runtime_key(runtime[1])))
    emit({"implementation": runtime[0], "version": runtime[1]} for runtime in ordered)


@runtimes.command("list", api_versions=[0])
@on_platform()
@emits(LEGACY_RUNTIMES)
def legacy_list(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the runtimes for a platform.

    \b
    For example:
    hatcher --api-version 0 runtimes list acme dev rh8-64
    """
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
    emit(sorted(found, key=lambda entry: (entry["language"].lower(), built_key(entry["version"]))))


@runtimes.command("index")
@on_platform()
@emits(INDEX)
def index(place: SinglePlatformRepository, emit: Emit) -> None:
    """Show the index of the runtimes for a platform.

    As CSV, as JSON lines and in a table it is a row for each artefact; as JSON, and without
    --output, it is what the server has said.

    \b
    For example:
    hatcher runtimes index acme dev rh8-x86_64
    """
    emit(place.runtime_index())


@runtimes.command("metadata", api_versions=[1])
@on_platform("runtime")
@emits(RUNTIME)
def metadata(runtime: Runtime, emit: Emit) -> None:
    """Show what the server says of a runtime.

    IMPLEMENTATION is such as cpython, VERSION such as 3.8.17+1.

    \b
    For example:
    hatcher runtimes metadata acme dev rh8-x86_64 cpython 3.8.17+1
    """
    emit(runtime.metadata())


@runtimes.command("metadata", api_versions=[0])
@on_platform("legacy runtime")
@emits(RUNTIME)
def legacy_metadata(runtime: Runtime, emit: Emit) -> None:
    """Show what the server says of a runtime.

    PYTHON_TAG is such as cp27, VERSION has the build number: 2.7.10-1.

    \b
    For example:
    hatcher --api-version 0 runtimes metadata acme dev rh8-64 cp27 2.7.10-1
    """
    emit(runtime.metadata())


def download(runtime: Runtime, **options: Any) -> None:
    """Download a runtime.

    It goes into the folder DESTINATION, or the current one. It is verified, and a file that is
    there already with the same content is left as it is.
    """
    transfers.download(runtime, **options)


for _version, _runtime, _example in (
    (0, "legacy runtime", "--api-version 0 runtimes download acme dev rh8-64 cp27 2.7.10-1"),
    (1, "runtime", "runtimes download acme dev rh8-x86_64 cpython 3.8.17+1"),
):
    _made = on_platform(_runtime)(transfers.downloading(download))
    _help = f"{cleandoc(download.__doc__ or '')}\n\n\b\nFor example:\nhatcher {_example}"
    runtimes.command("download", api_versions=[_version], help=_help)(_made)


@runtimes.command("batch-download")
@on_platform()
@transfers.downloading_many
def batch_download(
    place: SinglePlatformRepository, destination: str | None, **options: Any
) -> None:
    """Download many runtimes.

    All for the platform, or some of them, go into the folder DESTINATION, or the current one.
    What is there already with the same content is not downloaded again, and one failure does not
    stop the others.

    \b
    For example:
    hatcher runtimes batch-download acme dev rh8-x86_64 downloads
    """
    transfers.batch("runtimes", place.download_runtimes, destination or ".", **options)


@runtimes.command("upload")
@on_repository()
@transfers.filename
@transfers.uploading(transfers.verify)
def upload(place: Repository, filename: str, **options: Any) -> None:
    """Upload a runtime.

    It goes to the platform that it says it is for.

    \b
    For example:
    hatcher runtimes upload acme dev cpython-3.8.17+1-rh8_x86_64-gnu.runtime
    """
    transfers.upload(place, filename, place._read_runtime, place.upload_runtimes, **options)


@runtimes.command("batch-upload")
@on_repository()
@transfers.files("runtimes", "*.runtime", "*.zip")
@transfers.uploading(transfers.batching)
def batch_upload(place: Repository, runtimes: tuple[str, ...], **options: Any) -> None:
    """Upload many runtimes.

    Each goes to the platform that it says it is for.

    RUNTIMES are files, folders with runtimes in them, or '-' for a list on standard input. What
    the server has with the same content is not sent again, and one failure does not stop the
    others.

    \b
    For example:
    hatcher runtimes batch-upload acme dev cpython-3.8.17+1-rh8_x86_64-gnu.runtime
    """
    transfers.batch("runtimes", place.upload_runtimes, runtimes, **options)


@runtimes.command("delete", api_versions=[1])
@on_platform("runtime", latest=False)
@transfers.deleting()
def delete(runtime: Runtime, **options: Any) -> None:
    """Delete a runtime.

    \b
    For example:
    hatcher runtimes delete acme dev rh8-x86_64 cpython 3.8.17+1
    """
    transfers.delete(runtime, "the runtime {implementation} {version} of {place}", **options)
