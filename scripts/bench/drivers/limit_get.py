"""Many small requests, with nothing but a socket."""

import re
import socket
from urllib.parse import urlsplit

from measuring import measure, read_job

job = read_job()
parts = urlsplit(job["url"])

_ANSWER = re.compile(rb"(?is)HTTP/1\.1 200 .*?\r\ncontent-length: (\d+)\r\n(?:.*?\r\n)?\r\n(.*)")


def receive(connection: socket.socket) -> None:
    """Receive one answer, which may come in any number of pieces."""
    received, answer = b"", None
    while answer is None or len(answer[2]) < int(answer[1]):
        piece = connection.recv(65536)
        received += piece
        answer = _ANSWER.match(received)
        if not piece or (answer is None and b"\r\n\r\n" in received):
            raise SystemExit("A request was refused.")


def work() -> None:
    request = f"GET {job['path']} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        for _ in range(job["count"]):
            connection.sendall(request)
            receive(connection)


measure(job, work, times=job["count"])
