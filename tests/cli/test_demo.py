"""`hatcher serve --demo`, and what it says can be tried."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from hatcher.api import BroodBearerTokenAuth, BroodClient
from hatcher.cli.demo import _fill
from hatcher.cli.root import hatcher

END = re.compile(r"To stop it, press Ctrl-C or run: kill (\d+)\n")


def environment(home: Path) -> dict[str, str]:
    """That of a user who has set nothing, and whose `hatcher` is this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HATCHER_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "HOME": str(home), "TMPDIR": str(home)}


@contextmanager
def demo(home: Path, *options: object) -> Iterator[str]:
    """What a demo says, while it runs."""
    command = [sys.executable, "-m", "hatcher", "serve", "--demo", "--port", "0"]
    with subprocess.Popen(
        [*command, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(home),
    ) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or not END.fullmatch(lines[-1]):
                line = process.stdout.readline()
                assert line, "".join(lines)
                lines.append(line)
            yield "".join(lines)
            (pid,) = END.findall(lines[-1])
            os.kill(int(pid), signal.SIGTERM)
            assert process.wait(20) == 0
            assert process.stdout.read() == ""
        finally:
            process.kill()


def said(text: str, what: str) -> str:
    (value,) = re.findall(rf"(?m)^  {what} +(\S+)", text)
    return str(value)


def to_try(text: str) -> list[str]:
    commands = END.sub("", text.partition("To try in another terminal:")[2])
    return [line.strip() for line in commands.splitlines() if line.strip()]


@pytest.mark.long
def test_what_it_says_can_be_done(tmp_path):
    with demo(tmp_path) as text:
        url = said(text, "URL")
        assert text.startswith(f"Brood is serving at {url}\n")
        commands = to_try(text)
        assert [command.split()[1] for command in commands if command.startswith("hatcher")] == [
            *("eggs", "eggs", "bundles", "mirror"),
        ]
        # There are differences, and so mirror plan ends with 8; the others with 0.
        script = "set -e\n" + "\n".join([*commands[:-1], f"{commands[-1]} || test $? = 8"])
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert list(tmp_path.glob("attrs-*-1.egg")) and "5 copy" in done.stdout + done.stderr

        password = (said(text, "user"), said(text, "password"))
        token = BroodBearerTokenAuth(said(text, "token"))
        for auth in (password, token):
            with BroodClient.from_url(url, auth=auth, api_version=1) as client:
                assert client.list_organizations() == ["acme"]
                assert sorted(client.organization("acme").list_repositories()) == ["dev", "prod"]
                assert client.at("acme/dev/rh8-x86_64").bundles.list()
    assert not list(tmp_path.glob("hatcher-demo-*")), "a temporary folder is removed"


def test_it_goes_on_in_a_folder_of_its_own(tmp_path):
    data = tmp_path / "data"
    with demo(tmp_path, "--data", data) as text:
        token = said(text, "token")
        who = (said(text, "user"), said(text, "password"))
        with BroodClient.from_url(said(text, "URL"), who, api_version=1) as client:
            client.organization("acme").create_repository("mine", "-")
            client.organization("acme").repository("prod").delete()
    with demo(tmp_path, "--data", data) as text:
        assert "goes on with what it had" in text and token not in text
        assert not re.search(r"(?m)^  token", text)
        auth = BroodBearerTokenAuth(token)
        with BroodClient.from_url(said(text, "URL"), auth=auth, api_version=1) as client:
            # What was deleted is not made again.
            assert sorted(client.organization("acme").list_repositories()) == ["dev", "mine"]
        # A plain server shows it to no other machine either.
        result = CliRunner().invoke(
            hatcher, ["serve", "--data", str(data), "--host", "0.0.0.0", "--port", "0"]
        )
        assert result.exit_code == 2 and "this machine" in result.stderr


def test_what_a_kill_left_is_completed(brood_server):
    client = brood_server.client()
    client.create_organization("acme", "Makers of everything").create_repository("prod", "-")
    first = client.create_api_token("demo")["token"]
    for _ in range(2):
        token, eggs = _fill(client)
        assert token != first and len(eggs) == 3
        assert [token["name"] for token in client.list_api_tokens()] == ["demo"]
        assert sorted(client.organization("acme").list_repositories()) == ["dev", "prod"]
        assert len(client.at("acme/dev/rh8-x86_64").egg_index("cp311")) == 3


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "brood.example.com"])
def test_it_is_for_this_machine_only(tmp_path, host):
    arguments = ["serve", "--demo", "--host", host, "--data", str(tmp_path / "data")]
    result = CliRunner().invoke(hatcher, arguments)
    assert result.exit_code == 2 and "this machine" in result.stderr
    assert not (tmp_path / "data").exists()


def test_data_of_another_kind_are_left_alone(tmp_path):
    (tmp_path / "brood.sqlite3").write_bytes(b"not of a demo")
    result = CliRunner().invoke(hatcher, ["serve", "--demo", "--data", str(tmp_path)])
    assert result.exit_code == 2 and "other data" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["brood.sqlite3"]


def test_it_needs_no_more_than_the_server(tmp_path):
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['packaging', 'pytest'])); "
        "from hatcher.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "serve", "--demo", "--port", "0"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        assert line.startswith("Brood is serving at "), process.communicate()
    without = program.replace("'pytest'", "'starlette'")
    done = subprocess.run(
        [sys.executable, "-c", without, "serve", "--demo"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "extra 'server'" in done.stderr
