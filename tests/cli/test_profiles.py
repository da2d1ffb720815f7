"""The file of profiles: read with care, written whole, and nobody else's business."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hatcher.cli.refusals import Refusal
from hatcher.cli.settings.private_files import read_private, write_private
from hatcher.cli.settings.profiles import (
    Config,
    change,
    config_path,
    read_config,
    with_profile,
)
from hatcher.errors import NoSpaceError
from hatcher.files import locks

FILE = Path("/somewhere/config.toml")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "hatcher.toml"
    monkeypatch.setenv("HATCHER_CONFIG", str(path))
    return path


# -- reading --------------------------------------------------------------------------------


def test_no_file_is_an_empty_one(path):
    config = read_config()
    assert (config.path, config.default_profile, config.profiles) == (path, None, {})


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HATCHER_CONFIG", "~/mine.toml")
    assert config_path() == tmp_path / "mine.toml"
    monkeypatch.delenv("HATCHER_CONFIG")
    assert config_path().parts[-2:] == ("hatcher", "config.toml")


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ("default_profile =\n", 1, "no TOML", "Correct that line"),
        ("\n\n[profiles.work\n", 3, "no TOML", "Correct that line"),
        ("default_profile = 7", 1, "default_profile must be a string", ""),
        ("defualt_profile = 'a'", 1, "no setting 'defualt_profile'", "'default_profile'?"),
        ("profiles = 3", 1, "profiles must be tables", ""),
        ("[profiles]\nwork = 3", 2, "must be a table", ""),
        ("[profiles.work]\n\nulr = 'a'", 3, "no setting 'ulr'", "Did you mean 'url'?"),
        ("[profiles.work]\npassword = 'a'", 2, "no setting 'password'", "There are: url, "),
        ("[profiles.work]\nurl = 3", 2, "url must be a string", ""),
        ("[profiles.a]\nurl = 'b'\n[profiles.b]\nurl = 3", 4, "url must be a string", ""),
        ("[profiles.work]\ninsecure = 1", 2, "insecure must be true or false", ""),
        ("[profiles.work]\napi_version = 2", 2, "api_version must be 0 or 1", ""),
        ("[profiles.work]\napi_version = true", 2, "api_version must be 0 or 1", ""),
        ("[profiles.work]\noutput = 'xml'", 2, 'output must be "table" or "json"', ""),
        ("profiles.work.output = 'xml'", 1, "output must be", ""),
        ("[profiles.work]\ncredential = 'brain'", 2, 'must be "keyring" or "file"', ""),
        ("[profiles.work]\nurl = 'https://a:b@c'", 2, "user name or password", "hatcher login"),
        ("[profiles.work]\ninsecure = true\nca_file = 'a'", 2, "contradict", ""),
        ("[profiles.'a b']\nurl = 'a'", 1, "no profile can be called 'a b'", ""),
        ("profiles = {work = {url = 3}}", 1, "url must be a string", ""),
    ],
)
def test_what_is_wrong_and_where(text, line, what, hint):
    with pytest.raises(Refusal) as caught:
        Config(FILE, text)
    message = caught.value.format_message()
    assert message.startswith(f"{FILE}:{line}: ") and what in message
    assert caught.value.hint and hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_secret_in_a_wrong_file_is_not_shown():
    for text in ("[profiles.a]\nurl = 'https://ada:s3cr3t@host'", "[profiles.a]\ntoken = 's3cr3t'"):
        with pytest.raises(Refusal) as caught:
            Config(FILE, text)
        assert "s3cr3t" not in caught.value.format_message() + caught.value.hint


def test_a_default_profile_that_is_not_there():
    with pytest.raises(Refusal, match="default_profile"):
        Config(FILE, "default_profile = 'work'").profile("work")


def test_a_file_that_cannot_be_read(path):
    path.mkdir(parents=True)
    with pytest.raises(Refusal, match="cannot be read"):
        read_config()


# -- writing --------------------------------------------------------------------------------


def test_a_new_file(path):
    with_profile("work", {"url": "https://a", "api_version": 0})
    config = read_config()
    assert config.text == path.read_text()
    assert config.default_profile == "work"
    assert config.profile("work").api_version == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_the_first_profile_is_the_default_one_and_no_other(path):
    with_profile("work", {"url": "https://a"})
    with_profile("home.example.com", {"url": "https://b"})
    assert read_config().default_profile == "work"
    assert list(read_config().profiles) == ["work", "home.example.com"]
    change(lambda document: document.update(default_profile="home.example.com"))
    assert read_config().default_profile == "home.example.com"
    change(lambda document: document.pop("default_profile", None))
    assert read_config().default_profile is None


@pytest.mark.parametrize(
    "text",
    [
        "# mine\n[profiles.work] # the office\nurl = 'https://a' # far away\n",
        "# mine, the office\nprofiles = {work = {url = 'https://a'}} # far away\n",
    ],
)
def test_comments_stay_however_it_is_written(path, text):
    write_private(path, text)
    with_profile("work", {"username": "ada", "insecure": True})
    with_profile("home", {"url": "https://b"})
    change(lambda document: document.update(default_profile="work"))
    for comment in ("mine", "the office", "far away"):
        assert comment in path.read_text()
    work, home = read_config().profiles.values()
    assert (work.url, work.username, work.insecure, home.url) == (
        "https://a",
        "ada",
        True,
        "https://b",
    )
    with_profile("work", {"username": None})
    assert read_config().profile("work").username is None


def test_a_file_that_cannot_be_changed_stays(path):
    write_private(path, "profiles.work.url = 'https://a'\nprofiles.work.output = 'csv'\n")
    before = path.read_bytes()
    with pytest.raises(Refusal, match="cannot change") as caught:
        with_profile("home", {"url": "https://b"})
    assert "[profiles.NAME]" in caught.value.hint
    assert path.read_bytes() == before


def test_nothing_is_written_that_could_not_be_read(path):
    with_profile("work", {"url": "https://a", "insecure": True})
    before = path.read_bytes()
    with pytest.raises(Refusal, match="contradict"):
        with_profile("work", {"ca_file": "/a.pem"})
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_link_stays_a_link_and_a_mode_a_mode(path, tmp_path, mode):
    target = tmp_path / "dotfiles" / "hatcher.toml"
    target.parent.mkdir()
    target.write_text("")
    target.chmod(mode)
    path.parent.mkdir()
    path.symlink_to(target)
    with_profile("work", {"url": "https://a"})
    assert path.is_symlink() and "https://a" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == mode
    # Neither here nor there is anything left of the writing.
    assert [*path.parent.iterdir(), *target.parent.iterdir()] == [path, target]


def test_a_mark_of_the_order_of_bytes(path):
    write_private(path, "\ufeff[profiles.work]\nurl = 'https://a'\n")
    assert read_config().profile("work").url == "https://a"
    with_profile("work", {"username": "ada"})
    assert read_config().profile("work").username == "ada"


@pytest.mark.parametrize("text", ["a = " + "1" * 5000, "a = " + "[" * 100_000, "a = '\0'"])
def test_toml_that_breaks_its_reader(path, text):
    write_private(path, text)
    with pytest.raises(Refusal):
        read_config()


@pytest.mark.parametrize("fails", ["fsync", "replace", "write"])
def test_what_is_there_stays_when_a_write_fails(path, monkeypatch, fails):
    with_profile("work", {"url": "https://a"})
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fails, full)
    with pytest.raises(NoSpaceError):
        with_profile("home", {"url": "https://b"})
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_where_there_are_no_locks(path, monkeypatch):
    def without(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", without)
    with_profile("work", {"url": "https://a"})
    monkeypatch.setattr(locks, "fcntl", None)
    with_profile("home", {"url": "https://b"})
    assert list(read_config().profiles) == ["work", "home"]
    assert list(path.parent.iterdir()) == [path]


def test_many_at_once(path):
    """Processes, since a lock is one of processes; each changes a profile of its own."""
    script = (
        "import sys\nfrom hatcher.cli.settings.profiles import with_profile\n"
        "for number in range(10):\n"
        "    with_profile(sys.argv[1], {'url': f'https://{number}'})\n"
    )
    at_work = [subprocess.Popen([sys.executable, "-c", script, f"p{n}"]) for n in range(8)]
    assert [process.wait(120) for process in at_work] == [0] * 8
    profiles = read_config().profiles.values()
    assert {profile.name: profile.url for profile in profiles} == {
        f"p{number}": "https://9" for number in range(8)
    }


def test_a_file_of_secrets_that_others_may_read(tmp_path):
    path = tmp_path / "secrets.json"
    assert read_private(path) is None
    write_private(path, "{}")
    assert read_private(path) == "{}"
    for mode in (0o640, 0o604, 0o620, 0o666):
        path.chmod(mode)
        with pytest.raises(Refusal, match="others") as caught:
            read_private(path)
        assert f"chmod 600 {path}" in caught.value.hint


# -- a wrong file and the commands ----------------------------------------------------------


def test_a_wrong_file_stops_what_needs_it_and_nothing_else(cli):
    path = cli.home / "config.toml"
    path.write_text("[profiles.work]\nulr = 'a'")
    cli.setenv("HATCHER_CONFIG", path)
    for command in (("platforms", "list"), ("whoami",), ("config", "list"), ("login",)):
        result = cli(*command)
        assert result.code == 2
        assert result.err.splitlines() == [
            f"Error: {path}:2: there is no setting 'ulr'.",
            "Did you mean 'url'?",
        ]
    assert cli("config", "path").out == f"{path}\n"
    for command in ((), ("eggs",), ("serve",), ("config", "set")):
        assert cli(*command, "--help").code == 0
