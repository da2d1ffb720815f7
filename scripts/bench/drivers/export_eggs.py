"""All eggs of a repository, on some platforms and for some tags, exported into a folder.

The client that can do it in one call does; of the other one these are the functions that its own
command ``export`` consists of.
"""

import contextlib
import io
from pathlib import Path

from measuring import make_client, measure, read_job

try:
    from hatcher import mirror
except ImportError:
    mirror = None
    from hatcher.cli.exporter import download_eggs, find_eggs_for_plat_repo

job = read_job()
client = make_client(job)
organization, repository, _ = job["platform"]


def work() -> None:
    if mirror is not None:
        mirror.export(
            client,
            job["destination"],
            kinds=["eggs"],
            repositories=[f"{organization}/{repository}"],
            platforms=job["platforms"],
            python_tags=job["python_tags"],
        ).raise_for_failures()
        return
    for name in job["platforms"]:
        platform = client.organization(organization).repository(repository).platform(name)
        folder = Path(job["destination"], "v1", organization, repository, name, "eggs")
        with contextlib.redirect_stdout(io.StringIO()):  # its bar
            eggs = find_eggs_for_plat_repo(client, platform, job["python_tags"])
            download_eggs(platform, eggs, str(folder))


requests = measure(job, work)
there = sum(1 for _ in Path(job["destination"]).rglob("*.egg"))
if there != job["count"]:
    raise SystemExit(f"There are {there} eggs, not {job['count']}.")
most = job["most_requests"]
if mirror is not None and requests is not None and most is not None and requests > most:
    raise SystemExit(f"It took {requests} requests, and must not take more than {most}.")
