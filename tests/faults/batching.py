"""Batches, each in a process of its own that can be killed or interrupted in the middle."""

import threading

# Imported here, where jobs would otherwise spend most of their time on it.
import okonomiyaki.file_formats  # noqa: F401

from hatcher.api import BroodClient

from ..forking import serve


def run(job):
    """Do it; return what became of it."""
    with BroodClient.from_url(job["url"], auth=tuple(job["auth"]), api_version=1) as client:
        platform = client.organization("acme").repository(job["repository"]).platform("rh8-x86_64")
        try:
            if job["direction"] == "up":
                report = platform.upload_eggs(job["eggs"], concurrency=job["concurrency"])
            else:
                report = platform.download_eggs(
                    "cp311", job["destination"], concurrency=job["concurrency"]
                )
        except KeyboardInterrupt:
            threads = [thread.name for thread in threading.enumerate()]
            return {"interrupted": True, "threads": threads}
        return {"interrupted": False, "complete": bool(report), "report": str(report)}


serve(run)
