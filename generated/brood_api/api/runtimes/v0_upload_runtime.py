from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...parameters import UNSET, Unset, path_segment

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.error import Error
    from ...models.python_boolean import PythonBoolean
    from ...models.runtime_upload_v0 import RuntimeUploadV0
    from ...models.stored_file import StoredFile
    from ...types import Response


def _get_kwargs(
    organization: str,
    repository: str,
    platform: str,
    *,
    body: RuntimeUploadV0,
    overwrite: PythonBoolean | Unset = "False",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    json_overwrite: str | Unset = UNSET
    if not isinstance(overwrite, Unset):
        json_overwrite = overwrite

    params["overwrite"] = json_overwrite

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v0/json/data/{organization}/{repository}/{platform}/runtimes/upload".format(
            organization=path_segment(organization),
            repository=path_segment(repository),
            platform=path_segment(platform),
        ),
        "params": params,
    }

    _kwargs["content"] = body.to_multipart()

    headers.update(_kwargs["content"].headers())
    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | StoredFile | None:
    from ... import errors
    from ...models.error import Error
    from ...models.stored_file import StoredFile

    if response.is_success and not response.content:
        return None

    if response.status_code == 200:
        response_200 = StoredFile.from_dict(errors.json_body(response))

        return response_200

    if response.status_code == 201:
        response_201 = StoredFile.from_dict(errors.json_body(response))

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
        response_2xx = StoredFile.from_dict(errors.json_body(response))

        return response_2xx

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Error | StoredFile]:
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
    *,
    client: AuthenticatedClient | Client,
    body: RuntimeUploadV0,
    overwrite: PythonBoolean | Unset = "False",
) -> Response[Error | StoredFile]:
    """Upload a runtime

    A runtime of v0 is a zip file that says nothing of itself: `data` describes it.

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        body (RuntimeUploadV0): As every upload; `data` also describes the runtime. Example:
            {'file': '(the bytes of the file)', 'data': {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'language':
            'python', 'version': '2.7.13', 'build': 1, 'build_system_version': '1.0.0',
            'file_format': 'zip', 'filename': 'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}}.
        overwrite (PythonBoolean | Unset): Replace a file of the same name and version that
            has other content. Default: 'False'. Example: True.

    Returns:
        Response[Error | StoredFile]: `parsed` holds what comes with the status

            200: The file is stored. The embedded Brood answers 201, or 200 when it has the
                identical file already and has stored nothing.
            201: The file is stored. The embedded Brood answers 201, or 200 when it has the
                identical file already and has stored nothing.
            2XX: The file is stored. The embedded Brood answers 201, or 200 when it has the
                identical file already and has stored nothing.
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
        repository=repository,
        platform=platform,
        body=body,
        overwrite=overwrite,
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
    body: RuntimeUploadV0,
    overwrite: PythonBoolean | Unset = "False",
) -> Error | StoredFile | None:
    """Upload a runtime

    A runtime of v0 is a zip file that says nothing of itself: `data` describes it.

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        body (RuntimeUploadV0): As every upload; `data` also describes the runtime. Example:
            {'file': '(the bytes of the file)', 'data': {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'language':
            'python', 'version': '2.7.13', 'build': 1, 'build_system_version': '1.0.0',
            'file_format': 'zip', 'filename': 'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}}.
        overwrite (PythonBoolean | Unset): Replace a file of the same name and version that
            has other content. Default: 'False'. Example: True.

    Returns:
        Error | StoredFile

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
        client=client,
        body=body,
        overwrite=overwrite,
    ).parsed


async def asyncio_detailed(
    organization: str,
    repository: str,
    platform: str,
    *,
    client: AuthenticatedClient | Client,
    body: RuntimeUploadV0,
    overwrite: PythonBoolean | Unset = "False",
) -> Response[Error | StoredFile]:
    """Upload a runtime

    A runtime of v0 is a zip file that says nothing of itself: `data` describes it.

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        body (RuntimeUploadV0): As every upload; `data` also describes the runtime. Example:
            {'file': '(the bytes of the file)', 'data': {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'language':
            'python', 'version': '2.7.13', 'build': 1, 'build_system_version': '1.0.0',
            'file_format': 'zip', 'filename': 'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}}.
        overwrite (PythonBoolean | Unset): Replace a file of the same name and version that
            has other content. Default: 'False'. Example: True.

    Returns:
        Response[Error | StoredFile]: `parsed` holds what comes with the status

            200: The file is stored. The embedded Brood answers 201, or 200 when it has the
                identical file already and has stored nothing.
            201: The file is stored. The embedded Brood answers 201, or 200 when it has the
                identical file already and has stored nothing.
            2XX: The file is stored. The embedded Brood answers 201, or 200 when it has the
                identical file already and has stored nothing.
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
        repository=repository,
        platform=platform,
        body=body,
        overwrite=overwrite,
    )

    kwargs["url"] = client.url_of(kwargs["url"])
    kwargs["content"] = kwargs["content"].awaitable()
    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    organization: str,
    repository: str,
    platform: str,
    *,
    client: AuthenticatedClient | Client,
    body: RuntimeUploadV0,
    overwrite: PythonBoolean | Unset = "False",
) -> Error | StoredFile | None:
    """Upload a runtime

    A runtime of v0 is a zip file that says nothing of itself: `data` describes it.

    Args:
        organization (str): Name of the organization. Example: acme.
        repository (str): Name of the repository, without its organization. Example: dev.
        platform (str): Name of the platform, with hyphen or underscore; old names such as
            `rh5-64` too. Example: rh8-x86_64.
        body (RuntimeUploadV0): As every upload; `data` also describes the runtime. Example:
            {'file': '(the bytes of the file)', 'data': {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'language':
            'python', 'version': '2.7.13', 'build': 1, 'build_system_version': '1.0.0',
            'file_format': 'zip', 'filename': 'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}}.
        overwrite (PythonBoolean | Unset): Replace a file of the same name and version that
            has other content. Default: 'False'. Example: True.

    Returns:
        Error | StoredFile

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
            client=client,
            body=body,
            overwrite=overwrite,
        )
    ).parsed


def request_kwargs(
    organization: str,
    repository: str,
    platform: str,
    *,
    overwrite: PythonBoolean | Unset = "False",
) -> dict[str, Any]:
    """Upload a runtime: the request without its body, for httpx.Client.build_request.

    Returns:
        dict[str, Any]: `method`, `url` (a path, its parameters wholly quoted) and `params`
    """

    params: dict[str, Any] = {}

    json_overwrite: str | Unset = UNSET
    if not isinstance(overwrite, Unset):
        json_overwrite = overwrite

    params["overwrite"] = json_overwrite

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    return {
        "method": "POST",
        "url": "/api/v0/json/data/{organization}/{repository}/{platform}/runtimes/upload".format(
            organization=path_segment(organization),
            repository=path_segment(repository),
            platform=path_segment(platform),
        ),
        "params": params,
    }
