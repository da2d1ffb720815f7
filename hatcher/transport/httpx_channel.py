"""The channel over httpx: for users' own clients, for httpx.Auth, and for proxies.

`http.client` speaks with HTTP proxies only; httpx also speaks TLS and SOCKS with one.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpx

from hatcher.errors import HatcherException, InvalidURLError
from hatcher.transport.channel import ChannelError, Headers, Incoming, Kind, Outgoing, check
from hatcher.transport.httpx_clients import httpx_timeout
from hatcher.transport.secret import Redactor, bare, lineage
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import showable

#: What httpx raises; it has no root for all of it.
_ERRORS = httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict


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


@contextmanager
def _translated() -> Iterator[None]:
    """Raise errors of httpx as a ChannelError, without the frames that hold secrets."""
    try:
        yield
    except _ERRORS as error:
        reason = str(bare(error)) or type(error).__name__
        raise ChannelError(_kind_of(error, reason), reason.rstrip(".")) from error


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
