"""Mirrors, each in a process of its own that can be killed or interrupted in the middle.

Reads a job per line, as JSON. Writes the id of the process that does it, and then its status; how
it ended is in the file that the job names. The processes are forked from this one, which has
imported everything: so a job begins at once.
"""

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

# Imported here, where jobs would otherwise spend most of their time on it.
import okonomiyaki.file_formats  # noqa: F401

from hatcher import mirror
from hatcher.api import BroodClient


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


# Who runs the tests in the background has them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        job = json.loads(line)
        try:
            Path(job["outcome"]).write_text(json.dumps(run(job)))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
