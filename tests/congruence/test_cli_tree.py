"""Every command of the existing command line is in ours, with all that can be typed behind it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..interop.environments import NEWEST, WITH_TEAMS, python_of
from .intended_commands import ELSEWHERE, TREE, WORKFLOWS

pytestmark = pytest.mark.programs

PROGRAM = Path(__file__).with_name("command_tree.py")
TESTS = Path(__file__).parents[1]
MANUAL = TESTS.parent / "docs" / "porting.md"

#: What must be the same for a script that sets it, on the command line or in the environment.
SAME = ("name", "kind", "nargs", "multiple", "is_flag", "default")

Tree = dict[str, dict[str, Any]]


def tree_of(python: Path | str, api_version: int) -> Tree:
    command = [str(python), "-I", str(PROGRAM), str(api_version)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tree: Tree = json.loads(done.stdout)
    return tree


def missing(theirs: Tree, ours: Tree) -> Iterator[str]:
    """Tell what of their tree is not in ours."""
    for path, command in theirs.items():
        where = path or "hatcher"
        if path not in ours:
            yield f"{where}: no such command"
            continue
        if command["is_group"] != ours[path]["is_group"]:
            yield f"{where}: a group, or none"
        yield from _missing_params(where, command["params"], ours[path]["params"])


def _missing_params(
    where: str, theirs: list[dict[str, Any]], ours: list[dict[str, Any]]
) -> Iterator[str]:
    positions = [param for param in ours if param["kind"] == "argument"]
    arguments = [param for param in theirs if param["kind"] == "argument"]
    if len(positions) < len(arguments):
        yield f"{where}: too few arguments"
        return
    for more in positions[len(arguments) :]:
        if more["required"]:
            yield f"{where}: {more['name']}: one argument more"
    pairs = list(zip(arguments, positions, strict=False))
    for option in (param for param in theirs if param["kind"] == "option"):
        same = [param for param in ours if set(param["flags"]) & set(option["flags"])]
        if len(same) != 1:
            yield f"{where}: {option['name']}: no such option"
            continue
        pairs.append((option, same[0]))
    for old, new in pairs:
        yield from (
            f"{where}: {old['name']}: {what}: {old[what]!r}, ours {new[what]!r}"
            for what in SAME
            if old[what] != new[what]
        )
        if new["required"] and not old["required"]:
            yield f"{where}: {old['name']}: required"
        for what in ("flags", "off"):
            if lost := set(old[what]) - set(new[what]):
                yield f"{where}: {old['name']}: {what}: lacks {sorted(lost)}"
        # What takes anything takes their choices, too.
        if new["choices"] and (
            not old["choices"] or (lost := set(old["choices"]) - set(new["choices"]))
        ):
            yield f"{where}: {old['name']}: choices: ours {new['choices']}"


@pytest.mark.parametrize("api_version", [0, 1], ids=["v0", "v1"])
@pytest.mark.parametrize("release", [NEWEST, WITH_TEAMS], ids=lambda release: release.version)
def test_theirs_is_in_ours(release, api_version):
    theirs = tree_of(python_of(release), api_version)
    assert len(theirs) > 30, "that is not their whole tree"
    told = list(missing(theirs, tree_of(sys.executable, api_version)))
    intended = [difference.what for difference in TREE]
    assert [what for what in told if not any(what.startswith(one) for one in intended)] == []


def test_what_differs_does_so():
    """No difference stands in the table that is there no more."""
    told = [
        what
        for release in (NEWEST, WITH_TEAMS)
        for version in (0, 1)
        for what in missing(tree_of(python_of(release), version), tree_of(sys.executable, version))
    ]
    for difference in TREE:
        assert any(what.startswith(difference.what) for what in told), difference


def test_what_is_missing_is_found():
    """The comparison is none that cannot fail."""
    ours = tree_of(sys.executable, 1)
    less = {path: command for path, command in ours.items() if path != "organizations create"}
    assert list(missing(ours, less)) == ["organizations create: no such command"]
    ours["users delete"]["params"] = [
        param for param in ours["users delete"]["params"] if param["name"] != "organization"
    ]
    told = list(missing(tree_of(sys.executable, 1), ours))
    assert told == ["users delete: too few arguments"]
    renamed = tree_of(sys.executable, 1)
    for param in renamed["users delete"]["params"]:
        if param["name"] == "assume_yes":
            param.update(name="yes", flags=["--yes"])
    assert list(missing(tree_of(sys.executable, 1), renamed)) == [
        "users delete: assume_yes: name: 'assume_yes', ours 'yes'",
        "users delete: assume_yes: flags: lacks ['-y']",
    ]


def test_the_manual_tells_what_differs_and_nothing_else():
    page = MANUAL.read_text(encoding="utf-8")
    part = page.partition("\n## The command line\n")[2].partition("\n## ")[0]
    rows = [line for line in part.splitlines() if re.match(r"\| [^|]", line)]
    differences = (*TREE, *WORKFLOWS, *ELSEWHERE)
    for difference in differences:
        assert any(row.startswith(f"| {difference.manual}") for row in rows), difference
    assert len(rows) > 15
    for row in rows:
        assert any(row.startswith(f"| {known.manual}") for known in differences), row
        assert all(cell.strip() for cell in row.strip("|").split(" | ")), "each has its reason"


def test_other_tests_show_what_is_said_of_them():
    for difference in ELSEWHERE:
        path, _, name = difference.what.partition("::")
        assert f"\ndef {name}(" in (TESTS / path).read_text("utf-8"), difference
