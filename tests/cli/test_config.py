"""`hatcher config`: profiles are shown and changed, each value checked."""

from __future__ import annotations

import pytest

from .conftest import Cli


@pytest.fixture(autouse=True)
def nobody(cli: Cli) -> None:
    """Nothing in the environment that outdoes profiles."""
    cli.delenv("HATCHER_URL", "HATCHER_USERNAME", "HATCHER_PASSWORD")


@pytest.fixture
def work(cli: Cli) -> None:
    """A profile, which is the default one."""
    assert cli("config", "set", "url", "https://work.example.com", "--profile", "work").code == 0


def test_where_it_is(cli):
    usual = cli("config", "path", "-o", "json").data[0]["path"]
    assert usual.endswith("/hatcher/config.toml")
    cli.setenv("HATCHER_CONFIG", cli.home / "mine.toml")
    assert cli("config", "path").out == f"{cli.home / 'mine.toml'}\n"


def test_nothing_is_set(cli):
    assert cli("config", "list", "-o", "json").data == []
    cli.fails(2, "no profile 'default'", "config", "get", "url")
    cli.fails(4, "is not set", "config", "get", "default_profile")


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("url", "https://brood.example.com/prefix", None),
        ("username", "ada@example.com", None),
        ("api_version", "0", None),
        ("insecure", "yes", "true"),
        ("insecure", "false", None),
        ("output", "jsonl", None),
        ("ca_file", "authority.pem", "{folder}/authority.pem"),
    ],
)
def test_set_get_and_unset(cli, key, value, shown):
    (cli.home.parent / "folder" / "authority.pem").touch()
    result = cli("config", "set", key, value)
    assert (result.code, result.out) == (0, "") and "new profile default" in result.err
    expected = (shown or value).replace("{folder}", str(cli.home.parent / "folder"))
    assert cli("config", "get", key, "-o", "json").data == [{"value": expected}]
    assert cli("config", "unset", key).code == 0
    assert cli("config", "get", key).code == 4


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("url", "ftp://brood.example.com", "scheme"),
        ("url", "https://ada:s3cr3t@brood.example.com", "user name or password"),
        ("api_version", "2", "Give 0 or 1."),
        ("api_version", "one", "Give 0 or 1."),
        ("insecure", "perhaps", "Give true or false."),
        ("output", "xml", '"table" or "json"'),
        ("ca_file", "missing.pem", "Give a PEM file"),
        ("default_profile", "missing", "no profile 'missing'"),
        ("credential", "file", "credential"),
        ("password", "s3cr3t", "password"),
    ],
)
def test_values_are_checked(cli, key, value, said):
    for options in ((), ("--dry-run",)):
        result = cli.fails(2, said, "config", "set", key, value, *options)
        assert "s3cr3t" not in result.err
    assert cli("config", "list", "-o", "json").data == []


def test_profiles_by_name(cli, work):
    assert cli("--profile", "home", "config", "set", "url", "home.example.com").code == 0
    assert cli("config", "get", "url").out == "https://work.example.com\n"
    assert cli("config", "get", "url", "--profile", "home").out == "home.example.com\n"
    cli.setenv("HATCHER_PROFILE", "home")
    assert cli("config", "get", "url").out == "home.example.com\n"
    cli.delenv("HATCHER_PROFILE")
    assert cli("config", "use", "home").code == 0
    assert cli("config", "get", "default_profile").out == "home\n"
    names = [(of["name"], of["default"]) for of in cli("config", "list", "-o", "json").data]
    assert names == [("work", False), ("home", True)]
    assert cli("config", "unset", "default_profile").code == 0
    assert cli("config", "get", "default_profile").code == 4
    cli.fails(2, "Did you mean 'home'?", "config", "use", "hoem")


def test_the_list_for_people(cli, work):
    headings, _, row = cli("config", "list").out.splitlines()
    assert headings.split()[:3] == ["Profile", "Default", "URL"]
    assert row.split() == ["work", "true", "https://work.example.com"]


def test_a_name_that_cannot_be(cli):
    wrong = ("config", "set", "url", "https://a", "--profile", "a/b")
    for options in ((), ("--dry-run",)):
        cli.fails(2, "cannot be called 'a/b'", *wrong, *options)


def test_a_credential_stays_with_its_server_and_user(cli):
    token = cli.client().create_api_token("mine")["token"]
    arguments = ("login", cli.server.url, "--token-stdin", "--insecure-storage")
    assert cli(*arguments, input=token).code == 0
    for change in (("set", "url", "https://other.example.com"), ("unset", "url")):
        cli.fails(2, "hatcher logout", "config", *change)
    assert cli("config", "set", "username", "eve").code == 2
    assert cli("config", "set", "url", cli.server.url).code == 0
    assert cli("logout").code == 0
    assert cli("config", "set", "url", "https://other.example.com").code == 0
