"""The index of a repository, as it is, or as the list of its eggs."""

from measuring import make_platform, measure, read_job

job = read_job()
platform = make_platform(job)


def work() -> None:
    found = getattr(platform, job["method"])("cp311")
    if len(found) != job["entries"]:
        raise SystemExit(f"There are {len(found)} eggs, not {job['entries']}.")


def again() -> None:
    for _ in range(job["times"]):
        work()


for _ in range(job["before"]):
    work()
measure(job, again, times=job["times"])
