"""The command line of hatcher.

Each command has a module of its own, imported when it is used: `hatcher --help` and the
completion of a shell must not wait for the client, and not for a server.
"""

from __future__ import annotations

import gc
import os
import sys

#: What a shell sets to have completions instead of a command.
COMPLETION_VARIABLE = "_HATCHER_COMPLETE"


def main() -> None:
    """Run the command line: the entry point ``hatcher``."""
    # What is imported stays: looking for garbage in it takes a tenth of the time of a start.
    gc.disable()
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        from hatcher.cli.completion.shells import answer

        sys.exit(answer(instruction))
    try:
        from hatcher.cli.interrupts import process
    except KeyboardInterrupt:
        sys.exit(130)  # as when it comes later, and without a traceback
    gc.freeze()
    gc.enable()
    sys.exit(process(sys.argv[1:]))
