"""The recipes of the page on continuous integration: their lines of `hatcher`, run as they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..examples import PASSWORD, SERVER, USER, Example, examples_of, reading
from ..transcripts import Shell, Step

PAGE = Path(__file__).parents[2] / "docs" / "continuous-integration.md"
RECIPES = [example for example in examples_of(PAGE) if example.kind in ("yaml", "text")]


def lines_of(recipe: Example) -> Iterator[str]:
    """The lines that a runner or cron gives to a shell."""
    if recipe.kind == "text":
        for line in recipe.code.splitlines():
            if not re.match(r"\w+=", line):
                yield line.split(None, 5)[5]
        return
    document = yaml.safe_load(recipe.code)
    for job in document.get("jobs", document).values():
        for line in [*job.get("steps", ()), *job.get("before_script", ()), *job.get("script", ())]:
            yield line.get("run", "") if isinstance(line, dict) else line


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.section)
def test_the_lines_of_a_recipe_run(recipe, tmp_path):
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    lines = [line.replace("/srv", str(folder)) for line in lines_of(recipe)]
    lines = [line for line in lines if line.startswith(("hatcher ", "cd "))]
    assert lines
    with reading(folder, furnished=True) as reader:
        (folder / "dist").mkdir()
        for egg in folder.glob("*.egg"):
            reader.client().platform("acme/dev/rh8-x86_64").upload_egg(egg)
            egg.rename(folder / "dist" / egg.name)
        shell = Shell(reader.addresses, folder, home)
        for name, value in (("URL", SERVER), ("USERNAME", USER), ("PASSWORD", PASSWORD)):
            shell.run(Step(0, f"export HATCHER_{name}={value}", ""))
        for again in (False, True):
            for line in lines:
                written = shell.run(Step(recipe.line, f"{line} && echo fine", ""))
                assert written.endswith("fine\n"), (line, written)
                if again and {"-q", "--quiet"} & set(line.split()):
                    assert written == "fine\n", "A mail is sent for nothing."
    for report in folder.glob("*.json"):
        assert json.loads(report.read_text())["outcome"] == "done"


def test_there_are_recipes_for_all():
    assert [recipe.section for recipe in RECIPES] == ["GitHub Actions", "GitLab CI", "cron"]
