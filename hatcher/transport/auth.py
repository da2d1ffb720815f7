"""Authentication of requests.

There are three kinds of credentials, and a plain ``(user name, password)`` tuple for the first:

- `BasicAuth`: user name and password with every request;
- `BroodBearerTokenAuth`: an API token with every request;
- `BroodClientAuth`: either of them once, for a session token that then goes with
  every request and is renewed in time.

None of these classes sends anything itself, and none shows its secret. A callable can be given
as well: it gets every request as an `AuthRequest`, and puts headers on it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from hatcher.errors import InvalidArgumentError
from hatcher.transport.secret import Secret, basic, discreet
from hatcher.transport.tls import checked_verify
from hatcher.transport.urls import ServerURL

if TYPE_CHECKING:
    import httpx
    from typing_extensions import TypeIs

#: Where session tokens are issued, below the server's URL; the second is for servers that do not
#: know the first.
EXCHANGE_PATHS = ("/api/v1/json/auth/tokens/auth", "/api/v0/json/auth/tokens/auth")

#: Seconds after which a session token is renewed; servers keep one for longer.
RENEWAL_INTERVAL = 240.0

#: What stands before a token in a header.
_BEARER = "Bearer "

#: Characters that a token has at most; no server takes a head that is much larger.
MAX_TOKEN = 16 * 1024


class BasicAuth:
    """A user name and a password, sent with every request.

    Parameters
    ----------
    username : str or bytes
        Usually an e-mail address.
    password : str or bytes
        Text is sent in UTF-8, bytes as they are.

    Raises
    ------
    InvalidArgumentError
        The user name holds a colon, which HTTP Basic cannot carry, or one of them holds what is
        no Unicode character.
    """

    @discreet
    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        user, secret = _octets(username), _octets(password)
        if user is None or secret is None:
            raise InvalidArgumentError(
                "The user name or the password is not text, or contains invalid Unicode. "
                "Give both in the encoding of the terminal, or of the environment."
            )
        if b":" in user:
            raise InvalidArgumentError(
                "A user name cannot contain a ':'. Give the user name and the password separately."
            )
        self.username = user.decode("utf-8", "replace")
        # The value of the Authorization header.
        self.header = basic(user, secret)

    def authorization(self) -> str:
        """Return the value of the Authorization header.

        Returns
        -------
        str
        """
        return self.header.reveal()

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

    @discreet
    def __init__(self, token: str) -> None:
        if not is_token(token):
            raise InvalidArgumentError(
                "That is not an API token: a token is one word of ASCII letters, digits and "
                "punctuation. Check for a line break or quotes that were copied with it."
            )
        # The value of the Authorization header.
        self.header = Secret(f"{_BEARER}{token}")

    @property
    def token(self) -> str:
        """The API token itself (`str`); nothing else shows it."""
        return self.authorization().removeprefix(_BEARER)

    def authorization(self) -> str:
        """Return the value of the Authorization header.

        Returns
        -------
        str
        """
        return self.header.reveal()

    def __repr__(self) -> str:
        return "<BroodBearerTokenAuth>"


class TokenKeeper(Protocol):
    """Keeps a session token for later processes; what it cannot keep, it leaves."""

    def load(self) -> tuple[str, float] | None:
        """Return the token, and the seconds for which it may be used; None without one."""

    def save(self, token: str) -> None:
        """Keep a token, in place of what was kept before."""

    def forget(self) -> None:
        """Keep none any longer."""


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
        A user name and password, as `BasicAuth` takes them, or an API token.
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

    @discreet
    def __init__(
        self,
        brood_url: str,
        credentials: Pair | str | BasicAuth | BroodBearerTokenAuth,
        verify_ssl: bool | str | None = None,
    ) -> None:
        self.server = ServerURL.parse(brood_url)
        #: How an exchange verifies certificates; None as the client that uses it.
        self.own_verify = None if verify_ssl is None else checked_verify(verify_ssl)
        self.credentials = _exchangeable(credentials)
        #: Held during an exchange, so that threads do not all make one.
        self.lock = threading.RLock()
        # The value of the Authorization header; None before the first exchange.
        self.header: Secret | None = None
        self._renew_at = 0.0
        #: Set by the command line, each of whose commands is a process.
        self._keeper: TokenKeeper | None = None

    @property
    def brood_url(self) -> str:
        """The URL of the server that gives out the session tokens (`str`)."""
        return str(self.server)

    @property
    def verify_ssl(self) -> bool | str:
        """How an exchange verifies certificates: True also where that is left to the client."""
        return True if self.own_verify is None else self.own_verify

    @property
    def session_token(self) -> str | None:
        """The session token itself; None before the first exchange. Nothing else shows it."""
        return None if self.header is None else self.authorization().removeprefix(_BEARER)

    @property
    def is_stale(self) -> bool:
        """Whether a session token must be got before the next request."""
        return self.header is None or time.monotonic() >= self._renew_at

    def remember(self, token: str) -> None:
        """Keep a session token that the server has just issued.

        Parameters
        ----------
        token : str
        """
        self._use(token, RENEWAL_INTERVAL)
        if self._keeper is not None:
            self._keeper.save(token)

    def _recall(self) -> bool:
        """Use the session token that is kept; return whether there is one."""
        kept = None if self._keeper is None else self._keeper.load()
        if kept is None:
            return False
        self._use(*kept)
        return True

    def _forget(self) -> None:
        """Have the session token, which the server has refused, kept no longer."""
        if self._keeper is not None:
            self._keeper.forget()

    def _use(self, token: str, seconds: float) -> None:
        self.header = Secret(f"{_BEARER}{token}")
        self._renew_at = time.monotonic() + seconds

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
        if self.header is None:
            raise RuntimeError("There is no session token yet.")
        return self.header.reveal()

    def __repr__(self) -> str:
        return f"<BroodClientAuth brood_url='{self.server}', credentials={self.credentials!r}>"


#: What clients know to authenticate with themselves.
BroodAuth: TypeAlias = BasicAuth | BroodBearerTokenAuth | BroodClientAuth

#: A callable of the user's own, which is given an AuthRequest, or a PreparedRequest of requests.
CallableAuth: TypeAlias = Callable[[Any], object]

#: A user name and a password.
Pair: TypeAlias = tuple[str | bytes, str | bytes] | list[str] | list[bytes]

#: All that users may give as `auth`.
AuthTypes: TypeAlias = "BroodAuth | httpx.Auth | CallableAuth | Pair"


def checked_auth(given: AuthTypes | None) -> BroodAuth | httpx.Auth | CallableAuth | None:
    """Return what a user gave as `auth`, a pair as BasicAuth; never show what is refused."""
    if given is None or isinstance(given, BroodAuth):
        return given
    match given:
        case (str() | bytes() as username, str() | bytes() as password):
            return BasicAuth(username, password)
    if not isinstance(given, type):
        if is_httpx_auth(given):
            return given
        if is_requests_auth(given, "HTTPDigestAuth"):
            raise InvalidArgumentError(
                f"A {type(given).__name__} of requests needs the answers, which hatcher does not "
                "pass to auth objects of requests. Give httpx.DigestAuth(user name, password)."
            )
        if callable(given):
            # Imported here, for those who give one.
            from hatcher.transport.callbacks import refuse_coroutines

            refuse_coroutines("auth", given)
            return given
    raise InvalidArgumentError(
        f"auth cannot be of type {type(given).__name__}. Give (user name, password), "
        "BroodBearerTokenAuth(token), BroodClientAuth(url, credentials), an httpx.Auth or a "
        "callable that sets headers."
    )


def is_httpx_auth(auth: object) -> TypeIs[httpx.Auth]:
    """Whether it is an httpx.Auth, known without importing httpx."""
    return hasattr(auth, "sync_auth_flow")


def is_requests_auth(auth: object, name: str = "AuthBase") -> bool:
    """Whether it is an auth object of requests, which is never imported here."""
    module = sys.modules.get("requests.auth")
    return module is not None and isinstance(auth, getattr(module, name))


def is_token(text: object) -> TypeIs[str]:
    """Whether it can be a token: one word that a header can carry."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= MAX_TOKEN
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


def _octets(text: object) -> bytes | None:
    """Return a part of a pair as it is sent; None if it cannot be."""
    if isinstance(text, str):
        try:
            return text.encode()
        except UnicodeEncodeError:  # which holds the text
            return None
    return text if isinstance(text, bytes) else None


def _exchangeable(given: object) -> BasicAuth | BroodBearerTokenAuth:
    if isinstance(given, str):
        return BroodBearerTokenAuth(given)
    auth = checked_auth(given)  # type: ignore[arg-type]
    if isinstance(auth, BasicAuth | BroodBearerTokenAuth):
        return auth
    raise InvalidArgumentError(
        "credentials must be (user name, password), or an API token as a string."
    )


def proof_of(auth: object) -> tuple[str, ...] | None:
    """Return what tells one asker from all others, secrets included; None for who cannot be told."""
    # A subclass may add what is not known here.
    if auth is None:
        return ("nobody",)
    if type(auth) in (BasicAuth, BroodBearerTokenAuth):
        return "themselves", auth.authorization()  # type: ignore[attr-defined]
    if type(auth) is BroodClientAuth and (credentials := proof_of(auth.credentials)):
        return "session", str(auth.server), *credentials
    return None


def identity_of(auth: BroodAuth | httpx.Auth | CallableAuth | None) -> tuple[str, str | None]:
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
