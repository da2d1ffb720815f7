"""Sending one request: authentication, redirects, retries, errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar
from urllib.parse import urljoin

import httpx
from attrs import frozen

from hatcher.errors import (
    BroodHTTPError,
    HatcherException,
    InvalidResponseError,
    RedirectError,
    TransportError,
)
from hatcher.transport import answers
from hatcher.transport.clients import USER_AGENT
from hatcher.transport.faults import translated
from hatcher.transport.request import Request
from hatcher.transport.retry import RetryPolicy, resume
from hatcher.transport.urls import ServerURL, origin_of, showable

logger = logging.getLogger("hatcher")

T = TypeVar("T")

#: How often one request may be sent on to another URL.
MAX_REDIRECTS = 5


class Sender:
    """Sends requests to one server through one httpx client.

    Parameters
    ----------
    server : ServerURL
    client : httpx.Client
    retries : RetryPolicy
    advice : callable
        Given an error status and the request, returns what to tell the user beside
        what the status says, or an empty string.
    auth : httpx.Auth, optional
        Instead of the client's own authentication.
    """

    def __init__(
        self,
        server: ServerURL,
        client: httpx.Client,
        retries: RetryPolicy,
        advice: Callable[[int, Request], str],
        *,
        auth: httpx.Auth | None = None,
    ) -> None:
        self._server = server
        self._client = client
        self._retries = retries
        self._auth = auth or httpx.USE_CLIENT_DEFAULT
        self._advice = advice

    def read(self, request: Request) -> tuple[Mapping[str, str], bytes]:
        """Send a request; return the headers and the whole body of its answer."""
        return self._carry_out(request, self._read)

    def open(self, request: Request) -> Download:
        """Send a request; return its answer before its body has arrived."""
        return Download(request, self._carry_out(request, self._attempt))

    def _carry_out(self, request: Request, attempt: Callable[[Request], T]) -> T:
        try:
            return attempt(request)
        except HatcherException as error:
            return resume(self._retries, request.safety, error, lambda: attempt(request))

    def fetch(self, request: Request) -> Answer:
        """Send a request; return its answer, which may be 304."""
        return self._carry_out(request, self._fetch)

    def _fetch(self, request: Request) -> Answer:
        response = self._attempt(request)
        try:
            with translated(request, response.url):
                return Answer(response.status_code, response.headers, response.read())
        finally:
            response.close()

    def _read(self, request: Request) -> tuple[Mapping[str, str], bytes]:
        response = self._attempt(request)
        try:
            with translated(request, response.url):
                return response.headers, response.read()
        finally:
            response.close()

    def _attempt(self, request: Request) -> httpx.Response:
        """Send a request once, follow where it is sent on to; return what is no error."""
        outgoing = self._build(request)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._transmit(request, outgoing)
            if response.is_success or response.status_code == 304:
                return response
            try:
                if not response.has_redirect_location:
                    raise self._error(request, outgoing, response)
                outgoing = self._redirected(request, outgoing, response)
            finally:
                response.close()
        raise RedirectError(
            f"Could not {request.action}: {self._server}{request.path} was sent on more than "
            f"{MAX_REDIRECTS} times. Check the server's URL.",
            method=request.method,
            url=f"{self._server}{request.path}",
        )

    def _build(self, request: Request) -> httpx.Request:
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **request.headers}
        if request.body is not None:
            headers["Content-Type"] = request.body.content_type
            headers["Content-Length"] = str(request.body.content_length)
        return self._client.build_request(
            request.method,
            f"{self._server}{request.path}",
            params=dict(request.params) or None,
            json=request.json,
            content=request.body,
            headers=headers,
        )

    def _transmit(self, request: Request, outgoing: httpx.Request) -> httpx.Response:
        start = time.monotonic()
        # A user's own client would authenticate anywhere: elsewhere it must not.
        auth = self._auth if self._is_home(outgoing) else None
        with translated(request, outgoing.url):
            response = self._client.send(outgoing, stream=True, auth=auth, follow_redirects=False)
        logger.debug(
            "%s %s -> %d in %.3f s",
            outgoing.method,
            showable(str(outgoing.url)),
            response.status_code,
            time.monotonic() - start,
        )
        return response

    def _is_home(self, outgoing: httpx.Request) -> bool:
        return origin_of(str(outgoing.url)) == self._server.origin

    def _error(
        self, request: Request, outgoing: httpx.Request, response: httpx.Response
    ) -> BroodHTTPError:
        content = b""
        # The status tells more than that its explanation did not arrive whole.
        with suppress(TransportError, InvalidResponseError), translated(request, outgoing.url):
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) >= answers.MAX_ERROR_BODY:
                    break
        # Advice may need the connection: it asks the server for what there is.
        response.close()
        if response.status_code == 401 and not self._is_home(outgoing):
            advice = (
                f"The request was sent on from {self._server} to another server, where "
                "credentials never follow. If you trust it, give its URL to the client."
            )
        else:
            advice = self._advice(response.status_code, request)
        return answers.http_error(
            (request.action, request.method, str(outgoing.url)),
            response.status_code,
            response.headers,
            content[: answers.MAX_ERROR_BODY],
            advice=advice,
        )

    def _redirected(
        self, request: Request, outgoing: httpx.Request, response: httpx.Response
    ) -> httpx.Request:
        """Return the request to the new place, or refuse to go there.

        A method never changes, and what is not a GET never leaves the server.
        Credentials do not leave it either.
        """
        source, target = str(outgoing.url), urljoin(str(outgoing.url), response.headers["Location"])
        moved = httpx.URL(target)
        same_origin = origin_of(target) == origin_of(source)
        if moved.scheme not in ("http", "https"):
            trouble = "which is no web address"
        elif outgoing.url.scheme == "https" and moved.scheme == "http":
            trouble = "which is not encrypted"
        elif request.method != "GET" and not same_origin:
            trouble = "which is another server"
        elif request.method != "GET" and response.status_code not in (307, 308):
            trouble = "in a way that would turn it into a GET"
        else:
            headers = outgoing.headers.copy()
            if not same_origin:
                for name in ("Authorization", "Cookie"):
                    headers.pop(name, None)
            headers["Host"] = moved.netloc.decode("ascii")
            return httpx.Request(
                request.method,
                moved,
                headers=headers,
                stream=outgoing.stream,
                extensions=outgoing.extensions,
            )
        raise RedirectError(
            f"Could not {request.action}: {request.method} {showable(source)} was sent on to "
            f"{showable(target)}, {trouble}. If the server has moved, give its new URL to the "
            "client.",
            method=request.method,
            url=showable(source),
        )


@frozen
class Answer:
    """An answer whose body has arrived.

    Attributes
    ----------
    status_code : int
        Of the 2xx, or 304.
    headers : mapping of str to str
    content : bytes
        As it came, perhaps compressed.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class Download:
    """The answer to a request whose body is read bit by bit.

    Attributes
    ----------
    headers : mapping of str to str
    content_length : int or None
        How many bytes `chunks` will give, where the server says so.
    """

    def __init__(self, request: Request, response: httpx.Response) -> None:
        self._request = request
        self._response = response
        self._rest = memoryview(b"")
        self._arriving: Iterator[bytes] | None = None
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = response.headers
        length = response.headers.get("Content-Length", "")
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        self.content_length = int(length) if length.isdecimal() and not encoded else None

    def chunks(self) -> Iterator[bytes]:
        """Give the body as it arrives.

        Raises
        ------
        TransportError
            It does not arrive whole.
        """
        with translated(self._request, self._response.url):
            yield from self._response.iter_bytes()

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive into a buffer; return how many bytes came, 0 at the end of the body.

        Raises
        ------
        TransportError
            The body does not arrive whole.
        """
        if self._arriving is None:
            self._arriving = self.chunks()
        while not self._rest:
            try:
                self._rest = memoryview(next(self._arriving))
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        """Give the connection back, or close it when there is more to come."""
        self._response.close()
