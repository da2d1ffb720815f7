"""A file from a socket to the disk, by the shortest way that Python has."""

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from measuring import measure, read_job

from hatcher.transport.buffers import new_buffer

job = read_job()
parts = urlsplit(job["url"])
context = ssl.create_default_context(cafile=job["verify"]) if parts.scheme == "https" else None


def connect() -> socket.socket:
    connection = socket.create_connection((parts.hostname, parts.port))
    if context is None:
        return connection
    return context.wrap_socket(connection, server_hostname=parts.hostname)


def work() -> None:
    view = new_buffer(1 << 20)
    with (
        connect() as connection,
        Path(job["destination"], "file").open("wb", buffering=0) as file,
    ):
        request = f"GET {job['path']} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
        connection.sendall(request.encode())
        count = connection.recv_into(view)
        start = bytes(view[:count]).index(b"\r\n\r\n") + 4
        file.write(view[start:count])
        received = count - start
        while received < job["size"]:
            count = connection.recv_into(view)
            if not count:
                raise SystemExit("The connection ended too soon.")
            file.write(view[:count])
            received += count


measure(job, work)
