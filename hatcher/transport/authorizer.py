"""Credentials on the requests of httpx clients: to the origin they are for, and to no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from functools import partial

import httpx

from hatcher.errors import HatcherException
from hatcher.transport.channel import FRAMING, Outgoing, bare, check
from hatcher.transport.tokens import Authenticator
from hatcher.transport.urls import ServerURL, origin_of, split

#: Headers that httpx makes itself, and that nobody else may change.
_OF_HTTPX = FRAMING - {"upgrade"}


class Authorizer(httpx.Auth):
    """Puts credentials on requests to one origin, and on no others.

    Parameters
    ----------
    server : ServerURL
        The only server that may see them.
    auth : Authenticator or httpx.Auth
        What puts them on.
    """

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
        """Put credentials on a request, others the next time; give whether a 401 is final."""
        origin, target = split(str(request.url))
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _OF_HTTPX}
        outgoing = Outgoing(request.method, origin, target, headers)
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
