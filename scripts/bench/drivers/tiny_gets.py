"""Many small requests, one after the other, over a connection that is kept."""

from measuring import make_client, measure, read_job

job = read_job()
client = make_client(job)
count = job["count"]


def work() -> None:
    for _ in range(count):
        client.list_platforms()


measure(job, work, times=count)
