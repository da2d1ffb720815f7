"""A server whose every word would steer a terminal: nothing of it gets there raw."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from hatcher.api import ProgressBar
from hatcher.characters import all_show
from hatcher.cli import names
from hatcher.cli.data import FORMATS, Document, Emit, Field, Listing
from hatcher.testing import Answer, BroodServer, Request, ScriptedServer

from .conftest import Cli, Result, command_line
from .terminals import STEERING, watched
from .test_schemas import READING, furniture, known, world  # noqa: F401

#: Escapes of terminals of 7 and 8 bits, lines, what turns text around, what has no width.
EVIL = (
    "\x1b]0;x\x07\x9b2J\r\n\t\x7f\x00\x85\u2028\u202e\u2066\u200b\u200d\ufeff\u115f\ufe0f\U000e0041"
)

#: Beside the table for people, the names alone.
SHOWN = [*FORMATS, None]


def assert_harmless(result: Result) -> None:
    for character in result.out + result.err:
        is_blank = character == "\n" or unicodedata.category(character) == "Zs"
        assert is_blank or all_show(character), repr(result)
    assert "fault of its own" not in result.err and "Traceback" not in result.err


def spoiled(value: Any) -> Any:
    """JSON with the same shape, in which every text is evil."""
    if isinstance(value, dict):
        evil = {key: spoiled(inner) for key, inner in value.items()}
        # One more of the same kind, as an index may have.
        return evil | {f"x{EVIL}": inner for inner in list(evil.values())[:1]}
    if isinstance(value, list):
        return [spoiled(inner) for inner in value]
    return f"[red]{value}{EVIL}" if isinstance(value, str) else value


@pytest.fixture(scope="module")
def hostile(world: BroodServer) -> Iterator[ScriptedServer]:  # noqa: F811
    """It stands before a real one, and spoils the data that it gives."""

    def answer(request: Request) -> Answer:
        parts = urlsplit(world.url)
        connection = HTTPConnection(parts.hostname or "", parts.port)
        try:
            headers = {**request.headers, "accept-encoding": "identity"}
            connection.request(request.method, request.target, request.body, headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        kind = response.headers.get_content_type()
        if kind == "application/json" and "/auth/tokens/auth" not in request.target:
            body = json.dumps(spoiled(json.loads(body))).encode()
        return Answer(response.status, {"Content-Type": kind}, body)

    with ScriptedServer(answer) as server:
        yield server


@pytest.fixture
def cli(world: BroodServer, tmp_path: Path) -> Iterator[Cli]:  # noqa: F811
    with command_line(world, tmp_path) as made:
        yield made


#: What has nothing to show of such a server: it refuses its data.
REFUSED = {
    "bundles check", "bundles check-file", "eggs batch-download", "export", "mirror plan",
    "bundles batch-download", "runtimes batch-download", "eggs download", "runtimes download",
    "mirror manifest", "mirror verify", "repositories metadata", "access export", "access plan",
    "access show", "diff", "du", "search", "users list",
}  # fmt: skip

#: What says yes or no, and no word of the server's.
OF_NO_WORDS = {"eggs why", "teams members query", "teams repositories query"}

#: What asks no server.
LOCAL = {"cache show", "config get", "config list", "config path", "schema"}


@pytest.mark.parametrize("name", sorted(READING.keys() - LOCAL))
@pytest.mark.sampled(3)
def test_each_command_in_each_format(
    cli,
    hostile,
    known,  # noqa: F811
    name,
):
    for chosen in SHOWN:
        options = () if chosen is None else ("-o", chosen)
        asked = shlex.split(READING[name].format_map(known))
        result = cli("--url", hostile.url, *name.split(), *asked, *options)
        assert_harmless(result)
        if name in REFUSED:
            continue
        assert (result.code, result.err) == (0, "")
        if chosen in {"json", "jsonl"} and name not in OF_NO_WORDS:
            told = (
                [json.loads(line) for line in result.out.splitlines()] if chosen == "jsonl" else 0
            )
            assert EVIL in str_of(told or json.loads(result.out))


def str_of(value: object) -> str:
    """All texts of some JSON."""
    if isinstance(value, dict):
        return "".join(map(str_of, [*value.keys(), *value.values()]))
    return "".join(map(str_of, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 429, 500, 503])
@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_errors(cli, status, debug):
    words = json.dumps({"error": f"[red]No.{EVIL}"}).encode()
    answer = Answer(status, {"Content-Type": "application/json", "Retry-After": "0"}, words)
    for command in (("eggs", "list", "a", "b", "rh8-x86_64", "cp311"), ("platforms", "list")):
        result = cli.answered(answer, *debug, *command)
        assert result.code != 0
        if debug:
            result = result._replace(err=result.err.replace("Traceback", ""))
        assert_harmless(result)
        assert debug or "[red]" in result.err or status == 401


@pytest.mark.parametrize("body", [b'["\\ud800"]', b'{"platforms": ["\\ud800"]}', b'"\xff"'])
@pytest.mark.parametrize("chosen", SHOWN)
def test_half_characters(cli, body, chosen):
    options = () if chosen is None else ("-o", chosen)
    for command in (("platforms", "list"), ("organizations", "list")):
        answer = Answer(200, {"Content-Type": "application/json"}, body)
        assert_harmless(cli.answered(answer, *command, *options))


def test_in_a_terminal(cli, hostile):
    for command in (("teams", "list", "acme"), ("platforms", "list"), ("api-tokens", "list")):
        screen = watched(cli.command("--url", hostile.url, *command)).screen
        text = STEERING.sub("", screen).replace("\r\n", "\n")
        assert_harmless(Result(0, text, ""))
        assert "[red]" in text


def test_questions_and_rehearsals(cli):
    for command in (
        ("repositories", "delete", "acme", f"a\u202e{EVIL.replace(chr(0), '')}"),
        ("repositories", "create", "acme", "a\u202e", "b\u202e", "--dry-run"),
        ("organizations", "create", "a\u202e\u200b", "b", "--dry-run"),
        ("no such \x1b[31m\u202ecommand",),
        ("--no-such-\x1b[31m\u202eoption",),
        ("eggs", "upload", "acme", "dev", "rh8-x86_64", "\x1b[31m\u202e.egg"),
        ("eggs", "batch-upload", "acme", "dev", "rh8-x86_64", "\x1b[31m\u202e"),
        ("--profile", "\x1b[31m\u202e", "whoami"),
        ("config", "set", "url", "\x1b[31m\u202e"),
        ("mirror", "verify", "./\x1b[31m\u202e"),
    ):
        assert_harmless(cli(*command))


# -- spreadsheets ---------------------------------------------------------------------------

ROW = Listing((Field("text", "Text"), Field("number", "Number", "number")))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1+1", "' =1+1"),
        ("\t=1+1", "\\t=1+1"),
        ("\r=1+1", "\\r=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("1=1", "1=1"),
        ("a,b", "a,b"),
        ("'", "'"),
    ],
)
def test_no_cell_is_a_formula(capsys, text, cell):
    Emit(ROW, "csv")([{"text": text, "number": -1}, {"text": None, "number": -1.5}])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["text", "number"], [cell, "-1"], ["", "-1.5"]]
    Emit(Document(), "csv")({text: text})
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [[cell], [cell]]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict", "utf-8:strict"])
def test_no_encoding_is_too_small(cli, hostile, encoding):
    for locale in ("C", "en_US.ISO-8859-1"):
        environment = {"PYTHONIOENCODING": encoding, "LC_ALL": locale, "PYTHONUTF8": "0"}
        for command in (
            ("api-tokens", "list"),
            ("api-tokens", "list", "-o", "csv"),
            ("teams", "metadata", "acme", "nöne"),
            ("repositories", "delete", "acme", "nöne"),
            ("--help",),
        ):
            result = cli.process("--url", hostile.url, *command, env=environment)
            assert_harmless(result)
            assert "UnicodeEncodeError" not in result.err


def test_a_progress_bar():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=500)
    with ProgressBar(f"[red]{EVIL}", console=console) as bar:
        bar(1, 2, "uploading")
    shown = STEERING.sub("", screen.getvalue()).replace("\r", "")
    assert_harmless(Result(0, shown, ""))
    assert "[red]" in shown


def test_what_a_shell_is_offered(tmp_path, monkeypatch):
    rows = [("a\u202e",), ("a\u200b",), (f"a{EVIL}",), ("", "b"), ("fine",)]
    for _ in range(2):  # the second time from what is kept
        assert names.find(tmp_path / "kept", ["me"], ["what"], lambda: rows) == [("fine",)]
    monkeypatch.chdir(tmp_path)
    for name in ("a\u202e.zip", "a\nb.zip", "a\udcff.zip", "a.zip"):
        (tmp_path / name).touch()
    monkeypatch.setenv("HATCHER_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("_HATCHER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_LINE", "hatcher mirror verify a")
    command = [sys.executable, "-m", "hatcher"]
    offered = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert offered.stdout == "plain,a.zip\n"
