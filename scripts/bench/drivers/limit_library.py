"""What a library that knows nothing of Brood takes: small requests, or a file down or up.

It neither hashes nor waits for the disk, and sends the file as it is.
"""

from __future__ import annotations

import http.client
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from measuring import measure, read_job

job = read_job()
parts = urlsplit(job["url"])
tls = ssl.create_default_context(cafile=job["verify"]) if parts.scheme == "https" else None
file = job.get("destination") and Path(job["destination"], "file")


def with_http_client() -> None:
    if tls is None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    else:
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=tls)

    def get() -> http.client.HTTPResponse:
        connection.request("GET", job["path"])
        return connection.getresponse()

    if file:
        with get() as answer, file.open("wb") as into:
            shutil.copyfileobj(answer, into, 1 << 20)
    elif "egg" in job:
        with open(job["egg"], "rb") as egg:
            size = str(Path(job["egg"]).stat().st_size)
            connection.request("POST", job["path"], egg, {"Content-Length": size})
            connection.getresponse().read()
    else:
        for _ in range(job["count"]):
            get().read()
    connection.close()


def with_httpx() -> None:
    import httpx

    with httpx.Client(base_url=job["url"], verify=tls or True) as client:
        if file:
            with client.stream("GET", job["path"]) as answer, file.open("wb") as into:
                for block in answer.iter_raw():
                    into.write(block)
        elif "egg" in job:
            with open(job["egg"], "rb") as egg:
                client.post(job["path"], files={"file": egg}).raise_for_status()
        else:
            for _ in range(job["count"]):
                client.get(job["path"])


works: dict[str, Callable[[], Any]] = {"http.client": with_http_client, "httpx": with_httpx}
if job["library"] == "httpx":
    import httpx  # noqa: F401 - not in the time of the work
measure(job, works[job["library"]], times=job.get("count", 1))
