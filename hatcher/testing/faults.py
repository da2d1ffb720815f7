"""Networks and gateways that misbehave on demand, on real sockets.

`FaultProxy` stands between a client and a real server and spoils the bytes of chosen connections.
`ScriptedServer` answers each request with what a test has laid out, valid HTTP or not, and keeps
what it was asked.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from attrs import field, frozen

from hatcher.testing.listener import (
    BLOCK,
    End,
    Listener,
    Struck,
    host_and_port,
    reset_on_close,
    shutdown,
    spoiled,
)

__all__ = ["Answer", "Fault", "FaultProxy", "Request", "ScriptedServer"]

#: Lets the last bytes wait for what follows them, where there is such a thing (Linux).
_MORE = getattr(socket, "MSG_MORE", 0)

# --- a server that follows a script ---------------------------------------------------------------


@frozen
class Request:
    """A request as it came over the wire.

    Attributes
    ----------
    method : str
        Such as ``"GET"``.
    target : str
        Path and query, as sent.
    headers : dict of str to str
        By their names in lower case.
    body : bytes
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@frozen
class Answer:
    """What a `ScriptedServer` answers to one request.

    Parameters
    ----------
    status : int
        The HTTP status.
    headers : mapping of str to str
        Sent as they are. Content-Length is added when neither it nor Transfer-Encoding is among
        them, and the status may have a body.
    body : bytes
    cut : int, optional
        Send no more than this many bytes of the body, then end the connection.
    end : {"keep", "close", "reset"}
        What becomes of the connection afterwards. A `cut` answer never keeps it.
    raw : bytes, optional
        Send these bytes instead of all the above, then end the connection.
    early : bool
        Answer when the header of the request is there, without reading its body.
    """

    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""
    cut: int | None = None
    end: Literal["keep", "close", "reset"] = "keep"
    raw: bytes | None = None
    early: bool = False

    def render(self) -> bytes:
        """Return the bytes to send.

        Returns
        -------
        bytes
        """
        if self.raw is not None:
            return self.raw
        headers = dict(self.headers)
        given = {name.lower() for name in headers}
        if not given & {"content-length", "transfer-encoding"} and self.status not in (204, 304):
            headers["Content-Length"] = str(len(self.body))
        lines = [f"HTTP/1.1 {self.status} Scripted", *(f"{k}: {v}" for k, v in headers.items())]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head + self.body[: self.cut]


def goes_on(answer: Answer) -> bool:
    """Return whether a connection is kept after an answer."""
    return answer.end == "keep" and answer.cut is None and answer.raw is None


class ScriptedServer(Listener):
    """A server on a real socket that answers with what it was given, in order.

    After the last answer it repeats that one. It is a context manager.

    Parameters
    ----------
    *answers : Answer, or callable
        One for each request, whatever the connection. A callable is given the `Request`, and
        returns the answer to it.

    Attributes
    ----------
    requests : list of Request
        What it was asked, in order.

    Examples
    --------
    >>> with ScriptedServer(Answer(503), Answer(200, body=b"{}")) as server:
    ...     status = urlopen(server.url)
    """

    def __init__(self, *answers: Answer | Callable[[Request], Answer]) -> None:
        if not answers:
            answers = (Answer(500, body=b"No answer was laid out."),)
        self._answers: deque[Answer | Callable[[Request], Answer]] = deque(answers)
        self._answering = threading.Lock()
        self.requests: list[Request] = []
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        client = End(connection)
        while (head := client.head()) is not None:
            method, target, _ = head.line.split(" ", 2)
            with self._answering:
                laid_out = self._answers[0]
                if len(self._answers) > 1:
                    self._answers.popleft()
            early = isinstance(laid_out, Answer) and laid_out.early
            body = b"" if early else b"".join(client.blocks(head.content_length or 0))
            request = Request(method, target, head.headers, body)
            self.requests.append(request)
            answer = laid_out if isinstance(laid_out, Answer) else laid_out(request)
            # The end goes out with the last bytes: whoever has those knows of it.
            together = not goes_on(answer) and answer.end != "reset" and not early
            connection.sendall(answer.render(), _MORE if together else 0)
            if early:
                # As good servers do: a close with unread bytes would reset the connection,
                # and the answer might be lost.
                shutdown(connection, socket.SHUT_WR)
                client.drain()
            elif answer.end == "reset":
                reset_on_close(connection)
            elif not goes_on(answer):
                shutdown(connection, socket.SHUT_RDWR)
            if early or not goes_on(answer):
                return


# --- a proxy that spoils what passes --------------------------------------------------------------


@frozen
class Fault:
    """What a `FaultProxy` does to one connection.

    Parameters
    ----------
    kind : {"cut", "reset", "flip", "stall", "none"}
        End the connection in an orderly way; end it with a reset; invert one byte; pass nothing
        more, without ending it; or pass everything.
    after : int
        How many bytes pass in that direction, headers included, before it happens.
    direction : {"down", "up"}
        Of the answers (to the client) or of the requests (to the server).
    """

    kind: Literal["cut", "reset", "flip", "stall", "none"]
    after: int = 0
    direction: Literal["down", "up"] = "down"


class FaultProxy(Listener):
    """A TCP proxy before a real server, which spoils one connection for each given fault.

    Connections beyond the given faults pass untouched. It is a context manager.

    Parameters
    ----------
    url : str
        The server's URL: ``http://host:port``.
    faults : iterable of Fault
        What happens to the first connection, the second, and so on.

    Examples
    --------
    >>> with FaultProxy(brood_server.url, [Fault("cut", after=100_000)]) as proxy:
    ...     client = BroodClient.from_url(proxy.url, api_version=1)
    """

    def __init__(self, url: str, faults: Iterable[Fault] = ()) -> None:
        self._server = host_and_port(url)
        self._faults = deque(faults)
        super().__init__()

    def add(self, fault: Fault) -> None:
        """Spoil one more connection.

        Parameters
        ----------
        fault : Fault
            What happens to it.
        """
        with self._lock:
            self._faults.append(fault)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            fault = self._faults.popleft() if self._faults else Fault("none")
        with socket.create_connection(self._server) as server:
            sides = connection, server
            struck = threading.Event()
            up = threading.Thread(
                target=self._pump, args=(fault, "up", struck, *sides), daemon=True
            )
            up.start()
            self._pump(fault, "down", struck, *reversed(sides))
            # Only now may the sockets be closed: a close waits for a thread that still receives.
            up.join()

    def _pump(
        self,
        fault: Fault,
        direction: str,
        struck: threading.Event,
        source: socket.socket,
        target: socket.socket,
    ) -> None:
        """Pass bytes on until the source ends, or the fault happens."""
        at = fault.after if fault.direction == direction and fault.kind != "none" else -1
        received = iter(lambda: source.recv(BLOCK), b"")
        how: int | None = None
        try:
            for data in spoiled(received, at, flip=fault.kind == "flip"):
                target.sendall(data)
            if not struck.is_set():
                target.shutdown(socket.SHUT_WR)
        except Struck:
            struck.set()
            # A stall lets the other direction go on, until the client gives up.
            how = {"cut": socket.SHUT_RDWR, "reset": socket.SHUT_RD}.get(fault.kind)
            if fault.kind == "reset":
                # The shutdown wakes the other pump without a word on the wire; the close that
                # follows sends the reset.
                for side in (source, target):
                    reset_on_close(side)
        except OSError:
            how = socket.SHUT_RDWR  # one side has gone, so the other shall go
        if how is not None:
            for side in (source, target):
                shutdown(side, how)
