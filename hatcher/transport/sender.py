"""Sending one request: authentication, redirects, retries, errors."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

from hatcher.errors import (
    AuthenticationError,
    BroodHTTPError,
    HatcherException,
    InvalidArgumentError,
    InvalidResponseError,
    MissingName,
    NotFoundError,
    RedirectError,
)
from hatcher.transport import answers, cancel
from hatcher.transport.agent import USER_AGENT
from hatcher.transport.answers import Answer
from hatcher.transport.channel import Channel, Headers, Incoming, Outgoing, Trouble
from hatcher.transport.download import Download
from hatcher.transport.faults import OUTCOME, error_for
from hatcher.transport.request import Request
from hatcher.transport.retry import RetryPolicy, is_certainly_undone
from hatcher.transport.secret import Redactor, sending
from hatcher.transport.urls import ServerURL, is_unicode, showable, split

if TYPE_CHECKING:
    from hatcher.transport.tokens import Authenticator

logger = logging.getLogger("hatcher")

T = TypeVar("T")

#: How often one request may be sent on to another URL.
MAX_REDIRECTS = 5

#: Seconds for which the refusal of one thread's credentials is that of all other threads.
_REFUSED_FOR = 3.0

#: What a redirect's target may hold as it is.
_URL_SIGNS = "/?%:@!$&'()*+,;=~-._[]"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _content(request: Request) -> bytes:
    """Return the JSON of a request."""
    text = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"))
    # Not by a failing encode(), whose error would hold the text, in which there may be a password.
    if not is_unicode(text):
        raise InvalidArgumentError(
            f"Could not {request.action}: a text holds what is no Unicode character, as in names "
            "that are not in UTF-8. Nothing was sent."
        )
    return text.encode()


class Sender:
    """Sends requests to one server.

    Parameters
    ----------
    server : ServerURL
    channel : Channel
        What carries them.
    retries : RetryPolicy
    advice : callable
        Given an error status and the request, returns what to tell the user beside
        what the status says, or None.
    redactor : Redactor
        Knows what was sent in secret.
    authenticator : Authenticator, optional
        Puts credentials on requests; None where the channel sees to it, or nobody.
    anonymous : bool, default False
        Whether nobody's credentials go with the requests, not even by the channel.
    """

    def __init__(
        self,
        server: ServerURL,
        channel: Channel,
        retries: RetryPolicy,
        advice: Callable[[int, Request], str | MissingName | None],
        redactor: Redactor,
        *,
        authenticator: Authenticator | None = None,
        anonymous: bool = False,
    ) -> None:
        self._server = server
        self._channel = channel
        self._retries = retries
        self._advice = advice
        self._redact = redactor
        self.authenticator = authenticator
        self._anonymous = anonymous
        #: Held by the request that finds out whether the server accepts the credentials.
        self._entrance = threading.RLock()
        self._is_admitted = False
        self._refusal: tuple[AuthenticationError, int, float] | None = None

    def fetch(self, request: Request) -> Answer:
        """Send a request; return its answer, body and all."""
        return self._carry_out(request, self._fetch, Answer(204, Headers(), b""))

    def send(self, request: Request) -> Answer:
        """Send a request that has worked also when the body of its answer does not arrive."""
        return self._carry_out(request, self._send, Answer(204, Headers(), b""))

    def stream(self, request: Request) -> Download:
        """Send a request; return its answer before its body has arrived."""
        return self._carry_out(request, self._stream)

    def pause(self, request: Request, seconds: float) -> None:
        """Let time pass before something is sent on behalf of a request, unless it is cancelled."""
        token = cancel.current()
        if token is None:
            time.sleep(seconds)
        elif token.sleep(seconds):
            raise error_for(request, self._url(request), Trouble("interrupted"))

    def close(self) -> None:
        """Close the connections."""
        self._channel.close()
        if self.authenticator is not None:
            self.authenticator.close()

    def _carry_out(
        self, request: Request, attempt: Callable[[Request], T], done: T | None = None
    ) -> T:
        """Send a request as often as it takes; `done` stands for the answer that got lost."""
        failures = 0
        # Whether a DELETE may have worked in an earlier try, whose answer got lost.
        may_be_gone = False
        while True:
            try:
                return attempt(request._replace(may_be_missing=True) if may_be_gone else request)
            except HatcherException as error:
                if done is not None and may_be_gone and isinstance(error, NotFoundError):
                    logger.info("it was deleted, although the answer was lost: %s", error)
                    return done
                if failures == self._retries.retries or not self._retries.allows(
                    request.safety, error
                ):
                    raise
                may_be_gone |= request.method == "DELETE" and not is_certainly_undone(error)
                failures += 1
                seconds = self._retries.pause(failures, error)
                logger.info("trying again in %.1f s after: %s", seconds, error)
            # Not within `except`: what follows is no part of that failure.
            self.pause(request, seconds)

    @sending
    def _fetch(self, request: Request) -> Answer:
        outgoing, incoming = self._attempt(request)
        try:
            return Answer(
                incoming.status_code, incoming.headers, incoming.read(answers.MAX_CONTENT)
            )
        except Trouble as trouble:
            raise self._failure(request, outgoing, trouble) from trouble
        finally:
            incoming.close()

    @sending
    def _send(self, request: Request) -> Answer:
        outgoing, incoming = self._attempt(request)
        content = b""
        try:
            content = incoming.read(answers.MAX_CONTENT)
        except Trouble as trouble:
            if trouble.kind == "interrupted":
                raise self._failure(request, outgoing, trouble) from trouble
            logger.info("%s worked, although its answer did not arrive whole", request.action)
        finally:
            incoming.close()
        return Answer(incoming.status_code, incoming.headers, content)

    @sending
    def _stream(self, request: Request) -> Download:
        outgoing, incoming = self._attempt(request)
        try:
            return Download(request, outgoing.url, incoming, self._redact)
        except BaseException:
            incoming.close()
            raise

    def _attempt(self, request: Request) -> tuple[Outgoing, Incoming]:
        """Send a request once; the first one alone, so that one refusal is one failed login."""
        # Nobody waits for an upload, which may take hours; and without credentials none are refused.
        if self._is_admitted or self._anonymous or request.body is not None:
            return self._admitted(request)
        with self._entrance:
            if not self._is_admitted:
                self._raise_refusal()
                return self._admitted(request)
        return self._admitted(request)

    def _raise_refusal(self) -> None:
        """Raise what another thread was told a moment ago: many failed logins lock an account."""
        if self._refusal is not None:
            error, thread, when = self._refusal
            is_fresh = time.monotonic() - when < _REFUSED_FOR
            if is_fresh and thread != threading.get_ident():
                raise copy(error)

    def _admitted(self, request: Request) -> tuple[Outgoing, Incoming]:
        try:
            answered = self._follow(request)
        except AuthenticationError as error:
            # Not of another server, which a request was sent on to without credentials.
            exchanges = self.authenticator is not None and self.authenticator.exchanges
            if exchanges or str(error.url).startswith(str(self._server)):
                self._is_admitted = False
                # Without its traceback, whose frames hold the request.
                self._refusal = copy(error), threading.get_ident(), time.monotonic()
            raise
        except HatcherException:
            self._is_admitted = True
            raise
        self._is_admitted = True
        return answered

    def _follow(self, request: Request) -> tuple[Outgoing, Incoming]:
        """Send a request once, follow where it is sent on to; return what is no error."""
        outgoing = self._outgoing(request)
        for _ in range(MAX_REDIRECTS + 1):
            incoming = self._transmit(request, outgoing)
            status_code = incoming.status_code
            unasked = status_code == 206 and request.method == "GET"
            if unasked and "Range" not in request.headers:
                incoming.close()
                raise InvalidResponseError(
                    f"Could not {request.action}: {showable(outgoing.url)} gave a part of the answer "
                    "(206), which was not asked for. Check the URL, and whatever stands between.",
                    method=request.method,
                    url=showable(outgoing.url),
                )
            if 200 <= status_code < 300 or status_code == 304:
                return outgoing, incoming
            try:
                location = incoming.headers.get("location")
                if status_code not in (301, 302, 303, 307, 308) or location is None:
                    raise self._error(request, outgoing, incoming)
                outgoing = self._redirected(request, outgoing, status_code, location)
            finally:
                incoming.close()
        raise RedirectError(
            f"Could not {request.action}: {self._url(request)} was sent on more than "
            f"{MAX_REDIRECTS} times. Check the server's URL.",
            method=request.method,
            url=self._url(request),
        )

    def _outgoing(self, request: Request) -> Outgoing:
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
            content = _content(request)
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
        )

    def _transmit(self, request: Request, outgoing: Outgoing) -> Incoming:
        start = time.monotonic()
        try:
            if cancel.is_cancelled():
                raise Trouble("interrupted")
            incoming = self._exchange(request, outgoing)
        except Trouble as trouble:
            raise self._failure(request, outgoing, trouble) from trouble
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "%s %s -> %d in %.3f s",
                outgoing.method,
                showable(outgoing.url),
                incoming.status_code,
                time.monotonic() - start,
            )
        return incoming

    def _exchange(self, request: Request, outgoing: Outgoing) -> Incoming:
        """Send a request with credentials; once more with new ones when they are refused."""
        if self.authenticator is None or not outgoing.at_home:
            return self._channel.exchange(outgoing)
        for sent, is_final in self.authenticator.attempts(outgoing, request.operation):
            incoming = self._channel.exchange(sent)
            if is_final or incoming.status_code != 401:
                break
            incoming.close()
        return incoming

    def _failure(self, request: Request, outgoing: Outgoing, trouble: Trouble) -> HatcherException:
        """Return the error for what happened on the way."""
        return error_for(request, outgoing.url, trouble.without(self._redact))

    def _error(self, request: Request, outgoing: Outgoing, incoming: Incoming) -> BroodHTTPError:
        content = bytearray(answers.MAX_ERROR_BODY)
        received = 0
        # The status tells more than that its explanation did not arrive whole.
        with suppress(Trouble):
            while size := incoming.readinto(memoryview(content)[received:]):
                received += size
        # Advice may need the connection: it asks the server for what there is.
        incoming.close()
        if incoming.status_code == 401 and not outgoing.at_home:
            advice: str | MissingName | None = (
                f"The request was sent on from {self._server} to another server, where "
                "credentials never follow. If you trust it, give its URL to the client."
            )
        elif incoming.status_code >= 500 and request.safety == "ambiguous":
            advice = OUTCOME["ambiguous"]
        else:
            advice = self._advice(incoming.status_code, request)
        return answers.http_error(
            answers.Asked(request.action, request.method, outgoing.url, self._redact),
            incoming.status_code,
            incoming.headers,
            bytes(content[:received]),
            advice=advice,
            anonymous=self._anonymous and outgoing.at_home,
        )

    def _redirected(
        self, request: Request, outgoing: Outgoing, status_code: int, location: str
    ) -> Outgoing:
        """Return the request to the new place, or refuse to go there.

        A method never changes, and what is not a GET never leaves the server.
        Credentials do not leave it either.
        """
        method, source = request.method, showable(outgoing.url)
        kept = (307, 308) if method == "POST" else (301, 302, 307, 308)
        # Heads are read as Latin-1, and what was not quoted in them is mostly UTF-8.
        text = location.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
        try:
            origin, target = _resolved(outgoing.url, text)
        except ValueError:
            trouble = "which is no web address"
        else:
            if outgoing.origin[0] == "https" and origin[0] == "http":
                trouble = "which is not encrypted"
            elif method != "GET" and origin != outgoing.origin:
                trouble = "which is another server"
            elif method != "GET" and status_code not in kept:
                trouble = "in a way that would turn it into a GET"
            else:
                at_home = origin == self._server.origin
                return outgoing._replace(origin=origin, target=target, at_home=at_home)
        raise RedirectError(
            f"Could not {request.action}: {method} {source} was sent on to "
            f"'{self._redact(_shown(text))}', {trouble}. If the server has moved, give its "
            "new URL to the client.",
            method=method,
            url=source,
        )

    def _url(self, request: Request) -> str:
        return f"{self._server}{request.path}"


def _resolved(base: str, location: str) -> tuple[tuple[str, str, int], str]:
    """Return the origin and the target that a redirect leads to.

    Raises
    ------
    ValueError
        It leads to no place, or brings credentials of its own.
    """
    if not location or _CONTROL.search(location):
        raise ValueError("empty, or with control characters")
    moved = urljoin(base, location)
    if "@" in urlsplit(moved).netloc:
        raise ValueError("with credentials")
    origin, target = split(moved)
    return origin, quote(target, safe=_URL_SIGNS, errors="surrogateescape")


def _shown(location: str) -> str:
    """Return a redirect's target as it may stand in a message."""
    return quote(showable(location), safe=_URL_SIGNS, errors="replace")[:200]
