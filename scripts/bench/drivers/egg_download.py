"""The download of an egg whose hash is known."""

from measuring import make_platform, measure, read_job

job = read_job()
platform = make_platform(job)


def work() -> None:
    platform.download_egg(
        "cp311", job["name"], job["version"], job["destination"], expected_sha256=job["sha256"]
    )


measure(job, work)
