"""A whole repository as a folder, and what differs between two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import curl_at_once, job_for
from scripts.bench.comparison import Comparison, Limit
from scripts.bench.scene import Scene
from scripts.bench.servers.site import (
    MIRRORED,
    MIRRORED_PLATFORMS,
    MIRRORED_TAGS,
    NEARLY,
    REPOSITORY,
    egg_path,
    nearly_count,
)

#: The existing client takes half a minute for each export.
_ROUNDS = 3
#: What a plan may take, in bytes: 400 MB of a whole process, of which an idle client takes 25.
_PLAN_MEMORY = 375_000_000


def _export(scene: Scene, folder: Path, most_requests: int | None = None) -> dict[str, Any]:
    return job_for(
        scene,
        "far",
        MIRRORED,
        destination=str(folder),
        count=len(scene.mirrored),
        platforms=MIRRORED_PLATFORMS,
        python_tags=MIRRORED_TAGS,
        requests=scene.requests,
        most_requests=most_requests,
    )


def _export_again(scene: Scene, folder: Path) -> dict[str, Any]:
    # What either client exports is the same, so both go on with one folder. It has no cache of
    # indices, which only ours would have: they are fetched whole.
    return _export(scene, scene.exported, len(MIRRORED_PLATFORMS) * len(MIRRORED_TAGS))


def _plan(scene: Scene, folder: Path) -> dict[str, Any]:
    scene.nearly  # noqa: B018
    steps, both = nearly_count(scene.entries), [REPOSITORY, NEARLY]
    return job_for(scene, "http", repositories=both, steps=steps, requests=scene.requests)


def _curl(scene: Scene, folder: Path) -> list[str]:
    told = [
        f'url = "{scene.far}{egg_path(egg.name, MIRRORED, egg.place)}"\n'
        f'output = "{folder}/{egg.name}"\n'
        for egg in scene.mirrored
    ]
    return curl_at_once(folder, told)


COMPARISONS = (
    Comparison(
        "export-first",
        "export of 1,000 small eggs, two platforms with two python tags each, 20 ms latency",
        "export_eggs",
        _export,
        must=9,
        limits=(Limit("curl, 16 at once", "curl", _curl),),
        most_rounds=_ROUNDS,
    ),
    Comparison(
        "export-again",
        "the same export again, nothing changed, at most one request for each platform and tag",
        "export_eggs",
        _export_again,
        must=30,
        most_rounds=_ROUNDS,
    ),
    Comparison(
        "plan",
        "a plan, 50,000 entries in the index of either side, 0 ms latency",
        "plan_mirror",
        _plan,
        must=0.34,  # less than three times what it is compared with
        memory_limit=_PLAN_MEMORY,
        peers=(Limit("both indices alone, hatcher", "egg_indices", _plan),),
    ),
)
