"""How requests prove who is asking.

Three ways, and a plain ``(user name, password)`` tuple for the first:

- `BasicAuth`: user name and password with every request;
- `BroodBearerTokenAuth`: an API token with every request;
- `BroodClientAuth`: either of them once, for a session token that then goes with
  every request and is renewed in time.

None of these classes sends anything itself, and none shows its secret.
"""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, TypeAlias

from hatcher.errors import InvalidArgumentError
from hatcher.transport.secret import Secret
from hatcher.transport.tls import checked_verify
from hatcher.transport.urls import ServerURL

if TYPE_CHECKING:
    import httpx

#: Where session tokens are given out, below the server's URL; a server that does not
#: know the first is asked at the second.
EXCHANGE_PATHS = ("/api/v1/json/auth/tokens/auth", "/api/v0/json/auth/tokens/auth")

#: Seconds after which a session token is renewed; servers keep one for longer.
RENEWAL_INTERVAL = 240.0


class BasicAuth:
    """A user name and a password, sent with every request.

    Parameters
    ----------
    username : str
        Usually an e-mail address.
    password : str

    Raises
    ------
    InvalidArgumentError
        The user name holds a colon, which HTTP Basic cannot carry, or one of them holds what is
        no Unicode character.
    """

    def __init__(self, username: str, password: str) -> None:
        if ":" in username:
            raise InvalidArgumentError(
                "A user name cannot hold a ':'. Give the user name and the password apart."
            )
        try:
            f"{username}{password}".encode()
        except UnicodeEncodeError:
            # Not chained: the error holds the password.
            raise InvalidArgumentError(
                "The user name or the password holds what is no Unicode character. Give both in "
                "the encoding of the terminal, or of the environment."
            ) from None
        self.username = username
        self._password = Secret(password)

    def authorization(self) -> str:
        """Return the value of the Authorization header.

        Returns
        -------
        str
        """
        pair = f"{self.username}:{self._password.reveal()}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"

    def __repr__(self) -> str:
        return f"<BasicAuth username='{self.username}'>"


class BroodBearerTokenAuth:
    """An API token, sent with every request.

    Parameters
    ----------
    token : str
        A token as `BroodClient.create_api_token` returns it.

    Raises
    ------
    InvalidArgumentError
        The token is empty, or holds what no token holds.

    Examples
    --------
    >>> BroodClient.from_url(url, auth=BroodBearerTokenAuth(token), api_version=1)
    """

    def __init__(self, token: str) -> None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise InvalidArgumentError(
                "That is no API token: a token is one word of plain letters, digits and signs. "
                "Check for a line end or quotes that were copied with it."
            )
        self._token = Secret(token)

    def authorization(self) -> str:
        """Return the value of the Authorization header.

        Returns
        -------
        str
        """
        return f"Bearer {self._token.reveal()}"

    def __repr__(self) -> str:
        return "<BroodBearerTokenAuth>"


class BroodClientAuth:
    """A session token, got for a password or an API token and renewed in time.

    The first request exchanges the credentials at ``POST
    /api/v1/json/auth/tokens/auth`` (at v0 where the server does not know that); so
    does the first one after 240 seconds, and one that was answered 401. One object
    may serve many clients and threads.

    Parameters
    ----------
    brood_url : str
        The server that gives out the session tokens; usually the client's own.
    credentials : tuple of (str, str), str, BasicAuth or BroodBearerTokenAuth
        A user name and password, or an API token.
    verify_ssl : bool, str or None, default None
        How the exchange verifies the server's certificate: as a client's
        `verify_ssl`; None takes the setting of the client that uses it.

    Raises
    ------
    InvalidURLError, InvalidArgumentError
        The URL or the credentials cannot be used.

    Examples
    --------
    >>> url = 'https://brood.example.com'
    >>> auth = BroodClientAuth(url, ('ada@example.com', password))
    >>> brood_client = BroodClient.from_url(url, auth=auth, api_version=1)
    """

    def __init__(
        self,
        brood_url: str,
        credentials: tuple[str, str] | str | BasicAuth | BroodBearerTokenAuth,
        verify_ssl: bool | str | None = None,
    ) -> None:
        self.server = ServerURL.parse(brood_url)
        self.verify_ssl = None if verify_ssl is None else checked_verify(verify_ssl)
        self.credentials = _exchangeable(credentials)
        #: Held during an exchange, so that threads do not all make one.
        self.lock = threading.RLock()
        self._token: Secret | None = None
        self._renew_at = 0.0

    @property
    def is_stale(self) -> bool:
        """Whether a session token must be got before the next request."""
        return self._token is None or time.monotonic() >= self._renew_at

    def remember(self, token: str) -> None:
        """Keep a session token that the server gave out just now.

        Parameters
        ----------
        token : str
        """
        self._token = Secret(token)
        self._renew_at = time.monotonic() + RENEWAL_INTERVAL

    def authorization(self) -> str:
        """Return the value of the Authorization header; needs a token to be there.

        Returns
        -------
        str

        Raises
        ------
        RuntimeError
            There is none yet.
        """
        if self._token is None:
            raise RuntimeError("There is no session token yet.")
        return f"Bearer {self._token.reveal()}"

    def __repr__(self) -> str:
        return f"<BroodClientAuth brood_url='{self.server}', credentials={self.credentials!r}>"


#: What clients take as `auth`, besides an `httpx.Auth` of the user's own.
BroodAuth: TypeAlias = BasicAuth | BroodBearerTokenAuth | BroodClientAuth

#: The same as users may write it.
AuthTypes: TypeAlias = "BroodAuth | httpx.Auth | tuple[str, str]"


def checked_auth(given: AuthTypes | None) -> BroodAuth | httpx.Auth | None:
    """Return what a user gave as `auth`, a pair as BasicAuth.

    Raises
    ------
    InvalidArgumentError
        It is nothing that can be used. The message does not show it.
    """
    if given is None or isinstance(given, BroodAuth):
        return given
    match given:
        case (str(username), str(password)):
            return BasicAuth(username, password)
    if hasattr(given, "sync_auth_flow"):  # an httpx.Auth, known without importing httpx
        return given
    raise InvalidArgumentError(
        f"auth cannot be such a {type(given).__name__}. Give (user name, password), "
        "BroodBearerTokenAuth(token), or BroodClientAuth(url, credentials)."
    )


def _exchangeable(given: object) -> BasicAuth | BroodBearerTokenAuth:
    if isinstance(given, str):
        return BroodBearerTokenAuth(given)
    auth = checked_auth(given)  # type: ignore[arg-type]
    if isinstance(auth, BasicAuth | BroodBearerTokenAuth):
        return auth
    raise InvalidArgumentError(
        "credentials must be (user name, password), or an API token as a string."
    )


def identity_of(auth: BroodAuth | httpx.Auth | None) -> tuple[str, str | None]:
    """Return how requests are authenticated, in words, and the user where that is known."""
    match auth:
        case None:
            return "none", None
        case BasicAuth():
            return "password", auth.username
        case BroodBearerTokenAuth():
            return "API token", None
        case BroodClientAuth():
            kind, username = identity_of(auth.credentials)
            return f"session token for {kind}", username
    return type(auth).__name__, None
