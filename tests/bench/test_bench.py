"""The measurements run, and their limits hold in small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_does_not_grow_with_the_egg(tmp_path: Path) -> None:
    # Held in memory once, 150 MB would break the limit of 60 MB.
    done = bench("memory", "--size", "150MB", "--rounds", "1", "--scratch", str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| upload |") == done.stdout.count("| download |") == 2
    assert "MISSED" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "there is no case 'nothing'"),
        (["--size", "big"], "'big' is no size"),
        (["--rounds", "0"], "'0' is no number of rounds"),
    ],
)
def test_what_cannot_be_measured(arguments: list[str], message: str) -> None:
    done = bench(*arguments)

    assert done.returncode == 2
    assert message in done.stderr
