"""Where settings come from: options before the environment before the profile."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from hatcher.cli.refusals import Refusal
from hatcher.cli.root import VARIABLES, hatcher
from hatcher.cli.settings.keeping import Credential
from hatcher.cli.settings.levels import Settings, settings_of
from hatcher.testing.faults import Answer, ScriptedServer

from .conftest import Cli

SECRET = "kept-under-the-rose"


def settings(*options: str) -> Settings:
    """The settings that commands get with these options."""
    with hatcher.make_context("hatcher", [*options, "whoami"], auto_envvar_prefix=VARIABLES) as ctx:
        return settings_of(ctx)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with no settings at all."""
    for name in [name for name in os.environ if name.startswith("HATCHER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HATCHER_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path


@pytest.fixture
def profile(home: Path) -> Path:
    """A home with a profile that says everything."""
    (home / "authority.pem").touch()
    (home / "config.toml").write_text(
        """
        default_profile = "work"

        [profiles.work]
        url = "https://work.example.com/brood"
        username = "ada@example.com"
        api_version = 0
        ca_file = "authority.pem"
        output = "json"

        [profiles.home]
        url = "home.example.com"
        insecure = true
        """
    )
    return home


@pytest.fixture
def elsewhere() -> Iterator[ScriptedServer]:
    """A server that nobody has meant: it accepts nobody, and remembers what it was told."""
    with ScriptedServer(Answer(401, {"Content-Type": "application/json"}, b"{}")) as server:
        yield server


# -- which server ---------------------------------------------------------------------------


def test_nothing_is_said(home):
    assert settings() == Settings(None, None, None, None, True, 1)


def test_option_then_environment_then_profile(profile, monkeypatch):
    assert settings().url == "https://work.example.com/brood"
    assert settings("--profile", "home").url == "home.example.com"
    monkeypatch.setenv("HATCHER_PROFILE", "home")
    assert settings().url == "home.example.com"
    assert settings("--profile", "work").url == "https://work.example.com/brood"
    monkeypatch.setenv("HATCHER_URL", "https://variable.example.com")
    assert settings("--profile", "work").url == "https://variable.example.com"
    assert settings("--url", "https://option.example.com").url == "https://option.example.com"


def test_nothing_of_a_profile_is_for_another_server(profile):
    other = settings("--url", "https://other.example.com")
    assert (other.username, other.verify_ssl, other.profile) == (None, True, None)
    assert settings("--profile", "home", "--url", "other.example.com").verify_ssl is True


@pytest.mark.parametrize(
    "url", ["http://work.example.com/brood", "https://work.example.com", "work.example.com:444"]
)
def test_another_scheme_port_or_prefix_is_another_server(profile, url):
    assert settings("--url", url).profile is None


def test_the_same_server_written_in_another_way(profile):
    same = settings("--url", "WORK.example.com:443/brood/")
    assert same.username == "ada@example.com"


def test_no_such_profile(profile):
    with pytest.raises(Refusal, match="'wrok'") as caught:
        settings("--profile", "wrok")
    assert caught.value.hint.startswith("Did you mean 'work'?")


# -- certificates ---------------------------------------------------------------------------


def test_certificates(profile, monkeypatch):
    authority = str(profile / "authority.pem")
    assert settings().verify_ssl == authority
    assert settings("--profile", "home").verify_ssl is False
    assert settings("--insecure").verify_ssl is False
    assert settings("--profile", "home", "--ca-file", authority).verify_ssl == authority
    monkeypatch.setenv("HATCHER_INSECURE", "1")
    assert settings().verify_ssl is False
    assert settings("--ca-file", authority).verify_ssl == authority
    monkeypatch.setenv("HATCHER_INSECURE", "0")
    assert settings("--profile", "home").verify_ssl is True
    monkeypatch.setenv("HATCHER_CA_FILE", authority)
    assert settings("--profile", "home").verify_ssl == authority


def test_certificates_cannot_be_both(profile):
    with pytest.raises(click.UsageError, match="not both"):
        settings("--insecure", "--ca-file", str(profile / "authority.pem"))


def test_the_authority_of_a_profile_is_missing(profile):
    (profile / "authority.pem").unlink()
    with pytest.raises(Refusal, match=r"ca_file.*authority.pem"):
        settings()


# -- who asks -------------------------------------------------------------------------------


def who(*options: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Who asks, and who said so."""
    found = settings("--url", "https://work.example.com/brood", *options)
    return found.username, found.password, found.token, found.named_by


def test_the_highest_level_wins_as_a_whole(profile, monkeypatch):
    assert who() == ("ada@example.com", None, None, "profile")
    monkeypatch.setenv("HATCHER_TOKEN", "a-token")
    assert who() == (None, None, "a-token", "environment")
    monkeypatch.setenv("HATCHER_USERNAME", "eve")
    monkeypatch.setenv("HATCHER_PASSWORD", SECRET)
    # In a level, a user name comes before a token, as in the existing command line.
    assert who() == ("eve", SECRET, None, "environment")
    assert who("--token", "another") == (None, None, "another", "options")
    assert who("-U", "bob", "-p", "bobs") == ("bob", "bobs", None, "options")
    assert who("-U", "bob", "-p", "bobs", "-t", "another") == ("bob", "bobs", None, "options")


def test_a_user_name_and_its_password_may_be_apart(home, monkeypatch):
    monkeypatch.setenv("HATCHER_PASSWORD", SECRET)
    assert who("-U", "ada") == ("ada", SECRET, None, "options")
    monkeypatch.setenv("HATCHER_USERNAME", "ada")
    assert who("-U", "ada") == ("ada", SECRET, None, "options")
    assert who("-p", "typed") == ("ada", "typed", None, "options")
    # It is the password of another user, and is not sent as that of this one.
    assert who("-U", "bob") == ("bob", None, None, "options")


def test_a_password_for_the_user_of_the_profile(profile):
    assert who("-p", "typed") == ("ada@example.com", "typed", None, "options")


def test_a_password_without_a_user(home):
    with pytest.raises(click.UsageError, match="no user name"):
        settings("--password", SECRET)


@pytest.mark.parametrize(
    "options",
    [
        ("--password", SECRET, "--password-stdin", "-U", "ada"),
        ("--token", SECRET, "--token-stdin"),
        ("--token-stdin", "--password-stdin", "-U", "ada"),
    ],
)
def test_one_secret_is_enough(home, options):
    with pytest.raises(click.UsageError, match="not both"):
        settings(*options)


def test_no_repr_shows_a_secret(home):
    assert SECRET not in repr(settings("-U", "ada", "-p", SECRET))
    assert SECRET not in repr(settings("-t", SECRET))
    assert SECRET not in repr(Credential("password", SECRET, "ada"))


def test_an_authority_of_ones_own(cli, https):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    cli.setenv("HATCHER_URL", https.url)
    command = ("platforms", "list")
    assert cli(*command).code == 6
    assert cli("--insecure", *command).code == 0
    assert cli("--ca-file", https.pem, *command).code == 0
    assert cli("--ca-file", cli.home / "missing.pem", *command).code == 2
    assert cli("config", "set", "url", https.url).code == 0
    assert cli("config", "set", "ca_file", https.pem).code == 0
    assert cli(*command).code == 0
    cli.setenv("HATCHER_CA_FILE", https.pem)
    cli.setenv("HATCHER_PROFILE", "")
    assert cli(*command).code == 0


# -- from the command line to the server ----------------------------------------------------


def test_a_password_through_a_pipe(cli):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    piped = f"{cli.server.admin_password}\n"
    asked = ("-U", cli.server.admin_email, "organizations", "list")
    assert cli(*asked, input=piped).code == 0
    assert cli("--password-stdin", *asked, input=piped).code == 0
    assert cli.process(*asked, input=piped).code == 0
    assert cli("--password-stdin", *asked, input="wrong\n").code == 3


def test_a_token_through_a_pipe(cli):
    token = cli.client().create_api_token("pipe")["token"]
    result = cli("--token-stdin", "whoami", "-o", "json", input=f"{token}\n")
    assert (result.code, result.data["credential"]) == (0, "token from standard input")
    assert token not in result.out + result.err


@pytest.mark.parametrize("options", [("-U", "ada"), ("-U", "ada", "--password-stdin")])
def test_no_password_and_nobody_to_ask(cli, elsewhere, options):
    cli.delenv("HATCHER_PASSWORD")
    result = cli("--url", elsewhere.url, *options, "platforms", "list")
    assert result.code in (2, 3)
    assert len(result.err.splitlines()) == 2 and "HATCHER_PASSWORD" in result.err
    assert not elsewhere.requests


def test_no_standard_input_at_all(cli):
    cli.delenv("HATCHER_PASSWORD")
    command = [*cli.command("-U", "ada", "platforms", "list")]
    closed = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command]
    done = subprocess.run(closed, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3 and "no password for ada" in done.stderr


def test_a_profile_takes_no_line_of_standard_input(cli):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    cli("config", "set", "url", cli.server.url)
    cli("config", "set", "username", cli.server.admin_email)
    cli.fails(3, "no password", "platforms", "list", input=f"{cli.server.admin_password}\n")
    assert (
        cli("--password-stdin", "platforms", "list", input=f"{cli.server.admin_password}\n").code
        == 0
    )


@pytest.mark.parametrize(
    ("options", "word"), [(("-U", "ada", "-p", SECRET), "password"), (("-t", SECRET), "token")]
)
def test_secrets_as_arguments_are_warned_of(cli, options, word):
    result = cli(*options, "platforms", "list")
    warning, *rest = result.err.splitlines()
    assert warning.startswith(f"Warning: a {word} on the command line")
    assert result.code == 3 and SECRET not in result.err + result.out
    assert not any(line.startswith("Warning") for line in rest)


def test_secrets_in_the_environment_are_not_warned_of(cli):
    assert cli("platforms", "list").err == ""


def test_no_server(cli):
    cli.delenv("HATCHER_URL")
    result = cli("platforms", "list")
    assert result.code == 2
    assert result.err.splitlines()[1].startswith("Give --url, set HATCHER_URL")


def test_a_user_in_the_url(cli):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    user = f"{cli.server.admin_email.replace('@', '%40')}:{cli.server.admin_password}"
    result = cli("-u", cli.server.url.replace("://", f"://{user}@"), "whoami", "-o", "json")
    assert (result.code, result.data["credential"]) == (0, "password from the URL")
    assert result.data["url"] == cli.server.url
    assert cli.server.admin_password not in result.out + result.err


def test_output_and_api_version_of_a_profile(cli):
    for key, value in {"url": cli.server.url, "output": "json", "api_version": "0"}.items():
        assert cli("config", "set", key, value).code == 0
    assert cli("organizations", "list").out == "[]\n"
    assert cli("--output", "csv", "organizations", "list").out == "name\n"
    assert cli("organizations", "list", "-o", "csv").out == "name\n"
    cli.setenv("HATCHER_OUTPUT", "csv")
    assert cli("organizations", "list").out == "name\n"
    cli.fails(2, "needs version 1", "bundles", "list", "acme", "dev", "rh8-x86_64")
    assert cli("whoami", "-o", "json").data["api_version"] == 0
    cli.setenv("HATCHER_API_VERSION", "1")
    assert cli("whoami", "-o", "json").data["api_version"] == 1
    assert cli("--api-version", "0", "whoami", "-o", "json").data["api_version"] == 0


# -- EDM ------------------------------------------------------------------------------------


@pytest.fixture
def edm(cli: Cli) -> SimpleNamespace:
    """A home with EDM's file, and nobody named otherwise."""
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    token = cli.client().create_api_token("edm")["token"]
    path = cli.home / ".edm.yaml"
    path.write_text(f"store_url: {cli.server.url}\nauthentication:\n  api_token: {token}\n")
    return SimpleNamespace(path=path, token=token)


def test_the_token_of_edm(cli, edm):
    result = cli("whoami", "-o", "json")
    assert (result.code, result.data["credential"]) == (0, "token from ~/.edm.yaml")
    cli.setenv("HATCHER_TOKEN", "wrong")
    result = cli("whoami", "-o", "json")
    assert (result.code, json.loads(result.out)["credential"]) == (3, "token from the environment")


def test_the_token_of_edm_is_for_its_store_alone(cli, edm, elsewhere):
    assert cli("--url", elsewhere.url, "whoami").code == 3
    edm.path.write_text(f"authentication:\n  api_token: {edm.token}\n")  # the public store's
    assert cli("--url", elsewhere.url, "whoami").code == 3
    assert elsewhere.requests
    assert not any("authorization" in request.headers for request in elsewhere.requests)


def test_the_server_of_edm(cli, edm, elsewhere):
    """It is the server where none is named, and its token goes nowhere else."""
    cli.delenv("HATCHER_URL")
    told = cli("whoami", "-o", "json").data
    assert (told["url"], told["credential"]) == (cli.server.url, "token from ~/.edm.yaml")
    listing = ("organizations", "list")
    assert cli(*listing).code == 0
    # With the name and password of another in its URL, which are not used; or without a token.
    spelt = cli.server.url.replace("://", "://eve:hunter2@")
    edm.path.write_text(f"store_url: {spelt}/\nauthentication: {{api_token: {edm.token}}}\n")
    assert cli("whoami", "-o", "json").data == told
    edm.path.write_text(f"store_url: {spelt}\n")
    assert cli(*listing).code == 3
    assert cli("--token-stdin", *listing, input=f"{edm.token}\n").code == 0
    # Who names a server does not want that one.
    edm.path.write_text(
        f"store_url: {cli.server.url}\nauthentication: {{api_token: {edm.token}}}\n"
    )
    assert cli("config", "set", "--profile", "own", "url", elsewhere.url).code == 0
    for named in (("--url", elsewhere.url), ("--profile", "own")):
        assert cli(*named, *listing).code == 3
    assert not any("authorization" in request.headers for request in elsewhere.requests)


#: Files of EDM, and what is told of them where no server is named.
ODD_FILES = {
    **{
        f"authentication: {{api_token: {token}}}": "its api_token is no token"
        for token in (
            *("12345", "[hunter2]", "true", "2001-01-01", "!!binary aHVudGVyMg==", "' '"),
            *("hunter2 hunter3", '"hunter2\\nhunter3"', '"hunter2\\ud800"', "h\u00fcnter2"),
            "hunter2" * 20_000,
        )
    },
    "a: [": "line 1 is no YAML",
    "- a\n- b": "it holds no settings",
    "just text": "it holds no settings",
    "store_url: 7": "its store_url is no text",
    "store_url: [https://a.example]": "its store_url is no text",
    "store_url: ' '": "The server's URL is empty",
    "store_url: ftp://a.example": "its scheme is 'ftp'",
    "store_url: https://ada:hunter2@": "it has no host",
    "store_url: https://ada:hunter2@a.example/?token=hunter2": "has a query",
    'store_url: "https://a.ex\\nample"': "a line break",
    'store_url: "https://\\ud800.example"': "invalid Unicode",
    "store_url: https://a.example:port": "its port",
    "\udcff": "codec can't decode",
    "\0": "no YAML",
    f"store_url: https://{'a' * 100_000}.example": "'https://aaaa",
}


@pytest.mark.parametrize(("text", "told"), ODD_FILES.items(), ids=range(len(ODD_FILES)))
def test_an_odd_file_of_edm_names_no_server(cli, edm, text, told):
    cli.delenv("HATCHER_URL")
    text += "\nauthentication: {api_token: hunter2}\n" if text.startswith("store_url") else ""
    edm.path.write_text(text, "utf-8", errors="surrogateescape")
    result = cli.fails(2, "No server is named, and ~/.edm.yaml", "organizations", "list")
    assert told in result.err and "hunter2" not in result.err, result.err


def test_a_file_of_edm_that_names_no_server(cli, edm):
    cli.delenv("HATCHER_URL")
    for text in ("", "store_url:\n", f"authentication: {{api_token: {edm.token}}}"):
        edm.path.write_text(text)
        cli.fails(2, "Which server?", "organizations", "list")
    edm.path.unlink()
    edm.path.mkdir()
    cli.fails(2, "Is a directory", "organizations", "list")
    assert cli("--url", cli.server.url, "--anonymous", "whoami").code == 0


@pytest.mark.parametrize(
    "text", ["a: [", "- a\n- b", "store_url: 7\nauthentication: {api_token: x}", "\udcff"]
)
def test_a_broken_file_of_edm(cli, edm, text):
    edm.path.write_text(text, "utf-8", errors="surrogateescape")
    result = cli("whoami")
    assert result.code == 3
    assert result.err.startswith("Warning: ~/.edm.yaml cannot be read")


@pytest.mark.parametrize("text", ["", "a: b", "authentication: none", "authentication: {}"])
def test_a_file_of_edm_without_a_token(cli, edm, text):
    edm.path.write_text(text)
    result = cli("whoami", "-o", "json")
    assert (result.code, json.loads(result.out)["credential"]) == (3, None)
    assert "Warning" not in result.err
