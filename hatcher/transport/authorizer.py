"""Credentials on the requests of httpx clients: to the origin they are for, and to no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from functools import partial

import httpx

from hatcher.transport.auth import BroodAuth, BroodClientAuth
from hatcher.transport.channel import Headers, Outgoing
from hatcher.transport.clients import RoutedTransport
from hatcher.transport.tls import ssl_context
from hatcher.transport.tokens import Reply, exchanging
from hatcher.transport.urls import ServerURL, origin_of


class Authorizer(httpx.Auth):
    """Puts credentials on requests to one origin, and on no others.

    Parameters
    ----------
    server : ServerURL
        The only server that may see them.
    auth : BroodAuth or httpx.Auth
        The credentials.
    """

    def __init__(self, server: ServerURL, auth: BroodAuth | httpx.Auth) -> None:
        self._origin = server.origin
        self._auth = auth

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        if origin_of(str(request.url)) != self._origin:
            yield request
        elif isinstance(self._auth, httpx.Auth):
            yield from self._auth.sync_auth_flow(request)
        elif isinstance(self._auth, BroodClientAuth):
            yield from _with_session_token(self._auth, request)
        else:
            request.headers["Authorization"] = self._auth.authorization()
            yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        # The same flow: it waits for nothing itself, and a body that it wants to
        # read has been read by then.
        flow = self.sync_auth_flow(request)
        try:
            outgoing = next(flow)
            while True:
                response = yield outgoing
                if outgoing is not request or getattr(self._auth, "requires_response_body", False):
                    await response.aread()
                outgoing = flow.send(response)
        except StopIteration:
            return


def _with_session_token(
    auth: BroodClientAuth, request: httpx.Request
) -> Generator[httpx.Request, httpx.Response, None]:
    renewed = False
    with auth.lock:
        if auth.is_stale:
            yield from _exchange(auth, request)
            renewed = True
        sent = request.headers["Authorization"] = auth.authorization()
    response = yield request
    if response.status_code != 401 or renewed:
        return
    with auth.lock:
        # Another thread may have renewed it in the meantime.
        if auth.authorization() == sent:
            yield from _exchange(auth, request)
        request.headers["Authorization"] = auth.authorization()
    yield request


def _exchange(
    auth: BroodClientAuth, request: httpx.Request
) -> Generator[httpx.Request, httpx.Response, None]:
    steps = exchanging(auth)
    step = next(steps)
    while True:
        exchange = _as_httpx(step, request)
        if auth.verify_ssl is None:
            response = yield exchange
        else:
            transport = RoutedTransport(partial(ssl_context, auth.verify_ssl))
            with httpx.Client(transport=transport, trust_env=False) as client:
                response = client.send(exchange)
        response.read()
        reply = Reply(response.status_code, Headers(response.headers.items()), response.content)
        try:
            step = steps.send(reply)
        except StopIteration:
            return


def _as_httpx(outgoing: Outgoing, request: httpx.Request) -> httpx.Request:
    assert outgoing.authorization is not None
    return httpx.Request(
        outgoing.method,
        outgoing.url,
        headers={**outgoing.headers, "Authorization": outgoing.authorization.reveal()},
        extensions={"timeout": request.extensions.get("timeout", {})},
    )
