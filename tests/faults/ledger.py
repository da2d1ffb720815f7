"""A ledger beside a server: which bytes came for it, and what it answered; none of it is hatcher's.

It stands before the server and passes everything on. The hash of each file and the status of each
answer are written down as they go by.
"""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Upload(NamedTuple):
    """A file that came, and what was answered; 0 where the server did not answer."""

    repository: str
    filename: str
    sha256: str
    status: int


class Ledger(ThreadingHTTPServer):
    """Passes requests on to a server, and keeps account of the uploads."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.uploads: list[Upload] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answered(self, repository: str) -> dict[str, str]:
        """The hashes, by file names, of what the server said that it had stored."""
        return {
            upload.filename: upload.sha256
            for upload in self.uploads
            if upload.repository == repository and 200 <= upload.status < 300
        }

    def sent(self, repository: str) -> set[str]:
        """The hashes of all files that came for a repository whole."""
        return {upload.sha256 for upload in self.uploads if upload.repository == repository}

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # connections that are reset are what this is for


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Ledger

    def _pass_on(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if len(body) < size:
            self.close_connection = True
            return
        status = 0
        try:
            connection = http.client.HTTPConnection(self.server.upstream, timeout=60)
            with closing(connection):
                headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                content = answer.read()
                status = answer.status
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        finally:
            if self.command == "POST" and self.path.partition("?")[0].endswith("/upload"):
                self._write_down(body, status)
        self.send_response(status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def _write_down(self, body: bytes, status: int) -> None:
        boundary = (
            b"--" + self.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
        )
        head, _, rest = body.partition(b"\r\n\r\n")
        content = rest.partition(b"\r\n" + boundary)[0]
        filename = head.partition(b'filename="')[2].partition(b'"')[0].decode()
        repository = "/".join(self.path.split("/data/")[1].split("/")[:2])
        sha256 = hashlib.sha256(content).hexdigest()
        self.server.uploads.append(Upload(repository, filename, sha256, status))

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def ledger(upstream: str) -> Iterator[Ledger]:
    """A ledger before a server, until the end of the block."""
    with Ledger(upstream) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()
