"""`hatcher apps`. Brood can neither send nor delete one: its metadata holds its document."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hatcher.cli import transfers
from hatcher.cli.groups import group
from hatcher.cli.ordering import built_key
from hatcher.cli.output.data import Document, Emit, Field, Listing, emits
from hatcher.cli.parameters import dry_run
from hatcher.cli.places import on_platform, on_repository
from hatcher.cli.transfers import TRANSFERS

if TYPE_CHECKING:
    from hatcher.api import Repository, SinglePlatformRepository

APPS = Listing(
    (Field("app_id", "App"), Field("version", "Version"), Field("python_tag", "Python Tag"))
)
APP = Document()
APP_INDEX = Document()


@group("apps")
def apps() -> None:
    """Upload and list apps."""


@apps.command("list")
@on_platform()
@emits(APPS)
def list_(place: SinglePlatformRepository, emit: Emit) -> None:
    """List the apps for a platform."""
    found = place.list_apps()
    ordered = sorted(found, key=lambda app: (app[0].lower(), built_key(app[1]), app[2]))
    emit(
        {"app_id": app_id, "version": version, "python_tag": python_tag}
        for app_id, version, python_tag in ordered
    )


@apps.command("index")
@on_platform()
@emits(APP_INDEX)
def index(place: SinglePlatformRepository, emit: Emit) -> None:
    """Show the index of the apps for a platform."""
    emit(place.app_index())


@apps.command("metadata")
@on_platform("python_tag", "app_id", "version")
@emits(APP)
def metadata(
    place: SinglePlatformRepository,
    python_tag: str,
    app_id: str,
    version: str,
    emit: Emit,
) -> None:
    """Show what the server says of an app.

    VERSION has the build number: 1.10-2.
    """
    emit(place.app_metadata(python_tag, app_id, version))


@apps.command("upload")
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
    """Upload an app.

    FILENAME is a YAML file. It goes to the platform that it says it is for.
    """
    transfers.upload(
        emit,
        filename,
        place,
        lambda progress: place._read_app(filename).upload(overwrite=force, progress=progress),
        lambda: place.upload_apps([filename], overwrite=force, dry_run=True),
        dry_run=dry_run,
    )


@apps.command("batch-upload")
@on_repository()
@transfers.files("apps", ".yaml", ".yml")
@transfers.force
@transfers.concurrency
@dry_run
@emits(TRANSFERS)
def batch_upload(
    place: Repository,
    apps: tuple[str, ...],
    force: bool,
    concurrency: int | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Upload many apps.

    Each goes to the platform that it says it is for.

    APPS are YAML files, folders with such files in them, or '-' for a list on standard input. What
    the server has with the same content is not sent again, and one failure does not stop the
    others.
    """
    run = partial(
        place.upload_apps,
        apps,
        overwrite=force,
        concurrency=concurrency,
        dry_run=dry_run,
    )
    transfers.batch(emit, "apps", run)
