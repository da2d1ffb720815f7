"""An index that is in memory, unpacked and parsed with the standard library."""

import gzip
import json

from measuring import measure, read_job

job = read_job()
with open(job["file"], "rb") as _file:
    _content = _file.read()
_packed = _content[:2] == b"\x1f\x8b"


def work() -> None:
    if _packed:
        gzip.decompress(_content)
    else:
        json.loads(_content)


measure(job, work)
