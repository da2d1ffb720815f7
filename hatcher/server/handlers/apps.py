"""Apps."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hatcher.artefacts.app import read_app
from hatcher.errors import InvalidApp, MissingPlatformError
from hatcher.server.artefacts import Artefact, Kind, metadata_of
from hatcher.server.binding import operation
from hatcher.server.calls import MAX_DOCUMENT, Call, answer
from hatcher.server.platforms import canonical_platform, canonical_tag
from hatcher.server.refusals import bad_request
from hatcher.server.uploads import Upload, receive_upload


@operation("get_app_index")
def get_app_index(call: Call) -> Response:
    """Give the index of apps."""
    with call.brood.database.read() as connection:
        repository = call.repository(connection)
    platform = call.platform
    return call.brood.indices.get(repository, Kind.app, platform).response(call.request)


@operation("get_app_metadata")
def get_app_metadata(call: Call) -> Response:
    """Tell of an app, with all that its file says."""
    with call.brood.database.read() as connection:
        row = call.brood.artefacts.find(
            connection,
            call.repository(connection),
            Kind.app,
            call.platform,
            call.path["app_id"],
            call.path["version"],
            call.path["python_tag"],
        )
    return answer(metadata_of(row))


@operation("upload_app")
async def upload_app(call: Call) -> Response:
    """Take in an app."""
    async with receive_upload(call, MAX_DOCUMENT) as upload:
        return await run_in_threadpool(_store, call, upload)


def _store(call: Call, upload: Upload) -> Response:
    platform = call.platform
    try:
        app = read_app(upload.incoming.path)
    except (InvalidApp, MissingPlatformError) as error:
        raise upload.refused(error) from error
    if canonical_platform(app.platform) != platform:
        raise bad_request(
            f"The app '{app.app_id}' is for {app.platform}, not for {call.path['platform']}. "
            "Upload it to its own platform."
        )
    filename = upload.incoming.path.name
    python_tag, app_id, full_version = app.address
    artefact = Artefact(
        kind=Kind.app,
        platform=platform,
        name=app_id,
        version=full_version,
        python_tag=canonical_tag(python_tag),
        filename=filename,
        entry={
            "build": app.build,
            "description": app.texts.get("description"),
            "filename": filename,
            "full_version": full_version,
            "id": app_id,
            "name": app.texts.get("name", app_id),
            "platform": app.platform,
            "python_tag": app.texts.get("python_tag"),
            "sha256": upload.incoming.sha256,
            "version": app.version,
        },
        details={"data": app.document},
    )
    return upload.store(call, artefact)
