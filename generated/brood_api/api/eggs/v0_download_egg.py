from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ...parameters import UNSET, Unset, path_segment

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.error import Error
    from ...types import File, Response


def _get_kwargs(
    organization: str,
    repository: str,
    platform: str,
    python_tag: str,
    name: str,
    version: str,
    *,
    range_: str | Unset = UNSET,
    if_range: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(range_, Unset):
        headers["Range"] = range_

    if not isinstance(if_range, Unset):
        headers["If-Range"] = if_range

    if not isinstance(if_none_match, Unset):
        headers["If-None-Match"] = if_none_match

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v0/json/data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}".format(
            organization=path_segment(organization),
            repository=path_segment(repository),
            platform=path_segment(platform),
            python_tag=path_segment(python_tag),
            name=path_segment(name),
            version=path_segment(version),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Error | File | None:
    from io import BytesIO

    from ... import errors
    from ...models.error import Error
    from ...types import File

    if response.status_code == 200:
        response_200 = File(payload=BytesIO(response.content))

        return response_200

    if response.status_code == 206:
        response_206 = File(payload=BytesIO(response.content))

        return response_206

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

    if response.status_code == 416:
        response_416 = Error.from_dict(errors.json_body(response))

        return response_416

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
) -> Response[Any | Error | File]:
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
    repository: str,
    platform: str,
    python_tag: str,
    name: str,
    version: str,
    *,
    client: AuthenticatedClient | Client,
    range_: str | Unset = UNSET,
    if_range: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | Error | File]:
    """Download an egg

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        python_tag (str): Python tag of the artefact, as of PEP 425; `none` for an egg that
            has none. Example: py3.
        name (str): Name of the egg, in the case of its file name. Example: numpy.
        version (str): Full version, that is version and build, `1.26.4-1`. Example:
            1.26.4-1.
        range_ (str | Unset): The part of the file that is wanted, to resume a download.
            Example: bytes=1048576-.
        if_range (str | Unset): Answer with the part only if the file still has this ETag,
            else with the whole. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".
        if_none_match (str | Unset): Answer 304 if the ETag is still this one. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".

    Returns:
        Response[Any | Error | File]: `parsed` holds what comes with the status

            200: The whole file.
            206: The part that was asked for.
            304: The file still has the ETag that the client knows.
            400: The request is malformed, or the file is not what it should be.
            401: The request is not authenticated.
            403: The account's access level is too low for this, or the request comes from
                the page of another site.
            404: There is no such thing, or the account may not see it.
            405: The path is not for this method.
            408: The request did not arrive in time.
            416: The file ends before the part that was asked for begins.
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
        repository=repository,
        platform=platform,
        python_tag=python_tag,
        name=name,
        version=version,
        range_=range_,
        if_range=if_range,
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
    python_tag: str,
    name: str,
    version: str,
    *,
    client: AuthenticatedClient | Client,
    range_: str | Unset = UNSET,
    if_range: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | Error | File | None:
    """Download an egg

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        python_tag (str): Python tag of the artefact, as of PEP 425; `none` for an egg that
            has none. Example: py3.
        name (str): Name of the egg, in the case of its file name. Example: numpy.
        version (str): Full version, that is version and build, `1.26.4-1`. Example:
            1.26.4-1.
        range_ (str | Unset): The part of the file that is wanted, to resume a download.
            Example: bytes=1048576-.
        if_range (str | Unset): Answer with the part only if the file still has this ETag,
            else with the whole. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".
        if_none_match (str | Unset): Answer 304 if the ETag is still this one. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".

    Returns:
        Any | Error | File

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    return sync_detailed(
        organization=organization,
        repository=repository,
        platform=platform,
        python_tag=python_tag,
        name=name,
        version=version,
        client=client,
        range_=range_,
        if_range=if_range,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    organization: str,
    repository: str,
    platform: str,
    python_tag: str,
    name: str,
    version: str,
    *,
    client: AuthenticatedClient | Client,
    range_: str | Unset = UNSET,
    if_range: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | Error | File]:
    """Download an egg

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        python_tag (str): Python tag of the artefact, as of PEP 425; `none` for an egg that
            has none. Example: py3.
        name (str): Name of the egg, in the case of its file name. Example: numpy.
        version (str): Full version, that is version and build, `1.26.4-1`. Example:
            1.26.4-1.
        range_ (str | Unset): The part of the file that is wanted, to resume a download.
            Example: bytes=1048576-.
        if_range (str | Unset): Answer with the part only if the file still has this ETag,
            else with the whole. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".
        if_none_match (str | Unset): Answer 304 if the ETag is still this one. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".

    Returns:
        Response[Any | Error | File]: `parsed` holds what comes with the status

            200: The whole file.
            206: The part that was asked for.
            304: The file still has the ETag that the client knows.
            400: The request is malformed, or the file is not what it should be.
            401: The request is not authenticated.
            403: The account's access level is too low for this, or the request comes from
                the page of another site.
            404: There is no such thing, or the account may not see it.
            405: The path is not for this method.
            408: The request did not arrive in time.
            416: The file ends before the part that was asked for begins.
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
        repository=repository,
        platform=platform,
        python_tag=python_tag,
        name=name,
        version=version,
        range_=range_,
        if_range=if_range,
        if_none_match=if_none_match,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    organization: str,
    repository: str,
    platform: str,
    python_tag: str,
    name: str,
    version: str,
    *,
    client: AuthenticatedClient | Client,
    range_: str | Unset = UNSET,
    if_range: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | Error | File | None:
    """Download an egg

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        python_tag (str): Python tag of the artefact, as of PEP 425; `none` for an egg that
            has none. Example: py3.
        name (str): Name of the egg, in the case of its file name. Example: numpy.
        version (str): Full version, that is version and build, `1.26.4-1`. Example:
            1.26.4-1.
        range_ (str | Unset): The part of the file that is wanted, to resume a download.
            Example: bytes=1048576-.
        if_range (str | Unset): Answer with the part only if the file still has this ETag,
            else with the whole. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".
        if_none_match (str | Unset): Answer 304 if the ETag is still this one. Example:
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".

    Returns:
        Any | Error | File

    Raises:
        errors.UnexpectedStatus: If the status is another one than those described and
            Client.raise_on_unexpected_status is True.
        errors.UnexpectedContent: If the body is not the document described.
        httpx.TimeoutException: If the request takes longer than Client.timeout.
    """

    return (
        await asyncio_detailed(
            organization=organization,
            repository=repository,
            platform=platform,
            python_tag=python_tag,
            name=name,
            version=version,
            client=client,
            range_=range_,
            if_range=if_range,
            if_none_match=if_none_match,
        )
    ).parsed


def request_kwargs(
    organization: str,
    repository: str,
    platform: str,
    python_tag: str,
    name: str,
    version: str,
) -> dict[str, Any]:
    """Download an egg: the request without its body, for httpx.Client.build_request.

    Returns:
        dict[str, Any]: `method`, `url` (a path, its parameters wholly quoted)
    """

    return {
        "method": "GET",
        "url": "/api/v0/json/data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}".format(
            organization=path_segment(organization),
            repository=path_segment(repository),
            platform=path_segment(platform),
            python_tag=path_segment(python_tag),
            name=path_segment(name),
            version=path_segment(version),
        ),
    }
