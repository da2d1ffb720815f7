"""Every touch of httpx: the channel over it, and clients that are set up for one server.

The channel is for users' own clients, for httpx.Auth, and for proxies: `http.client` speaks with
HTTP proxies only; httpx also speaks TLS and SOCKS with one.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import (
    AsyncGenerator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn, Self, TypeAlias
from weakref import WeakKeyDictionary, ref

import httpx

from hatcher import cancel
from hatcher.errors import HatcherException, InvalidURLError
from hatcher.transport.channel import (
    FRAMING,
    USER_AGENT,
    ChannelError,
    Headers,
    Incoming,
    Kind,
    Outgoing,
    check,
)
from hatcher.transport.pool import shut_down
from hatcher.transport.proxies import Proxy, proxy_for
from hatcher.transport.secret import Redactor, bare, bare_own, lineage
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.tokens import Authenticator
from hatcher.transport.urls import (
    Origin,
    ServerURL,
    certified_name,
    host_field,
    origin_of,
    showable,
    split,
    tunnel_target,
    without_zone,
)

Context: TypeAlias = Callable[[], ssl.SSLContext]

#: What is called before a request, and after its answer; or nothing.
Hooks: TypeAlias = tuple[Callable[..., Any], ...]

#: Headers that httpx makes itself, and that nobody else may change.
_OF_HTTPX = FRAMING - {"upgrade"}

#: What httpx raises; it has no root for all of it.
_ERRORS = httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict


# -- clients ---------------------------------------------------------------------------


def build_client(
    url: str,
    timeouts: Timeouts,
    context: Context,
    auth: httpx.Auth | None,
    hooks: Hooks = (),
    *,
    is_async: bool = False,
) -> Any:
    """Return an httpx client for one server; proxies come from the environment.

    An async one is for any event loop.
    """
    client: Any = _Client
    transport = _RoutedTransport(context, httpx.HTTPTransport, _Passage)
    if is_async:
        client = _AnyLoopClient
        transport = _RoutedTransport(context, httpx.AsyncHTTPTransport, _AsyncPassage)
        hooks = tuple(map(_awaitable, hooks))
    return client(
        auth=auth,
        base_url=url,
        headers={"User-Agent": USER_AGENT},
        timeout=httpx_timeout(timeouts),
        transport=transport,
        trust_env=False,
        event_hooks={k: [hook] for k, hook in zip(("request", "response"), hooks, strict=False)},
    )


def build_client_that_cannot_wait() -> httpx.AsyncClient:
    """Return what stands for the async side of a user's own client, which has none."""
    return httpx.AsyncClient(transport=_NoTransport(), trust_env=False)


def httpx_timeout(timeouts: Timeouts) -> httpx.Timeout:
    """Return `timeouts` as httpx has them."""
    return httpx.Timeout((timeouts.connect, timeouts.read, timeouts.write, timeouts.pool))


def _awaitable(call: Callable[..., None]) -> Callable[..., Coroutine[Any, Any, None]]:
    async def awaited(argument: object) -> None:
        call(argument)

    return awaited


class _Client(httpx.Client):
    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        try:
            return super().send(request, **options)
        except BaseException as error:
            bare_own(error, httpx.HTTPError, httpx.StreamError)
            raise


class _AnyLoopClient(httpx.AsyncClient):
    """An async client for any event loop: leaving ``async with`` closes the connections of one.

    It can be entered again.
    """

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        try:
            return await super().send(request, **options)
        except BaseException as error:
            bare_own(error, httpx.HTTPError, httpx.StreamError)
            raise

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _NoTransport(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> NoReturn:
        raise HatcherException(
            "The httpx client that was given to from_session cannot be awaited. Give the raw "
            "client an httpx.AsyncClient of yours: brood_client.raw.set_async_httpx_client(yours)."
        )


# -- routes ----------------------------------------------------------------------------


class _RoutedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends each request as the environment says: directly, or through a proxy.

    Connections stay in the event loop that made them: a script that calls `asyncio.run` twice would
    otherwise take one of a loop that is gone.

    Parameters
    ----------
    context : callable
        Returns how certificates are verified; called for the first one that is.
    make : type of httpx.HTTPTransport or httpx.AsyncHTTPTransport
    passage : type of _Passage
    """

    def __init__(self, context: Context, make: Callable[..., Any], passage: type[_Passage]) -> None:
        self._context = context
        self._make = make
        self._passage = passage
        #: By the event loop, or the context where there is none.
        self._routes: WeakKeyDictionary[Any, dict[Origin, tuple[Proxy | None, Any]]] = (
            WeakKeyDictionary()
        )

    def _route(self, request: httpx.Request, user: object) -> tuple[Any, _Passage]:
        """Return the transport for a request, and what accompanies it."""
        routes = self._routes.setdefault(user, {})
        origin = origin_of(str(request.url))
        host = origin[1]
        # Host and certificate have nothing of what is local.
        if certified_name(host) != host:
            request.extensions = {"sni_hostname": certified_name(host), **request.extensions}
        if without_zone(host) != host:
            request.headers["Host"] = host_field(origin)
        if origin not in routes:
            proxy = proxy_for(origin)
            made = self._make(**_transport_options(origin, proxy, self._context))
            routes.setdefault(origin, (proxy, made))
        proxy, transport = routes[origin]
        return transport, self._passage(request, origin, proxy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport, passage = self._route(request, self._context)
        with passage:
            response: httpx.Response = transport.handle_request(request)
            if passage.is_refusal(response):
                response.close()
                raise httpx.ProxyError("407")
            return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport, passage = self._route(request, asyncio.get_running_loop())
        with passage:
            response: httpx.Response = await transport.handle_async_request(request)
            if passage.is_refusal(response):
                await response.aclose()
                raise httpx.ProxyError("407")
            return response

    def close(self) -> None:
        for _, transport in self._routes.pop(self._context, {}).values():
            transport.close()

    async def aclose(self) -> None:
        for _, transport in self._routes.pop(asyncio.get_running_loop(), {}).values():
            await transport.aclose()


def _transport_options(origin: Origin, proxy: Proxy | None, context: Context) -> dict[str, Any]:
    """Return how a transport of httpx is made: it is to look for nothing itself."""
    by_tls = "https" in (origin[0], proxy and proxy.scheme)
    options: dict[str, Any] = {"verify": context() if by_tls else False, "trust_env": False}
    if proxy is not None:
        pair = proxy.credentials and (proxy.credentials[0], proxy.credentials[1].reveal())
        own = context() if proxy.scheme == "https" else None
        options["proxy"] = httpx.Proxy(str(proxy), auth=pair, ssl_context=own)
    return options


class _Passage:
    """A request on its way, perhaps through a proxy, which its errors then name.

    httpcore reports each step to `note`, which makes up for what httpcore lacks: with SOCKS it has no
    timeouts and leaves failed connections open; it asks an HTTP proxy for IPv6 addresses without
    their brackets, and lets it take as long as a server.
    """

    def __init__(self, request: httpx.Request, origin: Origin, proxy: Proxy | None) -> None:
        self._request = request
        self._origin = origin
        self._proxy = proxy
        self._seconds = request.extensions.get("timeout", {}).get("connect")
        #: Whether the proxy has still to make the connection.
        self._is_pending = False
        #: What SOCKS is spoken over.
        self._stream: Any = None
        self._told = request.extensions.get("trace")
        if proxy is not None:
            request.extensions = {**request.extensions, "trace": self.note}

    def note(self, step: str, about: dict[str, Any]) -> Any:
        if self._told is _have_watched:
            _have_watched(step, about)
        match step:
            case "connection.connect_tcp.started" | "socks.connect_tcp.started":
                self._is_pending = True
            case "socks.setup_socks5_connection.started":
                self._stream = about["stream"]
                self._stream.read = self._in_time(self._stream.read)
            case "socks.setup_socks5_connection.complete":
                del self._stream.read
                if self._told is _have_watched:
                    _watch(self._stream)
            case "socks.setup_socks5_connection.failed":
                return self._close()
            case "proxy.start_tls.started" | "socks.start_tls.started":
                self._is_pending = False
                about["server_hostname"] = certified_name(self._origin[1])
            case "http11.send_request_headers.started":
                sent = about["request"]
                self._is_pending = sent.method == b"CONNECT"
                if self._is_pending:
                    sent.url.target = target = tunnel_target(self._origin).encode("ascii")
                    sent.headers = [(k, target if k == b"Host" else v) for k, v in sent.headers]
                    timeout = {**sent.extensions.get("timeout", {}), "read": self._seconds}
                    sent.extensions = {**sent.extensions, "timeout": timeout}
        return None

    def _in_time(self, read: Any) -> Any:
        return lambda max_bytes: _said(read(max_bytes, self._seconds))

    def _close(self) -> Any:
        self._stream.close()

    def is_refusal(self, response: httpx.Response) -> bool:
        """Whether the proxy wants other credentials; below TLS, a server would say that itself."""
        is_plain = self._proxy is not None and self._request.url.scheme == "http"
        return is_plain and response.status_code == 407

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._proxy is None or not isinstance(error, Exception):
            return
        bare(error)  # whose frames know the proxy's password
        if self._is_pending or isinstance(error, httpx.ProxyError):
            # Without the words of its answer, which may echo anything.
            status = re.match(r"\d{3}\b", str(error))
            reason = f"it answered {status[0]}" if status else str(error) or type(error).__name__
            raise httpx.ProxyError(f"{self._proxy}: {reason}", request=self._request) from error
        if isinstance(error, httpx.ConnectTimeout):
            late = f"through the proxy {self._proxy}"
            raise httpx.ConnectTimeout(late, request=self._request) from error


class _AsyncPassage(_Passage):
    """The same, for an event loop."""

    async def note(self, step: str, about: dict[str, Any]) -> None:
        closing = super().note(step, about)
        if closing is not None:
            await closing

    def _in_time(self, read: Any) -> Any:
        async def read_in_time(max_bytes: int) -> bytes:
            return _said(await read(max_bytes, self._seconds))

        return read_in_time

    def _close(self) -> Any:
        return self._stream.aclose()


def _said(block: bytes) -> bytes:
    if not block:
        raise ConnectionError("it closed the connection")
    return block


# -- credentials -----------------------------------------------------------------------


class Authorizer(httpx.Auth):
    """Puts credentials on requests to one server's origin, and on no others."""

    def __init__(self, server: ServerURL, auth: Authenticator | httpx.Auth) -> None:
        self._origin = server.origin
        self._auth = auth

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        if origin_of(str(request.url)) != self._origin:
            yield request
        elif isinstance(self._auth, httpx.Auth):
            yield from self._auth.sync_auth_flow(request)
        else:
            for is_final in self._attempts(self._auth, request):
                response = yield request
                if is_final or response.status_code != 401:
                    return

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if origin_of(str(request.url)) != self._origin:
            yield request
        elif isinstance(self._auth, httpx.Auth):
            flow = self._auth.async_auth_flow(request)
            try:
                outgoing = await anext(flow)
                while True:
                    response = yield outgoing
                    outgoing = await flow.asend(response)
            except StopAsyncIteration:
                return
            finally:
                await flow.aclose()
        else:
            step = partial(next, self._attempts(self._auth, request), None)
            is_final: bool | None = False
            while not is_final:
                # An exchange, or the wait for that of another thread, is not the event loop's.
                is_final = await asyncio.to_thread(step) if self._auth.exchanges else step()
                response = yield request
                if response.status_code != 401:
                    return

    def _attempts(self, auth: Authenticator, request: httpx.Request) -> Iterator[bool]:
        """Put credentials on a request, others the next time; yield whether a 401 is final."""
        origin, target = split(str(request.url))
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _OF_HTTPX}
        outgoing = Outgoing(request.method, origin, target, headers, operation="log_in")
        request.headers.encoding = "latin-1"  # as http.client writes them
        try:
            for sent, is_final in auth.attempts(outgoing):
                check(sent)
                for name in headers.keys() - {name.lower() for name in sent.headers}:
                    request.headers.pop(name, None)
                for name, secret in sent.credentials.items():
                    request.headers[name] = secret.reveal()
                # For callbacks, which are called after this and shall not see them.
                request.extensions["credentials"] = frozenset(map(str.lower, sent.credentials))
                yield is_final
        except HatcherException as error:
            raise bare(error)  # noqa: B904 - it is the same one


# -- the channel -----------------------------------------------------------------------


class HttpxChannel:
    """Sends requests through an httpx client.

    Parameters
    ----------
    client : httpx.Client
    redactor : Redactor
        Hears of what httpx adds, which may be secret.
    auth : httpx.Auth, optional
        Instead of the client's own, for requests to the server that they are meant for.
    timeouts : Timeouts, optional
        Instead of the client's own.
    owned : bool
        Whether `close` closes the client.
    """

    def __init__(
        self,
        client: httpx.Client,
        redactor: Redactor,
        auth: httpx.Auth | None = None,
        timeouts: Timeouts | None = None,
        *,
        owned: bool,
    ) -> None:
        self._client = client
        self._redactor = redactor
        self._auth = auth or httpx.USE_CLIENT_DEFAULT
        self._timeouts = timeouts
        self._owned = owned

    def exchange(self, outgoing: Outgoing) -> HttpxAnswer:
        """Send a request and return its answer, whatever its status."""
        check(outgoing)
        try:
            with _translated():
                return HttpxAnswer(self._send(outgoing))
        except BaseException as error:
            if isinstance(error, RuntimeError) and self._client.is_closed:
                raise HatcherException(
                    "The httpx client that this client sends through was closed. Make a new "
                    "client, with one that is open."
                ) from bare(error)
            if not isinstance(error, Exception):  # Ctrl-C, which may strike anywhere
                bare(error)
            raise

    def _send(self, outgoing: Outgoing) -> httpx.Response:
        request = self._request(outgoing)
        request.extensions = {"trace": _have_watched, **request.extensions}
        auth = self._auth if outgoing.at_home and not outgoing.credentials else None
        try:
            return self._client.send(request, stream=True, auth=auth, follow_redirects=False)
        except httpx.HTTPStatusError as error:  # of a hook that calls raise_for_status
            return error.response
        finally:
            self._redactor.learn_added(request.headers, outgoing.headers)

    def _request(self, outgoing: Outgoing) -> httpx.Request:
        # The client's own headers, cookies and parameters are meant for its own server.
        build = self._client.build_request if outgoing.at_home else httpx.Request
        try:
            request = build(
                outgoing.method,
                outgoing.url,
                content=None if outgoing.body is None else _Blocks(outgoing.body),
                headers=_headers(outgoing),
            )
        except httpx.InvalidURL as error:
            raise InvalidURLError(
                f"httpx does not take the URL '{showable(outgoing.url)[:200]}' ({bare(error)}). "
                "Nothing was sent."
            ) from None
        if self._timeouts is not None:
            request.extensions["timeout"] = httpx_timeout(self._timeouts).as_dict()
        return request

    def close(self) -> None:
        """Close the client, unless it is the user's."""
        if self._owned:
            self._client.close()


def _headers(outgoing: Outgoing) -> list[tuple[bytes, bytes]]:
    """Return the headers as http.client writes them; httpx itself takes ASCII only."""
    pairs = [*outgoing.headers.items()]
    pairs += [(name, secret.reveal()) for name, secret in outgoing.credentials.items()]
    if outgoing.content_length is not None:
        pairs.append(("Content-Length", str(outgoing.content_length)))
    return [(name.encode(), value.encode("latin-1")) for name, value in pairs]


class _Blocks:
    """A body as httpx takes it: bytes, as often as it asks (it may after a 401)."""

    def __init__(self, body: Iterable[bytes | memoryview]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return map(bytes, self._body)


class HttpxAnswer(Incoming):
    """An answer as httpx has it."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers = Headers()
        for raw_name, raw_value in response.headers.raw:
            # As http.client reads them; httpx guesses an encoding.
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self._response = response
        self._rest = memoryview(b"")
        if response.is_stream_consumed:
            # By a transport or a hook of the user's own; httpx has unpacked it.
            with _translated():
                self._rest = memoryview(response.content)
            if self.headers.pop("content-encoding", None) is not None:
                self.headers["content-length"] = str(len(self._rest))
            self._arriving: Iterator[bytes] = iter(())
        else:
            self._arriving = response.iter_raw()

    def readinto(self, buffer: bytearray | memoryview, *, is_file: bool = True) -> int:
        with _translated():
            while not self._rest:
                arrived = next(self._arriving, None)
                if arrived is None:
                    return 0
                self._rest = memoryview(arrived)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        """Return the connection to the pool, or close it if more is to come."""
        self._response.close()


def _have_watched(step: str, about: dict[str, Any]) -> None:
    """Let what is sent and received over a new connection end with the operation that it is for."""
    if step.endswith(_CONNECTED):
        _watch(about["return_value"])


def _watch(stream: Any) -> None:
    tls = stream.get_extra_info("ssl_object")
    if tls is None or tls.selected_alpn_protocol() != "h2":  # which operations share
        stream.read, stream.write = (_watched(stream, name) for name in ("read", "write"))


def _watched(stream: Any, name: str) -> Callable[..., Any]:
    me: Callable[[], Any] = ref(stream)  # or it would keep itself
    method = getattr(type(stream), name)

    def call(*arguments: Any, **named: Any) -> Any:
        sock = me().get_extra_info("socket")
        forget = cancel.watch(partial(shut_down, sock))
        try:
            return method(me(), *arguments, **named)
        finally:
            if not forget():
                shut_down(sock)  # before another operation gets hold of it
                raise cancel.Cancelled

    return call


@contextmanager
def _translated() -> Iterator[None]:
    """Raise errors of httpx as a ChannelError, without the frames that hold secrets."""
    try:
        yield
    except _ERRORS as error:
        reason = str(bare(error)) or type(error).__name__
        raise ChannelError(_kind_of(error, reason), reason.rstrip(".")) from error


#: What httpcore calls the steps that give a connection.
_CONNECTED = "connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete"

#: What each error of httpx means, the narrower ones first; those missing here mean "protocol".
_KINDS: dict[type[Exception], Kind] = {
    httpx.ConnectTimeout: "connect timeout",
    httpx.PoolTimeout: "pool timeout",
    httpx.TimeoutException: "timeout",
    httpx.ProxyError: "proxy",
    httpx.ConnectError: "not connected",
    httpx.InvalidURL: "redirect",
    httpx.ProtocolError: "protocol",
    httpx.UnsupportedProtocol: "protocol",
    httpx.DecodingError: "protocol",
    httpx.HTTPError: "lost",
}


def _kind_of(error: Exception, reason: str) -> Kind:
    causes = lineage(error)
    if isinstance(error, httpx.ConnectError) and any(isinstance(e, ssl.SSLError) for e in causes):
        return "TLS"
    if isinstance(error, httpx.RemoteProtocolError):
        # httpx has one class for all of these, so its words must tell them apart.
        for words, kind in _PROTOCOL_ERRORS.items():
            if words in reason:
                return kind
    return next((kind for cls, kind in _KINDS.items() if isinstance(error, cls)), "protocol")


#: By what is in the message; httpx gives no answer whose Location it does not understand.
_PROTOCOL_ERRORS: dict[str, Kind] = {
    "without sending a response": "no response",
    "incomplete": "incomplete",
    "closed": "incomplete",
    "location header": "redirect",
}
