#!/usr/bin/env python
"""Write down what users build on: names, parameters, defaults, commands and exit codes.

::

    python -m scripts.surface             write tests/surface/*.txt
    python -m scripts.surface --check     change nothing; fail if they are not up to date

``make surface`` runs it, and ``make lint`` checks it: no name goes away, and no default changes,
unless somebody says so. Each line is one item, and the lines are sorted.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_origin

import click

from hatcher.cli.refusals import ExitCode
from hatcher.cli.root import PROGRAM, hatcher
from scripts.cli_reference import API_VERSIONS, entries
from scripts.common import only_check

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "surface"
MODULES = ("access", "aio", "aio.access", "aio.mirror", "api", "errors", "mirror", "testing")
#: What instances can do beside having methods.
SPECIAL = re.compile(r"__(a?enter|a?iter|await|call|contains|getitem|len)__")


def main(arguments: list[str] | None = None) -> int:
    """Write or check the files; return the exit status."""
    check = only_check(arguments, __doc__)
    told = []
    for name, found in surface().items():
        path = FOLDER / f"{name}.txt"
        lines = sorted(found)
        if check:
            there = path.read_text("utf-8").splitlines() if path.exists() else []
            told += differences(there, lines)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join([*lines, ""]), "utf-8")
    if told:
        print(*told, "To accept this, run: make surface", sep="\n", file=sys.stderr)
    return 1 if told else 0


def differences(old: list[str], new: list[str]) -> Iterator[str]:
    """Say in a line each what is gone, was added or has changed."""
    before, after = ({_name(line): line for line in lines} for lines in (old, new))
    for name in sorted(before.keys() | after.keys()):
        match before.get(name), after.get(name):
            case None, line:
                yield f"added: {line}"
            case line, None:
                yield f"gone: {line}"
            case one, other if one != other:
                yield f"changed: {one} -> {other}"


def _name(line: str) -> str:
    return re.split(r"\(| = ", line, maxsplit=1)[0]


def surface() -> dict[str, set[str]]:
    """Return the lines of each file."""
    found = {module: set(_module(f"hatcher.{module}")) for module in MODULES}
    found["commands"] = set(_commands())
    found["exit-codes"] = {f"{code.name} = {int(code)}" for code in ExitCode}
    return found


def _module(module: str) -> Iterator[str]:
    public = {name: getattr(import_module(module), name) for name in import_module(module).__all__}
    for name, value in public.items():
        if not isinstance(value, type):
            yield f"{module}.{name}{_value(value)}"
            continue
        # What stands with one of the bases is not said again.
        bases = [one for one in value.__mro__[1:] if one in public.values()]
        said = {name for base in bases for name in (*dir(base), *_set_by(base))}
        parents = "".join(f" < {base.__name__}" for base in bases[:1])
        yield f"{module}.{name}{_signature(value)}{parents}"
        for member in {*dir(value), *_set_by(value)}:
            own = _home(value, member).startswith("hatcher.") and (
                member not in said or member in vars(value)
            )
            if own and (not member.startswith("_") or SPECIAL.fullmatch(member)):
                yield f"{module}.{name}.{member}{_value(inspect.getattr_static(value, member, 0))}"


def _set_by(kind: type) -> list[str]:
    """Return the attributes that the constructor sets."""
    if not inspect.isfunction(kind.__init__) or not kind.__module__.startswith("hatcher."):
        return []
    try:
        return re.findall(r"\bself\.([a-z]\w*)(?:: .*)? = ", inspect.getsource(kind.__init__))
    except OSError:  # attrs has made it
        return []


def _home(kind: type, member: str) -> str:
    """Return the module of the class that a member comes from."""
    return next((one.__module__ for one in kind.__mro__ if member in vars(one)), "hatcher.")


def _value(value: Any) -> str:
    if isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    if get_origin(value) is None and callable(value):
        return _signature(value)
    constant = (
        get_origin(value) or isinstance(value, (str, float)) or (isinstance(value, int) and value)
    )
    return f" = {value!r}" if constant else ""


def _signature(value: Any) -> str:
    """Return the parameters with their defaults, without types."""
    try:
        signature = inspect.signature(value)
    except ValueError:
        return "()"
    parameters = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    bare = signature.replace(parameters=parameters, return_annotation=signature.empty)
    return re.sub(r" at 0x[0-9a-f]+", "", str(bare))


def _commands() -> Iterator[str]:
    for first in hatcher.homes:
        for entry in entries(first):
            version = entry.api_versions if len(entry.api_versions) < len(API_VERSIONS) else ()
            words = [PROGRAM, *(f"--api-version={one}" for one in version), *entry.path]
            yield " ".join(words)
            yield from _parameters(" ".join(words), entry.context.command)
    yield from _parameters(PROGRAM, hatcher)


def _parameters(command: str, of: click.Command) -> Iterator[str]:
    for param in of.params:
        name = "/".join([*param.opts, *param.secondary_opts])
        if isinstance(param, click.Argument):
            name = str(param.name).upper()
        default = param.default if isinstance(param.default, (str, int, float, bool)) else None
        facts = [
            repr(default),
            "|".join(map(str, getattr(param.type, "choices", ()))),
            "required" if param.required else "",
            "many" if param.nargs != 1 or getattr(param, "multiple", False) else "",
            "hidden" if getattr(param, "hidden", False) else "",
        ]
        yield f"{command} {name} = {' '.join(filter(None, facts))}"


if __name__ == "__main__":
    sys.exit(main())
