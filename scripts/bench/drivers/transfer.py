"""One upload or download in a process of its own, whose memory is measured from outside."""

import json
import sys

from measuring import platform_of

job = json.loads(sys.argv[1])
platform = platform_of(job)
print("ready", flush=True)
sys.stdin.readline()
if job["direction"] == "up":
    platform.upload_egg(job["egg"])
else:
    platform.download_egg("cp311", "spam", "1.0.0-1", job["destination"])
print("done", flush=True)
sys.stdin.readline()  # stay until the memory has been read
