"""httpx clients, set up for one server: TLS, timeouts, proxies, User-Agent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, NoReturn, Self
from weakref import WeakKeyDictionary

import httpx

from hatcher.errors import HatcherException
from hatcher.transport.agent import USER_AGENT
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import ServerURL


def build_client(
    server: ServerURL, timeouts: Timeouts, verify: ssl.SSLContext, auth: httpx.Auth | None
) -> httpx.Client:
    """Return an httpx client for one server; proxies come from the environment."""
    return httpx.Client(
        base_url=str(server),
        auth=auth,
        headers={"User-Agent": USER_AGENT},
        timeout=httpx_timeout(timeouts),
        verify=verify,
        follow_redirects=False,
    )


def build_async_client(
    server: ServerURL, timeouts: Timeouts, verify: ssl.SSLContext, auth: httpx.Auth | None
) -> httpx.AsyncClient:
    """Return the same as `build_client` does, for `await` in any event loop."""

    def build() -> httpx.AsyncClient:
        return httpx.AsyncClient(auth=auth, verify=verify, follow_redirects=False)

    return _AnyLoopClient(
        build,
        base_url=str(server),
        headers={"User-Agent": USER_AGENT},
        timeout=httpx_timeout(timeouts),
        verify=verify,
    )


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
