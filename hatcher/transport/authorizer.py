"""Credentials on requests: to the origin they are for, and to no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx

from hatcher.errors import InvalidJSONError
from hatcher.transport import answers
from hatcher.transport.auth import EXCHANGE_PATHS, BroodAuth, BroodClientAuth
from hatcher.transport.clients import USER_AGENT, ssl_context
from hatcher.transport.urls import ServerURL, origin_of

#: What a server answers where it gives out no session tokens.
_UNKNOWN = (404, 405)


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
            yield from self._session_token_flow(self._auth, request)
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

    def _session_token_flow(
        self, auth: BroodClientAuth, request: httpx.Request
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
    for path in EXCHANGE_PATHS:
        exchange = httpx.Request(
            "POST",
            f"{auth.server}{path}",
            headers={
                "Authorization": auth.credentials.authorization(),
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
            },
            extensions={"timeout": request.extensions.get("timeout", {})},
        )
        if auth.verify_ssl is None:
            response = yield exchange
        else:
            with httpx.Client(verify=ssl_context(auth.verify_ssl)) as client:
                response = client.send(exchange)
        response.read()
        if response.status_code not in _UNKNOWN:
            break
    auth.remember(_token_in(response, str(exchange.url)))


def _token_in(response: httpx.Response, url: str) -> str:
    asked = "exchange the credentials for a session token", "POST", url
    if not response.is_success:
        advice = (
            "This server gives out no session tokens: pass the user name and password, or "
            "BroodBearerTokenAuth(token), as auth itself."
            if response.status_code in _UNKNOWN
            else ""
        )
        raise answers.http_error(
            asked, response.status_code, response.headers, response.content, advice=advice
        )
    document = answers.parse_json(asked, response.headers, response.content)
    token = document.get("token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token:
        raise InvalidJSONError(
            f"Could not {asked[0]}: the answer of {url} holds no 'token'.",
            method=asked[1],
            url=url,
        )
    return token
