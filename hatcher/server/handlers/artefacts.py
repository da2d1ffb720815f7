"""Eggs, apps, runtimes and bundles: handled alike, but for what each kind says of itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hatcher.artefacts.app import read_app
from hatcher.artefacts.archives import read_description
from hatcher.artefacts.bundle import check_bundle_name, read_bundle_document
from hatcher.artefacts.checks import check_build, check_names
from hatcher.artefacts.egg import read_egg
from hatcher.artefacts.python_tags import NO_TAG, language_of, python_tag_of
from hatcher.artefacts.runtime import read_runtime
from hatcher.errors import ArtefactError, InvalidRuntime
from hatcher.server.access import Repository
from hatcher.server.artefacts import Artefact, Kind, metadata_of
from hatcher.server.binding import operation
from hatcher.server.calls import MAX_DOCUMENT, Call, answer, done
from hatcher.server.downloads import download
from hatcher.server.names import canonical_platform, canonical_tag, checked
from hatcher.server.refusals import bad_request
from hatcher.server.uploads import Upload, receive_upload


@operation("get_legacy_index", versions=(None,))
@operation("get_egg_index")
@operation("get_app_index")
@operation("get_runtime_index")
@operation("get_bundle_index", versions=(1,))
def get_index(call: Call) -> Response:
    """Give the index of a kind; of eggs, those enabled that a runtime of the tag can use."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    platform = call.platform
    tag = canonical_tag(call.path["python_tag"]) if "python_tag" in call.path else None
    return call.brood.indices.get(repository, _kind(call), platform, tag).response(call.request)


@operation("get_egg_metadata")
@operation("get_app_metadata")
@operation("get_runtime_metadata")
@operation("get_bundle_metadata", versions=(1,))
def get_metadata(call: Call) -> Response:
    """Tell of an artefact; of an egg, enabled or not, also how it stands in the index."""
    _, row = _find(call)
    is_egg = _kind(call) is Kind.egg
    status = {"enabled": row.enabled, "change_date": row.changed} if is_egg else {}
    return answer({**metadata_of(row), **status})


@operation("download_egg")
@operation("download_runtime")
def download_file(call: Call) -> Response:
    """Give the file of an artefact."""
    return download(call, lambda: _find(call)[1])


@operation("download_legacy_egg", versions=(None,))
def download_legacy_egg(call: Call) -> Response:
    """Give the file of an egg that the older index shows."""

    def find() -> Row[Any]:
        with call.brood.database.read() as connection:
            repository = call.repository(connection)
            return call.brood.artefacts.find_file(
                connection, repository, Kind.egg, call.platform, call.path["filename"]
            )

    return download(call, find)


@operation("delete_egg")
@operation("delete_runtime", versions=(1,))
@operation("delete_bundle", versions=(1,))
def delete_artefact(call: Call) -> Response:
    """Delete an artefact: the one that has the tag itself."""
    call.brood.artefacts.delete(*_find(call, own_tag=True))
    return done()


@operation("reindex_eggs")
def reindex_eggs(call: Call) -> Response:
    """Show eggs in the index; all of them, or none when one is missing."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    wanted = ((egg["name"], egg["version"], egg["python_tag"]) for egg in call.document["eggs"])
    call.brood.artefacts.enable(repository, Kind.egg, call.platform, wanted)
    return answer({}, 202)


@operation("upload_egg")
@operation("upload_app")
@operation("upload_runtime")
@operation("upload_bundle", versions=(1,))
async def upload(call: Call) -> Response:
    """Take in an artefact."""
    is_document = _kind(call) in (Kind.app, Kind.bundle)
    async with receive_upload(call, MAX_DOCUMENT if is_document else None) as received:
        return await run_in_threadpool(_store, call, received)


def _kind(call: Call) -> Kind:
    kind = Kind[call.operation.tag.removesuffix("s")]
    return Kind.runtime_v0 if kind is Kind.runtime and call.operation.version == 0 else kind


def _find(call: Call, *, own_tag: bool = False) -> tuple[Repository, Row[Any]]:
    # The name is called otherwise in the URL of each kind; a v0 runtime has none there.
    names = (call.path.get(key) for key in ("name", "app_id", "implementation"))
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
        return repository, call.brood.artefacts.find(
            connection,
            repository,
            _kind(call),
            call.platform,
            next(filter(None, names), None),
            call.path["version"],
            call.path.get("python_tag", NO_TAG),
            own_tag=own_tag,
        )


def _store(call: Call, received: Upload) -> Response:
    """Store an upload as what it says it is; 201, or 200 when it is there already."""
    kind, incoming = _kind(call), received.incoming
    platform = call.platform if "platform" in call.path else None
    try:
        artefact = _READERS[kind](call, received)
    except ArtefactError as error:
        # Where the server keeps it is nobody else's business.
        message = str(error).replace(str(incoming.path), incoming.path.name)
        raise bad_request(message) from error
    if platform not in (None, artefact.platform):
        raise bad_request(
            f"'{artefact.filename}' is for {artefact.platform}, not for {platform}. "
            "Upload it to its own platform."
        )
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    overwrite = call.query["overwrite"]
    stored = call.brood.artefacts.store(repository, kind, artefact, incoming, overwrite=overwrite)
    described = {"filename": artefact.filename, "sha256": incoming.sha256}
    return answer(described, 201 if stored else 200)


def _read_egg(call: Call, received: Upload) -> Artefact:
    egg = read_egg(received.incoming.path)
    # An egg that names no platform is for all of them; of one that does, the URL's counts.
    named = egg.platform if call.brood.settings.strict_platforms else None
    return Artefact(
        platform=call.platform if named is None else canonical_platform(named),
        name=egg.name,
        version=egg.full_version,
        python_tag=(egg.python_tag or NO_TAG).lower(),
        entry={
            "available": True,
            "build": egg.build,
            "full_version": egg.full_version,
            "md5": received.incoming.md5,
            "mtime": time.time(),
            "name": egg.name.lower(),
            "packages": egg.packages,
            "platform_abi": egg.platform_abi,
            "product": None,
            "python": language_of(egg.python_tag or ""),
            "python_tag": egg.python_tag,
            "sha256": received.incoming.sha256,
            "size": received.incoming.size,
            "type": "egg",
            "version": egg.version,
        },
        details={"egg_basename": egg.name, "filename": egg.filename},
        enabled=call.query["enabled"],
    )


def _read_app(call: Call, received: Upload) -> Artefact:
    app = read_app(received.incoming.path)
    python_tag, app_id, full_version = app.address
    return Artefact(
        platform=canonical_platform(app.platform),
        name=app_id,
        version=full_version,
        python_tag=canonical_tag(python_tag),
        entry={
            "build": app.build,
            "description": app.texts.get("description"),
            "filename": received.incoming.path.name,
            "full_version": full_version,
            "id": app_id,
            "name": app.texts.get("name", app_id),
            "platform": app.platform,
            "python_tag": app.texts.get("python_tag"),
            "sha256": received.incoming.sha256,
            "version": app.version,
        },
        details={"data": app.document},
    )


def _read_runtime(call: Call, received: Upload) -> Artefact:
    runtime = read_runtime(received.incoming.path)
    return Artefact(
        platform=canonical_platform(runtime.platform),
        name=runtime.implementation,
        version=runtime.version,
        python_tag=NO_TAG,
        entry={
            "abi": runtime.abi,
            "filename": runtime.filename,
            "implementation": runtime.implementation,
            "language_version": runtime.language_version,
            "platform": runtime.platform,
            "sha256": received.incoming.sha256,
            "version": runtime.version,
        },
        details={
            "build_revision": runtime.build_revision,
            "metadata_version": runtime.metadata_version,
        },
    )


def _read_runtime_v0(call: Call, received: Upload) -> Artefact:
    """Describe a runtime of which the client says everything."""
    told, path = received.document, received.incoming.path
    if told["filename"] != path.name:
        raise bad_request(
            f"The file is called '{path.name}', but 'data' says '{told['filename']}'."
        )
    language, version = told["language"], told["version"]
    file_format, build_system = told.get("file_format"), told.get("build_system_version")
    with checked():
        build = check_build(told["build"])
        check_names(language=language, version=version)
        check_names(file_format=file_format, build_system=build_system)
    read_description(path, (), InvalidRuntime)
    full_version = f"{version}-{build}"
    tag = python_tag_of(language, version)
    return Artefact(
        platform=call.platform,
        name=language,
        version=full_version,
        python_tag=tag or NO_TAG,
        entry={
            "build": build,
            "file_format": file_format,
            "filename": path.name,
            "full_version": full_version,
            "language": language,
            "platform": call.platform,
            "python_tag": tag,
            "sha256": received.incoming.sha256,
            "version": version,
        },
        details={"build_system_version": build_system},
    )


def _read_bundle(call: Call, received: Upload) -> Artefact:
    told, incoming = received.document, received.incoming
    with checked():
        name, version, build = check_bundle_name(
            told["bundle_name"], told["bundle_version"], told["bundle_build"]
        )
    bundle = read_bundle_document(incoming.path)
    return Artefact(
        platform=canonical_platform(bundle.platform),
        name=name,
        version=f"{version}-{build}",
        python_tag=bundle.python_tag or NO_TAG,
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
            "filename": incoming.path.name,
            "sha256": incoming.sha256,
        },
    )


_READERS: dict[Kind, Callable[[Call, Upload], Artefact]] = {
    Kind.egg: _read_egg,
    Kind.app: _read_app,
    Kind.runtime: _read_runtime,
    Kind.runtime_v0: _read_runtime_v0,
    Kind.bundle: _read_bundle,
}
