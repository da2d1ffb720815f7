"""The manual's first page answers questions by one command and one line of Python; all are run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hatcher import access, mirror
from hatcher.api import BroodBearerTokenAuth, BroodClient

from .conftest import command_line, keep
from .test_help import WELL, filled, run

pytestmark = pytest.mark.long

PAGE = Path(__file__).parents[2] / "docs" / "index.md"

QUESTIONS = re.findall(
    r"^\| ([^|]+\?) \| `(hatcher [^`]+)` \| `([^`]+)` \|$", PAGE.read_text(), re.M
)


@pytest.fixture
def cli(tmp_path):
    """`hatcher`, and a server and a folder with all that the answers name."""
    (tmp_path / "server").mkdir()
    with filled(tmp_path / "server") as (server, files), command_line(server, files) as made:
        keep(made, server, "site")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(files)
            yield made


def test_there_are_enough_questions():
    assert len(QUESTIONS) >= 25


def test_each_is_answered_by_a_command(cli):
    for question, command, _ in QUESTIONS:
        done = run(cli, command)
        assert done.code in WELL, f"{question}\n{command}\n{done.out}{done.err}"


def test_each_is_answered_by_a_line_of_python(cli):
    with cli.client() as client:
        names = {
            **{"BroodClient": BroodClient, "BroodBearerTokenAuth": BroodBearerTokenAuth},
            **{"Path": Path, "access": access, "mirror": mirror},
            **{"client": client, "acme": client.organization("acme")},
            **{"dev": client.repository("acme/dev"), "old": client.repository("acme/old")},
            **{"platform": client.platform("acme/dev/rh8-x86_64"), "eggs": Path("eggs").iterdir()},
            **{"url": cli.server.url, "token": client.create_api_token("of the test")["token"]},
        }
        for question, _, line in QUESTIONS:
            try:
                # What reports problems says so when it is asked.
                result = eval(line, names) if "client =" not in line else exec(line, {**names})
            except Exception as error:
                error.add_note(f"{question} {line}")
                raise
            assert result is None or result or line.startswith("mirror.diff"), line
