"""Errors of a channel as exceptions for users: the words and the advice for each kind."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from hatcher.cancel import Cancelled
from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    IncompleteDownloadError,
    InvalidResponseError,
    NotConnectedError,
    ProxyError,
    RedirectError,
    TLSError,
    TransportError,
)
from hatcher.transport.channel import ChannelError, Outgoing
from hatcher.transport.retry import final, unsent
from hatcher.transport.secret import bare

E = TypeVar("E", bound=TransportError | InvalidResponseError)

#: What a lost answer means, by the safety of the request.
OUTCOME = {
    "safe": "Nothing was changed; try again.",
    "idempotent": "It may have been carried out; asking for it again does no harm.",
    "ambiguous": "It may have been carried out all the same: look before asking for it again.",
}

#: What to try where something else than Brood may have answered.
CHECK_BETWEEN = "Check the URL, and whatever stands between."

#: The same for a redirect that is not followed.
NEW_URL = "If the server has moved, give its new URL to the client."

_CHECK_NETWORK = "Check the URL, the network and the proxy settings."
_CHECK_SERVER = "Check that the server runs, the URL, and the proxy settings."
_CHECK_POOL = "Close downloads that are no longer read, or increase the pool timeout."
_CHECK_PROXY = (
    "Check the proxy settings (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY), and that the proxy runs; "
    "NO_PROXY names hosts that are reached without it."
)

#: The exception for each kind, what went wrong, and what to try; None: what the outcome says.
_ERRORS: dict[str, tuple[type[TransportError | InvalidResponseError], str, str | None]] = {
    "connect timeout": (
        BroodTimeoutError,
        "no connection to {url} within the connect timeout",
        _CHECK_NETWORK,
    ),
    "pool timeout": (BroodTimeoutError, "all connections of this client are in use", _CHECK_POOL),
    "timeout": (BroodTimeoutError, "{url} did not respond within the timeout", None),
    "TLS": (TLSError, "no secure connection to {url}", ""),  # the advice follows from the reason
    "proxy": (ProxyError, "no connection to {url} through the proxy", _CHECK_PROXY),
    "not connected": (NotConnectedError, "no connection to {url}", _CHECK_SERVER),
    "no response": (BroodConnectionError, "{url} closed the connection instead of answering", None),
    "incomplete": (IncompleteDownloadError, "{url} ended the connection early", None),
    "lost": (BroodConnectionError, "the connection to {url} was lost", None),
    "protocol": (
        InvalidResponseError,
        "{url} sent an answer that is not valid HTTP",
        CHECK_BETWEEN,
    ),
    "redirect": (
        RedirectError,
        "{url} redirects to something that is not a valid web address",
        NEW_URL,
    ),
    "too large": (
        InvalidResponseError,
        "the answer from {url} was rejected, since it is larger than any of Brood's",
        CHECK_BETWEEN,
    ),
}

#: The kinds that occur before anything of a request is sent.
_BEFORE_ANYTHING = frozenset({"connect timeout", "pool timeout"})

#: The kinds of which no more is known than that.
_WITHOUT_REASON = frozenset({"pool timeout", "timeout", "no response"})

#: How a proxy refuses for good, over HTTP and SOCKS.
_REFUSED = re.compile(r"it answered (4(?!08|29)\d\d)|username/password|USERNAME")

_CREDENTIALS = (
    "The proxy requires a user name and a password: add them to the variable that names it, as in "
    "http://user:password@proxy.example.com:3128, with characters such as '@' and '/' as %40 and %2F."
)

#: What to try when TLS fails, by words in OpenSSL's reason.
_TLS_ADVICE = {
    "wrong version number|record layer|packet length|http request": (
        "The server does not speak TLS on this port: check the URL's scheme and port."
    ),
    "mismatch|not valid for": (
        "The certificate is for another host: use a host name that it is for, and check that no "
        "other server answers."
    ),
    "expired|not yet valid": (
        "Check the clock of this machine; if it is right, the server needs a new certificate."
    ),
    "key identifier|basic constraints|key usage|invalid ca": (
        "The certificate, or that of its authority, does not conform to RFC 5280, which Python "
        "checks since 3.13: have a new one issued."
    ),
    "self-signed|self signed|issuer|unable to verify": (
        "If the certificate is signed by an authority of your own, pass that authority's PEM file "
        "as verify_ssl."
    ),
    "": "Check the URL, and whatever stands between this machine and the server.",
}


def failure(kind: type[E], outgoing: Outgoing, words: str, **options: Any) -> E:
    """Return the exception for a request that failed.

    The options are `advice`, and `what`: other words for people, where the first say too much.
    """
    start = f"Could not {outgoing.action}: "
    if "what" in options:
        options["what"] = start + options["what"]
    return kind(start + words, method=outgoing.method, url=outgoing.shown_url, **options)


def error_for(
    outgoing: Outgoing, fault: ChannelError
) -> TransportError | InvalidResponseError | Cancelled:
    """Return the exception for a request that did not lead to a whole answer, without secrets."""
    bare(fault).redact(outgoing.redact)
    if fault.kind == "cancelled":
        return Cancelled()
    kind, words, usual_advice = _ERRORS[fault.kind]
    shown = fault.reason and fault.kind not in _WITHOUT_REASON
    end = f" ({fault.reason})." if shown else "."
    url = outgoing.shown_url
    error = failure(
        kind,
        outgoing,
        words.format(url=url) + end,
        what=words.format(url="/".join(url.split("/", 3)[:3])) + end,
        advice=_advice_on(kind, fault.reason) or usual_advice or OUTCOME[outgoing.safety],
    )
    if kind is ProxyError and _REFUSED.search(fault.reason):
        final(error)
    return unsent(error) if fault.kind in _BEFORE_ANYTHING else error


def _advice_on(kind: type[Exception], reason: str) -> str:
    """Return what to try if that follows from the reason."""
    if kind is TLSError:
        plain = reason.lower().replace("_", " ")
        return next(advice for words, advice in _TLS_ADVICE.items() if re.search(words, plain))
    refused = _REFUSED.search(reason) if kind is ProxyError else None
    return _CREDENTIALS if refused is not None and (refused[1] or "407") == "407" else ""
