"""The optional programs: what tests and benchmarks use where it is installed.

``HATCHER_TEST_WITHOUT=nginx,zsh,python3.8`` hides programs: `find` returns None for them, and a
process that has imported this module cannot start them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

VARIABLE = "HATCHER_TEST_WITHOUT"
HIDDEN = frozenset(filter(None, os.environ.get(VARIABLE, "").split(",")))

#: The programs that were looked for, and the hidden ones that were to be started all the same.
asked: list[str] = []
started: list[str] = []


def find(name: str) -> str | None:
    """Return where a program is, or None; a Python may be one of pyenv's."""
    asked.append(name)
    if name in HIDDEN:
        return None
    # Servers are often where only root looks.
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    version = re.fullmatch(r"python(\d+\.\d+)", name)
    if version is None:
        return found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = sorted(pyenv.glob(f"versions/{version[1]}.*/bin/python"))
    for candidate in filter(None, [found, *map(str, candidates)]):
        # A program of that name may be but pyenv's, which says that it is not switched on.
        probe = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(probe, capture_output=True, text=True).stdout.strip() == version[1]:
            return candidate
    return None


def _refuse_hidden(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
        return
    program = Path(os.fsdecode(arguments[0]))
    # An environment's `python` says by its link which one it is.
    names = {program.name, *([program.resolve().name] if "python" in program.name else [])}
    if hidden := names & HIDDEN:
        started.extend(hidden)
        raise PermissionError(f"{program} was started, which {VARIABLE} hides.")


if HIDDEN:
    sys.addaudithook(_refuse_hidden)
