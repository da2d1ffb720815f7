"""A server of one file that gives parts of it, over many connections; it misbehaves on demand."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from attrs import evolve, field, frozen

from hatcher.testing import Answer, Request
from hatcher.testing.faults import goes_on
from hatcher.testing.listener import End, Listener, reset_on_close, shutdown

from .conftest import NAME

JSON = {"Content-Type": "application/json"}
ETAG = '"v1"'

_BLOCK = 65536

#: Seconds that an answer waits for the request of another part, at most.
_PATIENCE = 5.0


@frozen
class Part(Answer):
    """An answer with a part of the file, with all of it, or with what comes instead.

    Parameters
    ----------
    whole : bytes
        The file.
    first : int
        Where in it the part begins.
    stall : int, optional
        Send no more than so many bytes of the body, and keep the connection open.
    hold : int, optional
        After so many bytes, wait until somebody has asked for a part.
    pace : float
        Seconds before each 64 KiB.
    """

    whole: bytes = field(default=b"", repr=False)
    first: int = 0
    stall: int | None = None
    hold: int | None = None
    pace: float = 0.0


#: What is done to an answer, given how many such answers there were before it.
Spoil: TypeAlias = Callable[[int, Part], Answer]


class RangeServer(Listener):
    """Serves one file, whatever its path; what is no artefact is a list of platforms.

    It gives parts as RFC 9110 has it. Bytes of bodies are counted when they have left, and it
    lets few of them wait in its sockets.

    Parameters
    ----------
    content : bytes
    parts, wholes : callable
        What it does to the answers with parts, and to those with the whole file.
    every : callable
        Given any request for the file, gives the answer to it, or None.
    etag : str or None
    accepts : bool
        Whether it says that it gives parts.

    Attributes
    ----------
    asked : list of (str or None, str or None)
        Range and If-Range of each request for the file.
    sent : int
        Bytes of the file, or of what came instead of it.
    others : int
        How many other requests there were.
    at_once : int
        The most answers for the file that were under way at the same time.
    """

    def __init__(
        self,
        content: bytes,
        parts: Spoil = lambda number, part: part,
        wholes: Spoil = lambda number, part: part,
        every: Callable[[Request], Answer | None] = lambda request: None,
        *,
        etag: str | None = ETAG,
        accepts: bool = True,
    ) -> None:
        self.content, self.etag, self.accepts = content, etag, accepts
        self.asked: list[tuple[str | None, str | None]] = []
        self.sent = self.others = self.at_once = self.under_way = 0
        self._parts, self._wholes, self._every = parts, wholes, every
        self._parted = threading.Event()
        self._counting = threading.Lock()
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BLOCK)
        client = End(connection)
        while (head := client.head()) is not None:
            method, target, _ = head.line.split(" ", 2)
            body = b"".join(client.blocks(head.content_length or 0))
            request = Request(method, target, head.headers, body)
            if ".egg" not in target and "/data/" not in target:
                self.others += 1
                connection.sendall(Answer(200, JSON, b'{"platforms": []}').render())
                continue
            if "range" in head.headers:
                self._parted.set()
            with self._busy():
                answer = self._every(request) or self._answer(request)
                self._send(client, answer)
            if not goes_on(answer):
                return

    @contextmanager
    def _busy(self) -> Iterator[None]:
        with self._counting:
            self.under_way += 1
            self.at_once = max(self.at_once, self.under_way)
        try:
            yield
        finally:
            with self._counting:
                self.under_way -= 1

    def _answer(self, request: Request) -> Answer:
        wanted, condition = request.headers.get("range"), request.headers.get("if-range")
        with self._counting:
            number = sum((was is None) == (wanted is None) for was, _ in self.asked)
            self.asked.append((wanted, condition))
        headers = {"Content-Disposition": f'attachment; filename="{NAME}"'}
        if self.accepts:
            headers["Accept-Ranges"] = "bytes"
        if self.etag is not None:
            headers["ETag"] = self.etag
        whole = Part(200, headers, self.content, whole=self.content)
        if wanted is None:
            return self._wholes(number, whole)
        part = self._part(wanted, whole) if condition in (None, self.etag) else whole
        return self._parts(number, part)

    def _part(self, wanted: str, whole: Part) -> Part:
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
        assert match is not None, wanted
        size = len(self.content)
        first, last = int(match[1]), min(int(match[2] or size), size - 1)
        if first >= size:
            said = {"Content-Range": f"bytes */{size}", **JSON}
            return evolve(whole, status=416, headers=said, body=b'{"error": "beyond"}')
        said = {**whole.headers, "Content-Range": f"bytes {first}-{last}/{size}"}
        body = self.content[first : last + 1]
        return evolve(whole, status=206, headers=said, body=body, first=first)

    def _send(self, client: End, answer: Answer) -> None:
        part = (
            answer if isinstance(answer, Part) else Part(answer.status, answer.headers, answer.body)
        )
        end = min(most for most in (len(part.body), part.cut, part.stall) if most is not None)
        length = (
            {} if "Transfer-Encoding" in part.headers else {"Content-Length": str(len(part.body))}
        )
        client.socket.sendall(Answer(part.status, {**length, **part.headers}).render())
        for at in range(0, end, _BLOCK):
            if part.hold is not None and at >= part.hold:
                self._parted.wait(_PATIENCE)
            if part.pace:
                time.sleep(part.pace)
            block = memoryview(part.body)[at : min(at + _BLOCK, end)]
            client.socket.sendall(block)
            with self._counting:
                self.sent += len(block)
        if part.stall is not None:
            client.drain()  # until the client gives up
        elif part.end == "reset":
            reset_on_close(client.socket)
        elif not goes_on(part):
            shutdown(client.socket, socket.SHUT_RDWR)
