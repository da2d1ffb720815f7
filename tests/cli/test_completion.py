"""What shells complete: by the protocol with them, and typed into the real ones."""

from __future__ import annotations

import gc
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from hatcher.cli import main
from hatcher.testing import Answer, RequestFault, ScriptedServer, write_egg
from scripts.programs import find

from .conftest import Cli
from .terminals import Terminal

#: The line as far as the cursor, and what Bash divides words at.
_BASH = {"_HATCHER_COMPLETE": "bash_complete", "COMP_WORDBREAKS": " \t\n\"'@><=;|&(:"}


def offered(cli: Cli, line: str) -> list[str]:
    """What Bash is told for the line ``hatcher …``, with the cursor at its end."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in {**_BASH, "COMP_LINE": f"hatcher {line}"}.items():
            patch.setenv(name, value)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            gc.enable()  # a process that answers a shell ends without it
    assert (ended.value.code, err.getvalue()) == (0, "")
    return [item.removeprefix("plain,") for item in out.getvalue().splitlines() if item]


def answers(cli: Cli) -> list[Path]:
    """The files in which answers are kept."""
    return sorted((Path(os.environ["HATCHER_CACHE_DIR"]) / "completion").glob("*"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test has asked is not known to the next; and the machine may be slow."""
    monkeypatch.setenv("HATCHER_COMPLETION_TIMEOUT", "30")
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def full(cli: Cli, tmp_path: Path) -> Cli:
    """A server with something of everything."""
    client = cli.client()
    organization = client.create_organization("acme", "Makers of everything")
    client.create_organization("apex", "Others")
    repository = organization.create_repository("dev", "Builds of the night")
    organization.create_repository("main", "What is sold")
    platform = repository.platform("rh8-x86_64")
    for name, version, build in [("nose", "1.9.0", 1), ("nose", "1.10.0", 2), ("numpy", "2.0", 1)]:
        platform.upload_egg(write_egg(tmp_path, name, version, build))
    team = organization.create_team("builders", "upload_repository")
    organization.create_user("ada@example.com")
    team.add_user("ada@example.com")
    client.create_api_token("nightly")
    return cli


# --- what is known without a server ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("repos", ["repositories"]),
        ("eggs up", ["update-index", "upload"]),
        ("teams mem", ["members"]),
        ("repositories delete --f", ["--force"]),
        ("--output js", ["json", "jsonl"]),
        ("repositories list acme --output=cs", ["csv"]),
        ("completion z", ["zsh"]),
        ("--api-version 0 bun", []),
    ],
)
def test_words_of_its_own(cli, line, expected):
    cli.delenv("HATCHER_URL")
    assert offered(cli, line) == expected


@pytest.mark.parametrize(
    ("line", "kind"), [("eggs upload acme dev rh8-x86_64 no", "file"), ("serve --data ", "dir")]
)
def test_files_are_the_shell_s(cli, line, kind):
    assert [item.partition(",")[0] for item in offered(cli, line)] == [kind]


# --- names that the server knows ------------------------------------------------------------------


_NAMES = {
    "repositories list a": ["acme", "apex"],
    "repositories delete acme ": ["dev", "main"],
    "repositories create acme ": [],
    "eggs list acme dev rh8-x86_": ["rh8-x86_64"],
    "eggs list acme dev rh8-x86_64 cp311": ["cp311"],
    "eggs download acme dev rh8-x86_64 cp311 n": ["nose", "numpy"],
    "eggs delete acme dev rh8-x86_64 cp311 nose 1": ["1.10.0-2", "1.9.0-1"],
    "eggs batch-delete acme dev rh8-x86_64 cp311 nu": ["numpy-2.0-1.egg"],
    "teams metadata acme ": ["builders"],
    "teams create acme ": [],
    "teams members remove acme builders ad": ["ada@example.com"],
    "users delete acme ad": ["ada@example.com"],
    "users delete acme ada@ex": ["@example.com"],  # what Bash puts behind "ada"
    "api-tokens delete ": ["nightly"],
    "--api-version 0 eggs list acme m": ["main"],
}


def test_names(full):
    assert {line: offered(full, line) for line in _NAMES} == _NAMES


def test_an_address_survives_the_dividers_of_bash(full):
    url = os.environ["HATCHER_URL"]
    full.delenv("HATCHER_URL")
    assert offered(full, f"--url {url} repositories list ac") == ["acme"]
    assert offered(full, f"--url={url} repositories list ac") == ["acme"]
    assert offered(full, "repositories list ac") == []


def test_the_protocol_of_click_is_understood(full):
    env = {"COMP_WORDS": "hatcher repositories list ap", "COMP_CWORD": "3"}
    result = full.process(env={"_HATCHER_COMPLETE": "bash_complete", **env})
    assert result == (0, "plain,apex\n", "")
    result = full.process(env={"_HATCHER_COMPLETE": "zsh_complete", **env})
    assert result == (0, "plain\napex\n_\n", "")
    result = full.process(env={"_HATCHER_COMPLETE": "nosuch_complete", **env})
    assert result == (1, "", "")


# --- what is kept ---------------------------------------------------------------------------------


def test_an_answer_is_kept_for_its_user_alone(full):
    assert offered(full, "repositories list a") == ["acme", "apex"]
    (kept,) = answers(full)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert kept.read_text() == "acme\napex\n"

    full.client().create_organization("atom", "New")
    assert offered(full, "repositories list a") == ["acme", "apex"]  # of a moment ago
    assert "atom" in offered(full, "--api-version 0 repositories list a")
    full.setenv("HATCHER_PASSWORD", "wrong")
    full.setenv("HATCHER_USERNAME", "ada@example.com")
    assert offered(full, "repositories list a") == []


def test_an_old_answer_serves_when_the_server_does_not(full):
    assert offered(full, "repositories list a") == ["acme", "apex"]
    age(answers(full), seconds=90)
    full.client().create_organization("atom", "New")
    assert offered(full, "repositories list a") == ["acme", "apex", "atom"]  # asked anew

    age(answers(full), seconds=90)
    full.server.stop()
    assert offered(full, "repositories list a") == ["acme", "apex", "atom"]


def test_very_old_answers_are_cleared_away(full):
    offered(full, "repositories list a")
    age(answers(full), seconds=30 * 24 * 3600)
    offered(full, "eggs list acme ")
    assert [path.read_text() for path in answers(full)] == ["dev\nmain\n"]


def test_no_cache_is_no_obstacle(full, tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    assert offered(full, "repositories list a") == ["acme", "apex"]
    full.setenv("HATCHER_CACHE_DIR", "")
    assert offered(full, "repositories list a") == ["acme", "apex"]


def test_a_name_that_would_steer_the_terminal_is_not_offered(cli):
    body = b'{"organizations": ["\\u001b[2Jacme", "line\\nline", "good"]}'
    with ScriptedServer(Answer(200, {"Content-Type": "application/json"}, body)) as server:
        cli.setenv("HATCHER_URL", server.url)
        cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
        assert offered(cli, "repositories list ") == ["good"]


def age(paths: list[Path], seconds: float) -> None:
    then = time.time() - seconds
    for path in paths:
        os.utime(path, (then, then))


# --- silence --------------------------------------------------------------------------------------


def test_a_server_that_is_down(cli):
    cli.server.stop()
    assert offered(cli, "repositories list a") == []


def test_a_wrong_password_is_tried_once(full, faulty_gateway):
    gateway = faulty_gateway()
    full.setenv("HATCHER_URL", gateway.url)
    full.setenv("HATCHER_PASSWORD", "wrong")
    assert offered(full, "repositories list a") == []
    tried = len(gateway.requests)
    assert tried > 0
    assert offered(full, "repositories list a") == []
    assert offered(full, "eggs list acme ") == []
    assert len(gateway.requests) == tried


def test_a_server_that_says_nothing(full, faulty_gateway):
    gateway = faulty_gateway(RequestFault("stall", at="answer", path="*/organizations", times=9))
    full.delenv("HATCHER_COMPLETION_TIMEOUT")
    full.setenv("HATCHER_URL", gateway.url)
    assert offered(full, "repositories list a") == []
    # It is left alone for a while.
    assert offered(full, "repositories list a") == []
    assert [p.path for p in gateway.requests].count("/api/v1/json/admin/organizations") == 1


def test_a_mistyped_name_does_not_silence_the_rest(full):
    assert offered(full, "repositories delete acne ") == []
    assert offered(full, "repositories delete acme ") == ["dev", "main"]


@pytest.mark.parametrize(
    "line",
    [
        "--username ada@example.com --password-stdin repositories list a",
        "--token-stdin repositories list a",
        "--username somebody repositories list a",
        "--url http://[ repositories list a",
        "--profile missing repositories list a",
        "--command-tree repositories list a",
        "--version repositories list a",
        "--api-version 7 eggs list '",
    ],
)
def test_nothing_is_asked_and_nothing_told(full, line):
    full.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    assert offered(full, line) == []


def test_a_file_of_settings_that_is_broken(full, tmp_path):
    (tmp_path / "broken.toml").write_text("[profiles")
    full.setenv("HATCHER_CONFIG", tmp_path / "broken.toml")
    assert offered(full, "repositories list a") == []


def test_profiles(full, tmp_path):
    url = os.environ["HATCHER_URL"]
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.work]\nurl = "{url}"\n[profiles.home]\nurl = "{url}"\n')
    full.setenv("HATCHER_CONFIG", config)
    full.delenv("HATCHER_URL")
    assert offered(full, "--profile ") == ["home", "work"]
    assert offered(full, "--profile work repositories list ap") == ["apex"]


# --- the shells -----------------------------------------------------------------------------------

_START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}

#: How each learns of the commands, and shows the words that a completed line is made of.
_PREPARE = {
    "bash": """eval "$(hatcher completion bash)"; hatcher() { printf '<%s>' "$@"; echo; }""",
    "zsh": "autoload -U compinit && compinit -u -D; "
    """eval "$(hatcher completion zsh)"; hatcher() { printf '<%s>' "$@"; echo; }""",
    "fish": "hatcher completion fish | source; function hatcher; printf '<%s>' $argv; echo; end",
}


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(
    request: pytest.FixtureRequest, full: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """A shell that has learnt the commands."""
    name = request.param
    if find(name) is None:
        pytest.skip(f"{name} is not installed")
    command = tmp_path / "bin" / "hatcher"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m hatcher "$@"\n')
    command.chmod(0o755)
    full.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    full.setenv("TERM", "xterm")
    with Terminal(_START[name], columns=500) as terminal:
        terminal.type(_PREPARE[name] + "\n")
        terminal.type("echo rea'dy'\n")
        terminal.wait_for("ready")
        yield terminal


#: What is typed, and the words of the line that comes of it.
_TYPED = [
    ("hatcher organ\tlis\t", "<organizations><list>"),
    ("hatcher repositories list ap\t", "<repositories><list><apex>"),
    (
        "hatcher eggs download acme d\trh8-x86_\tcp311 no\t1.10\t",
        "<eggs><download><acme><dev><rh8-x86_64><cp311><nose><1.10.0-2>",
    ),
    (
        "hatcher --output=jsonl repositories list --output=cs\tap\t",
        "<--output=jsonl><repositories><list><--output=csv><apex>",
    ),
    ("hatcher users delete acme ada@ex\t", "<users><delete><acme><ada@example.com>"),
    ("hatcher --url URL repositories list ap\t", "<--url><URL><repositories><list><apex>"),
    (
        "hatcher eggs upload acme dev rh8-x86_64 some-f\t",
        "<eggs><upload><acme><dev><rh8-x86_64><some-file.egg>",
    ),
]


@pytest.mark.programs
def test_typed_into_a_shell(shell):
    Path("some-file.egg").touch()
    url = os.environ["HATCHER_URL"]
    for typed, words in _TYPED:
        for part in re.split("(?<=\t)", typed.replace("URL", url)):
            shell.type(part)
        shell.type("\n")
        shell.wait_for(words.replace("URL", url))


@pytest.mark.programs
@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_scripts_say_how_to_keep_them(cli, name):
    result = cli.process("completion", name)
    assert (result.code, result.err) == (0, "")
    assert sum("To keep it" in line for line in result.out.splitlines()) == 1
    cli.setenv("SHELL", f"/usr/bin/{name}")
    assert cli.process("completion") == result
    if find(name) is None:
        pytest.skip(f"{name} is not installed")
    checked = subprocess.run([name, "-n"], input=result.out, text=True, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_shell_that_is_not_known(cli):
    cli.setenv("SHELL", "/bin/sh")
    cli.fails(2, "bash, zsh, fish", "completion")
