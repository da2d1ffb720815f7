"""A small, fast server of static files, which also swallows uploads.

``python -m scripts.bench.servers.small ROOT [--certificate PEM] [--host ADDRESS]`` prints its port
and serves until it is ended. It answers what the clients under measurement ask for as
`scripts.bench.servers.nginx` does, and no more: GET of files below ROOT, of ``<file>.gz`` where that
is there and is accepted, ETags with 304, one range; POST of a body, which is read to its end before
it is answered; and how many requests there were, as nginx says it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from scripts.bench.servers.site import DATA, REQUESTS, ROOT_PATH

#: Bytes taken from the socket at once; a body is only counted, and never kept.
_BUFFER = 1 << 20
#: Bytes sent at once over TLS.
_BLOCK = 1 << 16
_MOST_HEAD = 65536
_ENDS = b"\r\n\r\n"
#: What a POST is answered when its body has been read, by the end of its path.
_ANSWERS = {"/upload": ("201 Created", "{}"), "/re-index": ("202 Accepted", "{}")}
_MISSING = ("404 Not Found", '{"error": "not found"}')


class Connection(asyncio.BufferedProtocol):
    """One connection of a client, kept for as long as the client likes."""

    #: Requests on all connections so far.
    requests = 0

    def __init__(self, root: Path) -> None:
        self._root = root
        self._buffer = memoryview(bytearray(_BUFFER))
        self._head = bytearray()
        self._remaining = 0  # bytes of a request's body that are still to come
        self._answer = b""  # to the request whose body that is
        self._transport: asyncio.Transport
        self._sending: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        if self._sending is not None:
            self._sending.cancel()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        self._head += self._buffer[self._remaining : count]
        if self._remaining:
            self._remaining = max(0, self._remaining - count)
            if not self._remaining:
                self._transport.write(self._answer)
        if self._head and self._sending is None:
            self._take_request()

    def _take_request(self) -> None:
        """Answer the request that has begun, if its head is all there."""
        end = self._head.find(_ENDS)
        if end < 0:
            if len(self._head) > _MOST_HEAD:
                self._transport.close()
            return
        request, *lines = self._head[:end].decode("latin-1").split("\r\n")
        rest = len(self._head) - end - len(_ENDS)
        del self._head[: end + len(_ENDS)]
        Connection.requests += 1
        method, target, _ = request.split(" ", 2)
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        if method == "POST":
            self._swallow(target, headers, rest)
        elif target == REQUESTS:
            told = f"requests\n 1 1 {Connection.requests}\n"
            self._transport.write(_answer("200 OK", told, "text/plain"))
        elif method in ("GET", "HEAD"):
            self._send(method, target, headers)
        else:
            self._transport.write(_head("405 Method Not Allowed", {"Content-Length": "0"}))

    def _swallow(self, target: str, headers: Mapping[str, str], rest: int) -> None:
        length = headers.get("content-length")
        if length is None or not length.isdecimal():
            self._transport.write(_head("411 Length Required", {"Content-Length": "0"}))
            self._transport.close()
            return
        ends = (each for each in _ANSWERS if urlsplit(target).path.endswith(each))
        self._answer = _answer(*_ANSWERS.get(next(ends, ""), _MISSING))
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._remaining = max(0, int(length) - rest)
        del self._head[: int(length)]
        if not self._remaining:
            self._transport.write(self._answer)

    def _send(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        path = unquote(urlsplit(target).path)
        file = self._root / path.lstrip("/")
        if file.is_dir():  # the one path that goes on
            file = file.with_name(f"{file.name}.json")
        if ".." in file.parts or not file.is_file():
            self._transport.write(_answer(*_MISSING))
            return
        told = {"Content-Type": "application/json"}
        if found := re.fullmatch(rf"{re.escape(ROOT_PATH + DATA)}/.+/([^/]+)/([^/]+)", path):
            told = {
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f'attachment; filename="{found[1]}-{found[2]}.egg"',
            }
        packed = file.with_name(f"{file.name}.gz")
        if "gzip" in headers.get("accept-encoding", "") and packed.is_file():
            file = packed
            told["Content-Encoding"] = "gzip"
        stat = file.stat()
        told["ETag"] = etag = f'"{int(stat.st_mtime):x}-{stat.st_size:x}"'
        told["Accept-Ranges"] = "bytes"
        if etag in headers.get("if-none-match", ""):
            del told["Content-Type"]
            self._transport.write(_head("304 Not Modified", told))
            return
        status, start, end = "200 OK", 0, stat.st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if wanted and headers.get("if-range", etag) == etag and int(wanted[1]) < end:
            status, start = "206 Partial Content", int(wanted[1])
            end = min(end, int(wanted[2] or end) + 1)
            told["Content-Range"] = f"bytes {start}-{end - 1}/{stat.st_size}"
        told["Content-Length"] = str(end - start)
        self._transport.write(_head(status, told))
        if method == "GET":
            sending = self._send_file(file, start, end - start)
            self._sending = asyncio.get_running_loop().create_task(sending)

    async def _send_file(self, path: Path, start: int, count: int) -> None:
        with path.open("rb") as file:
            try:
                if self._transport.get_extra_info("sslcontext") is None:
                    await asyncio.get_running_loop().sendfile(self._transport, file, start, count)
                else:
                    file.seek(start)
                    await self._send_blocks(file, count)
            except ConnectionError:
                return  # the client has gone
        self._sending = None
        if self._head:
            self._take_request()

    async def _send_blocks(self, file: BinaryIO, count: int) -> None:
        # asyncio's own way over TLS is many times slower.
        while block := file.read(min(_BLOCK, count)):
            count -= len(block)
            self._transport.write(block)
            await self._writable.wait()


def _head(status: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + _ENDS


def _answer(status: str, text: str, kind: str = "application/json") -> bytes:
    return _head(status, {"Content-Type": kind, "Content-Length": str(len(text))}) + text.encode()


async def serve(root: Path, certificate: Path | None, host: str) -> None:
    """Serve a folder on a free port of an address, which is printed, until the end."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(root), host, 0, ssl=context, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the command line, and serve."""
    parser = argparse.ArgumentParser(description="Serve a folder, and swallow uploads.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--certificate", type=Path, help="certificate and key, for TLS")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    told = parser.parse_args()
    asyncio.run(serve(told.root, told.certificate, told.host))


if __name__ == "__main__":
    main()
