"""A download in a process of its own.

Reads a job as a line of JSON and says that it is ready; begins with the next line. Says how much
memory the download has taken. With ``kill_after`` it kills itself when so many bytes have come.
"""

import json
import os
import re
import signal
import sys
from pathlib import Path

from hatcher.api import BroodClient


def peak():
    """The most memory that this process had so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024


job = json.loads(sys.stdin.readline())


def progress(done, total, phase):
    if phase == "downloading" and done >= job.get("kill_after", total + 1):
        os.kill(os.getpid(), signal.SIGKILL)


client = BroodClient.from_url(job["url"], auth=tuple(job["auth"]), api_version=1)
platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
platform.list_eggs("cp311")  # imports and connects
print("ready", flush=True)
sys.stdin.readline()
before = peak()
platform.download_egg(
    *job["egg"], job["destination"], job["sha256"], job.get("filename"), progress=progress
)
print(peak() - before, flush=True)
