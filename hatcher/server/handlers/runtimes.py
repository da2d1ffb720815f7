"""Runtimes: those of v1, and those of v0, each under their own root."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hatcher.artefacts.archives import read_description
from hatcher.artefacts.checks import check_build, check_names
from hatcher.artefacts.python_tags import python_tag_of
from hatcher.artefacts.runtime import read_runtime
from hatcher.errors import InvalidRuntime
from hatcher.server.access import Repository
from hatcher.server.artefacts import Artefact, Kind, metadata_of
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer, done
from hatcher.server.downloads import download
from hatcher.server.names import wrong_value
from hatcher.server.platforms import NO_TAG, canonical_platform
from hatcher.server.refusals import bad_request
from hatcher.server.uploads import Upload, receive_upload


@operation("get_runtime_index")
def get_runtime_index(call: Call) -> Response:
    """Give the index of runtimes."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    platform = call.platform
    return call.brood.indices.get(repository, _kind(call), platform).response(call.request)


@operation("get_runtime_metadata")
def get_runtime_metadata(call: Call) -> Response:
    """Tell of a runtime."""
    _, row = _find(call)
    return answer(metadata_of(row))


@operation("upload_runtime", versions=(1,))
async def upload_runtime(call: Call) -> Response:
    """Take in a runtime that says everything itself."""
    async with receive_upload(call) as upload:
        return await run_in_threadpool(_store, call, upload)


@operation("upload_runtime", versions=(0,))
async def upload_runtime_v0(call: Call) -> Response:
    """Take in a runtime of which the client says everything."""
    async with receive_upload(call) as upload:
        return await run_in_threadpool(_store_v0, call, upload)


@operation("download_runtime")
def download_runtime(call: Call) -> Response:
    """Give the file of a runtime."""
    return download(call, lambda: _find(call)[1])


@operation("delete_runtime", versions=(1,))
def delete_runtime(call: Call) -> Response:
    """Delete a runtime."""
    repository, row = _find(call)
    call.brood.artefacts.delete(repository, row)
    return done()


def _kind(call: Call) -> Kind:
    return Kind.runtime_v0 if call.operation.version == 0 else Kind.runtime


def _find(call: Call) -> tuple[Repository, Row[Any]]:
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
        return repository, call.brood.artefacts.find(
            connection,
            repository,
            _kind(call),
            call.platform,
            # The language of a v0 runtime is not in its URL.
            call.path.get("implementation"),
            call.path["version"],
            call.path.get("python_tag", NO_TAG),
        )


def _store(call: Call, upload: Upload) -> Response:
    platform = call.platform
    try:
        runtime = read_runtime(upload.incoming.path)
    except InvalidRuntime as error:
        raise upload.refused(error) from error
    if canonical_platform(runtime.platform) != platform:
        raise bad_request(
            f"'{runtime.filename}' is for {runtime.platform}, not for {call.path['platform']}. "
            "Upload it to its own platform."
        )
    artefact = Artefact(
        kind=Kind.runtime,
        platform=platform,
        name=runtime.implementation,
        version=runtime.version,
        python_tag=NO_TAG,
        filename=runtime.filename,
        entry={
            "abi": runtime.abi,
            "filename": runtime.filename,
            "implementation": runtime.implementation,
            "language_version": runtime.language_version,
            "platform": runtime.platform,
            "sha256": upload.incoming.sha256,
            "version": runtime.version,
        },
        details={
            "build_revision": runtime.build_revision,
            "metadata_version": runtime.metadata_version,
        },
    )
    return upload.store(call, artefact)


def _store_v0(call: Call, upload: Upload) -> Response:
    platform = call.platform
    told = upload.document
    path = upload.incoming.path
    if told["filename"] != path.name:
        raise bad_request(
            f"The file is called '{path.name}', but 'data' says '{told['filename']}'."
        )
    try:
        language, version, build = told["language"], told["version"], check_build(told["build"])
        check_names(language=language, version=version, file_format=told.get("file_format"))
        check_names(build_system=told.get("build_system_version"))
        read_description(path, (), InvalidRuntime)
    except ValueError as error:
        raise wrong_value(error) from error
    except InvalidRuntime as error:
        raise upload.refused(error) from error
    full_version = f"{version}-{build}"
    tag = python_tag_of(language, version)
    artefact = Artefact(
        kind=Kind.runtime_v0,
        platform=platform,
        name=language,
        version=full_version,
        python_tag=tag or NO_TAG,
        filename=path.name,
        entry={
            "build": build,
            "file_format": told.get("file_format"),
            "filename": path.name,
            "full_version": full_version,
            "language": language,
            "platform": platform,
            "python_tag": tag,
            "sha256": upload.incoming.sha256,
            "version": version,
        },
        details={"build_system_version": told.get("build_system_version")},
    )
    return upload.store(call, artefact)
