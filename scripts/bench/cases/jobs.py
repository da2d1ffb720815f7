"""What the jobs of most comparisons have in common."""

from __future__ import annotations

from typing import Any

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
