"""The pages that a newcomer follows first, literally; and what hosting sites make of Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .examples import examples_of
from .literal import ROOT, follow

README = ROOT / "README.md"
GETTING_STARTED = ROOT / "docs" / "getting-started.md"
#: What hosting sites show as it is, without Sphinx.
HOSTED = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


@pytest.mark.parametrize("page", [README, GETTING_STARTED], ids=lambda page: page.stem)
def test_a_newcomer_follows_it_literally(page, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    reader = follow(page, folder)
    # What a comment says that a line prints, it prints.
    comments = [
        comment
        for example in examples_of(page)
        if example.kind == "python"
        for comment in re.findall(r"(?m)^ *print\(.*\)  # (.*)$", example.code)
    ]
    printed = reader.printed.getvalue().splitlines()
    patterns = [re.escape(comment).replace(r"\.\.\.", ".*") for comment in comments]
    patterns = [re.sub(r"\d+\\\.\d+\\\.\d+", r"[\\w.]+", pattern) for pattern in patterns]
    assert len(printed) == len(patterns) > 0
    for pattern, line in zip(patterns, printed, strict=True):
        assert re.fullmatch(pattern, line), line


def test_the_readme_has_every_step():
    kinds = {example.kind for example in examples_of(README)}
    assert kinds == {"console", "python", "pycon"}
    text = README.read_text(encoding="utf-8")
    for step in ("hatcher serve --demo", "hatcher login", "hatcher eggs build", "hatcher mirror"):
        assert f"$ {step}" in text or f"| {step}" in text, step


def anchors_of(page: Path) -> set[str]:
    """The anchors that hosting sites make of headings."""
    headings = re.findall(r"(?m)^#+ (.*)$", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", HOSTED, ids=lambda page: page.stem)
def test_hosting_sites_show_it_rightly(page):
    text = page.read_text(encoding="utf-8")
    for what, pattern in {
        "a role": r"\{[\w:.+-]+\}`",
        "a directive": r"(?m)^\s*(?:```+|~~~+|:::+)\s*\{",
        "a fence of colons": r"(?m)^:::",
        "a comment of MyST": r"(?m)^% ",
        "a target of MyST": r"(?m)^\([\w-]+\)=$",
    }.items():
        assert not re.search(pattern, text), f"{page.name} has {what}"
    # Code may have docstrings.
    text = re.sub(r"(?ms)^```.*?^```$", "", text)
    rest = r"(?m)^\.\. \w+::|``[^`\n]+``|:\w+:`"
    assert not re.search(rest, text), f"{page.name} has reStructuredText"
    prose = re.sub(r"`[^`\n]*`", "", text)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in link]
    links += [link for link in re.findall(r"(?m)^\[[^\]]+\]: (\S+)", prose) if "://" not in link]
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors_of(target), f"{page.name}: {link}"
