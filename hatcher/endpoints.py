"""The seam: operations of the description, as requests that a session can send.

This is the only module of hatcher that imports `brood_api`, the package generated
from ``openapi/brood.yaml``. It takes the method, the path and the query from the table
there; the generated client itself, which needs httpx, is for those who ask for it.
Sending, errors and documents are hatcher's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from brood_api.operations import OPERATIONS, Operation
from hatcher.errors import HatcherException, UnsupportedAPIVersionError
from hatcher.transport.request import Request
from hatcher.transport.urls import checked_segment

if TYPE_CHECKING:
    from brood_api.client import Client
    from hatcher.transport.session import Session

#: The versions of Brood's API that the description knows.
API_VERSIONS = tuple(sorted({int(name[1]) for name in OPERATIONS}))

#: What the path parameters are called in messages, where the bare name says too little.
_WORDS = {
    "app_id": "app's id",
    "email": "e-mail address",
    "python_tag": "python tag",
}


def checked_api_version(api_version: int) -> int:
    """Return `api_version` when it is one that the description knows.

    Raises
    ------
    UnsupportedAPIVersionError
        It is not.
    """
    if isinstance(api_version, bool) or api_version not in API_VERSIONS:
        known = " and ".join(map(str, API_VERSIONS))
        raise UnsupportedAPIVersionError(
            f"There is no API version {api_version!r}. The known versions are {known}."
        )
    return api_version


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
        The names that lead to where it is asked for. Those that are not in the
        operation's path are left out.
    json : object, optional
        The JSON body.
    **arguments
        Further path and query parameters, by the names that the description gives
        them. Booleans go out as Python's words, as Brood wants them.

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
    described = definition.described
    names = {}
    for name in definition.path_names:
        value = arguments.pop(name) if name in arguments else place.get(name)
        names[name] = checked_segment(value, _WORDS.get(name, name))
    params = {}
    for parameter in described.query:
        value = arguments.pop(parameter.name, parameter.default)
        if value is not None:
            params[parameter.name] = str(value)
        elif parameter.required:
            raise TypeError(f"{definition.operation_id} needs {parameter.name}")
    if arguments:
        raise TypeError(f"{definition.operation_id} does not know {', '.join(arguments)}")
    return Request(
        operation=definition.operation_id,
        method=described.method,
        path=described.path.format_map({name: quote(names[name], safe="") for name in names}),
        safety=described.safety,
        params=params,
        json=json,
        names=names,
    )


class _Definition(NamedTuple):
    operation_id: str
    described: Operation
    path_names: tuple[str, ...]


@cache
def _definition(api_version: int, operation: str) -> _Definition:
    operation_id = f"v{api_version}_{operation}"
    described = OPERATIONS.get(operation_id)
    if described is None:
        others = [v for v in API_VERSIONS if f"v{v}_{operation}" in OPERATIONS]
        raise UnsupportedAPIVersionError(
            f"Brood's API version {api_version} cannot {operation.replace('_', ' ')}; "
            f"make the client with api_version={' or '.join(map(str, others))}."
        )
    return _Definition(operation_id, described, tuple(re.findall(r"{(\w+)}", described.path)))


def raw_client(session: Session) -> Client:
    """Return a generated client with the session's host, auth, TLS and timeouts.

    Its connections are its own.

    Raises
    ------
    HatcherException
        The session sends through an httpx client of the user's own.
    """
    from brood_api.client import Client

    if session.is_given:
        raise HatcherException(
            "A client made with from_session has no raw client: it does not know how yours "
            "authenticates. Make one with brood_api.Client(base_url=url).set_httpx_client(yours)."
        )
    client = Client(base_url=str(session.server))
    client.set_httpx_client(session.new_client())
    client.set_async_httpx_client(session.new_async_client())
    return client
