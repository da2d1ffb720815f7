"""The async graph has all that the sync one has: names, parameters, docstrings with examples."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

import hatcher.access
import hatcher.api
import hatcher.mirror
from hatcher import aio
from hatcher.aio import access, graph, mirror
from hatcher.aio.twin import Twin
from hatcher.api import RetryPolicy
from scripts.make_async import BUILDING, PLAIN, TWINS, main

from .test_congruence import public_names

MODULES = ((hatcher.api, graph), (hatcher.mirror, mirror), (hatcher.access, access))

#: Each class with its twin.
PAIRS = {
    f"{module.__name__}.{name}": (getattr(module, name), getattr(twins, f"Async{name}"))
    for module, twins in MODULES
    for name in module.__all__
    if name not in PLAIN and inspect.isclass(getattr(module, name))
}

#: Each method, and each verb, with its twin.
CALLS = {
    f"{place}.{name}": (getattr(kind, name), getattr(twin, name, None))
    for place, (kind, twin) in PAIRS.items()
    for name in public_names(kind)
    if inspect.isfunction(member := getattr(kind, name, None)) or inspect.ismethod(member)
} | {
    f"{module.__name__}.{name}": (getattr(module, name), getattr(twins, name, None))
    for module, twins in MODULES
    for name in module.__all__
    if name not in PLAIN and inspect.isfunction(getattr(module, name))
}


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_twins_have_the_same_names(name):
    kind, twin = PAIRS[name]
    assert public_names(twin) - {"aclose"} == public_names(kind)
    assert issubclass(twin, Twin)
    for protocol in ("enter", "exit", "iter", "next"):
        assert not hasattr(twin, f"__{protocol}__")
        assert hasattr(twin, f"__a{protocol}__") is hasattr(kind, f"__{protocol}__")


def test_calls_have_the_same_parameters():
    for name, (sync, twin) in CALLS.items():
        assert twin is not None, f"{name} has no twin: make async"
        expected, found = (dict(inspect.signature(each).parameters) for each in (sync, twin))
        if name.endswith((".from_url", ".from_session")):
            assert found.pop("threads").kind is inspect.Parameter.KEYWORD_ONLY
        assert [*map(known, found.values())] == [*map(known, expected.values())], name


def known(parameter: inspect.Parameter) -> tuple[Any, ...]:
    """What is compared of a parameter: tests shorten the pauses of policies of retries."""
    default = parameter.default
    is_policy = isinstance(default, RetryPolicy)
    return parameter.name, parameter.kind, default.retries if is_policy else default


def test_all_but_what_builds_the_graph_is_awaited():
    for name, (_, twin) in CALLS.items():
        *_, kind, method = name.split(".")
        if method == "lend":
            assert inspect.isasyncgenfunction(inspect.unwrap(twin))
        else:
            is_building = bool({method, f"{kind}.{method}"} & BUILDING)
            assert inspect.iscoroutinefunction(twin) is not is_building, name


def test_modules_give_what_the_sync_ones_give():
    for module, twins in MODULES[1:]:
        names = {f"Async{name}" if name in TWINS else name for name in module.__all__}
        assert set(twins.__all__) == names
        for name in set(module.__all__) & PLAIN:
            assert getattr(twins, name) is getattr(module, name)
    own = {"AsyncProgress", "Iteration", "access", "mirror"}
    assert set(aio.__all__) - own == {f"Async{name}" for name in set(hatcher.api.__all__) - PLAIN}
    assert {*PLAIN} <= {name for module, _ in MODULES for name in module.__all__}


def test_the_generator_says_when_something_is_not_up_to_date():
    assert main(["--check"]) == 0


# -- docstrings ------------------------------------------------------------------------------


def documented() -> Iterator[tuple[str, Any]]:
    """Yield all that has a docstring, of classes, methods, attributes and verbs."""
    for place, (_, twin) in PAIRS.items():
        yield place, twin
        for name in public_names(twin):
            yield f"{place}.{name}", inspect.getattr_static(twin, name)
    for name, (_, twin) in CALLS.items():
        yield name, twin


DOCUMENTED = {name: inspect.getdoc(member) or "" for name, member in documented()}


def examples(doc: str) -> str:
    """The code of a docstring's examples."""
    lines = (line.strip() for line in doc.splitlines())
    return "\n".join(line[4:] for line in lines if line[:4].strip() in (">>>", "..."))


#: The names of what is awaited, whatever it is a method of.
AWAITED = {
    name.rpartition(".")[2]
    for name, (_, twin) in CALLS.items()
    if inspect.iscoroutinefunction(twin)
} - {name.rpartition(".")[2] for name in BUILDING}


def test_everything_is_described():
    assert [name for name, doc in DOCUMENTED.items() if not doc.strip()] == []


@pytest.mark.parametrize("name", sorted(name for name, doc in DOCUMENTED.items() if ">>>" in doc))
def test_examples_are_async_code(name):
    code = examples(DOCUMENTED[name])
    compile(code, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    tree = ast.parse(f"async def example():\n{re.sub('^', '    ', code, flags=re.M)}")
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {id(call): ast.unparse(call.func).rpartition(".")[2] for call in calls}
    assert {named[i] for i in awaited} <= AWAITED
    assert {named[i] for i in named.keys() - awaited} & AWAITED == set()


def test_docstrings_name_the_twins():
    """Where a type is meant, in a list of parameters or in backticks."""
    sync = rf"(?<![\w.])({'|'.join(TWINS)})\b"
    for name, doc in DOCUMENTED.items():
        typed = re.findall(r"^\*?\w[\w, ]* : (.*)$", doc, re.M) + re.findall(
            r"(?<!`)`([^`]+)`", doc
        )
        found = [each for each in typed if re.search(sync, each)]
        assert found == [], name


def test_docstrings_say_nothing_that_is_only_true_of_the_sync_graph():
    for name, doc in DOCUMENTED.items():
        for said in (
            "calling thread",
            "BatchInterrupted",
            "by ``with``",
            " a `Async",
            "----- Note",
        ):
            assert said not in " ".join(doc.split()), name
        widest = max(map(len, doc.splitlines()), default=0)
        assert widest <= 108, name
