"""The manual's examples, each page from top to bottom as a reader would."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import yaml

from hatcher.cli.commands.serve import serve

from ..examples import examples_of, reading

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)


def shown(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


#: tests/test_readme.py follows it literally.
LITERAL = "getting-started"


#: Its examples are projects with tests of their own.
LONG = "testing.md"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.long] * (shown(page) == LONG))
        for page in PAGES
        if any(examples_of(page)) and page.stem != LITERAL
    ],
    ids=shown,
)
@pytest.mark.sampled(2)
def test_the_examples_work_as_printed(page, tmp_path):
    examples = list(examples_of(page))
    with reading(tmp_path, furnished=True, with_site=page.stem == "mirroring") as reader:
        ran = reader.run(examples)
        for example in examples:
            if example.kind == "yaml" and page.stem == "apps":  # the file that the page uploads
                uploaded = yaml.safe_load(Path("viewer.yaml").read_text(encoding="utf-8"))
                assert yaml.safe_load(example.code) == uploaded
    left = [example for example in examples if example not in ran]
    assert all(example.not_run or example.kind not in ("python", "pycon") for example in left)


def test_no_line_of_code_runs_out_of_the_page():
    for page in PAGES:
        for example in examples_of(page):
            for line in example.code.splitlines():
                assert len(line) <= 84, f"{shown(page)}, {example.section}: {line}"


def test_few_examples_are_not_run():
    examples = [example for page in PAGES for example in examples_of(page)]
    not_run = [example for example in examples if example.not_run]
    assert len(examples) > 50
    assert [(shown(example.page), example.section) for example in not_run] == [
        ("command-line/index.md", "Connect and log in"),
        ("command-line/index.md", "Completion"),
        ("embedded-server.md", "The embedded server"),
        ("porting.md", "From a session of your own"),
    ]


@pytest.mark.parametrize("page", sorted((DOCS / "graph").glob("*.md")), ids=shown)
def test_a_page_of_the_graph_begins_with_an_example(page):
    first = next(examples_of(page))
    introduction = page.read_text(encoding="utf-8").partition("```")[0]
    assert first.kind == "python" and "\n## " not in introduction
    assert len(introduction.split()) < 60


def test_every_option_of_the_server_is_explained():
    text = (DOCS / "embedded-server.md").read_text(encoding="utf-8")
    explained = dict(re.findall(r"^\| `(--[\w-]+)` \| *(?:`([^`]+)`|none|) *\|", text, re.M))
    options = {
        option["opts"][0]: "" if option["default"] is None else str(option["default"])
        for option in serve.to_info_dict(click.Context(serve))["params"]
        if option["opts"] != ["--help"]
    }
    assert explained == options


def test_the_commands_exist():
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\$ make ([\w-]+)", "".join(page.read_text() for page in PAGES), re.M)
    assert targets
    for target in targets:
        assert f"\n{target}:" in makefile
