"""The application: the description's operations, and a few pages for people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

import hatcher.server.handlers  # noqa: F401 - registers them
from hatcher.server.binding import HANDLERS, Handler, bind
from hatcher.server.brood import Brood
from hatcher.server.description import Description
from hatcher.server.door import Door
from hatcher.server.pages import pages
from hatcher.server.refusals import Refusal, unavailable
from hatcher.server.settings import Settings


def create_app(
    settings: Settings,
    description: Description | None = None,
    handlers: Mapping[str, Handler] = HANDLERS,
) -> Starlette:
    """Make the application of an embedded Brood.

    The data folder is opened here and belongs to the application until its lifespan ends.

    Parameters
    ----------
    settings : Settings
        What the server is told.
    description : Description, optional
        What it is to do; by default what this hatcher was built with.
    handlers : mapping of str to callable, optional
        What answers each operation; by default all of `hatcher.server.handlers`.

    Returns
    -------
    starlette.applications.Starlette
        With the server itself as ``state.brood``.

    Raises
    ------
    UnboundOperationsError
        The handlers are not exactly those that the description names.
    UnusableFolderError
        The data folder cannot be served as it is, or another server works in it.
    """
    description = description or Description.installed()
    brood = Brood(settings)
    try:
        routes = [*bind(description, brood, handlers), *pages(description)]
    except BaseException:
        brood.close()
        raise

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await run_in_threadpool(brood.close)

    app = Starlette(
        routes=routes,
        middleware=[Middleware(Door)],
        lifespan=lifespan,
        exception_handlers={HTTPException: _refuse, Exception: _fail},
    )
    # A path with a slash too many is another path; clients do not follow guesses.
    app.router.redirect_slashes = False
    app.state.brood = brood
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer what no route takes, in the one form that errors have."""
    assert isinstance(error, HTTPException)
    message = error.detail
    if error.status_code == 404:
        message = (
            f"There is nothing at '{request.scope['path']}'. The operations are below /api/v0/json, "
            "/api/v1/json and /repo; /docs describes them."
        )
    return Refusal(error.status_code, message, error.headers).response()


async def _fail(request: Request, error: Exception) -> Response:
    """Answer for a fault of the server; the log has the rest."""
    response = unavailable("The server failed; its log says why.").response()
    response.headers["X-Request-ID"] = request.scope["request_id"]  # outside of the door
    return response
