"""httpx clients, set up for one server: TLS, timeouts, proxies, User-Agent."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Self
from weakref import WeakKeyDictionary

import httpcore
import httpx

from hatcher.errors import HatcherException
from hatcher.transport.agent import USER_AGENT
from hatcher.transport.channel import bare
from hatcher.transport.httpx_channel import is_tls
from hatcher.transport.proxies import Origin, Proxy, proxy_for
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import (
    ServerURL,
    certified_name,
    host_field,
    origin_of,
    without_zone,
)


def build_client(
    server: ServerURL, timeouts: Timeouts, verify: ssl.SSLContext, auth: httpx.Auth | None
) -> httpx.Client:
    """Return an httpx client for one server; proxies come from the environment."""
    return httpx.Client(
        base_url=str(server),
        auth=auth,
        headers={"User-Agent": USER_AGENT},
        timeout=httpx_timeout(timeouts),
        transport=RoutedTransport(verify),
        trust_env=False,
        follow_redirects=False,
    )


def build_async_client(
    server: ServerURL, timeouts: Timeouts, verify: ssl.SSLContext, auth: httpx.Auth | None
) -> httpx.AsyncClient:
    """Return the same as `build_client` does, for `await` in any event loop."""

    def build() -> httpx.AsyncClient:
        return httpx.AsyncClient(
            auth=auth,
            transport=_AsyncRoutedTransport(verify),
            trust_env=False,
            follow_redirects=False,
        )

    return _AnyLoopClient(
        build,
        base_url=str(server),
        headers={"User-Agent": USER_AGENT},
        timeout=httpx_timeout(timeouts),
        transport=_NoTransport(),  # it sends nothing itself
        trust_env=False,
    )


class RoutedTransport(httpx.BaseTransport):
    """Sends each request as the environment says: straight, or through a proxy.

    Parameters
    ----------
    verify : ssl.SSLContext
    """

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._routes: dict[Origin, tuple[Proxy | None, httpx.HTTPTransport]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        origin = _addressed(request)
        if origin not in self._routes:
            proxy = proxy_for(origin)
            transport = httpx.HTTPTransport(**_options(self._verify, proxy))
            if proxy is not None and proxy.is_socks:
                pool = transport._pool
                pool._network_backend = _Patient(pool._network_backend, proxy)  # type: ignore[assignment]
            self._routes[origin] = proxy, transport
        proxy, transport = self._routes[origin]
        with _naming(proxy, request):
            response = transport.handle_request(request)
            if _is_refusal(proxy, request, response):
                response.close()
                raise httpx.ProxyError("407")
            return response

    def close(self) -> None:
        for _, transport in self._routes.values():
            transport.close()


class _AsyncRoutedTransport(httpx.AsyncBaseTransport):
    """The same, for one event loop."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._routes: dict[Origin, tuple[Proxy | None, httpx.AsyncHTTPTransport]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin = _addressed(request)
        if origin not in self._routes:
            proxy = proxy_for(origin)
            transport = httpx.AsyncHTTPTransport(**_options(self._verify, proxy))
            if proxy is not None and proxy.is_socks:
                pool = transport._pool
                pool._network_backend = _AsyncPatient(  # type: ignore[assignment]
                    pool._network_backend, proxy
                )
            self._routes[origin] = proxy, transport
        proxy, transport = self._routes[origin]
        with _naming(proxy, request):
            response = await transport.handle_async_request(request)
            if _is_refusal(proxy, request, response):
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


def _options(verify: ssl.SSLContext, proxy: Proxy | None) -> dict[str, Any]:
    """Return how a transport of httpx is made: it is to look for nothing itself."""
    options: dict[str, Any] = {"verify": verify, "trust_env": False}
    if proxy is not None:
        pair = proxy.credentials and (proxy.credentials[0], proxy.credentials[1].reveal())
        own = verify if proxy.scheme == "https" else None
        options["proxy"] = httpx.Proxy(str(proxy), auth=pair, ssl_context=own)
    return options


def _is_refusal(proxy: Proxy | None, request: httpx.Request, response: httpx.Response) -> bool:
    """Whether a proxy wants other credentials; below TLS, a server would say that itself."""
    return proxy is not None and request.url.scheme == "http" and response.status_code == 407


@contextmanager
def _naming(proxy: Proxy | None, request: httpx.Request) -> Iterator[None]:
    """Let errors that come before there is a connection name the proxy."""
    try:
        yield
    except Exception as error:
        if proxy is None:
            raise
        early = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
        of_server = proxy.scheme != "https" and is_tls(error)
        if of_server or not (early or type(error).__module__.startswith("socksio.")):
            raise
        if isinstance(error, httpx.ConnectTimeout):
            late = f"through the proxy {proxy}"
            raise httpx.ConnectTimeout(late, request=request) from bare(error)
        answered = re.match(r"\d{3}\b", str(error))  # without its words, which may echo anything
        reason = f"it answered {answered[0]}" if answered else str(error)
        raise httpx.ProxyError(f"{proxy}: {reason}", request=request) from bare(error)


class _Patient:
    """Connects, and sets a limit to httpcore's waits for a SOCKS proxy, which have none.

    Parameters
    ----------
    backend : httpcore.NetworkBackend
    proxy : Proxy
    """

    def __init__(self, backend: Any, proxy: Proxy) -> None:
        self._backend = backend
        #: How often httpcore reads before the connection stands.
        self._reads = 2 if proxy.credentials is None else 3

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> Any:
        stream = self._backend.connect_tcp(host, port, timeout, **options)
        read, reads = stream.read, iter(range(self._reads - 1, -1, -1))

        def read_in_time(size: int, _: float | None = None) -> bytes:
            if not next(reads):
                del stream.read
            try:
                return _said(read(size, timeout))
            except httpcore.ReadTimeout as error:
                raise httpcore.ProxyError(_SILENT) from error

        stream.read = read_in_time
        return stream


class _AsyncPatient(_Patient):
    """The same, for one event loop."""

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> Any:
        stream = await self._backend.connect_tcp(host, port, timeout, **options)
        read, reads = stream.read, iter(range(self._reads - 1, -1, -1))

        async def read_in_time(size: int, _: float | None = None) -> bytes:
            if not next(reads):
                del stream.read
            try:
                return _said(await read(size, timeout))
            except httpcore.ReadTimeout as error:
                raise httpcore.ProxyError(_SILENT) from error

        stream.read = read_in_time
        return stream


def _said(block: bytes) -> bytes:
    if not block:
        raise httpcore.ProxyError("it closed the connection")
    return block


_SILENT = "it did not answer within the connect timeout"


def build_client_that_cannot_wait() -> httpx.AsyncClient:
    """Return what stands for the async side of a user's own client, which has none."""
    return httpx.AsyncClient(transport=_NoTransport(), trust_env=False)


class _NoTransport(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> NoReturn:
        raise HatcherException(
            "The httpx client that was given to from_session cannot be awaited. Give the raw "
            "client an httpx.AsyncClient of yours: brood_client.raw.set_async_httpx_client(yours)."
        )


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
        return await client.send(request, **options)

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
