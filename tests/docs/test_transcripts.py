"""The shell transcripts of the manual's pages on the command line, typed in as a reader would."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.cli.root import hatcher as root

from ..examples import PASSWORD, SERVER, Example, examples_of, reading
from ..transcripts import Shell, is_as_printed, steps_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(
    page
    for page in [
        *(DOCS / "command-line").glob("*.md"),
        DOCS / "access.md",
        DOCS / "continuous-integration.md",
        DOCS / "mirroring.md",
        DOCS / "searching.md",
        DOCS / "tables.md",
    ]
    if any(example.kind == "console" for example in examples_of(page))
)


def transcripts_of(page: Path) -> list[Example]:
    return [
        example
        for example in examples_of(page)
        if example.kind == "console" and example.not_run is None
    ]


#: They take minutes, beside tests of the commands that they show.
LONG = {"index", "mirroring"}


@pytest.mark.parametrize(
    "page",
    [pytest.param(each, marks=[pytest.mark.long] * (each.stem in LONG)) for each in PAGES],
    ids=lambda page: page.stem,
)
def test_the_transcripts_are_as_printed(page, tmp_path):
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    # The page on output has something to show from its first command.
    furnished, with_site = page.stem != "index", page.stem == "mirroring"
    with reading(folder, furnished=furnished, with_site=with_site) as reader:
        Path("password.txt").write_text(f"{PASSWORD}\n", encoding="utf-8")
        shell = Shell(reader.addresses, folder, home)
        for example in transcripts_of(page):
            for step in steps_of(example):
                written = shell.run(step)
                assert is_as_printed(step.output, written), (
                    f"{page.name}, line {step.line}: $ {step.command}\n{written}"
                    f"-- where the page has --\n{step.output}"
                )


def test_there_are_transcripts():
    """The guide shows the commands that most people need, and none that there is not."""
    steps = [step for page in PAGES for block in transcripts_of(page) for step in steps_of(block)]
    commands = [step.command for step in steps if step.command.startswith("hatcher ")]
    assert len(commands) > 25
    shown = {word for command in commands for word in command.split() if word in root.homes}
    assert shown >= {
        *("eggs", "repositories", "teams", "users", "login"),
        *("export", "import", "mirror", "promote", "search"),
    }


@pytest.mark.parametrize(
    ("printed", "written", "same"),
    [
        ("acme\n", "acme\n", True),
        ("acme\n", "acme\ndev\n", False),
        ("", "a warning\n", False),
        ("a ... of 5\n", "a 4 of 5\n", True),
        ("a ... of 5\n", "a 4\nof 5\n", False),
        ("...\n", "", True),
        ("first\n...\nlast\n", "first\n1\n2\nlast\n", True),
        ("first\n...\nlast\n", "first\n1\n2\n", False),
        ("a.b\n", "acb\n", False),
    ],
)
def test_comparing(printed, written, same):
    assert is_as_printed(printed, written) is same


def test_a_shell_remembers(tmp_path):
    shell = Shell({SERVER: "http://127.0.0.1:1"}, tmp_path, tmp_path)
    code = "$ export NAME=https://brood.example.com\n$ echo $NAME\nx\n$ false\n$ echo $?\n1\n"
    code += "$ printf '%s\\n' \\\n>   a b\n"
    block = Example(tmp_path, 10, "", "console", code, None)
    steps = list(steps_of(block))
    assert [step.line for step in steps] == [10, 11, 13, 14, 16]
    assert [shell.run(step) for step in steps] == [
        "",
        "https://brood.example.com\n",
        "",
        "1\n",
        "a\nb\n",
    ]
