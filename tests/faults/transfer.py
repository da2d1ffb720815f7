"""Uploads and downloads, each in a process of its own that can be killed in the middle.

Reads a job per line, as JSON. Writes the id of the process that does it, and then its status. The
processes are forked from this one, which has imported everything: so a job begins at once.
"""

import json
import os
import sys
import traceback

# Imported here, where jobs would otherwise spend most of their time on it.
import httpx  # noqa: F401
import okonomiyaki.file_formats  # noqa: F401

from hatcher.api import BroodClient


def transfer(job):
    with BroodClient.from_url(job["url"], auth=tuple(job["auth"]), api_version=1) as client:
        platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
        if job["direction"] == "up":
            platform.upload_egg(job["egg"], overwrite=True)
        else:
            platform.download_egg(
                "cp311", "Spam", "1.0-1", job["destination"], expected_sha256=job["sha256"]
            )


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            transfer(json.loads(line))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
