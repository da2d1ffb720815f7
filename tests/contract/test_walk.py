"""CONTRIBUTING.md's walk through a new operation, done in a copy of the project."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest

from .conftest import ROOT

SECTION = re.compile(r"^## Adding an operation$(.*?)^## ", re.MULTILINE | re.DOTALL)
STEP = re.compile(
    r"[Ii]n\s`(?P<file>[^`]+)`,\s(?P<where>before|after|in\splace\sof)\s`(?P<anchor>[^`]+)`:\n\n"
    r"(?P<fence>```+)(?P<language>\w+)\n(?P<code>.*?)^(?P=fence)$"
    r"|^```console\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LEFT = shutil.ignore_patterns(
    ".git", ".venv*", ".*cache*", ".hypothesis", "__pycache__", "_build", "dist", "*.egg-info"
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project, whose make takes this environment."""
    copy = tmp_path / "project"
    shutil.copytree(ROOT, copy, ignore=LEFT)
    (copy / ".ready").touch()
    return copy


def edit(copy: Path, step: re.Match[str]) -> None:
    """Do what a step says to a file."""
    path = copy / step["file"]
    lines = path.read_text("utf-8").splitlines(keepends=True)
    number = next(i for i, line in enumerate(lines) if line.startswith(step["anchor"]))
    start, end = {"before": (0, 0), "after": (1, 1)}.get(step["where"], (0, 1))
    margin = re.match(" *", step["anchor"])[0] if step["language"] == "python" else ""
    code = indent(step["code"], "" if step["code"].startswith(margin or "-") else margin)
    # A function stands apart from the next one.
    apart = ("\n" if margin else "\n\n") if code.lstrip().startswith(("@", "def ")) else ""
    lines[number + start : number + end] = [code + apart]
    path.write_text("".join(lines), "utf-8")


def commands(console: str) -> Iterator[tuple[str, str]]:
    """Yield every command of a block, with what it prints."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def run(copy: Path, command: str) -> str:
    """Run a command in the copy, and return what it prints."""
    words = shlex.split(command.replace(".venv/bin/python", sys.executable))
    if words[0] == "make":
        settings = (f"BIN={Path(sys.executable).parent}", "READY=.ready")
        words = ["make", "--no-print-directory", *settings, *words[1:]]
    path = os.pathsep.join(map(str, (copy, copy / "generated")))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "PYTEST"))}
    done = subprocess.run(
        words,
        cwd=copy,
        env={**environment, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.long
def test_the_walk_leads_to_a_whole_operation(copy):
    (section,) = SECTION.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    for step in STEP.finditer(section):
        if step["console"] is None:
            edit(copy, step)
            continue
        for command, printed in commands(step["console"]):
            found = run(copy, command)
            pattern = re.escape(printed).replace(re.escape("...\n"), "(?:.*\n)?")
            pattern = pattern.replace(re.escape("..."), ".*")
            assert re.fullmatch(pattern, found, re.DOTALL), f"{command}\n{found}"
    assert "v1_list_user_teams" in (copy / "docs/operations.md").read_text("utf-8")
    # Some faults are done for all operations at a time, and all calls are made on both graphs.
    chosen = (
        "'(list_user_teams and (50 or reset or truncated)) or (users and teams)"
        " or every_public_name or (every_call and meant and asyncio)'"
    )
    tests = "tests/aio/test_congruence.py tests/cli/test_schemas.py tests/faults/test_retries.py"
    told = run(copy, f".venv/bin/python -m pytest -q -k {chosen} {tests}")
    assert " passed" in told and "failed" not in told, told
