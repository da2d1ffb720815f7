"""One upload or download in a process of its own, whose memory is measured from outside."""

from __future__ import annotations

import json
import sys

from hatcher.api import BroodClient


def main() -> None:
    job = json.loads(sys.argv[1])
    auth = job["auth"][0], job["auth"][1]
    with BroodClient.from_url(job["url"], auth=auth, api_version=1) as client:
        client.list_platforms()
        print("ready", flush=True)
        sys.stdin.readline()
        platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
        if job["direction"] == "up":
            platform.upload_egg(job["egg"])
        else:
            platform.download_egg("cp311", "spam", "1.0.0-1", job["destination"])
        print("done", flush=True)
        sys.stdin.readline()  # stay until the memory has been read


if __name__ == "__main__":
    main()
