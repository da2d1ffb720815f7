"""The manual builds without a warning, and misses nothing that is public."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

import hatcher.api
import hatcher.errors
import hatcher.testing
from hatcher.core import documents

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manual, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("docs")
    # Another process: autodoc imports, and Sphinx keeps, much that tests must not share.
    run = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--builder", "html"),
            *("--fail-on-warning", "--keep-going", "--quiet"),
            *("--doctree-dir", folder / "doctrees", DOCS, folder / "html"),
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return folder / "html"


def public_names() -> Iterator[str]:
    for module in (hatcher.api, hatcher.errors, hatcher.testing):
        yield from (f"{module.__name__}.{name}" for name in module.__all__)
    for name, value in vars(documents).items():
        if inspect.isclass(value) and value.__module__ == documents.__name__:
            yield f"{documents.__name__}.{name}"
    for name in hatcher.api.__all__:
        cls = getattr(hatcher.api, name)
        if inspect.isclass(cls):
            yield from (f"hatcher.api.{name}.{member}" for member in members(cls))


def members(cls: type) -> Iterator[str]:
    fields = {field.name for field in getattr(cls, "__attrs_attrs__", ())}  # are parameters
    return (name for name in dir(cls) if not name.startswith("_") and name not in fields)


def test_everything_public_is_in_the_reference(built: Path) -> None:
    objects = InventoryFile.loads((built / "objects.inv").read_bytes(), uri="").data
    known = {name for kind, names in objects.items() if kind.startswith("py:") for name in names}
    missing = sorted(set(public_names()) - known)
    assert not missing, f"not in docs/reference: {', '.join(missing)}"


def test_the_pages_are_there(built: Path) -> None:
    sources = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert sources and all((built / page).is_file() for page in sources)
