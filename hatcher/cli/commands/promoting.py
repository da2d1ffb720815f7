"""`hatcher promote`: from one repository to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli import transfers
from hatcher.cli.groups import group
from hatcher.cli.output.data import Emit, emits
from hatcher.cli.parameters import Decorator, completes, dry_run
from hatcher.cli.places import on_platform, repository_named
from hatcher.cli.state import State, pass_state
from hatcher.cli.transfers import TRANSFERS

if TYPE_CHECKING:
    from hatcher.api import App, Bundle, Egg, Runtime, SinglePlatformRepository


@group("promote")
def promote() -> None:
    """Copy artefacts from one repository to another.

    To another one of the same server, or with --to-profile of that of a profile; always to the same
    platform. What is there with the same sha256 is not sent again.
    """


def _promotes(name: str, *one: str) -> Decorator:
    """Make a command of a function: it copies one artefact, which these arguments name."""
    options: list[Callable[..., Any]] = [
        click.option(
            "--to",
            required=True,
            metavar="ORGANIZATION/REPOSITORY",
            shell_complete=completes,
            help="The repository that it goes to.",
        ),
        click.option(
            "--to-profile",
            metavar="NAME",
            shell_complete=completes,
            help="The profile of the server that it goes to, when that is another one.",
        ),
        transfers.force,
        transfers.cache,
        dry_run,
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        decorated = emits(TRANSFERS)(pass_state(function))
        for option in reversed(options):
            decorated = option(decorated)
        made = on_platform(*one)(decorated)
        return promote.command(name, api_versions=[1])(made)

    return decorate


@_promotes("egg", "python_tag", "name", "version")
def egg(
    state: State,
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str,
    **options: Any,
) -> None:
    """Copy an egg to another repository.

    VERSION has the build number: 1.3.0-1.
    """
    _promote(state, place.egg(python_tag, name, version), **options)


@_promotes("runtime", "implementation", "version")
def runtime(
    state: State,
    place: SinglePlatformRepository,
    implementation: str,
    version: str,
    **options: Any,
) -> None:
    """Copy a runtime to another repository."""
    _promote(state, place.runtime(implementation, version), **options)


@_promotes("app", "python_tag", "app_id", "version")
def app(
    state: State,
    place: SinglePlatformRepository,
    python_tag: str,
    app_id: str,
    version: str,
    **options: Any,
) -> None:
    """Copy an app to another repository.

    VERSION has the build number: 1.10-2.
    """
    _promote(state, place.app(python_tag, app_id, version), **options)


@_promotes("bundle", "python_tag", "name", "version")
@click.option(
    "--closure",
    is_flag=True,
    default=False,
    help="With it, its runtime and all eggs that it names.",
)
@transfers.concurrency
def bundle(
    state: State,
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str,
    **options: Any,
) -> None:
    """Copy a bundle to another repository.

    With --closure all that belongs to it goes there too, from the repositories that the bundle
    names: nothing is sent when something is missing there, and the bundle follows when all else
    has arrived.

    PYTHON_TAG is that of its runtime, such as cp38; VERSION has the build number: 1.0.0-1.
    """
    _promote(state, place.bundle(python_tag, name, version), **options)


def _promote(
    state: State,
    artefact: Egg | Runtime | App | Bundle,
    *,
    to: str,
    to_profile: str | None,
    force: bool,
    cache: bool,
    dry_run: bool,
    emit: Emit,
    closure: bool = False,
    concurrency: int | None = None,
) -> None:
    there = state if to_profile is None else state.of_profile(to_profile)
    target = repository_named(there, to, "--to")
    from hatcher import mirror

    transfers.batch(
        emit,
        "Promotion",
        lambda progress: mirror.promote(
            artefact,
            target,
            closure=closure,
            overwrite=force,
            concurrency=concurrency,
            progress=progress,
            dry_run=dry_run,
            cache=mirror.Cache() if cache else None,
        ),
    )
