"""The session: everything that is sent, is sent here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import cache as once
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from hatcher.errors import HatcherException, InvalidJSONError, MissingName, NotFoundError
from hatcher.transport import answers, cancel, parsing
from hatcher.transport.auth import (
    AuthTypes,
    BroodClientAuth,
    checked_auth,
    identity_of,
    is_httpx_auth,
)
from hatcher.transport.channel import ChannelError, Headers
from hatcher.transport.faults import error_for
from hatcher.transport.request import Request
from hatcher.transport.retry import RetryPolicy, is_certainly_undone, log_recovery
from hatcher.transport.secret import Redactor, bare_own
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.tls import ssl_context
from hatcher.transport.urls import ServerURL

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    import httpx

    from hatcher.transport.cache import IndexCache
    from hatcher.transport.callbacks import Hooks
    from hatcher.transport.channel import Channel, Incoming, Outgoing
    from hatcher.transport.download import Download
    from hatcher.transport.sender import Sender
    from hatcher.transport.tokens import Authenticator

T = TypeVar("T")

OnNotFound: TypeAlias = "Callable[[Session, Request], MissingName | None]"

#: Makes a result of an answer whose body may still be arriving; closes it, or hands it on.
Finish: TypeAlias = "Callable[[Outgoing, Incoming], T]"

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
        Given the session and a request that was answered 404, returns the name that is wrong,
        or None.
    hooks : Hooks, optional
        Headers and callbacks for every request.
    unpickled : bool, default False
        Whether its credentials are missing because it was pickled.
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
        unpickled: bool = False,
    ) -> None:
        self.server = server
        self.api_version = api_version
        self.verify_ssl = verify_ssl
        self.timeouts = timeouts or Timeouts()
        self._given_timeouts = timeouts
        self.retries = retries or RetryPolicy()
        self.cache = cache
        self._auth = checked_auth(auth)
        self._redact = Redactor()
        self._given = client
        self._on_not_found = on_not_found
        self._hooks = hooks
        self._unpickled = unpickled
        # Shared by all connections, since making one takes 0.05 s.
        self._ssl_context = once(partial(ssl_context, verify_ssl))
        self._sender: Sender | None = None
        self._closed = False
        #: When it was last found that files may be uploaded to a repository.
        self.uploads_allowed: dict[str, float] = {}
        self._lock = threading.Lock()

    # -- what nodes call ------------------------------------------------------------

    @overload
    def send(self, request: Request) -> answers.Answer: ...

    @overload
    def send(self, request: Request, finish: Finish[T]) -> T: ...

    def send(self, request: Request, finish: Finish[Any] = answers.receive_if_any) -> Any:
        """Send a request as often as it takes; return its answer, or what `finish` makes of it."""
        sender = self._sender or self._open()
        failures, may_be_gone = 0, False
        while True:
            try:
                return finish(*sender.open(request, self._advice))
            except BaseException as error:
                bare_own(error)
                if not isinstance(error, HatcherException):
                    raise
                if may_be_gone and isinstance(error, NotFoundError):
                    log_recovery("it was deleted, although the answer was lost: %s", error)
                    return answers.Answer(204, Headers(), b"")
                may_try = failures < self.retries.retries
                if not may_try or not self.retries.allows(request.safety, error):
                    raise
                if request.method == "DELETE" and not is_certainly_undone(error):
                    may_be_gone, request = True, request._replace(may_be_missing=True)
                failures += 1
                seconds = self.retries.pause(failures, error)
                log_recovery("trying again in %.1f s after: %s", seconds, error)
            # Not within `except`: what follows is no part of that failure.
            self.pause(request, seconds)

    def fetch(self, request: Request) -> answers.Answer:
        """Send a request and return its answer with its body, also one of 304."""
        return self.send(request, answers.receive)

    def stream(self, request: Request) -> Download:
        """Send a request and return its answer, to be entered while its body still arrives."""
        # Imported here, for those who download nothing.
        from hatcher.transport.download import Download

        return self.send(request, Download)

    def json(self, request: Request, read: Callable[[bytes], T]) -> T:
        """Send a request and return what `read` makes of the JSON in its answer."""

        def finish(outgoing: Outgoing, incoming: Incoming) -> T:
            _, headers, content = answers.receive(outgoing, incoming)
            return answers.parse_json(outgoing, headers, content, read)

        return self.send(request, finish)

    def index(self, request: Request, read: Callable[[bytes], T]) -> T:
        """Do as `json` for an index, which comes from the cache when it has not changed."""
        if self._index_cache is None:
            return self.json(request, read)

        def parse(headers: Mapping[str, str], content: bytes) -> T:
            return answers.parse_json(self._prepared(request), headers, content, read)

        try:
            return self._index_cache.get(request, self.fetch, parse)
        except BaseException as error:
            bare_own(error)
            raise

    def json_object(self, request: Request) -> dict[str, Any]:
        """Send a request and return the JSON object of its answer."""
        return self.json(request, parsing.load_object)

    def json_if_any(self, request: Request) -> dict[str, Any]:
        """Send a request and return the JSON object of its answer; some servers give none."""

        def finish(outgoing: Outgoing, incoming: Incoming) -> dict[str, Any]:
            _, headers, content = answers.receive(outgoing, incoming)
            if not content or not answers.is_json(headers):
                return {}
            document = answers.parse_json(outgoing, headers, content, parsing.loads)
            return document if isinstance(document, dict) else {}

        return self.send(request, finish)

    def find(self, request: Request) -> dict[str, Any] | None:
        """Do as `json_object`, but return None for what is not there."""
        try:
            return self.json_object(request._replace(may_be_missing=True))
        except NotFoundError:
            return None

    def succeeds(self, request: Request) -> bool:
        """Send a request and return whether it worked, or was answered 404."""
        try:
            self.send(request._replace(may_be_missing=True))
        except NotFoundError:
            return False
        return True

    def field(self, request: Request, name: str, kind: type[T]) -> T:
        """Send a request and return one field of the JSON object in its answer."""
        return self.json(request, partial(parsing.load_field, name, kind))

    def unexpected(self, request: Request, what: str) -> InvalidJSONError:
        """Return the error for an answer that is not as it should be."""
        return answers.unexpected(self._prepared(request), what)

    def pause(self, request: Request, seconds: float) -> None:
        """Wait before something is sent on behalf of a request, unless it is cancelled."""
        token = cancel.current()
        if token is None:
            time.sleep(seconds)
        elif token.sleep(seconds):
            raise error_for(self._prepared(request), ChannelError("cancelled"))

    def _prepared(self, request: Request) -> Outgoing:
        return (self._sender or self._open()).prepared(request)

    def close(self) -> None:
        """Close the connections. A session that is closed cannot be used again."""
        with self._lock:
            self._closed = True
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    # -- who is asking --------------------------------------------------------------

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

    # -- what requests go through, made when it is first needed ---------------------

    def _open(self) -> Sender:
        # Imported here, for those who only build the graph.
        from hatcher.transport.sender import Sender

        with self._lock:
            if self._closed:
                raise HatcherException("This client was closed. Make a new one to go on.")
            if self._sender is None:
                channel = self._watched(self._new_channel())
                self._sender = Sender(
                    self.server,
                    channel,
                    self._redact,
                    self._authenticator(channel),
                    anonymous=self.is_anonymous,
                )
            return self._sender

    def _authenticator(self, channel: Channel) -> Authenticator | None:
        """Return what puts credentials on requests, where the channel does not."""
        auth = self._auth
        if auth is None or is_httpx_auth(auth):
            return None
        # Imported here, for those who have credentials.
        from hatcher.transport.tokens import Authenticator

        if isinstance(auth, BroodClientAuth) and auth.verify_ssl not in (None, self.verify_ssl):
            context = once(partial(ssl_context, auth.verify_ssl))
            channel = self._watched(self._new_http_channel(context))
        return Authenticator(auth, channel, self._redact)

    def _new_channel(self) -> Channel:
        """Return what carries requests, with an httpx.Auth where there is one."""
        authorizer = self._authorizer() if is_httpx_auth(self._auth) else None
        if self._given is not None:
            from hatcher.transport.httpx_channel import HttpxChannel

            # It keeps its own authentication, unless one was given beside it.
            return HttpxChannel(
                self._given, self._redact, authorizer, self._given_timeouts, owned=False
            )
        if authorizer is not None:
            return _new_httpx_channel(
                self._redact, self.server, self.timeouts, self._ssl_context, authorizer
            )
        return self._new_http_channel(self._ssl_context)

    def _new_http_channel(self, context: Callable[[], ssl.SSLContext]) -> Channel:
        from hatcher.transport.http_channel import HTTPChannel
        from hatcher.transport.proxies import proxy_for

        # Not a method: connections that hold the session would outlive a client that is forgotten.
        through_httpx = partial(
            _new_httpx_channel, self._redact, self.server, self.timeouts, context, None
        )
        return HTTPChannel(self.timeouts, context, proxy_for, through_httpx)

    def _watched(self, channel: Channel) -> Channel:
        """Return the channel with the user's headers and callbacks, if there are any."""
        if self._hooks is None:
            return channel
        # Imported here, for those who have some.
        from hatcher.transport.callbacks import WatchedChannel

        return WatchedChannel(channel, self.server.origin, self._hooks)

    def _authorizer(self) -> httpx.Auth | None:
        from hatcher.transport.httpx_clients import Authorizer

        if is_httpx_auth(self._auth):
            return Authorizer(self.server, self._auth)
        auth = (self._sender or self._open()).authenticator
        return None if auth is None else Authorizer(self.server, auth)

    def _advice(self, status_code: int, request: Request) -> str | MissingName | None:
        """Say what to try, where the session knows better than the status alone."""
        if status_code == 401 and self._unpickled and self._auth is None:
            return _NO_CREDENTIALS
        if status_code == 404 and self._on_not_found is not None and not request.may_be_missing:
            return self._on_not_found(self, request)
        return None

    @cached_property
    def _index_cache(self) -> IndexCache | None:
        if self.cache is False or self._given is not None:
            return None
        # Imported here, for those who ask for no index.
        from hatcher.transport.cache import open_cache

        headers = {} if self._hooks is None else self._hooks.headers
        return open_cache(self.cache, self.server, self.verify_ssl, self._auth, headers)

    # -- httpx clients for the raw client -------------------------------------------

    def httpx_client(self) -> httpx.Client:
        """Return the user's own client, or make one with this session's auth, TLS and timeouts.

        Raises
        ------
        HatcherException
            The user's own client would send other credentials than this session does.
        """
        from hatcher.transport import httpx_clients

        if self._given is not None:
            if self._auth is not None:
                raise HatcherException(
                    "This client has other credentials than its httpx client, so it has no raw "
                    "client: give an httpx client that has them to BroodClient.from_session."
                )
            return self._given
        return self._build(httpx_clients.build_client)

    def async_httpx_client(self) -> httpx.AsyncClient:
        """Make the same as `httpx_client` does, for `await`; a user's own has no such side."""
        from hatcher.transport import httpx_clients

        if self._given is not None:
            return httpx_clients.build_client_that_cannot_wait()
        return self._build(httpx_clients.build_async_client)

    def _build(self, build: Callable[..., T]) -> T:
        hooks = () if self._hooks is None else self._hooks.for_httpx(self.server.origin)
        return build(self.server, self.timeouts, self._ssl_context, self._authorizer(), hooks)

    # -- pickling -------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        if self._given is not None:
            raise TypeError(
                "A client made with from_session cannot be pickled: its httpx client cannot."
            )
        return partial(Session, self.server, unpickled=True, **self._options()), ()

    def __repr__(self) -> str:
        return f"<Session url='{self.server}', api_version={self.api_version}>"


def _new_httpx_channel(redact: Redactor, *options: Any) -> Channel:
    # Imported here: httpx takes its time, and most get by without it.
    from hatcher.transport import httpx_clients
    from hatcher.transport.httpx_channel import HttpxChannel

    return HttpxChannel(httpx_clients.build_client(*options), redact, owned=True)
