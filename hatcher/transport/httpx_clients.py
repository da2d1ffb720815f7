"""httpx clients, set up for one server: credentials, TLS, timeouts, proxies, User-Agent."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from functools import partial
from typing import Any, NoReturn, Self, TypeAlias
from weakref import WeakKeyDictionary

import httpx

from hatcher.errors import HatcherException
from hatcher.transport.channel import FRAMING, USER_AGENT, Outgoing, check
from hatcher.transport.proxies import Proxy, proxy_for
from hatcher.transport.secret import bare, bare_own
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.tokens import Authenticator
from hatcher.transport.urls import (
    Origin,
    ServerURL,
    certified_name,
    host_field,
    origin_of,
    split,
    tunnel_target,
    without_zone,
)

Context: TypeAlias = Callable[[], ssl.SSLContext]

#: What is called before a request, and after its answer; or nothing.
Hooks: TypeAlias = tuple[Callable[..., None], ...]

#: Headers that httpx makes itself, and that nobody else may change.
_OF_HTTPX = FRAMING - {"upgrade"}


# -- clients ---------------------------------------------------------------------------


def build_client(
    url: str,
    timeouts: Timeouts,
    context: Context,
    auth: httpx.Auth | None,
    hooks: Hooks = (),
) -> httpx.Client:
    """Return an httpx client for one server; proxies come from the environment."""
    transport = _RoutedTransport(context, httpx.HTTPTransport, _Passage)
    return _Client(auth=auth, **_options(url, timeouts, transport, hooks))


def build_async_client(
    url: str,
    timeouts: Timeouts,
    context: Context,
    auth: httpx.Auth | None,
    hooks: Hooks = (),
) -> httpx.AsyncClient:
    """Return the same as `build_client` does, for `await` in any event loop."""
    transport = _RoutedTransport(context, httpx.AsyncHTTPTransport, _AsyncPassage)
    awaitable = tuple(map(_awaitable, hooks))
    return _AnyLoopClient(auth=auth, **_options(url, timeouts, transport, awaitable))


def build_client_that_cannot_wait() -> httpx.AsyncClient:
    """Return what stands for the async side of a user's own client, which has none."""
    return httpx.AsyncClient(transport=_NoTransport(), trust_env=False)


def httpx_timeout(timeouts: Timeouts) -> httpx.Timeout:
    """Return `timeouts` as httpx has them."""
    return httpx.Timeout(
        connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
    )


def _options(
    url: str, timeouts: Timeouts, transport: object, hooks: tuple[Callable[..., Any], ...]
) -> dict[str, Any]:
    return {
        "base_url": url,
        "headers": {"User-Agent": USER_AGENT},
        "timeout": httpx_timeout(timeouts),
        "transport": transport,
        "trust_env": False,
        "event_hooks": {k: [hook] for k, hook in zip(("request", "response"), hooks, strict=False)},
    }


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
        if proxy is not None:
            request.extensions = {**request.extensions, "trace": self.note}

    def note(self, step: str, about: dict[str, Any]) -> Any:
        match step:
            case "connection.connect_tcp.started" | "socks.connect_tcp.started":
                self._is_pending = True
            case "socks.setup_socks5_connection.started":
                self._stream = about["stream"]
                self._stream.read = self._in_time(self._stream.read)
            case "socks.setup_socks5_connection.complete":
                del self._stream.read
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
