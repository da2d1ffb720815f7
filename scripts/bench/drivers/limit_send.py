"""A file from the disk to a socket, by the shortest way there is."""

import os
import socket
from urllib.parse import urlsplit

from measuring import measure, read_job

job = read_job()
parts = urlsplit(job["url"])


def work() -> None:
    with (
        socket.create_connection((parts.hostname, parts.port)) as connection,
        open(job["file"], "rb") as file,
    ):
        size = os.fstat(file.fileno()).st_size
        request = f"POST {job['path']} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {size}"
        connection.sendall(f"{request}\r\n\r\n".encode())
        connection.sendfile(file)
        if b" 201 " not in connection.recv(4096):
            raise SystemExit("The upload was refused.")


measure(job, work)
