"""Mirrors, each in a process of its own that can be killed or interrupted in the middle."""

import threading

# Imported here, where jobs would otherwise spend most of their time on it.
import okonomiyaki.file_formats  # noqa: F401

from hatcher import mirror
from hatcher.api import BroodClient

from ..forking import serve


def end(job):
    """The end that is meant."""
    if "folder" in job:
        return mirror.Folder(job["folder"], "acme/dev")
    client = BroodClient.from_url(job["url"], auth=tuple(job["auth"]), api_version=1)
    return client.organization("acme").repository(job["repository"])


def run(job):
    """Do it; return what became of it."""
    try:
        plan = mirror.plan(end(job["source"]), end(job["target"]), **job["some"])
        report = plan.apply(concurrency=job["concurrency"])
    except KeyboardInterrupt:
        threads = [thread.name for thread in threading.enumerate()]
        return {"interrupted": True, "threads": threads}
    return {"interrupted": False, "complete": bool(report), "report": str(report)}


serve(run)
