"""Running an embedded Brood: in this process until it is told to stop, or in a thread."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Self, cast

import uvicorn

from hatcher.server.app import create_app
from hatcher.server.brood import Brood
from hatcher.server.connections import KEEP_ALIVE, Connection, raise_descriptor_limit
from hatcher.server.settings import Settings
from hatcher.transport.secret import Secret

#: How long transfers may go on once a server is told to stop, in seconds.
_GRACE = 10
#: How often the date in answers is renewed and connections are looked at, in seconds.
_TICK = 1.0
#: How many connections may wait to be taken; asyncio takes as many at once.
_BACKLOG = 256
#: What every answer says to browsers.
_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
]

logger = logging.getLogger(__name__)


class CannotListenError(RuntimeError):
    """The server cannot listen where it was told to."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT comes.

    The first line on stdout is ``Brood is serving at http://HOST:PORT``, printed when
    requests are taken; everything else goes to stderr.

    Parameters
    ----------
    settings : Settings
        What the server is told.

    Raises
    ------
    CannotListenError
        The port is taken, or the address is none of this machine.
    UnusableFolderError
        The data folder cannot be served as it is, or another server works in it.
    """
    raise_descriptor_limit()

    def ready() -> None:
        print(f"Brood is serving at {server.url}", flush=True)
        password = server.brood.made_up_password
        if password is not None:
            sys.stderr.write(
                f"The administrator is {settings.admin}; the password, shown this once, is "
                f"{password.reveal()}\nTo set another, start with it in the environment "
                "variable HATCHER_SERVER_ADMIN_PASSWORD.\n"
            )
            sys.stderr.flush()

    server = _Server(settings, ready)
    # After a stop, uvicorn raises the signal again for whoever had it before; but to
    # stop when told so is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run()


class BackgroundServer:
    """An embedded Brood in a thread of this process, on a real socket.

    It is a context manager, and may be entered again after it was left.

    Parameters
    ----------
    settings : Settings
        What the server is told.

    Attributes
    ----------
    settings : Settings
        The same.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the server listens: ``http://127.0.0.1:43123`` (str)."""
        if self._server is None:
            raise RuntimeError("The server does not run. Use it in a with statement.")
        return self._server.url

    @property
    def made_up_password(self) -> Secret | None:
        """The administrator's password, if this start had to make one up (Secret or None)."""
        return None if self._server is None else self._server.brood.made_up_password

    def __enter__(self) -> Self:
        ready = threading.Event()
        server = _Server(self.settings, ready.set)

        def run() -> None:
            try:
                server.run()
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name="brood", daemon=True)
        self._thread.start()
        ready.wait()
        if not server.started:
            self._thread.join()
            raise RuntimeError("The server did not start; its log says why.")
        self._server = server
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        self._server = self._thread = None


class _Server(uvicorn.Server):
    """A uvicorn server that says when it is ready, and stops at once when nothing is under way.

    By itself, uvicorn looks every 0.1 s whether it is to stop, and then waits for as long again,
    which for a server of one test would be most of its time.
    """

    def __init__(self, settings: Settings, ready: Callable[[], None]) -> None:
        self._listener = _listen(settings)
        try:
            app = create_app(settings)
        except BaseException:
            self._listener.close()
            raise
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,  # warnings go to stderr, as Python does it by itself
            log_level="warning",
            access_log=False,
            # Whoever can send this header could be any address.
            proxy_headers=False,
            server_header=False,
            headers=_HEADERS,
            backlog=_BACKLOG,
            timeout_keep_alive=int(KEEP_ALIVE),
        )
        super().__init__(config)
        host, port = self._listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.brood: Brood = app.state.brood
        self._ready = ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets or [self._listener])

    def stop(self) -> None:
        """Stop soon. Any thread may say so, and a signal."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._told.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.stop()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _TICK)
            for connection in list(self.server_state.connections):
                cast(Connection, connection).look()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            await asyncio.wait_for(self._come_to_rest(), _GRACE)
        except TimeoutError:
            logger.warning("Requests are given up that have taken more than %d s.", _GRACE)
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._come_to_rest(), _TICK)
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _come_to_rest(self) -> None:
        """Wait until no request is under way, or a second Ctrl-C comes."""
        pause = 0.0
        while self.server_state.connections or self.server_state.tasks:
            if self.force_exit:
                return
            await asyncio.sleep(pause)
            pause = min(pause + 0.001, 0.1)
        for server in self.servers:
            await server.wait_closed()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def _listen(settings: Settings) -> socket.socket:
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        # Not socket.create_server, whose sockets do not say that they are TCP: asyncio would
        # leave Nagle's algorithm on, and every answer would wait 40 ms.
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        return listener
    except OSError as error:
        if listener is not None:
            listener.close()
        raise CannotListenError(
            f"Brood cannot listen at {settings.host}, port {settings.port}: {error}. Choose "
            "another with --port (0 takes any free one) or --host."
        ) from error
