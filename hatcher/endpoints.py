"""The seam: operations of the description, as requests that a session can send.

But for types and the server's description, this is the only module of hatcher that
imports `brood_api`, the package generated from ``openapi/brood.yaml``. Each request is
built by the ``request_kwargs`` of its operation's module; what is added here is the
version, checked names, and how safe the request is to repeat. Sending and errors are
hatcher's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from brood_api.operations import OPERATIONS
from hatcher.errors import UnsupportedAPIVersionError
from hatcher.transport.request import Request, Safety
from hatcher.transport.urls import checked_segment

if TYPE_CHECKING:
    from brood_api.client import Client
    from hatcher.transport.session import Session

#: The versions of Brood's API that the description knows.
API_VERSIONS = tuple(sorted({o.version for o in OPERATIONS.values() if o.version is not None}))

#: The operationIds by version and by the operationId without it.
_IDS = {(o.version, name.removeprefix(f"v{o.version}_")): name for name, o in OPERATIONS.items()}

#: What the path parameters are called in messages, where the bare name says too little.
_WORDS = {
    "app_id": "app's id",
    "email": "e-mail address",
    "python_tag": "python tag",
}


def checked_api_version(api_version: int | str) -> int:
    """Return `api_version` when it is one that the description knows.

    Raises
    ------
    UnsupportedAPIVersionError
        It is not.
    """
    if isinstance(api_version, bool) or api_version not in API_VERSIONS:
        known = " and ".join(map(str, API_VERSIONS))
        raise UnsupportedAPIVersionError(
            f"There is no API version {api_version!r}. The known versions are {known}; 'newest' is "
            "the newest that the server speaks."
        )
    return int(api_version)


def request(
    api_version: int,
    operation: str,
    place: Mapping[str, str] = MappingProxyType({}),
    *,
    json: Any = None,
    **arguments: Any,
) -> Request:
    """Return the request of an operation.

    Parameters
    ----------
    api_version : int
    operation : str
        An operationId without its version, such as ``upload_egg``.
    place : mapping of str to str, optional
        The names that lead to where it is asked for, which have been checked. Those that are
        not in the operation's path are left out.
    json : object, optional
        The JSON body.
    **arguments
        Further path and query parameters, by the names that the generated client gives
        them; a query parameter that is None is not sent. Booleans go out as Python's
        words, as Brood wants them, unless the description calls them booleans.

    Returns
    -------
    Request

    Raises
    ------
    InvalidNameError
        A path parameter cannot be a segment of a path.
    UnsupportedAPIVersionError
        This version of the API has no such operation.
    TypeError
        The description knows no such argument of the operation, or requires another.
    """
    definition = _definition(api_version, operation)
    names = []
    for name in definition.path_names:
        if name in place and name not in arguments:
            names.append(place[name])
        else:
            names.append(checked_segment(arguments.pop(name, None), _WORDS.get(name, name)))
    for name, value in arguments.items():
        if value is not None:
            arguments[name] = str(value) if name in definition.words else _text(value)
    built = _built(definition, tuple(names), tuple(arguments.items()))
    return built if json is None else built._replace(json=json)


class _Definition(NamedTuple):
    operation_id: str
    safety: Safety
    build: Callable[..., dict[str, Any]]
    path_names: tuple[str, ...]
    words: frozenset[str]


@lru_cache(maxsize=256)
def _built(
    definition: _Definition, names: tuple[str, ...], query: tuple[tuple[str, str | None], ...]
) -> Request:
    """Return a request, which is often the same one."""
    try:
        built = definition.build(*names, **dict(query))
    except TypeError as error:
        raise TypeError(f"{definition.operation_id}: {error}") from error
    return Request(
        operation=definition.operation_id,
        method=built["method"],
        path=built["url"],
        safety=definition.safety,
        params={name: _text(value) for name, value in built.get("params", {}).items()},
        names=dict(zip(definition.path_names, names, strict=True)),
    )


@cache
def _definition(api_version: int, operation: str) -> _Definition:
    operation_id = _IDS.get((api_version, operation)) or _IDS.get((None, operation))
    if operation_id is None:
        others = [version for version in API_VERSIONS if (version, operation) in _IDS]
        raise UnsupportedAPIVersionError(
            f"Brood's API version {api_version} cannot {operation.replace('_', ' ')}; "
            f"make the client with api_version={' or '.join(map(str, others))}."
        )
    described = OPERATIONS[operation_id]
    build = import_module(described.module).request_kwargs
    return _Definition(
        operation_id,
        described.safety,
        build,
        tuple(re.findall(r"{(\w+)}", described.path)),
        frozenset(name for name, kind in build.__annotations__.items() if "bool" not in kind),
    )


def _text(value: object) -> str:
    """Return a value of a query as httpx writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def raw_client(session: Session) -> Client:
    """Return a generated client for the session's server.

    It sends through the session's httpx client where that is the user's own, and otherwise
    through one with the same auth, TLS and timeouts, whose connections are its own.

    Raises
    ------
    HatcherException
        The session has other credentials than its httpx client.
    """
    from brood_api.client import Client

    client = Client(base_url=str(session.server))
    waiting, awaited = session.httpx_clients()
    client.set_httpx_client(waiting)
    client.set_async_httpx_client(awaited)
    return client
