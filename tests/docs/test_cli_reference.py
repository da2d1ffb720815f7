"""The reference of the command line is what the commands say."""

from __future__ import annotations

import re

from hatcher.cli.refusals import ExitCode
from scripts import cli_reference

STALE = "docs/command-line/reference.md is not up to date. Renew it: make cli-reference"


def test_it_is_up_to_date():
    assert cli_reference.main(["--check"]) == 0, STALE


def test_a_stale_page_is_told(monkeypatch, tmp_path, capsys):
    page = tmp_path / cli_reference.PAGE
    monkeypatch.setattr(cli_reference, "ROOT", tmp_path)
    assert cli_reference.main(["--check"]) == 1
    assert STALE in capsys.readouterr().err
    page.parent.mkdir(parents=True)
    assert cli_reference.main([]) == 0
    assert cli_reference.main(["--check"]) == 0

    text = page.read_text("utf-8")
    page.write_text(text.replace("`--force`", "`--by-force`"), "utf-8")
    assert cli_reference.main(["--check"]) == 1
    assert "-| `--by-force`" in capsys.readouterr().err


def test_every_command_option_and_argument_has_words():
    text = cli_reference.render()
    headings = re.findall(r"^#{3,4} (hatcher .+)$", text, re.M)
    assert len(headings) == len(set(headings)) > 50
    for section in re.split(r"^#{2,4} ", text, flags=re.M)[1:]:
        title, _, body = section.partition("\n")
        prose = re.sub(r"```text\n.*?```|^\|.*$", "", body, flags=re.M | re.S)
        if title.startswith("hatcher"):
            assert prose.strip(), f"{title} has no help"
    rows = re.findall(r"^\| `(?:-|\[?[A-Z_]+).*$", text, re.M)
    assert len(rows) > 300
    for row in rows:
        *_, words, _ = re.split(r"(?<!\\)\|", row)
        assert words.strip(), f"{row} has no help"


def test_every_exit_code_is_explained():
    assert set(cli_reference.EXIT_CODES) == set(ExitCode)
