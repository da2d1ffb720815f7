"""What can go wrong below HTTP, as exceptions of our own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    IncompleteDownloadError,
    InvalidResponseError,
    NotConnectedError,
    TLSError,
    TransportError,
)
from hatcher.transport.request import Request
from hatcher.transport.urls import showable


@contextmanager
def translated(request: Request, url: httpx.URL) -> Iterator[None]:
    """Raise httpx's exceptions as ours, with what was being done.

    Parameters
    ----------
    request : Request
    url : httpx.URL
        Where it went.
    """
    try:
        yield
    except httpx.RequestError as error:
        shown = showable(str(url))
        raise _translate(request, shown, error) from error


def _translate(
    request: Request, url: str, error: httpx.RequestError
) -> TransportError | InvalidResponseError:
    def of(kind: type[TransportError], what: str) -> TransportError:
        message = f"Could not {request.action}: {what}"
        return kind(message, method=request.method, url=url)

    reason = str(error) or type(error).__name__
    match error:
        case httpx.ConnectTimeout():
            return of(
                BroodTimeoutError,
                f"no connection to {url} within the connect timeout. Check the URL, the network "
                "and the proxy settings.",
            )
        case httpx.PoolTimeout():
            return of(
                BroodTimeoutError,
                "all connections of this client stayed in use. Close what is no longer read, or "
                "raise the pool timeout.",
            )
        case httpx.TimeoutException():
            return of(
                BroodTimeoutError,
                f"{url} stayed silent for longer than the timeout. {_OUTCOME[request.safety]}",
            )
        case httpx.ConnectError() if _is_tls(error):
            return of(
                TLSError,
                f"no safe connection to {url} ({reason}). If its certificate is signed by an "
                "authority of your own, give that authority's PEM file as verify_ssl.",
            )
        case httpx.ConnectError() | httpx.ProxyError():
            return of(
                NotConnectedError,
                f"no connection to {url} ({reason}). Check that the server runs, the URL, and "
                "the proxy settings.",
            )
        # httpx has one class for all of these, so its words must tell them apart.
        case httpx.RemoteProtocolError() if "without sending a response" in reason:
            return of(
                BroodConnectionError,
                f"{url} closed the connection instead of answering. {_OUTCOME[request.safety]}",
            )
        case httpx.RemoteProtocolError() if "incomplete" in reason or "closed" in reason:
            return of(
                IncompleteDownloadError,
                f"{url} ended the connection early ({reason}). {_OUTCOME[request.safety]}",
            )
        case httpx.DecodingError() | httpx.ProtocolError() | httpx.UnsupportedProtocol():
            return InvalidResponseError(
                f"Could not {request.action}: {url} gave an answer that is no valid HTTP "
                f"({reason}). Check the URL, and whatever stands between.",
                method=request.method,
                url=url,
            )
        case _:
            return of(
                BroodConnectionError,
                f"the connection to {url} was lost ({reason}). {_OUTCOME[request.safety]}",
            )


#: What a lost answer leaves open.
_OUTCOME = {
    "safe": "Nothing was changed; try again.",
    "idempotent": "It may have been carried out; asking for it again does no harm.",
    "ambiguous": "It may have been carried out all the same: look before asking for it again.",
}


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
