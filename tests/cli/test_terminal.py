"""What people see in a terminal, and what programs get through a pipe."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from hatcher.testing import write_egg

from .conftest import Cli
from .terminals import COLOR, STEERING, Terminal, watched


@pytest.fixture(autouse=True)
def usual_terminal(cli: Cli) -> None:
    cli.setenv("TERM", "xterm-256color")


@pytest.fixture
def egg(cli: Cli) -> Path:
    """An egg that takes a moment."""
    return write_egg(cli.home, payload_bytes=20_000_000)


# -- a terminal -----------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "left"), [("y", []), ("n", ["dev"]), ("", ["dev"])])
def test_a_deletion_is_asked_for(cli, dev, answer, left):
    with Terminal(cli.command("repositories", "delete", "acme", "dev")) as terminal:
        terminal.wait_for("acme/dev will be deleted. Go on? [y/N]: ")
        assert cli.client().organization("acme").list_repositories() == ["dev"]
        terminal.type(f"{answer}\n")
        assert terminal.end() == 0
        said = "Nothing was changed." if left else "Deleted the repository acme/dev."
        assert terminal.text.endswith(f"{said}\n")
    assert cli.client().organization("acme").list_repositories() == left


def test_a_team_is_asked_for_in_a_terminal(cli, dev):
    organization = cli.client().organization("acme")
    organization.create_team("builders", "read_repository")
    with Terminal(cli.command("teams", "delete", "acme", "builders")) as terminal:
        terminal.wait_for("[y/N]: ")
        terminal.type("n\n")
        assert terminal.end() == 0
    assert [team["name"] for team in organization.list_teams()] == ["builders"]


def test_a_password_is_asked_for_and_not_shown(cli, dev):
    cli.delenv("HATCHER_PASSWORD")
    with Terminal(cli.command("organizations", "list")) as terminal:
        terminal.wait_for("assword")
        terminal.type(f"{cli.server.admin_password}\n")
        assert terminal.end() == 0
        assert terminal.text.endswith("acme\n")
        assert cli.server.admin_password not in terminal.screen


def test_ctrl_c_at_a_question(cli, dev):
    with Terminal(cli.command("repositories", "delete", "acme", "dev")) as terminal:
        terminal.wait_for("[y/N]: ")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert "^C\n" in terminal.text  # the question's line is ended
        assert "Interrupted." in terminal.text
        assert "Traceback" not in terminal.text
    assert cli.client().organization("acme").list_repositories() == ["dev"]


def test_colors_for_those_who_want_them(cli):
    def screen(*command: str) -> str:
        with Terminal(cli.command(*command)) as terminal:
            terminal.end()
            return terminal.screen

    listing = ("platforms", "list")
    creating = ("organizations", "create", "acme", "Makers of everything")
    assert COLOR.search(screen(*listing))
    assert "\x1b[32mCreated" in screen(*creating)
    assert "\x1b[31m" in screen(*creating)  # it exists now

    cli.setenv("NO_COLOR", "1")
    for command in (listing, creating):
        assert not COLOR.search(screen(*command))
    cli.delenv("NO_COLOR")
    cli.setenv("TERM", "dumb")
    for command in (listing, creating):
        assert not STEERING.search(screen(*command))


def test_a_bar_with_its_rate_and_the_time_left(cli, dev, egg):
    platform = ("acme", "dev", "rh8-x86_64")
    terminal = watched(cli.command("eggs", "upload", *platform, egg))
    assert "━" in terminal.screen
    assert re.search(r"20\.0/20\.0 MB \S+ .B/s 0:00:0", terminal.text)
    download = cli.command("eggs", "download", *platform, "none", "spam", "1.0.0-1")
    assert "20.0/20.0 MB" in watched(download).text


def test_a_bar_for_those_who_want_no_colors(cli, dev, egg):
    upload = cli.command("eggs", "upload", "acme", "dev", "rh8-x86_64", egg)
    cli.setenv("NO_COLOR", "1")
    screen = watched(upload).screen
    assert "━" in screen and not COLOR.search(screen)
    cli.setenv("TERM", "dumb")
    assert not STEERING.search(watched([*upload, "--force"]).screen)


def test_a_bar_for_a_whole_batch(cli, dev, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for build in range(60):
        write_egg(many, build=build, payload_bytes=10_000)
    batch = ("eggs", "batch-upload", "acme", "dev", "rh8-x86_64", many, "--concurrency", 1)
    text = watched(cli.command(*batch)).text
    assert re.search(r"━ \S+ .B \S+ .B/s 0:00:0", text)
    # Each file is told of, and all of them together.
    assert "spam-1.0.0-59.egg" in text and "60 files: 60 uploaded" in text


def test_data_in_a_file_while_the_bar_is_in_the_terminal(cli, dev, egg, tmp_path):
    out = tmp_path / "out.json"
    upload = cli.command("eggs", "upload", "acme", "dev", "rh8-x86_64", egg, "-o", "json")
    assert "━" in watched(upload, stdout=out).screen
    (record,) = json.loads(out.read_text())
    assert record["file"] == egg.name
    assert not STEERING.search(out.read_text())


@pytest.mark.parametrize("columns", [100, 50, 20])
def test_a_table_stays_readable_when_the_terminal_is_narrow(cli, columns):
    name = "builds-of-the-night-for-everybody"
    cli.client().create_api_token(name)
    (token,) = cli("api-tokens", "list", "-o", "json").data
    text = watched(cli.command("api-tokens", "list"), columns=columns).text
    assert "…" not in text
    if columns >= 50:
        # A table, with long cells folded.
        assert max(map(len, text.splitlines())) <= columns
        assert "Last Used" in text.splitlines()[0]
        narrowest = 16
    else:
        # One field on each line, that the terminal wraps.
        assert f"Name: {name}\n" in text
        assert f"Created: {token['created']}\n" in text
        narrowest = len(name)
    assert name[:narrowest] in text
    assert token["created"][:narrowest] in text


def test_a_long_table_comes_at_once(cli):
    client = cli.client()
    for number in range(501):
        client.create_api_token(f"builds-{number:03}")
    terminal = watched(cli.command("api-tokens", "list"), columns=40)
    assert COLOR.search(terminal.screen)
    heading, line, *rows = terminal.text.splitlines()
    assert heading.split() == ["Name", "Created", "Last", "Used"]
    assert set(line) == {"─"}
    assert [row.split()[0] for row in rows] == [f"builds-{number:03}" for number in range(501)]


# -- pipes --------------------------------------------------------------------------------


def test_a_pipe_gets_data_alone(cli, dev, egg):
    platform = ("acme", "dev", "rh8-x86_64")
    for command, asked in (
        (("eggs", "upload"), (*platform, egg)),
        (("eggs", "list"), (*platform, "cp311")),
        (("eggs", "metadata"), (*platform, "none", "spam", "1.0.0-1")),
        (("eggs", "batch-download"), (*platform, "cp311")),
        (("platforms", "list"), ()),
        (("repositories", "list"), ("acme",)),
        (("users", "create"), ("acme", "ada@example.com")),
    ):
        result = cli.process(*command, *asked, "--output", "json")
        schema = cli("schema", *command).data
        Draft202012Validator(schema).validate(result.data)
        for stream in (result.out, result.err):
            assert not STEERING.search(stream)
            assert "━" not in stream


def test_a_pipe_gets_plain_tables_and_words(cli, dev):
    listed = cli.process("platforms", "list")
    assert not STEERING.search(listed.out)
    assert listed.out.startswith("Platforms\n-----------\n")
    assert listed.err == ""
    failed = cli.process("repositories", "list", "acne")
    assert (failed.code, failed.out) == (4, "")
    assert not STEERING.search(failed.err)


def test_a_pipe_is_no_place_for_questions(cli, dev):
    result = cli.process("repositories", "delete", "acme", "dev")
    assert (result.code, result.out) == (2, "")
    assert "--yes" in result.err
    assert cli.client().organization("acme").list_repositories() == ["dev"]
    cli.delenv("HATCHER_PASSWORD")
    result = cli.process("organizations", "list")
    assert result.code != 0
    assert result.out == ""
    assert "Traceback" not in result.err
