"""The works that are measured in a process that has imported all that they need.

``works.py NAME JOB`` makes ready, and then measures the work of that name. The works of a client
use what both clients have; what only one of them can do in one call, the other one does as its own
commands do. The works whose names begin with ``limit_`` are what no client can undercut; those with
``async_`` are in `awaited.py`.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import mmap
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from measuring import make_client, measure, platform_of

#: Bytes of a packet before its content: IP, and TCP with its time stamps.
_HEAD = 52

Job = dict[str, Any]
Work = Callable[[], None]


def run(name: str, job: Job) -> None:
    """Make ready, measure, and look at what came out."""
    works = import_module("awaited") if name.startswith("async_") else sys.modules[__name__]
    made = getattr(works, name)(job)
    work, check = made if isinstance(made, tuple) else (made, None)
    times = job.get("times", 1)

    def again() -> None:
        for _ in range(times):
            work()

    for _ in range(job.get("before", 0)):
        work()
    requests = measure(job, again if times > 1 else work, times * job.get("calls", 1))
    if check is not None:
        check(requests)


def expect(found: object, wanted: object, what: str) -> None:
    """End with a message when something is not as it must be."""
    if found != wanted:
        raise SystemExit(f"There are {found} {what}, not {wanted}.")


# What clients do ------------------------------------------------------------------------------


def tiny_gets(job: Job) -> Work:
    """A small request, over a connection that is kept."""
    return make_client(job).list_platforms


def egg_download(job: Job) -> Work:
    """The download of an egg whose hash is known."""
    platform, names = platform_of(job), (job["name"], job["version"], job["destination"])
    told = {"expected_sha256": job["sha256"], **job.get("options", {})}
    return lambda: platform.download_egg("cp311", *names, **told)


def killed_download(job: Job) -> Work:
    """The same, killed when half of it is there, and done again; counts what is sent twice."""
    command = [sys.executable, __file__, "egg_download", json.dumps(job)]

    def received() -> int:
        counted = re.search(r"(?m)^ *link: *(\d+) +(\d+)", Path("/proc/self/net/dev").read_text())
        bytes_, packets = map(int, counted.groups()) if counted else (0, 0)
        return bytes_ - packets * _HEAD

    def work() -> None:
        before, quiet = received(), subprocess.DEVNULL
        with subprocess.Popen(command, stdout=quiet) as process:
            while received() - before < job["size"] / 2:
                expect(process.poll(), None, "ends before its half")
                time.sleep(0.005)
            process.kill()
        subprocess.run(command, stdout=quiet, check=True)
        job["counted"] = {"twice": received() - before - job["size"]}

    return work


def egg_upload(job: Job) -> Work:
    """The upload of an egg, with reading and hashing it."""
    platform = platform_of(job)
    return lambda: platform.upload_egg(job["egg"])


def egg_index(job: Job) -> Work:
    """The index of a repository, as it is, or as the list of its eggs."""
    get = getattr(platform_of(job), job["method"])
    return lambda: expect(len(get("cp311")), job["entries"], "eggs")


def search(job: Job) -> Work:
    """One egg in many repositories."""
    organization, _, platform = job["platform"]
    place = make_client(job).organization(organization)

    def work() -> None:
        wanted = {"python_tag": "cp311", "platform": platform, "kind": "egg"}
        found = place.search("package_000000>=1,<2", **wanted)
        expect(sum(1 for _ in found), job["found"], "eggs")
        expect(found.unreadable, [], "unreadable places")

    return work


def egg_indices(job: Job) -> Work:
    """The indices of several repositories, one after the other; all of them stay in memory."""
    organization, _, platform = job["platform"]
    place = make_client(job).organization(organization)
    platforms = [place.repository(name).platform(platform) for name in job["repositories"]]

    def work() -> None:
        indices = [each.egg_index("cp311") for each in platforms]
        expect(sum(map(bool, indices)), len(platforms), "indices with something in them")

    return work


def many_up(job: Job) -> Work:
    """Many small eggs uploaded so that they appear together."""
    platform, eggs = platform_of(job), sorted(map(str, Path(job["eggs"]).iterdir()))
    expect(len(eggs), job["count"], "eggs")

    def work() -> None:
        if hasattr(platform, "upload_eggs"):
            platform.upload_eggs(eggs).raise_for_failures()
            return
        for egg in eggs:
            platform.upload_egg(egg, enabled=False)
        platform.reindex(eggs)

    return work


def many_down(job: Job) -> Work:
    """All eggs of a repository downloaded, checked against what the server says of them."""
    platform, folder = platform_of(job), job["destination"]

    def work() -> None:
        if hasattr(platform, "download_eggs"):
            platform.download_eggs("cp311", folder).raise_for_failures()
        else:
            for entry in platform.egg_index("cp311").values():
                platform.download_egg("cp311", entry["name"], entry["full_version"], folder)
        expect(sum(1 for _ in Path(folder).iterdir()), job["count"], "eggs")

    return work


def export_eggs(job: Job) -> tuple[Work, Callable[[int | None], None]]:
    """All eggs of a repository, on some platforms and for some tags, exported into a folder."""
    try:
        from hatcher import mirror
    except ImportError:
        mirror = None
        from hatcher.cli.exporter import download_eggs, find_eggs_for_plat_repo
    client = make_client(job)
    organization, repository, _ = job["platform"]

    def work() -> None:
        if mirror is not None:
            mirror.export(
                client,
                job["destination"],
                kinds=["eggs"],
                repositories=[f"{organization}/{repository}"],
                platforms=job["platforms"],
                python_tags=job["python_tags"],
            ).raise_for_failures()
            return
        for name in job["platforms"]:
            platform = client.organization(organization).repository(repository).platform(name)
            folder = Path(job["destination"], "v1", organization, repository, name, "eggs")
            with contextlib.redirect_stdout(io.StringIO()):  # its bar
                eggs = find_eggs_for_plat_repo(client, platform, job["python_tags"])
                download_eggs(platform, eggs, str(folder))

    def check(requests: int | None) -> None:
        expect(sum(1 for _ in Path(job["destination"]).rglob("*.egg")), job["count"], "eggs")
        most = job["most_requests"]
        if mirror is not None and requests is not None and most is not None and requests > most:
            raise SystemExit(f"It took {requests} requests, and must not take more than {most}.")

    return work, check


def plan_mirror(job: Job) -> tuple[Work, Callable[[int | None], None]]:
    """What would make one repository equal to another one."""
    from hatcher import mirror

    organization = make_client(job).organization(job["platform"][0])
    source, target = (organization.repository(name) for name in job["repositories"])
    chosen = {"kinds": ["eggs"], "platforms": [job["platform"][2]], "python_tags": ["cp311"]}
    found: Counter[str] = Counter()

    def work() -> None:
        plan = mirror.plan(source, target, **chosen, prune=True)
        found.update(step.action for step in plan.steps)

    def check(requests: int | None) -> None:
        expect(dict(found), job["steps"], "steps")
        if requests is not None and requests > len(job["repositories"]):
            raise SystemExit(f"It took {requests} requests for {len(job['repositories'])} indices.")

    return work, check


def both_sides(job: Job) -> Work:
    """What would make a repository of another server equal to one of this; nothing is done."""
    from hatcher import mirror

    source, target = (
        make_client(each).organization(each["platform"][0]).repository(each["platform"][1])
        for each in (job, {**job, **job["target"]})
    )
    return lambda: expect(len(mirror.plan(source, target).steps), job["count"], "steps")


# What nothing can undercut --------------------------------------------------------------------


def buffer() -> memoryview:
    """Return a buffer that begins where a page does, as the system likes it."""
    return memoryview(mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def limit_sha256(job: Job) -> Work:
    """The sha256 of a file that is in the page cache, and nothing else."""
    view = buffer()

    def work() -> None:
        digest = hashlib.sha256()
        with open(job["file"], "rb", buffering=0) as file:
            while count := file.readinto(view):
                digest.update(view[:count])

    return work


def limit_parse(job: Job) -> Work:
    """An index that is in memory, unpacked or parsed with the standard library."""
    content = Path(job["file"]).read_bytes()
    take = gzip.decompress if content[:2] == b"\x1f\x8b" else json.loads
    return lambda: take(content)


def limit_write(job: Job) -> Work:
    """A file of nothing to the disk, past the system's cache, until it is safe there."""
    view, flags = buffer(), os.O_WRONLY | os.O_CREAT | os.O_DIRECT

    def work() -> None:
        file = os.open(Path(job["destination"], "file"), flags, 0o600)
        for _ in range(-(-job["size"] // len(view))):
            os.write(file, view)
        os.fsync(file)
        os.close(file)

    return work


def context_of(job: Job) -> ssl.SSLContext | None:
    tls = job["url"].startswith("https:")
    return ssl.create_default_context(cafile=job["verify"]) if tls else None


def connect(job: Job) -> socket.socket:
    parts = urlsplit(job["url"])
    return socket.create_connection((parts.hostname, parts.port))


def head(job: Job, method: str, more: str = "") -> bytes:
    """Return the least that a server takes for a request."""
    host = urlsplit(job["url"]).netloc
    return f"{method} {job['path']} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()


def limit_receive(job: Job) -> Work:
    """A file from a socket to the disk, by the shortest way that Python has."""
    context, view = context_of(job), buffer()

    def work() -> None:
        bare = connect(job)
        host = urlsplit(job["url"]).hostname
        connection = context.wrap_socket(bare, server_hostname=host) if context else bare
        target = Path(job["destination"], "file")
        with connection, target.open("wb", buffering=0) as file:
            connection.sendall(head(job, "GET"))
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

    return work


def limit_send(job: Job) -> Work:
    """A file from the disk to a socket, by the shortest way there is."""

    def work() -> None:
        with connect(job) as connection, open(job["file"], "rb") as file:
            size = os.fstat(file.fileno()).st_size
            connection.sendall(head(job, "POST", f"Content-Length: {size}\r\n"))
            connection.sendfile(file)
            if b" 201 " not in connection.recv(4096):
                raise SystemExit("The upload was refused.")

    return work


def limit_get(job: Job) -> Work:
    """Small requests, with nothing but a socket."""
    connection, request = connect(job), head(job, "GET")
    whole = re.compile(rb"(?is)HTTP/1\.1 200 .*?\r\ncontent-length: (\d+)\r\n(?:.*?\r\n)?\r\n(.*)")

    def work() -> None:
        connection.sendall(request)
        received, answer = b"", None
        while answer is None or len(answer[2]) < int(answer[1]):
            piece = connection.recv(65536)
            received += piece
            answer = whole.match(received)
            if not piece or (answer is None and b"\r\n\r\n" in received):
                raise SystemExit("A request was refused.")

    return work


def limit_http_client(job: Job) -> Work:
    """What ``http.client`` takes: small requests, or a file down or up, without a hash."""
    import http.client

    host, context = urlsplit(job["url"]).netloc, context_of(job)
    if context is None:
        connection = http.client.HTTPConnection(host)
    else:
        connection = http.client.HTTPSConnection(host, context=context)

    def work() -> None:
        if "egg" in job:
            with open(job["egg"], "rb") as egg:
                size = str(Path(job["egg"]).stat().st_size)
                connection.request("POST", job["path"], egg, {"Content-Length": size})
                connection.getresponse().read()
            return
        connection.request("GET", job["path"])
        with connection.getresponse() as answer:
            if "destination" not in job:
                answer.read()
                return
            with Path(job["destination"], "file").open("wb") as into:
                shutil.copyfileobj(answer, into, 1 << 20)

    return work


def limit_httpx(job: Job) -> Work:
    """The same of httpx."""
    import httpx

    client = httpx.Client(base_url=job["url"], verify=context_of(job) or True)

    def work() -> None:
        if "egg" in job:
            with open(job["egg"], "rb") as egg:
                client.post(job["path"], files={"file": egg}).raise_for_status()
        elif "destination" not in job:
            client.get(job["path"])
        else:
            target = Path(job["destination"], "file")
            with client.stream("GET", job["path"]) as answer, target.open("wb") as into:
                for block in answer.iter_raw():
                    into.write(block)

    return work


if __name__ == "__main__":
    run(sys.argv[1], json.loads(sys.argv[2]))
