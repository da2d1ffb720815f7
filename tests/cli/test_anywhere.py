"""Options of the root behind a command, and the levels from which they come."""

from __future__ import annotations

import os

import pytest

from hatcher.cli.anywhere import arranged, options_of
from hatcher.cli.groups import walk
from hatcher.cli.root import hatcher
from hatcher.testing import Answer, ScriptedServer, write_egg

from .test_completion import offered
from .test_tree import root

_URL = ("--url", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "first", "rest"),
    [
        ("eggs list a --url X b", "--url X", "eggs list a b"),
        ("eggs list a --url=X b", "--url=X", "eggs list a b"),
        ("--url X eggs --debug list a", "--url X --debug", "eggs list a"),
        ("-k -uX eggs list -q -v -o json", "-k -uX -q -v", "eggs list -o json"),
        ("organizations create -o json a b", "-o json", "organizations create a b"),
        # A command's own options have precedence, and the letters of secrets are not taken.
        ("export -p rh8 -t cp311 --timeout 3 x", "--timeout 3", "export -p rh8 -t cp311 x"),
        ("eggs list -p secret", "", "eggs list -p secret"),
        (
            "login X --token T --username U --ca-file F",
            "--ca-file F",
            "login X --token T --username U",
        ),
        ("mirror apply --name --url a b", "", "mirror apply --name --url a b"),
        ("mirror apply -tcp311 -a eggs --quiet", "--quiet", "mirror apply -tcp311 -a eggs"),
        ("eggs batch-upload --no-index -nv --url X", "--url X", "eggs batch-upload --no-index -nv"),
        ("eggs upload a -- --url X", "", "eggs upload a -- --url X"),
        ("nosuch list --url X", "", "nosuch list --url X"),
        ("runtimes list a --api-version 0", "--api-version 0", "runtimes list a"),
        ("--help", "--help", ""),
        ("eggs list - '' --quiet", "--quiet", "eggs list - ''"),
        ("", "", ""),
    ],
)
def test_options_of_the_root_go_first(words, first, rest):
    assert arranged(hatcher, words.split()) == (first.split(), rest.split(), [])


def test_every_long_option_of_the_root_is_taken_behind_every_command():
    """And so is each of a command's own, for the command."""
    for ctx in walk(root("1")):
        words, own = ctx.command_path.split()[1:], options_of(ctx.command)
        for param in hatcher.params:
            name = next(name for name in param.opts if name.startswith("--"))
            value = [] if param.is_flag else ["json"]
            lines = arranged(hatcher, [*words, name, *value])
            if ctx.parent is not None and name in own:
                assert lines == ([], [*words, name, *value], [])
            else:
                assert lines == ([name, *value], words, [])


def test_what_stands_behind_a_command_counts(cli, dev):
    url = os.environ["HATCHER_URL"]
    cli.delenv("HATCHER_URL")
    assert cli("repositories", "list", "acme", "--url", url).out == "dev\n"
    assert cli("repositories", "--url", url, "list", "acme", "-o", "json").data
    # The last one wins, wherever it stands.
    assert (
        cli("--url", "http://127.0.0.1:1", "repositories", "list", "acme", "--url", url).code == 0
    )
    cli.fails(2, "Option '--url' requires an argument.", "repositories", "list", "acme", "--url")
    cli.fails(2, "'--timeout'?", "repositories", "list", "acme", "--timeuot", "3")
    cli.fails(2, "No such option '--zzz'", "repositories", "list", "acme", "--zzz", "x")
    cli.fails(2, "not both", "platforms", "list", "--quiet", "--verbose")
    told = cli("platforms", "list", "--url", url, "--password", "x", "--username", "y")
    assert "Warning: a password on the command line" in told.err and told.code == 3
    # Which command there is may follow from what stands behind it.
    assert "IMPLEMENTATION" in cli("runtimes", "metadata", "--api-version", "1", "--help").out
    assert "PYTHON_TAG" in cli("runtimes", "metadata", "--api-version", "0", "--help").out


_NO_NUMBERS = ["-1", "nan", "inf", "1e3", "", " ", "x", "1_0", "9" * 5000, "\udcff"]


@pytest.mark.parametrize(
    ("option", "value"),
    [*(("--retries", value) for value in _NO_NUMBERS[:7]), ("--retries", "101"), ("--timeout", "0")]
    + [("--timeout", value) for value in _NO_NUMBERS],
)
def test_numbers_that_are_none(cli, option, value):
    said = cli("platforms", "list", option, value)
    assert (said.code, said.out) == (2, "") and f"Invalid value for '{option}'" in said.err


_TRY_LATER = Answer(503, {"Content-Type": "application/json"}, b'{"error": "not now"}')
_PLATFORMS = Answer(200, {"Content-Type": "application/json"}, b'{"platforms": ["rh8-x86_64"]}')


_UNFINISHED = Answer(200, {"Content-Type": "application/json", "Content-Length": "99"}, b"{")


def test_a_retry_says_a_line(cli):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    for options, lines in [((), 1), (("--quiet",), 0), (("-v",), 1)]:
        with ScriptedServer(_TRY_LATER, _PLATFORMS) as server:
            told = cli("platforms", "list", "--url", server.url, *options)
        assert told.code == 0 and "rh8-x86_64\n" in told.out
        assert len(told.err.splitlines()) == lines
        if lines:
            assert told.err.startswith("Trying again in ") and "(1 of 3): " in told.err
            assert "503" in told.err and "not now" in told.err


@pytest.mark.parametrize("level", ["option", "environment", "profile"])
def test_timeout_and_retries(cli, level):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    with ScriptedServer(_TRY_LATER, _UNFINISHED) as server:
        cli.setenv("HATCHER_URL", server.url)
        options: tuple[str, ...] = ()
        if level == "option":
            options = ("--retries", "0", "--timeout", "0.2")
        elif level == "environment":
            cli.setenv("HATCHER_RETRIES", "0")
            cli.setenv("HATCHER_TIMEOUT", "0.2")
        else:
            for key, value in (("url", server.url), ("retries", "0"), ("timeout", "0.2")):
                assert cli("config", "set", key, value, "--profile", "ci").code == 0
        told = cli("platforms", "list", *options)
        assert told.code == 6 and "Trying again" not in told.err and "503" in told.err
        told = cli("platforms", "list", *options)
        assert told.code == 6 and "within the timeout" in told.err


def test_a_profile_says_how_much_is_said(cli, dev, tmp_path):
    cli("config", "set", "quiet", "true", "--profile", "ci")
    assert cli("config", "get", "quiet").out == "true\n"
    assert cli("organizations", "create", "apex", "-").err == ""
    assert cli("--verbose", "organizations", "create", "apex2", "-").err != ""
    cli.setenv("HATCHER_VERBOSE", "1")
    assert cli("organizations", "create", "apex3", "-").err != ""
    assert cli("organizations", "create", "apex4", "-", "-q").err == ""
    cli.fails(2, "retries cannot be '-1'", "config", "set", "retries", "--", "-1")
    cli.fails(2, "a number from 0 to 100", "config", "set", "retries", "101")
    cli.fails(2, "a number of seconds above 0", "config", "set", "timeout", "nan")
    # Errors and warnings are said all the same.
    assert "Error: " in cli("eggs", "list", "acme/nosuch/rh8-x86_64", "cp311").err


def test_quiet_says_nothing_of_what_went_well(cli, dev, tmp_path):
    egg = write_egg(tmp_path, "nose", platform="rh8-x86_64", python_tag="cp311")
    place = ("acme/dev/rh8-x86_64",)
    assert cli("eggs", "upload", *place, egg, "--quiet") == (0, "", "")
    told = cli("eggs", "batch-upload", *place, egg, "-q", "-o", "json")
    assert told.err == "" and told.data[0]["outcome"] == "already there"
    told = cli("eggs", "batch-upload", *place, egg, tmp_path / "gone.egg", "-q")
    assert told.code == 2
    (tmp_path / "bad.egg").write_text("no egg")
    told = cli("eggs", "batch-upload", *place, egg, tmp_path / "bad.egg", "-q")
    assert told.code == 7 and "failed: bad.egg" in told.err


def test_options_of_the_root_are_completed_behind_a_command(cli):
    cli("config", "set", "url", "http://127.0.0.1:1", "--profile", "work")
    assert offered(cli, "eggs list --ur") == ["--url"]
    assert offered(cli, "eggs list --profile wo") == ["work"]
    assert offered(cli, "eggs list acme --profile=wo") == ["work"]
    assert offered(cli, "--profile wo") == ["work"]
    assert offered(cli, "eggs --ti") == ["--timeout"]
    assert "--url" not in offered(cli, "eggs list --")
    assert "--output" in offered(cli, "eggs list --o")


def test_help_says_that_they_are_taken(cli):
    for words in (("eggs",), ("eggs", "list"), ("config", "set")):
        text = " ".join(cli(*words, "--help").out.split())
        assert text.count("Options of hatcher itself (--url, --profile,") == 1
    assert "Options of hatcher itself" not in cli("--help").out
