"""Asking who one is, and what one may do, before a large file is sent for nothing.

``GET /metadata/user/repositories`` of API version 1 is cheap, and says of every
repository how far it may be used. It is asked over the session's own connections, with
its authentication, which renews a session token that has grown old. Threads that start
together ask once: one asks, and the others take its answer. What it cannot tell does not
stop an upload: servers that do not know it, answers that make no sense, access levels that
nobody has heard of.
"""

from __future__ import annotations

import logging
import threading
import time
from copy import copy
from typing import Any

from hatcher import endpoints
from hatcher.cancel import holding
from hatcher.errors import (
    AuthenticationError,
    BroodHTTPError,
    ErrorResponse,
    HatcherException,
    NotConnectedError,
    NotFoundError,
    http_error_class,
)
from hatcher.transport.request import Request
from hatcher.transport.session import Session

logger = logging.getLogger("hatcher")

#: Seconds for which an answer is good enough for the next file.
_GOOD_FOR = 60.0

#: The access levels that are known not to allow uploads.
_READERS = frozenset({"read_index", "read_repository"})


class _Known:
    """What was answered for a repository. One thread asks at a time: those that wait take its answer."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked_at = -_GOOD_FOR
        self.refusal: HatcherException | None = None


def begin(session: Session, request: Request) -> Request | None:
    """Send the question of `check` before something else is asked; return it, to be given to that.

    Nothing is sent, and None returned, where the answer is known, or the credentials are not.
    """
    known = session.uploads_allowed.get(_repository(request))
    is_known = known is not None and time.monotonic() - known.asked_at < _GOOD_FOR
    return None if is_known else session.begin(_question(request))


def check(session: Session, request: Request, begun: Request | None = None) -> None:
    """Find out whether an upload would be refused, as far as that can be told.

    ``GET /metadata/user/repositories`` of API version 1, once a minute for each
    repository; and ``GET /indices/{organization}/{repository}/{platform}/runtimes`` when
    that does not list it.

    Parameters
    ----------
    session : Session
    request : Request
        The upload operation; its names tell the repository.
    begun : Request, optional
        What `begin` has returned.

    Raises
    ------
    AuthenticationError
        The server does not know who is asking, or nobody's credentials were given.
    PermissionDeniedError
        The access level does not allow uploads. The status code is 403, which the
        upload would have been answered.
    NotFoundError
        The repository is not among those that may be seen, and the server answers 404
        when it is asked for.
    NotConnectedError
        There is no connection to the server.
    """
    repository = _repository(request)
    known: _Known = session.uploads_allowed.setdefault(repository, _Known())
    began = time.monotonic()
    with holding(known.lock):
        if known.refusal is None and time.monotonic() - known.asked_at < _GOOD_FOR:
            return
        if known.refusal is not None and known.asked_at >= began:
            raise copy(known.refusal)
        try:
            _ask(session, request, repository, begun or _question(request))
        except HatcherException as error:
            # Without its traceback, whose frames hold the request.
            known.refusal, known.asked_at = copy(error), time.monotonic()
            raise
        known.refusal, known.asked_at = None, time.monotonic()


def _repository(request: Request) -> str:
    return f"{request.names['organization']}/{request.names['repository']}"


def _question(request: Request) -> Request:
    """Return the question, named after the upload, which is what the user hears of."""
    question = endpoints.request(1, "list_available_repositories")
    return question._replace(operation=request.operation)


def _ask(session: Session, request: Request, repository: str, question: Request) -> None:
    """Ask the server whether an upload would be refused; see `check`."""
    try:
        levels = _levels(session.find(question))
    except (AuthenticationError, NotConnectedError):
        raise
    except HatcherException as error:
        logger.info("whether the upload is allowed could not be asked: %s", error)
        levels = {}
    access = levels.get(repository.casefold())
    if access in _READERS:
        raise _refusal(
            session,
            request,
            f"{session.server}{question.path}",
            f"your access to '{repository}' is '{access}', which does not allow uploads",
        )
    if levels and access is None:
        _look_for(session, request)


def _levels(answer: dict[str, Any] | None) -> dict[str, str]:
    """Return the access levels by the repositories' names, as far as they can be read."""
    listed = answer.get("repositories") if answer is not None else None
    if not isinstance(listed, list):
        return {}
    return {
        repository["name"].casefold(): str(repository.get("access"))
        for repository in listed
        if isinstance(repository, dict) and isinstance(repository.get("name"), str)
    }


def _look_for(session: Session, request: Request) -> None:
    """Ask for something in the repository, which is not among those that may be seen.

    Raises
    ------
    NotFoundError
        The server does not know it either.
    """
    try:
        question = endpoints.request(session.api_version, "get_runtime_index", request.names)
        session.send(question._replace(operation=request.operation))
    except NotFoundError:
        raise
    except HatcherException as error:
        logger.info("whether there is such a repository could not be asked: %s", error)


def _refusal(session: Session, request: Request, asked: str, why: str) -> BroodHTTPError:
    status_code = 401 if session.is_anonymous else 403
    error = http_error_class(status_code)(
        request.action,
        method="GET",
        url=asked,
        response=ErrorResponse(status_code, "", ""),
        error=why,
        anonymous=session.is_anonymous,
    )
    # The usual words would say that the server has answered so, which it has not yet.
    error.args = (
        f"Could not {request.action}: {why}, as GET {asked} says. Nothing was sent. {error.advice}",
    )
    return error
