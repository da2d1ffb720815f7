"""Sending one request once: authentication, redirects, and errors by status."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, urlencode, urljoin, urlsplit

from hatcher.errors import (
    AuthenticationError,
    BroodHTTPError,
    HatcherException,
    InvalidArgumentError,
    InvalidResponseError,
    MissingName,
    RedirectError,
)
from hatcher.transport import answers, cancel
from hatcher.transport.channel import USER_AGENT, Channel, ChannelError, Incoming, Outgoing
from hatcher.transport.faults import CHECK_BETWEEN, NEW_URL, OUTCOME, error_for, failure
from hatcher.transport.request import Request
from hatcher.transport.secret import Redactor
from hatcher.transport.urls import Origin, ServerURL, is_unicode, showable, split

if TYPE_CHECKING:
    from hatcher.transport.tokens import Authenticator

logger = logging.getLogger("hatcher")

#: Given an error status and its request, says what to try beyond what the status says.
Advice: TypeAlias = Callable[[int, Request], str | MissingName | None]

#: How many redirects of one request are followed.
MAX_REDIRECTS = 5

#: Seconds for which the refusal of one thread's credentials holds for all other threads.
_REFUSED_FOR = 3.0

#: What a redirect's target may contain unquoted.
_URL_SIGNS = "/?%:@!$&'()*+,;=~-._[]"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Sender:
    """Sends requests to one server, each once.

    Parameters
    ----------
    server : ServerURL
    channel : Channel
        What carries them.
    redact : Redactor
        Knows the secrets that were sent.
    authenticator : Authenticator, optional
        Puts credentials on requests; None where the channel does, or nobody.
    anonymous : bool, default False
        Whether requests go out without credentials, the channel's included.
    """

    def __init__(
        self,
        server: ServerURL,
        channel: Channel,
        redact: Redactor,
        authenticator: Authenticator | None,
        *,
        anonymous: bool,
    ) -> None:
        self._server = server
        self._channel = channel
        self._redact = redact
        self.authenticator = authenticator
        self._anonymous = anonymous
        #: Held by the request that finds out whether the server accepts the credentials.
        self._first_login = threading.RLock()
        self._is_admitted = False
        self._refusal: tuple[AuthenticationError, int, float] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._channel.close()
        if self.authenticator is not None:
            self.authenticator.close()

    def open(self, request: Request, advice: Advice) -> tuple[Outgoing, Incoming]:
        """Send a request; the first one alone, so that one refusal is one failed login."""
        # Nobody waits for an upload, which may take hours; and without credentials none are refused.
        if self._is_admitted or self._anonymous or request.body is not None:
            return self._follow(request, advice)
        with self._first_login:
            if not self._is_admitted:
                self._raise_refusal()
                return self._follow(request, advice)
        return self._follow(request, advice)

    def _raise_refusal(self) -> None:
        """Raise what another thread was told a moment ago: many failed logins lock an account."""
        if self._refusal is not None:
            error, thread, when = self._refusal
            is_fresh = time.monotonic() - when < _REFUSED_FOR
            if is_fresh and thread != threading.get_ident():
                raise copy(error)

    def _follow(self, request: Request, advice: Advice) -> tuple[Outgoing, Incoming]:
        """Send a request, follow redirects, and return an answer that is no error."""
        first = outgoing = self.prepared(request)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                incoming = self._exchange(outgoing)
                status_code = incoming.status_code
                if 200 <= status_code < 300 or status_code == 304:
                    if status_code == 206:
                        _check_range(outgoing, incoming)
                    self._is_admitted = True
                    return outgoing, incoming
                try:
                    redirected = self._redirected(outgoing, incoming)
                    if redirected is None:
                        raise self._error(request, outgoing, incoming, advice)
                    outgoing = redirected
                finally:
                    incoming.close()
            raise failure(
                RedirectError,
                first,
                f"{first.shown_url} was redirected more than {MAX_REDIRECTS} times. "
                "Check the server's URL.",
            )
        except AuthenticationError as error:
            # Not of another server, which a request was redirected to without credentials.
            exchanges = self.authenticator is not None and self.authenticator.exchanges
            if exchanges or str(error.url).startswith(str(self._server)):
                self._is_admitted = False
                # Without its traceback, whose frames hold the request.
                self._refusal = copy(error), threading.get_ident(), time.monotonic()
            raise
        except HatcherException:
            self._is_admitted = True
            raise

    def prepared(self, request: Request) -> Outgoing:
        """Return a request as it goes out, without credentials."""
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **request.headers,
        }
        target = self._server.prefix + request.path
        if request.params:
            target += "?" + urlencode(request.params)
        blocks: Iterable[bytes | memoryview] | None = request.body
        length = 0 if request.method in ("POST", "PUT", "PATCH") else None
        if request.body is not None:
            headers["Content-Type"] = request.body.content_type
            length = request.body.content_length
        elif request.json is not None:
            content = _json_of(request)
            headers["Content-Type"] = "application/json"
            blocks, length = (content,), len(content)
        return Outgoing(
            request.method,
            self._server.origin,
            target,
            headers,
            blocks,
            length,
            operation=request.operation,
            safety=request.safety,
            redact=self._redact,
        )

    def _exchange(self, outgoing: Outgoing) -> Incoming:
        """Send a request with credentials; once more with new ones when they are refused."""
        start = time.monotonic()
        try:
            if cancel.is_cancelled():
                raise ChannelError("cancelled")
            if self.authenticator is None or not outgoing.at_home:
                incoming = self._channel.exchange(outgoing)
            else:
                for sent, is_final in self.authenticator.attempts(outgoing):
                    incoming = self._channel.exchange(sent)
                    if is_final or incoming.status_code != 401:
                        break
                    incoming.close()
        except ChannelError as error:
            raise error_for(outgoing, error) from error
        if logger.isEnabledFor(logging.DEBUG):
            seconds = time.monotonic() - start
            url, status_code = outgoing.shown_url, incoming.status_code
            logger.debug("%s %s -> %d in %.3f s", outgoing.method, url, status_code, seconds)
        return incoming

    def _redirected(self, outgoing: Outgoing, incoming: Incoming) -> Outgoing | None:
        """Return the request for a redirect's target; None if the answer is no redirect.

        A method never changes, and only a GET may leave the server, without credentials.
        """
        status_code, location = incoming.status_code, incoming.headers.get("location")
        if status_code not in (301, 302, 303, 307, 308) or location is None:
            return None
        method = outgoing.method
        kept = (307, 308) if method == "POST" else (301, 302, 307, 308)
        # Heads are read as Latin-1, and what was not quoted in them is mostly UTF-8.
        text = location.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
        try:
            origin, target = _resolved(outgoing.url, text)
        except ValueError:
            fault = "which is not a valid web address"
        else:
            if outgoing.origin[0] == "https" and origin[0] == "http":
                fault = "which is not encrypted"
            elif method != "GET" and origin != outgoing.origin:
                fault = "which is another server"
            elif method != "GET" and status_code not in kept:
                fault = "in a way that would turn it into a GET"
            else:
                at_home = origin == self._server.origin
                return outgoing._replace(origin=origin, target=target, at_home=at_home)
        shown = quote(showable(text), safe=_URL_SIGNS, errors="replace")[:200]
        raise failure(
            RedirectError,
            outgoing,
            f"{method} {outgoing.shown_url} was redirected to '{self._redact(shown)}', {fault}. "
            f"{NEW_URL}",
        )

    def _error(
        self, request: Request, outgoing: Outgoing, incoming: Incoming, advice: Advice
    ) -> BroodHTTPError:
        content = bytearray(answers.MAX_ERROR_BODY)
        received = 0
        # The status tells more than that its explanation did not arrive whole.
        with suppress(ChannelError):
            while size := incoming.readinto(memoryview(content)[received:]):
                received += size
        # Advice may need the connection: it asks the server for what there is.
        incoming.close()
        status_code = incoming.status_code
        if status_code == 401 and not outgoing.at_home:
            known: str | MissingName | None = (
                f"The request was redirected from {self._server} to another server, where "
                "credentials never follow. If you trust it, give its URL to the client."
            )
        elif status_code >= 500 and request.safety == "ambiguous":
            known = OUTCOME["ambiguous"]
        else:
            known = advice(status_code, request)
        return answers.http_error(
            outgoing,
            status_code,
            incoming.headers,
            bytes(content[:received]),
            advice=known,
            anonymous=self._anonymous and outgoing.at_home,
        )


def _check_range(outgoing: Outgoing, incoming: Incoming) -> None:
    """Refuse a part of an answer that was not asked for."""
    if outgoing.method == "GET" and "Range" not in outgoing.headers:
        incoming.close()
        raise failure(
            InvalidResponseError,
            outgoing,
            f"{outgoing.shown_url} returned a part of the answer (206) although the whole was "
            f"requested. {CHECK_BETWEEN}",
        )


def _json_of(request: Request) -> bytes:
    text = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"))
    # Not by a failing encode(), whose error would hold the text, in which there may be a password.
    if not is_unicode(text):
        raise InvalidArgumentError(
            f"Could not {request.action}: a text contains characters that are not valid Unicode, "
            "as in names that are not in UTF-8. Nothing was sent."
        )
    return text.encode()


def _resolved(base: str, location: str) -> tuple[Origin, str]:
    """Return the origin and the target of a redirect; raise ValueError if it has none."""
    if not location or _CONTROL.search(location):
        raise ValueError("empty, or with control characters")
    moved = urljoin(base, location)
    if "@" in urlsplit(moved).netloc:
        raise ValueError("with credentials")
    origin, target = split(moved)
    return origin, quote(target, safe=_URL_SIGNS, errors="surrogateescape")
