"""The two-part body of an upload, as Brood wants it.

::

    file   filename="nose-1.3.0-1.egg", no Content-Type
    data   filename="", Content-Type: application/json; charset=UTF-8

httpx leaves out a ``filename`` that is empty, and some servers then take the
second part for a form field. Written here it also has a known length, takes
constant memory, and needs the file to be read only once: the sha256 goes into the
part after the file, when all of the file has passed.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hatcher.errors import FileChangedError
from hatcher.transfer.hashing import BLOCK_SIZE

#: What the `data` part says of a file, given the file's sha256.
Describe = Callable[[str], Mapping[str, Any]]


class UploadBody:
    """A file and what is said of it, as ``multipart/form-data``.

    It can be iterated over again when a request is sent again.

    Parameters
    ----------
    path : pathlib.Path
        The file to send.
    describe : callable
        Given the file's sha256, returns the JSON object of the `data` part. The
        length of that JSON may not depend on the sha256's digits.

    Attributes
    ----------
    content_type : str
        Names the boundary, which is random so that no file can contain it.
    content_length : int
        The number of bytes of the whole body.
    sent_sha256 : str or None
        The file's sha256, once all of it has been given out.
    """

    def __init__(self, path: Path, describe: Describe) -> None:
        boundary = secrets.token_hex(16)
        self._path = path
        self._describe = describe
        self._size = path.stat().st_size
        self.sent_sha256: str | None = None
        self._before = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{_quoted(path.name)}"\r\n'
            "\r\n"
        ).encode()
        self._between = (
            f"\r\n--{boundary}\r\n"
            'Content-Disposition: form-data; name="data"; filename=""\r\n'
            "Content-Type: application/json; charset=UTF-8\r\n"
            "\r\n"
        ).encode()
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.content_length = (
            len(self._before)
            + self._size
            + len(self._between)
            + len(self._data("0" * 64))
            + len(self._after)
        )

    def __iter__(self) -> Iterator[bytes]:
        """Give the body, a block at a time.

        Raises
        ------
        FileChangedError
            The file is no longer as long as it was.
        """
        self.sent_sha256 = None
        yield self._before
        digest = hashlib.sha256()
        with open(self._path, "rb", buffering=0) as file:
            remaining = self._size
            while remaining > 0 and (block := file.read(min(BLOCK_SIZE, remaining))):
                remaining -= len(block)
                digest.update(block)
                yield block
            if remaining > 0 or os.fstat(file.fileno()).st_size != self._size:
                raise FileChangedError(
                    f"'{self._path}' changed its size while it was being sent. Nothing of it was "
                    "stored; upload it again when nothing writes to it."
                )
        self.sent_sha256 = digest.hexdigest()
        yield self._between + self._data(self.sent_sha256) + self._after

    def _data(self, sha256: str) -> bytes:
        return json.dumps(self._describe(sha256)).encode()


def _quoted(name: str) -> str:
    # The three signs that would end the parameter; escaped as browsers do it.
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
