"""What the jobs of most comparisons have in common."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.bench.scene import AUTH, Scene
from scripts.bench.servers.site import ORGANIZATION, PLATFORM, REPOSITORY

#: What every transfer may take above an idle client, in bytes.
MEMORY_LIMIT = 45_000_000


def job_for(
    scene: Scene, where: str, repository: str = REPOSITORY, **others: Any
) -> dict[str, Any]:
    """Return a job for a server of the scene, in a repository."""
    scene.site  # noqa: B018
    url = getattr(scene, where)
    return {
        "url": url,
        "auth": list(AUTH),
        "verify": str(scene.authority) if url.startswith("https:") else True,
        "platform": [ORGANIZATION, repository, PLATFORM],
        "profile": None,
        **others,
    }


def curl_at_once(folder: Path, transfers: Iterable[str], most: int = 16) -> list[str]:
    """Return what curl is told to do several transfers, so many at once.

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
    at_once = ("--parallel", "--parallel-immediate", "--parallel-max", str(most))
    return ["--no-progress-meter", *at_once, "--config", str(path)]
