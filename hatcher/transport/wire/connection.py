"""One connection to one origin, for one request at a time."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable

from hatcher.transport.channel import Kind, Outgoing, Trouble
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.urls import authority
from hatcher.transport.wire.head import Parser
from hatcher.transport.wire.tls import TLSSocket

Origin = tuple[str, str, int]

#: Bytes that are received at a time while an answer's head is looked for.
_BLOCK = 65536

#: Parts of a request are sent together up to this many bytes.
_TOGETHER = 65536

#: Seconds after which received bytes are handed out, though there is room for more.
_AT_LEAST_EVERY = 0.1

#: Has what arrives acknowledged at once, until the system thinks it knows better; on Linux. A
#: server that waits for that with the rest of a body otherwise does so for 40 ms.
_ACKNOWLEDGE_AT_ONCE = getattr(socket, "TCP_QUICKACK", None)

#: Seconds to look for the answer of a server that takes no more of a body.
_LAST_WORDS = 5.0


class Connection:
    """A socket, and what was said over it.

    Attributes
    ----------
    origin : tuple of (str, str, int)
    is_interrupted : bool
        Whether `interrupt` was called.
    """

    def __init__(self, origin: Origin, timeouts: Timeouts, sock: socket.socket | TLSSocket) -> None:
        self.origin = origin
        self.is_interrupted = False
        self._timeouts = timeouts
        self._sock = sock
        self._waits = sock.gettimeout()
        self._has_sent = False
        self._poll: select.poll | None = None
        self._idle_since = 0.0
        self._failure: Trouble | None = None

    @classmethod
    def open(
        cls, origin: Origin, timeouts: Timeouts, ssl_context: Callable[[], ssl.SSLContext]
    ) -> Connection:
        """Connect.

        Parameters
        ----------
        origin : tuple of (str, str, int)
        timeouts : Timeouts
        ssl_context : callable
            Returns how certificates are verified; called for https only.

        Raises
        ------
        Trouble
        """
        scheme, host, port = origin
        context = ssl_context() if scheme == "https" else None
        try:
            sock = socket.create_connection((host, port), timeouts.connect)
        except TimeoutError as error:
            raise Trouble("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise Trouble("not connected", str(error)) from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = sock if context is None else TLSSocket.wrap(sock, context, host)
        except BaseException as error:
            sock.close()
            if isinstance(error, TimeoutError):
                raise Trouble("no connection in time") from error
            if isinstance(error, ssl.SSLError):
                raise Trouble("not safe", str(error)) from error
            if isinstance(error, OSError):
                raise Trouble("not connected", str(error)) from error
            raise
        return cls(origin, timeouts, stream)

    # -- a request and the head of its answer ------------------------------------------

    def send(self, outgoing: Outgoing, parser: Parser) -> bool:
        """Send a request, unless its answer comes before all of it is out.

        Parameters
        ----------
        outgoing : Outgoing
        parser : Parser
            Is fed what the server says early.

        Returns
        -------
        bool
            Whether all of it was sent.

        Raises
        ------
        Trouble
        """
        self._has_sent = False
        together, size = [_head(outgoing)], 0
        sent = 0
        for block in outgoing.body or ():
            sent += len(block)
            if size + len(block) <= _TOGETHER:
                together.append(bytes(block))
                size += len(block)
            else:
                if together and not self._push(b"".join(together), parser):
                    return False
                together, size = [], 0
                if not self._push(block, parser):
                    return False
        if together and not self._push(b"".join(together), parser):
            return False
        if sent != (outgoing.content_length or 0):
            raise ValueError(
                f"The body of {outgoing.method} has {sent} bytes, not {outgoing.content_length}."
            )
        return True

    def _push(self, data: bytes | memoryview, parser: Parser) -> bool:
        """Send bytes; return whether the server let all of them pass without an answer."""
        if self._has_sent and self._answers_early(parser):
            return False
        self._has_sent = True
        self._wait_for(self._timeouts.write)
        rest = memoryview(data)
        try:
            # Not sendall: that has to be done with all of it within one timeout.
            while rest:
                rest = rest[self._sock.send(rest) :]
        except TimeoutError as error:
            raise self.trouble("silence") from error
        except OSError as error:
            if self._last_words(parser):
                return False
            raise self.trouble("lost", str(error)) from error
        return True

    def receive_head(self, parser: Parser) -> None:
        """Receive until the head of the answer is complete.

        Raises
        ------
        Trouble
        """
        self._wait_for(self._timeouts.read)
        began = False
        while parser.status_code == 0:
            data = self.receive()
            if not data:
                raise self.trouble("ended early" if began else "no answer")
            began = True
            parser.feed(data)

    # -- bytes ---------------------------------------------------------------------------

    def receive(self) -> bytes:
        """Return what arrives next; nothing at the end of the connection.

        Raises
        ------
        Trouble
        """
        try:
            data = self._sock.recv(_BLOCK)
        except TimeoutError as error:
            raise self.trouble("silence") from error
        except OSError as error:
            raise self.trouble("lost", str(error)) from error
        if not data and self.is_interrupted:
            raise self.trouble("interrupted")
        return data

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """Receive until a buffer is full, or some time has passed; return the number of bytes.

        TLS hands out no more than 16 KiB at a time: to go on here is much cheaper than
        to come back for each.

        Raises
        ------
        Trouble
            Nothing came at all.
        """
        view = memoryview(buffer)
        filled = 0
        if self._failure is not None:
            raise self._failure
        until = time.monotonic() + _AT_LEAST_EVERY
        try:
            if _ACKNOWLEDGE_AT_ONCE is not None:
                self._sock.setsockopt(socket.IPPROTO_TCP, _ACKNOWLEDGE_AT_ONCE, 1)
            while filled < len(view):
                size = self._sock.recv_into(view[filled:])
                filled += size
                if not size or time.monotonic() > until:
                    break
        except OSError as error:
            silence = isinstance(error, TimeoutError)
            trouble = self.trouble("silence") if silence else self.trouble("lost", str(error))
            if not filled:
                raise trouble from error
            # For the next call, which the system would not tell once more.
            self._failure = trouble
        return filled

    def expect(self, *, stall: bool) -> None:
        """Limit the next waits by the stall timeout, or by the read timeout."""
        self._wait_for(self._timeouts.stall if stall else self._timeouts.read)

    # -- between two requests ------------------------------------------------------------

    def rest(self) -> None:
        """Note that it is not in use from now on."""
        self._idle_since = time.monotonic()

    def is_usable(self, kept_for: float) -> bool:
        """Whether it can take another request: not idle for too long, and not ended."""
        if time.monotonic() - self._idle_since > kept_for:
            return False
        return not self._is_readable() or self._only_tls_talk()

    def trouble(self, kind: Kind, reason: str = "") -> Trouble:
        """Return what to raise: that somebody wanted it to end, or what happened."""
        return Trouble("interrupted" if self.is_interrupted else kind, reason)

    def interrupt(self) -> None:
        """End it under the hands of the thread that uses it."""
        self.is_interrupted = True
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended already

    def close(self) -> None:
        """Close it."""
        self._sock.close()

    # -- helpers -------------------------------------------------------------------------

    def _wait_for(self, seconds: float | None) -> None:
        if self._waits != seconds:
            self._sock.settimeout(seconds)
            self._waits = seconds

    def _is_readable(self) -> bool:
        if isinstance(self._sock, TLSSocket) and self._sock.has_arrived:
            return True
        if not hasattr(select, "poll"):  # Windows
            return bool(select.select([self._sock], [], [], 0)[0])
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._sock, select.POLLIN)
        return bool(self._poll.poll(0))

    def _only_tls_talk(self) -> bool:
        """Whether what can be read is no answer, but a TLS session ticket or the like."""
        if self.origin[0] != "https":
            return False
        self._wait_for(0.0)
        try:
            self._sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def _answers_early(self, parser: Parser) -> bool:
        if not self._is_readable():
            return False
        self._wait_for(0.0)
        try:
            data = self._sock.recv(_BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise self.trouble("lost", str(error)) from error
        if not data:
            raise self.trouble("no answer")
        parser.feed(data)
        return True

    def _last_words(self, parser: Parser) -> bool:
        """Whether the server, which takes no more, has said why."""
        self._wait_for(_LAST_WORDS)
        try:
            data = self._sock.recv(_BLOCK)
        except OSError:
            return False
        if data:
            parser.feed(data)
        return bool(data)


def _head(outgoing: Outgoing) -> bytes:
    headers = outgoing.headers
    lines = [
        f"{outgoing.method} {outgoing.target} HTTP/1.1\r\nHost: {authority(outgoing.origin)}\r\n"
    ]
    lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
    if outgoing.content_length is not None:
        lines.append(f"Content-Length: {outgoing.content_length}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")
