"""Large eggs, one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import MEMORY_LIMIT, job_for
from scripts.bench.comparison import Comparison, JobMaker, Limit
from scripts.bench.options import LARGE_DOWNLOAD, LARGE_UPLOAD
from scripts.bench.scene import Scene
from scripts.bench.servers.site import (
    DATA,
    FULL_VERSION,
    ORGANIZATION,
    PLATFORM,
    PYTHON_TAG,
    REPOSITORY,
    ROOT_PATH,
)

_EGGS = f"{ROOT_PATH}{DATA}/{ORGANIZATION}/{REPOSITORY}/{PLATFORM}"
_UPLOAD = f"{_EGGS}/eggs/upload"
LIBRARIES = ("http.client", "httpx")


def _path(scene: Scene) -> str:
    return f"{_EGGS}/{PYTHON_TAG}/eggs/{scene.large.name}/{FULL_VERSION}"


def _download(where: str) -> JobMaker:
    def make(scene: Scene, folder: Path) -> dict[str, Any]:
        return job_for(
            scene,
            where,
            name=scene.large.name,
            version=FULL_VERSION,
            sha256=scene.large.sha256,
            size=scene.large.size,
            destination=str(folder),
            path=_path(scene),
            file=str(scene.large.path),
        )

    return make


def _upload(scene: Scene, folder: Path) -> dict[str, Any]:
    egg = str(scene.local.path)
    return job_for(scene, "swallowing", egg=egg, file=egg, path=_UPLOAD)


def _curl(where: str) -> JobMaker:
    def make(scene: Scene, folder: Path) -> list[str]:
        trust = ["--cacert", str(scene.authority)] if where == "https" else []
        return [*trust, "--output", str(folder / "file"), getattr(scene, where) + _path(scene)]

    return make


def _curl_upload(scene: Scene, folder: Path) -> list[str]:
    parts = ["--form", f"file=@{scene.local.path}", "--form", "data={}"]
    return [*parts, "--header", "Expect:", f"{scene.swallowing}{_UPLOAD}"]


def _limits(job: JobMaker, curl: JobMaker, **alone: str) -> tuple[Limit, ...]:
    """Return what is shown beside ours; of the libraries and curl, none hashes or waits for the disk."""
    named = {"sha256": "limit_sha256", **alone}
    parts = (
        Limit(f"{name.replace('_', ' ')} alone", driver, job) for name, driver in named.items()
    )
    libraries = (Limit(name, f"limit_{name.replace('.', '_')}", job) for name in LIBRARIES)
    return (*parts, *libraries, Limit("curl", "curl", curl))


COMPARISONS = (
    Comparison(
        "download",
        "download 512 MB egg, known hash",
        "egg_download",
        _download("http"),
        must=1.4,
        aim=1.9,
        memory_limit=MEMORY_LIMIT,
        size=LARGE_DOWNLOAD,
        limits=_limits(
            _download("http"), _curl("http"), disk="limit_write", socket_to_disk="limit_receive"
        ),
    ),
    Comparison(
        "download-memory",
        "the same download to a file system in memory",
        "egg_download",
        _download("http"),
        must=1.4,
        aim=1.9,
        memory_limit=MEMORY_LIMIT,
        in_memory=True,
        size=LARGE_DOWNLOAD,
        limits=_limits(_download("http"), _curl("http"), socket_to_memory="limit_receive"),
    ),
    Comparison(
        "download-tls",
        "download 512 MB egg over TLS, known hash",
        "egg_download",
        _download("https"),
        must=1.2,
        aim=1.5,
        memory_limit=MEMORY_LIMIT,
        size=LARGE_DOWNLOAD,
        limits=_limits(_download("https"), _curl("https"), socket_to_disk="limit_receive"),
    ),
    Comparison(
        "upload",
        "upload 256 MB egg, hash included",
        "egg_upload",
        _upload,
        must=2.2,
        aim=2.8,
        memory_limit=MEMORY_LIMIT,
        size=LARGE_UPLOAD,
        limits=_limits(_upload, _curl_upload, disk_to_socket="limit_send"),
    ),
)
