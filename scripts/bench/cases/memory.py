"""Peak memory of client and server while a large egg goes up and down."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from hatcher.testing import BroodProcess, write_egg
from scripts.bench.cases.jobs import MEMORY_LIMIT
from scripts.bench.drivers.measuring import forget_peak, status
from scripts.bench.options import Options
from scripts.bench.report import Table

#: What each end may take above what it takes when idle, in bytes.
LIMITS = {"client": MEMORY_LIMIT, "server": 60_000_000}
#: How often to measure at most: memory does not vary as times do.
_ROUNDS = 3
_DIRECTIONS = {"upload": "up", "download": "down"}

_CLIENT = Path(__file__).parents[1] / "drivers" / "transfer.py"

#: Of one transfer: the memory of each end when idle and at its peak, in bytes, and the seconds.
_Measured = tuple[dict[str, tuple[int, int]], float]


def run(options: Options) -> Table:
    """Measure uploads and downloads, every time with a fresh client and server.

    The table is within its limit when both ends stay below theirs.
    """
    egg = write_egg(
        options.scratch, platform="rh8-x86_64", python_tag="cp311", payload_bytes=options.size
    )
    found: dict[str, list[_Measured]] = {transfer: [] for transfer in _DIRECTIONS}
    rounds = min(options.rounds, _ROUNDS)
    for number in range(rounds):
        data = options.scratch / f"brood{number}"
        with BroodProcess(data) as brood:
            brood.client().create_organization("acme", "").create_repository("dev", "")
            for transfer, measured in found.items():
                brood.restart()
                measured.append(_measure(options, brood, _DIRECTIONS[transfer], egg))
        shutil.rmtree(data)
    table = Table(
        f"Memory during the transfer of an egg of {options.size / 1e6:,.0f} MB",
        ("transfer", "process", "idle", "peak", "above idle", "limit", "MB/s"),
        notes=(
            f"Medians over {rounds} round{'s' * (rounds > 1)}, MB = 10^6 bytes, resident memory as "
            "Linux counts it. A client is idle when it has sent one small request, a server when "
            "it is ready; both are fresh for each transfer, on one machine, over HTTP. This server "
            "is the embedded Brood, which checks what it gets, and not what the times were "
            "measured with."
        ),
    )
    for transfer, measured in found.items():
        speed = options.size / 1e6 / statistics.median(seconds for _, seconds in measured)
        for end, limit in LIMITS.items():
            figures = [(*ends[end], ends[end][1] - ends[end][0]) for ends, _ in measured]
            idle, peak, above = map(statistics.median, zip(*figures, strict=True))
            table.within = table.within and above <= limit
            verdict = f"{_mb(limit)} {'met' if above <= limit else '**missed**'}"
            sizes = (_mb(idle), _mb(peak), f"**{_mb(above)}**")
            table.rows.append((transfer, end, *sizes, verdict, f"{speed:,.0f}"))
    return table


def _measure(options: Options, brood: BroodProcess, direction: str, egg: Path) -> _Measured:
    destination = options.scratch / "downloads"
    destination.mkdir()
    job = {
        "url": brood.url,
        "auth": [brood.admin_email, brood.admin_password],
        "verify": True,
        "platform": ["acme", "dev", "rh8-x86_64"],
        "direction": direction,
        "egg": str(egg),
        "destination": str(destination),
    }
    command = [options.python, _CLIENT, json.dumps(job)]
    piped = subprocess.PIPE
    with subprocess.Popen(command, stdin=piped, stdout=piped, text=True) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        ends = {"client": client.pid, "server": brood.pid}
        _expect(client.stdout.readline(), "ready")
        idle = {end: _memory("VmRSS", pid) for end, pid in ends.items()}
        for pid in ends.values():
            forget_peak(pid)
        begun = time.perf_counter()
        client.stdin.write("go\n")
        client.stdin.flush()
        _expect(client.stdout.readline(), "done")
        seconds = time.perf_counter() - begun
        measured = {end: (idle[end], _memory("VmHWM", pid)) for end, pid in ends.items()}
        client.stdin.close()
    if direction == "down":
        (destination / egg.name).unlink()  # gone, or this fails
    destination.rmdir()
    return measured, seconds


def _memory(name: str, pid: int) -> int:
    size = status(name, pid)
    if size is None:
        raise RuntimeError(f"Memory is read from /proc/{pid}/status, which only Linux has.")
    return size


def _expect(line: str, word: str) -> None:
    if line.strip() != word:
        raise RuntimeError(f"The client ended early; its error stands above ({line.strip()!r}).")


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
