"""A file of nothing to the disk, past the system's cache, until it is safe there."""

import os
from pathlib import Path

from measuring import measure, read_job

from hatcher.transport.buffers import new_buffer

job = read_job()


def work() -> None:
    view = new_buffer(1 << 20)
    file = os.open(Path(job["destination"], "file"), os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o600)
    for _ in range(-(-job["size"] // len(view))):
        os.write(file, view)
    os.fsync(file)
    os.close(file)


measure(job, work)
