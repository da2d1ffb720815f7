"""TLS before a server that speaks without it; how connections end is passed on."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import trustme


@contextmanager
def over_tls(url: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Speak TLS for a server; give its new URL, and the authority's PEM file."""
    authority = trustme.CA()
    pem = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    upstream = urlsplit(url)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            there, out = await asyncio.open_connection(upstream.hostname, upstream.port)
        except OSError:
            writer.transport.abort()
            return
        up = asyncio.create_task(_pass_on(reader, out, writer))
        await _pass_on(there, writer, out)
        # TLS has no half closed connections: when the server has ended it, that is all.
        up.cancel()
        await asyncio.wait([up])
        for side in (writer, out):
            side.close()

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # connections are reset here all the time

    async def end() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}", pem
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def reached(url: str, wire: str, folder: Path) -> Iterator[tuple[str, bool | str]]:
    """The URL by which a server is reached, and how its certificate is verified."""
    if wire == "plain":
        yield url, True
    else:
        with over_tls(url, folder) as (safe, pem):
            yield safe, str(pem)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, other: asyncio.StreamWriter
) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        for side in (writer, other):
            side.transport.abort()
