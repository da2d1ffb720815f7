"""The channel that lets httpx carry requests.

For httpx clients of the user's own, for httpx's ways of authentication, and through
proxies.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator

import httpx

from hatcher.transport.channel import Headers, Outgoing, Trouble, check
from hatcher.transport.secret import Redactor


class HttpxChannel:
    """Sends requests through an httpx client.

    Parameters
    ----------
    client : httpx.Client
    redactor : Redactor
        Hears of what httpx adds, which may be secret.
    auth : httpx.Auth, optional
        Instead of the client's own, for requests to the server that they are meant for.
    owned : bool
        Whether `close` closes the client.
    """

    def __init__(
        self,
        client: httpx.Client,
        redactor: Redactor,
        auth: httpx.Auth | None = None,
        *,
        owned: bool,
    ) -> None:
        self._client = client
        self._redactor = redactor
        self._auth = auth or httpx.USE_CLIENT_DEFAULT
        self._owned = owned

    def exchange(self, outgoing: Outgoing) -> HttpxAnswer:
        """Send a request and return its answer, whatever its status.

        Raises
        ------
        Trouble
        """
        check(outgoing)
        request = self._client.build_request(
            outgoing.method,
            outgoing.url,
            content=None if outgoing.body is None else _Blocks(outgoing.body),
            headers=_headers(outgoing),
        )
        if not outgoing.at_home:
            # The client's own headers and cookies are meant for its own server.
            for name in ("Authorization", "Cookie"):
                request.headers.pop(name, None)
        auth = self._auth if outgoing.at_home and not outgoing.credentials else None
        try:
            response = self._client.send(request, stream=True, auth=auth, follow_redirects=False)
        except httpx.RequestError as error:
            raise _trouble(error) from error
        finally:
            self._redactor.learn_added(request.headers, outgoing.headers)
        return HttpxAnswer(response)

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


class HttpxAnswer:
    """An answer as httpx has it."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers = Headers(
            {name.lower(): ", ".join(response.headers.get_list(name)) for name in response.headers}
        )
        self._response = response
        self._arriving: Iterator[bytes] | None = None
        self._rest = memoryview(b"")

    def read(self, limit: int) -> bytes:
        """Return the rest of the body, which may have so many bytes.

        Raises
        ------
        Trouble
        """
        content = bytearray(self._rest)
        try:
            for block in self._response.iter_raw():
                content += block
                if len(content) > limit:
                    raise Trouble("too large", f"more than {limit:,} bytes")
        except httpx.RequestError as error:
            raise _trouble(error) from error
        return bytes(content)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Receive into a buffer; return the number of bytes, 0 at the end.

        Raises
        ------
        Trouble
        """
        if self._arriving is None:
            self._arriving = self._response.iter_raw()
        while not self._rest:
            try:
                self._rest = memoryview(next(self._arriving))
            except StopIteration:
                return 0
            except httpx.RequestError as error:
                raise _trouble(error) from error
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        """Give the connection back, or end it when there is more to come."""
        self._response.close()


def _trouble(error: httpx.RequestError) -> Trouble:
    reason = str(error) or type(error).__name__
    match error:
        case httpx.ConnectTimeout():
            return Trouble("no connection in time", reason)
        case httpx.PoolTimeout():
            return Trouble("no free connection", reason)
        case httpx.TimeoutException():
            return Trouble("silence", reason)
        case httpx.ProxyError():
            return Trouble("no proxy", reason)
        case httpx.ConnectError() if _is_tls(error):
            return Trouble("not safe", reason)
        case httpx.ConnectError():
            return Trouble("not connected", reason)
        # httpx has one class for all of these, so its words must tell them apart.
        case httpx.RemoteProtocolError() if "without sending a response" in reason:
            return Trouble("no answer", reason)
        case httpx.RemoteProtocolError() if "incomplete" in reason or "closed" in reason:
            return Trouble("ended early", reason)
        case httpx.DecodingError() | httpx.ProtocolError() | httpx.UnsupportedProtocol():
            return Trouble("no HTTP", reason)
        case _:
            return Trouble("lost", reason)


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
