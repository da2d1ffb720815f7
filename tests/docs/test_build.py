"""The manual builds without a warning, and misses nothing that is public."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

import hatcher.access
import hatcher.aio
import hatcher.api
import hatcher.errors
import hatcher.mirror
import hatcher.testing
from hatcher.core import documents

DOCS = Path(__file__).parent.parent.parent / "docs"


def public_names() -> Iterator[str]:
    for module in (hatcher.access, hatcher.api, hatcher.errors, hatcher.mirror, hatcher.testing):
        yield from (f"{module.__name__}.{name}" for name in module.__all__)
    for name, value in vars(documents).items():
        if inspect.isclass(value) and value.__module__ == documents.__name__:
            yield f"{documents.__name__}.{name}"
    for name in hatcher.api.__all__:
        yield from members(f"hatcher.api.{name}", getattr(hatcher.api, name))
    # What hatcher.aio has of its own; the rest is the sync graph's.
    for module in (hatcher.aio, hatcher.aio.access, hatcher.aio.mirror):
        for name in module.__all__:
            value = getattr(module, name)
            if getattr(value, "__module__", "").startswith("hatcher.aio."):
                yield f"{module.__name__}.{name}"
                yield from members(f"{module.__name__}.{name}", value)


def members(name: str, cls: object) -> Iterator[str]:
    if not inspect.isclass(cls):
        return
    fields = {field.name for field in getattr(cls, "__attrs_attrs__", ())}
    fields.update(getattr(cls, "__match_args__", ()))  # are parameters, too
    fields.update(getattr(cls, "__slots__", ()))
    fields.update(dir(tuple) if issubclass(cls, tuple) else ())
    for member in dir(cls):
        if not member.startswith("_") and member not in fields:
            yield f"{name}.{member}"


@pytest.mark.long
def test_it_builds_without_a_warning_and_has_everything_public(tmp_path):
    # In another process: autodoc imports, and Sphinx keeps, much that tests must not share.
    command = [sys.executable, "-m", "sphinx", "--builder", "html", "--fail-on-warning"]
    command += ["--keep-going", "--quiet", "--doctree-dir", str(tmp_path / "doctrees")]
    command += [str(DOCS), str(tmp_path / "html")]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr

    inventory = InventoryFile.loads((tmp_path / "html" / "objects.inv").read_bytes(), uri="")
    known = {
        name for kind, names in inventory.data.items() if kind.startswith("py:") for name in names
    }
    missing = sorted(set(public_names()) - known)
    assert not missing, f"not in docs/reference: {', '.join(missing)}"
