"""Commands that take place somewhere: they name it with arguments, and are handed the node."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli.parameters import Decorator, arguments
from hatcher.cli.state import State, pass_state

if TYPE_CHECKING:
    from hatcher.api import Repository


def on_repository(*more: str) -> Decorator:
    """Give a command ORGANIZATION and REPOSITORY, and hand it the repository as ``place``.

    Parameters
    ----------
    *more : str
        The arguments behind them.
    """
    return _on(State.repository, ("organization", "repository"), more)


def on_platform(*more: str) -> Decorator:
    """Give a command ORGANIZATION, REPOSITORY and PLATFORM; hand it the last as ``place``.

    Parameters
    ----------
    *more : str
        The arguments behind them.
    """
    return _on(State.platform, ("organization", "repository", "platform"), more)


def repository_named(state: State, name: str, option: str) -> Repository:
    """Return the repository that an option names; sends nothing.

    Parameters
    ----------
    state : State
    name : str
        Such as ``acme/dev``.
    option : str
        For the message.

    Raises
    ------
    click.BadParameter
        It is no name of a repository.
    """
    organization, _, repository = name.partition("/")
    if not organization or not repository or "/" in repository:
        raise click.BadParameter(
            f"'{name}' is no repository. Give its organization too: organization/repository.",
            param_hint=f"'{option}'",
        )
    return state.repository(organization, repository)


def _on(find: Callable[..., object], names: tuple[str, ...], more: tuple[str, ...]) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def with_place(state: State, **options: Any) -> Any:
            place = find(state, **{name: options.pop(name) for name in names})
            return function(place=place, **options)

        return arguments(*names, *more)(pass_state(with_place))

    return decorate
