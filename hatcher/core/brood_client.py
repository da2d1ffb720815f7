"""The client: the root of the graph."""

from __future__ import annotations

import os
from functools import cached_property
from types import EllipsisType
from typing import TYPE_CHECKING, Literal, Self

from hatcher import endpoints
from hatcher.core.missing import missing_name
from hatcher.core.node import public
from hatcher.core.presence import create, delete
from hatcher.core.searchable import Searchable
from hatcher.errors import InvalidArgumentError, InvalidNameError
from hatcher.transport.auth import BasicAuth
from hatcher.transport.retry import RetryPolicy
from hatcher.transport.secret import discreet
from hatcher.transport.session import Session
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.tls import checked_verify
from hatcher.transport.urls import ServerURL, checked_segment, url_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import httpx

    from brood_api.client import Client
    from hatcher.core.documents import APIToken, NewAPIToken, WhoAmI
    from hatcher.core.organization import Organization
    from hatcher.core.repository import Repository, SinglePlatformRepository
    from hatcher.core.url_handler import BroodURLHandler
    from hatcher.transport.auth import AuthTypes
    from hatcher.transport.callbacks import Hooks, OnRequest, OnResponse
    from hatcher.transport.session import FindVersion


@public
class BroodClient(Searchable):
    """A Brood server, as somebody sees it.

    Make one with `from_url`. Nothing is sent until a method asks the server for
    something. A client may be used from many threads, and is best closed when it
    is done with: by ``with``, or by `close`.

    Examples
    --------
    >>> with BroodClient.from_url(url, auth=(email, password), api_version=1) as client:
    ...     client.list_organizations()
    ['acme']
    """

    @discreet
    def __init__(self, url_handler: Session | BroodURLHandler, api_version: int = 0) -> None:
        if not isinstance(url_handler, Session):
            url_handler = _session_of(url_handler, api_version)
        super().__init__(url_handler)

    @classmethod
    @discreet
    def from_url(
        cls,
        url: str,
        auth: AuthTypes | None = None,
        verify_ssl: bool | str | os.PathLike[str] = True,
        api_version: int | Literal["newest"] = 0,
        *,
        timeout: float | Timeouts | None = Timeouts(),
        retries: int | RetryPolicy = RetryPolicy(),
        cache: bool | str | os.PathLike[str] = True,
        headers: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
    ) -> BroodClient:
        """Make a client for a server. Nothing is sent.

        Parameters
        ----------
        url : str
            Where the server is, such as ``https://brood.example.com``. A bare host
            means https (http when it is this machine); a path prefix is kept.
        auth : tuple of (str, str), BroodBearerTokenAuth, BroodClientAuth, httpx.Auth or callable, optional
            Who is asking: ``(user name, password)``, an API token, or either
            exchanged for session tokens; or a callable that puts headers on each request,
            such as an auth object of requests. None sends no credentials: public repositories
            can be read without.
        verify_ssl : bool, str or path-like, default True
            True verifies the server's certificate against the usual authorities,
            a path against those in that PEM file or folder; False does not verify.
        api_version : {0, 1, 'newest'}, default 0
            The version of Brood's API. New scripts should say 1. Version 0, which scripts for
            the existing client expect, has no bundles and no newer runtimes. With 'newest', the
            first request is preceded by ``GET /metadata/platforms``, which finds out the newest
            version that the server speaks.
        timeout : float, Timeouts or None, optional
            Seconds to wait for the server: one number for everything, or `Timeouts`
            (by default 10 s to connect and 60 s for the rest). None waits for ever.
        retries : int or RetryPolicy, optional
            How often a request that is safe to repeat is sent again when it fails
            in passing; by default 3 times, after growing pauses.
        cache : bool, str or path-like, default True
            Where indices are kept, so that one that has not changed is not sent again:
            True for the folder that the environment variable ``HATCHER_CACHE_DIR`` names,
            or the user's own; a path for that folder; False to keep none.
        headers : mapping of str to str, optional
            Headers that go with every request to the server itself, and to no other that it
            redirects to. Those that hatcher sets itself, such as Authorization, cannot be given.
        on_request : callable, optional
            Called with a `RequestEvent` before each request is sent: each try, each step of a
            redirect, each exchange of credentials. What it puts into ``headers`` is sent; what it
            raises ends the call, and leaves it as it is. It is called from whatever thread
            sends, and from several at once.
        on_response : callable, optional
            Called likewise with a `ResponseEvent` when the head of the answer is there, or when
            it is clear that none comes.

        Returns
        -------
        BroodClient

        Raises
        ------
        InvalidURLError
            The URL is not that of a server.
        UnsupportedAPIVersionError
            There is no such version.
        InvalidArgumentError
            Another argument cannot be used.
        """
        server = ServerURL.parse(url)
        if auth is None and (credentials := url_credentials(url)):
            auth = BasicAuth(credentials[0], credentials[1].reveal())
        return cls(
            Session(
                server,
                api_version=_version(api_version),
                auth=auth,
                verify_ssl=checked_verify(verify_ssl),
                timeouts=Timeouts.of(timeout),
                retries=RetryPolicy(retries) if isinstance(retries, int) else retries,
                cache=cache if isinstance(cache, bool) else _folder(cache),
                on_not_found=missing_name,
                hooks=_hooks(headers, on_request, on_response),
            )
        )

    @classmethod
    @discreet
    def from_session(
        cls,
        url: str,
        session: httpx.Client,
        api_version: int | Literal["newest"] = 0,
        *,
        timeout: float | Timeouts | EllipsisType | None = ...,
        retries: int | RetryPolicy = RetryPolicy(),
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
    ) -> BroodClient:
        """Make a client that sends through an httpx client of your own.

        Its authentication, TLS, headers, proxies and transport are used as they
        are, and it stays yours to close. Nothing is sent, and nothing of it is changed.

        Parameters
        ----------
        url : str
            Where the server is.
        session : httpx.Client
        api_version : {0, 1, 'newest'}, default 0
            The version of Brood's API, as for `from_url`.
        timeout : float, Timeouts or None, optional
            As for `from_url`, for the requests of this client; by default the timeouts
            of `session`.
        retries, on_request, on_response
            As for `from_url`.

        Returns
        -------
        BroodClient

        Raises
        ------
        InvalidURLError, UnsupportedAPIVersionError
            As for `from_url`.
        InvalidArgumentError
            `session` is no httpx client.
        """
        import httpx

        if not isinstance(session, httpx.Client):
            raise InvalidArgumentError(
                f"session must be an httpx.Client, not a {type(session).__module__}."
                f"{type(session).__name__}. For a requests.Session, pass what it was set up "
                "with (auth, verify_ssl) to BroodClient.from_url instead."
            )
        version = _version(api_version)
        server = ServerURL.parse(url)
        return cls(
            Session(
                server,
                api_version=version,
                timeouts=None if isinstance(timeout, EllipsisType) else Timeouts.of(timeout),
                retries=RetryPolicy(retries) if isinstance(retries, int) else retries,
                client=session,
                on_not_found=missing_name,
                hooks=_hooks(None, on_request, on_response),
            )
        )

    @property
    def api_version(self) -> int:
        """The version of Brood's API that this client speaks: 0 or 1.

        A client that was made with 'newest' asks the server, unless a method has asked it for
        something before.
        """
        return self._session.api_version

    @property
    def url(self) -> str:
        """The URL of the server, without credentials."""
        return str(self._session.server)

    @cached_property
    def raw(self) -> Client:
        """The generated client for this server, to call endpoint functions directly.

        It has this client's host, authentication, TLS and timeouts, and is closed
        with it. Errors are the generated client's own, and nothing is retried. Its
        copies (``with_headers`` and the like) do not have the authentication.

        After `from_session` it sends through that same httpx client, which stays yours
        to close; so do not enter the raw client with ``with``. Its async functions need
        an ``httpx.AsyncClient`` of yours: ``brood_client.raw.set_async_httpx_client``.

        Returns
        -------
        brood_api.Client

        Raises
        ------
        HatcherException
            The client was made with `from_session` and then `with_auth`, so that its
            httpx client sends other credentials.

        Examples
        --------
        >>> from brood_api.api.platforms import v1_list_platforms
        >>> v1_list_platforms.sync(client=brood_client.raw).platforms
        ['osx-x86_64', 'rh8-x86_64', 'win-x86_64']
        """
        return endpoints.raw_client(self._session)

    @discreet
    def with_auth(self, auth: AuthTypes | None) -> BroodClient:
        """Return a client for the same server with other credentials. Nothing is sent.

        Parameters
        ----------
        auth : tuple of (str, str), BroodBearerTokenAuth, BroodClientAuth, httpx.Auth, callable or None
            As for `from_url`.

        Returns
        -------
        BroodClient
        """
        return type(self)(self._session.with_auth(auth))

    # -- organizations --------------------------------------------------------------

    def organization(self, name: str) -> Organization:
        """Return an organization; sends nothing.

        Parameters
        ----------
        name : str

        Returns
        -------
        Organization

        Raises
        ------
        InvalidNameError
            The name is empty, ``.`` or ``..``.
        """
        # Imported here: with all that is below it, it takes as long as a first answer.
        from hatcher.core.organization import Organization

        return Organization(self._session, organization=name)

    def at(self, path: str) -> Organization | Repository | SinglePlatformRepository:
        """Return the place at a path; sends nothing.

        Parameters
        ----------
        path : str
            ``organization``, ``organization/repository`` or
            ``organization/repository/platform``.

        Returns
        -------
        Organization, Repository or SinglePlatformRepository

        Raises
        ------
        InvalidNameError
            The path has more than three parts, or a part is empty, ``.`` or ``..``.

        Examples
        --------
        >>> brood_client.at('acme/dev/rh8-x86_64').list_eggs('cp311')
        """
        names = _names(path, "organization/repository/platform", at_least=1)
        place: Organization | Repository | SinglePlatformRepository = self.organization(names[0])
        for step, name in zip(("repository", "platform"), names[1:], strict=False):
            place = getattr(place, step)(name)
        return place

    def repository(self, path: str) -> Repository:
        """Return the repository at a path; sends nothing.

        Parameters
        ----------
        path : str
            ``organization/repository``.

        Returns
        -------
        Repository

        Raises
        ------
        InvalidNameError
            The path has not two parts, or one of them is empty, ``.`` or ``..``.

        Examples
        --------
        >>> brood_client.repository('acme/dev').metadata()
        """
        organization, repository = _names(path, "organization/repository")
        return self.organization(organization).repository(repository)

    def platform(self, path: str) -> SinglePlatformRepository:
        """Return one platform of a repository at a path; sends nothing.

        Parameters
        ----------
        path : str
            ``organization/repository/platform``.

        Returns
        -------
        SinglePlatformRepository

        Raises
        ------
        InvalidNameError
            The path has not three parts, or one of them is empty, ``.`` or ``..``.

        Examples
        --------
        >>> brood_client.platform('acme/dev/rh8-x86_64').list_eggs('cp311')
        """
        organization, repository, platform = _names(path, "organization/repository/platform")
        return self.organization(organization).repository(repository).platform(platform)

    def _platform_at(self, *names: str) -> SinglePlatformRepository:
        return self.organization(names[0])._platform_at(*names)

    def list_organizations(self) -> list[str]:
        """List the organizations that the caller may see.

        ``GET /admin/organizations``

        Returns
        -------
        list of str
            Their names, sorted.
        """
        return sorted(self._list("list_organizations", "organizations"))

    def create_organization(
        self, name: str, description: str, *, exist_ok: bool = False
    ) -> Organization:
        """Create an organization.

        ``POST /admin/organizations``

        Parameters
        ----------
        name : str
        description : str
            What it is, in a sentence.
        exist_ok : bool, default False
            Be content with one of that name; its description, which the server does not tell,
            stays what it is.

        Returns
        -------
        Organization
            The organization.

        Raises
        ------
        ConflictError
            There is one of that name.
        PermissionDeniedError
            The caller is no administrator of the server.
        """
        organization = self.organization(name)
        body = {"name": name, "description": description}
        create(
            self._session.send,
            self._request("create_organization", json=body),
            (lambda: name in self.list_organizations()) if exist_ok else None,
        )
        return organization

    # -- what the server knows ------------------------------------------------------

    def list_platforms(self) -> list[str]:
        """List the platforms that the server knows.

        ``GET /metadata/platforms``

        Returns
        -------
        list of str
            Their names, in the server's order.
        """
        return self._list("list_platforms", "platforms")

    def list_python_tags(self, list_all: bool = False) -> list[str]:
        """List the PEP 425 python tags that the server knows.

        ``GET /metadata/python-tags`` or ``GET /metadata/python-tags/all``

        Parameters
        ----------
        list_all : bool, default False
            Also those that are no tag of one implementation, such as ``py3``.

        Returns
        -------
        list of str
            The tags, in the server's order.
        """
        operation = "list_all_python_tags" if list_all else "list_python_tags"
        return self._list(operation, "python_tags")

    def list_available_repositories(self, include_indexable: bool = False) -> list[str]:
        """List the repositories that the caller may use, in all organizations.

        ``GET /metadata/user/repositories``

        Parameters
        ----------
        include_indexable : bool, default False
            Also those of which only the index may be read.

        Returns
        -------
        list of str
            Their names, such as ``acme/dev``, in the server's order.
        """
        # Imported here: it knows python tags, which takes as long as all the rest of a method.
        from hatcher.core.places import available_repositories

        return available_repositories(self, indexable=include_indexable)

    def whoami(self) -> WhoAmI:
        """Ask the server whether it accepts the credentials, and what they open.

        ``GET /metadata/user/repositories``

        It is small, and so a good first request: before an upload of gigabytes, or
        to see that a token still works.

        Returns
        -------
        WhoAmI
            ``{'server', 'api_version', 'authentication', 'user', 'repositories'}``. The
            user is None when there is but a token, which does not say whose it is.

        Raises
        ------
        AuthenticationError
            The server does not accept the credentials.
        """
        from hatcher.core.places import access_levels

        authentication, user = self._session.identity
        repositories: Mapping[str, str | None] = (
            dict.fromkeys(self.list_available_repositories(include_indexable=True))
            if self.api_version == 0
            else access_levels(self)
        )
        return {
            "server": self.url,
            "api_version": self.api_version,
            "authentication": authentication,
            "user": user,
            "repositories": dict(repositories),
        }

    # -- API tokens -----------------------------------------------------------------

    def list_api_tokens(self) -> list[APIToken]:
        """List the caller's API tokens, without their secrets.

        ``GET /auth/tokens/api``

        Returns
        -------
        list of APIToken
            ``{'name', 'created', 'last_used'}``; dates in ISO 8601, UTC.
        """
        return self._list("list_api_tokens", "tokens", "name")

    def create_api_token(self, name: str) -> NewAPIToken:
        """Create an API token for the caller.

        ``POST /auth/tokens/api``

        Parameters
        ----------
        name : str
            What to call it; it cannot be the name of another one.

        Returns
        -------
        NewAPIToken
            ``{'name', 'token'}``. The token is shown this once only.

        Raises
        ------
        ConflictError
            There is one of that name.
        """
        body = {"name": checked_segment(name, "name of the API token")}
        token: NewAPIToken = self._ask("create_api_token", "token", json=body)
        return token

    def delete_api_token(self, name: str, *, missing_ok: bool = False) -> None:
        """Delete one of the caller's API tokens. It stops working at once.

        ``DELETE /auth/tokens/api/{name}``

        Parameters
        ----------
        name : str
        missing_ok : bool, default False
            Be content when there is none of that name.

        Raises
        ------
        NotFoundError
            There is none of that name.
        """

        def is_gone() -> bool:
            return all(token["name"] != name for token in self.list_api_tokens())

        delete(self, "delete_api_token", is_gone if missing_ok else None, name=name)

    # -- the end --------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections; the graph of this client cannot be used after that."""
        self._session.close()
        if "raw" in self.__dict__ and not self._session.is_given:
            self.raw.get_httpx_client().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[BroodClient], tuple[Session]]:
        return type(self), (self._session,)

    def __repr__(self) -> str:
        return f"<BroodClient url='{self.url}', api_version={self._session.shown_version!r}>"


def _session_of(handler: BroodURLHandler, api_version: int) -> Session:
    """Return what a client sends through that is made as scripts for the existing client do."""
    import warnings

    session = getattr(handler, "_session", None)
    if not isinstance(session, Session):
        raise InvalidArgumentError(
            f"A BroodClient cannot be made of a {type(handler).__name__}. Use BroodClient.from_url."
        )
    warnings.warn(
        "BroodClient(url_handler, api_version) is deprecated: use BroodClient.from_url.",
        DeprecationWarning,
        stacklevel=4,  # of the caller of what keeps secrets out of frames
    )
    return session.with_version(_version(api_version))


def _version(given: int | str) -> int | FindVersion:
    """Return the version of the API that a user gives, or what finds it out."""
    if given != "newest":
        return endpoints.checked_api_version(given)
    # Imported here, for those who leave it to the server.
    from hatcher.core.dialects import newest_version

    return newest_version


def _hooks(
    headers: Mapping[str, str] | None,
    on_request: OnRequest | None,
    on_response: OnResponse | None,
) -> Hooks | None:
    """Return what a user hangs into each request, if there is something."""
    if headers in (None, {}) and on_request is None and on_response is None:
        return None
    # Imported here, for those who have some.
    from hatcher.transport.callbacks import Hooks

    return Hooks(headers, on_request, on_response)


def _folder(cache: object) -> Path | bool:
    """Return the folder that a user named for the cache."""
    if not isinstance(cache, str | os.PathLike):
        raise InvalidArgumentError(
            f"cache cannot be such a {type(cache).__name__}. Give the path of a folder, or True "
            "or False."
        )
    if not os.fspath(cache):
        return False  # as in the environment; it is not the current folder
    # Imported here, for those who keep to the usual folder.
    from hatcher.files.folders import NoHomeError, expanded

    try:
        return expanded(cache)
    except NoHomeError as error:
        raise InvalidArgumentError(
            f"cache names '{os.fspath(cache)}', and there is no such home directory. Give the "
            "whole path, or False for no cache."
        ) from error


def _names(path: str, form: str, *, at_least: int | None = None) -> list[str]:
    """Return the names in the path of a place, which has that form, or a beginning of it."""
    if not isinstance(path, str):
        raise InvalidNameError(f"A path is a string such as 'acme/dev', not {path!r}.")
    names, most = path.strip("/").split("/"), form.count("/") + 1
    if not (at_least or most) <= len(names) <= most:
        beginning = ", or its beginning" if at_least else ""
        raise InvalidNameError(f"'{path}' is no path of a place. Give '{form}'{beginning}.")
    return names
