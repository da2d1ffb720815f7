"""Uploading a file, and finding out what became of it.

An upload is never blindly sent a second time. What is done after a failure:

=================================================  ======================================
nothing of it was sent, 408, 429                   sent again, after a pause
the connection was lost, silence, 502, 503, 504    *looked* at; then, if it is not there,
                                                   sent again
an answer that is no HTTP                          *looked* at; an error if it is not there
409, after it had been sent before                 *looked* at; an error if it is not there
any other status, a redirect                       an error
the file has changed, `progress` has raised        an error; the end of the body was not
                                                   sent, so that nothing was stored
=================================================  ======================================

To look is to ask the server what it has under the name, at once, and, since a server may
still be storing what it has not answered, again after a pause:

- the same sha256 (and as visible as it was meant to be): the upload has worked;
- another sha256, without `overwrite`: `ChecksumMismatchError`;
- nothing, or what `overwrite` shall replace: the upload may be sent again;
- no telling (the server cannot be asked, or says no sha256): the upload's own failure is
  raised, and nothing is sent.

The pauses, and how often an upload may be sent again, are the session's `RetryPolicy`'s:
with ``retries=0`` there is one look and no second sending. Where an artefact cannot be
asked for, because its file does not say how it is addressed, the failure is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from hatcher.errors import (
    ArtefactError,
    ChecksumMismatchError,
    ConflictError,
    HatcherException,
)
from hatcher.transport.parsing import load_object
from hatcher.transport.request import Request
from hatcher.transport.retry import leaves_open, pause, pause_before_retry
from hatcher.transport.session import Session

if TYPE_CHECKING:
    from hatcher.transfer.multipart import UploadBody
    from hatcher.transport.answers import Answer

logger = logging.getLogger("hatcher")

#: Bytes from which a file is worth a question beforehand.
LARGE = 8 << 20


def upload(
    session: Session,
    request: Request,
    body: UploadBody,
    is_stored: Callable[[str], bool] | None,
    question: Request | None = None,
    *,
    was_sent: bool = False,
) -> bool:
    """Send a file in constant memory, hashing it on the way.

    Before a large file, the server is asked whether it will be allowed. When an answer
    gets lost, the server is asked what it has: see this module.

    Parameters
    ----------
    session : Session
    request : Request
        The upload operation, without its body.
    body : UploadBody
        The file; it is closed.
    is_stored : callable or None
        Given the file's sha256, asks the server whether it has the file, as it was
        meant to be; raises `ChecksumMismatchError` when it has another one that stands
        in the way.
    question : Request, optional
        What `preflight.begin` has returned.
    was_sent : bool, default False
        Whether it was sent before, by a call that was interrupted.

    Returns
    -------
    bool
        Whether it has been stored; False when the server says that it had the same file already.

    Raises
    ------
    ArtefactError
        The file is gone, cannot be read, or has changed; nothing was stored.
    HatcherException
        It failed; see `hatcher.errors`.
    Exception
        What `progress` raised; nothing was stored.
    """
    # Imported here, where something is sent: hashlib alone takes 5 ms.
    from hatcher.transfer.multipart import ProgressError

    if body.size >= LARGE:
        from hatcher.transfer import preflight

        preflight.check(session, request, question)
    try:
        return _see_through(session, request._replace(body=body), body, is_stored, was_sent)
    except ProgressError as error:
        raise error.cause from None
    finally:
        body.close()


def _see_through(
    session: Session,
    request: Request,
    body: UploadBody,
    is_stored: Callable[[str], bool] | None,
    was_sent: bool,
) -> bool:
    """Send a file until it is known what became of it; return whether it was not there before."""
    tries = 0
    while True:
        try:
            answer = session.send(request)
        except HatcherException as error:
            failure = error
        else:
            # What was sent before may be what is there.
            return was_sent or not _says_known(answer, body.sent_sha256)
        # What was sent before may have been stored late, and stand in its own way.
        in_its_own_way = was_sent and isinstance(failure, ConflictError)
        if not in_its_own_way and not leaves_open(failure):
            raise failure
        was_sent = True
        if _has_arrived(body, is_stored, failure):
            return True
        # What is not there after a look is as harmless to send as what is idempotent.
        if in_its_own_way:
            raise failure
        tries += 1
        seconds = pause_before_retry(session.retries, "idempotent", tries, failure)
        pause(seconds)
        if _has_arrived(body, is_stored, failure):
            return True


def _has_arrived(
    body: UploadBody, is_stored: Callable[[str], bool] | None, failure: HatcherException
) -> bool:
    """Ask the server whether it has the file; raise the failure if it cannot tell."""
    arrived = None
    try:
        if is_stored is not None:
            # What was not sent to its end has not been hashed either.
            arrived = is_stored(body.sent_sha256 or body.sha256())
    except ChecksumMismatchError as other:
        raise other from failure
    except ArtefactError:
        raise
    except HatcherException as error:
        logger.info("what became of the upload could not be asked: %s", error)
    if arrived is None:
        raise failure
    if arrived:
        logger.info("%s has arrived, although an answer got lost: %s", body.path, failure)
    return arrived


def _says_known(answer: Answer, sha256: str | None) -> bool:
    """Whether an answer says that the server has had the file: 200, and the sha256 beside it.

    Servers are free in the status of a success, so that it alone says nothing.
    """
    if answer.status_code != 200:
        return False
    try:
        return load_object(answer.content).get("sha256") == sha256
    except ValueError:
        return False
