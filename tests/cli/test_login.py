"""Logging in and out: what is kept, where, and for which server alone."""

from __future__ import annotations

import json
import socket
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail, null
from keyring.errors import InitError

from hatcher.cli.commands import login
from hatcher.testing import FaultyGateway, RequestFault
from hatcher.testing.faults import Answer, ScriptedServer

from .conftest import Cli, Result
from .keyrings import VARIABLE, FileKeyring
from .terminals import Terminal

JSON = {"Content-Type": "application/json"}
TOKEN_NAME = f"hatcher on {socket.gethostname()}"


@pytest.fixture(autouse=True)
def ring(cli: Cli, keyring_of_tests: FileKeyring) -> FileKeyring:
    """A keyring of this test, and nobody named but on the command line."""
    cli.delenv("HATCHER_URL", "HATCHER_USERNAME", "HATCHER_PASSWORD")
    return keyring_of_tests


@pytest.fixture
def no_ring(ring: FileKeyring) -> None:
    """A system without a keyring."""
    keyring.set_keyring(fail.Keyring())


@pytest.fixture
def password(cli: Cli) -> str:
    """The administrator's password, as a line."""
    return f"{cli.server.admin_password}\n"


def log_in(cli: Cli, url: str | None = None, *options: str) -> Result:
    """Log in as the administrator."""
    command = ("login", url or cli.server.url, "-U", cli.server.admin_email, *options)
    return cli(*command, input=f"{cli.server.admin_password}\n")


@pytest.fixture
def logged_in(cli: Cli) -> None:
    """Be logged in."""
    assert log_in(cli).code == 0


def config(cli: Cli) -> Path:
    return Path(cli("config", "path").out.strip())


def profiles(cli: Cli) -> dict[str, dict[str, object]]:
    return {profile["name"]: profile for profile in cli("config", "list", "-o", "json").data}


def tokens(cli: Cli) -> list[str]:
    """The administrator's API tokens."""
    return [token["name"] for token in cli.client().list_api_tokens()]


def kept(ring: FileKeyring) -> list[dict[str, object]]:
    return [json.loads(text) for users in ring.passwords.values() for text in users.values()]


# -- login ----------------------------------------------------------------------------------


def test_a_password_becomes_a_token(cli, ring):
    result = log_in(cli)
    assert (result.code, result.out) == (0, "")
    assert tokens(cli) == [TOKEN_NAME]
    assert profiles(cli)["default"] == {
        "name": "default",
        "default": True,
        "url": cli.server.url,
        "username": cli.server.admin_email,
        "api_version": None,
        "insecure": None,
        "ca_file": None,
        "output": None,
        **dict.fromkeys(("timeout", "retries", "quiet", "verbose")),
        "credential": "keyring",
    }
    (secret,) = kept(ring)
    assert secret["token_name"] == TOKEN_NAME
    shown = result.err + config(cli).read_text()
    assert str(secret["secret"]) not in shown
    assert cli.server.admin_password not in shown + ring.path.read_text()
    assert stat.S_IMODE(config(cli).stat().st_mode) == 0o600
    assert cli("organizations", "list").code == 0
    assert cli("whoami", "-o", "json").data == {
        "profile": "default",
        "url": cli.server.url,
        "username": cli.server.admin_email,
        "credential": "token from the keyring",
        "api_version": 1,
        "accepted": True,
        "repositories": {},
    }


def test_in_processes_with_a_keyring_of_their_own(cli, password):
    environment = {
        "PYTHON_KEYRING_BACKEND": "keyrings.FileKeyring",
        "PYTHONPATH": str(Path(__file__).parent),
        VARIABLE: str(cli.home / "another.json"),
    }
    arguments = ("login", cli.server.url, "-U", cli.server.admin_email, "--password-stdin")
    assert cli.process(*arguments, input=password, env=environment).code == 0
    result = cli.process("whoami", "-o", "json", env=environment)
    assert (result.code, result.data["credential"]) == (0, "token from the keyring")


def test_a_token_is_checked_and_kept(cli, ring):
    token = cli.client().create_api_token("mine")["token"]
    assert cli("--token-stdin", "login", cli.server.url, input=token).code == 0
    assert cli("logout").code == 0
    assert cli("login", "--token-stdin", input=token).code == 0
    assert (kept(ring)[0]["secret"], kept(ring)[0]["token_name"]) == (token, None)
    assert tokens(cli) == ["mine"]
    assert cli("whoami", "-o", "json").data["username"] is None


def test_a_token_as_an_argument_is_warned_of(cli):
    token = cli.client().create_api_token("mine")["token"]
    result = cli("login", cli.server.url, "--token", token)
    assert result.code == 0
    assert result.err.startswith("Warning: a token on the command line")
    assert token not in result.err


def test_the_environment_is_enough(cli):
    cli.setenv("HATCHER_URL", cli.server.url)
    cli.setenv("HATCHER_USERNAME", cli.server.admin_email)
    cli.setenv("HATCHER_PASSWORD", cli.server.admin_password)
    assert cli("login").code == 0
    cli.delenv("HATCHER_URL", "HATCHER_USERNAME", "HATCHER_PASSWORD")
    assert cli("organizations", "list").code == 0


def test_nothing_is_kept_that_is_not_accepted(cli, ring, nobody):
    for url, options, code in (
        (cli.server.url, ("-U", "admin@example.com"), 3),
        (cli.server.url, ("--token-stdin",), 3),
        (nobody, ("-U", "ada"), 6),
    ):
        assert cli("login", url, *options, input="wrong\n").code == code
        assert not config(cli).exists() and not ring.passwords


def test_trying_it_out(cli, ring):
    result = log_in(cli, None, "--dry-run")
    assert result.code == 0 and "Would keep" in result.err
    assert not config(cli).exists() and not ring.passwords and not tokens(cli)
    wrong = ("login", cli.server.url, "-U", cli.server.admin_email, "--dry-run")
    assert cli(*wrong, input="wrong\n").code == 3


@pytest.mark.parametrize("said", [(), ("http://127.0.0.1:9",)])
def test_nobody_to_ask(cli, said):
    result = cli("login", *said)
    assert result.code == 2 and len(result.err.splitlines()) == 2


def test_in_a_terminal_it_asks_for_what_is_missing(cli, password):
    with Terminal(cli.command("login", "--insecure-storage")) as terminal:
        terminal.wait_for("URL of the server")
        terminal.type(f"{cli.server.url}\n")
        terminal.wait_for("User name")
        terminal.type(f"{cli.server.admin_email}\n")
        terminal.wait_for("Password")
        terminal.type(password)
        assert terminal.end() == 0, terminal.text
    assert cli.server.admin_password not in terminal.text
    assert "Logged in" in terminal.text
    assert cli("organizations", "list").code == 0


def test_in_a_terminal_a_token_is_not_shown(cli):
    token = cli.client().create_api_token("mine")["token"]
    command = ("login", cli.server.url, "--token-stdin", "--insecure-storage")
    with Terminal(cli.command(*command)) as terminal:
        terminal.wait_for("Token")
        terminal.type(f"{token}\n")
        assert terminal.end() == 0, terminal.text
    assert token not in terminal.text
    assert cli("organizations", "list").code == 0


# -- profiles -------------------------------------------------------------------------------


def test_a_second_server_gets_a_profile_of_its_own(cli, logged_in):
    with FaultyGateway(cli.server.url) as other:
        assert log_in(cli, other.url).code == 0
        assert cli("--profile", "127.0.0.1", "whoami", "-o", "json").data["url"] == other.url
        assert log_in(cli, other.url, "--profile", "work").code == 0
        assert sorted(profiles(cli)) == ["127.0.0.1", "default", "work"]
        assert [name for name, of in profiles(cli).items() if of["default"]] == ["default"]
        # The same server again means its profile.
        assert log_in(cli, other.url).code == 0
        assert sorted(profiles(cli)) == ["127.0.0.1", "default", "work"]
        cli.setenv("HATCHER_PROFILE", "work")
        assert cli("whoami", "-o", "json").data["profile"] == "work"


def test_a_profile_that_moves_to_another_server(cli, logged_in, ring):
    cli("config", "set", "insecure", "true")
    cli("config", "set", "output", "csv")
    with FaultyGateway(cli.server.url) as other:
        result = log_in(cli, other.url, "--profile", "default")
        assert result.code == 0 and "still valid" in result.err
        assert len(kept(ring)) == 1
        moved = profiles(cli)["default"]
        assert (moved["url"], moved["insecure"], moved["output"]) == (other.url, None, "csv")


def test_how_to_reach_the_server_is_kept_too(cli, password):
    authority = cli.home / "authority.pem"
    authority.touch()
    user = ("-U", cli.server.admin_email)
    arguments = ("--insecure", "--api-version", "0", "login", cli.server.url, *user)
    assert cli(*arguments, input=password).code == 0
    of = profiles(cli)["default"]
    assert (of["insecure"], of["api_version"], of["ca_file"]) == (True, 0, None)


def test_a_profile_cannot_be_called_anything(cli):
    arguments = ("login", cli.server.url, "--profile", "a b", "--token-stdin")
    cli.fails(2, "cannot be called 'a b'", *arguments, input="any")


# -- what is kept is for its server ---------------------------------------------------------


def test_what_is_kept_goes_to_no_other_server(cli, logged_in):
    with ScriptedServer(Answer(401, JSON, b"{}")) as other:
        assert cli("--url", other.url, "whoami").code == 3
        assert cli("--profile", "default", "--url", other.url, "organizations", "list").code == 3
        cli.setenv("HATCHER_URL", other.url)
        assert cli("organizations", "list").code == 3
        cli.delenv("HATCHER_URL")
        # Not even when somebody edits the profile.
        text = config(cli).read_text()
        config(cli).write_text(text.replace(cli.server.url, other.url))
        cli.fails(3, "Log in again", "organizations", "list")
        assert len(other.requests) == 3
        assert not any("authorization" in request.headers for request in other.requests)


def test_what_is_kept_is_for_its_user(cli, logged_in):
    text = config(cli).read_text()
    config(cli).write_text(text.replace(cli.server.admin_email, "eve@example.com"))
    cli.fails(3, "Nothing is kept", "organizations", "list")


# -- keyrings and files ---------------------------------------------------------------------


class NoBus(FileKeyring):
    """What is chosen where there is no D-Bus, and fails at its first use."""

    def get_password(self, service: str, username: str) -> str | None:
        raise InitError("no D-Bus here")


@pytest.mark.parametrize("missing", ["backend", "package", "bus", "by choice"])
def test_without_a_keyring_a_private_file_takes_its_place(cli, monkeypatch, missing):
    match missing:
        case "backend":
            keyring.set_keyring(fail.Keyring())
        case "package":
            monkeypatch.setitem(sys.modules, "keyring", None)
        case "bus":
            keyring.set_keyring(NoBus())
        case "by choice":
            keyring.set_keyring(null.Keyring())
    result = log_in(cli)
    assert result.code == 0, result.err
    path = config(cli).with_name("credentials.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = [line for line in result.err.splitlines() if "a file that only you can read" in line]
    assert len(said) == 1 and result.err.count("\n") == 3
    assert profiles(cli)["default"]["credential"] == "file"
    assert cli("whoami", "-o", "json").data["credential"] == f"token from the file {path}"
    # From now on the file is where this profile's token is; nothing more is said.
    again = log_in(cli)
    assert again.code == 0 and "only you can read" not in again.err
    assert cli("logout", "--revoke").code == 0 and not tokens(cli)


def test_a_locked_keyring_is_no_missing_one(cli, ring):
    ring.path.mkdir()
    with ScriptedServer() as server:
        cli.fails(1, "Unlock it", "login", server.url, "-U", "ada", input="any\n")
        assert not server.requests
    assert not config(cli).with_name("credentials.json").exists()


def test_a_file_instead(cli, no_ring, password):
    assert log_in(cli, None, "--insecure-storage").code == 0
    path = config(cli).with_name("credentials.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cli("whoami", "-o", "json").data["credential"] == f"token from the file {path}"
    path.chmod(0o644)
    result = cli("whoami")
    assert result.code == 2 and f"chmod 600 {path}" in result.err
    path.chmod(0o600)
    # The next time it stays there.
    assert cli("login", input=password).code == 0
    assert len(tokens(cli)) == 1
    assert cli("logout", "--revoke").code == 0
    assert json.loads(path.read_text()) == {} and not tokens(cli)


@pytest.mark.parametrize("text", ["{", "[]", '{"url": []}', '{"%s": {"default": {"kind": "x"}}}'])
def test_a_file_that_is_something_else(cli, no_ring, text):
    assert log_in(cli, None, "--insecure-storage").code == 0
    path = config(cli).with_name("credentials.json")
    path.write_text(text.replace("%s", cli.server.url))
    result = cli("whoami")
    assert result.code == 1 and "is not what hatcher has kept there" in result.err


def test_a_locked_keyring(cli, logged_in, ring):
    ring.path.unlink()
    ring.path.mkdir()
    result = cli("organizations", "list")
    assert result.code == 1
    assert result.err.splitlines()[0] == "Error: The keyring refuses: it is locked"


@pytest.mark.parametrize("storage", [(), ("--insecure-storage",)])
def test_what_cannot_be_kept_is_not_left_on_the_server(cli, ring, storage):
    # It can be read, and is empty; but nobody can write there.
    link = cli.home / "settings" / "config.toml"
    link.parent.mkdir()
    link.symlink_to("/proc/nowhere/config.toml")
    cli.setenv("HATCHER_CONFIG", link)
    with FaultyGateway(cli.server.url) as gateway:
        result = log_in(cli, gateway.url, *storage)
        assert gateway.reached("POST", "*/auth/tokens/api") == 1
    assert result.code != 0 and len(result.err.splitlines()) == 2
    assert not tokens(cli) and not kept(ring)
    assert not storage or json.loads((link.parent / "credentials.json").read_text()) == {}


def test_the_keyring_is_left_alone_until_it_is_needed(cli, logged_in, ring):
    ring.path.unlink()
    ring.path.mkdir()
    for command in (("config", "list"), ("serve", "--help"), ("eggs", "--help")):
        assert cli(*command).code == 0
    token = cli.client().create_api_token("mine")["token"]
    cli.setenv("HATCHER_TOKEN", token)
    assert cli("organizations", "list").code == 0


# -- servers that know less -----------------------------------------------------------------


def test_a_server_without_tokens_of_either_kind(cli, ring):
    unknown = Answer(404, JSON, b'{"error": "Not Found"}')
    faults = (
        RequestFault("replace", at="request", path="*/auth/tokens/*", answer=unknown, times=10**6),
    )
    with FaultyGateway(cli.server.url, *faults) as gateway:
        result = log_in(cli, gateway.url, "--insecure-storage")
        assert result.code == 2 and not config(cli).exists()
        result = log_in(cli, gateway.url)
        assert result.code == 0 and "it is the password that is kept" in result.err
        assert kept(ring)[0]["kind"] == "password"
        result = cli("whoami", "-o", "json")
        assert (result.code, result.data["credential"]) == (0, "password from the keyring")
        assert cli("logout").code == 0 and not kept(ring)


# -- again, and out -------------------------------------------------------------------------


def test_logging_in_again_leaves_one_token(cli, logged_in, ring, password):
    before = kept(ring)[0]
    assert cli("login", input=password).code == 0
    assert len(tokens(cli)) == len(kept(ring)) == 1
    assert kept(ring)[0]["secret"] != before["secret"]
    assert cli("organizations", "list").code == 0
    assert cli("login", "--insecure-storage", input=password).code == 0
    assert len(tokens(cli)) == 1 and not kept(ring)
    assert cli("organizations", "list").code == 0


def test_a_token_of_that_name_that_is_not_ours_stays(cli):
    cli.client().create_api_token(TOKEN_NAME)
    assert log_in(cli).code == 0
    assert sorted(tokens(cli)) == [TOKEN_NAME, f"{TOKEN_NAME} 2"]
    assert log_in(cli, None, "--token-name", "laptop").code == 0
    assert sorted(tokens(cli)) == [TOKEN_NAME, "laptop"]


def test_logging_out(cli, logged_in, ring):
    assert "Would forget" in cli("logout", "--dry-run").err and kept(ring)
    assert cli("logout").code == 0
    assert not kept(ring)
    assert tokens(cli) == [TOKEN_NAME]
    of = profiles(cli)["default"]
    assert (of["url"], of["credential"]) == (cli.server.url, None)
    assert cli("organizations", "list").code == 3
    result = cli("logout")
    assert result.code == 0 and "Nothing is kept" in result.err


def test_logging_out_for_good(cli, logged_in, ring):
    secret = str(kept(ring)[0]["secret"])
    # Whatever the environment says of other servers and users.
    cli.setenv("HATCHER_URL", "http://127.0.0.1:9")
    cli.setenv("HATCHER_TOKEN", "of-another")
    result = cli("logout", "--revoke")
    assert result.code == 0, result.err
    cli.delenv("HATCHER_URL", "HATCHER_TOKEN")
    assert not kept(ring) and not tokens(cli)
    assert cli("--url", cli.server.url, "--token-stdin", "whoami", input=secret).code == 3


def test_logging_out_of_a_token_that_is_gone(cli, logged_in, ring):
    cli.client().delete_api_token(TOKEN_NAME)
    result = cli("logout", "--revoke")
    assert result.code == 0 and "not valid any more" in result.err
    assert not kept(ring)


def test_only_a_token_that_login_has_made_is_revoked(cli, ring):
    token = cli.client().create_api_token("mine")["token"]
    assert cli("login", cli.server.url, "--token-stdin", input=token).code == 0
    cli.fails(2, "hatcher api-tokens delete", "logout", "--revoke")
    assert kept(ring) and tokens(cli) == ["mine"]


def test_a_server_that_is_away_keeps_what_is_kept(cli, ring):
    with FaultyGateway(cli.server.url) as gateway:
        assert log_in(cli, gateway.url).code == 0
    assert cli("logout", "--revoke").code == 6
    assert kept(ring) and tokens(cli) == [TOKEN_NAME]


# -- whoami ---------------------------------------------------------------------------------


def test_whoami_in_words(cli, logged_in, dev):
    assert cli("whoami").out == (
        f"You are {cli.server.admin_email} to {cli.server.url} (profile default): it accepts the "
        "token from the keyring. You have access to 1 repository.\n"
    )
    assert cli("whoami", "-o", "json").data["repositories"] == {dev: "server_administrator"}
    cli.client().delete_api_token(TOKEN_NAME)
    result = cli("whoami")
    assert result.code == 3
    assert result.out.startswith(f"{cli.server.url} (profile default) does not accept the token")
    assert len(result.err.splitlines()) <= 2
    assert cli("--url", cli.server.url, "-t", "x", "whoami").code == 3


def test_whoami_of_nobody(cli):
    result = cli("--url", cli.server.url, "whoami")
    assert result.code == 3 and result.err == "To log in: hatcher login\n"
    assert result.out.endswith("no credentials. Everybody may read 0 repositories.\n")
    with ScriptedServer(Answer(401)) as server:
        result = cli("--url", server.url, "whoami")
    assert result.code == 3 and "run 'hatcher login'" in result.err
    assert result.out.endswith("no credentials, and it wants some.\n")


# -- many at once ---------------------------------------------------------------------------


def at_once(cli: Cli, commands: list[tuple[str, ...]]) -> list[int]:
    """Run commands, each in a process of its own, at the same time; the exit codes."""
    with ThreadPoolExecutor(len(commands)) as pool:
        results = list(pool.map(lambda command: cli.process(*command), commands))
    assert not any("Traceback" in result.err for result in results)
    return [result.code for result in results]


def known(cli: Cli) -> list[str]:
    """The names of the tokens that are kept in the file."""
    document = json.loads(config(cli).with_name("credentials.json").read_text())
    return sorted(of["token_name"] for profiles in document.values() for of in profiles.values())


@pytest.mark.parametrize("named", [True, False])
def test_eight_logins_at_once(cli, named):
    cli.setenv("HATCHER_PASSWORD", cli.server.admin_password)
    log_in = ("login", cli.server.url, "-U", cli.server.admin_email, "--insecure-storage")
    commands = [(*log_in, "--profile", f"p{n}") if named else log_in for n in range(8)]
    assert at_once(cli, commands) == [0] * 8
    cli.delenv("HATCHER_PASSWORD")
    wanted = [f"p{n}" for n in range(8)] if named else ["default"]
    assert sorted(profiles(cli)) == wanted
    for name in wanted:
        assert cli("--profile", name, "whoami").code == 0
    # No token is left that nobody knows.
    assert sorted(tokens(cli)) == known(cli) and len(known(cli)) == len(wanted)
    assert [path.name for path in config(cli).parent.iterdir() if path.name.startswith(".")] == []


def test_logins_beside_everything_else(cli, no_ring):
    cli.setenv("HATCHER_PASSWORD", cli.server.admin_password)
    log_in = ("login", cli.server.url, "-U", cli.server.admin_email, "--insecure-storage")
    for name in ("out", "again"):
        assert cli(*log_in, "--profile", name).code == 0
    commands = [
        *((*log_in, "--profile", f"p{n}") for n in range(3)),
        (*log_in, "--profile", "again"),
        ("logout", "--revoke", "--profile", "out"),
        ("config", "set", "output", "csv", "--profile", "again"),
        ("config", "set", "output", "json", "--profile", "p0"),
        ("config", "set", "url", "https://example.com", "--profile", "new"),
    ]
    assert at_once(cli, commands) == [0] * 8
    cli.delenv("HATCHER_PASSWORD")
    found = profiles(cli)
    assert sorted(found) == ["again", "new", "out", "p0", "p1", "p2"]
    assert (found["again"]["output"], found["p0"]["output"]) == ("csv", "json")
    assert found["out"]["credential"] is None
    for name in ("again", "p0", "p1", "p2"):
        assert cli("--profile", name, "whoami").code == 0
    assert sorted(tokens(cli)) == known(cli) and len(known(cli)) == 4


def test_a_name_that_is_taken_in_that_moment(cli):
    taken = Answer(409, JSON, b'{"error": "There is one."}')
    fault = RequestFault("replace", at="request", method="POST", path="*/tokens/api", answer=taken)
    with FaultyGateway(cli.server.url, fault) as gateway:
        result = log_in(cli, gateway.url)
    assert result.code == 0 and tokens(cli) == [f"{TOKEN_NAME} 2"]


@pytest.mark.parametrize(
    "fault",
    [
        RequestFault("reset", at="answer", method="POST", path="*/tokens/api"),
        RequestFault("cut", at="answer body", method="POST", path="*/tokens/api"),
        *(
            RequestFault(
                "replace",
                at="answer",
                method="POST",
                path="*/tokens/api",
                answer=Answer(status, JSON, body),
            )
            for status, body in ((504, b"{}"), (200, b"{}"), (200, b"[]"), (200, b'{"token": 5}'))
        ),
    ],
)
def test_a_token_whose_answer_is_lost_is_not_left_on_the_server(cli, ring, fault):
    with FaultyGateway(cli.server.url, fault) as gateway:
        result = log_in(cli, gateway.url)
        assert gateway.reached("POST", "*/tokens/api") == 1
    assert result.code != 0 and len(result.err.splitlines()) == 2
    assert not tokens(cli) and not kept(ring) and not config(cli).exists()


def test_a_token_that_cannot_be_taken_back_is_named(cli, ring):
    faults = (
        RequestFault("reset", at="answer", method="POST", path="*/tokens/api"),
        RequestFault(
            "replace",
            at="request",
            method="DELETE",
            answer=Answer(403, JSON, b"{}"),
        ),
    )
    with FaultyGateway(cli.server.url, *faults) as gateway:
        result = log_in(cli, gateway.url)
    assert result.code == 6
    assert f"hatcher api-tokens delete '{TOKEN_NAME}'" in result.err.splitlines()[0]


def test_a_login_that_fails_leaves_the_one_before(cli, logged_in, ring, password, monkeypatch):
    before = kept(ring)
    monkeypatch.setattr(login.profiles, "with_profile", refuse)
    assert cli("login", input=password).code != 0
    assert kept(ring) == before and tokens(cli) == [TOKEN_NAME]
    assert cli("whoami").code == 0


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")
