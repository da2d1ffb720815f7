"""Commands that take place somewhere: they name it with arguments, and are handed the node."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from hatcher.cli.parameters import Decorator, arguments
from hatcher.cli.state import State, pass_state


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


def _on(find: Callable[..., object], names: tuple[str, ...], more: tuple[str, ...]) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def with_place(state: State, **options: Any) -> Any:
            place = find(state, **{name: options.pop(name) for name in names})
            return function(place=place, **options)

        return arguments(*names, *more)(pass_state(with_place))

    return decorate
