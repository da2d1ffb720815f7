"""Signals at real processes: one line, the right exit code, and nothing by half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from hatcher.testing import FaultyGateway, RequestFault, write_egg

from .conftest import Cli

PLACE = ("acme", "dev", "rh8-x86_64")
SIGNALS = pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "Error: Interrupted.\n"),
        (signal.SIGTERM, 143, "Error: Ended by SIGTERM.\n"),
    ],
)

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals for others"),
    pytest.mark.usefixtures("dev"),
]


def interrupted(
    cli: Cli, gateway: FaultyGateway, number: int, path: str, *arguments: object, after: int = 1
) -> tuple[int, str, str]:
    """Run a command, and send a signal when the gateway has so many requests for a path."""
    command = cli.command("--url", gateway.url, *arguments)
    with subprocess.Popen(
        # Who runs the tests in the background has them ignore Ctrl-C.
        ["env", "--default-signal=INT,TERM", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while gateway.sent("*", path) < after:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@SIGNALS
def test_in_the_middle_of_an_upload(cli, tmp_path, faulty_gateway, number, code, said):
    egg = write_egg(tmp_path, "nose", "1.0", platform="rh8-x86_64", payload_bytes=5_000_000)
    gateway = faulty_gateway(RequestFault("stall", at="request body", path="*/eggs/upload"))
    result = interrupted(cli, gateway, number, "*/eggs/upload", "eggs", "upload", *PLACE, egg)
    assert result == (code, "", said)
    platform = cli.client().organization("acme").repository("dev").platform("rh8-x86_64")
    assert list(platform.list_eggs("cp311")) == []
    # Nothing that is left stands in the way of the same command.
    assert cli("eggs", "upload", *PLACE, egg).code == 0


@SIGNALS
def test_in_the_middle_of_a_batch(cli, tmp_path, faulty_gateway, number, code, said):
    eggs = [write_egg(tmp_path, f"Egg{i}", "1.0", platform="rh8-x86_64") for i in range(3)]
    gateway = faulty_gateway(RequestFault("stall", at="answer", path="*/eggs/upload", times=9))
    ended, out, err = interrupted(
        cli, gateway, number, "*/eggs/upload", "eggs", "batch-upload", *PLACE, *eggs, "-o", "jsonl"
    )
    assert ended == code and said.removeprefix("Error: ").strip() in err
    assert len(out.splitlines()) == 3
    assert "Traceback" not in err and "Exception ignored" not in err
    assert cli("eggs", "batch-upload", *PLACE, *eggs).code == 0


def test_in_the_middle_of_a_download(cli, tmp_path, faulty_gateway):
    egg = write_egg(tmp_path, "nose", "1.0", platform="rh8-x86_64", payload_bytes=5_000_000)
    assert cli("eggs", "upload", *PLACE, egg).code == 0
    gateway = faulty_gateway(RequestFault("stall", at="answer body", path="*/eggs/*/nose/*"))
    folder = tmp_path / "downloads"
    folder.mkdir()
    download = ("eggs", "download", *PLACE, "cp311", "nose", "1.0-1", folder)
    code, out, err = interrupted(cli, gateway, signal.SIGINT, "*", *download)
    assert (code, out, err) == (130, "", "Error: Interrupted.\n")
    assert not (folder / egg.name).exists()
    assert cli(*download).code == 0
    assert (folder / egg.name).read_bytes() == egg.read_bytes()


def test_before_the_server_answers(cli, faulty_gateway):
    gateway = faulty_gateway(RequestFault("stall", at="request", times=9))
    result = interrupted(cli, gateway, signal.SIGINT, "*", "platforms", "list")
    assert result == (130, "", "Error: Interrupted.\n")


#: A command that is interrupted in a finalizer, where Python drops what is raised.
_IN_A_FINALIZER = """
import os, signal, sys, time
from hatcher.cli import run

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(0.1)

def stall(ctx):
    Finalized()
    time.sleep(60)

run.hatcher.invoke = stall
sys.exit(run.process(["platforms", "list"]))
"""


@SIGNALS
def test_in_a_finalizer(number, code, said):
    python = [sys.executable, "-c", _IN_A_FINALIZER, str(int(number))]
    command = ["env", "--default-signal=INT,TERM", *python]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)
