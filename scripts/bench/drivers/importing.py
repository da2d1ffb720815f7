"""``importing.py [STATEMENT]``: an import in a fresh process, which times itself."""

import sys
from time import perf_counter, process_time

_statement = compile(sys.argv[1] if sys.argv[1:] else "import hatcher.api", "import", "exec")
_begun = perf_counter()
_used = process_time()
exec(_statement)
_wall = perf_counter() - _begun
_cpu = process_time() - _used
print(f'{{"wall": {_wall!r}, "cpu": {_cpu!r}, "memory": null}}')
