"""A transfer in a process of its own that can be killed in the middle."""

# Imported here, where jobs would otherwise spend most of their time on it.
import okonomiyaki.file_formats  # noqa: F401

from hatcher.api import BroodClient

from ..forking import serve


def run(job):
    """Do it; an error is a failure of the test."""
    with BroodClient.from_url(
        job["url"], auth=tuple(job["auth"]), api_version=1, verify_ssl=job["verify_ssl"]
    ) as client:
        platform = client.at("acme/dev/rh8-x86_64")
        if job["direction"] == "up":
            platform.upload_egg(job["egg"], overwrite=True)
        else:
            platform.download_egg("cp311", "Spam", "1.0-1", job["destination"])
    return {}


serve(run)
