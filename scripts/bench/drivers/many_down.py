"""Many small eggs downloaded, all of a repository, checked against what the server says of them.

The client that can do it in one call does; the other one asks for the index, and for the metadata
of each egg before it downloads it.
"""

from pathlib import Path

from measuring import make_platform, measure, read_job

job = read_job()
platform = make_platform(job)


def work() -> None:
    if hasattr(platform, "download_eggs"):
        platform.download_eggs("cp311", job["destination"]).raise_for_failures()
    else:
        for entry in platform.egg_index("cp311").values():
            platform.download_egg("cp311", entry["name"], entry["full_version"], job["destination"])
    there = sum(1 for _ in Path(job["destination"]).iterdir())
    if there != job["count"]:
        raise SystemExit(f"There are {there} eggs, not {job['count']}.")


measure(job, work)
