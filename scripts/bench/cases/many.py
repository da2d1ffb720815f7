"""Many small eggs at once, near and far."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import curl_at_once, job_for
from scripts.bench.comparison import Comparison, JobMaker, Limit
from scripts.bench.scene import Scene
from scripts.bench.servers.site import (
    DATA,
    EMPTY,
    FULL_VERSION,
    ORGANIZATION,
    PLATFORM,
    PYTHON_TAG,
    ROOT_PATH,
    SMALL,
)


def _up(where: str) -> JobMaker:
    def make(scene: Scene, folder: Path) -> dict[str, Any]:
        eggs = scene.small_local
        count = len(list(eggs.iterdir()))
        return job_for(scene, where, EMPTY, eggs=str(eggs), count=count)

    return make


def _down(where: str) -> JobMaker:
    def make(scene: Scene, folder: Path) -> dict[str, Any]:
        return job_for(scene, where, SMALL, destination=str(folder), count=scene.small)

    return make


def _curl_up(where: str) -> tuple[Limit]:
    def make(scene: Scene, folder: Path) -> list[str]:
        path = f"{ROOT_PATH}{DATA}/{ORGANIZATION}/{EMPTY}/{PLATFORM}/eggs/upload"
        transfers = [
            f'url = "{getattr(scene, where)}{path}"\noutput = "/dev/null"\nheader = "Expect:"\n'
            f'form = "file=@{egg}"\nform = "data={{}}"\n'
            for egg in sorted(scene.small_local.iterdir())
        ]
        return curl_at_once(folder, transfers)

    return (Limit("curl, 16 at once", "curl", make),)


def _curl_down(where: str) -> tuple[Limit]:
    def make(scene: Scene, folder: Path) -> list[str]:
        path = f"{ROOT_PATH}{DATA}/{ORGANIZATION}/{SMALL}/{PLATFORM}/{PYTHON_TAG}/eggs"
        transfers = [
            f'url = "{getattr(scene, where)}{path}/small_{number:03}/{FULL_VERSION}"\n'
            f'output = "{folder}/{number}"\n'
            for number in range(scene.small)
        ]
        return curl_at_once(folder, transfers)

    return (Limit("curl, 16 at once", "curl", make),)


COMPARISONS = (
    Comparison(
        "many-up",
        "200 tiny eggs up, 0 ms latency",
        "many_up",
        _up("http"),
        must=2.5,
        aim=6,
        limits=_curl_up("http"),
    ),
    Comparison(
        "many-up-far",
        "200 tiny eggs up, 20 ms latency",
        "many_up",
        _up("far"),
        must=11,
        aim=19,
        limits=_curl_up("far"),
    ),
    Comparison(
        "many-down",
        "200 eggs down with their metadata, 0 ms latency",
        "many_down",
        _down("http"),
        must=1.5,
        aim=3,
        limits=_curl_down("http"),
    ),
    Comparison(
        "many-down-far",
        "200 eggs down with their metadata, 20 ms latency",
        "many_down",
        _down("far"),
        must=9,
        aim=14,
        limits=_curl_down("far"),
    ),
)
