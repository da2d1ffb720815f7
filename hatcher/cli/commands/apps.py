"""`hatcher apps`. Brood can neither send nor delete one: its metadata holds its document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatcher.artefacts.versions import built_key
from hatcher.cli import transfers
from hatcher.cli.data import INDEX, Document, Emit, Field, Listing, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import on_platform, on_repository

if TYPE_CHECKING:
    from hatcher.api import App, Repository, SinglePlatformRepository

APPS = Listing(
    (Field("app_id", "App Name"), Field("version", "Version"), Field("python_tag", "Python Tag"))
)


@group("apps")
def apps() -> None:
    """Upload and list apps."""


@apps.command("list")
@on_platform()
@emits(APPS)
def list_(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the apps for a platform.

    \b
    For example:
    hatcher apps list acme dev rh8-x86_64
    """
    found = place.list_apps()
    ordered = sorted(found, key=lambda app: (app[0].lower(), built_key(app[1]), app[2]))
    emit(dict(zip(("app_id", "version", "python_tag"), app, strict=True)) for app in ordered)


@apps.command("index")
@on_platform()
@emits(INDEX)
def index(place: SinglePlatformRepository, emit: Emit) -> None:
    """Show the index of the apps for a platform.

    As CSV, as JSON lines and in a table it is a row for each artefact; as JSON, and without
    --output, it is what the server has said.

    \b
    For example:
    hatcher apps index acme dev rh8-x86_64
    """
    emit(place.app_index())


@apps.command("metadata")
@on_platform("app")
@emits(Document())
def metadata(app: App, emit: Emit) -> None:
    """Show what the server says of an app.

    VERSION has the build number: 1.10-2.

    \b
    For example:
    hatcher apps metadata acme dev rh8-x86_64 cp38 com.example.viewer 1.10-2
    """
    emit(app.metadata())


@apps.command("upload")
@on_repository()
@transfers.filename
@transfers.uploading()
def upload(place: Repository, filename: str, **options: Any) -> None:
    """Upload an app.

    FILENAME is a YAML file. It goes to the platform that it says it is for.

    \b
    For example:
    hatcher apps upload acme dev viewer.yaml
    """
    transfers.upload(place, filename, place._read_app, place.upload_apps, **options)


@apps.command("batch-upload")
@on_repository()
@transfers.files("apps", "*.yaml", "*.yml")
@transfers.uploading(transfers.batching)
def batch_upload(place: Repository, apps: tuple[str, ...], **options: Any) -> None:
    """Upload many apps.

    Each goes to the platform that it says it is for.

    APPS are YAML files, folders with such files in them, or '-' for a list on standard input. What
    the server has with the same content is not sent again, and one failure does not stop the
    others.

    \b
    For example:
    hatcher apps batch-upload acme dev viewer.yaml
    """
    transfers.batch("apps", place.upload_apps, apps, **options)
