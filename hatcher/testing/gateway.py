"""A gateway that fails at chosen requests, whichever connection they come over."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Literal

from attrs import Attribute, define, field, frozen

from hatcher.testing.faults import Answer, goes_on
from hatcher.testing.listener import (
    End,
    Head,
    Listener,
    Struck,
    host_and_port,
    reset_on_close,
    shutdown,
    spoiled,
)

__all__ = ["FaultyGateway", "Passage", "RequestFault"]

Kind = Literal["reset", "cut", "stall", "replace", "flip", "range"]
Place = Literal["request", "request body", "answer", "answer body", "end"]

#: Where each kind can happen.
_ANYWHERE: tuple[Place, ...] = ("request", "request body", "answer", "answer body", "end")
_PLACES: dict[str, tuple[Place, ...]] = {
    "reset": _ANYWHERE,
    "cut": _ANYWHERE,
    "stall": _ANYWHERE[:-1],
    "replace": ("request", "answer"),
    "flip": ("answer body",),
    "range": ("answer body",),
}


def _possible(fault: RequestFault, attribute: Attribute[Any], place: str) -> None:
    places = _PLACES.get(fault.kind)
    if places is None:
        raise ValueError(f"kind is {fault.kind!r}; give one of {', '.join(_PLACES)}.")
    if place not in places:
        raise ValueError(f"at is {place!r}; a {fault.kind} happens at {' or '.join(places)}.")


@frozen
class RequestFault:
    """What a `FaultyGateway` does to a request.

    Parameters
    ----------
    kind : {"reset", "cut", "stall", "replace", "flip", "range"}
        End the connection with a reset; end it in an orderly way; pass nothing more, without
        ending it; give `answer` instead of the server's; invert one byte of the answer; or say
        206 with a Content-Range that is not the one asked for.
    at : {"request", "request body", "answer", "answer body", "end"}
        When it happens. At "request", nothing of the request has reached the server. At "request
        body", half of its body has, or half of its head where it has no body. At "answer", the
        server has carried the request out, and nothing of its answer passes. At "answer body",
        half of the answer's body passes, or half of its head where it has no body. At "end", all
        of the answer passes, and the connection ends afterwards. "flip" and "range" happen at
        "answer body", which is then the default.
    method : str
        The method of the requests that are meant; ``*`` for any.
    path : str
        Their path without the query. ``*`` in it stands for anything, a name in braces for one
        segment: ``/api/v1/json/admin/organizations/{organization}/teams``.
    skip : int
        How many such requests pass before it happens.
    times : int
        To how many requests it happens.
    after : int, optional
        How many bytes of the body pass before it happens, instead of half of it.
    answer : Answer
        For "replace": what is answered.

    Examples
    --------
    >>> lost = RequestFault("reset", at="answer", method="POST", path="*/eggs/upload")
    >>> busy = RequestFault("replace", at="request", answer=Answer(503, {"Retry-After": "1"}))
    """

    kind: Kind
    at: Place = field(validator=_possible)
    method: str = "*"
    path: str = "*"
    skip: int = 0
    times: int = 1
    after: int | None = None
    answer: Answer = field(factory=lambda: Answer(503))

    @at.default
    def _usual_place(self) -> Place:
        return "answer body" if self.kind in ("flip", "range") else "answer"

    def means(self, method: str, path: str) -> bool:
        """Whether it is about such a request.

        Parameters
        ----------
        method : str
        path : str
            Without the query.

        Returns
        -------
        bool
        """
        return is_meant(self.method, self.path, method, path)


def is_meant(method_pattern: str, path_pattern: str, method: str, path: str) -> bool:
    """Return whether a request is one of those that a method and a path with ``*`` stand for."""
    if method_pattern not in ("*", method):
        return False
    pattern = re.escape(path_pattern).replace(r"\*", ".*")
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern), path) is not None


@define(eq=False)
class Passage:
    """A request that came to a `FaultyGateway`, and how far it got.

    Attributes
    ----------
    method : str
    path : str
        Without the query.
    headers : dict of str to str
        By their names in lower case.
    fault : RequestFault or None
        What was done to it.
    reached : bool
        Whether all of it was passed on to the server.
    status : int or None
        The status that the client was answered, if it was.
    """

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    fault: RequestFault | None = None
    reached: bool = False
    status: int | None = None


class FaultyGateway(Listener):
    """An HTTP gateway before a real server, which fails at chosen requests.

    It knows where a request and an answer begin and end, so that a fault hits the request that is
    meant and no other, although connections are kept; and it counts what has reached the server.
    Requests that no fault is about pass untouched. It is a context manager.

    Parameters
    ----------
    url : str
        The server's URL: ``http://host:port``.
    *faults : RequestFault
        What happens. Of several that are about the same request, the first happens, and the next
        to the next such request.

    Examples
    --------
    >>> lost = RequestFault("reset", at="answer", method="POST")
    >>> with FaultyGateway(brood_server.url, lost) as gateway:
    ...     client = brood_server.client(url=gateway.url)
    """

    def __init__(self, url: str, *faults: RequestFault) -> None:
        self._server = host_and_port(url)
        self._passages: list[Passage] = []
        self._faults: list[_Pending] = []
        self._idle = threading.Condition()
        self._busy = 0
        self.add(*faults)
        super().__init__()

    @property
    def requests(self) -> list[Passage]:
        """What came to it so far (`list` of `Passage`), in order."""
        with self._idle:
            return list(self._passages)

    def add(self, *faults: RequestFault) -> None:
        """Let more happen.

        Parameters
        ----------
        *faults : RequestFault
        """
        with self._idle:
            self._faults += [_Pending(fault, fault.skip, fault.times) for fault in faults]

    def clear(self) -> None:
        """Forget what came so far, and what was still to happen."""
        with self._idle:
            self._passages.clear()
            self._faults.clear()

    def sent(self, method: str = "*", path: str = "*") -> int:
        """Count the requests that came to it.

        Parameters
        ----------
        method, path : str
            Those that are meant; as for `RequestFault`.

        Returns
        -------
        int
        """
        return len(self._meant(method, path))

    def reached(self, method: str = "*", path: str = "*") -> int:
        """Count the requests that have reached the server, all of them.

        Parameters
        ----------
        method, path : str
            Those that are meant; as for `RequestFault`.

        Returns
        -------
        int
        """
        return sum(passage.reached for passage in self._meant(method, path))

    def settle(self, timeout: float = 10.0) -> None:
        """Wait until nothing is under way: no request, and no end of a connection.

        What clients have sent that are gone by now counts as well.

        Parameters
        ----------
        timeout : float
            The seconds that this may take.

        Raises
        ------
        TimeoutError
            It took longer.
        """
        deadline = time.monotonic() + timeout
        looks = 0
        # Twice: between the arrival of a request and its begin there is a moment.
        while looks < 2:
            with self._idle:
                self._idle.wait_for(lambda: not self._busy, deadline - time.monotonic())
            if time.monotonic() > deadline:
                raise TimeoutError(f"Requests were still under way after {timeout:g} s.")
            looks = 0 if self._busy or self.has_news() else looks + 1
            time.sleep(0.001)

    def _meant(self, method: str, path: str) -> list[Passage]:
        return [each for each in self.requests if is_meant(method, path, each.method, each.path)]

    def _serve(self, connection: socket.socket) -> None:
        with socket.create_connection(self._server) as server:
            ends = End(connection), End(server)
            keeps = True
            while keeps and (head := _next_request(*ends)) is not None:
                passage = self._begin(head)
                keeps = False
                try:
                    keeps = _Exchange(passage, head, *ends).run()
                finally:
                    if not keeps:
                        # Before the request counts as over: whoever waits for that finds it so.
                        connection.close()
                        server.close()
                    with self._idle:
                        self._busy -= 1
                        self._idle.notify_all()

    def _begin(self, head: Head) -> Passage:
        method, target, _ = head.line.split(" ", 2)
        passage = Passage(method, target.partition("?")[0], head.headers)
        with self._idle:
            self._busy += 1
            self._passages.append(passage)
            for pending in self._faults:
                if not pending.left or not pending.fault.means(method, passage.path):
                    continue
                if not pending.skip:
                    pending.left -= 1
                    passage.fault = pending.fault
                    break
                pending.skip -= 1
        return passage


@define
class _Pending:
    fault: RequestFault
    skip: int
    left: int


# --- one request and its answer -------------------------------------------------------------------


class _Exchange:
    """One request on its way to the server, and the answer on its way back."""

    def __init__(self, passage: Passage, request: Head, client: End, server: End) -> None:
        self._passage = passage
        self._request = request
        self._client = client
        self._server = server
        self._fault = passage.fault
        self._early: Head | None = None

    def run(self) -> bool:
        """Pass both on, or do what is to be done; return whether the connections go on."""
        try:
            return self._pass()
        except Struck:
            assert self._fault is not None
            if self._fault.kind == "stall":
                self._client.drain()  # until the client gives up
            for end in (self._client, self._server):
                if self._fault.kind == "reset":
                    reset_on_close(end.socket)
                else:
                    shutdown(end.socket, socket.SHUT_RDWR)
            return False

    def _pass(self) -> bool:
        if "transfer-encoding" in self._request.headers:
            # Where such a request ends cannot be told without reading it as a whole.
            message = b"The gateway wants a Content-Length.\n"
            return self._answer_instead(Answer(411, body=message, end="close"))
        if fault := self._happens("request"):
            return self._replace(fault)
        whole = self._pass_request()
        self._passage.reached = True
        answer = self._answer_head()
        if answer is None:
            return False
        body = _body(self._server, answer, self._request)
        if fault := self._happens("answer"):
            deque(body, 0)
            return self._replace(fault) and whole
        for block in self._answer_blocks(answer, body):
            self._client.socket.sendall(block)
        if self._happens("end"):
            raise Struck
        if not whole:
            # The server has answered without reading on. A close now would reset the connection,
            # and the client might never see the answer.
            shutdown(self._client.socket, socket.SHUT_WR)
            self._client.drain()
        return whole and not answer.ends_the_connection

    def _happens(self, place: Place) -> RequestFault | None:
        return self._fault if self._fault is not None and self._fault.at == place else None

    # The request

    def _pass_request(self) -> bool:
        """Pass a request on; return whether all of it was wanted."""
        head, left = self._request.raw, self._request.content_length or 0
        if fault := self._happens("request body"):
            self._server.socket.sendall(head if left else head[: len(head) // 2])
            for block in self._client.blocks(_place(fault, left, left)):
                self._server.socket.sendall(block)
            raise Struck
        self._server.socket.sendall(head)
        # A client that asks first whether to go on, and a server that does not read on, both
        # make the answer come before the end of the body.
        while left:
            if self._server.is_readable() or (
                not self._client.buffered and self._server.is_readable_before(self._client)
            ):
                if not self._pass_interim():
                    return False
                continue
            block = self._client.receive(left)
            if not block:
                raise ConnectionResetError("The client went away in the middle of its request.")
            left -= len(block)
            try:
                self._server.socket.sendall(block)
            except OSError:
                return False
        return True

    def _pass_interim(self) -> bool:
        """Pass a 100 Continue on, if that is what is coming."""
        head = self._server.head()
        if head is None or not 100 <= head.status < 200:
            self._early = head
            return False
        self._client.socket.sendall(head.raw)
        return True

    # The answer

    def _answer_head(self) -> Head | None:
        if self._early is not None:
            return self._early
        while (head := self._server.head()) is not None and 100 <= head.status < 200:
            self._client.socket.sendall(head.raw)
        return head

    def _replace(self, fault: RequestFault) -> bool:
        """Give another answer, unless something else is to happen here."""
        if fault.kind != "replace":
            raise Struck
        return self._answer_instead(fault.answer)

    def _answer_instead(self, answer: Answer) -> bool:
        self._passage.status = answer.status
        # Whoever asks first whether to go on has not sent the body.
        asks = "expect" in self._request.headers
        if not self._passage.reached and not asks:
            deque(self._client.blocks(self._request.content_length or 0), 0)
        self._client.socket.sendall(answer.render())
        return not asks and goes_on(answer)

    def _answer_blocks(self, answer: Head, body: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what passes of an answer: all of it, or up to where the fault happens."""
        fault, length = self._happens("answer body"), answer.content_length
        flips = fault is not None and fault.kind == "flip"
        if fault is not None and fault.kind == "range":
            self._passage.status = 206
            yield _wrong_range(answer, b"".join(body))
            return
        if fault is not None and length is None:
            blocks = list(body)
            body, length = iter(blocks), sum(map(len, blocks))
        if fault is not None and not length:
            yield from spoiled([answer.raw], 0 if flips else len(answer.raw) // 2, flip=flips)
            raise Struck
        if fault is not None and length:
            body = spoiled(body, _place(fault, length, length - 1), flip=flips)
        self._passage.status = answer.status
        yield answer.raw
        yield from body


def _place(fault: RequestFault, length: int, most: int) -> int:
    """After how many bytes of a body a fault happens."""
    return length // 2 if fault.after is None else min(fault.after, most)


def _wrong_range(answer: Head, content: bytes) -> bytes:
    first, last, total = 1, len(content), len(content) + 1
    said = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("content-range", ""))
    if said is not None:
        first, last, total = (int(number) + 1 for number in said.groups())
    dropped = "content-range", "content-length", "transfer-encoding"
    headers = {name: value for name, value in answer.headers.items() if name not in dropped}
    headers["Content-Range"] = f"bytes {first}-{last}/{total}"
    return Answer(206, headers, content).render()


def _next_request(client: End, server: End) -> Head | None:
    """Return the head of the next request; None when either side has ended."""
    # A server that closes an unused connection closes it for the client too.
    if not client.buffered and server.is_readable_before(client) and not client.is_readable():
        return None
    return client.head()


def _body(server: End, answer: Head, request: Head) -> Iterator[bytes]:
    """Yield the body of an answer as it is on the wire."""
    if answer.status in (204, 304) or request.line.startswith("HEAD "):
        return
    left = answer.content_length
    if left is not None:
        for block in server.blocks(left):
            left -= len(block)
            yield block
        if left:
            raise ConnectionResetError("The server ended in the middle of its answer.")
    elif "chunked" in answer.headers.get("transfer-encoding", "").lower():
        size = -1
        while size and (line := server.until(b"\r\n")) is not None:
            yield line
            size = int(line.split(b";")[0], 16)
            yield from server.blocks(size + 2)
    else:
        yield from iter(server.receive, b"")
