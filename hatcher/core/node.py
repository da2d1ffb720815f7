"""What all places in the graph have in common."""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType
from typing import Any, NoReturn, TypeVar

from hatcher import endpoints
from hatcher.transport.request import Request
from hatcher.transport.session import Session
from hatcher.transport.urls import checked_segment

C = TypeVar("C")
N = TypeVar("N", bound="Node")


class Node:
    """A place on a server: its names, and the session that leads there.

    Making one sends nothing. Nodes cannot be changed, are equal when they are the
    same place, can be keys of a dict, and can be pickled (without credentials).

    Parameters
    ----------
    session : Session
    **names : str
        The names that lead to the place, outermost first.

    Raises
    ------
    InvalidNameError
        A name is empty, ``.`` or ``..``.
    """

    __slots__ = ("_names", "_session")

    _names: dict[str, str]
    _session: Session

    def __init__(self, session: Session, **names: str) -> None:
        self._set(session, names, names)

    def _set(self, session: Session, names: dict[str, str], unchecked: Iterable[str]) -> None:
        for what in unchecked:
            checked_segment(names[what], f"name of the {what}")
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_names", names)

    def _child(self, kind: type[N], **names: str) -> N:
        """Return a place that is in this one."""
        child = kind.__new__(kind)
        child._set(self._session, {**self._names, **names}, names)
        return child

    def _request(self, operation: str, **arguments: Any) -> Request:
        """Return the request of an operation on this place, or on one that it is in."""
        return endpoints.request(self._session.api_version, operation, self._names, **arguments)

    def _send(self, operation: str, **arguments: Any) -> None:
        """Have an operation carried out."""
        self._session.send(self._request(operation, **arguments))

    def _ask(self, operation: str, *texts: str, **arguments: Any) -> Any:
        """Return the JSON object that an operation answers with, which has these texts."""
        return self._session.json_object(self._request(operation, **arguments), *texts)

    def _list(self, operation: str, field: str, *texts: str, **arguments: Any) -> list[Any]:
        """Return a list that an operation answers with: of texts, or of objects that have them."""
        return self._session.items(self._request(operation, **arguments), field, *texts)

    @property
    def _whereabouts(self) -> str:
        """The place that it is or is in, with its server."""
        return f"{'/'.join([*self._names.values()][:3])} on {self._session.server}"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"'{name}' cannot be set: places on a server do not change. Ask the client for "
            "another one."
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'{name}' cannot be deleted: places on a server do not change.")

    def _identity(self) -> tuple[object, ...]:
        session = self._session
        return type(self), session.server, session.given_version, *self._names.values()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self._session, self._names)

    def __repr__(self) -> str:
        names = ", ".join(f"{what}={name!r}" for what, name in self._names.items())
        return f"<{type(self).__name__} {names}>"

    def _repr_html_(self) -> str:
        # Imported here, for notebooks.
        from html import escape

        place = "/".join(self._names.values()) or "/"
        kind, server = type(self).__name__, self._session.server
        return f"{kind} <b>{escape(place)}</b> on <code>{escape(str(server))}</code>"


class Named(Node):
    """A place whose last name is its own."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its own name, without those of the places that it is in."""
        return list(self._names.values())[-1]


class InOrganization(Node):
    """A place in an organization."""

    __slots__ = ()

    @property
    def organization_name(self) -> str:
        """The name of the organization that it belongs to."""
        return self._names["organization"]


def public(cls: type[C]) -> type[C]:
    """Let the methods that a class inherits be shown as its own, as in IPython."""
    found = {name: value for base in cls.__mro__[::-1] for name, value in vars(base).items()}
    for name, method in found.items():
        if isinstance(method, FunctionType) and not name.startswith("_") and name not in vars(cls):
            own = FunctionType(
                method.__code__, method.__globals__, name, method.__defaults__, method.__closure__
            )
            own.__dict__.update(method.__dict__)
            own.__doc__, own.__kwdefaults__ = method.__doc__, method.__kwdefaults__
            own.__annotations__ = method.__annotations__
            own.__qualname__ = f"{cls.__name__}.{name}"
            setattr(cls, name, own)
    return cls


def _unpickle(cls: type[Node], session: Session, names: dict[str, str]) -> Node:
    return cls(session, **names)
