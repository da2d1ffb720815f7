"""Large eggs, one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.bench.cases.jobs import MEMORY_LIMIT, job_for, with_library
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


def _path(scene: Scene) -> str:
    return f"{_EGGS}/{PYTHON_TAG}/eggs/{scene.large.name}/{FULL_VERSION}"


def _download_from(scene: Scene, folder: Path, url: str) -> dict[str, Any]:
    return job_for(
        scene,
        url,
        name=scene.large.name,
        version=FULL_VERSION,
        sha256=scene.large.sha256,
        size=scene.large.size,
        destination=str(folder),
        path=_path(scene),
        file=str(scene.large.path),
    )


def _download(scene: Scene, folder: Path) -> dict[str, Any]:
    return _download_from(scene, folder, scene.http)


def _download_tls(scene: Scene, folder: Path) -> dict[str, Any]:
    return _download_from(scene, folder, scene.https)


def _curl(scene: Scene, folder: Path) -> list[str]:
    return ["--output", str(folder / "file"), f"{scene.http}{_path(scene)}"]


def _curl_tls(scene: Scene, folder: Path) -> list[str]:
    url = f"{scene.https}{_path(scene)}"
    return ["--cacert", str(scene.authority), "--output", str(folder / "file"), url]


def _upload(scene: Scene, folder: Path) -> dict[str, Any]:
    scene.site  # noqa: B018
    egg = str(scene.local.path)
    return job_for(scene, scene.swallowing, egg=egg, file=egg, path=_UPLOAD)


def _curl_upload(scene: Scene, folder: Path) -> list[str]:
    parts = ["--form", f"file=@{scene.local.path}", "--form", "data={}"]
    return [*parts, "--header", "Expect:", f"{scene.swallowing}{_UPLOAD}"]


_SHA256 = Limit("sha256 alone", "limit_sha256", _download)


def _others(job: JobMaker, curl: JobMaker) -> tuple[Limit, ...]:
    """Return what is shown beside ours: none of them hashes, or waits for the disk."""
    return (
        Limit("http.client", "limit_library", with_library("http.client", job)),
        Limit("httpx", "limit_library", with_library("httpx", job)),
        Limit("curl", "curl", curl),
    )


COMPARISONS = (
    Comparison(
        "download",
        "download 512 MB egg, known hash",
        "egg_download",
        _download,
        must=1.4,
        aim=1.9,
        memory_limit=MEMORY_LIMIT,
        size=LARGE_DOWNLOAD,
        limits=(
            _SHA256,
            Limit("disk alone", "limit_write", _download),
            Limit("socket to disk alone", "limit_receive", _download),
            *_others(_download, _curl),
        ),
    ),
    Comparison(
        "download-memory",
        "the same download to a file system in memory",
        "egg_download",
        _download,
        must=1.4,
        aim=1.9,
        memory_limit=MEMORY_LIMIT,
        in_memory=True,
        size=LARGE_DOWNLOAD,
        limits=(
            _SHA256,
            Limit("socket to memory alone", "limit_receive", _download),
            *_others(_download, _curl),
        ),
    ),
    Comparison(
        "download-tls",
        "download 512 MB egg over TLS, known hash",
        "egg_download",
        _download_tls,
        must=1.2,
        aim=1.5,
        memory_limit=MEMORY_LIMIT,
        size=LARGE_DOWNLOAD,
        limits=(
            _SHA256,
            Limit("socket to disk alone", "limit_receive", _download_tls),
            *_others(_download_tls, _curl_tls),
        ),
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
        limits=(
            Limit("sha256 alone", "limit_sha256", _upload),
            Limit("disk to socket alone", "limit_send", _upload),
            *_others(_upload, _curl_upload),
        ),
    ),
)
