from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ...parameters import UNSET, Unset, path_segment

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.bundle_index import BundleIndex
    from ...models.error import Error
    from ...types import Response


def _get_kwargs(
    organization: str,
    repository: str,
    platform: str,
    *,
    if_none_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_none_match, Unset):
        headers["If-None-Match"] = if_none_match

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/json/indices/{organization}/{repository}/{platform}/bundles".format(
            organization=path_segment(organization),
            repository=path_segment(repository),
            platform=path_segment(platform),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | BundleIndex | Error | None:
    from ... import errors
    from ...models.bundle_index import BundleIndex
    from ...models.error import Error

    if response.is_success and not response.content:
        return None

    if response.status_code == 200:
        response_200 = BundleIndex.from_dict(errors.json_body(response))

        return response_200

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

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
) -> Response[Any | BundleIndex | Error]:
    from ...types import Response

    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    organization: str,
    repository: str,
    platform: str,
    *,
    client: AuthenticatedClient | Client,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | BundleIndex | Error]:
    """Get the bundle index

     By Python tag, name, version and build.

    Args:
        organization (str):
        repository (str):
        platform (str):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | BundleIndex | Error]
    """

    kwargs = _get_kwargs(
        organization=organization,
        repository=repository,
        platform=platform,
        if_none_match=if_none_match,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    organization: str,
    repository: str,
    platform: str,
    *,
    client: AuthenticatedClient | Client,
    if_none_match: str | Unset = UNSET,
) -> Any | BundleIndex | Error | None:
    """Get the bundle index

     By Python tag, name, version and build.

    Args:
        organization (str):
        repository (str):
        platform (str):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | BundleIndex | Error
    """

    return sync_detailed(
        organization=organization,
        repository=repository,
        platform=platform,
        client=client,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    organization: str,
    repository: str,
    platform: str,
    *,
    client: AuthenticatedClient | Client,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | BundleIndex | Error]:
    """Get the bundle index

     By Python tag, name, version and build.

    Args:
        organization (str):
        repository (str):
        platform (str):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | BundleIndex | Error]
    """

    kwargs = _get_kwargs(
        organization=organization,
        repository=repository,
        platform=platform,
        if_none_match=if_none_match,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    organization: str,
    repository: str,
    platform: str,
    *,
    client: AuthenticatedClient | Client,
    if_none_match: str | Unset = UNSET,
) -> Any | BundleIndex | Error | None:
    """Get the bundle index

     By Python tag, name, version and build.

    Args:
        organization (str):
        repository (str):
        platform (str):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | BundleIndex | Error
    """

    return (
        await asyncio_detailed(
            organization=organization,
            repository=repository,
            platform=platform,
            client=client,
            if_none_match=if_none_match,
        )
    ).parsed


def request_kwargs(
    organization: str,
    repository: str,
    platform: str,
) -> dict[str, Any]:
    """Get the bundle index: the request without its body, for httpx.Client.build_request.

    Returns:
        dict[str, Any]: `method`, `url` (a path, its parameters wholly quoted)
    """

    return {
        "method": "GET",
        "url": "/api/v1/json/indices/{organization}/{repository}/{platform}/bundles".format(
            organization=path_segment(organization),
            repository=path_segment(repository),
            platform=path_segment(platform),
        ),
    }
