"""The command: ``python -m scripts.bench [case …] [--size 1GB] [--rounds 3]``."""

from __future__ import annotations

import argparse
import pkgutil
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from scripts.bench import cases
from scripts.bench.options import Options
from scripts.bench.report import machine

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def size(text: str) -> int:
    """Read a size such as ``1GB`` or ``500MB``, in bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?B?)", text.strip().upper())
    if match is None or match[2] not in _UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give one such as 1GB or 500MB.")
    return int(float(match[1]) * _UNITS[match[2]])


def positive(text: str) -> int:
    """Read a number of rounds."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rounds; give 1 or more.")
    return int(text)


def main() -> int:
    """Run the cases; the status is 1 when a figure is not within its limit."""
    names = sorted(module.name for module in pkgutil.iter_modules(cases.__path__))
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench", description="Measure hatcher, client and server."
    )
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(names)}; all")
    parser.add_argument("--size", type=size, default=10**9, help="of a large egg (1GB)")
    parser.add_argument("--rounds", type=positive, default=3, help="medians are over these (3)")
    parser.add_argument(
        "--scratch", type=Path, help="folder for the files, about four times the size"
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.cases) - set(names))
    if unknown:
        parser.error(f"there is no case {unknown[0]!r}; there are: {', '.join(names)}")

    print(machine(), flush=True)
    within = True
    for name in arguments.cases or names:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.scratch) as scratch:
            options = Options(arguments.size, arguments.rounds, Path(scratch))
            table = import_module(f"scripts.bench.cases.{name}").run(options)
        print(f"\n{table.markdown()}", flush=True)
        within = within and table.within
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
