#!/usr/bin/env python
"""Make the async graph, ``hatcher/aio``, from the sync one.

::

    python -m scripts.make_async             write its modules
    python -m scripts.make_async --check     change nothing; fail if they are not up to date

``make async`` runs it. What sends or waits is awaited, and runs in a worker thread; what builds the
graph stays as it is. The tables below say what the code does not.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.common import only_check, parsed, renew

ROOT = Path(__file__).resolve().parent.parent

#: Methods that send nothing and wait for nothing: they are not awaited.
BUILDING = {
    *("app", "at", "bundle", "egg", "organization", "platform", "repository", "runtime"),
    *("search", "team", "user", "with_auth", "BundleCollection.get"),
    *("document", "from_document", "those"),
}

#: Classes that are plain data, or places on the disk that calls are given: there is one of each.
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
TAKEN = {
    "AnyBundle": "AsyncBundle",
    "AnyEgg": "AsyncEgg",
    "BroodClient": "AsyncBroodClient",
    "Cache": "AsyncCache",
    "Organization": "AsyncOrganization",
    "Place": "AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository",
    "Promotable": "AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle",
    "Repository": "AsyncRepository",
    "SideLike": "AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository",
    "Where": "AsyncRepository | AsyncSinglePlatformRepository | AsyncBroodClient",
}

#: Classes in modules of the graph that only these modules, and type checkers, use.
HELPERS = {"Finder", "HasEmail", "HasName"}

#: Attributes whose types the body of a class does not say, or not as they are meant.
ATTRIBUTES = {
    "LocalBundle": {"bundle": "Bundle", "filepath": "str | os.PathLike[str]"},
    "SearchResult": {"artefact": "Egg | Runtime | App | Bundle"},
}

#: Those of its methods that are written by hand are not made.
BY_HAND = {
    "BroodClient": """
    def __init__(self, client: BroodClient, *, threads: int = THREADS) -> None:
        self._sync, self._threads = client, Threads(threads)

    @property
    def api_version(self) -> int:
        \"\"\"The version of Brood's API that this client speaks: 0 or 1.

        Of a client that was made with 'newest', it is known when a method has asked the server
        for something, such as `list_platforms`.

        Raises
        ------
        HatcherException
            It is not known yet.
        \"\"\"
        return known_version(self._sync)
""",
    "Cache": """
    def __init__(
        self, folder: str | os.PathLike[str] | None = None, limit: int = LIMIT
    ) -> None:
        self._sync, self._threads = Cache(folder, limit), Threads()
""",
}

#: What is true of the sync graph alone, and what is said of the async one.
SAID = {
    ": Progress": ": Progress or AsyncProgress",
    ": iterator of": ": Iteration of",
    "Is told of the bytes, from the calling thread.": "Is told of the bytes.",
    "A client may be used from many threads, and is best closed when it\nis done with: by ``with``, or "
    "by `close`.": "A client belongs to the event loop that it is first used in, where many tasks may "
    "use it, and\nis best closed when it is done with: by ``async with``, or by `close`.",
}

#: What the parameter is that the async client has beside those of the sync one.
THREADS = """threads : int, default 64
    Calls of this client that run at the same time, each in a thread; further ones wait. The
    threads are its own: those of ``asyncio.to_thread`` and ``anyio.to_thread`` stay free."""


class Page(NamedTuple):
    """A module that is made: of the classes, or of the public functions too, of others."""

    name: str
    doc: str
    sources: tuple[str, ...]
    verbs: str | None = None


GRAPH = Page(
    "graph",
    "The graph for async programs: what `hatcher.core` has, awaited.",
    tuple(
        f"hatcher.core.{name}"
        for name in (
            *("node", "searchable", "artefact", "search", "eggs", "runtimes", "apps"),
            *("bundles", "platform", "repository", "team", "user", "organization"),
            "brood_client",
        )
    ),
)
PAGES = (
    GRAPH,
    Page("mirror", "Whole repositories, awaited: what `hatcher.mirror` has.", (), "hatcher.mirror"),
    Page("access", "Who may do what, awaited: what `hatcher.access` has.", (), "hatcher.access"),
)


# -- what there is ---------------------------------------------------------------------------


def path_of(module: str) -> Path:
    """Return the file of a module."""
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def homes(module: str) -> dict[str, str]:
    """Return where each name of a module comes from, those of its own included."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.Module(parsed(path_of(module)), [])):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                renamed = alias.asname and f" {alias.name}"
                found[alias.asname or alias.name] = f"{node.module}{renamed or ''}"
        elif isinstance(node, ast.Import):
            found |= {alias.name: "" for alias in node.names}
    for node in parsed(path_of(module)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = module
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: module for target in targets if isinstance(target, ast.Name)}
    return found


def public_names(module: str) -> list[str]:
    """Return what a package gives, as its ``__all__`` says."""
    for node in parsed(path_of(module)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise LookupError(f"{module} has no __all__")


def definition(module: str, name: str) -> ast.stmt | None:
    """Return what stands in a module under a name, if it is defined there."""
    return next(
        (each for each in parsed(path_of(module)) if getattr(each, "name", "") == name), None
    )


def classes_of(page: Page) -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield the modules and the classes that a page has twins of."""
    if page.verbs:
        for name in public_names(page.verbs):
            module = homes(page.verbs)[name]
            node = definition(module, name)
            if name not in PLAIN and isinstance(node, ast.ClassDef):
                yield module, node
    for module in page.sources:
        for node in parsed(path_of(module)):
            if isinstance(node, ast.ClassDef) and (is_public(node)):
                yield module, node


def is_public(node: ast.ClassDef) -> bool:
    """Say whether users meet a class of a module of the graph."""
    return not node.name.startswith("_") and node.name not in {"Node", *HELPERS}


TWINS = {node.name for page in PAGES for _, node in classes_of(page)}


# -- types -----------------------------------------------------------------------------------


class Types(ast.NodeTransformer):
    """Makes the type of an async call of that of a sync one."""

    def __init__(self, *, taken: bool) -> None:
        self._taken = taken

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "Progress":
            return ast.Name("AnyProgress")
        if self._taken:
            more = TAKEN.get(node.id)
            return ast.parse(f"{node.id} | {more}", mode="eval").body if more else node
        return ast.Name(f"Async{node.id}") if node.id in TWINS else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if ast.unparse(node.value) == "Literal":
            return node
        if not self._taken and ast.unparse(node.value) == "Iterator":
            node = ast.Subscript(ast.Name("Iteration"), node.slice)
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str):  # a type that is quoted
            inner = self.visit(ast.parse(node.value, mode="eval").body)
            return ast.Constant(ast.unparse(inner))
        return node


def typed(node: ast.expr | None, *, taken: bool = False) -> str:
    """Return a type as async code has it."""
    assert node is not None
    copy = ast.parse(ast.unparse(node), mode="eval").body
    return ast.unparse(Types(taken=taken).visit(copy))


# -- what is said ----------------------------------------------------------------------------


def section(doc: str, title: str) -> str:
    """Return what stands below a heading of a docstring."""
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", doc, re.M | re.S)
    return match[1] if match else ""


def told(doc: str, name: str) -> str:
    """Return what a docstring says of an attribute."""
    pattern = rf"^(?:\w+, )*{name}(?:, \w+)* : .*\n((?:    .*\n?|\n)*)"
    match = re.search(pattern, section(doc, "Parameters") or section(doc, "Attributes"), re.M)
    text = re.sub(r"\s+", " ", match[1]).strip() if match else "As of the sync graph."
    first, *rest = re.split(r"(?<=\.) (?=[A-Z])", text, maxsplit=1)
    return "\n\n".join(textwrap.fill(part, 90) for part in (first, *rest))


def renamed(text: str) -> str:
    """Return a text of types with the names of the twins."""
    return re.sub(rf"\b({'|'.join(sorted(TWINS))})\b", r"Async\1", text)


def awaited(doc: str) -> str:
    """Return the docstring of an async method."""
    doc = re.sub(r"(?<!`)`([^`\n]+)`(?!`)", lambda match: f"`{renamed(match[1])}`", doc)
    doc = re.sub(
        r"^(\w[\w, ]* : )(.*)$", lambda match: match[1] + renamed(match[2]), doc, flags=re.M
    )
    doc = re.sub(
        r"^(Returns\n-+\n)(.*)$", lambda match: match[1] + renamed(match[2]), doc, flags=re.M
    )
    for sync, other in SAID.items():
        doc = doc.replace(sync, other)
    return re.sub(
        r"(?:^ *(?:>>>|\.\.\.)(?: .*)?\n?)+", lambda match: example(match[0]), doc, flags=re.M
    )


def example(text: str) -> str:
    """Return an example with its calls awaited."""
    lines = [line.strip()[4:] for line in text.splitlines()]
    margin = text[: len(text) - len(text.lstrip())]
    tree = ast.fix_missing_locations(Awaiting().visit(ast.parse("\n".join(lines))))
    shown = []
    for statement in tree.body:
        first, *rest = ast.unparse(statement).splitlines()
        shown += [f"{margin}>>> {first}", *(f"{margin}... {line}" for line in rest)]
    return "\n".join(shown) + "\n" * text.endswith("\n")


class Awaiting(ast.NodeTransformer):
    """Awaits what is awaited in an async program."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(f"Async{node.id}") if node.id in TWINS else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return ast.Attribute(node.value, f"Async{node.attr}") if node.attr in TWINS else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Attribute(_, name)) if name in AWAITED:
                return ast.Await(node)
            case ast.Call(ast.Name("max"), [ast.Call(ast.Attribute(_, "search"))]):
                found = f"max([result async for result in {ast.unparse(node.args[0])}])"
                return ast.parse(found, mode="eval").body
        return node

    def visit_For(self, node: ast.For) -> ast.stmt:
        self.generic_visit(node)
        match node.iter:
            case ast.Call(ast.Attribute(_, "search")) | ast.Attribute(_, "bundles") | ast.Name():
                return ast.AsyncFor(node.target, node.iter, node.body, node.orelse)
        return node

    def visit_With(self, node: ast.With) -> ast.stmt:
        self.generic_visit(node)
        return ast.AsyncWith(node.items, node.body)


# -- classes and functions -------------------------------------------------------------------


def decorators(node: ast.FunctionDef) -> set[str]:
    """Return the names of a function's decorators."""
    return {ast.unparse(each) for each in node.decorator_list}


def is_building(owner: str, name: str) -> bool:
    """Say whether a method is not awaited."""
    return bool({name, f"{owner}.{name}"} & BUILDING)


AWAITED = {
    method.name
    for page in PAGES
    for _, node in classes_of(page)
    for method in node.body
    if isinstance(method, ast.FunctionDef)
    and not is_building(node.name, method.name)
    and not decorators(method) & {"property", "cached_property", "classmethod"}
} | {name for page in PAGES if page.verbs for name in public_names(page.verbs) if name.islower()}


def parameters(node: ast.FunctionDef, *, own: int, more: str = "") -> str:
    """Return the parameters of a function, typed, without so many of the first ones."""
    arguments = ast.parse(ast.unparse(node)).body[0].args  # type: ignore[attr-defined]
    every = [*arguments.args, arguments.vararg, *arguments.kwonlyargs]
    for each in every:
        if each is not None and each.annotation is not None:
            each.annotation = ast.parse(typed(each.annotation, taken=True), mode="eval").body
    del arguments.args[:own]
    said = ast.unparse(arguments)
    return ", ".join(part for part in (said, more) if part)


def passed(node: ast.FunctionDef, *, own: int, unwrapped: bool = False) -> str:
    """Return the arguments by which a function passes on its own."""
    arguments = node.args

    def value(each: ast.arg) -> str:
        is_twin = unwrapped and each.annotation and ast.unparse(each.annotation) in TAKEN
        return f"plain({each.arg})" if is_twin else each.arg

    said = [value(each) for each in arguments.args[own:]]
    said += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    said += [f"{each.arg}={value(each)}" for each in arguments.kwonlyargs]
    return ", ".join(said)


def places(node: ast.FunctionDef) -> str:
    """Return the arguments of a function that may be twins."""
    every = [*node.args.args, *node.args.kwonlyargs]
    said = [
        each.arg
        for each in every
        if each.annotation and set(re.findall(r"\w+", ast.unparse(each.annotation))) & {*TAKEN}
    ]
    return ", ".join([*said, *([f"*{node.args.vararg.arg}"] if node.args.vararg else [])])


def shaped(value: str, kind: ast.expr | None, threads: str = "self._threads") -> str:
    """Return a value of the sync graph as its twin, if its type has one."""
    assert kind is not None
    said = ast.unparse(kind)
    if said in TWINS:
        return f"Async{said}._of({value}, {threads})"
    if typed(kind) != said and "Iterator" not in said:
        return f'cast("{typed(kind)}", twin_of({value}, {threads}))'
    return value


def documented(node: ast.FunctionDef, indent: str) -> str:
    """Return the docstring of a function, awaited; empty if it has none."""
    doc = ast.get_docstring(node)
    if doc is None:
        return ""
    if node.name in ("from_url", "from_session"):
        doc = doc.replace("\nReturns\n", f"{THREADS}\n\nReturns\n", 1)
    return quoted(awaited(doc), indent)


def quoted(doc: str, indent: str) -> str:
    """Return a docstring as it stands in code."""
    lines = [f"{indent}{line}".rstrip() for line in f'"""{doc}'.splitlines()]
    end = [f'{indent}"""'] if len(lines) > 1 else []
    return "\n".join(lines) + ("\n".join(["", *end]) if end else '"""') + "\n"


def method_of(owner: str, node: ast.FunctionDef) -> str:
    """Return the twin of a method."""
    kinds, name, own = decorators(node), node.name, 1
    doc, result = documented(node, " " * 8), typed(node.returns)
    head = f"{name}(self, {parameters(node, own=own)}) -> {result}:\n{doc}        "
    head = head.replace("(self, )", "(self)")
    target, arguments = f"self._sync.{name}", passed(node, own=own)
    method = f"{target}, {arguments}".rstrip(", ")
    if kinds & {"property", "cached_property"}:
        return f"    @property\n    def {head}return {shaped(target, node.returns)}\n"
    if "overload" in kinds:
        return f"    @overload\n    async def {head.rstrip()} ...\n"
    if "classmethod" in kinds:
        return class_method_of(owner, node)
    if "contextmanager" in kinds:
        head = head.replace("Iteration[", "AsyncIterator[")
        within = f"async with self._within({method}) as value:\n            yield value\n"
        return f"    @asynccontextmanager\n    async def {head}{within}"
    if is_building(owner, name):
        marks = "    @discreet\n" if "discreet" in kinds else ""
        built = shaped(f"{target}({passed(node, own=own, unwrapped=True)})", node.returns)
        return f"{marks}    def {head}return {built}\n"
    if name == "close":
        return f"    async def {head}await self._threads.close({target})\n"
    if "Iterator" in result or "Iteration" in result:
        return f"    async def {head}return await self._begin({method})\n"
    call = shaped(f"await self._run({method})", node.returns)
    silent = result in ("None", "NoReturn")
    return f"    async def {head}{'' if silent else 'return '}{call}\n"


def class_method_of(owner: str, node: ast.FunctionDef) -> str:
    """Return the twin of a method that makes an object."""
    kinds, doc = decorators(node), documented(node, " " * 8)
    marks = "    @classmethod\n" + "    @discreet\n" * ("discreet" in kinds)
    is_client = owner == "BroodClient"
    given = parameters(node, own=1, more="threads: int = THREADS" if is_client else "")
    made = f"{owner}.{node.name}({passed(node, own=1, unwrapped=True)})"
    body = (
        f"cls({made}, threads=threads)"
        if is_client
        else f"cls._of({made}, threads_of({places(node)}))"
    )
    return f"{marks}    def {node.name}(cls, {given}) -> Self:\n{doc}        return {body}\n"


#: What Python calls itself, and its twin; all other such methods, every twin has.
SPECIAL = {
    "__bool__": "    def __bool__(self) -> bool:\n        return bool(self._sync)\n",
    "__lt__": "    def __lt__(self, other: object) -> bool:\n"
    "        return bool(self._sync < plain(other))\n",
    "__iter__": "    def __aiter__(self) -> Iteration[{element}]:\n"
    "        return Iteration._of(iter(self._sync), self._threads)\n",
    "__enter__": "    async def __aenter__(self) -> Self:\n        return self\n",
    "__exit__": "    async def __aexit__(self, *_: object) -> None:\n        await self.close()\n",
}


def class_of(module: str, node: ast.ClassDef) -> str:
    """Return the twin of a class."""
    bases = [base_of(base) for base in node.bases] or ["Twin"]
    inner = "[M]" if "[M]" in "".join(map(ast.unparse, node.bases)) else ""
    doc = awaited(ast.get_docstring(node) or "")
    if "__init__" not in BY_HAND.get(node.name, ""):
        doc = doc.replace("Parameters\n----------", "Attributes\n----------")
    parts = [quoted(doc, "    "), "    __slots__ = ()\n", f"    _sync: {node.name}{inner}\n"]
    parts.append(BY_HAND.get(node.name, ""))
    is_iteration = "Iteration" in bases[0]
    for name, kind in attributes_of(node).items():
        value = shaped(f"self._sync.{name}", kind)
        doc = quoted(told(ast.get_docstring(node) or "", name), " " * 8)
        parts.append(
            f"    @property\n    def {name}(self) -> {typed(kind)}:\n{doc}        return {value}\n"
        )
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        if method.name in SPECIAL and not is_iteration:
            element = typed(method.returns).partition("[")[2][:-1]
            parts.append(SPECIAL[method.name].format(element=element))
        elif f" {method.name}(" in BY_HAND.get(node.name, ""):
            continue
        elif not method.name.startswith("_") and not (is_iteration and method.name == "close"):
            parts.append(method_of(node.name, method))
    return f"class Async{node.name}({', '.join(bases)}):\n" + "\n".join(parts)


def base_of(node: ast.expr) -> str:
    """Return what a twin is made of, where the class is made of this."""
    said = ast.unparse(node)
    if said.startswith("Generic["):
        return said
    made = typed(node)
    return "Twin" if made == said else made


def attributes_of(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Return the public attributes of a class, with their types."""
    found = {
        each.target.id: each.annotation
        for each in node.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and not each.target.id.startswith("_")
    }
    for name, kind in ATTRIBUTES.get(node.name, {}).items():
        found[name] = ast.parse(kind, mode="eval").body
    return found


def function_of(node: ast.FunctionDef) -> str:
    """Return the twin of a verb."""
    doc, given = documented(node, "    "), parameters(node, own=0)
    call = f"await threads.run(call(sync.{node.name}, ({passed_in_tuple(node)}), {named(node)}))"
    value = shaped(call, node.returns, "threads")
    return (
        f"async def {node.name}({given}) -> {typed(node.returns)}:\n{doc}"
        f"    threads = threads_of({places(node)})\n    return {value}\n"
    )


def passed_in_tuple(node: ast.FunctionDef) -> str:
    """Return the positional arguments of a function, as what stands in a tuple."""
    said = [each.arg for each in node.args.args]
    said += [f"*{node.args.vararg.arg}"] if node.args.vararg else []
    return "".join(f"{each}, " for each in said)


def named(node: ast.FunctionDef) -> str:
    """Return the arguments of a function that have to be named, as a dict of them."""
    said = ", ".join(f'"{each.arg}": {each.arg}' for each in node.args.kwonlyargs)
    return f"{{{said}}}"


# -- modules ---------------------------------------------------------------------------------

#: Where the names come from that the sync graph does not have.
OWN = {
    "hatcher.aio.threads": ("AnyProgress", "THREADS", "Threads"),
    "hatcher.aio.twin": (
        *("Iteration", "Twin", "call", "known_version", "plain", "threads_of", "twin_of"),
    ),
    "typing": ("Generic", "Self", "TypeVar", "cast", "overload"),
    "contextlib": ("asynccontextmanager",),
    "collections.abc": ("AsyncIterator",),
    "hatcher.mirror.cache": ("LIMIT",),
    "": ("os",),
}
KNOWN = {name: module for module, names in OWN.items() for name in names}


def page_of(page: Page) -> str:
    """Return a module, formatted."""
    made, sources = [], []
    for module, node in classes_of(page):
        made.append(class_of(module, node))
        sources.append(module)
    if page.verbs:
        for name in public_names(page.verbs):
            module = homes(page.verbs)[name]
            verb = definition(module, name)
            if name not in PLAIN and isinstance(verb, ast.FunctionDef):
                made.append(function_of(verb))
                sources.append(module)
    body = "\n\n".join(made) + given_by(page)
    if "[M]" in body:
        body = f'M = TypeVar("M", bound="Mapping[str, Any]")\n\n\n{body}'
    imports = imports_of(ast.parse(body), sources, page)
    head = f'"""{page.doc}\n\nMade by scripts/make_async.py; never edited by hand.\n"""\n\n'
    return formatted(f"{head}from __future__ import annotations\n\n{imports}\n\n{body}", page.name)


def given_by(page: Page) -> str:
    """Return the list of what a module gives, with the plain data of the sync one."""
    if page.verbs is None:
        return ""
    names = public_names(page.verbs)
    twins = {node.name for _, node in classes_of(page)}
    return f"\n\n__all__ = {sorted(f'Async{name}' if name in twins else name for name in names)}\n"


def imports_of(tree: ast.Module, sources: Iterable[str], page: Page) -> str:
    """Return the imports that code needs: when it runs, and for type checkers."""
    running, typing = used(tree)
    defined = {"M", *(str(getattr(each, "name", "")) for each in tree.body)}
    defined |= {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    twins = {f"Async{node.name}": "hatcher.aio.graph" for _, node in classes_of(GRAPH)}
    table = {**{n: m for source in sources for n, m in homes(source).items()}, **twins, **KNOWN}
    lines = (
        [f"from {page.verbs.rpartition('.')[0]} import {page.name} as sync"] if page.verbs else []
    )
    if page.verbs:
        plain = [name for name in public_names(page.verbs) if name in PLAIN]
        lines.append(f"from {page.verbs} import {', '.join(plain)}")
    late = []
    for name in sorted((running | typing) - defined):
        if name in table:
            home = table[name]
            module, _, other = home.partition(" ")
            line = f"from {module} import {f'{other} as ' if other else ''}{name}"
            line = line if home else f"import {name}"
            (lines if name in running else late).append(line)
    checking = "\n".join(f"    {line}" for line in late)
    lines.append("from typing import TYPE_CHECKING")
    return "\n".join(lines) + f"\n\nif TYPE_CHECKING:\n{checking}\n"


def used(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return the names that code uses when it runs, and those in annotations."""
    every = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    typing: set[str] = set()
    running: set[str] = set()
    for node in ast.walk(tree):
        said: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            said = [each.annotation for each in (*arguments.args, *arguments.kwonlyargs)]
            said += [arguments.vararg and arguments.vararg.annotation, node.returns]
        elif isinstance(node, ast.AnnAssign):
            said = [node.annotation]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "cast":
            said = [node.args[0]]
        elif isinstance(node, ast.ClassDef):
            said = [
                each
                for base in node.bases
                for each in ast.walk(base)
                if isinstance(each, ast.Constant)
            ]
        for each in said:
            if each is not None:
                names = {
                    *re.findall(
                        r"\w+", re.sub(r"'[^']*'", lambda m: m[0].strip("'"), ast.unparse(each))
                    )
                }
                typing |= names
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts: list[ast.AST] = [*node.body, *node.decorator_list]
            parts += [each for each in (*node.args.defaults, *node.args.kw_defaults) if each]
        elif isinstance(node, ast.ClassDef):
            parts = [*node.bases]
        elif isinstance(node, ast.Assign):
            parts = [node]
        else:
            continue
        running |= {
            each.id for part in parts for each in ast.walk(part) if isinstance(each, ast.Name)
        }
    return running & every, typing - running


def formatted(text: str, name: str) -> str:
    """Return code as ruff formats it, with its imports sorted."""
    for command in (
        ["check", "--select", "I,F401,RUF022", "--fix", "--exit-zero", "--quiet"],
        ["format", "--quiet"],
    ):
        text = subprocess.run(
            [Path(sys.executable).parent / "ruff", *command, "--stdin-filename", f"{name}.py", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
    return text


def main(arguments: list[str] | None = None) -> int:
    """Write the modules, or say how they would differ; return the exit status."""
    check = only_check(arguments, __doc__ or "")
    files = ((Path(f"hatcher/aio/{page.name}.py"), page_of(page)) for page in PAGES)
    return max([renew(ROOT, file, text, "async", check=check) for file, text in files])


if __name__ == "__main__":
    sys.exit(main())
