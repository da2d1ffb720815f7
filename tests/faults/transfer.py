"""One upload or download in a process of its own, to be killed in the middle.

Says "ready" when everything is imported, waits for a line on its stdin, says "done" at the end.
"""

import json
import sys

from hatcher.api import BroodClient
from hatcher.artefacts.egg import read_egg


def main() -> None:
    job = json.loads(sys.argv[1])
    with BroodClient.from_url(job["url"], auth=tuple(job["auth"]), api_version=1) as client:
        client.list_organizations()
        platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
        read_egg(job["egg"])  # imports what reads eggs
        print("ready", flush=True)
        sys.stdin.readline()
        if job["direction"] == "up":
            platform.upload_egg(job["egg"], overwrite=True)
        else:
            platform.download_egg(
                "cp311", "Spam", "1.0-1", job["destination"], expected_sha256=job["sha256"]
            )
        print("done", flush=True)


main()
