"""The server as a process: how it starts, says so, stops, and what a violent end leaves."""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from hatcher.cli.root import hatcher
from hatcher.server import runner
from hatcher.server.folder import FolderInUseError
from hatcher.server.runner import BackgroundServer, CannotListenError
from hatcher.server.settings import Settings
from hatcher.testing.eggs import write_egg

from .conftest import ADMIN, PLATFORM, Client, make_repository, sha256_of


@contextmanager
def process(data: Path, password: str | None = ADMIN[1]) -> Iterator[subprocess.Popen[str]]:
    environment = {key: value for key, value in os.environ.items() if "HATCHER" not in key}
    if password is not None:
        environment["HATCHER_SERVER_ADMIN_PASSWORD"] = password
    program = [sys.executable, "-c", "from hatcher.cli import main; main()"]
    started = subprocess.Popen(
        [*program, "serve", "--data", str(data), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def ready(started: subprocess.Popen[str]) -> Client:
    line = started.stdout.readline()
    assert line.startswith("Brood is serving at http://127.0.0.1:"), line
    url = line.removeprefix("Brood is serving at ").rstrip("\n")
    return Client(base_url=f"{url}/api/v1/json", auth=ADMIN, timeout=30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_until_told_to_stop(tmp_path, number):
    with process(tmp_path / "brood") as started, ready(started) as client:
        assert client.get("/metadata/platforms").status_code == 200
        started.send_signal(number)
        out, err = started.communicate(timeout=60)
    assert (started.returncode, out, err) == (0, "", "")


def test_a_made_up_password_is_told_once(tmp_path):
    with process(tmp_path / "brood", None) as started, ready(started) as client:
        started.send_signal(signal.SIGTERM)
        out, err = started.communicate(timeout=60)
        assert out == "", "chatter goes to stderr"
        (password,) = (line.rpartition(" ")[2] for line in err.splitlines() if " is " in line)
    with process(tmp_path / "brood", None) as started, ready(started) as client:
        assert client.get("/metadata/platforms", auth=(ADMIN[0], password)).status_code == 200
        started.send_signal(signal.SIGTERM)
        assert started.communicate(timeout=60) == ("", "")


def test_transfers_end_before_the_server_does(tmp_path):
    with process(tmp_path / "brood") as started, ready(started) as client:
        make_repository(client)
        egg = write_egg(tmp_path, "big", payload_bytes=32 << 20)
        assert client.upload_egg(egg).status_code == 201
        url = f"/data/acme/dev/{PLATFORM}/none/eggs/big/1.0.0-1"
        with client.stream("GET", url) as response:
            chunks = response.iter_raw(1 << 16)
            received = [next(chunks)]
            started.send_signal(signal.SIGTERM)
            received += chunks
        assert b"".join(received) == egg.read_bytes()
        assert started.wait(20) == 0


def test_a_port_that_is_taken(settings):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotListenError, match=f"port {port}.*--port"):
            BackgroundServer(Settings(settings.data, port=port)).__enter__()
        assert "--port" in refused(settings.data, "--port", str(port))


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--admin", "ada", "'ada': that is no e-mail address"),
        *(
            ("--trusted-proxy", network, f"'{network}' is no network of trusted proxies")
            for network in ("", "x", "10.0.0.0/33", "1.2.3", "example.com")
        ),
    ],
)
def test_settings_that_are_none(tmp_path, option, value, says):
    assert says in refused(tmp_path / "data", option, value)
    assert not (tmp_path / "data").exists()


def refused(data: Path, *options: str) -> str:
    """What ``hatcher serve`` says that ends at once."""
    result = CliRunner().invoke(hatcher, ["serve", "--data", str(data), *options])
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, (None, False)),
        (["--max-upload", "5000", "--strict-platforms"], {}, (5000, True)),
        ([], {"HATCHER_SERVER_MAX_UPLOAD": "6000"}, (6000, False)),
    ],
)
def test_what_a_server_takes_is_an_option(monkeypatch, arguments, environment, expected):
    told: list[Settings] = []
    monkeypatch.setattr(runner, "serve", told.append)
    result = CliRunner().invoke(hatcher, ["serve", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    assert [(each.max_upload, each.strict_platforms) for each in told] == [expected]


def test_an_address_of_nobody(settings):
    for host in ("203.0.113.1", "no.such.host.invalid"):
        with pytest.raises(CannotListenError, match="--host"):
            BackgroundServer(Settings(settings.data, host=host, port=0)).__enter__()


def test_one_server_for_one_folder(settings, server):
    with pytest.raises(FolderInUseError):
        BackgroundServer(settings).__enter__()
    assert "Another Brood" in refused(settings.data, "--port", "0")
    assert httpx.get(server.url + "/").status_code == 200


def test_many_in_one_process(settings, tmp_path):
    before = threading.active_count()
    with (
        BackgroundServer(Settings(tmp_path / "a", port=0)) as one,
        BackgroundServer(Settings(tmp_path / "b", port=0)) as other,
    ):
        assert one.url != other.url
        for server in (one, other):
            assert httpx.get(server.url + "/").status_code == 200
    server = BackgroundServer(settings)
    for _ in range(5):
        with server:
            url = server.url
            assert httpx.get(url + "/").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(url + "/")
        with pytest.raises(RuntimeError, match="does not run"):
            server.url  # noqa: B018
    # Threads of a pool may linger for a moment, but they do not add up.
    assert threading.active_count() < before + 50


def test_ipv6(settings):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with BackgroundServer(Settings(settings.data, host="::1", port=0)) as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(server.url + "/").status_code == 200


def test_answers_come_without_delay(admin, server):
    """Nagle's algorithm would hold back the second packet of every answer."""
    (protocol,) = server._server.server_state.connections
    connection = protocol.transport.get_extra_info("socket")
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.long
def test_kill_leaves_nothing_half(tmp_path):
    """Whatever is shown after a kill is whole, and what was answered is there."""
    chance = random.Random(0)
    eggs = [
        write_egg(tmp_path, f"egg{number}", payload_bytes=200_000, seed=number)
        for number in range(12)
    ]
    answered: set[str] = set()
    for number in range(5):
        with process(tmp_path / "brood") as started, ready(started) as client:
            if number == 0:
                make_repository(client)
            index = client.index()
            assert answered <= index.keys(), "an answered upload is kept"
            for name, entry in index.items():
                assert entry["sha256"] == sha256_of(tmp_path / name)
                url = f"/data/acme/dev/{PLATFORM}/none/eggs/{name.partition('-')[0]}/1.0.0-1"
                assert client.get(url).content == (tmp_path / name).read_bytes()
                assert client.delete(url).status_code == 204
            answered = set()

            def kill(victim: subprocess.Popen[str] = started) -> None:
                time.sleep(chance.uniform(0.02, 0.3))
                victim.kill()

            killer = threading.Thread(target=kill)
            killer.start()
            try:
                for egg in eggs:
                    if client.upload_egg(egg).status_code == 201:
                        answered.add(egg.name)
            except (httpx.TransportError, http.client.HTTPException):
                pass
            killer.join()


def test_without_the_extra(tmp_path):
    program = "import sys; sys.modules['starlette'] = None; from hatcher.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "serve"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "starlette" in done.stderr
    assert "extra 'server'" in done.stderr and "'.[server]'" in done.stderr
    assert "Traceback" not in done.stderr
