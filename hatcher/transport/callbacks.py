"""Headers and callbacks that users add to the requests of a client."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, MutableMapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field

from hatcher.errors import InvalidArgumentError
from hatcher.transport.channel import (
    FRAMING,
    Channel,
    ChannelError,
    Headers,
    Incoming,
    MutableHeaders,
    Outgoing,
    check_headers,
)
from hatcher.transport.faults import error_for
from hatcher.transport.retry import call_of_user
from hatcher.transport.urls import Origin, showable, split

if TYPE_CHECKING:
    import httpx


OnRequest: TypeAlias = Callable[["RequestEvent"], object]
OnResponse: TypeAlias = Callable[["ResponseEvent"], object]

#: Headers for credentials, for the connection, and for where a request goes and ends.
_FRAMING = FRAMING | {"authorization", "expect", "proxy-authorization", "te", "trailer"}
_FRAMING |= {"keep-alive", "proxy-connection"}

#: Headers that hatcher sets for each request.
_OF_REQUESTS = frozenset(
    {"accept", "accept-encoding", "content-encoding", "content-type", "range"}
    | {"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"}
)


def _shown_headers(headers: Mapping[str, str]) -> Headers:
    shown = Headers(headers)
    shown.pop("set-cookie", None)
    if "location" in shown:
        shown["location"] = showable(shown["location"])
    return shown


@define(eq=False, repr=False)
class RequestEvent:
    """A request that is about to be sent, as an `on_request` sees it.

    Attributes
    ----------
    method : str
        Such as ``GET``.
    url : str
        Where it goes, without the query, which may hold a signature.
    operation : str
        What it is for, by the operationId in the description, such as ``v1_upload_egg``; empty
        for a request of `BroodClient.raw`.
    headers : mapping of str to str
        Its headers, found in any case, without Authorization. What you put into them is sent.
    context : object
        None at first; for what `on_response` shall find again, such as a span.
    """

    method: str
    url: str
    operation: str
    headers: MutableMapping[str, str] = field(converter=MutableHeaders)
    context: Any = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<RequestEvent {self.operation}: {self.method} {self.url}>"


@define(eq=False, repr=False)
class ResponseEvent:
    """What came back for a request, as an `on_response` sees it.

    Attributes
    ----------
    request : RequestEvent
        The object that `on_request` was given.
    status_code : int or None
        None when no answer came.
    headers : dict of str to str
        Those of the answer, found in any case; without cookies, and without the query of a
        Location.
    elapsed : float
        Seconds until the head of the answer was there, or until it was clear that none comes.
    error : BaseException or None
        Why no answer came.
    """

    request: RequestEvent
    status_code: int | None
    headers: Mapping[str, str] = field(converter=_shown_headers)
    elapsed: float
    error: BaseException | None = None

    def __repr__(self) -> str:
        return f"<ResponseEvent {self.status_code or self.error!r} to {self.request!r}>"


def refuse_coroutines(what: str, given: object) -> None:
    """Raise InvalidArgumentError for what returns a coroutine, which nobody would await."""
    if iscoroutinefunction(given) or iscoroutinefunction(type(given).__call__):
        raise InvalidArgumentError(
            f"{what} cannot be a coroutine function: it is called in a thread, where nobody awaits "
            "it. Give a plain function."
        )


class Hooks:
    """The headers and callbacks of a client.

    Parameters
    ----------
    headers : mapping of str to str, optional
        Go with every request to the server itself.
    on_request, on_response : callable, optional
        Called before and after each request.

    Raises
    ------
    InvalidArgumentError
        They cannot be used.
    """

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
    ) -> None:
        given = {} if headers is None else headers
        if not isinstance(given, Mapping):
            raise InvalidArgumentError(
                f"headers cannot be of type {type(headers).__name__}. Give a dict of names and "
                "values."
            )
        check_headers(given.items())
        self.headers = MutableHeaders(given)
        for name in self.headers:
            if name.lower() in _FRAMING | _OF_REQUESTS:
                raise InvalidArgumentError(
                    f"The header '{name}' cannot be given in headers, because hatcher sets it for "
                    "each request. Leave it out; credentials are given as auth."
                )
        for what, callback in (("on_request", on_request), ("on_response", on_response)):
            if callback is not None and not callable(callback):
                raise InvalidArgumentError(
                    f"{what} cannot be of type {type(callback).__name__}. Give a function of one "
                    "argument."
                )
            refuse_coroutines(what, callback)
        self._on_request = on_request
        self._on_response = on_response

    def before(self, outgoing: Outgoing, origin: Origin) -> tuple[RequestEvent, Outgoing]:
        """Call `on_request`; return the request with all its headers."""
        headers = MutableHeaders(outgoing.headers)
        if outgoing.origin == origin:
            headers.update(self.headers)
        event = RequestEvent(
            outgoing.method, showable(outgoing.url), outgoing.operation, dict(headers)
        )
        if self._on_request is not None:
            call_of_user(self._on_request, event)
        for name in event.headers:
            if isinstance(name, str) and name.lower() in _FRAMING:
                raise InvalidArgumentError(
                    f"on_request cannot set the header '{name}': it follows from the URL, the "
                    "body and the credentials. Nothing was sent."
                )
        return event, outgoing._replace(headers=dict(event.headers))

    def after(self, *arguments: Any) -> None:
        """Call `on_response` with a `ResponseEvent` of these arguments."""
        if self._on_response is not None:
            call_of_user(self._on_response, ResponseEvent(*arguments))

    def for_httpx(self, origin: Origin) -> tuple[Callable[..., None], Callable[..., None]]:
        """Return the same as two event hooks of an httpx client, which knows no failures."""

        def before(request: httpx.Request) -> None:
            hidden = _FRAMING | request.extensions.get("credentials", frozenset())
            own = {k: v for k, v in request.headers.items() if k.lower() not in hidden}
            url = str(request.url)
            outgoing = Outgoing(request.method, *split(url), own, operation="")
            event, outgoing = self.before(outgoing, origin)
            check_headers(outgoing.headers.items())
            request.headers.encoding = "latin-1"  # as http.client writes them
            for name in own.keys() - {name.lower() for name in outgoing.headers}:
                del request.headers[name]
            for name, value in outgoing.headers.items():
                request.headers[name] = value
            request.extensions["hatcher"] = event, time.monotonic()

        def after(response: httpx.Response) -> None:
            event, start = response.request.extensions["hatcher"]
            self.after(event, response.status_code, response.headers, time.monotonic() - start)

        return before, after

    def __reduce__(self) -> tuple[Any, ...]:
        import pickle

        for callback in (self._on_request, self._on_response):
            try:
                pickle.dumps(callback)
            except Exception as error:
                raise TypeError(
                    f"A client with {callback!r} as a callback cannot be pickled. Give it a "
                    "function of a module."
                ) from error
        return Hooks, (dict(self.headers), self._on_request, self._on_response)


class WatchedChannel:
    """A channel that adds the headers of `Hooks` to what it sends, and calls their callbacks."""

    def __init__(self, channel: Channel, origin: Origin, hooks: Hooks) -> None:
        self._channel = channel
        self._origin = origin
        self._hooks = hooks

    def exchange(self, outgoing: Outgoing) -> Incoming:
        event, outgoing = self._hooks.before(outgoing, self._origin)
        start = time.monotonic()
        try:
            incoming = self._channel.exchange(outgoing)
        except BaseException as error:
            # What the body of an upload has raised is wrapped.
            cause: BaseException = getattr(error, "cause", error)
            told = error_for(outgoing, error) if isinstance(error, ChannelError) else cause
            self._hooks.after(event, None, {}, time.monotonic() - start, told)
            raise
        try:
            elapsed = time.monotonic() - start
            headers = {k: outgoing.redact(v) for k, v in incoming.headers.items()}
            self._hooks.after(event, incoming.status_code, headers, elapsed)
        except BaseException:
            incoming.close()
            raise
        return incoming

    def close(self) -> None:
        self._channel.close()
