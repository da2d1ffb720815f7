"""Many small requests, with nothing but a socket."""

import socket
from urllib.parse import urlsplit

from measuring import measure, read_job

job = read_job()
parts = urlsplit(job["url"])


def work() -> None:
    request = f"GET {job['path']} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        for _ in range(job["count"]):
            connection.sendall(request)
            if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                raise SystemExit("A request was refused.")


measure(job, work, times=job["count"])
