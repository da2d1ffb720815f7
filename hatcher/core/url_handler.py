"""What scripts for the existing client make clients of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from hatcher.core.brood_client import BroodClient
from hatcher.errors import InvalidArgumentError
from hatcher.transport.parsing import loads
from hatcher.transport.request import Request
from hatcher.transport.secret import discreet
from hatcher.transport.urls import checked_segment

if TYPE_CHECKING:
    import os

    import httpx

    from hatcher.transport.auth import AuthTypes


class BroodURLHandler:
    """A server and who asks, for ``BroodClient(handler, api_version)``; deprecated.

    `BroodClient.from_url` does the same in one step. Nothing is sent.

    Parameters
    ----------
    url : str
    session : httpx.Client
        As for `BroodClient.from_session`.
    """

    @discreet
    def __init__(self, url: str, session: httpx.Client) -> None:
        self._session = BroodClient.from_session(url, session)._session

    @classmethod
    @discreet
    def from_auth(
        cls,
        url: str,
        auth: AuthTypes | None = None,
        verify_ssl: bool | str | os.PathLike[str] = True,
    ) -> BroodURLHandler:
        """Make one with what `BroodClient.from_url` takes.

        Parameters
        ----------
        url, auth, verify_ssl
            As for `BroodClient.from_url`.

        Returns
        -------
        BroodURLHandler
        """
        handler = cls.__new__(cls)
        handler._session = BroodClient.from_url(url, auth, verify_ssl)._session
        return handler

    @classmethod
    @discreet
    def from_session(cls, url: str, session: httpx.Client) -> BroodURLHandler:
        """Make one with what `BroodClient.from_session` takes.

        Parameters
        ----------
        url : str
        session : httpx.Client

        Returns
        -------
        BroodURLHandler
        """
        return cls(url, session)

    def get_json(self, path: str, **query: object) -> Any:
        """Return the JSON at a path of the server.

        ``GET {path}``

        Parameters
        ----------
        path : str
            Such as ``/api/v1/json/metadata/platforms``; what is quoted already stays so.
        **query
            The query.

        Returns
        -------
        object

        Raises
        ------
        HatcherException
            The request failed, or was answered with something else than JSON.
        """
        if not isinstance(path, str) or not path.startswith("/"):
            raise InvalidArgumentError(
                f"{path!r} is no path of a server. Give it like '/api/v1/json/metadata/platforms'."
            )
        segments = [checked_segment(each, "part of the path") for each in path[1:].split("/")]
        quoted = "".join(f"/{quote(each, safe='%')}" for each in segments)
        params = {name: str(value) for name, value in query.items()}
        return self._session.json(Request("get_json", "GET", quoted, "safe", params), loads)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"A BroodURLHandler has no '{name}' here. BroodClient.raw calls every endpoint."
        )

    def __repr__(self) -> str:
        return f"<BroodURLHandler url='{self._session.server}'>"
