"""Keyrings that fail: one sentence and the next step, whatever the command and the fault."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import keyring
import pytest
from keyring.errors import InitError, KeyringLocked

from hatcher.cli.settings.keeping import Credential, FileKeeper
from hatcher.testing import FaultyGateway

from .conftest import Cli, Result
from .keyrings import FaultyKeyring, FileKeyring

MANY = "[" * 100_000


def late(*_: object) -> None:
    time.sleep(300)


FAULTS = {
    "a locked item": KeyringLocked("Failed to unlock the item!"),
    "no D-Bus": InitError("Failed to connect to D-Bus"),
    "without words": RuntimeError(),
    "an error of somebody's": OSError(111, "Connection refused"),
    "lines\n and \x1b[31m": ValueError("lines\n and \x1b[31m\u202e"),
    "an exit": SystemExit(3),
    "an import": ModuleNotFoundError("No module named 'dbus'", name="dbus"),
    "it is late": late,
}

NONSENSE = [b"{}", 5, object(), "", "{", "[]", "null", MANY, "1" * 5000, '{"kind": "token"}', "\0"]


@pytest.fixture
def ring(cli: Cli, keyring_of_tests: FileKeyring) -> FileKeyring:
    """A keyring that works, and somebody who is logged in with it."""
    log_in = ("login", cli.server.url, "-U", cli.server.admin_email)
    assert cli(*log_in, input=cli.server.admin_password).code == 0
    cli.delenv("HATCHER_URL", "HATCHER_USERNAME", "HATCHER_PASSWORD")
    cli.setenv("HATCHER_KEYRING_TIMEOUT", "0.3")
    return keyring_of_tests


def told(result: Result) -> None:
    """A sentence and the next step."""
    assert result.code == 1 and result.out == ""
    what, hint = result.err.splitlines()
    assert what.startswith("Error: ") and hint
    assert "fault of its own" not in what and all(map(str.isprintable, (what, hint)))


@pytest.mark.parametrize(
    ("at", "command"),
    [("get", "whoami"), ("get", "organizations list"), ("get", "logout"), ("delete", "logout")],
)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_faults(cli, ring, fault, at, command):
    keyring.set_keyring(FaultyKeyring(ring.path, fault, at=at))
    begun = time.monotonic()
    told(cli(*command.split()))
    assert time.monotonic() - begun < 30
    # Nothing is lost by it.
    keyring.set_keyring(ring)
    assert cli("whoami").code == 0


@pytest.mark.parametrize("answer", NONSENSE, ids=[repr(answer)[:20] for answer in NONSENSE])
def test_answers_that_make_no_sense(cli, ring, answer):
    keyring.set_keyring(FaultyKeyring(ring.path, answer))
    told(cli("whoami"))
    told(cli("logout"))


@pytest.mark.parametrize(
    "fault", [*FAULTS.values(), None], ids=[*FAULTS, "it does not keep what it is given"]
)
def test_what_cannot_be_kept_is_not_left_on_the_server(cli, ring, fault):
    (before,) = cli.client().list_api_tokens()
    keyring.set_keyring(FaultyKeyring(ring.path, fault, at="set"))
    with FaultyGateway(cli.server.url) as gateway:
        log_in = ("login", gateway.url, "--profile", "new", "-U", cli.server.admin_email)
        told(cli(*log_in, input=cli.server.admin_password))
        assert gateway.reached("POST", "*/auth/tokens/api") == 1
    assert cli.client().list_api_tokens() == [before]
    assert cli("whoami").code == 0
    assert len(cli("config", "list", "-o", "json").data) == 1


def test_an_error_shows_no_secret(cli, ring):
    def telling(_: str, __: str, text: str) -> None:
        raise ValueError(f"This cannot be kept: {text}")

    keyring.set_keyring(FaultyKeyring(ring.path, telling, at="set"))
    token = cli.client().create_api_token("mine")["token"]
    result = cli("--debug", "login", cli.server.url, "--token-stdin", input=token)
    assert result.code == 1 and token not in result.err


def test_a_priority_that_cannot_be_told(cli, ring, monkeypatch):
    for priority in (property(lambda self: 1 / 0), "high"):
        monkeypatch.setattr(FileKeyring, "priority", priority)
        told(cli("whoami"))
        told(cli("logout"))


@pytest.mark.parametrize("command", ["whoami", "logout"])
def test_backends_that_are_not_what_they_were(cli, ring, tmp_path, command):
    """In processes, as the keyring of each is found out when it begins."""
    modules = tmp_path / "modules"
    plugin = modules / "broken-1.0.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (plugin / "entry_points.txt").write_text("[keyring.backends]\nbroken = broken_backend\n")
    (modules / "broken_backend.py").write_text("raise RuntimeError('It fails.')\n")
    # Where keyring looks for it on this system.
    settings = cli.home / "config" / "python_keyring" / "keyringrc.cfg"
    settings.parent.mkdir(parents=True)
    for backend, in_settings in (
        ("nosuch.Backend", False),
        ("nosuch", False),
        ("broken_backend.Keyring", False),
        ("keyring.backends.SecretService.Keyring", False),
        ("nosuch.Backend", True),
        ("", False),  # and a plugin that fails
    ):
        environment = {"PYTHONPATH": str(modules), "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
        if in_settings:
            settings.write_text(f"[backend]\ndefault-keyring={backend}\n")
        elif backend:
            environment["PYTHON_KEYRING_BACKEND"] = backend
        told(cli.process(command, env=environment | {"HATCHER_KEYRING_TIMEOUT": "15"}))
        settings.unlink(missing_ok=True)


def test_a_file_keeps_what_many_put_into_it_at_once(tmp_path):
    def keeper(profile: str) -> FileKeeper:
        return FileKeeper(tmp_path / "credentials.json", "https://brood.example.com", profile)

    def put(profile: str) -> None:
        for number in range(10):
            keeper(profile).put(Credential("token", f"token-{number}"))

    profiles = [f"p{number}" for number in range(8)]
    with ThreadPoolExecutor(len(profiles)) as pool:
        list(pool.map(put, profiles))
    for profile in profiles:
        kept = keeper(profile).get()
        assert kept is not None and kept.secret == "token-9"
