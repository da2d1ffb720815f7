"""The index of a repository, as it is, or as the list of its eggs."""

from measuring import make_platform, measure, read_job

job = read_job()
platform = make_platform(job)


def work() -> None:
    found = getattr(platform, job["method"])("cp311")
    if len(found) != job["entries"]:
        raise SystemExit(f"There are {len(found)} eggs, not {job['entries']}.")
    # What is read when it is looked at is not done before.
    if job["read"] == "one":
        if len(found[job["one"]]["sha256"]) != 64:
            raise SystemExit("An entry is wrong.")
    elif job["read"] == "all" and min(entry["size"] for entry in found.values()) < 0:
        raise SystemExit("An entry is wrong.")


for _ in range(job["before"]):
    work()
measure(job, work)
