"""A network that is far away: a TCP proxy that passes everything on, but later.

``python -m scripts.bench.servers.delay --to PORT --round-trip 0.02`` prints its port. Each way
takes half of the round trip, and setting up a connection one round trip, as a handshake would.
With ``--rate`` each connection carries so many bytes per second each way, and without it as many as
there are; nothing waits to be put together with something else.
"""

from __future__ import annotations

import argparse
import asyncio
import selectors
import socket
from collections import deque
from contextlib import suppress


class Side(asyncio.Protocol):
    """One end of a connection, whose bytes come out of the other end later."""

    def __init__(self, delay: float, rate: float = 0) -> None:
        self.delay = delay
        self.rate = rate
        self.free_at = 0.0  # when everything that came before is on its way
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
        now = self._loop.time()
        self.free_at = max(now, self.free_at) + (len(data) / self.rate if self.rate else 0)
        self._loop.call_at(self.free_at + self.delay, self._arrive)
        if self.rate and data and self.free_at > now and self._transport is not None:
            self._transport.pause_reading()
            self._loop.call_at(self.free_at, self._transport.resume_reading)

    def eof_received(self) -> bool:
        self.data_received(b"")
        return True  # the other direction may go on

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None and self.other._transport is not None:
            when = max(self._loop.time(), self.free_at) + self.delay
            self._loop.call_at(when, self.other._transport.close)

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
        else:
            with suppress(OSError):  # it is gone already
                self._transport.write_eof()


class Near(Side):
    """The end that a client connects to."""

    def __init__(self, port: int, round_trip: float, rate: float) -> None:
        super().__init__(round_trip / 2, rate)
        self._port = port
        self._round_trip = round_trip

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # A far client could not send before its handshake has gone there and back.
        self.free_at = self._loop.time() + self._round_trip
        far = Side(self.delay, self.rate)
        self.other, far.other = far, self
        self._connecting = self._loop.create_task(self._connect(far))

    async def _connect(self, far: Side) -> None:
        try:
            await self._loop.create_connection(lambda: far, "127.0.0.1", self._port)
        except OSError:
            if self._transport is not None:
                self._transport.abort()


async def serve(port: int, round_trip: float, rate: float) -> None:
    """Listen on a free port of this machine, which is printed, until the end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Near(port, round_trip, rate), "127.0.0.1", 0, backlog=1024
    )
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
    parser.add_argument(
        "--rate", type=float, default=0, help="of a connection, in bytes per second"
    )
    told = parser.parse_args()
    with asyncio.Runner(loop_factory=_exact_loop) as runner:
        runner.run(serve(told.to, told.round_trip, told.rate))


if __name__ == "__main__":
    main()
