"""Session tokens that outlive a command: who gets one, for how long, and where it is kept."""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hatcher.api import BroodClientAuth
from hatcher.cli.settings import sessions
from hatcher.testing import Answer, BroodServer, FaultyGateway, RequestFault, ScriptedServer
from hatcher.testing.faults import Request

from .conftest import Cli, Result

EXCHANGE = ("POST", "*/auth/tokens/auth")
LIST = ("organizations", "list")

posix = pytest.mark.skipif(os.name != "posix", reason="modes and links are those of POSIX")


@pytest.fixture
def gateway(cli: Cli) -> Iterator[FaultyGateway]:
    """What commands go through, and what counts their requests."""
    with FaultyGateway(cli.server.url) as gateway:
        cli.setenv("HATCHER_URL", gateway.url)
        yield gateway


def folder() -> Path:
    return Path(os.environ["HATCHER_CACHE_DIR"], "sessions")


def files() -> list[Path]:
    return sorted(folder().glob("*.token"))


def tokens() -> list[str]:
    return [path.read_text().split()[1] for path in files()]


def age(seconds: float) -> None:
    """Let all that is kept be older, or younger."""
    for path in files():
        since, token = path.read_text().split()
        path.write_text(f"{float(since) - seconds} {token}")


def asked(gateway: FaultyGateway, cli: Cli, *arguments: object) -> list[str]:
    """Run a command that goes well; return the methods of its requests."""
    gateway.clear()
    result = cli(*arguments or LIST)
    assert result.code == 0, result
    return [passage.method for passage in gateway.requests]


def api_token(cli: Cli) -> str:
    return str(cli.client().create_api_token(f"of a test {time.monotonic()}")["token"])


# -- how often is asked -----------------------------------------------------------------------


def test_the_second_command_asks_at_once(cli, gateway):
    assert asked(gateway, cli) == ["POST", "GET"]
    assert asked(gateway, cli) == ["GET"]
    assert asked(gateway, cli, "whoami") == ["GET"]
    (token,) = tokens()
    assert gateway.requests[-1].headers["authorization"] == f"Bearer {token}"


def test_so_does_one_with_an_api_token(cli, gateway):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    cli.setenv("HATCHER_TOKEN", api_token(cli))
    assert asked(gateway, cli) == ["POST", "GET"]
    assert asked(gateway, cli) == ["GET"]


def test_in_processes_of_their_own(cli, gateway):
    for exchanges in (1, 1):
        assert cli.process(*LIST).code == 0
        assert gateway.sent(*EXCHANGE) == exchanges


def test_the_python_api_keeps_none(brood_server, cli, gateway):
    for exchanges in (1, 2):
        auth = BroodClientAuth(gateway.url, (cli.server.admin_email, cli.server.admin_password))
        with brood_server.client(url=gateway.url, auth=auth) as client:
            client.list_organizations()
        assert gateway.sent(*EXCHANGE) == exchanges
    assert not folder().exists()


def test_nobody_needs_none(cli, gateway):
    assert cli("--anonymous", *LIST).code == 3
    assert not folder().exists()


# -- for whom ---------------------------------------------------------------------------------


def test_another_account_finds_nothing(cli, gateway):
    assert asked(gateway, cli) == ["POST", "GET"]
    cli.setenv("HATCHER_USERNAME", "ada@example.com")
    gateway.clear()
    assert cli(*LIST).code == 3
    assert [passage.method for passage in gateway.requests] == ["POST"]


def test_another_credential_of_the_account_gets_its_own(cli, gateway):
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    for _ in range(2):
        cli.setenv("HATCHER_TOKEN", api_token(cli))
        assert asked(gateway, cli) == ["POST", "GET"]
    cli.setenv("HATCHER_TOKEN", "no-such-token")
    gateway.clear()
    assert cli(*LIST).code == 3
    assert [passage.method for passage in gateway.requests] == ["POST"]
    assert len(files()) == 2


def test_a_wrong_password_finds_nothing(cli, gateway):
    assert asked(gateway, cli) == ["POST", "GET"]
    cli.setenv("HATCHER_PASSWORD", "wrong")
    assert cli(*LIST).code == 3


def test_another_server_never_sees_it(cli, gateway):
    asked(gateway, cli)
    (token,) = tokens()
    heads: list[dict[str, str]] = []

    def refuse(request: Request) -> Answer:
        heads.append(request.headers)
        return Answer(401, {"Content-Type": "application/json"}, b"{}")

    with ScriptedServer(refuse) as other:
        assert cli("--url", other.url, *LIST).code == 3
        assert cli("--url", f"{other.url}/prefix", *LIST).code == 3
    assert len(heads) == 2
    assert not any(token in value for head in heads for value in head.values())


def test_one_got_without_verifying_is_not_for_those_who_verify(cli, gateway):
    asked(gateway, cli)
    assert asked(gateway, cli, "--insecure", *LIST) == ["POST", "GET"]
    assert asked(gateway, cli, "--insecure", *LIST) == ["GET"]
    assert asked(gateway, cli) == ["GET"]
    assert len(files()) == 2


# -- how long ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "methods"), [(200, ["GET"]), (240, ["POST", "GET"])])
def test_it_is_kept_for_four_minutes(seconds, methods, cli, gateway):
    asked(gateway, cli)
    age(seconds)
    assert asked(gateway, cli) == methods


def test_using_it_does_not_make_it_younger(cli, gateway):
    asked(gateway, cli)
    age(200)
    before = files()[0].read_text()
    asked(gateway, cli)
    assert files()[0].read_text() == before


def test_the_clock_is_put_back(cli, gateway):
    asked(gateway, cli)
    age(-3600)
    assert asked(gateway, cli) == ["POST", "GET"]
    assert asked(gateway, cli) == ["GET"]


def test_what_is_too_old_is_removed(cli, gateway):
    asked(gateway, cli)
    (old,) = files()
    os.utime(old, (1, 1))
    asked(gateway, cli, "--insecure", *LIST)
    assert old not in files()
    assert len(files()) == 1


def test_a_long_command_renews_it_in_time(cli):
    auth = BroodClientAuth("http://localhost", "secret-token")
    sessions.SessionKeeper(auth, True).save("session-token")
    age(200)
    auth._keeper = sessions.SessionKeeper(auth, True)
    assert auth._recall()
    assert auth.session_token == "session-token"
    assert 0 < auth._renew_at - time.monotonic() <= 40


# -- a server that takes it no longer ---------------------------------------------------------


def test_a_refused_one_is_got_anew_once(cli, gateway):
    asked(gateway, cli)
    (path,), (token,) = files(), tokens()
    path.write_text(path.read_text().replace(token, "of-a-server-before-its-restart"))
    gateway.clear()
    assert cli(*LIST).code == 0
    told = [(passage.method, passage.status) for passage in gateway.requests]
    assert told == [("GET", 401), ("POST", 200), ("GET", 200)]
    assert tokens() != ["of-a-server-before-its-restart"]
    assert asked(gateway, cli) == ["GET"]


def test_it_is_forgotten_when_there_is_no_new_one(cli, gateway):
    asked(gateway, cli)
    gateway.add(
        RequestFault("replace", method="GET", answer=Answer(401)),
        RequestFault("replace", method="POST", answer=Answer(401)),
    )
    assert cli(*LIST).code == 3
    assert files() == []


def test_it_is_forgotten_when_a_new_one_is_refused_too(cli, gateway):
    gateway.add(RequestFault("replace", method="GET", answer=Answer(401), times=9))
    assert cli(*LIST).code == 3
    assert files() == []
    assert gateway.sent(*EXCHANGE) == 1


@pytest.mark.parametrize("status", [403, 404, 503])
def test_other_refusals_say_nothing_of_it(status, cli, gateway):
    asked(gateway, cli)
    before = tokens()
    gateway.add(RequestFault("replace", method="GET", answer=Answer(status), times=9))
    assert cli("--retries", "0", *LIST).code != 0
    assert tokens() == before


# -- where ------------------------------------------------------------------------------------


@posix
def test_it_is_in_a_file_of_the_user_alone(cli, gateway):
    before = os.umask(0)
    try:
        asked(gateway, cli)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
    (path,) = files()
    for each in (path, folder() / "key"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    assert {each.name for each in folder().iterdir()} == {path.name, "key", "CACHEDIR.TAG"}


def test_nothing_tells_the_credential_or_the_user(cli, gateway):
    secret = api_token(cli)
    asked(gateway, cli)
    cli.setenv("HATCHER_TOKEN", secret)
    asked(gateway, cli, "--token", secret, *LIST)
    written = "".join(path.name + path.read_text("latin-1") for path in folder().iterdir())
    for told in (secret, cli.server.admin_password, cli.server.admin_email, gateway.url):
        assert told not in written


def test_the_names_are_others_in_another_folder(cli, gateway, tmp_path):
    asked(gateway, cli)
    (one,) = files()
    cli.setenv("HATCHER_CACHE_DIR", tmp_path / "others")
    asked(gateway, cli)
    (other,) = files()
    assert one.name != other.name


def test_nothing_shows_it(cli, gateway):
    asked(gateway, cli)
    (token,) = tokens()
    for arguments in (("--debug", *LIST), ("--debug", "-v", "whoami"), ("config", "list")):
        result = cli(*arguments)
        assert token not in result.out + result.err
    gateway.add(RequestFault("replace", method="GET", answer=Answer(500, {}, token.encode())))
    result = cli("--debug", "--retries", "0", *LIST)
    assert result.code != 0
    assert token not in result.out + result.err


def test_its_keeper_shows_nothing(cli):
    auth = BroodClientAuth("http://localhost", "secret-token")
    keeper = sessions.SessionKeeper(auth, True)
    auth._keeper = keeper
    auth.remember("session-token")
    for shown in (repr(keeper), repr(auth), str(vars(keeper))):
        assert "secret-token" not in shown
        assert "session-token" not in shown


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write_to_is_not_used(mode, cli, gateway):
    asked(gateway, cli)
    folder().chmod(mode)
    before = tokens()
    assert asked(gateway, cli) == ["POST", "GET"]
    assert tokens() == before


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_read_or_change_is_not_used(mode, cli, gateway):
    asked(gateway, cli)
    (path,) = files()
    path.chmod(mode)
    assert asked(gateway, cli) == ["POST", "GET"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert asked(gateway, cli) == ["GET"]


@posix
def test_a_folder_that_is_a_link_is_not_used(cli, gateway, tmp_path):
    asked(gateway, cli)
    folder().rename(tmp_path / "elsewhere")
    folder().symlink_to(tmp_path / "elsewhere")
    before = tokens()
    assert asked(gateway, cli) == ["POST", "GET"]
    assert tokens() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"no number",
        b"nan token",
        b"inf token",
        b"-inf token",
        b"1e999999 token",
        b"0 token",
        b"{now}",
        b"{now} to ken",
        b"{now} t\xc3\xb6ken",
        b"{now} " + b"x" * 20_000,
        b"{now} {now} {now}",
    ],
)
def test_a_damaged_file_is_replaced(content, cli, gateway):
    asked(gateway, cli)
    (path,) = files()
    path.write_bytes(content.replace(b"{now}", str(time.time()).encode()))
    assert asked(gateway, cli) == ["POST", "GET"]
    assert asked(gateway, cli) == ["GET"]


def test_a_folder_in_place_of_the_file(cli, gateway):
    asked(gateway, cli)
    (path,) = files()
    path.unlink()
    path.mkdir()
    assert asked(gateway, cli) == ["POST", "GET"]


def test_a_file_in_place_of_the_folder(cli, gateway):
    folder().parent.mkdir(parents=True)
    folder().write_text("mine")
    assert asked(gateway, cli) == ["POST", "GET"]
    assert asked(gateway, cli) == ["POST", "GET"]
    assert folder().read_text() == "mine"


@posix
@pytest.mark.skipif(sys.platform == "linux" and os.geteuid() == 0, reason="root may write anyway")
def test_a_home_that_cannot_be_written_to(cli, gateway):
    folder().parent.mkdir(mode=0o500, parents=True)
    assert asked(gateway, cli) == ["POST", "GET"]
    assert asked(gateway, cli) == ["POST", "GET"]


@pytest.mark.parametrize("where", ["", "/dev/null/cache"])
def test_where_nothing_can_be_kept_nothing_is(where, cli, gateway):
    cli.setenv("HATCHER_CACHE_DIR", where)
    for _ in range(2):
        assert asked(gateway, cli) == ["POST", "GET"]
        assert cli(*LIST).err == ""
    cli.setenv("HATCHER_CACHE_DIR", "")
    sessions.forget_sessions()


def test_without_a_home(cli, gateway, monkeypatch):
    cli.delenv("HATCHER_CACHE_DIR", "XDG_CACHE_HOME", "HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert cli("--url", gateway.url, *LIST).code == 0
    sessions.forget_sessions()


# -- logging out, and in ----------------------------------------------------------------------


def log_in(cli: Cli, url: str, *options: str) -> Result:
    command = ("login", url, "-U", cli.server.admin_email, "--insecure-storage", *options)
    return cli(*command, "--password-stdin", input=f"{cli.server.admin_password}\n")


@pytest.fixture
def profile(cli: Cli, gateway: FaultyGateway) -> None:
    """Be logged in, with nobody named beside the profile."""
    cli.delenv("HATCHER_URL", "HATCHER_USERNAME", "HATCHER_PASSWORD")
    assert log_in(cli, gateway.url).code == 0


@pytest.mark.parametrize("options", [(), ("--revoke",)])
def test_logout_removes_it(options, profile, cli, gateway):
    asked(gateway, cli)
    asked(gateway, cli, "--insecure", *LIST)
    assert len(files()) == 2
    assert cli("logout", *options, "--dry-run").code == 0
    assert len(files()) == 2
    assert cli("logout", *options).code == 0
    assert files() == []


def test_logout_tells_of_a_folder_that_is_not_its_own(profile, cli, gateway):
    asked(gateway, cli)
    folder().chmod(0o777)
    done = cli("logout")
    assert done.code == 0
    assert "session tokens may still be kept" in done.err
    assert str(folder()) in done.err


def test_so_does_deleting_an_api_token(cli, gateway):
    secret = api_token(cli)
    (name,) = [token["name"] for token in cli.client().list_api_tokens()]
    asked(gateway, cli, "--token", secret, *LIST)
    assert cli("api-tokens", "delete", name, "-y").code == 0
    assert files() == []
    assert cli("--token", secret, *LIST).code == 3


def test_login_asks_the_server_and_keeps_none(profile, cli, gateway):
    asked(gateway, cli)
    assert len(files()) == 1
    gateway.clear()
    assert log_in(cli, gateway.url).code == 0
    assert gateway.sent(*EXCHANGE) == 1
    assert files() == []


def test_a_session_is_no_proof_of_a_password(cli, gateway):
    asked(gateway, cli)  # with the password
    gateway.add(RequestFault("replace", method="POST", path=EXCHANGE[1], answer=Answer(401)))
    assert log_in(cli, gateway.url).code == 3


# -- several commands at once -----------------------------------------------------------------


def test_many_commands_at_once(cli, gateway):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: cli.process(*LIST), range(4)))
    assert {result.code for result in done} == {0}
    assert files()  # more than one where several have made the key of the folder
    assert asked(gateway, cli) == ["GET"]


def test_one_is_renewed_while_others_read_it(cli, brood_server: BroodServer):
    auth = BroodClientAuth(brood_server.url, "secret-token")
    keepers = [sessions.SessionKeeper(auth, True) for _ in range(8)]
    keepers[0].save("token-0")
    seen: set[str] = set()

    def work(number: int) -> None:
        for turn in range(40):
            if number % 2:
                keepers[number].save(f"token-{number}-{turn}")
            elif kept := keepers[number].load():
                seen.add(kept[0].partition("-")[0])

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"token"}
    assert len(files()) == 1
