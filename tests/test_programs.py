"""Optional programs are found, and hidden ones are neither found nor started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import programs

ROOT = Path(__file__).parents[1]


@pytest.mark.programs
def test_hidden_programs(tmp_path):
    release = "python{}.{}".format(*sys.version_info)
    code = f"""if True:
        import os, subprocess, sys
        from scripts.programs import find, started
        assert find("sh") is None and find("{release}") is None
        for start in (
            lambda: subprocess.run(["sh", "-c", ":"]),
            lambda: subprocess.run("/bin/sh -c :", shell=True),
            lambda: subprocess.run([sys.executable, "-c", ""]),
            lambda: os.execvp("sh", ["sh", "-c", ":"]),
            lambda: os.posix_spawn("/bin/sh", ["sh", "-c", ":"], os.environ),
        ):
            del started[:]
            try:
                start()
            except PermissionError:
                assert len(started) >= 1
            else:
                raise SystemExit("It was started.")
        print(subprocess.run(["true"]).returncode)
    """
    hidden = {**os.environ, programs.VARIABLE: f"sh,{release}"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=hidden)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


@pytest.mark.programs
def test_a_program_that_is_there():
    if "sh" not in programs.HIDDEN:
        assert Path(programs.find("sh") or "").is_file()
    assert programs.find("no-such-program") is None
    assert programs.find("python9.9") is None
