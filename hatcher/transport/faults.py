"""Errors of a channel as exceptions for users: the words and the advice for each kind."""

from __future__ import annotations

import re

from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    IncompleteDownloadError,
    InvalidResponseError,
    NotConnectedError,
    ProxyError,
    RedirectError,
    TLSError,
    TransferInterruptedError,
    TransportError,
)
from hatcher.transport.channel import ChannelError
from hatcher.transport.request import RequestInfo
from hatcher.transport.retry import final, unsent
from hatcher.transport.secret import bare


def error_for(info: RequestInfo, fault: ChannelError) -> TransportError | InvalidResponseError:
    """Return the exception for a request that did not lead to a whole answer, without secrets."""
    bare(fault).redact(info.redact)
    kind, words, advice = _ERRORS[fault.kind]
    reason = f" ({fault.reason})" if fault.reason else ""
    server = "/".join(info.url.split("/", 3)[:3])
    error = kind(
        f"Could not {info.action}: {words.format(url=info.url, reason=reason)}",
        method=info.method,
        url=info.url,
        what=f"Could not {info.action}: {words.format(url=server, reason=reason)}",
        advice=_advice_on(kind, fault.reason) or advice.format(outcome=OUTCOME[info.safety]),
    )
    if kind is ProxyError and _REFUSED.search(fault.reason):
        final(error)
    return unsent(error) if fault.kind in _BEFORE_ANYTHING else error


#: The kinds that occur before anything of a request is sent.
_BEFORE_ANYTHING = frozenset({"connect timeout", "pool timeout"})


#: The exception, what went wrong, and what to try.
_ERRORS: dict[str, tuple[type[TransportError] | type[InvalidResponseError], str, str]] = {
    "connect timeout": (
        BroodTimeoutError,
        "no connection to {url} within the connect timeout{reason}.",
        "Check the URL, the network and the proxy settings.",
    ),
    "pool timeout": (
        BroodTimeoutError,
        "all connections of this client are in use.",
        "Close downloads that are no longer read, or increase the pool timeout.",
    ),
    "timeout": (
        BroodTimeoutError,
        "{url} did not respond within the timeout.",
        "{outcome}",
    ),
    "TLS": (
        TLSError,
        "no secure connection to {url}{reason}.",
        "",  # it follows from the reason
    ),
    "proxy": (
        ProxyError,
        "no connection to {url} through the proxy{reason}.",
        "Check the proxy settings (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY), and that the proxy runs; "
        "NO_PROXY names hosts that are reached without it.",
    ),
    "not connected": (
        NotConnectedError,
        "no connection to {url}{reason}.",
        "Check that the server runs, the URL, and the proxy settings.",
    ),
    "no response": (
        BroodConnectionError,
        "{url} closed the connection instead of answering.",
        "{outcome}",
    ),
    "incomplete": (
        IncompleteDownloadError,
        "{url} ended the connection early{reason}.",
        "{outcome}",
    ),
    "lost": (
        BroodConnectionError,
        "the connection to {url} was lost{reason}.",
        "{outcome}",
    ),
    "protocol": (
        InvalidResponseError,
        "{url} sent an answer that is not valid HTTP{reason}.",
        "Check the URL, and whatever stands between.",
    ),
    "redirect": (
        RedirectError,
        "{url} redirects to something that is not a valid web address{reason}.",
        "If the server has moved, give its new URL to the client.",
    ),
    "too large": (
        InvalidResponseError,
        "the answer from {url} was rejected, since it is larger than any of Brood's{reason}.",
        "Check the URL, and whatever stands between.",
    ),
    "cancelled": (
        TransferInterruptedError,
        "it was interrupted.",
        "{outcome}",
    ),
}

#: How a proxy refuses for good, over HTTP and SOCKS.
_REFUSED = re.compile(r"it answered (4(?!08|29)\d\d)|username/password|USERNAME")

_CREDENTIALS = (
    "The proxy requires a user name and a password: add them to the variable that names it, as in "
    "http://user:password@proxy.example.com:3128, with characters such as '@' and '/' as %40 and %2F."
)

#: What to try when TLS fails, by words in OpenSSL's reason.
_TLS_ADVICE = (
    (
        ("wrong version number", "record layer", "packet length", "http request"),
        "The server does not speak TLS on this port: check the URL's scheme and port.",
    ),
    (
        ("mismatch", "not valid for"),
        "The certificate is for another host: use a host name that it is for, and check that no "
        "other server answers.",
    ),
    (
        ("expired", "not yet valid"),
        "Check the clock of this machine; if it is right, the server needs a new certificate.",
    ),
    (
        ("key identifier", "basic constraints", "key usage", "invalid ca"),
        "The certificate, or that of its authority, does not conform to RFC 5280, which Python "
        "checks since 3.13: have a new one issued.",
    ),
    (
        ("self-signed", "self signed", "issuer", "unable to verify"),
        "If the certificate is signed by an authority of your own, pass that authority's PEM file "
        "as verify_ssl.",
    ),
)


def _advice_on(kind: type[Exception], reason: str) -> str:
    """Return what to try if that follows from the reason."""
    refused = _REFUSED.search(reason) if kind is ProxyError else None
    if refused is not None and (refused[1] or "407") == "407":
        return _CREDENTIALS
    if kind is not TLSError:
        return ""
    reason = reason.lower().replace("_", " ")
    for words, advice in _TLS_ADVICE:
        if any(word in reason for word in words):
            return advice
    return "Check the URL, and whatever stands between this machine and the server."


#: What a lost answer means, by the safety of the request.
OUTCOME = {
    "safe": "Nothing was changed; try again.",
    "idempotent": "It may have been carried out; asking for it again does no harm.",
    "ambiguous": "It may have been carried out all the same: look before asking for it again.",
}
