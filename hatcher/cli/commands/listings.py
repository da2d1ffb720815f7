"""What a server lists: `hatcher platforms`, `hatcher python-tags` and `hatcher user`."""

from __future__ import annotations

from hatcher.cli.data import Emit, Field, Listing, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import flag
from hatcher.cli.state import State, pass_state


@group("platforms")
def platforms() -> None:
    """List platforms."""


@platforms.command("list")
@emits(Listing((Field("name", "Platforms"),)))
@pass_state
def list_platforms(state: State, emit: Emit) -> None:
    """List the platforms that the server knows."""
    emit({"name": name} for name in state.client.list_platforms())


@group("python-tags")
def python_tags() -> None:
    """List PEP 425 python tags."""


@python_tags.command("list")
@flag("--all", help="Also generic ones, such as py3.")
@emits(Listing((Field("python_tag", "Python Tag"),)))
@pass_state
def list_python_tags(state: State, all: bool, emit: Emit) -> None:
    """List the python tags that the server knows.

    Without --all, those of real implementations and versions.
    """
    emit({"python_tag": tag} for tag in sorted(state.client.list_python_tags(list_all=all)))


@group("user")
def user() -> None:
    """What you have access to."""


@user.command("repositories")
@flag("--include-indexable", help="Also those of which you may read the index only.")
@emits(Listing((Field("name", "Repository"),)))
@pass_state
def repositories(state: State, include_indexable: bool, emit: Emit) -> None:
    """List the repositories that you have access to, in all organizations."""
    names = state.client.list_available_repositories(include_indexable=include_indexable)
    emit({"name": name} for name in names)
