"""What the jobs of most comparisons have in common."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.bench.comparison import JobMaker
from scripts.bench.scene import AUTH, Scene
from scripts.bench.servers.site import ORGANIZATION, PLATFORM, REPOSITORY

#: What every transfer may take above an idle client, in bytes.
MEMORY_LIMIT = 45_000_000


def job_for(scene: Scene, url: str, repository: str = REPOSITORY, **others: Any) -> dict[str, Any]:
    """Return a job for a server, in a repository."""
    return {
        "url": url,
        "auth": list(AUTH),
        "verify": str(scene.authority) if url.startswith("https:") else True,
        "platform": [ORGANIZATION, repository, PLATFORM],
        "profile": None,
        **others,
    }


def with_library(library: str, job: JobMaker) -> JobMaker:
    """Return what makes the same job for a library that knows nothing of Brood."""
    return lambda scene, folder: {**dict(job(scene, folder)), "library": library}


def curl_at_once(folder: Path, transfers: Iterable[str]) -> list[str]:
    """Return what curl is told to do several transfers, sixteen at once.

    Parameters
    ----------
    folder : pathlib.Path
        Where what it is told of the transfers goes, for want of room on the command line.
    transfers : iterable of str
        As its configuration files have them.
    """
    path = folder / "curl"
    # Each transfer forgets what was said of the one before, this included.
    text = "next\n".join(f"fail\n{transfer}" for transfer in transfers)
    path.write_text(text, encoding="utf-8")
    at_once = ("--parallel", "--parallel-immediate", "--parallel-max", "16")
    return ["--no-progress-meter", *at_once, "--config", str(path)]
