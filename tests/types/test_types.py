"""The types that users see: a sample program that uses everything satisfies mypy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hatcher.api
from hatcher.core.bundles import LocalBundle
from hatcher.core.node import Node

SAMPLE = Path(__file__).parent / "sample.py"


@pytest.mark.long
def test_the_sample_program_satisfies_mypy_strictly():
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(SAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SAMPLE.parents[2])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sample_program_uses_every_public_name_of_the_graph():
    tree = ast.parse(SAMPLE.read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    exported = [getattr(hatcher.api, name) for name in hatcher.api.__all__]
    graph = [c for c in exported if isinstance(c, type) and issubclass(c, Node)]
    assert len(graph) > 8
    for place in (*graph, LocalBundle):
        public = {name for name in dir(place) if not name.startswith("_")}
        assert public <= used, f"{place.__name__}: the sample does not use {public - used}"
