from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...parameters import path_segment

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.error import Error
    from ...models.user import User
    from ...types import Response


def _get_kwargs(
    organization: str,
    email: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v0/json/admin/users/{organization}/{email}".format(
            organization=path_segment(organization),
            email=path_segment(email),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | User | None:
    from ... import errors
    from ...models.error import Error
    from ...models.user import User

    if response.is_success and not response.content:
        return None

    if response.status_code == 200:
        response_200 = User.from_dict(errors.json_body(response))

        return response_200

    if response.status_code == 400:
        response_400 = Error.from_dict(errors.json_body(response))

        return response_400

    if response.status_code == 401:
        response_401 = Error.from_dict(errors.json_body(response))

        return response_401

    if response.status_code == 403:
        response_403 = Error.from_dict(errors.json_body(response))

        return response_403

    if response.status_code == 404:
        response_404 = Error.from_dict(errors.json_body(response))

        return response_404

    if response.status_code == 405:
        response_405 = Error.from_dict(errors.json_body(response))

        return response_405

    if response.status_code == 408:
        response_408 = Error.from_dict(errors.json_body(response))

        return response_408

    if response.status_code == 429:
        response_429 = Error.from_dict(errors.json_body(response))

        return response_429

    if response.status_code == 431:
        response_431 = Error.from_dict(errors.json_body(response))

        return response_431

    if response.status_code == 503:
        response_503 = Error.from_dict(errors.json_body(response))

        return response_503

    if response.status_code == 507:
        response_507 = Error.from_dict(errors.json_body(response))

        return response_507

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Error | User]:
    from ...types import Response

    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    organization: str,
    email: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Error | User]:
    """Describe a user

    Args:
        organization (str):
        email (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | User]
    """

    kwargs = _get_kwargs(
        organization=organization,
        email=email,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    organization: str,
    email: str,
    *,
    client: AuthenticatedClient | Client,
) -> Error | User | None:
    """Describe a user

    Args:
        organization (str):
        email (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | User
    """

    return sync_detailed(
        organization=organization,
        email=email,
        client=client,
    ).parsed


async def asyncio_detailed(
    organization: str,
    email: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Error | User]:
    """Describe a user

    Args:
        organization (str):
        email (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | User]
    """

    kwargs = _get_kwargs(
        organization=organization,
        email=email,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    organization: str,
    email: str,
    *,
    client: AuthenticatedClient | Client,
) -> Error | User | None:
    """Describe a user

    Args:
        organization (str):
        email (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | User
    """

    return (
        await asyncio_detailed(
            organization=organization,
            email=email,
            client=client,
        )
    ).parsed


def request_kwargs(
    organization: str,
    email: str,
) -> dict[str, Any]:
    """Describe a user: the request without its body, for httpx.Client.build_request.

    Returns:
        dict[str, Any]: `method`, `url` (a path, its parameters wholly quoted)
    """

    return {
        "method": "GET",
        "url": "/api/v0/json/admin/users/{organization}/{email}".format(
            organization=path_segment(organization),
            email=path_segment(email),
        ),
    }
