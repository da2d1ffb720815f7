"""What works need: a client that has been used once, and figures.

Drivers run in the environments of both clients, so they import nothing but the standard library
and hatcher, and use of hatcher what both clients have.
"""

from __future__ import annotations

import contextlib
import json
import re
import resource
import time
import urllib.request
from collections.abc import Callable
from typing import Any


def make_client(job: dict[str, Any]) -> Any:
    """Return a client that is idle: imported, made, and used for one request unless it is cold."""
    from hatcher.api import BroodClient

    client = BroodClient.from_url(
        job["url"], auth=tuple(job["auth"]), verify_ssl=job["verify"], api_version=1
    )
    if not job.get("cold"):
        client.list_platforms()
    return client


def platform_of(job: dict[str, Any]) -> Any:
    """Return the job's platform of an idle client."""
    organization, repository, platform = job["platform"]
    return make_client(job).organization(organization).repository(repository).platform(platform)


def measure(job: dict[str, Any], work: Callable[[], None], times: int = 1) -> int | None:
    """Run the work and print its figures: time in seconds, memory in bytes, requests.

    Times are per repetition of what the work does that many times. Requests are counted by the
    server, when the job says where; their number is returned. What the work itself has counted
    stands in the job.
    """
    if job["profile"]:
        import profiling

        profiling.profile(work, job["profile"])
        return None
    asked = requests_so_far(job)
    forget_peak()
    idle = status("VmRSS")
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.perf_counter()
    work()
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_SELF)
    peak = status("VmHWM")
    asked_since = requests_so_far(job)
    requests = None if asked is None or asked_since is None else asked_since - asked - 1
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    memory = None if peak is None or idle is None else max(0, peak - idle)
    figures = {"wall": wall / times, "cpu": cpu / times, "memory": memory, "requests": requests}
    print(json.dumps(figures | job.get("counted", {})))
    return requests


def requests_so_far(job: dict[str, Any]) -> int | None:
    """Return how many requests the server has had, this one included; None when nobody asks."""
    if "requests" not in job:
        return None
    with urllib.request.urlopen(job["requests"]) as answer:
        found = re.search(rb"requests\s+\d+ \d+ (\d+)", answer.read())
    if found is None:
        raise SystemExit(f"{job['requests']} says nothing of requests.")
    return int(found[1])


def forget_peak(process: int | str = "self") -> None:
    """Begin to look for the peak of a process's memory anew."""
    # Not Linux, or not allowed: `status` says the peak since the start, or nothing.
    with contextlib.suppress(OSError), open(f"/proc/{process}/clear_refs", "w") as file:
        file.write("5")


def status(name: str, process: int | str = "self") -> int | None:
    """Return a size that the kernel keeps of a process, in bytes; None where it tells of none."""
    try:
        with open(f"/proc/{process}/status") as file:
            found = re.search(rf"(?m)^{name}:\s+(\d+) kB$", file.read())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
