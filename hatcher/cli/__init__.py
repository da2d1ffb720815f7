"""The command line of hatcher.

Each command has a module of its own, imported when it is used: `hatcher --version` and the
completion of a shell must not wait for a server's imports.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line: the entry point ``hatcher``."""
    from hatcher.cli.root import hatcher

    hatcher.main(prog_name="hatcher", args=sys.argv[1:])
