"""The session: everything that is sent, is sent here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from copy import copy
from functools import cache as once
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from hatcher import cancel
from hatcher.errors import (
    AuthenticationError,
    BroodHTTPError,
    HatcherException,
    MissingName,
    NotFoundError,
    RedirectError,
)
from hatcher.transport import answers, parsing
from hatcher.transport.auth import (
    AuthTypes,
    BroodClientAuth,
    checked_auth,
    identity_of,
    is_httpx_auth,
)
from hatcher.transport.channel import Channel, ChannelError, Headers, Incoming, Outgoing
from hatcher.transport.faults import OUTCOME, error_for, failure
from hatcher.transport.pool import MAX_CONNECTIONS
from hatcher.transport.redirects import MAX_REDIRECTS, redirected
from hatcher.transport.request import Request
from hatcher.transport.retry import (
    RetryPolicy,
    is_certainly_undone,
    note_overload,
    pause,
    pause_before_retry,
)
from hatcher.transport.secret import Redactor, bare_own
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.tls import ssl_context
from hatcher.transport.urls import Origin, ServerURL

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    import httpx

    from hatcher.transport.cache import IndexCache
    from hatcher.transport.callbacks import Hooks
    from hatcher.transport.download import Download
    from hatcher.transport.tokens import Authenticator

logger = logging.getLogger("hatcher")

T = TypeVar("T")

OnNotFound: TypeAlias = "Callable[[Session, Request], MissingName | None]"

#: Finds out which version of the API to speak.
FindVersion: TypeAlias = "Callable[[Session], int]"

#: Makes a result of an answer whose body may still be arriving; closes it, or hands it on.
Finish: TypeAlias = Callable[[Outgoing, Incoming], T]

#: Seconds for which the refusal of one thread's credentials holds for all other threads.
_REFUSED_FOR = 3.0

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
    api_version : int or callable
        The version of Brood's API that the nodes of the graph speak; or what finds it out, given
        the session, when it is first needed.
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
        api_version: int | FindVersion,
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
        self.given_version = api_version
        self._found_version = api_version if isinstance(api_version, int) else None
        self.verify_ssl = verify_ssl
        self.timeouts = timeouts or Timeouts()
        self._given_timeouts = timeouts
        self.retries = retries or RetryPolicy()
        self.cache = cache
        self._auth = checked_auth(auth)
        self._redact, self._given = Redactor(), client
        self._on_not_found = on_not_found
        self._hooks = hooks
        self._unpickled = unpickled
        # Shared by all connections, since making one takes 0.05 s.
        self._ssl_context = once(partial(ssl_context, verify_ssl))
        #: What is known of uploads, by repository: see `hatcher.transfer.preflight`.
        self.uploads_allowed: dict[str, Any] = {}
        #: Uploads that were interrupted, by what they would be there: see `hatcher.core.local`.
        self.uploads_in_doubt: set[object] = set()
        #: Which servers give ranges, and what may be used besides: see `hatcher.transfer.segments`.
        self.gives_ranges: dict[Origin, bool] = {}
        self.spare_connections = threading.Semaphore(MAX_CONNECTIONS // 2)
        #: What carries requests, and what puts credentials on them where that does not.
        self._channel: Channel | None = None
        self._authenticator: Authenticator | None = None
        self._lock = threading.Lock()
        #: Held by the request that finds out the version.
        self._finding = threading.Lock()
        #: Held by the request that finds out whether the server accepts the credentials.
        self._first_login = threading.RLock()
        self._is_admitted = self._is_closed = False
        self._refusal: tuple[AuthenticationError, int, float] | None = None

    @property
    def api_version(self) -> int:
        """The version of the API; the server is asked when it is to be found out."""
        if self._found_version is None:
            with cancel.holding(self._finding):
                if self._found_version is None and not isinstance(self.given_version, int):
                    self._found_version = self.given_version(self)
        assert self._found_version is not None
        return self._found_version

    @property
    def shown_version(self) -> int | str:
        """The version, or 'newest' while that is not known; nothing is sent."""
        return "newest" if self._found_version is None else self._found_version

    # -- what nodes call ------------------------------------------------------------

    @overload
    def send(self, request: Request) -> answers.Answer: ...

    @overload
    def send(
        self, request: Request, finish: Finish[T], retries: RetryPolicy | None = None
    ) -> T: ...

    def send(
        self,
        request: Request,
        finish: Finish[Any] = answers.receive_if_any,
        retries: RetryPolicy | None = None,
    ) -> Any:
        """Send a request as often as it takes; return its answer, or what `finish` makes of it."""
        failures, may_be_gone = 0, False
        while True:
            try:
                return finish(*self._attempt(request))
            except BaseException as error:
                bare_own(error)
                if not isinstance(error, HatcherException):
                    raise
                if may_be_gone and isinstance(error, NotFoundError):
                    logger.info("it was deleted, although the answer was lost: %s", error)
                    return answers.Answer(204, Headers(), b"")
                failures += 1
                policy = retries or self.retries
                seconds = pause_before_retry(policy, request.safety, failures, error)
                if request.method == "DELETE" and not is_certainly_undone(error):
                    may_be_gone, request = True, request._replace(may_be_missing=True)
            # Not within `except`: what follows is no part of that failure.
            pause(seconds)

    def stream(self, request: Request, retries: RetryPolicy | None = None) -> Download:
        """Send a request and return its answer, to be entered while its body still arrives."""
        # Imported here, for those who download nothing.
        from hatcher.transport.download import Download

        return self.send(request, Download, retries)

    def begin(self, request: Request) -> Request:
        """Send a download whose answer is wanted after that of another request, where that gains time.

        Return it, to be given to `stream`. Nothing is sent where it may have to be asked for
        credentials first, or would be one more failed login.
        """
        # Imported here, for those who download nothing.
        from hatcher.transport.http_channel import HTTPChannel

        channel = self._channel or self._open()
        if not isinstance(channel, HTTPChannel):
            return request
        outgoing: Outgoing | None = Outgoing.of(request, self.server, self._redact)
        if self._authenticator is not None and outgoing is not None:
            outgoing = self._authenticator.at_hand(outgoing, is_admitted=self._is_admitted)
        return request if outgoing is None else request._replace(begun=channel.begin(outgoing))

    def json(self, request: Request, read: Callable[[bytes], T]) -> T:
        """Send a request and return what `read` makes of the JSON in its answer."""

        def finish(outgoing: Outgoing, incoming: Incoming) -> T:
            _, headers, content = answers.receive(outgoing, incoming)
            return answers.parse_json(outgoing, read, headers, content)

        return self.send(request, finish)

    def index(self, request: Request, read: Callable[[bytes], T]) -> T:
        """Do as `json` for an index, which comes from the cache when it has not changed."""
        if self._index_cache is None:
            return self.json(request, read)

        sent = Outgoing.of(request, self.server, self._redact)
        try:
            parse = partial(answers.parse_json, sent, read)
            return self._index_cache.get(request, self.fetch, parse, read)
        except BaseException as error:
            bare_own(error)
            raise

    def prepare_for_indices(self) -> None:
        """Import what makes reading many indices quicker, and find their cache."""
        parsing.prepare()
        self._index_cache  # noqa: B018

    def fetch(self, request: Request) -> answers.Answer:
        """Send a request and return its answer with its body, also one of 304."""
        return self.send(request, answers.receive)

    def json_object(self, request: Request, *texts: str) -> dict[str, Any]:
        """Send a request and return the JSON object of its answer, which has these texts."""
        return self.json(request, lambda text: parsing.load_object(text, *texts))

    def json_if_any(self, request: Request) -> dict[str, Any]:
        """Send a request and return the JSON object of its answer; some servers give none."""

        def finish(outgoing: Outgoing, incoming: Incoming) -> dict[str, Any]:
            _, headers, content = answers.receive(outgoing, incoming)
            if not content or not answers.is_json(headers):
                return {}
            document = answers.parse_json(outgoing, parsing.loads, headers, content)
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

    def items(self, request: Request, name: str, *texts: str) -> list[Any]:
        """Send a request and return a list in its answer: of texts, or of objects that have them."""
        return self.json(request, partial(parsing.load_list, name, texts))

    def close(self) -> None:
        """Close the connections. A session that is closed cannot be used again."""
        with self._lock:
            self._is_closed = True
            channel, self._channel = self._channel, None
        for each in (channel, self._authenticator):
            if each is not None:
                each.close()

    # -- one request, once ------------------------------------------------------------

    def _attempt(self, request: Request) -> tuple[Outgoing, Incoming]:
        """Send a request; the first one alone, so that one refusal is one failed login."""
        # Nobody waits for an upload, which may take hours; and without credentials none are refused.
        if self._is_admitted or self.is_anonymous or request.body is not None:
            return self._follow(request)
        with cancel.holding(self._first_login):
            if not self._is_admitted:
                self._raise_refusal()
                return self._follow(request)
        return self._follow(request)

    def _raise_refusal(self) -> None:
        """Raise what another thread was told a moment ago: many failed logins lock an account."""
        if self._refusal is not None:
            error, thread, when = self._refusal
            is_fresh = time.monotonic() - when < _REFUSED_FOR
            if is_fresh and thread != threading.get_ident():
                raise copy(error)

    def _follow(self, request: Request) -> tuple[Outgoing, Incoming]:
        """Send a request, follow redirects, and return an answer that is no error."""
        first = outgoing = Outgoing.of(request, self.server, self._redact)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                incoming = self._exchange(outgoing)
                if 200 <= incoming.status_code < 300 or incoming.status_code == 304:
                    answers.check_range(outgoing, incoming)
                    self._is_admitted = True
                    return outgoing, incoming
                try:
                    target = redirected(outgoing, incoming, self.server.origin)
                    if target is None:
                        raise self._error(request, outgoing, incoming)
                    outgoing = target
                finally:
                    incoming.close()
            raise failure(
                RedirectError,
                first,
                f"{first.shown_url} was redirected more than {MAX_REDIRECTS} times. "
                "Check the server's URL.",
            )
        except AuthenticationError as error:
            # Not of another server, which a request was redirected to without credentials.
            exchanges = self._authenticator is not None and self._authenticator.exchanges
            if self._authenticator is not None:
                self._authenticator.forget()
            if exchanges or str(error.url).startswith(str(self.server)):
                self._is_admitted = False
                # Without its traceback, whose frames hold the request.
                self._refusal = copy(error), threading.get_ident(), time.monotonic()
            raise
        except HatcherException:
            self._is_admitted = True
            raise

    def _exchange(self, outgoing: Outgoing) -> Incoming:
        """Send a request with credentials; once more with new ones when they are refused."""
        start = time.monotonic()
        cancel.check()
        channel = self._channel or self._open()
        try:
            if self._authenticator is None or not outgoing.at_home:
                incoming = channel.exchange(outgoing)
            else:
                for sent, is_final in self._authenticator.attempts(outgoing):
                    incoming = channel.exchange(sent)
                    if is_final or incoming.status_code != 401:
                        break
                    incoming.close()
        except ChannelError as error:
            raise error_for(outgoing, error) from error
        if logger.isEnabledFor(logging.DEBUG):
            seconds = time.monotonic() - start
            url, status_code = outgoing.shown_url, incoming.status_code
            logger.debug("%s %s -> %d in %.3f s", outgoing.method, url, status_code, seconds)
        return incoming

    def _error(self, request: Request, outgoing: Outgoing, incoming: Incoming) -> BroodHTTPError:
        # Advice may need the connection: it asks the server for what there is.
        content = answers.error_body(incoming)
        status_code = incoming.status_code
        advice: str | MissingName | None = None
        if status_code == 401 and not outgoing.at_home:
            advice = (
                f"The request was redirected from {self.server} to another server, where "
                "credentials never follow. If you trust it, give its URL to the client."
            )
        elif status_code >= 500 and request.safety == "ambiguous":
            advice = OUTCOME["ambiguous"]
        elif status_code == 401 and self._unpickled and self._auth is None:
            advice = _NO_CREDENTIALS
        elif status_code == 404 and self._on_not_found is not None and not request.may_be_missing:
            advice = self._on_not_found(self, request)
        error = answers.http_error(
            outgoing,
            status_code,
            incoming.headers,
            content,
            advice=advice,
            anonymous=self.is_anonymous and outgoing.at_home,
        )
        note_overload(self.retries, error)
        return error

    # -- who is asking --------------------------------------------------------------

    def with_auth(self, auth: AuthTypes | None) -> Session:
        """Return a session like this one for somebody else."""
        session = Session(self.server, auth=auth, client=self._given, **self._options())
        session._found_version = self._found_version
        return session

    def with_version(self, api_version: int | FindVersion) -> Session:
        """Return a session like this one that speaks another version of the API."""
        options = {**self._options(), "api_version": api_version}
        return Session(self.server, auth=self._auth, client=self._given, **options)

    def _options(self) -> dict[str, Any]:
        """Return how it was made, but for whom, and what it sends through."""
        return {
            "api_version": self.given_version,
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

    def _open(self) -> Channel:
        with self._lock:
            if self._is_closed:
                raise HatcherException("This client was closed. Make a new one to go on.")
            if self._channel is None:
                channel = self._watched(self._new_channel())
                self._authenticator = self._new_authenticator(channel)
                self._channel = channel
            return self._channel

    def _new_authenticator(self, channel: Channel) -> Authenticator | None:
        auth = self._auth
        if auth is None or is_httpx_auth(auth):
            return None
        # Imported here, for those who have credentials.
        from hatcher.transport.tokens import Authenticator

        if isinstance(auth, BroodClientAuth) and auth.own_verify not in (None, self.verify_ssl):
            context = once(partial(ssl_context, auth.own_verify))
            channel = self._watched(self._new_http_channel(context))
        return Authenticator(auth, channel, self._redact)

    def _new_channel(self) -> Channel:
        """Return what carries requests, with an httpx.Auth where there is one."""
        if self._given is None and not is_httpx_auth(self._auth):
            return self._new_http_channel(self._ssl_context)
        # Imported here: httpx takes its time, and most get by without it.
        from hatcher.transport.httpx_channel import HttpxChannel, build_client

        auth = self._authorizer() if is_httpx_auth(self._auth) else None
        if self._given is not None:
            # It keeps its own authentication, unless one was given beside it.
            return HttpxChannel(self._given, self._redact, auth, self._given_timeouts, owned=False)
        client = build_client(str(self.server), self.timeouts, self._ssl_context, auth)
        return HttpxChannel(client, self._redact, owned=True)

    def _new_http_channel(self, context: Callable[[], ssl.SSLContext]) -> Channel:
        from hatcher.transport.http_channel import HTTPChannel
        from hatcher.transport.proxies import proxy_for

        return HTTPChannel(self.timeouts, context, proxy_for, self._redact)

    def _watched(self, channel: Channel) -> Channel:
        """Return the channel with the user's headers and callbacks, if there are any."""
        if self._hooks is None:
            return channel
        # Imported here, for those who have some.
        from hatcher.transport.callbacks import WatchedChannel

        return WatchedChannel(channel, self.server.origin, self._hooks)

    def _authorizer(self) -> httpx.Auth | None:
        from hatcher.transport.httpx_channel import Authorizer

        if is_httpx_auth(self._auth):
            return Authorizer(self.server, self._auth)
        if self._channel is None:
            self._open()
        authenticator = self._authenticator
        return None if authenticator is None else Authorizer(self.server, authenticator)

    @cached_property
    def _index_cache(self) -> IndexCache | None:
        if self.cache is False or self._given is not None:
            return None
        # Imported here, for those who ask for no index.
        from hatcher.transport.cache import open_cache

        headers = {} if self._hooks is None else self._hooks.headers
        return open_cache(self.cache, self.server, self.verify_ssl, self._auth, headers)

    # -- httpx clients for the raw client -------------------------------------------

    def httpx_clients(self) -> tuple[httpx.Client, httpx.AsyncClient]:
        """Return the user's own client, or make one with this session's auth, TLS and timeouts.

        The second one is the same for `await`; a user's own has no such side.

        Raises
        ------
        HatcherException
            The user's own client would send other credentials than this session does.
        """
        from hatcher.transport.httpx_channel import build_client, build_client_that_cannot_wait

        if self._given is not None:
            if self._auth is not None:
                raise HatcherException(
                    "This client has other credentials than its httpx client, so it has no raw "
                    "client: give an httpx client that has them to BroodClient.from_session."
                )
            return self._given, build_client_that_cannot_wait()
        hooks = () if self._hooks is None else self._hooks.for_httpx(self.server.origin)
        how = str(self.server), self.timeouts, self._ssl_context, self._authorizer(), hooks
        return build_client(*how), build_client(*how, is_async=True)

    # -- pickling -------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        if self._given is not None:
            raise TypeError(
                "A client made with from_session cannot be pickled: its httpx client cannot."
            )
        return partial(Session, self.server, unpickled=True, **self._options()), ()

    def __repr__(self) -> str:
        return f"<Session url='{self.server}', api_version={self.shown_version!r}>"
