"""A network that is far away: a TCP proxy that passes everything on, but later.

``python -m scripts.bench.servers.delay --to PORT --round-trip 0.02`` prints its port. Each way
takes half of the round trip, and setting up a connection one round trip, as a handshake would.
There is no limit of bandwidth, and nothing waits to be put together with something else.
"""

from __future__ import annotations

import argparse
import asyncio
import selectors
import socket
from collections import deque


class Side(asyncio.Protocol):
    """One end of a connection, whose bytes come out of the other end later."""

    def __init__(self, delay: float, not_before: float = 0.0) -> None:
        self.delay = delay
        self.not_before = not_before
        self.other: Side | None = None
        self._transport: asyncio.Transport | None = None
        self._arriving: deque[bytes] = deque()  # b"" is the end
        self._early: list[bytes] = []  # what came before there was a connection to pass it to
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        for data in self._early:
            self._pass_on(data)

    def data_received(self, data: bytes) -> None:
        assert self.other is not None
        self._arriving.append(data)
        when = max(self._loop.time(), self.not_before) + self.delay
        self._loop.call_at(when, self._arrive)

    def eof_received(self) -> bool:
        self.data_received(b"")
        return True  # the other direction may go on

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None and self.other._transport is not None:
            self._loop.call_later(self.delay, self.other._transport.close)

    def _arrive(self) -> None:
        # In the order of sending, whatever the order of timers that are due at one time.
        assert self.other is not None
        self.other._pass_on(self._arriving.popleft())

    def _pass_on(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(data)
        elif self._transport.is_closing():
            return
        elif data:
            self._transport.write(data)
        elif self._transport.can_write_eof():
            self._transport.write_eof()


class Near(Side):
    """The end that a client connects to."""

    def __init__(self, port: int, round_trip: float) -> None:
        super().__init__(round_trip / 2)
        self._port = port
        self._round_trip = round_trip

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # A far client could not send before its handshake has gone there and back.
        self.not_before = self._loop.time() + self._round_trip
        far = Side(self.delay)
        self.other, far.other = far, self
        self._connecting = self._loop.create_task(self._connect(far))

    async def _connect(self, far: Side) -> None:
        try:
            await self._loop.create_connection(lambda: far, "127.0.0.1", self._port)
        except OSError:
            if self._transport is not None:
                self._transport.abort()


async def serve(port: int, round_trip: float) -> None:
    """Listen on a free port of this machine, which is printed, until the end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Near(port, round_trip), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _exact_loop() -> asyncio.AbstractEventLoop:
    # The default selector rounds up to whole milliseconds.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def main() -> None:
    """Read the command line, and serve."""
    parser = argparse.ArgumentParser(description="Be a network that is far away.")
    parser.add_argument("--to", type=int, required=True, help="port of the server")
    parser.add_argument("--round-trip", type=float, required=True, help="in seconds")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=_exact_loop) as runner:
        runner.run(serve(arguments.to, arguments.round_trip))


if __name__ == "__main__":
    main()
