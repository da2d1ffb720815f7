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


def many_job(
    way: str, where: str, repository: str, scene: Scene, folder: Path, **more: Any
) -> dict[str, Any]:
    """Return what our client is told, to download a repository, or to upload as many eggs."""
    if way == "down":
        told = {"destination": str(folder), "count": scene.many(repository), **more}
        return job_for(scene, where, repository, **told)
    eggs = scene.many_local(repository)
    told = {"eggs": str(eggs), "count": sum(1 for _ in eggs.iterdir()), **more}
    return job_for(scene, where, EMPTY, **told)


def many_curl(
    way: str, where: str, repository: str, scene: Scene, folder: Path, most: int = 16
) -> list[str]:
    """Return what curl is told to do the same, so many at once."""
    url = getattr(scene, where)
    if way == "up":
        transfers = [
            f'url = "{url}{upload_path(EMPTY)}"\noutput = "/dev/null"\nheader = "Expect:"\n'
            f'form = "file=@{egg}"\nform = "data={{}}"\n'
            for egg in sorted(scene.many_local(repository).iterdir())
        ]
    else:
        paths = (egg_path(f"small_{n:03}", repository) for n in range(scene.many(repository)))
        transfers = [
            f'url = "{url}{path}"\noutput = "{folder}/{n}"\n' for n, path in enumerate(paths)
        ]
    return curl_at_once(folder, transfers, most)


def _comparisons() -> Iterator[Comparison]:
    for (way, where, latency), (must, aim) in _WANTED.items():
        name = f"many-{way}-far" if latency else f"many-{way}"
        title = f"{_TITLES[way]}, {latency} ms latency"
        curl = Limit("curl, 16 at once", "curl", partial(many_curl, way, where, SMALL))
        job = partial(many_job, way, where, SMALL)
        yield Comparison(name, title, f"many_{way}", job, must=must, aim=aim, limits=(curl,))


COMPARISONS = (*_comparisons(),)
