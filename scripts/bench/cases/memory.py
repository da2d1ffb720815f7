"""Peak memory of client and server while a large egg goes up and down."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from attrs import frozen

from hatcher.testing import BroodProcess, write_egg
from scripts.bench import processes
from scripts.bench.cases.jobs import MEMORY_LIMIT
from scripts.bench.options import Options
from scripts.bench.report import Table

#: What each end may take above what it takes when idle, in bytes.
LIMITS = {"client": MEMORY_LIMIT, "server": 60_000_000}
#: How often to measure at most: memory does not vary as times do.
_ROUNDS = 3

_CLIENT = Path(__file__).parents[1] / "transfer.py"


@frozen
class Measured:
    """One transfer; memory in bytes, time in seconds."""

    client_start: int
    client_peak: int
    server_start: int
    server_peak: int
    seconds: float


def run(options: Options) -> Table:
    """Measure uploads and downloads, every time with a fresh client and server.

    Parameters
    ----------
    options : Options
        With the size of the egg and the number of rounds.

    Returns
    -------
    Table
        Within its limit when both ends stay below theirs.
    """
    egg = write_egg(
        options.scratch, platform="rh8-x86_64", python_tag="cp311", payload_bytes=options.size
    )
    ups, downs = [], []
    rounds = min(options.rounds, _ROUNDS)
    for number in range(rounds):
        data = options.scratch / f"brood{number}"
        with BroodProcess(data) as brood:
            brood.client().create_organization("acme", "").create_repository("dev", "")
            brood.restart()
            ups.append(_measure(options, brood, "up", egg, options.scratch))
            brood.restart()
            downs.append(_measure(options, brood, "down", egg, options.scratch / "downloads"))
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
    for name, measured in (("upload", ups), ("download", downs)):
        speed = options.size / 1e6 / statistics.median(each.seconds for each in measured)
        for end in ("client", "server"):
            start = [getattr(each, f"{end}_start") for each in measured]
            peak = [getattr(each, f"{end}_peak") for each in measured]
            above = statistics.median(high - low for high, low in zip(peak, start, strict=True))
            limit = LIMITS[end]
            table.within = table.within and above <= limit
            table.rows.append(
                (
                    name,
                    end,
                    _mb(statistics.median(start)),
                    _mb(statistics.median(peak)),
                    f"**{_mb(above)}**",
                    f"{_mb(limit)} {'met' if above <= limit else '**missed**'}",
                    f"{speed:,.0f}",
                )
            )
    return table


def _measure(
    options: Options, brood: BroodProcess, direction: str, egg: Path, destination: Path
) -> Measured:
    destination.mkdir(exist_ok=True)
    job = {
        "url": brood.url,
        "auth": [brood.admin_email, brood.admin_password],
        "direction": direction,
        "egg": str(egg),
        "destination": str(destination),
    }
    with subprocess.Popen(
        [options.python, _CLIENT, json.dumps(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        _expect(client.stdout.readline(), "ready")
        server_start, client_start = map(processes.resident, (brood.pid, client.pid))
        for pid in (brood.pid, client.pid):
            processes.forget_peak(pid)
        begun = time.perf_counter()
        client.stdin.write("go\n")
        client.stdin.flush()
        _expect(client.stdout.readline(), "done")
        seconds = time.perf_counter() - begun
        measured = Measured(
            client_start,
            processes.peak(client.pid),
            server_start,
            processes.peak(brood.pid),
            seconds,
        )
        client.stdin.close()
    if direction == "down":
        (destination / egg.name).unlink()  # gone, or this fails
        destination.rmdir()
    return measured


def _expect(line: str, word: str) -> None:
    if line.strip() != word:
        raise RuntimeError(f"The client ended early; its error stands above ({line.strip()!r}).")


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
