#!/usr/bin/env python
"""Count lines of code beside their budgets, and find what makes the house larger than it must be.

::

    python -m scripts.line_budget             print the table
    python -m scripts.line_budget --check     print what is over its budget, too; fail if anything is
    python -m scripts.line_budget --record    lower the budgets in pyproject.toml to the real figures

A line of code is none of docstrings, comments and blank lines. ``[tool.line-budget]`` of
pyproject.toml has the budget of each folder, and how many modules it may have. ``make lint`` checks
that, and that within ``hatcher`` and ``scripts`` no function is long, and that in ``hatcher`` no
imports go in a circle and no block of lines stands twice. Modules that are made are not counted.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
import token
import tokenize
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = "pyproject.toml"
#: Lines of code of a function, and of a block that may stand twice, at most.
LONGEST_FUNCTION, LONGEST_COPY = 40, 9
#: The folder whose packages have a budget each, and those whose functions are looked at.
HOUSE, WITH_FUNCTIONS = "hatcher", ("hatcher", "scripts")

#: What the docstrings of modules say that scripts write.
MADE = "never edited by hand"

_NO_CODE = {token.NL, token.NEWLINE, token.INDENT, token.DEDENT, token.ENDMARKER}
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Source:
    """A Python file, with the numbers of its lines by what they are."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path.relative_to(root)
        names = self.path.with_suffix("").parts
        self.is_package = names[-1] == "__init__"
        self.module = ".".join(names[:-1] if self.is_package else names)
        text = path.read_text("utf-8")
        self.lines = text.splitlines()
        self.tree = ast.parse(text)
        code, comments = set[int](), set[int]()
        for each in tokenize.generate_tokens(io.StringIO(text).readline):
            if each.type not in _NO_CODE:
                kind = comments if each.type == token.COMMENT else code
                kind.update(range(each.start[0], each.end[0] + 1))
        self.docstrings = {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, _WITH_DOCSTRING)
            and ast.get_docstring(node, clean=False) is not None
            for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
        }
        self.is_made = MADE in (ast.get_docstring(self.tree) or "")
        self.code = code - self.docstrings
        self.comments = comments - code

    def functions(self) -> Iterator[tuple[str, int, int]]:
        """Yield name, line and lines of code of each function."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = range(node.lineno, (node.end_lineno or 0) + 1)
                yield node.name, node.lineno, len(self.code.intersection(lines))

    def imported(self, *, types: bool = False) -> Iterator[tuple[str, int]]:
        """Yield each name that is imported, wherever in the module, with its line.

        What is only imported for `types` is left out by default.
        """
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            if isinstance(node, ast.If) and typing and not types:
                waiting += node.orelse
                continue
            waiting += ast.iter_child_nodes(node)
            if isinstance(node, ast.Import):
                yield from ((each.name, node.lineno) for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = self.module.split(".") + ["__init__"] * self.is_package
                parts = above[: -node.level] if node.level else []
                parts += [node.module] if node.module else []
                yield from ((".".join([*parts, each.name]), node.lineno) for each in node.names)


class Tree:
    """The Python files below some folders of the project."""

    def __init__(self, root: Path, folders: Iterable[str]) -> None:
        self.root = root
        paths = (path for folder in folders for path in sorted((root / folder).rglob("*.py")))
        found = (Source(path, root) for path in paths if "__pycache__" not in path.parts)
        self.sources = [source for source in found if not source.is_made]

    def below(self, *folders: str) -> list[Source]:
        """Return the sources of folders; of ``folder/*.py``, only what stands in it itself."""
        chosen = []
        for folder in map(Path, folders):
            flat = folder.name == "*.py"
            for each in self.sources:
                inside = each.path.parent == folder.parent if flat else folder in each.path.parents
                chosen += [each] if inside else []
        return chosen

    def imports(self) -> dict[str, dict[str, int]]:
        """Return by module which others of the house it imports, and in which line."""
        house = self.below(HOUSE)
        modules = {each.module for each in house}
        found: dict[str, dict[str, int]] = {}
        for source in house:
            targets = found.setdefault(source.module, {})
            for name, line in source.imported():
                name = name if name in modules else name.rpartition(".")[0]
                if name in modules and name != source.module:
                    targets[name] = min(line, targets.get(name, line))
        return found


class Row(NamedTuple):
    """A line of the table."""

    folder: str
    budget: int
    code: int
    docstrings: int
    comments: int
    blank: int
    modules: int


def table(tree: Tree, budgets: Mapping[str, int]) -> Iterator[Row]:
    """Yield a row for each folder that has a budget."""
    for folder, budget in budgets.items():
        found = tree.below(folder)
        kinds = ("code", "docstrings", "comments")
        code, texts, comments = (sum(len(getattr(s, kind)) for s in found) for kind in kinds)
        blank = sum(len(each.lines) for each in found) - code - texts - comments
        yield Row(folder, budget, code, texts, comments, blank, len(found))


def over_budget(rows: Iterable[Row], modules: Mapping[str, int], tree: Tree) -> Iterator[str]:
    """Yield what is larger than it may be, and packages that have no budget."""
    lines = (tree.root / SETTINGS).read_text("utf-8").splitlines()
    place = f"{SETTINGS}:{lines.index('[tool.line-budget]') + 1}"
    without = {"/".join(each.path.parts[:2]) for each in tree.below(HOUSE)}
    for row in rows:
        without.discard(row.folder)
        if row.code > row.budget:
            said = f"{row.folder} has {row.code:,} lines of code, and may have {row.budget:,}"
            yield f"{place}: {said}: say the same in fewer, or raise its budget with a reason"
        if row.modules > (most := modules.get(row.folder, row.modules)):
            said = f"{row.folder} has {row.modules} modules, and may have {most}"
            yield f"{place}: {said}: merge what belongs together"
    for folder in sorted(without):
        if not folder.endswith(".py"):
            yield f"{place}: {folder} has no budget: give it one here"


def long_functions(tree: Tree) -> Iterator[str]:
    """Yield the functions that are longer than one can see at once."""
    for source in tree.below(*WITH_FUNCTIONS):
        for name, line, count in source.functions():
            if count > LONGEST_FUNCTION:
                said = f"{name} has {count} lines of code, and may have {LONGEST_FUNCTION}"
                yield f"{source.path}:{line}: {said}: make functions of its parts"


def circles(tree: Tree) -> Iterator[str]:
    """Yield the shortest way round in each group of modules that import each other."""
    graph = tree.imports()
    paths = {each.module: each.path for each in tree.sources}
    ways = {module: _ways_from(module, graph) for module in graph}
    met = set[str]()
    for module in sorted(graph):
        circle = {other for other in ways[module] if module in ways[other]}
        if not circle or module in met:
            continue
        met |= circle
        way = [module]
        while (step := ways[module][way[0]]) != module:
            way.insert(0, step)
        said = f"imports go in a circle ({' -> '.join([module, *way])})"
        more = f", {len(circle)} modules are in such with it" if len(circle) > len(way) else ""
        place = f"{paths[module]}:{graph[module][way[0]]}"
        yield f"{place}: {said}{more}: move what they share below them"


def _ways_from(module: str, graph: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return for each module that one leads to which one stands before it, on the shortest way."""
    before: dict[str, str] = {}
    waiting = [module]
    for each in waiting:  # which grows meanwhile
        new = [other for other in graph[each] if other not in before]
        before |= dict.fromkeys(new, each)
        waiting += new
    return before


def copies(tree: Tree) -> Iterator[str]:
    """Yield the blocks of code that stand twice, each once, in all its length."""
    first: dict[tuple[str, ...], tuple[Path, int, int]] = {}
    last = (Path(), Path(), 0)
    for source in tree.below(HOUSE):
        numbers = sorted(source.code)
        words = [source.lines[number - 1].partition("  # ")[0].strip() for number in numbers]
        for at in range(len(words) - LONGEST_COPY):
            block = tuple(words[at : at + LONGEST_COPY + 1])
            path, line, there = first.setdefault(block, (source.path, numbers[at], at))
            if path == source.path and at - there <= LONGEST_COPY:
                continue
            # What follows one that was told of is the rest of it.
            if last != (path, source.path, at - there):
                said = f"more than {LONGEST_COPY} lines stand at {path}:{line}, too"
                yield f"{source.path}:{numbers[at]}: {said}: make one function of both"
            last = (path, source.path, at - there)


def record(rows: Iterable[Row], root: Path) -> None:
    """Write real figures, rounded up to tens, where they are lower than the budgets."""
    document = tomlkit.parse((root / SETTINGS).read_text("utf-8"))
    section: Any = document["tool"]["line-budget"]
    for row in rows:
        section[row.folder] = min(row.budget, -(-row.code // 10) * 10)
        if row.folder in section["modules"]:
            section["modules"][row.folder] = min(section["modules"][row.folder], row.modules)
    (root / SETTINGS).write_text(tomlkit.dumps(document), "utf-8")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Print, check or record; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail if anything is too large")
    what.add_argument("--record", action="store_true", help="lower the budgets to the real figures")
    options = parser.parse_args(arguments)
    budgets = tomllib.loads((root / SETTINGS).read_text("utf-8"))["tool"]["line-budget"]
    modules = budgets.pop("modules", {})
    tree = Tree(root, (name for name in budgets if "/" not in name))
    rows = [*table(tree, budgets)]
    print(f"{'':20}" + "".join(f"{name:>11}" for name in Row._fields[1:]))
    for name, *figures in rows:
        print(f"{name:20}" + "".join(f"{figure:11,}" for figure in figures))
    if options.record:
        record(rows, root)
    if not options.check:
        return 0
    found = over_budget(rows, modules, tree), long_functions(tree), circles(tree), copies(tree)
    told = [*chain.from_iterable(found)]
    for line in told:
        print(line, file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
