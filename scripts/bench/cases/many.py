"""Many small eggs at once, near and far."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import curl_at_once, job_for
from scripts.bench.comparison import Comparison, Limit
from scripts.bench.scene import Scene
from scripts.bench.servers.site import EMPTY, SMALL, egg_path, upload_path

#: How many times faster they must be, and are to be, by way, server and latency.
_WANTED = {
    ("up", "http", 0): (2.5, 6),
    ("up", "far", 20): (11, 19),
    ("down", "http", 0): (1.5, 3),
    ("down", "far", 20): (9, 14),
}
_TITLES = {"up": "200 tiny eggs up", "down": "200 eggs down with their metadata"}


def _job(way: str, where: str, scene: Scene, folder: Path) -> dict[str, Any]:
    if way == "up":
        eggs = scene.small_local
        count = sum(1 for _ in eggs.iterdir())
        return job_for(scene, where, EMPTY, eggs=str(eggs), count=count)
    return job_for(scene, where, SMALL, destination=str(folder), count=scene.small)


def _curl(way: str, where: str, scene: Scene, folder: Path) -> list[str]:
    url = getattr(scene, where)
    if way == "up":
        transfers = [
            f'url = "{url}{upload_path(EMPTY)}"\noutput = "/dev/null"\nheader = "Expect:"\n'
            f'form = "file=@{egg}"\nform = "data={{}}"\n'
            for egg in sorted(scene.small_local.iterdir())
        ]
    else:
        transfers = [
            f'url = "{url}{egg_path(f"small_{number:03}", SMALL)}"\noutput = "{folder}/{number}"\n'
            for number in range(scene.small)
        ]
    return curl_at_once(folder, transfers)


def _comparisons() -> Iterator[Comparison]:
    for (way, where, latency), (must, aim) in _WANTED.items():
        name = f"many-{way}-far" if latency else f"many-{way}"
        title = f"{_TITLES[way]}, {latency} ms latency"
        curl = Limit("curl, 16 at once", "curl", partial(_curl, way, where))
        job = partial(_job, way, where)
        yield Comparison(name, title, f"many_{way}", job, must=must, aim=aim, limits=(curl,))


COMPARISONS = (*_comparisons(),)
