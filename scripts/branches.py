#!/usr/bin/env python
"""How many branches of each package the tests take, from what ``make coverage`` has measured.

::

    python -m scripts.branches             record them in tests/coverage.toml
    python -m scripts.branches --check     fail if a package has fallen below its record
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from pathlib import Path

import coverage

from scripts.common import only_check

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "tests" / "coverage.toml"
#: What kills and races make of a difference between two runs, in points.
TOLERANCE = 1.0
HEAD = """\
# Branches of each package of hatcher/ that the tests take, in percent. `make coverage` fails when
# a package falls below; `make coverage-record` writes this file after it.
"""


def main(arguments: list[str] | None = None) -> int:
    """Record or check; return the exit status."""
    check = only_check(arguments, __doc__)
    found = measured()
    if not check:
        RECORD.write_text(HEAD + "".join(f"{name} = {found[name]}\n" for name in sorted(found)))
        return 0
    told = fallen(tomllib.loads(RECORD.read_text()), found)
    if told:
        print(*told, "Test what is new, or record it: make coverage-record", sep="\n")
    return 1 if told else 0


def fallen(record: dict[str, float], found: dict[str, float]) -> list[str]:
    """Say in a line each which packages have fewer branches covered than recorded."""
    return [
        f"hatcher/{name}: {found[name]} % of the branches are covered, and were {before} %"
        for name, before in record.items()
        if name in found and found[name] < before - TOLERANCE
    ]


def measured() -> dict[str, float]:
    """Return the percentage of each package; modules of none are one together."""
    measuring = coverage.Coverage(config_file=ROOT / "pyproject.toml", messages=False)
    if list((ROOT / ".cache" / "coverage").glob("data.*")):
        measuring.combine()
        measuring.save()
    measuring.load()
    branches, covered = Counter[str](), Counter[str]()
    for path in sorted((ROOT / "hatcher").rglob("*.py")):
        _, *folders, _ = path.relative_to(ROOT).parts
        package = folders[0] if folders else "modules"
        for exits, taken in measuring.branch_stats(str(path)).values():
            branches[package] += exits
            covered[package] += taken
    return {
        name: round(100 * covered[name] / count, 1) for name, count in branches.items() if count
    }


if __name__ == "__main__":
    sys.exit(main())
