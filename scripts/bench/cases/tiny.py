"""What one small request costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import job_for
from scripts.bench.comparison import Comparison, Limit
from scripts.bench.options import TINY_GETS
from scripts.bench.scene import Scene
from scripts.bench.servers.site import ROOT_PATH


def _gets(scene: Scene, folder: Path) -> dict[str, Any]:
    path = f"{ROOT_PATH}/metadata/platforms"
    return job_for(scene, "http", times=scene.scaled(TINY_GETS), path=path)


COMPARISONS = (
    Comparison(
        "tiny-get",
        "a tiny GET, CPU time each, kept-alive",
        "tiny_gets",
        _gets,
        must=2.5,
        aim=3,
        figure="cpu",
        limits=(
            Limit("a bare socket", "limit_get", _gets),
            Limit("http.client", "limit_http_client", _gets),
            Limit("httpx", "limit_httpx", _gets),
        ),
    ),
)
