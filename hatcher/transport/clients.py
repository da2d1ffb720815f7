"""httpx clients, set up for one server: TLS, timeouts, proxies, User-Agent."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, Self, TypeAlias
from weakref import WeakKeyDictionary

import httpx

from hatcher.errors import HatcherException
from hatcher.transport.agent import USER_AGENT
from hatcher.transport.proxies import Origin, Proxy, proxy_for
from hatcher.transport.secret import bare
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import (
    ServerURL,
    certified_name,
    host_field,
    origin_of,
    tunnel_target,
    without_zone,
)

Context: TypeAlias = Callable[[], ssl.SSLContext]


def build_client(
    server: ServerURL, timeouts: Timeouts, context: Context, auth: httpx.Auth | None
) -> httpx.Client:
    """Return an httpx client for one server; proxies come from the environment."""
    return _Client(
        base_url=str(server),
        auth=auth,
        headers={"User-Agent": USER_AGENT},
        timeout=httpx_timeout(timeouts),
        transport=_RoutedTransport(context),
        trust_env=False,
        follow_redirects=False,
    )


def build_async_client(
    server: ServerURL,
    timeouts: Timeouts,
    context: Context,
    auth: httpx.Auth | None,
    hooks: tuple[Callable[..., None], Callable[..., None]] | None = None,
) -> httpx.AsyncClient:
    """Return the same as `build_client` does, for `await` in any event loop."""
    named = dict(zip(("request", "response"), hooks or (), strict=False))
    event_hooks = {name: [_awaitable(hook)] for name, hook in named.items()}

    def build() -> httpx.AsyncClient:
        return httpx.AsyncClient(
            auth=auth,
            transport=_AsyncRoutedTransport(context),
            trust_env=False,
            follow_redirects=False,
            event_hooks=event_hooks,
        )

    return _AnyLoopClient(
        build,
        base_url=str(server),
        headers={"User-Agent": USER_AGENT},
        timeout=httpx_timeout(timeouts),
        transport=_NoTransport(),  # it sends nothing itself
        trust_env=False,
    )


class _RoutedTransport(httpx.BaseTransport):
    """Sends each request as the environment says: straight, or through a proxy.

    Parameters
    ----------
    context : callable
        Returns how certificates are verified; called for the first one that is.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._routes: dict[Origin, tuple[Proxy | None, httpx.HTTPTransport]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        origin = _addressed(request)
        if origin not in self._routes:
            proxy = proxy_for(origin)
            transport = httpx.HTTPTransport(**_options(origin, proxy, self._context))
            self._routes.setdefault(origin, (proxy, transport))
        proxy, transport = self._routes[origin]
        with _Passage(request, origin, proxy) as passage:
            response = transport.handle_request(request)
            if passage.is_refusal(response):
                response.close()
                raise httpx.ProxyError("407")
            return response

    def close(self) -> None:
        for _, transport in self._routes.values():
            transport.close()


class _AsyncRoutedTransport(httpx.AsyncBaseTransport):
    """The same, for one event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._routes: dict[Origin, tuple[Proxy | None, httpx.AsyncHTTPTransport]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin = _addressed(request)
        if origin not in self._routes:
            proxy = proxy_for(origin)
            transport = httpx.AsyncHTTPTransport(**_options(origin, proxy, self._context))
            self._routes.setdefault(origin, (proxy, transport))
        proxy, transport = self._routes[origin]
        with _AsyncPassage(request, origin, proxy) as passage:
            response = await transport.handle_async_request(request)
            if passage.is_refusal(response):
                await response.aclose()
                raise httpx.ProxyError("407")
            return response

    async def aclose(self) -> None:
        for _, transport in self._routes.values():
            await transport.aclose()


def _addressed(request: httpx.Request) -> Origin:
    """Return where a request goes; Host and certificate have nothing of what is local."""
    origin = origin_of(str(request.url))
    host = origin[1]
    if certified_name(host) != host:
        request.extensions = {"sni_hostname": certified_name(host), **request.extensions}
    if without_zone(host) != host:
        request.headers["Host"] = host_field(origin)
    return origin


def _options(origin: Origin, proxy: Proxy | None, context: Context) -> dict[str, Any]:
    """Return how a transport of httpx is made: it is to look for nothing itself."""
    by_tls = "https" in (origin[0], proxy and proxy.scheme)
    options: dict[str, Any] = {"verify": context() if by_tls else False, "trust_env": False}
    if proxy is not None:
        pair = proxy.credentials and (proxy.credentials[0], proxy.credentials[1].reveal())
        own = context() if proxy.scheme == "https" else None
        options["proxy"] = httpx.Proxy(str(proxy), auth=pair, ssl_context=own)
    return options


class _Passage:
    """A request on its way, perhaps through a proxy, whose failures are told of by its name.

    httpcore reports its steps to it. Some things are seen to on the way: while it speaks SOCKS, it has
    no timeouts, and leaves failed connections open; an HTTP proxy is asked for IPv6 addresses
    without their brackets, and may take as long as a server.

    Parameters
    ----------
    request : httpx.Request
    origin : tuple of (str, str, int)
    proxy : Proxy or None
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


def _awaitable(call: Callable[..., None]) -> Callable[..., Awaitable[None]]:
    async def awaited(argument: object) -> None:
        call(argument)

    return awaited


def build_client_that_cannot_wait() -> httpx.AsyncClient:
    """Return what stands for the async side of a user's own client, which has none."""
    return httpx.AsyncClient(transport=_NoTransport(), trust_env=False)


class _NoTransport(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> NoReturn:
        raise HatcherException(
            "The httpx client that was given to from_session cannot be awaited. Give the raw "
            "client an httpx.AsyncClient of yours: brood_client.raw.set_async_httpx_client(yours)."
        )


def _strip(error: BaseException) -> None:
    """Strip an exception of the frames of httpx, which hold the request as it was sent.

    What a user's own auth has raised keeps them: they lead to it, and hold no secret.
    """
    known = isinstance(error, HatcherException | httpx.HTTPError | httpx.StreamError)
    if known or not isinstance(error, Exception):
        bare(error)


class _Client(httpx.Client):
    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        try:
            return super().send(request, **options)
        except BaseException as error:
            _strip(error)
            raise


class _AnyLoopClient(httpx.AsyncClient):
    """An async client whose connections stay in the event loop that made them.

    A script that calls `asyncio.run` twice would otherwise take a connection of a
    loop that is gone. Leaving ``async with`` closes the connections of the running
    loop; it can be entered again.
    """

    def __init__(self, build: Callable[[], httpx.AsyncClient], **options: Any) -> None:
        super().__init__(**options)
        self._build = build
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            WeakKeyDictionary()
        )

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        loop = asyncio.get_running_loop()
        client = self._by_loop.get(loop)
        if client is None:
            client = self._by_loop[loop] = self._build()
        try:
            return await client.send(request, **options)
        except BaseException as error:
            _strip(error)
            raise

    async def aclose(self) -> None:
        client = self._by_loop.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def httpx_timeout(timeouts: Timeouts) -> httpx.Timeout:
    """Return `timeouts` as httpx has them."""
    return httpx.Timeout(
        connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
    )
