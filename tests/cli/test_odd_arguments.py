"""Arguments, variables and files that nobody gives on purpose: a sentence or two, and an exit code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hatcher.testing import write_app, write_egg

from .conftest import Cli, Result
from .test_hostile_server import assert_harmless

ODD = {
    "bytes": "caf\udce9",
    "NUL": "a\0b",
    "nothing": "",
    "a line end": "a\nb",
    "a dash": "-x",
    "infinite": "1e999",
    "not a number": "nan",
    "digits": "9" * 5000,
    "a large number": "99999999999999999999",
    "long": "x" * 100_000,
    "up": "..",
    "slashes": "a/b/c/d",
    "percent": "%00%2f",
    "turned around": "a\u202eb",
    "a mark": "\ufeff",
}

#: What each of them stands in for, once: of each kind of argument and option one.
COMMANDS = [
    ("repositories", "list", "{}"),
    ("repositories", "create", "acme", "{}", "Builds", "--dry-run"),
    ("organizations", "create", "acme", "{}"),
    ("teams", "create", "acme", "{}", "{}"),
    ("eggs", "list", "acme", "dev", "{}", "{}"),
    ("eggs", "metadata", "acme", "dev", "rh8-x86_64", "cp311", "{}", "{}"),
    ("eggs", "upload", "acme", "dev", "rh8-x86_64", "{}"),
    ("eggs", "batch-upload", "acme", "dev", "rh8-x86_64", "{}"),
    ("eggs", "batch-download", "acme", "dev", "rh8-x86_64", "cp311", "--concurrency={}"),
    ("cache", "prune", "--limit={}", "--dry-run"),
    ("mirror", "plan", "{}", "./folder"),
    ("mirror", "apply", "acme/dev", "./folder", "-p", "rh8-x86_64", "--max-deletes={}", "-n"),
    ("promote", "egg", "acme", "dev", "rh8-x86_64", "cp311", "a", "1-1", "--to={}"),
    ("config", "set", "url", "{}"),
    ("config", "set", "ca_file", "{}"),
    ("config", "use", "{}"),
    ("login", "{}", "--insecure-storage"),
    ("--url={}", "platforms", "list"),
    ("--username={}", "--password=x", "platforms", "list"),
    ("--password={}", "platforms", "list"),
    ("--token={}", "platforms", "list"),
    ("--profile={}", "platforms", "list"),
    ("--ca-file={}", "platforms", "list"),
    ("--output={}", "platforms", "list"),
    ("schema", "{}"),
    ("{}",),
]


def assert_told(result: Result) -> None:
    assert 0 <= result.code <= 8
    assert_harmless(result)
    assert result.code in (0, 7) or 1 <= len(result.told) <= 3


@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
@pytest.mark.sampled(5)
def test_in_every_place(cli, dev, odd):
    for command in COMMANDS:
        assert_told(cli(*(word.replace("{}", odd) for word in command)))


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("repositories", "list", "\udcff"), "'ORGANIZATION'"),
        (("teams", "create", "acme", "a", "\udcff"), "'GROUP'"),
        (("--username", "\udcff", "platforms", "list"), "'--username'"),
        (("--password", "s3cr3t\udcff", "platforms", "list"), "'--password'"),
        (("login", "\udcff"), "URL"),
        (("login", "--token-name", "\udcff"), "'--token-name'"),
        (("platforms", "list\0"), "Argument 2"),
    ],
)
def test_what_is_no_text_is_named_and_not_shown(cli, command, named):
    result = cli(*command)
    assert result.code == 2 and named in result.err
    assert "s3cr3t" not in result.err and "udcff" not in result.err


@pytest.mark.parametrize(
    "name", ["URL", "USERNAME", "PASSWORD", "TOKEN", "PROFILE", "CONFIG", "CACHE_DIR", "OUTPUT"]
)
def test_variables_that_are_no_text(cli, name):
    result = cli.process("platforms", "list", env={f"HATCHER_{name}": "\udcff/x"})
    # Paths may be called so.
    assert result.code == (0 if name in {"CONFIG", "CACHE_DIR"} else 2), result.err
    assert_harmless(result)


# -- secrets --------------------------------------------------------------------------------


def through_a_pipe(cli: Cli, data: bytes, *options: str, **variables: str) -> int:
    cli.delenv("HATCHER_PASSWORD")
    done = cli.process(*options, "platforms", "list", input=data, env=variables)
    for word in ("Traceback", "fault of its own", "3cr3t"):
        assert word not in done.err
    return done.code


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("after", [b"", b"\n", b"\r\n", b"\r\nmore\r\n"])
def test_marks_and_line_ends_around_a_password(cli, before, after):
    data = before + cli.server.admin_password.encode() + after
    assert through_a_pipe(cli, data, "--password-stdin") == 0


@pytest.mark.parametrize("encoding", ["ascii", "ascii:surrogateescape", "cp1252", "utf-8"])
def test_a_mark_in_another_encoding(cli, encoding):
    data = b"\xef\xbb\xbf" + cli.server.admin_password.encode()
    code = through_a_pipe(cli, data, "--password-stdin", PYTHONIOENCODING=encoding)
    assert code == (2 if encoding == "ascii" else 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8:surrogateescape", "ascii:surrogateescape"])
@pytest.mark.parametrize("data", [b"s\xff3cr3t\n", b"s\xed\xa0\x803cr3t\n", b"\xff\xfes\x003\x00"])
@pytest.mark.parametrize("options", [("--password-stdin",), ("--token-stdin",), ("-U", "ada")])
def test_secrets_that_are_no_text(cli, data, encoding, options):
    if options == ("--token-stdin",):
        cli.delenv("HATCHER_USERNAME")
    assert through_a_pipe(cli, data, *options, PYTHONIOENCODING=encoding) == 2


def test_a_token_with_a_mark_before_it(cli):
    token = cli.client().create_api_token("mine")["token"]
    cli.delenv("HATCHER_USERNAME")
    data = b"\xef\xbb\xbf" + token.encode() + b"\r\n"
    assert through_a_pipe(cli, data, "--token-stdin") == 0


def test_files_with_a_mark_before_them(cli):
    log_in = ("login", cli.server.url, "--insecure-storage")
    assert cli(*log_in).code == 0
    cli.delenv("HATCHER_URL", "HATCHER_USERNAME", "HATCHER_PASSWORD")
    folder = Path(cli("config", "path").out.strip()).parent
    for name in ("config.toml", "credentials.json"):
        path = folder / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert cli("whoami").code == 0
    assert cli("config", "set", "output", "csv").code == 0
    assert cli("logout").code == 0


@pytest.mark.parametrize("text", [b"\xff", b"[" * 100_000, b"1" * 5000, b'{"a": "\\ud800"}'])
def test_a_file_of_credentials_that_nobody_can_read(cli, text):
    assert cli("login", cli.server.url, "--insecure-storage").code == 0
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    (Path(cli("config", "path").out.strip()).parent / "credentials.json").write_bytes(text)
    for command in ("whoami", "logout"):
        result = cli(command)
        assert result.code == 1
        assert_told(result)


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "1" * 5000, "a: 2001-99-99", "? []", "\0"])
def test_another_program_s_file_that_breaks_its_reader(cli, text):
    (cli.home / ".edm.yaml").write_text(text)
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    assert_told(cli("platforms", "list"))


# -- files ----------------------------------------------------------------------------------


def test_a_list_of_files_with_a_mark_before_it(cli, dev, tmp_path):
    listed = b"\xef\xbb\xbf" + os.fsencode(write_egg(tmp_path)) + b"\r\n"
    for data, code in ((listed, 0), (b"a\0b\n", 7), (b"\xff.egg\n", 7)):
        done = cli.process("eggs", "batch-upload", "acme", "dev", "rh8-x86_64", "-", input=data)
        assert done.code == code and "fault of its own" not in done.err, done


@pytest.mark.parametrize("odd", ["\udce9", "\u202e", "\x1b[31m", "a\nb", "\u200b"])
def test_names_of_files_that_no_server_takes(cli, dev, tmp_path, odd):
    app = write_app(tmp_path)
    named = app.rename(app.with_name(f"viewer{odd}.yaml"))
    other = write_app(tmp_path, "com.example.other")
    assert_told(cli("apps", "upload", "acme", "dev", named))
    # It does not keep the others from being sent.
    result = cli("apps", "batch-upload", "acme", "dev", named, other, "-o", "json")
    assert result.code == 7
    assert_harmless(result)
    assert '"uploaded"' in result.out
