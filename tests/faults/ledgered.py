"""Batches and mirrors, each in a process of its own that can be killed in the middle."""

# Imported here, where jobs would otherwise spend most of their time on it.
import okonomiyaki.file_formats  # noqa: F401

from hatcher import mirror
from hatcher.api import BroodClient, Timeouts
from hatcher.errors import HatcherException

from ..forking import serve


def run(job):
    """Do it; return whether all of it was done, and why not."""
    try:
        with BroodClient.from_url(
            job["url"], auth=tuple(job["auth"]), api_version=1, timeout=Timeouts(read=10)
        ) as client:
            target = client.organization("acme").repository(job["repository"])
            if job["kind"] == "upload":
                report = target.platform("rh8-x86_64").upload_eggs(job["eggs"], concurrency=4)
            else:
                source = client.organization("acme").repository(job["source"])
                plan = mirror.plan(
                    source, target, platforms=["rh8-x86_64"], python_tags=["cp311"], concurrency=4
                )
                report = plan.apply(concurrency=4)
            return {"complete": bool(report), "report": str(report)}
    except HatcherException as error:
        return {"complete": False, "report": f"{type(error).__name__}: {error}"}


serve(run)
