from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.error import Error
    from ...models.python_tag_list import PythonTagList
    from ...types import Response


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/json/metadata/python-tags/all",
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | PythonTagList | None:
    from ... import errors
    from ...models.error import Error
    from ...models.python_tag_list import PythonTagList

    if response.is_success and not response.content:
        return None

    if response.status_code == 200:
        response_200 = PythonTagList.from_dict(errors.json_body(response))

        return response_200

    if response.status_code == 400:
        response_400 = Error.from_dict(errors.json_body(response))

        return response_400

    if response.status_code == 401:
        response_401 = Error.from_dict(errors.json_body(response))

        return response_401

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
) -> Response[Error | PythonTagList]:
    from ... import errors
    from ...types import Response

    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=errors.parsed(_parse_response, client, response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[Error | PythonTagList]:
    """List all Python tags

    The tags of real implementations, and the generic ones that an egg may carry: `py2`,
    `py3`, `py2.py3` and so on.

    Returns:
        Response[Error | PythonTagList]: `parsed` holds what comes with the status

            200: The Python tags.
            400: The request is malformed, or the file is not what it should be.
            401: The request is not authenticated.
            405: The path is not for this method.
            408: The request did not arrive in time.
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

    kwargs = _get_kwargs()

    kwargs["url"] = client.url_of(kwargs["url"])
    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
) -> Error | PythonTagList | None:
    """List all Python tags

    The tags of real implementations, and the generic ones that an egg may carry: `py2`,
    `py3`, `py2.py3` and so on.

    Returns:
        Error | PythonTagList

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    return sync_detailed(
        client=client,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[Error | PythonTagList]:
    """List all Python tags

    The tags of real implementations, and the generic ones that an egg may carry: `py2`,
    `py3`, `py2.py3` and so on.

    Returns:
        Response[Error | PythonTagList]: `parsed` holds what comes with the status

            200: The Python tags.
            400: The request is malformed, or the file is not what it should be.
            401: The request is not authenticated.
            405: The path is not for this method.
            408: The request did not arrive in time.
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

    kwargs = _get_kwargs()

    kwargs["url"] = client.url_of(kwargs["url"])
    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
) -> Error | PythonTagList | None:
    """List all Python tags

    The tags of real implementations, and the generic ones that an egg may carry: `py2`,
    `py3`, `py2.py3` and so on.

    Returns:
        Error | PythonTagList

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    return (
        await asyncio_detailed(
            client=client,
        )
    ).parsed


def request_kwargs() -> dict[str, Any]:
    """List all Python tags: the request without its body, for httpx.Client.build_request.

    Returns:
        dict[str, Any]: `method`, `url` (a path, its parameters wholly quoted)
    """

    return {
        "method": "GET",
        "url": "/api/v1/json/metadata/python-tags/all",
    }
