"""What async programs do, beside the same without our client and without await."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import job_for
from scripts.bench.cases.many import many_job
from scripts.bench.comparison import Comparison, Limit
from scripts.bench.options import BUSY_SECONDS, LISTED_EGGS, TINY_GETS
from scripts.bench.scene import Scene
from scripts.bench.servers.site import BUSY, REPOSITORY, SMALL

_WAYS = {"up": "200 tiny eggs up", "down": "200 eggs down with their metadata"}
_BUSY = "64 transfers, and an index of 50,000 entries decoded again and again, for 30 s"


def _gets(times: str, scene: Scene, folder: Path) -> dict[str, Any]:
    return job_for(scene, "http", **{times: scene.scaled(TINY_GETS)})


def _lists(scene: Scene, folder: Path, **more: Any) -> dict[str, Any]:
    told = {"repositories": scene.listed, "eggs": LISTED_EGGS * len(scene.listed), **more}
    return job_for(scene, "far", **told)


def _ticker(scene: Scene, folder: Path, **more: Any) -> dict[str, Any]:
    scene.many(BUSY)
    told = {"destination": str(folder), "index": REPOSITORY, "entries": scene.entries}
    told |= {"eggs": str(scene.many_local(BUSY)), "seconds": scene.scaled(BUSY_SECONDS)}
    return job_for(scene, "swallowing", BUSY, **{**told, **more})


def _twice(
    name: str, title: str, *wanted: tuple[str, str, float, str], **told: Any
) -> Iterator[Comparison]:
    """Return what is looked at in two ways, and measured once: what to call each, its figure and must."""
    first = f"async-{name}{wanted[0][0]}"
    for more, figure, must, said in wanted:
        runs_of = first if more else None
        named = {"title": f"{title}, {said}", "figure": figure, "must": must, "runs_of": runs_of}
        yield Comparison(f"async-{name}{more}", **named, **told)


def _many() -> Iterator[Comparison]:
    for way, title in _WAYS.items():
        job = partial(many_job, way, "far", SMALL)
        yield Comparison(
            f"async-many-{way}",
            f"{title}, 20 ms latency",
            f"async_many_{way}",
            job,
            must=1.1,
            measure="times as long",
            peers=(Limit("hatcher.api", f"many_{way}", job),),
        )


def _imports() -> Iterator[Comparison]:
    for name, ours, other in (
        ("import", "import hatcher.aio", "import hatcher.api"),
        (
            "import-client",
            "from hatcher.aio import AsyncBroodClient",
            "from hatcher.api import BroodClient",
        ),
    ):
        yield Comparison(
            f"async-{name}",
            f"`{ours}`",
            "importing",
            lambda scene, folder, told=ours: [told],
            must=60,
            measure="ms",
            peers=(Limit(f"`{other}`", "importing", lambda scene, folder, told=other: [told]),),
        )


COMPARISONS = (
    *_twice(
        "late",
        f"an event loop beside {_BUSY}",
        ("", "late", 20, "how late of 99 %"),
        ("-most", "latest", 100, "how late at most"),
        driver="async_ticker",
        job=_ticker,
        measure="ms",
        peers=(
            Limit("httpx", "async_ticker", partial(_ticker, by_hand=True)),
            Limit("nothing else", "async_ticker", partial(_ticker, eggs="")),
        ),
        in_memory=True,
        most_rounds=1,
    ),
    *_twice(
        "lists",
        "1,000 `list_eggs` of small indices, 64 at once, 20 ms latency",
        ("", "wall", 1, "time"),
        ("-cpu", "cpu", 1, "CPU time"),
        driver="async_lists",
        job=_lists,
        measure="times as long",
        peers=(Limit("httpx", "async_lists", partial(_lists, by_hand=True)),),
    ),
    *_twice(
        "call",
        "a tiny GET, kept-alive",
        ("", "wall", 150, "time each"),
        ("-cpu", "cpu", 150, "CPU time each"),
        driver="async_gets",
        job=partial(_gets, "calls"),
        measure="µs more",
        peers=(Limit("hatcher.api", "tiny_gets", partial(_gets, "times")),),
    ),
    *_many(),
    *_imports(),
)
