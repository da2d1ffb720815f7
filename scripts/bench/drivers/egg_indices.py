"""The indices of several repositories, one after the other; all of them stay in memory."""

from measuring import make_client, measure, read_job

job = read_job()
names = job["platform"]
organization = make_client(job).organization(names[0])
platforms = [organization.repository(name).platform(names[2]) for name in job["repositories"]]


def work() -> None:
    indices = [platform.egg_index("cp311") for platform in platforms]
    if not all(indices):
        raise SystemExit("There is an index with nothing in it.")


measure(job, work)
