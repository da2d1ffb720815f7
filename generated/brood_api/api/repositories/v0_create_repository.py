from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...parameters import path_segment

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.error import Error
    from ...models.new_repository import NewRepository
    from ...models.repository_created import RepositoryCreated
    from ...types import Response


def _get_kwargs(
    organization: str,
    *,
    body: NewRepository,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v0/json/admin/organizations/{organization}/repositories".format(
            organization=path_segment(organization),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | RepositoryCreated | None:
    from ... import errors
    from ...models.error import Error
    from ...models.repository_created import RepositoryCreated

    if response.is_success and not response.content:
        return None

    if response.status_code == 201:
        response_201 = RepositoryCreated.from_dict(errors.json_body(response))

        return response_201

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

    if response.status_code == 409:
        response_409 = Error.from_dict(errors.json_body(response))

        return response_409

    if response.status_code == 413:
        response_413 = Error.from_dict(errors.json_body(response))

        return response_413

    if response.status_code == 415:
        response_415 = Error.from_dict(errors.json_body(response))

        return response_415

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

    if 200 <= response.status_code <= 299:
        response_2xx = RepositoryCreated.from_dict(errors.json_body(response))

        return response_2xx

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Error | RepositoryCreated]:
    from ... import errors
    from ...types import Response

    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=errors.parsed(_parse_response, client, response),
    )


def sync_detailed(
    organization: str,
    *,
    client: AuthenticatedClient | Client,
    body: NewRepository,
) -> Response[Error | RepositoryCreated]:
    """Create a repository

    Args:
        organization (str): Name of the organization. Example: acme.
        body (NewRepository): A repository to create Example: {'name': 'dev', 'description':
            'Our own packages'}.

    Returns:
        Response[Error | RepositoryCreated]: `parsed` holds what comes with the status

            201: Created.
            2XX: Created.
            400: The request is malformed, or the file is not what it should be.
            401: The request is not authenticated.
            403: The account's access level is too low for this, or the request comes from
                the page of another site.
            404: There is no such thing, or the account may not see it.
            405: The path is not for this method.
            408: The request did not arrive in time.
            409: It exists already with other content, or something is still in it.
            413: The document or the file is larger than the server takes.
            415: The body has another Content-Type than the operation takes.
            429: Too many requests, or too many failed logins.
            431: Target and headers are larger than the server takes.
            503: The server cannot do it for now; it may in a moment.
            507: The server has no room for it; a full disk may also get in the way of
                reading.

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    kwargs = _get_kwargs(
        organization=organization,
        body=body,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    organization: str,
    *,
    client: AuthenticatedClient | Client,
    body: NewRepository,
) -> Error | RepositoryCreated | None:
    """Create a repository

    Args:
        organization (str): Name of the organization. Example: acme.
        body (NewRepository): A repository to create Example: {'name': 'dev', 'description':
            'Our own packages'}.

    Returns:
        Error | RepositoryCreated

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    return sync_detailed(
        organization=organization,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    organization: str,
    *,
    client: AuthenticatedClient | Client,
    body: NewRepository,
) -> Response[Error | RepositoryCreated]:
    """Create a repository

    Args:
        organization (str): Name of the organization. Example: acme.
        body (NewRepository): A repository to create Example: {'name': 'dev', 'description':
            'Our own packages'}.

    Returns:
        Response[Error | RepositoryCreated]: `parsed` holds what comes with the status

            201: Created.
            2XX: Created.
            400: The request is malformed, or the file is not what it should be.
            401: The request is not authenticated.
            403: The account's access level is too low for this, or the request comes from
                the page of another site.
            404: There is no such thing, or the account may not see it.
            405: The path is not for this method.
            408: The request did not arrive in time.
            409: It exists already with other content, or something is still in it.
            413: The document or the file is larger than the server takes.
            415: The body has another Content-Type than the operation takes.
            429: Too many requests, or too many failed logins.
            431: Target and headers are larger than the server takes.
            503: The server cannot do it for now; it may in a moment.
            507: The server has no room for it; a full disk may also get in the way of
                reading.

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    kwargs = _get_kwargs(
        organization=organization,
        body=body,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    organization: str,
    *,
    client: AuthenticatedClient | Client,
    body: NewRepository,
) -> Error | RepositoryCreated | None:
    """Create a repository

    Args:
        organization (str): Name of the organization. Example: acme.
        body (NewRepository): A repository to create Example: {'name': 'dev', 'description':
            'Our own packages'}.

    Returns:
        Error | RepositoryCreated

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    return (
        await asyncio_detailed(
            organization=organization,
            client=client,
            body=body,
        )
    ).parsed


def request_kwargs(
    organization: str,
) -> dict[str, Any]:
    """Create a repository: the request without its body, for httpx.Client.build_request.

    Returns:
        dict[str, Any]: `method`, `url` (a path, its parameters wholly quoted)
    """

    return {
        "method": "POST",
        "url": "/api/v0/json/admin/organizations/{organization}/repositories".format(
            organization=path_segment(organization),
        ),
    }
