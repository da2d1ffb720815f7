"""Which operations each command asks for: found out by running every one of them."""

from __future__ import annotations

import shlex
from collections import defaultdict
from pathlib import Path

from ..cli.conftest import command_line
from ..cli.test_schemas import CHANGING, READING, READING_0, commands_of, furnished
from ..described import Notes

#: Up to how many commands are named for an operation.
MOST_NAMED = 2

#: With other arguments these ask for something else.
ALSO = {"python-tags list": ("",)}


def used(folder: Path, notes: Notes) -> dict[str, list[str]]:
    """Return commands that ask for each operation, first those that ask for little else.

    Every command is run in both versions of the API that it is in, as tests/cli/test_schemas.py
    runs it, on a server with something of everything.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder.
    notes : Notes
        What servers in this process answer.

    Returns
    -------
    dict of str to list of str
        Such as ``eggs list``, by operationId.
    """
    asked: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for version in (0, 1):
        place = folder / f"v{version}"
        place.mkdir()
        with furnished(place) as (server, known), command_line(server, place) as cli:
            asking = {**READING, **CHANGING}
            if version == 0:
                asking |= READING_0
                known["runtime"] = known["legacy_runtime"]
            for name in commands_of(version):
                for arguments in (asking[name], *ALSO.get(name, ())) if name in asking else ():
                    notes.operations.clear()
                    words = shlex.split(arguments.format_map(known))
                    cli("--api-version", version, *name.split(), *words)
                    for operation in notes.operations:
                        asked[operation][name] = set(notes.operations)
    return {
        operation: sorted(some, key=lambda name: (len(some[name]), name))[:MOST_NAMED]
        for operation, some in asked.items()
    }
