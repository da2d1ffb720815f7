"""``import hatcher.api`` in a fresh process, which times itself."""

from time import perf_counter, process_time

_begun = perf_counter()
_used = process_time()
import hatcher.api  # noqa: E402, F401

_wall = perf_counter() - _begun
_cpu = process_time() - _used
print(f'{{"wall": {_wall!r}, "cpu": {_cpu!r}, "memory": null}}')
