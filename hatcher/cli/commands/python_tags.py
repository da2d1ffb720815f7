"""`hatcher python-tags`."""

from __future__ import annotations

import click

from hatcher.cli.groups import group
from hatcher.cli.output.data import Emit, Field, Listing, emits
from hatcher.cli.state import State, pass_state

PYTHON_TAGS = Listing((Field("python_tag", "Python Tag"),))


@group("python-tags")
def python_tags() -> None:
    """List PEP 425 python tags."""


@python_tags.command("list")
@click.option("--all", "all", is_flag=True, default=False, help="Also generic ones, such as py3.")
@emits(PYTHON_TAGS)
@pass_state
def list_(state: State, all: bool, emit: Emit) -> None:
    """List the python tags that the server knows.

    Without --all, those of real implementations and versions.
    """
    emit({"python_tag": tag} for tag in sorted(state.client.list_python_tags(list_all=all)))
