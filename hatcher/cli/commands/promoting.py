"""`hatcher promote`: from one repository to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import click

from hatcher.cli import transfers
from hatcher.cli.groups import group
from hatcher.cli.parameters import completes, flag, on_platform, repository_named, together
from hatcher.cli.reporting import report_option
from hatcher.cli.state import State, pass_state

if TYPE_CHECKING:
    from hatcher.api import App, Bundle, Egg, Runtime

    _Artefact: TypeAlias = Egg | Runtime | App | Bundle


@group("promote")
def promote() -> None:
    """Copy artefacts from one repository to another.

    To another one of the same server, or with --to-profile of that of a profile; always to the same
    platform. What is there with the same sha256 is not sent again.
    """


_promoting = together(
    click.option(
        "--to",
        required=True,
        metavar="ORGANIZATION/REPOSITORY",
        shell_complete=completes("places"),
        help="The repository that it goes to.",
    ),
    click.option(
        "--to-profile",
        metavar="NAME",
        shell_complete=completes("profiles"),
        help="The profile of the server that it goes to, when that is another one.",
    ),
    transfers.uploading(transfers.cache, report_option),
)


@promote.command("egg")
@on_platform("egg")
@_promoting
def egg(egg: Egg, **options: Any) -> None:
    """Copy an egg to another repository.

    VERSION has the build number: 1.3.0-1.

    \b
    For example:
    hatcher promote egg acme dev rh8-x86_64 none spam 1.0.0-1 --to acme/other
    """
    _promote(egg, **options)


@promote.command("runtime")
@on_platform("runtime")
@_promoting
def runtime(runtime: Runtime, **options: Any) -> None:
    """Copy a runtime to another repository.

    \b
    For example:
    hatcher promote runtime acme dev rh8-x86_64 cpython 3.8.17+1 --to acme/other
    """
    _promote(runtime, **options)


@promote.command("app")
@on_platform("app")
@_promoting
def app(app: App, **options: Any) -> None:
    """Copy an app to another repository.

    VERSION has the build number: 1.10-2.

    \b
    For example:
    hatcher promote app acme dev rh8-x86_64 cp38 com.example.viewer 1.10-2 --to acme/old
    """
    _promote(app, **options)


@promote.command("bundle")
@on_platform("bundle")
@_promoting
@flag("--closure", help="With it, its runtime and all eggs that it names.")
@transfers.concurrency
def bundle(bundle: Bundle, **options: Any) -> None:
    """Copy a bundle to another repository.

    With --closure all that belongs to it goes there too, from the repositories that the bundle
    names: nothing is sent when something is missing there, and the bundle follows when all else
    has arrived.

    PYTHON_TAG is that of its runtime, such as cp38; VERSION has the build number: 1.0.0-1.

    \b
    For example:
    hatcher promote bundle acme dev rh8-x86_64 cp38 tools latest --to acme/old --closure
    """
    _promote(bundle, **options)


@pass_state
def _promote(
    state: State, artefact: _Artefact, *, to: str, to_profile: str | None, **options: Any
) -> None:
    there = state if to_profile is None else state.of_profile(to_profile)
    target = repository_named(there, to, "--to")
    from hatcher import mirror

    transfers.batch("Promotion", mirror.promote, artefact, target, **options)
