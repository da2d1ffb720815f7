"""The command line of hatcher.

Each command has a module of its own, imported when it is used: `hatcher --help` and the
completion of a shell must not wait for the client, and not for a server.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line: the entry point ``hatcher``."""
    # What is imported stays: looking for garbage in it takes a tenth of the time of a start.
    gc.disable()
    if instruction := os.environ.get("_HATCHER_COMPLETE"):
        from hatcher.cli.shells import answer

        sys.exit(answer(instruction))
    try:
        from hatcher.cli.run import process
    except KeyboardInterrupt:
        sys.exit(130)  # as when it comes later, and without a traceback
    gc.freeze()
    gc.enable()
    sys.exit(process(sys.argv[1:]))
