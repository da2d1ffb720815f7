"""The seam: operations of the description, as requests that a session can send.

This is the only module of hatcher that imports `brood_api`, the client generated
from ``openapi/brood.yaml``. It takes the method, the quoted path and the query
from there; sending, errors and documents are hatcher's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from brood_api.operations import OPERATIONS
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
    """
    operation_id = f"v{api_version}_{operation}"
    described = OPERATIONS.get(operation_id)
    if described is None:
        others = [v for v in API_VERSIONS if f"v{v}_{operation}" in OPERATIONS]
        raise UnsupportedAPIVersionError(
            f"Brood's API version {api_version} cannot {operation.replace('_', ' ')}; "
            f"make the client with api_version={' or '.join(map(str, others))}."
        )
    names = {
        name: checked_segment(value, _WORDS.get(name, name))
        for name, value in {**place, **arguments}.items()
        if f"{{{name}}}" in described.path
    }
    query = {
        name: str(value) if isinstance(value, bool) else value
        for name, value in arguments.items()
        if name not in names
    }
    definition = import_module(described.module).request_kwargs(**names, **query)
    return Request(
        operation=operation_id,
        method=definition["method"].upper(),
        path=definition["url"],
        safety=described.safety,
        params=definition.get("params", {}),
        json=json,
        names=names,
    )


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
