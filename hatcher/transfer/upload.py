"""Uploading a file, and finding out what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    HatcherException,
    NotConnectedError,
    ServerError,
)
from hatcher.transfer.multipart import Describe, UploadBody
from hatcher.transport.request import Request
from hatcher.transport.session import Session

logger = logging.getLogger("hatcher")


def upload(
    session: Session,
    request: Request,
    path: Path,
    describe: Describe = lambda sha256: {"sha256": sha256},
    is_stored: Callable[[str], bool] | None = None,
) -> None:
    """Send a file in constant memory, hashing it on the way.

    When all of it was sent and the answer got lost, the server is asked what it has:
    an upload is never blindly sent a second time.

    Parameters
    ----------
    session : Session
    request : Request
        The upload operation, without its body.
    path : pathlib.Path
        The file.
    describe : callable, optional
        Given the file's sha256, returns what the server is told of it.
    is_stored : callable, optional
        Given the file's sha256, asks the server whether it has the file, as it was
        meant to be.

    Raises
    ------
    HatcherException
        It failed; see `hatcher.errors`.
    """
    body = UploadBody(path, describe)
    try:
        session.send(evolve(request, body=body))
    except (BroodConnectionError, BroodTimeoutError, ServerError) as error:
        if is_stored is None or body.sent_sha256 is None or not _answer_was_lost(error):
            raise
        if not _asked(is_stored, body.sent_sha256):
            raise
        logger.info("%s has arrived, although its answer was lost: %s", path.name, error)


def _answer_was_lost(error: HatcherException) -> bool:
    if isinstance(error, ServerError):
        return error.status_code in (502, 504)  # a gateway's words, not the server's
    return not isinstance(error, NotConnectedError)


def _asked(is_stored: Callable[[str], bool], sha256: str) -> bool:
    try:
        return is_stored(sha256)
    except HatcherException as error:
        # The upload's own failure is what the user must hear of.
        logger.info("what became of the upload could not be asked: %s", error)
        return False
