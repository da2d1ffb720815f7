"""Bundles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hatcher.artefacts.bundle import check_bundle_name, read_bundle_document
from hatcher.errors import InvalidBundle
from hatcher.server.access import Repository
from hatcher.server.artefacts import Artefact, Kind, metadata_of
from hatcher.server.binding import operation
from hatcher.server.calls import MAX_DOCUMENT, Call, answer, done
from hatcher.server.names import wrong_value
from hatcher.server.platforms import NO_TAG, canonical_platform
from hatcher.server.uploads import Upload, receive_upload


@operation("get_bundle_index", versions=(1,))
def get_bundle_index(call: Call) -> Response:
    """Give the index of bundles."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    platform = call.platform
    return call.brood.indices.get(repository, Kind.bundle, platform).response(call.request)


@operation("get_bundle_metadata", versions=(1,))
def get_bundle_metadata(call: Call) -> Response:
    """Give a bundle: its document is a part of its metadata."""
    with call.brood.database.read() as connection:
        _, row = _find(call, connection)
    return answer(metadata_of(row))


@operation("upload_bundle", versions=(1,))
async def upload_bundle(call: Call) -> Response:
    """Take in a bundle."""
    async with receive_upload(call, MAX_DOCUMENT) as upload:
        return await run_in_threadpool(_store, call, upload)


@operation("delete_bundle", versions=(1,))
def delete_bundle(call: Call) -> Response:
    """Delete a bundle: the one that has the tag itself."""
    with call.brood.database.read() as connection:
        repository, row = _find(call, connection, own_tag=True)
    call.brood.artefacts.delete(repository, row)
    return done()


def _find(
    call: Call, connection: Connection, *, own_tag: bool = False
) -> tuple[Repository, Row[Any]]:
    repository = call.repository(connection)
    return repository, call.brood.artefacts.find(
        connection,
        repository,
        Kind.bundle,
        call.platform,
        call.path["name"],
        call.path["version"],
        call.path["python_tag"],
        own_tag=own_tag,
    )


def _store(call: Call, upload: Upload) -> Response:
    told = upload.document
    try:
        name, version, build = check_bundle_name(
            told["bundle_name"], told["bundle_version"], told["bundle_build"]
        )
        bundle = read_bundle_document(upload.incoming.path)
    except ValueError as error:
        raise wrong_value(error) from error
    except InvalidBundle as error:
        raise upload.refused(error) from error
    artefact = Artefact(
        kind=Kind.bundle,
        platform=canonical_platform(bundle.platform),
        name=name,
        version=f"{version}-{build}",
        python_tag=bundle.python_tag or NO_TAG,
        filename=upload.incoming.path.name,
        entry={
            "build": build,
            "full_version": f"{version}-{build}",
            "name": name,
            "platform": bundle.platform,
            "python_tag": bundle.python_tag,
            "version": version,
        },
        details={
            "data": bundle.document,
            "filename": upload.incoming.path.name,
            "sha256": upload.incoming.sha256,
        },
    )
    return upload.store(call, artefact)
