"""The existing client's releases, each in an environment of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from scripts.programs import find

ROOT = Path(__file__).parents[2]


@frozen
class Release:
    """A release of the client that no one here wrote, and what it needs beside it."""

    version: str
    needs: tuple[str, ...]
    python: str | None = None  # where it runs on no newer one


#: The newest, which breaks on newer versions of click.
NEWEST = Release("0.17.0", ("click<8.2",))
#: The last one that has teams.
WITH_TEAMS = Release("0.10.5", ("click<7", "setuptools<76"), python="3.8")


#: The last release of an older client, which reads the older index; for Python 2.7 alone.
ENSTALLER = "enstaller==4.8.9"


def python_of(release: Release) -> Path:
    """Return the Python of an environment with a release; make it when there is none yet."""
    base = Path(sys.executable) if release.python is None else _find_python(release)
    pins = (f"hatcher=={release.version}", *release.needs)
    scripts, python = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")

    def make(home: Path) -> None:
        # Only `python -m` is used, which does not mind being moved.
        _run("make an environment", base, "-m", "venv", home)
        _install(pins, home / scripts / python, "-I")

    return _kept((pins, sys.version_info[:3], sys.prefix), make) / scripts / python


def enstaller() -> tuple[str, Path]:
    """Return a Python 2.7 and the folder that enstaller is in; skip the test without the first."""
    python = find("python2.7")
    # Some systems have it without pip, and nothing else can install for it any more.
    if (
        python is None
        or subprocess.run([python, "-m", "pip", "-V"], capture_output=True).returncode
    ):
        pytest.skip("enstaller runs on Python 2.7, which is not here with pip")

    def make(folder: Path) -> None:
        # It has no environments. enstaller names no version that it needs, and brings all.
        _install((ENSTALLER,), python, options=("--no-deps", "--target", str(folder)))

    return python, _kept((ENSTALLER, python), make)


def _kept(key: tuple[object, ...], make: Callable[[Path], None]) -> Path:
    """Return the folder that is kept for a key; let it be made when there is none yet."""
    home = ROOT / ".cache" / f"interop-{hashlib.sha256(repr(key).encode()).hexdigest()[:12]}"
    home.parent.mkdir(exist_ok=True)
    with _alone(home.with_suffix(".lock")):
        if not home.is_dir():
            # Under another name until it is complete, so that an interrupted run leaves none
            # behind that seems to be.
            unfinished = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
            try:
                make(unfinished)
                unfinished.rename(home)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return home


def _install(pins: tuple[str, ...], *python: str | Path, options: tuple[str, ...] = ()) -> None:
    install = [*python, "-m", "pip", "install", *options, *pins]
    install += ["--quiet", "--disable-pip-version-check", "--no-input"]
    _run(f"install {' '.join(pins)}, which needs a package index", *install)


def _run(what: str, *command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(
            f"Could not {what}, for the tests with the existing client. It ended with "
            f"{done.returncode}:\n{done.stdout}{done.stderr}",
            pytrace=False,
        )


def _find_python(release: Release) -> Path:
    """Find an old Python; skip the test where there is none."""
    name = f"python{release.python}"
    if found := find(name):
        return Path(found)
    pytest.skip(
        f"hatcher {release.version} runs on Python {release.python}, which is not here: neither "
        f"{name} on PATH nor among pyenv's versions (pyenv install {release.python})"
    )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let the other workers of a test run wait."""
    try:
        import fcntl
    except ModuleNotFoundError:
        yield  # Windows: two may make the same, and one of them fails to give it its name
        return
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Process:
    """A program in the environment of a release: a JSON object per line in, one out."""

    program: str

    def __init__(self, release: Release) -> None:
        program = Path(__file__).with_name(self.program)
        self._process = subprocess.Popen(
            [python_of(release), "-I", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask it something."""
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()
        assert self._process.returncode == 0


class Driver(Process):
    """A release's Python API."""

    program = "driver.py"


class Commands(Process):
    """A release's command line."""

    program = "commands.py"
