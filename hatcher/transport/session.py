"""The session: everything that is sent, is sent here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar
from weakref import WeakMethod

from hatcher.errors import HatcherException, InvalidJSONError, MissingName, NotFoundError
from hatcher.transport import answers
from hatcher.transport.auth import (
    AuthTypes,
    BroodClientAuth,
    checked_auth,
    identity_of,
    is_httpx_auth,
)
from hatcher.transport.request import Request
from hatcher.transport.retry import RetryPolicy
from hatcher.transport.secret import Redactor, sending
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import ServerURL

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    import httpx

    from hatcher.transport.cache import Copies, IndexCache
    from hatcher.transport.callbacks import Hooks
    from hatcher.transport.channel import Channel
    from hatcher.transport.download import Download
    from hatcher.transport.sender import Sender

P = ParamSpec("P")
T = TypeVar("T")

OnNotFound: TypeAlias = "Callable[[Session, Request], MissingName | None]"

_NO_CREDENTIALS = (
    "This client was unpickled, and credentials are never pickled: give it new ones with "
    "brood_client.with_auth(auth)."
)


class Session:
    """Where a server is, who is asking, and the connections to it.

    A session sends nothing before it is asked to, and makes its connections
    only then. It may be used from many threads. Whatever sends a request raises one of
    `hatcher.errors` when that fails, or when the answer is not what was asked for.

    Parameters
    ----------
    server : ServerURL
    api_version : int
        The version of Brood's API that the nodes of the graph speak.
    auth : BroodAuth, httpx.Auth, callable or tuple of (str, str), optional
    verify_ssl : bool, str or pathlib.Path, default True
    timeouts : Timeouts, optional
    retries : RetryPolicy, optional
    client : httpx.Client, optional
        A client of the user's own to send with; it is then the user's to close,
        and `verify_ssl` is its own. So are the timeouts, unless `timeouts` are given.
    cache : bool or pathlib.Path, default True
        Where indices are kept; True for the user's own folder. A `client` has none, since
        it is not known who it is.
    on_not_found : callable, optional
        Given the session and a request that was answered 404, returns what a user
        should try, or an empty string.
    hooks : Hooks, optional
        Headers and callbacks for every request.
    """

    def __init__(
        self,
        server: ServerURL,
        *,
        api_version: int,
        auth: AuthTypes | None = None,
        verify_ssl: bool | str | Path = True,
        timeouts: Timeouts | None = None,
        retries: RetryPolicy | None = None,
        client: httpx.Client | None = None,
        cache: bool | Path = True,
        on_not_found: OnNotFound | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.server = server
        self.api_version = api_version
        self.verify_ssl = verify_ssl
        self.timeouts = timeouts or Timeouts()
        self._given_timeouts = timeouts
        self.retries = retries or RetryPolicy()
        self.cache = cache
        self._auth = checked_auth(auth)
        self._redactor = Redactor()
        self._given = client
        self._on_not_found = on_not_found
        self._hooks = hooks
        self._sender: Sender | None = None
        self._closed = False
        self._unpickled = False
        self._lock = threading.Lock()

    # -- what nodes call ------------------------------------------------------------

    def send(self, request: Request) -> answers.Answer:
        """Send a request whose answer need not say more than that it worked; return it."""
        return self._ready().send(request)

    def fetch(self, request: Request) -> answers.Answer:
        """Send a request and return its answer as it is, also one of 304."""
        return self._ready().fetch(request)

    def stream(self, request: Request) -> Download:
        """Send a request and return its answer, to be entered while its body still arrives."""
        return self._ready().stream(request)

    def pause(self, request: Request, seconds: float) -> None:
        """Let time pass before something is sent on behalf of a request."""
        self._ready().pause(request, seconds)

    @sending
    def json(self, request: Request) -> Any:
        """Send a request and return the JSON of its answer."""
        return self._json_in(request, self.fetch(request))

    @sending
    def index(
        self,
        request: Request,
        read: Callable[[bytes], T],
        keep: Callable[[T], Copies[T]] | None = None,
    ) -> T:
        """Send a request for an index, which comes from the cache when it has not changed.

        `read` makes objects of the JSON text, and `keep` makes copies of those possible: see
        `IndexCache.get`.
        """
        asked = self._asked(request)

        def parse(headers: Mapping[str, str], content: bytes) -> T:
            text = answers.unpacked(asked, headers, content)
            return answers.read_json(asked, headers, text, read)

        if self._index_cache is not None:
            return self._index_cache.get(request, self.fetch, parse, keep)
        answer = self.fetch(request)
        return parse(answer.headers, answer.content)

    @sending
    def json_object(self, request: Request) -> dict[str, Any]:
        """Send a request and return the JSON object of its answer."""
        document = self.json(request)
        if not isinstance(document, dict):
            raise self.unexpected(request, "is no JSON object")
        return document

    @sending
    def json_if_any(self, request: Request) -> dict[str, Any]:
        """Send a request and return the JSON object of its answer; some servers give none."""
        answer = self.fetch(request)
        if not answer.content or not answers.is_json(answer.headers):
            return {}
        document = self._json_in(request, answer)
        return document if isinstance(document, dict) else {}

    def find(self, request: Request) -> dict[str, Any] | None:
        """Do as `json_object`, but return None for what is not there."""
        try:
            return self.json_object(request._replace(may_be_missing=True))
        except NotFoundError:
            return None

    def succeeds(self, request: Request) -> bool:
        """Do as `send`, but return whether it worked, or was answered 404."""
        try:
            self.send(request._replace(may_be_missing=True))
        except NotFoundError:
            return False
        return True

    @sending
    def field(self, request: Request, name: str, kind: type[T]) -> T:
        """Send a request and return one field of the JSON object in its answer."""
        value = self.json_object(request).get(name)
        if not isinstance(value, kind):
            raise self.unexpected(request, f"has no '{name}' that is a {kind.__name__}")
        return value

    def close(self) -> None:
        """Close the connections. A session that is closed cannot be used again."""
        with self._lock:
            self._closed = True
            if self._sender is not None:
                self._sender.close()

    def with_auth(self, auth: AuthTypes | None) -> Session:
        """Return a session like this one for somebody else."""
        return Session(self.server, auth=auth, client=self._given, **self._options())

    def _options(self) -> dict[str, Any]:
        """Return how it was made, but for whom, and what it sends through."""
        return {
            "api_version": self.api_version,
            "verify_ssl": self.verify_ssl,
            "timeouts": self._given_timeouts,
            "retries": self.retries,
            "cache": self.cache,
            "on_not_found": self._on_not_found,
            "hooks": self._hooks,
        }

    @property
    def is_given(self) -> bool:
        """Whether requests go through an httpx client of the user's own."""
        return self._given is not None

    @property
    def is_anonymous(self) -> bool:
        """Whether requests are sent without credentials."""
        return self._auth is None and self._given is None

    @property
    def identity(self) -> tuple[str, str | None]:
        """How requests are authenticated, and the user name where that is known."""
        if self._auth is None and self._given is not None:
            return "by the httpx client", None
        return identity_of(self._auth)

    # -- httpx clients, made when they are first needed -----------------------------

    def httpx_client(self) -> httpx.Client:
        """Return the user's own client, or make one with this session's auth, TLS and timeouts.

        Raises
        ------
        HatcherException
            The user's own client would send other credentials than this session does.
        """
        from hatcher.transport import clients

        if self._given is not None:
            if self._auth is not None:
                raise HatcherException(
                    "This client has other credentials than its httpx client, so it has no raw "
                    "client: give an httpx client that has them to BroodClient.from_session."
                )
            return self._given
        client = clients.build_client(
            self.server, self.timeouts, self._get_ssl_context, self._authorizer()
        )
        if self._hooks is not None:
            before, after = self._hooks.for_httpx(self.server.origin)
            client.event_hooks = {"request": [before], "response": [after]}
        return client

    def async_httpx_client(self) -> httpx.AsyncClient:
        """Make the same as `httpx_client` does, for `await`; a user's own has no such side."""
        from hatcher.transport import clients

        if self._given is not None:
            return clients.build_client_that_cannot_wait()
        hooks = None if self._hooks is None else self._hooks.for_httpx(self.server.origin)
        return clients.build_async_client(
            self.server, self.timeouts, self._get_ssl_context, self._authorizer(), hooks
        )

    @cached_property
    def _index_cache(self) -> IndexCache | None:
        if self.cache is False or self._given is not None:
            return None
        # Imported here, for those who ask for no index.
        from hatcher.transport.cache import open_cache

        headers = {} if self._hooks is None else self._hooks.headers
        return open_cache(self.cache, self.server, self.verify_ssl, self._auth, headers)

    def _authorizer(self) -> httpx.Auth | None:
        from hatcher.transport.authorizer import Authorizer

        auth = self._auth if is_httpx_auth(self._auth) else self._ready().authenticator
        return None if auth is None else Authorizer(self.server, auth)

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        # Shared by all connections of the session, since making one takes 0.05 s; and
        # imported here because who talks without TLS does not need it.
        from hatcher.transport.tls import ssl_context

        return ssl_context(self.verify_ssl)

    def _ready(self) -> Sender:
        with self._lock:
            if self._closed:
                raise HatcherException("This client was closed. Make a new one to go on.")
            if self._sender is None:
                self._sender = self._new_sender()
            return self._sender

    def _new_sender(self) -> Sender:
        # Imported here, for those who only build the graph.
        from hatcher.transport.sender import Sender

        channel, auth = self._watched(self._new_channel()), self._auth
        authenticator = None
        if auth is not None and not is_httpx_auth(auth):
            from hatcher.transport.tokens import Authenticator

            authenticator = Authenticator(
                auth, self._exchange_channel(auth, channel), self._redactor
            )
        advice = _weakly(self._advice)
        return Sender(
            self.server,
            channel,
            self.retries,
            advice,
            self._redactor,
            authenticator=authenticator,
            anonymous=self.is_anonymous,
        )

    def _new_channel(self) -> Channel:
        """Return what carries requests, with an httpx.Auth where there is one."""
        authorizer = self._authorizer() if is_httpx_auth(self._auth) else None
        if self._given is not None:
            from hatcher.transport.httpx_channel import HttpxChannel

            # It keeps its own authentication, unless one was given beside it.
            return HttpxChannel(
                self._given, self._redactor, authorizer, self._given_timeouts, owned=False
            )
        if authorizer is not None:
            return self._new_httpx_channel(authorizer)
        return self._new_http_channel(_weakly(self._get_ssl_context))

    def _new_http_channel(self, context: Callable[[], ssl.SSLContext]) -> Channel:
        from hatcher.transport.http_channel import HTTPChannel
        from hatcher.transport.proxies import proxy_for

        return HTTPChannel(
            self.timeouts,
            context,
            proxy_for,
            partial(_new_httpx_channel, self.server, self.timeouts, context, self._redactor),
        )

    def _new_httpx_channel(self, auth: httpx.Auth | None) -> Channel:
        context = _weakly(self._get_ssl_context)
        return _new_httpx_channel(self.server, self.timeouts, context, self._redactor, auth)

    def _exchange_channel(self, auth: object, channel: Channel) -> Channel:
        """Return what carries exchanges: what carries requests, unless TLS differs."""
        if not isinstance(auth, BroodClientAuth) or auth.verify_ssl in (None, self.verify_ssl):
            return channel

        from hatcher.transport.tls import ssl_context

        return self._watched(self._new_http_channel(partial(ssl_context, auth.verify_ssl)))

    def _watched(self, channel: Channel) -> Channel:
        """Return the channel with the user's headers and callbacks, if there are any."""
        if self._hooks is None:
            return channel
        return self._hooks.watch(channel, self.server.origin, self._redactor)

    def _get_ssl_context(self) -> ssl.SSLContext:
        return self._ssl_context

    def _advice(self, status_code: int, request: Request) -> str | MissingName | None:
        """Say what to try, where the session knows better than the status alone."""
        if status_code == 401 and self._unpickled and self._auth is None:
            return _NO_CREDENTIALS
        if status_code == 404 and self._on_not_found is not None and not request.may_be_missing:
            return self._on_not_found(self, request)
        return None

    def _json_in(self, request: Request, answer: answers.Answer) -> Any:
        try:
            return answers.parse_json(self._asked(request), answer.headers, answer.content)
        except InvalidJSONError as error:
            if request.safety != "ambiguous":
                raise
            raise InvalidJSONError(
                str(error),
                method=error.method,
                url=error.url,
                what=error.what,
                advice="It has been carried out all the same: look before asking for it again.",
            ) from error

    def _asked(self, request: Request) -> answers.Asked:
        url = f"{self.server}{request.path}"
        return answers.Asked(request.action, request.method, url, self._redactor)

    def unexpected(self, request: Request, what: str) -> InvalidJSONError:
        """Return the error for an answer that is not as it should be."""
        return answers.unexpected(self._asked(request), what)

    # -- pickling -------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        if self._given is not None:
            raise TypeError(
                "A client made with from_session cannot be pickled: its httpx client cannot."
            )
        return _unpickle, (self.server, self._options())

    def __repr__(self) -> str:
        return f"<Session url='{self.server}', api_version={self.api_version}>"


def _new_httpx_channel(
    server: ServerURL,
    timeouts: Timeouts,
    context: Callable[[], ssl.SSLContext],
    redactor: Redactor,
    auth: httpx.Auth | None = None,
) -> Channel:
    # Imported here: httpx takes its time, and most get by without it.
    from hatcher.transport import clients
    from hatcher.transport.httpx_channel import HttpxChannel

    client = clients.build_client(server, timeouts, context, auth)
    return HttpxChannel(client, redactor, owned=True)


def _weakly(method: Callable[P, T]) -> Callable[P, T]:
    """Return a session's method for what the session owns, and uses only while it is there.

    Without a circle of references, the connections of a client that is forgotten close at
    once; otherwise they would be open until Python looks for garbage.
    """
    reference = WeakMethod(method)

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        bound = reference()
        assert bound is not None
        return bound(*args, **kwargs)

    return call


def _unpickle(server: ServerURL, options: dict[str, Any]) -> Session:
    session = Session(server, **options)
    session._unpickled = True
    return session
