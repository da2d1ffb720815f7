"""Eggs."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hatcher.artefacts.egg import read_egg
from hatcher.artefacts.python_tags import language_of
from hatcher.errors import InvalidEgg
from hatcher.server.access import Repository
from hatcher.server.artefacts import Artefact, Kind, metadata_of
from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer, done
from hatcher.server.downloads import download
from hatcher.server.platforms import NO_TAG, canonical_platform, canonical_tag
from hatcher.server.refusals import bad_request
from hatcher.server.uploads import Upload, receive_upload


@operation("get_egg_index")
def get_egg_index(call: Call) -> Response:
    """Give every enabled egg that a runtime can use."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    platform = call.platform
    tag = canonical_tag(call.path["python_tag"])
    return call.brood.indices.get(repository, Kind.egg, platform, tag).response(call.request)


@operation("get_legacy_index", versions=(None,))
def get_legacy_index(call: Call) -> Response:
    """Give every enabled egg, whatever Python it is for."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    return call.brood.indices.get(repository, Kind.egg, call.platform).response(call.request)


@operation("download_legacy_egg", versions=(None,))
def download_legacy_egg(call: Call) -> Response:
    """Give the file of an egg that the older index shows."""

    def find() -> Row[Any]:
        with call.brood.database.read() as connection:
            return call.brood.artefacts.find_file(
                connection,
                call.repository(connection),
                Kind.egg,
                call.platform,
                call.path["filename"],
            )

    return download(call, find)


@operation("get_egg_metadata")
def get_egg_metadata(call: Call) -> Response:
    """Tell of an egg, enabled or not."""
    with call.brood.database.read() as connection:
        _, row = _find(call, connection)
    return answer({**metadata_of(row), "enabled": row.enabled, "change_date": row.changed})


@operation("upload_egg")
async def upload_egg(call: Call) -> Response:
    """Take in an egg."""
    async with receive_upload(call) as upload:
        return await run_in_threadpool(_store, call, upload)


@operation("download_egg")
def download_egg(call: Call) -> Response:
    """Give the file of an egg."""

    def find() -> Row[Any]:
        with call.brood.database.read() as connection:
            return _find(call, connection)[1]

    return download(call, find)


@operation("delete_egg")
def delete_egg(call: Call) -> Response:
    """Delete an egg: the one that has the tag itself."""
    with call.brood.database.read() as connection:
        repository, row = _find(call, connection, own_tag=True)
    call.brood.artefacts.delete(repository, row)
    return done()


@operation("reindex_eggs")
def reindex_eggs(call: Call) -> Response:
    """Show eggs in the index; all of them, or none when one is missing."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    call.brood.artefacts.enable(
        repository,
        Kind.egg,
        call.platform,
        ((egg["name"], egg["version"], egg["python_tag"]) for egg in call.document["eggs"]),
    )
    return answer({}, 202)


def _find(
    call: Call, connection: Connection, *, own_tag: bool = False
) -> tuple[Repository, Row[Any]]:
    repository = call.repository(connection)
    row = call.brood.artefacts.find(
        connection,
        repository,
        Kind.egg,
        call.platform,
        call.path["name"],
        call.path["version"],
        call.path["python_tag"],
        own_tag=own_tag,
    )
    return repository, row


def _store(call: Call, upload: Upload) -> Response:
    platform = call.platform
    try:
        egg = read_egg(upload.incoming.path)
    except InvalidEgg as error:
        raise upload.refused(error) from error
    # An egg that names no platform is for all of them; of one that does, the URL's counts.
    named = egg.platform if call.brood.settings.strict_platforms else None
    if named is not None and canonical_platform(named) != platform:
        raise bad_request(
            f"'{egg.filename}' is for {egg.platform}, not for {call.path['platform']}. "
            "Upload it to its own platform."
        )
    tag = egg.python_tag
    artefact = Artefact(
        kind=Kind.egg,
        platform=platform,
        name=egg.name,
        version=egg.full_version,
        python_tag=(tag or NO_TAG).lower(),
        filename=egg.filename,
        entry={
            "available": True,
            "build": egg.build,
            "full_version": egg.full_version,
            "md5": upload.incoming.md5,
            "mtime": time.time(),
            "name": egg.name.lower(),
            "packages": egg.packages,
            "platform_abi": egg.platform_abi,
            "product": None,
            "python": language_of(tag or ""),
            "python_tag": tag,
            "sha256": upload.incoming.sha256,
            "size": upload.incoming.size,
            "type": "egg",
            "version": egg.version,
        },
        details={"egg_basename": egg.name, "filename": egg.filename},
        enabled=call.query["enabled"],
    )
    return upload.store(call, artefact)
