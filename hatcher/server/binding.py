"""Handlers bound to the description: one for every operation, and no other.

A handler is called with a `Call` and returns a response. A plain function runs in a
thread, so that it may take its time with files and the database; a coroutine function
runs in the event loop, which only uploads need.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import cast
from urllib.parse import unquote

from attrs import evolve, frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from hatcher.server.access import ANONYMOUS
from hatcher.server.brood import Brood
from hatcher.server.calls import Call, read_document, read_query
from hatcher.server.description import Description, Operation
from hatcher.server.failures import refusal_of
from hatcher.server.refusals import Refusal, unauthenticated, unavailable

logger = logging.getLogger("hatcher.server")

Handler = Callable[[Call], Response] | Callable[[Call], Awaitable[Response]]
HandlerT = Callable[[Handler], Handler]

#: The handler of every operation, by operationId: filled by importing the handlers.
HANDLERS: dict[str, Handler] = {}


class UnboundOperationsError(RuntimeError):
    """The handlers are not exactly those that the description names."""


def operation(name: str, versions: tuple[int | None, ...] = (0, 1)) -> HandlerT:
    """Make a function the handler of an operation.

    Parameters
    ----------
    name : str
        The operation, without its version: ``list_platforms``.
    versions : tuple of int or None
        The versions of the API in which it handles it; None for one of no version.
    """

    def register(handler: Handler) -> Handler:
        for version in versions:
            operation_id = name if version is None else f"v{version}_{name}"
            if HANDLERS.setdefault(operation_id, handler) is not handler:
                raise UnboundOperationsError(f"{operation_id} has two handlers.")
        return handler

    return register


def bind(
    description: Description, brood: Brood, handlers: Mapping[str, Handler]
) -> list[BaseRoute]:
    """Return the routes of a description.

    Parameters
    ----------
    description : Description
        What the server is to do.
    brood : Brood
        What it does it with.
    handlers : mapping of str to callable
        How it does it, by operationId.

    Raises
    ------
    UnboundOperationsError
        An operation has no handler, or a handler no operation.
    """
    described = {operation.operation_id for operation in description.operations}
    odd = {
        "operations without a handler": described - handlers.keys(),
        "handlers without an operation": handlers.keys() - described,
    }
    problems = [f"{what}: {', '.join(sorted(names))}" for what, names in odd.items() if names]
    if problems:
        raise UnboundOperationsError(
            f"The server does not match the description ({'; '.join(problems)}). "
            "Write the handler or describe the operation, then start again."
        )
    paths: dict[str, dict[str, Endpoint]] = {}
    for operation in description.operations:
        endpoint = Endpoint(operation, handlers[operation.operation_id], brood)
        paths.setdefault(operation.path, {})[operation.method] = endpoint
    return [PathRoute(path, endpoints) for path, endpoints in paths.items()]


@frozen(eq=False)
class Endpoint:
    """One operation and what answers it."""

    operation: Operation
    handler: Handler
    brood: Brood

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except Refusal as refusal:
            response = refusal.response()
        except ClientDisconnect:
            raise
        except Exception as error:
            response = self._failed(error, scope["request_id"]).response()
        if "etag" not in response.headers:
            # Tokens and passwords, and what changes at any time.
            response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        account = await self.brood.accounts.authenticate(request)
        if account is ANONYMOUS and not self.operation.is_open:
            raise unauthenticated(
                "This needs authentication: send an e-mail address and password (Basic) "
                "or a token (Bearer)."
            )
        query = read_query(self.operation, request)
        call = Call(self.brood, self.operation, request, account, request.path_params, query)
        if self.operation.check_body is None:
            return await run_in_threadpool(self._answer, call)
        await run_in_threadpool(call.authorize)
        if inspect.iscoroutinefunction(self.handler):
            # An upload, which reads its body itself.
            return cast(Response, await self.handler(call))
        document = await read_document(request)
        return await run_in_threadpool(self._answer, evolve(call, document=document))

    def _answer(self, call: Call) -> Response:
        if self.operation.check_body is None:
            call.authorize()
        else:
            self.operation.check_body(call.document)
        return cast(Response, self.handler(call))

    def _failed(self, error: Exception, request_id: str) -> Refusal:
        refusal = refusal_of(error)
        name = self.operation.operation_id
        if refusal is None:
            logger.exception("Request %s: %s failed", request_id, name)
            return unavailable("The server failed; its log says why.")
        # Of a DBAPIError only what the database says: the statement would fill the log.
        said = getattr(error, "orig", error)
        logger.warning("Request %s: %s answered %d: %s", request_id, name, refusal.status, said)
        return refusal


class PathRoute(BaseRoute):
    """All operations of one path.

    It matches the path as it was sent, before percent-decoding, so that a name may
    contain a slash: ``a%2Fb`` is one segment.

    Parameters
    ----------
    template : str
        The path, with its parameters in braces.
    endpoints : mapping of str to Endpoint
        What answers each method.
    """

    def __init__(self, template: str, endpoints: Mapping[str, Endpoint]) -> None:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        self._pattern = re.compile(pattern.encode())
        self._endpoints = dict(endpoints)
        if "GET" in endpoints:
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self._allow = ", ".join(sorted(self._endpoints))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for this path, and with which parameters."""
        found = scope["type"] == "http" and self._pattern.fullmatch(scope["raw_path"])
        return (Match.FULL, {"path_params": found.groupdict()}) if found else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for this path."""
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is None:
            message = f"{scope['method']} is not for this path. It takes {self._allow}."
            raise Refusal(405, message, {"Allow": self._allow})
        scope["path_params"] = {
            name: unquote(value.decode("ascii")) for name, value in scope["path_params"].items()
        }
        await endpoint(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> object:  # type: ignore[override]
        """Refuse: the paths stand in the description."""
        raise NoMatchFound(name, path_params)
