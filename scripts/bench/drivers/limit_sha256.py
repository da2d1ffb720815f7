"""sha256 of a file that is in the page cache, and nothing else."""

import hashlib

from measuring import measure, read_job

from hatcher.transport.buffers import new_buffer

job = read_job()


def work() -> None:
    digest = hashlib.sha256()
    buffer = new_buffer(1 << 20)
    with open(job["file"], "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])


measure(job, work)
