"""The measurements run, in small and with one client; how fast it is, is no matter of tests."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.bench.__main__ import main
from scripts.bench.cases import mirroring
from scripts.bench.options import Options
from scripts.bench.scene import Scene
from scripts.programs import VARIABLE

pytestmark = pytest.mark.programs

ROOT = Path(__file__).parents[2]
ITSELF = ("--ours", sys.executable, "--peer", sys.executable)


def bench(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_does_not_grow_with_the_egg(tmp_path):
    # Held in memory once, 60 MB would break the limits.
    done = bench("memory", "--size", "60MB", "--rounds", "1", "--dev", "--scratch", str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| upload |") == done.stdout.count("| download |") == 2
    assert "missed" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("cases", "more"),
    [
        (["import", "first-answer", "tiny-get", "download-tls", "index-again"], []),
        pytest.param(["upload", "list", "many-up-far", "many-down"], [], marks=pytest.mark.long),
        pytest.param(["export-first", "export-again", "plan"], [], marks=pytest.mark.long),
        (["cli-help", "cli-completion"], []),
        (["tiny-get", "download-tls", "many-up"], ["--without-nginx"]),
    ],
    ids=["one", "many", "mirroring", "command line", "without nginx"],
)
@pytest.mark.long
def test_both_clients_are_measured(cases, more, tmp_path):
    scratch, page = tmp_path / "scratch", tmp_path / "page.md"
    scratch.mkdir()
    few = ["--scale", "0.01", "--rounds", "1", "--scratch", str(scratch), "--output", str(page)]
    done = bench(*cases, *ITSELF, *few, *more)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for case in cases:
        assert f"\n{case}: " in done.stdout
    fast = page.read_text().partition("## How fast")[2].partition("## At what cost")[0]
    rows = [line.split(" | ") for line in fast.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(cases)
    for row in rows:
        assert float(row[3].strip("*")) > 0
    assert "missed" not in fast  # of so little, nothing can be said
    assert list(scratch.iterdir()) == []


@pytest.mark.long
def test_async_programs_are_measured(tmp_path):
    few = ["--scale", "0.02", "--rounds", "1", "--scratch", str(tmp_path), "--dev"]
    done = bench("async", *few)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    table = done.stdout.partition("## In async programs")[2].partition("## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 10
    assert all(re.search(r"\d \w+ \(", row[2]) for row in rows)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hidden", ["", "ip,nginx,aria2c"])
@pytest.mark.long
def test_a_long_link_is_measured(hidden, tmp_path):
    large = ["far-large-limited", "far-large-tls", "far-429", "far-killed"]
    cases = [*large, "far-many-up", "far-command-eggs"]
    few = ["--scale", "0.02", "--rounds", "1", "--scratch", str(tmp_path), "--dev"]
    done = bench(*cases, *few, env={**os.environ, VARIABLE: hidden})

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert all(f"\n{case}: " in done.stdout for case in cases)
    if hidden:
        assert "far-killed: left out" in done.stdout
        assert "not installed: aria2c" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_asks_too_much_fails(tmp_path):
    with Scene(Options(0, 1, tmp_path, scale=0.008)) as scene:
        (again,) = (each for each in mirroring.COMPARISONS if each.name == "export-again")
        job = dict(again.job(scene, tmp_path))
        ended = []
        for most in (4, 3):  # two platforms, and two tags
            told = json.dumps({**job, "most_requests": most})
            driver = ROOT / "scripts" / "bench" / "drivers" / "works.py"
            command = [sys.executable, driver, again.driver, told]
            ended.append(subprocess.run(command, capture_output=True, text=True))

    assert (ended[0].returncode, ended[0].stderr) == (0, "")
    assert json.loads(ended[0].stdout)["requests"] == 4
    assert ended[1].returncode == 1
    assert "It took 4 requests, and must not take more than 3." in ended[1].stderr


def test_a_profile_names_what_takes_time(tmp_path):
    few = ["--scale", "0.05", "--scratch", str(tmp_path)]
    done = bench("tiny-get", "--profile", "--dev", *few)

    assert done.returncode == 0, done.stderr
    assert "Ordered by: internal time" in done.stdout
    assert "samples in the function" in done.stdout
    assert "MainThread: drivers/works.py run" in done.stdout


def test_a_profile_of_a_start_names_modules(tmp_path):
    done = bench("import", "--profile", "--dev", "--scratch", str(tmp_path))

    assert done.returncode == 0, done.stderr
    # Which they are, is a matter of what else the machine does.
    named = re.findall(r"(?m)^ *(\d+) +(\d+)  +([\w.]+)$", done.stdout)
    assert len(named) == 25
    assert int(named[0][0]) >= int(named[-1][0])


def test_a_client_that_fails_fails_the_run(tmp_path):
    python = tmp_path / "python"  # which has no hatcher
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    done = bench("import", "--dev", "--peer", str(python), "--rounds", "1", "--scale", "0.01")

    assert done.returncode == 1
    assert "No module named 'hatcher'" in done.stderr
    assert "Not measured, since a client failed: import." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "there is no case 'nothing'"),
        (["--size", "big"], "'big' is no size"),
        (["--rounds", "0"], "'0' is no number of rounds"),
        (["--scale", "2"], "'2' is no part"),
        (["--profile"], "--profile needs the name of one case"),
        (["memory", "--profile"], "memory has no profile"),
        (["--scratch", "/no/such/folder"], "there is no folder '/no/such/folder'"),
    ],
)
def test_what_cannot_be_measured(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("case", ["tiny-get", "far-many-up"])
def test_an_interrupted_run_leaves_nothing(case, tmp_path):
    command = [sys.executable, "-m", "scripts.bench", case, *ITSELF]
    with subprocess.Popen(
        [*command, "--scratch", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # what it measures on
        while not list(tmp_path.glob("bench-*/*/home")):  # a client runs
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert list(Path("/run/netns").glob(f"bench-{process.pid}-*")) == []
