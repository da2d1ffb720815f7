"""The types that users see: sample programs that use everything satisfy mypy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hatcher.api
from hatcher.aio import access, graph, mirror
from hatcher.aio.twin import Twin
from hatcher.core.bundles import LocalBundle
from hatcher.core.node import Node

SAMPLE = Path(__file__).parent / "sample.py"
ASYNC_SAMPLE = SAMPLE.with_name("async_sample.py")


@pytest.mark.long
@pytest.mark.parametrize("sample", [SAMPLE, ASYNC_SAMPLE], ids=lambda path: path.stem)
def test_the_sample_program_satisfies_mypy_strictly(sample):
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SAMPLE.parents[2])
    assert done.returncode == 0, done.stdout + done.stderr


def names_used(sample: Path) -> set[str]:
    tree = ast.parse(sample.read_text(encoding="utf-8"))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_the_async_sample_program_uses_every_public_name():
    used = names_used(ASYNC_SAMPLE)
    for module in (graph, mirror, access):
        twins = [kind for kind in vars(module).values() if isinstance(kind, type)]
        for twin in twins:
            if issubclass(twin, Twin):
                public = {name for name in dir(twin) if not name.startswith("_")}
                assert public - {"aclose"} <= used, f"{twin.__name__}: {public - used}"
    for module in (mirror, access):
        assert {name for name in module.__all__ if name.islower()} <= used


def test_the_sample_program_uses_every_public_name_of_the_graph():
    used = names_used(SAMPLE)
    exported = [getattr(hatcher.api, name) for name in hatcher.api.__all__]
    graph = [c for c in exported if isinstance(c, type) and issubclass(c, Node)]
    assert len(graph) > 8
    for place in (*graph, LocalBundle):
        public = {name for name in dir(place) if not name.startswith("_")}
        assert public <= used, f"{place.__name__}: the sample does not use {public - used}"
