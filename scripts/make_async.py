#!/usr/bin/env python
"""Make the async graph, ``hatcher/aio``, from the sync one.

::

    python -m scripts.make_async             write its modules
    python -m scripts.make_async --check     change nothing; fail if they are not up to date

``make async`` runs it. What sends or waits is awaited, and runs in a worker thread; what builds the
graph stays as it is. The tables below say what the code does not; what all twins have, and what is
written by hand, is in ``hatcher/aio/twin.py``.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from copy import deepcopy
from functools import cache
from pathlib import Path

from scripts.common import only_check, parsed, renew

ROOT = Path(__file__).resolve().parent.parent

#: Methods that send nothing and wait for nothing: they are not awaited.
BUILDING = {
    *("app", "at", "bundle", "egg", "organization", "platform", "repository", "runtime"),
    *("search", "team", "user", "with_auth", "from_url", "from_session", "BundleCollection.get"),
    *("document", "those"),
}

#: Public names that are plain data, or places on the disk that calls are given: there is one of each.
PLAIN = {
    *("BasicAuth", "BatchReport", "BroodBearerTokenAuth", "BroodClientAuth", "FileFacts"),
    *("FileResult", "Phase", "Progress", "ProgressBar", "RequestEvent", "ResponseEvent"),
    *("RetryPolicy", "Timeouts", "MAX_API_VERSION"),
    *("BundleCheck", "BundleEntry", "CacheReport", "Change", "Diff", "Difference", "Entry"),
    *("Finding", "Folder", "Manifest", "MirrorReport", "Problem", "Share", "Step", "Usage"),
    *("Verification", "SCHEMA", "Access", "AccessDocument", "AccessRow", "MemberRow"),
    *("OrganizationAccess", "Report", "RepositoryAccess", "Result", "TeamAccess"),
}

#: What async calls take beside what sync ones take, by the type of the parameter.
PLACE = "AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository"
TAKEN = {
    "AnyBundle": "AsyncBundle",
    "AnyEgg": "AsyncEgg",
    "BroodClient": "AsyncBroodClient",
    "Cache": "AsyncCache",
    "Organization": "AsyncOrganization",
    "Place": PLACE,
    "Progress": "AsyncProgress",
    "Promotable": "AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle",
    "Repository": "AsyncRepository",
    "SideLike": PLACE,
    "Where": "AsyncRepository | AsyncSinglePlatformRepository | AsyncBroodClient",
}

#: Classes in modules of the graph that only these modules, and type checkers, use.
HELPERS = {"Finder", "HasEmail", "HasName", "Node"}

#: Attributes whose types the body of a class does not say, or not as they are meant.
ATTRIBUTES = {
    "LocalBundle": {"bundle": "Bundle", "filepath": "str | os.PathLike[str]"},
    "SearchResult": {"artefact": "Egg | Runtime | App | Bundle"},
}

#: What a twin is made of beside that; what stands there is not made.
BASES = {"BroodClient": "ClientTwin", "SearchResults": "Iteration"}

#: Classes that users make objects of.
CONSTRUCTED = {"BroodClient", "Cache"}

#: What is said of the sync graph alone, as patterns, and what of the async one.
SAID = {
    ": Progress": ": Progress or AsyncProgress",
    "iterator of int": "Iteration of int",
    "(an|An) iterator( of|\\.)": r"\1 async iterator\2",
    ", from the calling thread": "",
    "as Ctrl-C does": "as being cancelled does",
    "Make one with `from_url`.": "Make one with `from_url`; or of a client of the sync graph, "
    "``AsyncBroodClient(client)``, which is closed with it.",
    "A client may be used from many threads, and is best closed": "A client belongs to the event "
    "loop that it is first used in, where many tasks may use it, and is best closed",
    "by ``with``,": "by ``async with``,",
    "It may be used from several threads and processes at once.": "Several may share a folder, "
    "in several processes, too.",
    "It is called from whatever thread sends, and from several at once.": "It is a plain function, "
    "and is called from the worker threads that send, from several at once.",
    "Ctrl-C ends": "Cancelling the task, as Ctrl-C does, ends",
    "( within about a second)?,? with a `BatchInterrupted`(, which has the report so far)?": "",
    " within about a second": "",
    " What comes out is a `BatchInterrupted`, a KeyboardInterrupt with the report so far.": "",
}

#: What the parameter is that clients have beside those of the sync graph.
THREADS = """threads : int, default 64
    Calls of this client that run at the same time, each in a thread; further ones wait. The
    threads are its own: those of ``asyncio.to_thread`` and ``anyio.to_thread`` stay free."""


#: The modules that are made, and what they say of themselves.
PAGES = {
    "graph": "The graph for async programs: what `hatcher.core` has, awaited.",
    "mirror": "Whole repositories, awaited: what `hatcher.mirror` has.",
    "access": "Who may do what, awaited: what `hatcher.access` has.",
}
#: The modules of `hatcher.core` that the graph is in; those that others stand on come first.
CORE = (
    *("node", "searchable", "artefact", "search", "eggs", "runtimes", "apps", "bundles"),
    *("platform", "repository", "team", "user", "organization", "brood_client"),
)
Function = ast.FunctionDef


# -- what there is ---------------------------------------------------------------------------


def body_of(module: str) -> list[ast.stmt]:
    """Return what stands in a module."""
    path = ROOT / module.replace(".", "/")
    return parsed(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


@cache
def imported(module: str) -> dict[str, str]:
    """Return what imports each name that a module has, its own included."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.Module(body_of(module), [])):
        match node:
            case ast.ImportFrom(home, names):
                said = {each.asname or each.name: ast.unparse(each) for each in names}
                found |= {name: f"from {home} import {text}" for name, text in said.items()}
            case ast.Import(names):
                found |= {each.name: f"import {each.name}" for each in names}
    for node in body_of(module):
        match node:
            case ast.ClassDef(name) | ast.FunctionDef(name):
                found[name] = f"from {module} import {name}"
            case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)):
                found[name] = f"from {module} import {name}"
    return found


@cache
def given(page: str) -> dict[str, str]:
    """Return what a package of verbs gives, as its ``__all__`` says, and what imports it."""
    package = f"hatcher.{page}"
    for node in () if page == "graph" else body_of(package):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return {name: imported(package)[name] for name in ast.literal_eval(node.value)}
    return {}


@cache
def contents(page: str) -> list[tuple[str, ast.ClassDef | Function]]:
    """Return the classes and functions that a module has twins of, each with its own module."""
    there = [(line.split()[1], name) for name, line in given(page).items() if name not in PLAIN]
    for module in (f"hatcher.core.{name}" for name in CORE if page == "graph"):
        classes = (each for each in body_of(module) if isinstance(each, ast.ClassDef))
        there += [(module, c.name) for c in classes if c.name[0] != "_" and c.name not in HELPERS]
    return [
        (module, each)
        for module, name in there
        for each in body_of(module)
        if isinstance(each, ast.ClassDef | Function) and each.name == name
    ]


def marks(node: Function | ast.ClassDef) -> set[str]:
    """Return the names of the decorators."""
    return {ast.unparse(each) for each in node.decorator_list}


def is_building(owner: str, name: str) -> bool:
    """Say whether a method is not awaited."""
    return bool({name, f"{owner}.{name}"} & BUILDING)


EVERY = [node for page in PAGES for _, node in contents(page)]
TWINS = {node.name for node in EVERY if isinstance(node, ast.ClassDef)}
#: The names of what is awaited in examples.
AWAITED = {
    each.name
    for node in EVERY
    for each in ast.walk(node)
    if isinstance(each, Function) and not marks(each) & {"property", "cached_property"}
} - {name.rpartition(".")[2] for name in BUILDING}
#: What twins have from classes that are written by hand, by the names of these.
BY_HAND = {
    node.name: {getattr(each, "name", "") for each in node.body}
    for node in body_of("hatcher.aio.twin")
    if isinstance(node, ast.ClassDef)
}


# -- types -----------------------------------------------------------------------------------


def typed(node: ast.expr | None, *, taken: bool = False) -> str:
    """Return a type as async code has it, of what calls return or of what they are given."""
    assert node is not None
    said = ast.unparse(node)
    if taken:
        return re.sub(r"\w+", lambda m: f"{m[0]} | {TAKEN[m[0]]}" if m[0] in TAKEN else m[0], said)
    return re.sub(r"\bIterator\b", "Iteration", renamed(said))


# -- what is said ----------------------------------------------------------------------------

#: An attribute or a parameter in a docstring: its names, its type, and what it is.
ENTRY = r"^(?P<names>\*?\w+(?:, \w+)*) : (?P<type>.*)\n(?P<text>(?:    .*\n?|\n(?=    ))*)"


def renamed(text: str) -> str:
    """Return a text with the names of the twins."""
    text = re.sub(rf"(?<!\.)\b({'|'.join(sorted(TWINS))})\b", r"Async\1", text)
    return re.sub(r"\b([Aa])(\s+`?Async)", r"\1n\2", text)


def awaited(doc: str) -> str:
    """Return the docstring of what is awaited."""
    quoted, types = r"(?:\b[Aa]\s+|(?<!`))`[^`\n]+`(?!`)", r"^\*?\w[\w, ]* : .*$"
    for pattern in (quoted, types, r"(?<=^Returns\n-------\n).*$"):
        doc = re.sub(pattern, lambda match: renamed(match[0]), doc, flags=re.M)
    # Lines that belong together: neither headings, nor what names an attribute.
    block = r"^( *)(?!---)\S.*\n?(?:\1(?!---|\*?\w[\w, ]* : )\S.*\n?)*"
    doc = re.sub(block, reworded, doc, flags=re.M)
    examples = r"(?:^ *(?:>>>|\.\.\.)(?: .*)?\n?)+"
    return re.sub(examples, example, doc, flags=re.M)


def reworded(block: re.Match[str]) -> str:
    """Return some lines of a docstring as they are true of the async graph."""
    text = said = re.sub(r"\s+", " ", block[0]).strip()
    for sync, other in SAID.items():
        said = re.sub(sync, other, said)
    if said == text:
        return block[0]
    filled = textwrap.indent(textwrap.fill(said, 92 - len(block[1])), block[1])
    return filled + "\n" * block[0].endswith("\n")


def example(block: re.Match[str]) -> str:
    """Return an example with its calls awaited."""
    margin = block[0][: -len(block[0].lstrip())]
    code = "\n".join(line.strip()[4:] for line in block[0].splitlines())
    code = re.sub(rf"\b({'|'.join(TWINS)})(?=[.(])", r"Async\1", code)
    tree, edits = ast.parse(code), list[tuple[int, int, str]]()
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def put(node: ast.expr | ast.stmt, before: str, after: str = "") -> None:
        edits.insert(0, (node.lineno, node.col_offset, before))
        edits.insert(0, (node.end_lineno or 0, node.end_col_offset or 0, after))

    for node in ast.walk(tree):
        match node, parents.get(node):
            case ast.Call(ast.Attribute(_, "search")), ast.Call(ast.Name("max")):
                put(node, "[result async for result in ", "]")
            case ast.Call(ast.Attribute(_, name)), ast.Attribute() if name in AWAITED:
                put(node, "(await ", ")")
            case ast.Call(ast.Attribute(_, name)), _ if name in AWAITED:
                put(node, "await ")
            case ast.With(), _:
                put(node, "async ")
            case ast.For(_, ast.Call(_, [_, *_]) | ast.Name() | ast.Attribute(_, "bundles")), _:
                put(node, "async ")
    lines = code.splitlines()
    # From the end; where two begin at the same place, the inner one first.
    for row, column, more in sorted(edits, reverse=True, key=lambda edit: edit[:2]):
        lines[row - 1] = lines[row - 1][:column] + more + lines[row - 1][column:]
    starts = {statement.lineno for statement in tree.body}
    shown = [f"{'>>>' if n in starts else '...'} {line}" for n, line in enumerate(lines, 1)]
    return textwrap.indent("\n".join(shown), margin) + "\n" * block[0].endswith("\n")


def documented(node: ast.ClassDef | Function) -> str:
    """Return the docstring of a twin, as it stands in code; nothing if there is none."""
    doc = ast.get_docstring(node) or ""
    if node.name in ("from_url", "from_session"):
        doc = doc.replace("\n\nReturns\n", f"\n{THREADS}\n\nReturns\n", 1)
    if isinstance(node, ast.ClassDef) and node.name not in CONSTRUCTED:
        known = attributes_of(node)
        doc = doc.replace("Parameters\n----------", "Attributes\n----------")
        doc = re.sub(
            ENTRY, lambda m: m[0] if m["names"].split(", ")[0] in known else "", doc, flags=re.M
        )
        doc = re.sub(r"Attributes\n-+\n\n*(?=\Z|[A-Z])", "", doc)
    return quoted(awaited(doc.rstrip())) if doc else ""


def quoted(doc: str) -> str:
    """Return a text as a docstring."""
    return f'"""{doc}\n"""' if "\n" in doc else f'"""{doc}"""'


def told(node: ast.ClassDef, name: str) -> str:
    """Return what the docstring of a class says of an attribute, as a docstring."""
    for match in re.finditer(ENTRY, (ast.get_docstring(node) or "") + "\n", re.M):
        if name in match["names"].split(", "):
            text = re.sub(r"\s+", " ", match["text"]).strip()
            first, *rest = re.split(r"(?<=\.) (?=[A-Z])", text, maxsplit=1)
            return quoted("\n\n".join(textwrap.fill(part, 90) for part in (first, *rest)))
    raise LookupError(f"The docstring of {node.name} does not say what {name} is")


# -- classes and functions -------------------------------------------------------------------


def parameters(node: Function, first: str = "", more: str = "") -> str:
    """Return the parameters of a twin, typed, with others as the first and the last one."""
    arguments = deepcopy(node.args)
    for each in ast.walk(arguments):
        if isinstance(each, ast.arg) and each.annotation is not None:
            each.annotation = ast.Name(typed(each.annotation, taken=True))
    del arguments.args[: bool(first)]
    return ", ".join(part for part in (first, ast.unparse(arguments), more) if part)


def passed(node: Function, own: int = 1) -> str:
    """Return the arguments that a function passes on, and a comma before them."""
    said = [each.arg for each in node.args.args[own:]]
    said += [f"*{node.args.vararg.arg}"] if node.args.vararg else []
    said += [f"{each.arg}={each.arg}" for each in node.args.kwonlyargs]
    return "".join(f", {each}" for each in said)


def places(node: Function) -> str:
    """Return the arguments of a function that may be twins with threads."""
    kinds = TAKEN.keys() - {"Progress", "AnyEgg"}
    return ", ".join(
        "*" * (each is node.args.vararg) + each.arg
        for each in [*node.args.args, *node.args.kwonlyargs, node.args.vararg]
        if each and each.annotation and kinds & {*re.findall(r"\w+", ast.unparse(each.annotation))}
    )


def shaped(value: str, kind: ast.expr | None, owner: str = "self") -> str:
    """Return a value of the sync graph as its twin, if its type has one."""
    assert kind is not None
    said, made = ast.unparse(kind), typed(kind)
    if said in TWINS:
        return f"{made}._of({value}, {owner}._threads)"
    if said != made and "Iterator" not in said:
        return f'cast("{made}", twin_of({value}, {owner}._threads))'
    return value


def method_of(owner: str, node: Function) -> str:
    """Return the twin of a method."""
    kinds, name, result = marks(node), node.name, typed(node.returns)
    taken, sync, more = parameters(node, "self"), f"self._sync.{name}", passed(node)
    head = f"def {name}({taken}) -> {result}:\n{textwrap.indent(documented(node), '    ')}\n"
    if kinds & {"property", "cached_property"}:
        return f"@property\n{head}    return {shaped(sync, node.returns)}"
    if "overload" in kinds:
        return f"@overload\nasync def {name}({taken}) -> {result}: ..."
    if "classmethod" in kinds:
        return class_method_of(owner, node)
    if "contextmanager" in kinds:
        head = head.replace("Iteration[", "AsyncIterator[")
        body = f"async with self._within({sync}{more}) as value:\n        yield value"
        return f"@asynccontextmanager\nasync {head}    {body}"
    if is_building(owner, name):
        made = shaped(f"{sync}({passed(node)[2:]})", node.returns)
        if result == f"Async{owner}":  # of a user's own class, another one
            head, made = head.replace(f"-> {result}", "-> Self"), made.replace(result, "self")
        mark = "@discreet\n" if "discreet" in kinds else ""
        return f"{mark}{head}    return {made}"
    if "Iteration" in result:
        return f"async {head}    return await self._begin({sync}{more})"
    call = shaped(f"await self._run({sync}{more})", node.returns)
    return f"async {head}    {'' if result in ('None', 'NoReturn') else 'return '}{call}"


def class_method_of(owner: str, node: Function) -> str:
    """Return the twin of a method that makes an object; of a client, it waits for nothing."""
    doc, name = textwrap.indent(documented(node), "    "), node.name
    if owner == "BroodClient":
        head = f"def {name}({parameters(node, 'cls', 'threads: int = THREADS')}) -> Self:\n{doc}\n"
        made = f"cls({owner}.{name}({passed(node)[2:]}), threads=threads)"
        return f"@classmethod\n@discreet\n{head}    return {made}"
    head = f"async def {name}({parameters(node, 'cls')}) -> Self:\n{doc}\n    twin = near({places(node)})\n"
    made = f"cls._of(await twin._run({owner}.{name}{passed(node)}), twin._threads)"
    return f"@classmethod\n{head}    return {made}"


def function_of(node: Function) -> str:
    """Return the twin of a verb."""
    head = f"async def {node.name}({parameters(node)}) -> {typed(node.returns)}:\n"
    call = shaped(f"await twin._run(sync.{node.name}{passed(node, 0)})", node.returns, "twin")
    doc = textwrap.indent(documented(node), "    ")
    return f"{head}{doc}\n    twin = near({places(node)})\n    return {call}"


def special_of(owner: str, node: Function) -> str:
    """Return the twin of what Python itself calls; nothing, where all twins have it."""
    match node.name:
        case "__init__" if owner in CONSTRUCTED:
            head, made = parameters(node, "self"), f"{owner}({passed(node)[2:]})"
            return f"def __init__({head}) -> None:\n    self._set({made}, Threads())"
        case "__lt__":
            body = "return bool(self._sync < plain(other))"
            return f"def __lt__(self, other: object) -> bool:\n    {body}"
        case "__iter__":
            body = "return Iteration._of(iter(self._sync), self._threads)"
            return f"def __aiter__(self) -> {typed(node.returns)}:\n    {body}"
    return ""


def attributes_of(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Return the public attributes of a class, with their types."""
    found = {
        each.target.id: each.annotation
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    for name, kind in ATTRIBUTES.get(node.name, {}).items():
        found[name] = ast.parse(kind, mode="eval").body
    return {name: kind for name, kind in found.items() if not name.startswith("_")}


def class_of(node: ast.ClassDef) -> str:
    """Return the twin of a class."""
    bases = [typed(base) for base in node.bases]
    bases = [base for base in bases if re.match("Async|Generic|Iteration", base)]
    if node.name == "BroodClient":
        bases.insert(0, BASES[node.name])
    elif not bases or bases[0].startswith("Generic"):
        bases.insert(0, "Twin")
    inner = "[M]" if "[M]" in str(bases) else ""
    parts = [documented(node), "__slots__ = ()\n", f"_sync: {node.name}{inner}\n"]
    for name, kind in attributes_of(node).items():
        value = shaped(f"self._sync.{name}", kind)
        doc = textwrap.indent(told(node, name), "    ")
        parts.append(f"@property\ndef {name}(self) -> {typed(kind)}:\n{doc}\n    return {value}\n")
    hand = BY_HAND.get(BASES.get(node.name, ""), set())
    for each in node.body:
        match each:
            case ast.FunctionDef(name) if name in hand:
                continue
            case ast.FunctionDef(name):
                make = special_of if name.startswith("_") else method_of
                parts.append(make(node.name, each) + "\n")
            case ast.Assign([ast.Name(name)], ast.Name(same)) if not name.startswith("_"):
                parts.append(f"{name} = {same}\n")
    mark = "@public\n" if "public" in marks(node) else ""
    body = textwrap.indent("\n".join(filter(str.strip, parts)), "    ")
    return f"{mark}class Async{node.name}({', '.join(bases)}):\n{body}"


# -- modules ---------------------------------------------------------------------------------


def page_of(page: str) -> str:
    """Return a module, formatted."""
    every = [node for _, node in contents(page)]
    made = [class_of(n) if isinstance(n, ast.ClassDef) else function_of(n) for n in every]
    if names := given(page):
        named = {node.name: f"Async{node.name}" for node in every if node.name in TWINS}
        made.append(f"__all__ = {[named.get(name, name) for name in names]}")
    head = f'"""{PAGES[page]}\n\nMade by scripts/make_async.py; never edited by hand.\n"""'
    future, body = "from __future__ import annotations", "\n\n\n".join(made)
    return formatted("\n".join([head, future, *imports_of(page, body), "", body]), page)


def imports_of(page: str, body: str) -> list[str]:
    """Return what imports all that a module may use; what it does not is removed later."""
    table: dict[str, str] = {}
    own = ("hatcher.aio.threads", "hatcher.aio.twin")
    for module in (*own, *dict.fromkeys(module for module, _ in contents(page))):
        table |= imported(module)
    graph = [f"Async{node.name}" for _, node in contents("graph")]
    table |= {name: f"from hatcher.aio.graph import {name}" for name in graph}
    table |= {name: f"from hatcher.{page} import {name}" for name in given(page).keys() & PLAIN}
    defined = {getattr(node, "name", "") for node in ast.parse(body).body}
    used = {*re.findall(r"\w+", body)} - defined
    verbs = [f"import hatcher.{page} as sync"] if given(page) else []
    return [*verbs, *(line for name, line in table.items() if name in used)]


def formatted(text: str, name: str) -> str:
    """Return code as ruff formats it, with the imports that it needs, and as late as can be."""
    ruff = str(Path(sys.executable).parent / "ruff")
    check = [ruff, "check", "--fix", "--unsafe-fixes", "--exit-zero", "--quiet"]
    check += ["--select", "I,F401,TC,RUF022", "--config", "lint.flake8-type-checking.strict=true"]
    for command in (check, [ruff, "format", "--quiet"]):
        command += ["--stdin-filename", f"{name}.py", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT)
        done.check_returncode()
        text = done.stdout
    return text


def main(arguments: list[str] | None = None) -> int:
    """Write the modules, or say how they would differ; return the exit status."""
    check = only_check(arguments, __doc__ or "")
    files = ((Path(f"hatcher/aio/{page}.py"), page_of(page)) for page in PAGES)
    return max([renew(ROOT, file, text, "async", check=check) for file, text in files])


if __name__ == "__main__":
    sys.exit(main())
