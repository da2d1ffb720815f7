"""The upload of an egg, with reading and hashing it."""

from measuring import make_platform, measure, read_job

job = read_job()
platform = make_platform(job)


def work() -> None:
    platform.upload_egg(job["egg"])


measure(job, work)
