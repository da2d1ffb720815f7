"""Objects that are what their attributes are.

attrs, which makes them everywhere else, takes 30 ms to import, as long as all the rest of a
first request. So the few that no request can do without are written on this base.
"""

from __future__ import annotations

from typing import Any, NoReturn


class Value:
    """An object that cannot be changed, and is equal to another of the same attributes.

    A subclass names its attributes in `__match_args__`, which are its `__slots__` too, and
    gives their values in that order to this class's initializer.
    """

    __match_args__: tuple[str, ...] = ()
    __slots__ = ()

    def __init__(self, *values: object) -> None:
        for name, value in zip(self.__match_args__, values, strict=True):
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[Any, ...]:
        """Return what makes it equal to another, which its repr shows."""
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        pairs = zip(self.__match_args__, self._values(), strict=False)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in self.__match_args__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"'{name}' of a {type(self).__name__} cannot be set: make a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'{name}' of a {type(self).__name__} cannot be deleted.")
