"""What scripts have in common: they write a page, or say how it would differ, and name tests."""

from __future__ import annotations

import argparse
import ast
import difflib
import sys
from functools import cache
from pathlib import Path


def only_check(arguments: list[str] | None, doc: str) -> bool:
    """Read a command line that has nothing but ``--check``; say whether it has that."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if it would")
    return bool(parser.parse_args(arguments).check)


def renew(root: Path, page: Path, text: str, target: str, *, check: bool) -> int:
    """Write a page, or say what is not up to date; return the exit status."""
    path = root / page
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return 0
    there = path.read_text("utf-8") if path.exists() else ""
    if there == text:
        return 0
    lines = (there.splitlines(), text.splitlines(), f"{page}", "as it should be")
    print(*difflib.unified_diff(*lines, lineterm="", n=1), sep="\n", file=sys.stderr)
    print(f"{page} is not up to date. Renew it: make {target}", file=sys.stderr)
    return 1


@cache
def parsed(path: Path) -> list[ast.stmt]:
    """Return what stands in a Python file."""
    return ast.parse(path.read_bytes()).body


def has_test(root: Path, test: str) -> bool:
    """Say whether there is a test, by its id below a folder."""
    file, *names = test.partition("[")[0].split("::")
    if not (root / file).is_file():
        return False
    inside = parsed(root / file)
    for name in names:
        named = [each for each in inside if getattr(each, "name", None) == name]
        if not named:
            return False
        inside = getattr(named[0], "body", [])
    return True
