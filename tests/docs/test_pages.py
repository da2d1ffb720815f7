"""What every page and every public docstring says of versions of the API and of installing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hatcher.aio
import hatcher.api
import hatcher.errors
import hatcher.mirror
import hatcher.testing

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts),
        *ROOT.glob("*.md"),
        *(ROOT / "hatcher").rglob("*.html"),
    ]
)
#: What shows an old client of another signature, or the call in general.
_NO_EXAMPLE = {"", "…", "..."}


def docstrings() -> Iterator[tuple[str, str]]:
    """Those of all public names and their members, and of the modules."""
    public = (hatcher.aio, hatcher.api, hatcher.errors, hatcher.mirror, hatcher.testing)
    for module in public:
        yield module.__name__, inspect.getdoc(module) or ""
        for name in module.__all__:
            value = getattr(module, name)
            yield f"{module.__name__}.{name}", inspect.getdoc(value) or ""
            for member in dir(value) if inspect.isclass(value) else ():
                if not member.startswith("_"):
                    found = inspect.getattr_static(value, member)
                    yield f"{module.__name__}.{name}.{member}", inspect.getdoc(found) or ""


TEXTS = [(str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")) for page in PAGES]
TEXTS += docstrings()


def calls(text: str) -> Iterator[str]:
    """The arguments of each call of ``from_url``."""
    for match in re.finditer(r"from_url\(", text):
        depth, end = 1, match.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[match.end() : end - 1].strip()


def pip_installs_from_the_index(text: str) -> bool:
    arguments = r"(?:[ \t]+[\w.'\"\[\]<>=~-]+)*?"
    return bool(re.search(rf"pip install{arguments}[ \t]+['\"]?hatcher\b|\bhatcher\[\w+\]", text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$ python -m pip install hatcher", True),
        ("`pip install 'hatcher[server]'`", True),
        ("pip install -U 'hatcher'", True),
        ("needs hatcher[keyring]", True),
        ("python -m pip install '.[server]'", False),
        ("pip install keyring requests hatcher", True),
        ("pip install keyring), or log in again: hatcher login", False),
        ("In a checkout of hatcher, run: python -m pip install .", False),
    ],
)
def test_what_would_install_another_project(text, found):
    assert pip_installs_from_the_index(text) is found


def test_every_example_says_version_1():
    found = [(where, call) for where, text in TEXTS for call in calls(text)]
    assert len(found) > 40 and any(where.startswith("hatcher.api.") for where, _ in found)
    for where, call in found:
        if call not in _NO_EXAMPLE:
            assert "api_version=1" in call, f"{where}: from_url({call})"


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md"])
def test_version_0_is_explained(page):
    assert re.search(r"[Vv]ersion 0\b[^.]*\.", (ROOT / page).read_text(encoding="utf-8"))


def test_no_page_installs_the_existing_client_unawares():
    source = [
        (str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for path in (ROOT / "hatcher").rglob("*.py")
    ]
    for where, text in [*TEXTS, *source]:
        if pip_installs_from_the_index(text):
            assert "package index still has the existing client" in text, where
    for page in ("README.md", "docs/index.md"):
        text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
        assert "package index still has the existing client" in text
