"""Uploading a file."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from hatcher.transfer.multipart import Describe, UploadBody
from hatcher.transport.request import Request
from hatcher.transport.session import Session


def upload(
    session: Session,
    request: Request,
    path: Path,
    describe: Describe = lambda sha256: {"sha256": sha256},
) -> None:
    """Send a file in constant memory, hashing it on the way.

    Parameters
    ----------
    session : Session
    request : Request
        The upload operation, without its body.
    path : pathlib.Path
        The file.
    describe : callable, optional
        Given the file's sha256, returns what the server is told of it.

    Raises
    ------
    HatcherException
        It failed; see `hatcher.errors`.
    """
    session.send(evolve(request, body=UploadBody(path, describe)))
