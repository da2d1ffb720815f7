"""Large eggs, one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import MEMORY_LIMIT, job_for
from scripts.bench.comparison import Comparison, JobMaker, Limit
from scripts.bench.options import LARGE_DOWNLOAD, LARGE_UPLOAD
from scripts.bench.scene import Scene
from scripts.bench.servers.site import FULL_VERSION, REPOSITORY, File, egg_path, upload_path

LIBRARIES = ("http.client", "httpx")


def download_job(scene: Scene, where: str, egg: File, folder: Path, **more: Any) -> dict[str, Any]:
    """Return the job to download an egg of the scene."""
    return job_for(
        scene,
        where,
        name=egg.name,
        version=FULL_VERSION,
        sha256=egg.sha256,
        size=egg.size,
        destination=str(folder),
        file=str(egg.path),
        **more,
    )


def _path(scene: Scene) -> str:
    return egg_path(scene.large.name, REPOSITORY)


def _download(where: str) -> JobMaker:
    return lambda scene, to: download_job(scene, where, scene.large, to, path=_path(scene))


def _upload(scene: Scene, folder: Path) -> dict[str, Any]:
    egg = str(scene.local.path)
    return job_for(scene, "swallowing", egg=egg, file=egg, path=upload_path(REPOSITORY))


def _curl(where: str) -> JobMaker:
    def make(scene: Scene, folder: Path) -> list[str]:
        trust = ["--cacert", str(scene.authority)] if where == "https" else []
        return [*trust, "--output", str(folder / "file"), getattr(scene, where) + _path(scene)]

    return make


def _curl_upload(scene: Scene, folder: Path) -> list[str]:
    parts = ["--form", f"file=@{scene.local.path}", "--form", "data={}"]
    return [*parts, "--header", "Expect:", f"{scene.swallowing}{upload_path(REPOSITORY)}"]


def _limits(job: JobMaker, curl: JobMaker, **alone: str) -> tuple[Limit, ...]:
    """Return what is shown beside ours; of the libraries and curl, none hashes or waits for the disk."""
    named = {"sha256": "limit_sha256", **alone}
    parts = (
        Limit(f"{name.replace('_', ' ')} alone", driver, job) for name, driver in named.items()
    )
    libraries = (Limit(name, f"limit_{name.replace('.', '_')}", job) for name in LIBRARIES)
    return (*parts, *libraries, Limit("curl", "curl", curl))


def _comparison(
    name: str, title: str, must: float, aim: float, limits: tuple[Limit, ...], **more: Any
) -> Comparison:
    told = {"driver": "egg_download", "size": LARGE_DOWNLOAD, "memory_limit": MEMORY_LIMIT, **more}
    return Comparison(name, title, must=must, aim=aim, limits=limits, **told)


_HTTP, _HTTPS = ((_download(where), _curl(where)) for where in ("http", "https"))
_DISK = {"socket_to_disk": "limit_receive"}
COMPARISONS = (
    _comparison(
        "download",
        "download 512 MB egg, known hash",
        1.4,
        1.9,
        _limits(*_HTTP, disk="limit_write", **_DISK),
        job=_HTTP[0],
    ),
    _comparison(
        "download-memory",
        "the same download to a file system in memory",
        1.4,
        1.9,
        _limits(*_HTTP, socket_to_memory="limit_receive"),
        job=_HTTP[0],
        in_memory=True,
    ),
    _comparison(
        "download-tls",
        "download 512 MB egg over TLS, known hash",
        1.2,
        1.5,
        _limits(*_HTTPS, **_DISK),
        job=_HTTPS[0],
    ),
    _comparison(
        "upload",
        "upload 256 MB egg, hash included",
        2.2,
        2.8,
        _limits(_upload, _curl_upload, disk_to_socket="limit_send"),
        job=_upload,
        driver="egg_upload",
        size=LARGE_UPLOAD,
    ),
)
